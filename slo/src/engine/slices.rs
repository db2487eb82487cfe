//! Slices of time: events of a slice become one verdict, which the windows then count at the slice's last tick
//! (`slo.md` 2.3).
//!
//! A correction acts on the ticks that it covers, and a slice is judged by what is left of them (2.9). What happened is
//! kept in cells of a minute for as long as a window may hold the verdict, so that the past can be judged anew.

use super::cuts::{Cuts, Slice};
use super::store::Store;
use super::sums::{Delta, Source, Sums};
use super::tiers::Unit;
use super::truth::Value;
use super::windows::{Effect, Grid};
use crate::exact::Decimal;
use crate::saved;
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

saved!(struct Rule { slice_ticks, target, unit, empty, floor });

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

/// Slices of one instance.
#[derive(Debug, Clone)]
pub(super) struct Slices {
    rule: Rule,
    /// What happened, whatever was corrected; events as they weigh.
    cells: Store,
    /// Ticks of a cell: those of a window's where slices are whole cells, as corrections are; else one.
    width: u64,
    cuts: Cuts,
    /// The first tick that has not closed.
    next: u64,
    /// Last ticks of those that were judged lately, in another way or for the first time.
    pub(super) judged: Vec<u64>,
}

saved!(struct Slices { rule, cells, width, cuts, next, judged });

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
    /// Slices from as long before `first`, the first tick that will close, as events may be late. `window_at` tells the
    /// calendar window that holds a tick, where the period is one.
    pub(super) fn new(rule: Rule, grid: Grid, first: u64, window_at: impl Fn(u64) -> Option<(u64, u64)>) -> Self {
        let width = if rule.slice_ticks.is_multiple_of(grid.cell_ticks) { grid.cell_ticks } else { 1 };
        let earliest = first.saturating_sub(grid.ticks(LATE_SECONDS));
        let cuts = Cuts::new(rule.slice_ticks, (earliest, first), window_at);
        let earliest = cuts.slice_at(earliest).map_or(earliest, |slice| slice.from);
        let mut slices = Self { rule, cells: Store::default(), width, cuts, next: first, judged: Vec::new() };
        slices.cells.change(earliest / width, |_| {});
        slices.fit_cells();
        slices
    }

    /// Forgets which were judged lately.
    pub(super) fn forget_judged(&mut self) {
        self.judged.clear();
        // After a pause there were many.
        self.judged.shrink_to(64);
    }

    /// Another calendar window begins with the next tick.
    pub(super) fn turn(&mut self, window: (u64, u64)) {
        self.cuts.go_on(window);
        self.fit_cells();
    }

    /// Another rule for slices of the same length, and another period that they lie in: what the ended ones that are kept
    /// count from now on.
    pub(super) fn revise(&mut self, (rule, window): (Rule, Option<(u64, u64)>), effects: &[Effect]) -> Vec<Verdict> {
        let cut = self.cut(window, effects);
        self.fit_cells();
        let old = std::mem::replace(&mut self.rule, rule);
        let mut verdicts = Vec::from_iter(cut);
        if old != rule {
            verdicts.extend(self.differences((&old, effects), (&rule, effects)));
        }
        verdicts
    }

    /// Lets slices lie in another period; says of the one that was not over and is now.
    fn cut(&mut self, window: Option<(u64, u64)>, effects: &[Effect]) -> Option<Verdict> {
        let open = self.slice_of(self.next);
        self.cuts.change_to(window, self.next);
        let slice = self.slice_of(self.next.checked_sub(1)?)?;
        let is_cut = slice.to == self.next && open.is_some_and(|open| open.from == slice.from);
        is_cut.then(|| Verdict {
            tick: self.next - 1,
            before: (0, 0),
            after: self.rule.verdict(&self.left_of(slice, effects)),
        })
    }

    /// Cells of single ticks from now on where slices are no whole cells: a calendar may start at any second.
    fn fit_cells(&mut self) {
        if self.cuts.origin().is_multiple_of(self.width) {
            return;
        }
        let (mut cells, width) = (Store::default(), self.width);
        // No slice ended within a cell so far, so that the first tick may stand for it.
        for (number, cell) in self.cells.range(0, self.next.div_ceil(width)) {
            cells.change(number * width, |at| *at = cell);
        }
        (self.cells, self.width) = (cells, 1);
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
        let Some(slice) = self.cuts.slice_at(tick) else { return };
        self.cells.forget_before(slice.from / self.width);
        self.cuts.forget_before(self.first());
    }

    /// Whether they can be those of an instance: how it judges them, the first tick that it has not closed, its cells.
    pub(super) fn is_of(&self, rule: Rule, next: u64, grid: Grid) -> bool {
        let is_width = self.width == 1 || self.width == grid.cell_ticks;
        let is_near = is_width && {
            let late = grid.ticks(LATE_SECONDS).saturating_add(rule.slice_ticks);
            self.cells.is_near(next / self.width, late / self.width + 1)
        };
        is_near && self.rule == rule && self.next == next && self.cuts.is_whole(rule.slice_ticks)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.cells.memory_bytes() + self.cuts.memory_bytes()
    }

    /// The first tick that is kept.
    fn first(&self) -> u64 {
        self.cuts.first().max(self.cells.first() * self.width)
    }

    /// The slice that holds a tick, if nothing of it is forgotten.
    fn slice_of(&self, tick: u64) -> Option<Slice> {
        self.cuts.slice_at(tick).filter(|slice| slice.from >= self.first())
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
        let ended = |tick: u64| self.cuts.slice_at(tick).filter(|slice| slice.to <= self.next);
        // The first slice may be forgotten in part: it stays as it was judged.
        let is_whole = |slice: &Slice| slice.from >= self.first();
        let first = ended(self.first()).map_or(self.next, |slice| if is_whole(&slice) { slice.from } else { slice.to });
        let mut cells = self.cells_of(first, self.next).peekable();
        for slice in std::iter::successors(ended(first), |slice| ended(slice.to)) {
            let mut left = [Left::default(); 2];
            while let Some((tick, cell)) = cells.next_if(|(tick, _)| *tick < slice.to) {
                left[0].add(cell, Effect::over(before.1, tick));
                left[1].add(cell, Effect::over(after.1, tick));
            }
            let (before, after) = (before.0.verdict(&left[0]), after.0.verdict(&left[1]));
            if before != after {
                found.push(Verdict { tick: slice.to - 1, before, after });
            }
        }
        found
    }
}
