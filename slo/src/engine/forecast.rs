//! When the budget will be spent, if the latest rates go on (`slo.md` 2.6).

use super::instance::Instance;
use super::sums::Sums;
use crate::exact::Quotient;

const ONE: u128 = 100_000_000;
/// The future is looked at minute by minute.
const STEP_SECONDS: u64 = 60;

/// When the budget ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Seconds until it would be spent at the present burn, as if nothing left the window: `R x P / b`. `None`: never.
    pub constant: Option<Quotient>,
    /// Seconds to the first minute in which it is spent, old events leaving meanwhile. `None`: not within the period.
    pub rolling: Option<u64>,
}

/// The latest rates: counts over so many seconds.
#[derive(Debug, Clone, Copy)]
struct Rates {
    bad: u128,
    total: u128,
    seconds: u128,
}

impl Rates {
    /// Whether the budget is spent when the window held these of the past and so many seconds of the future:
    /// `bad >= beta x total`, everything times the seconds of the rates.
    fn is_spent(&self, past: &Sums, future_s: u64, beta: u128) -> bool {
        let at = u128::from(future_s);
        let bad = past.bad.saturating_mul(self.seconds).saturating_add(self.bad.saturating_mul(at));
        let total = u128::from(past.total).saturating_mul(self.seconds).saturating_add(self.total.saturating_mul(at));
        total > 0 && bad.saturating_mul(ONE) >= beta.saturating_mul(total)
    }
}

impl Instance {
    /// When its budget ends.
    #[must_use]
    pub fn forecast(&self) -> Forecast {
        Forecast { constant: self.constant(), rolling: self.rolling(u64::MAX) }
    }

    fn rates(&self) -> Rates {
        let recent = self.windows.sums(self.forecast_window);
        let seconds = self.terms.forecast.window.seconds();
        Rates { bad: recent.bad, total: recent.total.into(), seconds: seconds.into() }
    }

    /// `R x P / b`: of events `P (beta total - bad) rate_total / (total rate_bad)`, for beta in 10^-8.
    fn constant(&self) -> Option<Quotient> {
        let (rates, sums) = (self.rates(), self.windows.sums(self.period));
        let allowed = u128::from(self.terms.target.beta()) * u128::from(sums.total);
        let left = allowed.saturating_sub(sums.bad.saturating_mul(ONE));
        let above = left.checked_mul(rates.total)?.checked_mul(self.period_seconds().into())?;
        let below = u128::from(sums.total).checked_mul(rates.bad)?.checked_mul(ONE)?;
        Quotient::of(above, below)
    }

    fn period_seconds(&self) -> u64 {
        let nominal = self.terms.period.nominal_seconds();
        self.calendar.map_or(nominal, |(from, to)| (to - from) * self.grid.tick_s)
    }

    /// Seconds to the first whole minute at which the budget is spent, at most `horizon_s` ahead: of a calendar, to its
    /// end, and nothing leaves.
    pub(super) fn rolling(&self, horizon_s: u64) -> Option<u64> {
        let (rates, beta) = (self.rates(), u128::from(self.terms.target.beta()));
        let (now, tick_s) = (self.next() * self.grid.tick_s, self.grid.tick_s);
        let horizon_s = horizon_s.min(match self.calendar {
            Some((_, to)) => (to * tick_s).saturating_sub(now),
            None => self.period_seconds(),
        });
        let mut past = *self.windows.sums(self.period);
        let first = self.windows.from(self.period);
        let mut leaving = self.windows.cells(first, self.next()).peekable();
        let mut at = now.next_multiple_of(STEP_SECONDS);
        while at - now <= horizon_s {
            if self.calendar.is_none() {
                let edge = at.saturating_sub(self.period_seconds()) / tick_s;
                while let Some((_, cell)) = leaving.next_if(|(tick, _)| *tick < edge) {
                    past.take(&cell);
                }
            }
            if rates.is_spent(&past, at - now, beta) {
                return Some(at - now);
            }
            at += STEP_SECONDS;
        }
        None
    }
}
