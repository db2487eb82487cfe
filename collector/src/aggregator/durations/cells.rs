//! Sealed cells of one interval: written once, shared by all snapshots, three bytes or so a distinct value.
//!
//! A cell is: number of pairs, then step of the index and count of each, all as varints.

use bailiwick_slo::latency;
use bailiwick_slo::saved;
use hdrhistogram::Histogram;

use super::cell::Cell;
use crate::aggregator::memory::layers::Merge;
use crate::aggregator::memory::varint;
use crate::aggregator::snapshot::{CellKind, SeriesId};

/// Number of a cell: two for each series.
pub(super) type CellId = u32;

/// The cell of a series.
#[inline]
pub(super) const fn cell_id(series: SeriesId, kind: CellKind) -> CellId {
    series * 2 + kind as u32
}

/// The series of a cell.
pub(super) const fn series_of(cell: CellId) -> SeriesId {
    cell / 2
}

/// How finely durations are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Digits {
    /// Buckets at most 0.78 % wide.
    #[default]
    Two,
    /// Each the union of eight of those.
    One,
}
saved!(enum Digits { 0 => Two, 1 => One });

/// Cells in the order of their numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CellTable {
    /// Cell and where it ends in `bytes`.
    ends: Vec<(CellId, u32)>,
    bytes: Vec<u8>,
    digits: Digits,
}
saved!(struct CellTable { ends, bytes, digits });

impl CellTable {
    /// Writes cells that come in the order of their numbers.
    pub(super) fn write<'c>(cells: impl Iterator<Item = (CellId, &'c Cell)>) -> Self {
        let (mut table, mut counts) = (Self::default(), Vec::new());
        for (id, cell) in cells {
            cell.counts(&mut counts);
            table.put(id, counts.iter().map(|(index, count)| (*index, u64::from(*count))));
        }
        table.finished()
    }

    fn put(&mut self, id: CellId, pairs: impl Iterator<Item = (u16, u64)> + Clone) {
        varint::put(&mut self.bytes, pairs.clone().count() as u64);
        let mut previous = 0;
        for (index, count) in pairs {
            varint::put(&mut self.bytes, u64::from(index - previous));
            varint::put(&mut self.bytes, count);
            previous = index;
        }
        self.ends.push((id, self.bytes.len() as u32));
    }

    fn put_bytes(&mut self, id: CellId, cell: &[u8]) {
        self.bytes.extend_from_slice(cell);
        self.ends.push((id, self.bytes.len() as u32));
    }

    fn finished(mut self) -> Self {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
        self
    }

    fn cell(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].1);
        &self.bytes[start as usize..self.ends[at].1 as usize]
    }

    /// Cells and the bytes that each takes.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (CellId, usize)> {
        self.rows().map(|(id, cell)| (id, cell.len() + size_of::<(CellId, u32)>()))
    }

    fn rows(&self) -> impl Iterator<Item = (CellId, &[u8])> {
        self.ends.iter().enumerate().map(|(at, (id, _))| (*id, self.cell(at)))
    }

    /// Cells in it.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds a cell to a histogram, each count at the top of its bucket: a quantile is then never below the true one.
    pub(super) fn add_to(&self, histogram: &mut Histogram<u64>, id: CellId) {
        let Ok(at) = self.ends.binary_search_by_key(&id, |(id, _)| *id) else { return };
        for (index, count) in pairs(self.cell(at)) {
            let top = match self.digits {
                Digits::Two => latency::bucket(index).1,
                Digits::One => coarse_top(index),
            };
            let top = top.min(latency::MICROS_MAX);
            histogram.record_n(top, count).expect("no bucket's top is above the highest value");
        }
    }

    /// The same with one significant digit. Exact: a coarse bucket is a union of fine ones.
    pub(super) fn folded(&self) -> Self {
        if self.digits == Digits::One {
            return Self { ends: self.ends.clone(), bytes: self.bytes.clone(), digits: Digits::One };
        }
        let mut table = Self { digits: Digits::One, ..Self::default() };
        for (id, cell) in self.rows() {
            let mut folded: Vec<(u16, u64)> = Vec::new();
            for (index, count) in pairs(cell) {
                let index = coarse_index(latency::bucket(index).0);
                match folded.last_mut() {
                    Some((last, sum)) if *last == index => *sum += count,
                    _ => folded.push((index, count)),
                }
            }
            table.put(id, folded.into_iter());
        }
        table.finished()
    }

    /// Whether it tells durations with one digit only.
    pub(super) fn is_folded(&self) -> bool {
        self.digits == Digits::One
    }

    /// The same without the cells of some series.
    pub(super) fn without(&self, is_gone: impl Fn(SeriesId) -> bool) -> Self {
        let mut table = Self { digits: self.digits, ..Self::default() };
        self.rows().filter(|(id, _)| !is_gone(series_of(*id))).for_each(|(id, cell)| table.put_bytes(id, cell));
        table.finished()
    }

    /// Bytes that it holds, itself included.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.bytes.len() + self.ends.len() * size_of::<(CellId, u32)>()
    }
}

impl Merge for CellTable {
    fn weight(&self) -> usize {
        self.bytes.len()
    }

    fn merged(&self, other: &Self) -> Self {
        if self.digits != other.digits {
            return self.folded().merged(&other.folded());
        }
        let mut table = Self { digits: self.digits, ..Self::default() };
        let (mut mine, mut theirs) = (self.rows().peekable(), other.rows().peekable());
        while let Some(id) = [mine.peek(), theirs.peek()].into_iter().flatten().map(|(id, _)| *id).min() {
            match (mine.next_if(|(next, _)| *next == id), theirs.next_if(|(next, _)| *next == id)) {
                (Some((_, one)), Some((_, two))) => table.put(id, sum(one, two).into_iter()),
                (one, two) => one.or(two).into_iter().for_each(|(id, cell)| table.put_bytes(id, cell)),
            }
        }
        table.finished()
    }
}

/// Reads a cell.
fn pairs(mut cell: &[u8]) -> impl Iterator<Item = (u16, u64)> {
    let pairs = varint::take(&mut cell);
    let mut index = 0_u16;
    (0..pairs).map(move |_| {
        index += varint::take(&mut cell) as u16;
        (index, varint::take(&mut cell))
    })
}

fn sum(one: &[u8], two: &[u8]) -> Vec<(u16, u64)> {
    let (mut one, mut two) = (pairs(one).peekable(), pairs(two).peekable());
    let mut sum = Vec::new();
    while let Some(index) = [one.peek(), two.peek()].into_iter().flatten().map(|(index, _)| *index).min() {
        let counts = [one.next_if(|(next, _)| *next == index), two.next_if(|(next, _)| *next == index)];
        sum.push((index, counts.into_iter().flatten().map(|(_, count)| count).sum()));
    }
    sum
}

/// The one-digit index of a value in microseconds (`sli.md` 4.1): `v` below 32, else `16 e + (v >> e)` with
/// `e = floor(log2 v) - 4`.
const fn coarse_index(micros: u64) -> u16 {
    if micros < 32 {
        return micros as u16;
    }
    let e = 63 - micros.leading_zeros() as u64 - 4;
    (16 * e + (micros >> e)) as u16
}

/// The highest value in microseconds of a one-digit bucket.
const fn coarse_top(index: u16) -> u64 {
    let index = index as u64;
    if index < 32 {
        return index;
    }
    let e = index / 16 - 1;
    let low = (index - 16 * e) << e;
    low + (1 << e) - 1
}

/// An empty histogram of the layout: 1 us to 1 h, two significant digits.
#[must_use]
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, latency::MICROS_MAX, 2).expect("the bounds are those of HdrHistogram's own examples")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table_of(cells: &[(CellId, Vec<u64>)]) -> CellTable {
        let cells: Vec<_> = cells
            .iter()
            .map(|(id, values)| {
                let mut cell = Cell::default();
                for value in values {
                    cell.add(latency::index_of(*value), 1).expect("few values");
                }
                (*id, cell)
            })
            .collect();
        CellTable::write(cells.iter().map(|(id, cell)| (*id, cell)))
    }

    fn read(table: &CellTable, id: CellId) -> Histogram<u64> {
        let mut histogram = histogram();
        table.add_to(&mut histogram, id);
        histogram
    }

    fn native(values: &[u64]) -> Histogram<u64> {
        let mut native = histogram();
        values.iter().for_each(|value| native.record(*value).expect("in range"));
        native
    }

    /// Buckets by their highest value, which is what quantiles are made of.
    fn buckets(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
        let recorded = histogram.iter_recorded();
        recorded.map(|step| (step.value_iterated_to(), step.count_since_last_iteration())).collect()
    }

    fn durations() -> impl Strategy<Value = Vec<u64>> {
        let value = prop_oneof![0_u64..300, 1_000_u64..20_000, 0_u64..=latency::MICROS_MAX];
        prop::collection::vec(value, 0..200)
    }

    proptest! {
        #[test]
        fn merged_cells_are_the_histogram_that_was_recorded_natively(one in durations(), two in durations()) {
            let merged = table_of(&[(3, one.clone()), (4, two.clone())]).merged(&table_of(&[(0, vec![7]), (3, two.clone())]));
            let both: Vec<u64> = one.iter().chain(&two).copied().collect();
            for (id, values) in [(0, &vec![7]), (3, &both), (4, &two)] {
                prop_assert_eq!(buckets(&read(&merged, id)), buckets(&native(values)));
                for quantile in [0.0, 0.5, 0.9, 0.99, 1.0] {
                    let (ours, theirs) = (read(&merged, id), native(values));
                    prop_assert_eq!(ours.value_at_quantile(quantile), theirs.value_at_quantile(quantile));
                }
            }
        }

        #[test]
        fn folding_keeps_the_count_and_moves_no_value_down_or_far(values in durations()) {
            let folded = read(&table_of(&[(0, values.clone())]).folded(), 0);
            prop_assert_eq!(folded.len(), values.len() as u64);
            for quantile in [0.0, 0.5, 0.9, 1.0] {
                let (coarse, fine) = (folded.value_at_quantile(quantile), native(&values).value_at_quantile(quantile));
                // A bucket of one digit is at most 1/16 wide, and a bucket's top stands for it.
                prop_assert!(fine <= coarse && coarse <= fine + fine / 15 + 1, "{coarse} for {fine}");
            }
        }
    }

    #[test]
    fn one_digit_buckets_are_those_of_the_specification() {
        let folded = |index: u16| coarse_index(latency::bucket(index).0);
        assert_eq!((folded(506), folded(1_524), folded(3_286)), (111, 238, 458));
        for index in 0..latency::INDEX_COUNT as u16 {
            let (low, high) = latency::bucket(index);
            assert_eq!(coarse_index(low), coarse_index(high), "a bucket lies in one coarse bucket");
            assert!(coarse_top(coarse_index(low)) >= high);
        }
        assert_eq!(folded(latency::INDEX_COUNT as u16 - 1), 463);
    }

    #[test]
    fn cells_of_some_series_can_be_taken_out() {
        let table = table_of(&[(0, vec![1]), (1, vec![2]), (2, vec![3]), (7, vec![4])]);
        let rest = table.without(|series| series == 0);
        assert_eq!((rest.len(), read(&rest, 1).len(), read(&rest, 2).len(), read(&rest, 7).len()), (2, 0, 1, 1));
        assert_eq!(rest, table_of(&[(2, vec![3]), (7, vec![4])]));
        assert!(rest.memory_bytes() < table.memory_bytes());
    }

    #[test]
    fn late_cells_meet_folded_ones() {
        let folded = table_of(&[(0, vec![1_000, 1_010])]).folded();
        let sum = folded.merged(&table_of(&[(0, vec![1_000]), (2, vec![42_000])]));
        assert!(sum.is_folded());
        assert_eq!((read(&sum, 0).len(), read(&sum, 2).len()), (3, 1));
        // 42 000 us: e = 11, bucket from 40 960 of width 2 048.
        assert_eq!(read(&sum, 2).value_at_quantile(0.5), native(&[43_007]).value_at_quantile(0.5));
    }
}
