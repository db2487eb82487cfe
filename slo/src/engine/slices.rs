//! Slices of time: events of a slice become one verdict, which the windows then count at the slice's last tick
//! (`slo.md` 2.3).
//!
//! A correction acts on the ticks that it covers, and a slice is judged by what is left of them (2.9). What happened is
//! kept in cells of a minute for as long as a window may hold the verdict, so that the past can be judged anew.

use super::store::Store;
use super::sums::{Delta, Source, Sums};
use super::tiers::Unit;
use super::truth::Value;
use super::windows::{Effect, Grid};
use crate::exact::Decimal;
use crate::spec::EmptySlice;

/// How late events may be, seconds.
const LATE_SECONDS: u64 = 7_200;

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

/// What corrections leave of a slice.
#[derive(Debug, Clone, Copy, Default)]
struct Left {
    sums: Sums,
    /// Ticks of these that no correction calls good.
    judged_ticks: u32,
}

impl Left {
    fn add(&mut self, cell: Sums, effect: Option<&Effect>) {
        self.sums.add(&effect.map_or(cell, |effect| effect.leaves(cell)));
        self.judged_ticks += if effect.is_none() { cell.ticks } else { 0 };
    }
}

impl Rule {
    /// What a slice counts as: nothing, or one slice that is good or bad, or so far short.
    fn verdict(&self, left: &Left) -> (u64, u128) {
        let sums = &left.sums;
        // Before the first tick of its life nothing was expected of anybody, nor is of what a correction excludes.
        if sums.ticks == 0 && sums.total() == 0 {
            return (0, 0);
        }
        match Value::of(sums, self.floor) {
            Value::Measured => (1, self.shortfall(sums)),
            // Gaps are skipped; silence of a source that would have been heard, or of which nothing is known, is empty.
            Value::Unmeasured if sums.gaps > 0 => (0, 0),
            Value::Empty | Value::Unmeasured => match self.empty {
                EmptySlice::Skip => (0, 0),
                // What a correction calls good is good when it is silent, too.
                EmptySlice::Bad if left.judged_ticks > 0 => (1, self.all_bad()),
                EmptySlice::Good | EmptySlice::Bad => (1, 0),
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

/// A slice: its first tick, and the first after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slice {
    from: u64,
    to: u64,
}

/// Slices of one instance.
#[derive(Debug, Clone)]
pub(super) struct Slices {
    rule: Rule,
    /// What happened, whatever was corrected; events as they weigh.
    cells: Store,
    /// Ticks of a cell: those of a window's where slices are whole cells, as corrections are; else one.
    width: u64,
    /// A tick that a slice begins at; slices lie at whole slices from there.
    origin: u64,
    /// The first tick that has not closed.
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
    /// Slices at whole slices from `origin`; `first` is the first tick that will close.
    pub(super) fn new(rule: Rule, grid: Grid, (origin, first): (u64, u64)) -> Self {
        let is_whole = |ticks: u64| ticks.is_multiple_of(grid.cell_ticks);
        let width = if is_whole(origin) && is_whole(rule.slice_ticks) { grid.cell_ticks } else { 1 };
        let origin = origin % rule.slice_ticks;
        let mut slices = Self { rule, cells: Store::default(), width, origin, next: first, judged: Vec::new(), since: 0 };
        let earliest = slices.slice_at(first.saturating_sub(grid.ticks(LATE_SECONDS)));
        slices.cells.change(earliest.from / width, |_| {});
        slices
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
    pub(super) fn judge_by(&mut self, rule: Rule, effects: &[Effect]) -> Vec<Verdict> {
        let old = std::mem::replace(&mut self.rule, rule);
        if old == rule { Vec::new() } else { self.differences((&old, effects), (&rule, effects)) }
    }

    /// What the ended ones that are kept count under other corrections.
    pub(super) fn correct(&self, before: &[Effect], after: &[Effect]) -> Vec<Verdict> {
        if before == after { Vec::new() } else { self.differences((&self.rule, before), (&self.rule, after)) }
    }

    /// Closes the next tick; says of a slice that ends with it.
    pub(super) fn close(&mut self, source: Source, effects: &[Effect]) -> Option<Verdict> {
        let tick = self.next;
        self.next += 1;
        self.cells.change(tick / self.width, |cell| cell.add(&Sums::tick(source)));
        let slice = self.slice_of(tick).filter(|slice| slice.to == self.next)?;
        let after = self.rule.verdict(&self.left_of(slice, effects));
        Some(Verdict { tick, before: (0, 0), after })
    }

    /// Changes what a tick counted; says of its slice if that has ended.
    pub(super) fn change(&mut self, tick: u64, delta: &Delta, effects: &[Effect]) -> Option<Verdict> {
        let slice = self.slice_of(tick)?;
        let before = (slice.to <= self.next).then(|| self.left_of(slice, effects));
        // How events were seen before they were weighed is not asked of slices.
        let delta = Delta { raw_bad: 0, raw_total: 0, ..*delta };
        self.cells.change(tick / self.width, |cell| cell.change(&delta));
        let (before, mut after) = (before?, before?);
        let mut change = Sums::default();
        change.change(&delta);
        after.add(change, Effect::over(effects, tick));
        let [before, after] = [before, after].map(|left| self.rule.verdict(&left));
        (before != after).then_some(Verdict { tick: slice.to - 1, before, after })
    }

    /// Forgets slices that ended before this tick.
    pub(super) fn forget_before(&mut self, tick: u64) {
        self.cells.forget_before(self.slice_at(tick).from / self.width);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.cells.memory_bytes()
    }

    fn slice_at(&self, tick: u64) -> Slice {
        // The slice before the first whole one begins with tick 0.
        let length = self.rule.slice_ticks;
        let to = tick + length - (tick + length - self.origin) % length;
        Slice { from: to.saturating_sub(length).max(self.since), to }
    }

    /// The slice that holds a tick, if nothing of it is forgotten.
    fn slice_of(&self, tick: u64) -> Option<Slice> {
        let kept = (self.cells.first() * self.width).max(self.since);
        Some(self.slice_at(tick)).filter(|slice| tick >= self.since && slice.from >= kept)
    }

    fn left_of(&self, slice: Slice, effects: &[Effect]) -> Left {
        let mut left = Left::default();
        for (tick, cell) in self.cells_of(slice.from, slice.to) {
            left.add(cell, Effect::over(effects, tick));
        }
        left
    }

    /// Cells of a range with their first ticks.
    fn cells_of(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, Sums)> + '_ {
        let width = self.width;
        self.cells.range(from / width, to.div_ceil(width)).map(move |(number, cell)| (number * width, cell))
    }

    /// Ended slices that count otherwise by one rule and corrections than by others: all are read once.
    fn differences(&self, before: (&Rule, &[Effect]), after: (&Rule, &[Effect])) -> Vec<Verdict> {
        let mut found = Vec::new();
        let kept = (self.cells.first() * self.width).max(self.since);
        let mut slice = self.slice_at(kept);
        if slice.from < kept {
            slice = self.slice_at(slice.to);
        }
        let mut cells = self.cells_of(slice.from, self.next).peekable();
        while slice.to <= self.next {
            let mut left = [Left::default(); 2];
            while let Some((tick, cell)) = cells.next_if(|(tick, _)| *tick < slice.to) {
                left[0].add(cell, Effect::over(before.1, tick));
                left[1].add(cell, Effect::over(after.1, tick));
            }
            let (before, after) = (before.0.verdict(&left[0]), after.0.verdict(&left[1]));
            if before != after {
                found.push(Verdict { tick: slice.to - 1, before, after });
            }
            slice = self.slice_at(slice.to);
        }
        found
    }
}
