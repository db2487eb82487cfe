//! The durations of one series since cells were last sealed, in HdrHistogram's two-digit layout and a fraction of its
//! memory.
//!
//! Few distinct values stand in a short list of 32-bit words (12 bits index, 20 bits count); then a window of `u32`
//! counts over the touched range takes over. About 80 bytes at 10 samples, below 2 KiB within a decade of latency.

use bailiwick_slo::latency::INDEX_COUNT;
use bailiwick_slo::saved::{Saved, load_roomy, save_roomy};
use bailiwick_slo::wire::{Read, Reader, Writer};

/// Words that a cell ever has room for: those of the whole layout, doubled by growth.
const WORDS_MAX: usize = 8_192;

/// Longest list; `sli.md` 4.1.
const LIST_MAX: usize = 24;
const LIST_STEP: usize = 4;
/// Indexes that a window grows by at an edge. 425 indexes of a decade and twice this stay below 2 KiB.
const WINDOW_STEP: usize = 32;
const COUNT_BITS: u32 = 20;
const COUNT_MAX: u32 = (1 << COUNT_BITS) - 1;

/// An open cell.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    /// A list of `index << 20 | count`, or counts from `first` on.
    words: Vec<u32>,
    first: u16,
    is_window: bool,
}

impl Saved for Cell {
    fn save(&self, to: &mut Writer) {
        // What there is room for decides when cells are shed: it must be the same after a restart.
        save_roomy(&self.words, to);
        self.first.save(to);
        self.is_window.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        Ok(Self { words: load_roomy(WORDS_MAX, from)?, first: Saved::load(from)?, is_window: Saved::load(from)? })
    }
}

impl Cell {
    /// Whether nothing was counted.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Reads it, so that it is in the cache by the time that it is changed.
    #[inline]
    pub(super) fn touch(&self) -> u32 {
        self.words.first().copied().unwrap_or_default()
    }

    /// Counts `n` values of an index. Says by how many bytes that changed the cell's memory; `None`, and nothing is
    /// counted, when the 32 bits of a count are full.
    #[inline]
    pub(super) fn add(&mut self, index: u16, n: u32) -> Option<isize> {
        if self.is_window {
            let place = usize::from(index).checked_sub(usize::from(self.first));
            if let Some(count) = place.and_then(|at| self.words.get_mut(at)) {
                *count = count.checked_add(n)?;
                return Some(0);
            }
        } else if let Some(word) = self.words.iter_mut().find(|word| **word >> COUNT_BITS == u32::from(index))
            && n <= COUNT_MAX - (*word & COUNT_MAX)
        {
            *word += n;
            return Some(0);
        }
        self.add_slowly(index, n)
    }

    #[inline(never)]
    fn add_slowly(&mut self, index: u16, n: u32) -> Option<isize> {
        let before = self.words.capacity();
        let held = self.words.iter().find(|word| !self.is_window && **word >> COUNT_BITS == u32::from(index));
        let count = held.map_or(0, |word| word & COUNT_MAX).checked_add(n)?;
        if !self.is_window && held.is_none() && self.words.len() < LIST_MAX && n <= COUNT_MAX {
            if self.words.len() == self.words.capacity() {
                self.words.reserve_exact(LIST_STEP);
            }
            self.words.push(u32::from(index) << COUNT_BITS | n);
        } else {
            if !self.is_window {
                self.become_window();
            }
            let at = self.reach(usize::from(index));
            self.words[at] = count;
        }
        Some(self.words.capacity() as isize - before as isize).map(|words| words * size_of::<u32>() as isize)
    }

    /// Bytes that it holds elsewhere.
    pub(super) fn words_bytes(&self) -> usize {
        self.words.capacity() * size_of::<u32>()
    }

    /// Forgets all counts. The room of a list is kept for what comes, that of a window is not. Says by how many bytes
    /// that changed the cell's memory.
    pub(super) fn clear(&mut self) -> isize {
        let before = self.words.capacity();
        self.words.clear();
        if std::mem::take(&mut self.is_window) {
            self.words = Vec::new();
        }
        (self.words.capacity() as isize - before as isize) * size_of::<u32>() as isize
    }

    fn become_window(&mut self) {
        let list = std::mem::take(&mut self.words);
        self.is_window = true;
        self.first = list.iter().map(|word| word >> COUNT_BITS).min().unwrap_or(0) as u16;
        for word in list {
            let at = self.reach((word >> COUNT_BITS) as usize);
            self.words[at] += word & COUNT_MAX;
        }
    }

    /// The place of an index in the window, which grows to hold it.
    fn reach(&mut self, index: usize) -> usize {
        let first = usize::from(self.first);
        if self.words.is_empty() {
            self.first = index as u16;
            self.words = vec![0; 1];
            return 0;
        }
        if index < first {
            let new_first = index.saturating_sub(WINDOW_STEP);
            let mut grown = vec![0; first - new_first];
            grown.reserve_exact(self.words.len());
            grown.append(&mut self.words);
            self.words = grown;
            self.first = new_first as u16;
        } else if index >= first + self.words.len() {
            let end = (index + 1 + WINDOW_STEP).min(INDEX_COUNT);
            self.words.reserve_exact(end - first - self.words.len());
            self.words.resize(end - first, 0);
        }
        index - usize::from(self.first)
    }

    /// Writes its counts by index, in order, over what `out` held.
    pub(super) fn counts(&self, out: &mut Vec<(u16, u32)>) {
        out.clear();
        if self.is_window {
            let counts = self.words.iter().enumerate().filter(|(_, count)| **count > 0);
            out.extend(counts.map(|(at, count)| (self.first + at as u16, *count)));
        } else {
            out.extend(self.words.iter().map(|word| ((word >> COUNT_BITS) as u16, word & COUNT_MAX)));
            out.sort_unstable();
        }
    }

    /// Bytes that it holds, itself included.
    #[cfg(test)]
    fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.words.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_slo::latency;
    use proptest::prelude::*;

    use super::*;

    fn counts_of(cell: &Cell) -> Vec<(u16, u32)> {
        let mut counts = vec![(9, 9)];
        cell.counts(&mut counts);
        counts
    }

    fn cell_of(values: &[u64]) -> Cell {
        let mut cell = Cell::default();
        let mut bytes = size_of::<Cell>();
        for value in values {
            bytes = bytes.saturating_add_signed(cell.add(latency::index_of(*value), 1).expect("few values"));
        }
        assert_eq!(bytes, cell.memory_bytes(), "it says by how much it grew");
        cell
    }

    proptest! {
        #[test]
        fn a_cell_counts_every_index(
            added in prop::collection::vec(
                (prop_oneof![0_u16..300, 500_u16..900, 0_u16..INDEX_COUNT as u16], prop_oneof![1_u32..3, 1_u32..=COUNT_MAX]),
                0..400,
            )
        ) {
            let mut expected = std::collections::BTreeMap::new();
            let mut cell = Cell::default();
            for (index, n) in added {
                prop_assert!(cell.add(index, n).is_some());
                *expected.entry(index).or_insert(0) += n;
            }
            prop_assert_eq!(counts_of(&cell), expected.into_iter().collect::<Vec<_>>());
            cell.clear();
            prop_assert!(cell.is_empty() && counts_of(&cell).is_empty());
        }
    }

    #[test]
    fn memory_stays_within_its_goals() {
        let ten: Vec<u64> = (0..10).map(|n| 10_000 + n * 700).collect();
        assert!(cell_of(&ten).memory_bytes() <= 96, "{}", cell_of(&ten).memory_bytes());
        // Every value of a decade, from the middle outwards so that both edges grow.
        let decade: Vec<u64> = (0..45_000).flat_map(|n| [55_000 + n, 55_000 - n]).collect();
        assert!(cell_of(&decade).memory_bytes() <= 2_048, "{}", cell_of(&decade).memory_bytes());
    }

    #[test]
    fn a_count_beyond_a_words_bits_is_kept_and_beyond_32_bits_refused() {
        let mut cell = Cell::default();
        assert!(cell.add(7, COUNT_MAX).is_some() && cell.add(7, 1).is_some() && cell.add(3_000, 5).is_some());
        assert_eq!(counts_of(&cell), [(7, COUNT_MAX + 1), (3_000, 5)]);
        assert_eq!(cell.add(7, u32::MAX - COUNT_MAX), None);
        assert_eq!(counts_of(&cell), [(7, COUNT_MAX + 1), (3_000, 5)]);
        assert_eq!(cell.add(7, u32::MAX - COUNT_MAX - 1), Some(0));
    }

    #[test]
    fn a_cleared_list_keeps_its_room() {
        let mut cell = cell_of(&[1, 2, 3]);
        let before = cell.memory_bytes();
        assert_eq!((cell.clear(), cell.memory_bytes()), (0, before));
        assert_eq!(cell.add(9, 1), Some(0));
    }
}
