//! When the budget will be spent, if the latest rates go on (`slo.md` 2.6).

use super::instance::Instance;
use super::tiers::Unit;
use crate::exact::Quotient;

const ONE: u128 = 100_000_000;
/// Of a fraction in 2^-64 these are left out and these are left.
const DROPPED_BITS: u32 = 64 - KEPT_BITS;
const KEPT_BITS: u32 = 24;
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
    fn is_spent(&self, (bad, total): (u128, u64), future_s: u64, beta: u128) -> bool {
        let at = u128::from(future_s);
        let bad = bad.saturating_mul(self.seconds).saturating_add(self.bad.saturating_mul(at));
        let total = u128::from(total).saturating_mul(self.seconds).saturating_add(self.total.saturating_mul(at));
        total > 0 && bad.saturating_mul(ONE) >= beta.saturating_mul(total)
    }
}

impl Instance {
    /// When its budget ends.
    #[must_use]
    pub fn forecast(&self) -> Forecast {
        Forecast { constant: self.constant(), rolling: self.rolling(u64::MAX) }
    }

    /// Bad ones as they are counted here.
    fn kept(&self, bad: u128) -> u128 {
        match self.unit() {
            Unit::Whole => bad,
            Unit::Fraction => bad >> DROPPED_BITS,
        }
    }

    fn rates(&self) -> Rates {
        let recent = self.windows.sums(self.forecast_window);
        let seconds = self.terms.forecast.window.seconds();
        Rates { bad: self.kept(recent.bad()), total: recent.total().into(), seconds: seconds.into() }
    }

    /// `R x P / b`, nought when the budget is spent: `P left rate_total / (total rate_bad)`, where `left` is
    /// `beta total - bad` and total what the budget is a share of, for beta in 10^-8.
    pub(super) fn constant(&self) -> Option<Quotient> {
        let (rates, bad) = (self.rates(), self.windows.sums(self.period).bad());
        let total = u128::from(self.budget_total());
        let allowed = u128::from(self.terms.target.beta()) * total;
        let left = match self.unit() {
            Unit::Whole => allowed.saturating_sub(bad.saturating_mul(ONE)),
            // Slices are counted to 2^-24 here, so that the product fits.
            Unit::Fraction => (allowed << KEPT_BITS).saturating_sub((bad >> DROPPED_BITS).saturating_mul(ONE)),
        };
        let above = left.checked_mul(rates.total)?.checked_mul(self.period_seconds().into())?;
        let below = total.checked_mul(rates.bad)?.checked_mul(ONE)?;
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
        let bits = if self.unit() == Unit::Fraction { KEPT_BITS } else { 0 };
        let allowed_by = beta << bits;
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
            let bad = (self.kept(past.bad()), past.total());
            if rates.is_spent(bad, at - now, allowed_by) {
                return Some(at - now);
            }
            at += STEP_SECONDS;
        }
        None
    }
}
