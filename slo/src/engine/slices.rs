//! Slices of time: events of a slice become one verdict, which the windows then count at the slice's last tick
//! (`slo.md` 2.3).

use super::store::Store;
use super::sums::{Delta, Source, Sums};
use super::tiers::Unit;
use super::truth::Value;
use crate::exact::Decimal;
use crate::spec::EmptySlice;

/// How slices are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) slice_ticks: u64,
    /// The share of good events that makes a slice good; without one its ratio counts.
    pub(super) target: Option<Decimal>,
    /// What bad slices are counted in.
    pub(super) unit: Unit,
    pub(super) empty: EmptySlice,
    pub(super) floor: Decimal,
}

impl Rule {
    /// What a slice counts as: nothing, or one slice that is good or bad, or so far short.
    fn verdict(&self, sums: &Sums) -> (u64, u128) {
        // Before the first tick of its life nothing was expected of anybody.
        if sums.ticks == 0 && sums.total() == 0 {
            return (0, 0);
        }
        match Value::of(sums, self.floor) {
            Value::Measured => (1, self.shortfall(sums)),
            // Gaps are skipped; silence of a source that would have been heard, or of which nothing is known, is empty.
            Value::Unmeasured if sums.gaps > 0 => (0, 0),
            Value::Empty | Value::Unmeasured => match self.empty {
                EmptySlice::Skip => (0, 0),
                EmptySlice::Good => (1, 0),
                EmptySlice::Bad => (1, self.all_bad()),
            },
        }
    }

    const fn all_bad(&self) -> u128 {
        match self.unit {
            Unit::Whole => 1,
            Unit::Fraction => 1 << 64,
        }
    }

    fn shortfall(&self, sums: &Sums) -> u128 {
        let bad = u64::try_from(sums.bad()).unwrap_or(u64::MAX).min(sums.total());
        let Some(target) = self.target else { return (u128::from(bad) << 64) / u128::from(sums.total()) };
        let one = 10_u128.pow(u32::from(target.scale()));
        let wanted = u128::try_from(target.mantissa()).unwrap_or(0) * u128::from(sums.total());
        let is_bad = u128::from(sums.total() - bad) * one < wanted;
        if is_bad { self.all_bad() } else { 0 }
    }
}

/// Slices of one instance.
#[derive(Debug, Clone)]
pub(super) struct Slices {
    pub(super) rule: Rule,
    store: Store,
    /// The tick that a slice begins at; slices lie at whole slices from there.
    origin: u64,
    next: u64,
    /// Last ticks of those that were judged lately, in another way or for the first time.
    pub(super) judged: Vec<u64>,
    /// Ticks before this one were cut in another way: they stay as they were judged.
    since: u64,
}

/// A slice counts otherwise than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Its last tick.
    pub(super) tick: u64,
    /// Slices and bad ones, or shortfall.
    pub(super) before: (u64, u128),
    pub(super) after: (u64, u128),
}

impl Slices {
    pub(super) fn new(rule: Rule, origin: u64, first: u64) -> Self {
        let origin = origin % rule.slice_ticks;
        let mut store = Store::default();
        // Two hours: as late as events may be.
        store.change(first.saturating_sub(7_200) / rule.slice_ticks, |_| {});
        Self { rule, store, origin, next: first, judged: Vec::new(), since: 0 }
    }

    /// Forgets which were judged lately.
    pub(super) fn forget_judged(&mut self) {
        self.judged.clear();
        // After a pause there were many.
        self.judged.shrink_to(64);
    }

    /// What happened before this tick counts no more.
    pub(super) fn since(self, tick: u64) -> Self {
        Self { since: tick, ..self }
    }

    /// Whether slices begin at this tick, or at whole slices from it.
    pub(super) fn is_cut_at(&self, tick: u64) -> bool {
        tick % self.rule.slice_ticks == self.origin
    }

    /// Another rule for slices of the same length: what the ended ones that are kept count from now on.
    pub(super) fn judge_by(&mut self, rule: Rule) -> Vec<Verdict> {
        let old = std::mem::replace(&mut self.rule, rule);
        let kept = self.store.range(1, self.slice_of(self.next));
        let verdicts = kept.map(|(slice, sums)| Verdict {
            tick: self.last_tick(slice),
            before: old.verdict(&sums),
            after: rule.verdict(&sums),
        });
        verdicts.filter(|verdict| verdict.before != verdict.after).collect()
    }

    fn slice_of(&self, tick: u64) -> u64 {
        // The slice before the first whole one has number 0.
        (tick + self.rule.slice_ticks - self.origin) / self.rule.slice_ticks
    }

    fn last_tick(&self, slice: u64) -> u64 {
        slice * self.rule.slice_ticks + self.origin - 1
    }

    /// Closes the next tick; says of a slice that ends with it.
    pub(super) fn close(&mut self, source: Source) -> Option<Verdict> {
        let tick = self.next;
        self.next += 1;
        let slice = self.slice_of(tick);
        self.store.change(slice, |cell| cell.add(&Sums::tick(source)));
        (self.last_tick(slice) == tick).then(|| {
            let after = self.rule.verdict(&self.store.cell(slice));
            Verdict { tick, before: (0, 0), after }
        })
    }

    /// Changes what a tick counted; says of its slice if that has ended.
    pub(super) fn change(&mut self, tick: u64, delta: &Delta) -> Option<Verdict> {
        if tick < self.since {
            return None;
        }
        let slice = self.slice_of(tick);
        let (mut before, mut after) = (Sums::default(), Sums::default());
        let known = self.store.change(slice, |cell| {
            before = *cell;
            cell.change(delta);
            after = *cell;
        });
        let tick = self.last_tick(slice);
        let [before, after] = [before, after].map(|sums| self.rule.verdict(&sums));
        (known && tick < self.next && before != after).then_some(Verdict { tick, before, after })
    }

    /// Forgets slices before this tick.
    pub(super) fn forget_before(&mut self, tick: u64) {
        self.store.forget_before(self.slice_of(tick));
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.store.memory_bytes()
    }
}
