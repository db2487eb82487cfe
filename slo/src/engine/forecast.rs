//! When the budget will be spent, if the latest rates go on (`slo.md` 2.6).

use std::iter::Peekable;

use super::instance::Instance;
use super::sums::Sums;
use super::tiers::Unit;
use crate::exact::Quotient;
use crate::saved;
use crate::spec::Method;

const ONE: u128 = 100_000_000;
/// Of a fraction in 2^-64 these are left out and these are left.
const DROPPED_BITS: u32 = 64 - KEPT_BITS;
const KEPT_BITS: u32 = 24;
/// The future is looked at minute by minute, where an hour may hold what is looked for.
const STEP_SECONDS: u64 = 60;
const HOUR_SECONDS: u64 = 3_600;

/// When the budget ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Seconds until it would be spent at the present burn, as if nothing left the window: `R x P / b`. `None`: never.
    pub constant: Option<Quotient>,
    /// Seconds to the first minute in which it is spent, old events leaving meanwhile. `None`: not within the period.
    pub rolling: Option<u64>,
    /// As `rolling`, with `bad + 2 isqrt(bad)` in the window that the rates are taken from: counts so small vary by so
    /// much. Never later than `rolling`.
    pub earliest: Option<u64>,
    /// As `rolling`, with `bad - 2 isqrt(bad)`. Never earlier than `rolling`.
    pub latest: Option<u64>,
}

saved!(struct Forecast { constant, rolling, earliest, latest });

/// The latest rates: counts over so many seconds.
#[derive(Debug, Clone, Copy)]
struct Rates {
    bad: u128,
    total: u128,
    seconds: u128,
}

/// What the window of the budget holds of the past, and to when the future adds to it.
#[derive(Debug, Clone, Copy)]
struct Held {
    count: u128,
    future_s: u64,
}

impl Rates {
    /// Whether so many bad ones of so many are all that is allowed: `bad >= beta x total`, everything times the seconds
    /// of the rates. The two may stand at different times: then it is a bound.
    fn reaches(&self, bad: Held, total: Held, beta: u128) -> bool {
        let sum = |held: Held, rate: u128| {
            let future = rate.saturating_mul(held.future_s.into());
            held.count.saturating_mul(self.seconds).saturating_add(future)
        };
        sum(bad, self.bad).saturating_mul(ONE) >= beta.saturating_mul(sum(total, self.total))
    }

    /// The same rates with so many bad ones more or less: never less than none, nor more than all.
    fn with_bad(self, bad: u128, all: u128) -> Self {
        Self { bad: bad.min(all), ..self }
    }
}

impl Instance {
    /// Whether the latest rates spend any of its budget.
    #[must_use]
    pub fn burns(&self) -> bool {
        self.counting.is_told() || self.rates().bad > 0
    }

    /// When its budget ends.
    #[must_use]
    pub fn forecast(&self) -> Forecast {
        let rates = self.rates();
        // Of a fraction the root is that of slices, in the same units.
        let (unit, one) = if self.unit() == Unit::Fraction { (KEPT_BITS, 1 << KEPT_BITS) } else { (0, 1) };
        let spread = 2 * (rates.bad << unit).isqrt();
        let all = (rates.total * one).max(rates.bad);
        let most = rates.with_bad(rates.bad + spread, all);
        let least = rates.with_bad(rates.bad.saturating_sub(spread), all);
        let [earliest, rolling, latest] = self.scan(u64::MAX, [most, rates, least]);
        Forecast { constant: self.constant(), rolling, earliest, latest }
    }

    /// Bad ones as they are counted here.
    fn kept(&self, bad: u128) -> u128 {
        match self.unit() {
            Unit::Whole => bad,
            Unit::Fraction => bad >> DROPPED_BITS,
        }
    }

    /// `beta`, in the same units.
    fn kept_beta(&self) -> u128 {
        let bits = if self.unit() == Unit::Fraction { KEPT_BITS } else { 0 };
        u128::from(self.terms.target.beta()) << bits
    }

    /// The first tick of the window of its budget at a time in seconds: nothing leaves a calendar.
    fn edge(&self, at: u64) -> u64 {
        at.saturating_sub(self.period_seconds()) / self.grid.tick_s
    }

    fn rates(&self) -> Rates {
        let recent = self.windows.sums(self.forecast_window);
        let seconds = self.terms.forecast.window.seconds();
        Rates { bad: self.kept(recent.bad()), total: recent.total().into(), seconds: seconds.into() }
    }

    /// `R x P / b`, nought when the budget is spent: `P left rate_total / (total rate_bad)`, where `left` is
    /// `beta total - bad` and total what the budget is a share of, for beta in 10^-8.
    pub(super) fn constant(&self) -> Option<Quotient> {
        if self.counting.is_told() {
            return self.told_constant(self.period_seconds());
        }
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
        let [found] = self.scan(horizon_s, [self.rates()]);
        found
    }

    /// The same for several rates at once: what leaves is read once.
    ///
    /// An hour is looked at by its minutes only if the bad ones that it begins with and the rate adds by its end could
    /// spend the budget of the fewest that it may hold: no minute is missed.
    fn scan<const N: usize>(&self, horizon_s: u64, rates: [Rates; N]) -> [Option<u64>; N] {
        // What a sum of ratios loses when old events of its parts leave is not worked out.
        if self.counting.is_told() {
            return [None; N];
        }
        let now = self.next() * self.grid.tick_s;
        let horizon_s = horizon_s.min(match self.calendar {
            Some((_, to)) => (to * self.grid.tick_s).saturating_sub(now),
            None => self.period_seconds(),
        });
        let mut future = self.future();
        let mut found = [None; N];
        let mut at = now.next_multiple_of(STEP_SECONDS);
        while at - now <= horizon_s && found.contains(&None) {
            let rest = (now + horizon_s - at) / STEP_SECONDS * STEP_SECONDS;
            let last = at + rest.min(HOUR_SECONDS - STEP_SECONDS);
            let hour = future.hour((at, last));
            for (rates, found) in rates.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
                *found = hour.first_spent(rates).map(|at| at - now);
            }
            at = last + STEP_SECONDS;
        }
        found
    }

    fn future(&self) -> Future<'_, impl Iterator<Item = (u64, Sums)> + '_> {
        let first = self.windows.from(self.period);
        let mut past = *self.windows.sums(self.period);
        // A window of at most an hour may begin within a cell, and cells leave whole.
        past.add(&self.windows.count(first - first % self.grid.cell_ticks, first));
        let (from, to) = if self.calendar.is_some() { (0, 0) } else { (first, self.next()) };
        Future { instance: self, past, cells: self.windows.cells(from, to).peekable(), leaving: Vec::new() }
    }
}

/// What leaves the window of an instance's budget while time goes on.
struct Future<'a, C: Iterator<Item = (u64, Sums)>> {
    instance: &'a Instance,
    /// What of the past is in the window still.
    past: Sums,
    cells: Peekable<C>,
    /// Cells that leave within an hour.
    leaving: Vec<(u64, Sums)>,
}

/// The minutes from `from` to `last`, in seconds.
struct Hour<'a> {
    instance: &'a Instance,
    from: u64,
    last: u64,
    /// What the window holds of the past before any of this leaves, and after all has.
    before: Sums,
    after: Sums,
    leaving: &'a [(u64, Sums)],
}

impl<C: Iterator<Item = (u64, Sums)>> Future<'_, C> {
    /// The next minutes.
    fn hour(&mut self, (from, last): (u64, u64)) -> Hour<'_> {
        let edge = self.instance.edge(last);
        let before = self.past;
        self.leaving.clear();
        while let Some((tick, cell)) = self.cells.next_if(|(tick, _)| *tick < edge) {
            self.past.take(&cell);
            self.leaving.push((tick, cell));
        }
        Hour { instance: self.instance, from, last, before, after: self.past, leaving: &self.leaving }
    }
}

impl Hour<'_> {
    /// The first of its minutes at which the budget is spent.
    fn first_spent(&self, rates: &Rates) -> Option<u64> {
        let now = self.instance.next() * self.instance.grid.tick_s;
        let beta = self.instance.kept_beta();
        let bad = |sums: &Sums, at: u64| Held { count: self.instance.kept(sums.bad()), future_s: at - now };
        // A budget of slices is a share of all slices of the period, whether they have come or not.
        let slices = (self.instance.counting.method != Method::Occurrences).then(|| self.instance.budget_total());
        let total = |sums: &Sums, at: u64| match slices {
            Some(slices) => Held { count: slices.into(), future_s: 0 },
            None => Held { count: sums.total().into(), future_s: at - now },
        };
        if !rates.reaches(bad(&self.before, self.last), total(&self.after, self.from), beta) {
            return None;
        }
        let (mut past, mut leaving) = (self.before, self.leaving.iter().peekable());
        (self.from..=self.last).step_by(STEP_SECONDS as usize).find(|at| {
            let edge = self.instance.edge(*at);
            while let Some((_, cell)) = leaving.next_if(|(tick, _)| *tick < edge) {
                past.take(cell);
            }
            let has_events = slices.is_some() || past.total() > 0 || rates.total > 0 && *at > now;
            has_events && rates.reaches(bad(&past, *at), total(&past, *at), beta)
        })
    }
}

#[cfg(test)]
mod tests;
