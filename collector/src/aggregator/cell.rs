//! The durations of one series over a few minutes, in HdrHistogram's two-digit layout and a fraction of its memory.
//!
//! Few distinct values stand in a short list of 32-bit words (12 bits index, 20 bits count); then a window of `u32`
//! counts over the touched range takes over. About 80 bytes at 10 samples, below 2 KiB within a decade of latency.

use bailiwick_slo::latency::{self, INDEX_COUNT};
use hdrhistogram::Histogram;

use super::varint;

/// Longest list; `sli.md` 4.1.
const LIST_MAX: usize = 24;
const LIST_STEP: usize = 4;
/// Indexes that a window grows by at an edge. 425 indexes of a decade and twice this stay below 2 KiB.
const WINDOW_STEP: usize = 32;
const COUNT_BITS: u32 = 20;
const COUNT_MAX: u32 = (1 << COUNT_BITS) - 1;

/// An open cell.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// A list of `index << 20 | count`, or counts from `first` on.
    words: Vec<u32>,
    first: u16,
    is_window: bool,
}

impl Cell {
    /// Whether nothing was counted.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Counts one value by its index.
    #[inline]
    pub fn record(&mut self, index: u16) {
        if self.is_window {
            if let Some(count) =
                usize::from(index).checked_sub(usize::from(self.first)).and_then(|at| self.words.get_mut(at))
            {
                // 2^32 of one value in five minutes would be 14 million a second.
                *count = count.saturating_add(1);
                return;
            }
        } else if let Some(word) = self.words.iter_mut().find(|word| **word >> COUNT_BITS == u32::from(index))
            && *word & COUNT_MAX < COUNT_MAX
        {
            *word += 1;
            return;
        }
        self.add(index, 1);
    }

    /// Counts `n` values of an index.
    #[inline(never)]
    pub fn add(&mut self, index: u16, n: u32) {
        if !self.is_window {
            match self.words.iter().position(|word| word >> COUNT_BITS == u32::from(index)) {
                Some(at) if u64::from(self.words[at] & COUNT_MAX) + u64::from(n) <= u64::from(COUNT_MAX) => {
                    self.words[at] += n;
                    return;
                }
                None if self.words.len() < LIST_MAX && n <= COUNT_MAX => {
                    if self.words.len() == self.words.capacity() {
                        self.words.reserve_exact(LIST_STEP);
                    }
                    self.words.push(u32::from(index) << COUNT_BITS | n);
                    return;
                }
                _ => self.become_window(),
            }
        }
        let at = self.reach(usize::from(index));
        self.words[at] = self.words[at].saturating_add(n);
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

    /// Counts by index, in order.
    #[must_use]
    pub fn counts(&self) -> Vec<(u16, u32)> {
        if self.is_window {
            let counts = self.words.iter().enumerate().filter(|(_, count)| **count > 0);
            return counts.map(|(at, count)| (self.first + at as u16, *count)).collect();
        }
        let mut list: Vec<_> = self.words.iter().map(|word| ((word >> COUNT_BITS) as u16, word & COUNT_MAX)).collect();
        list.sort_unstable();
        list
    }

    /// Bytes that it holds, itself included.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.words.capacity() * size_of::<u32>()
    }

    /// Appends its closed form: number of pairs, then step and count of each.
    pub(super) fn close_into(&self, out: &mut Vec<u8>) {
        close(&self.counts(), out);
    }
}

/// Writes counts in the order of their indexes.
pub(super) fn close(counts: &[(u16, u32)], out: &mut Vec<u8>) {
    varint::put(out, counts.len() as u64);
    let mut previous = 0;
    for (index, count) in counts {
        varint::put(out, u64::from(index - previous));
        varint::put(out, u64::from(*count));
        previous = *index;
    }
}

/// Reads what [`close`] wrote.
pub(super) fn opened(mut bytes: &[u8]) -> impl Iterator<Item = (u16, u32)> {
    let pairs = varint::take(&mut bytes);
    let mut index = 0_u16;
    (0..pairs).map(move |_| {
        index += varint::take(&mut bytes) as u16;
        (index, varint::take(&mut bytes) as u32)
    })
}

/// An empty histogram of the layout: 1 us to 1 h, two significant digits.
#[must_use]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, latency::MICROS_MAX, 2).expect("the bounds are those of HdrHistogram's own examples")
}

/// Adds counts to a histogram, each at the top of its bucket: a quantile is then never below the true one.
pub(super) fn merge(histogram: &mut Histogram<u64>, counts: impl Iterator<Item = (u16, u32)>) {
    for (index, count) in counts {
        let top = latency::bucket(index).1.min(latency::MICROS_MAX);
        histogram.record_n(top, u64::from(count)).expect("no bucket's top is above the highest value");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell_of(values: &[u64]) -> Cell {
        let mut cell = Cell::default();
        values.iter().for_each(|value| cell.record(latency::index_of(*value)));
        cell
    }

    proptest! {
        #[test]
        fn a_cell_becomes_the_histogram_that_was_recorded_natively(
            values in prop::collection::vec(prop_oneof![0_u64..300, 1_000_u64..20_000, 0_u64..=latency::MICROS_MAX], 0..400)
        ) {
            let mut native = histogram();
            values.iter().for_each(|value| native.record(*value).expect("in range"));
            let cell = cell_of(&values);
            let mut merged = histogram();
            merge(&mut merged, cell.counts().into_iter());
            let mut bytes = Vec::new();
            cell.close_into(&mut bytes);
            prop_assert_eq!(opened(&bytes).collect::<Vec<_>>(), cell.counts());
            prop_assert_eq!(merged.len(), native.len());
            for quantile in [0.0, 0.5, 0.9, 0.99, 1.0] {
                prop_assert_eq!(merged.value_at_quantile(quantile), native.value_at_quantile(quantile));
            }
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
    fn a_count_beyond_a_words_bits_is_kept() {
        let mut cell = Cell::default();
        cell.add(7, COUNT_MAX);
        cell.record(7);
        cell.add(3_000, 5);
        assert_eq!(cell.counts(), [(7, COUNT_MAX + 1), (3_000, 5)]);
    }
}
