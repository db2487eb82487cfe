//! Where slices begin and end: on the UTC grid, in calendar windows on the window's start (`slo.md` 2.3). A window that is
//! no whole number of slices cuts its last one, and so does a change of the SLO: every tick is in one slice.

use super::store::room;
use crate::saved;
use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};
use std::collections::VecDeque;

/// A slice: its first tick, and the first after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// A stretch of time that is cut in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    from: u64,
    /// The first tick after it.
    to: u64,
    /// Slices lie at whole slices from here.
    origin: u64,
}

saved!(struct Stretch { from, to, origin });

/// Stretches by time, without holes.
#[derive(Debug, Clone)]
pub(super) struct Cuts {
    slice_ticks: u64,
    stretches: VecDeque<Stretch>,
}

impl Cuts {
    /// Cuts from `earliest` to the end of the calendar window that holds `first`; `window_at` tells the window that holds a
    /// tick, and of a rolling period none.
    pub(super) fn new(
        slice_ticks: u64,
        (earliest, first): (u64, u64),
        window_at: impl Fn(u64) -> Option<(u64, u64)>,
    ) -> Self {
        let mut stretches = VecDeque::from([Stretch::of(window_at(first))]);
        while let Some(from) = stretches.front().map(|stretch| stretch.from).filter(|from| *from > earliest)
            && let Some(before) = window_at(from - 1)
        {
            stretches.push_front(Stretch { to: from, ..Stretch::of(Some(before)) });
        }
        Self { slice_ticks, stretches }
    }

    /// The slice that holds a tick; `None` before the first one and after the last one that is known.
    pub(super) fn slice_at(&self, tick: u64) -> Option<Slice> {
        let place = self.stretches.partition_point(|stretch| stretch.to <= tick);
        let stretch = self.stretches.get(place).filter(|stretch| stretch.from <= tick)?;
        let from = tick - (tick - stretch.origin) % self.slice_ticks;
        Some(Slice { from: from.max(stretch.from), to: (from + self.slice_ticks).min(stretch.to) })
    }

    /// Goes on with the next calendar window.
    pub(super) fn go_on(&mut self, window: (u64, u64)) {
        let end = self.stretches.back().map_or(0, |stretch| stretch.to);
        if window.1 > end {
            self.stretches.push_back(Stretch { from: end, ..Stretch::of(Some(window)) });
        }
    }

    /// Cuts by another calendar window, or by none, from the first slice on that begins there at `next` or later; `next`
    /// is the first tick that has not closed. The slice before it ends with it. Slices that have ended stay as they are.
    pub(super) fn change_to(&mut self, window: Option<(u64, u64)>, next: u64) {
        let new = Stretch::of(window);
        if self.stretches.back().is_some_and(|last| (last.origin, last.to) == (new.origin, new.to)) {
            return;
        }
        // What an earlier change has planned does not come.
        while self.stretches.len() > 1 && self.stretches.back().is_some_and(|last| last.from >= next) {
            self.stretches.pop_back();
        }
        let begun = next.saturating_sub(new.origin).div_ceil(self.slice_ticks);
        let mut from = (new.origin + begun * self.slice_ticks).min(new.to);
        if let Some(last) = self.stretches.back_mut() {
            // A window that is over has cut its last slice.
            from = if last.to == next { next } else { from };
            last.to = from;
        }
        if from < new.to {
            self.stretches.push_back(Stretch { from, ..new });
        }
    }

    /// The first tick that it knows of.
    pub(super) fn first(&self) -> u64 {
        self.stretches.front().map_or(0, |stretch| stretch.from)
    }

    /// The tick that the last slices lie at whole slices from.
    pub(super) fn origin(&self) -> u64 {
        self.stretches.back().map_or(0, |stretch| stretch.origin)
    }

    /// Forgets stretches that ended before this tick.
    pub(super) fn forget_before(&mut self, tick: u64) {
        while self.stretches.len() > 1 && self.stretches[0].to <= tick {
            self.stretches.pop_front();
        }
        self.stretches.shrink_to(room(self.stretches.len()));
    }

    /// Bytes that it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        room(self.stretches.len()) * size_of::<Stretch>()
    }

    /// Whether slices of so many ticks can be cut so.
    pub(super) fn is_whole(&self, slice_ticks: u64) -> bool {
        let is_one = |stretch: &Stretch| stretch.origin <= stretch.from && stretch.from <= stretch.to;
        let follows = self.stretches.iter().zip(self.stretches.iter().skip(1)).all(|(one, next)| one.to == next.from);
        let is_whole = !self.stretches.is_empty() && follows && self.stretches.iter().all(is_one);
        is_whole && slice_ticks > 0 && self.slice_ticks == slice_ticks
    }
}

impl Saved for Cuts {
    fn save(&self, to: &mut Writer) {
        self.slice_ticks.save(to);
        self.stretches.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (slice_ticks, loaded) = (u64::load(from)?, Vec::<Stretch>::load(from)?);
        let mut stretches = VecDeque::with_capacity(room(loaded.len()));
        stretches.extend(loaded);
        Ok(Self { slice_ticks, stretches })
    }
}

impl Stretch {
    /// A calendar window, or all time on the UTC grid.
    fn of(window: Option<(u64, u64)>) -> Self {
        let (from, to) = window.unwrap_or((0, u64::MAX));
        Self { from, to, origin: from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Begins of all slices from the one that holds `from` on to `to`.
    fn begins(cuts: &Cuts, from: u64, to: u64) -> Vec<u64> {
        let first = cuts.slice_at(from);
        let slices = std::iter::successors(first, |slice| cuts.slice_at(slice.to));
        slices.map(|slice| slice.from).take_while(|from| *from < to).collect()
    }

    /// Windows of 100 ticks from 50 on.
    fn hundred(tick: u64) -> Option<(u64, u64)> {
        (tick >= 50).then(|| (tick - (tick - 50) % 100, tick - (tick - 50) % 100 + 100))
    }

    #[test]
    fn slices_lie_on_the_grid_or_begin_with_each_window() {
        let grid = Cuts::new(42, (1_000, 1_100), |_| None);
        assert_eq!(begins(&grid, 1_000, 1_100), [966, 1_008, 1_050, 1_092]);
        let mut cuts = Cuts::new(42, (140, 300), hundred);
        // Each window has two whole slices and one of 16.
        assert_eq!(begins(&cuts, 140, 350), [134, 150, 192, 234, 250, 292, 334]);
        assert_eq!((cuts.slice_at(49), cuts.slice_at(350)), (None, None));
        cuts.go_on((250, 350));
        cuts.go_on((350, 450));
        assert_eq!(begins(&cuts, 334, 450), [334, 350, 392, 434]);
        cuts.forget_before(260);
        assert_eq!((cuts.slice_at(249), cuts.slice_at(250)), (None, Some(Slice { from: 250, to: 292 })));
    }

    #[test]
    fn a_change_cuts_the_slice_in_which_the_next_ones_begin() {
        let mut cuts = Cuts::new(60, (0, 1_000), |_| None);
        cuts.change_to(None, 1_000);
        assert_eq!(begins(&cuts, 900, 1_200), [900, 960, 1_020, 1_080, 1_140]);
        // To a window that began at 985: its first slice from 1,000 on is at 1,045.
        cuts.change_to(Some((985, 1_115)), 1_000);
        assert_eq!(begins(&cuts, 900, 1_200), [900, 960, 1_020, 1_045, 1_105]);
        // Before that came there is another change, back to the grid.
        cuts.change_to(None, 1_010);
        assert_eq!(begins(&cuts, 900, 1_200), [900, 960, 1_020, 1_080, 1_140]);
        // A window that ends before any slice begins in it: the next window does.
        cuts.change_to(Some((985, 1_035)), 1_030);
        cuts.go_on((1_035, 1_100));
        assert_eq!(begins(&cuts, 900, 1_100), [900, 960, 1_020, 1_035, 1_095]);
        // The window is over and has cut a slice: the next one begins there, and is whole on the grid after that.
        cuts.change_to(None, 1_100);
        assert_eq!(begins(&cuts, 1_035, 1_300), [1_035, 1_095, 1_100, 1_140, 1_200, 1_260]);
    }
}
