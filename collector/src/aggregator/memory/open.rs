//! The open intervals: a few at a time, whatever clients stamp their spans with. When one more is wanted than may be
//! open, the one farthest from the present is taken out first; its owner puts what it holds into a table.

use bailiwick_slo::saved::{Kept, Saved};
use bailiwick_slo::wire::{Read, Reader, Writer};

/// Open intervals by number, the one used last found at once.
#[derive(Debug)]
pub(in crate::aggregator) struct Open<V> {
    intervals: Vec<(u32, V)>,
    last: usize,
    max: usize,
}

impl<V: Saved> Kept for Open<V> {
    fn save(&self, to: &mut Writer) {
        self.intervals.save(to);
        self.last.save(to);
    }

    fn restore(&mut self, from: &mut Reader<'_>) -> Read<()> {
        self.intervals = Saved::load(from)?;
        self.last = Saved::load(from)?;
        Ok(())
    }
}

impl<V: Default> Open<V> {
    /// None open; never more than `max`.
    pub(in crate::aggregator) fn new(max: usize) -> Self {
        Self { intervals: Vec::new(), last: 0, max }
    }

    /// The interval used last, if it is this one.
    #[inline]
    pub(in crate::aggregator) fn peek(&self, number: u32) -> Option<&V> {
        self.intervals.get(self.last).filter(|(open, _)| *open == number).map(|(_, value)| value)
    }

    /// An open interval.
    #[inline]
    pub(in crate::aggregator) fn get_mut(&mut self, number: u32) -> Option<&mut V> {
        if self.intervals.get(self.last).is_none_or(|(open, _)| *open != number) {
            self.last = self.intervals.iter().position(|(open, _)| *open == number)?;
        }
        self.intervals.get_mut(self.last).map(|(_, value)| value)
    }

    /// Opens an interval that is not open. What had to be taken out for it is the one farthest from `present`, of two
    /// equally far the later.
    pub(in crate::aggregator) fn open(&mut self, number: u32, present: u32) -> Option<(u32, V)> {
        let mut taken = None;
        if self.intervals.len() >= self.max {
            let far = |(at, (open, _)): &(usize, &(u32, V))| (open.abs_diff(present), *open, *at);
            let farthest = self.intervals.iter().enumerate().max_by_key(far).map(|(at, _)| at);
            taken = farthest.map(|at| self.intervals.swap_remove(at));
        }
        self.intervals.push((number, V::default()));
        taken
    }

    /// Takes out all intervals before this one, the oldest first.
    pub(in crate::aggregator) fn take_before(&mut self, first: u32) -> Vec<(u32, V)> {
        let mut taken: Vec<_> = self.intervals.extract_if(.., |(number, _)| *number < first).collect();
        taken.sort_unstable_by_key(|(number, _)| *number);
        taken
    }

    /// Puts an interval back that was taken out.
    pub(in crate::aggregator) fn put(&mut self, number: u32, value: V) {
        self.intervals.push((number, value));
    }

    /// Takes out one interval.
    pub(in crate::aggregator) fn take(&mut self, number: u32) -> Option<V> {
        let at = self.intervals.iter().position(|(open, _)| *open == number)?;
        Some(self.intervals.swap_remove(at).1)
    }

    /// All open ones.
    pub(in crate::aggregator) fn iter(&self) -> impl Iterator<Item = (u32, &V)> {
        self.intervals.iter().map(|(number, value)| (*number, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farthest_interval_makes_room() {
        let mut open: Open<u64> = Open::new(3);
        for number in [100, 101, 160] {
            assert_eq!(open.open(number, 100), None);
            *open.get_mut(number).expect("open") += u64::from(number);
        }
        assert_eq!(open.open(99, 100), Some((160, 160)));
        assert_eq!(open.open(40, 100), Some((101, 101)), "of 99 and 101 the later");
        assert_eq!(open.get_mut(101), None);
        assert_eq!(open.take_before(100), [(40, 0), (99, 0)]);
        assert_eq!((open.take(100), open.take(100), open.iter().count()), (Some(100), None, 0));
        open.put(100, 1);
        assert_eq!(open.get_mut(100), Some(&mut 1));
    }
}
