//! The counts of one closed interval: written once, shared by all snapshots, a few bytes a busy series.
//!
//! A row is: step to the series' number, a mask of the counts that are not zero, and those counts, all as varints.
//! Every 64th row has a place in an index, so that one series is found without reading all.

use bailiwick_slo::outcome::OutcomeCounts;

use crate::aggregator::memory::layers::Merge;
use crate::aggregator::memory::varint;
use crate::aggregator::snapshot::{SeriesId, SlotCounts};

const INDEX_EVERY: usize = 64;

/// The table. Rows are in the order of series numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::aggregator) struct Table {
    bytes: Vec<u8>,
    /// Series before a row, and the row's offset.
    index: Vec<(SeriesId, u32)>,
    rows: usize,
}

impl SlotCounts {
    fn fields(&self) -> [u64; 6] {
        let [a, b, c, d, e] = self.outcomes.0;
        [a, b, c, d, e, self.spans]
    }

    fn from_fields([a, b, c, d, e, spans]: [u64; 6]) -> Self {
        Self { outcomes: OutcomeCounts([a, b, c, d, e]), spans }
    }

    pub(in crate::aggregator) fn add(&mut self, other: &Self) {
        self.outcomes += other.outcomes;
        self.spans += other.spans;
    }
}

impl Table {
    /// Writes rows that come in the order of series numbers.
    pub(in crate::aggregator) fn write(rows: impl IntoIterator<Item = (SeriesId, SlotCounts)>) -> Self {
        let mut table = Self::default();
        let mut previous = 0;
        for (series, counts) in rows {
            if table.rows.is_multiple_of(INDEX_EVERY) {
                table.index.push((previous, table.bytes.len() as u32));
            }
            table.rows += 1;
            varint::put(&mut table.bytes, u64::from(series - previous));
            previous = series;
            let fields = counts.fields();
            let mask = (0..6).filter(|field| fields[*field] != 0).map(|field| 1_u8 << field).sum();
            table.bytes.push(mask);
            fields.iter().filter(|count| **count != 0).for_each(|count| varint::put(&mut table.bytes, *count));
        }
        table.bytes.shrink_to_fit();
        table
    }

    /// All rows in order.
    pub(in crate::aggregator) fn rows(&self) -> Rows<'_> {
        Rows { rest: &self.bytes, series: 0 }
    }

    /// The row of one series.
    pub(in crate::aggregator) fn get(&self, series: SeriesId) -> Option<SlotCounts> {
        // The index holds the series *before* a row: the block to read is the last that begins below `series`, and
        // series 0 stands in the first.
        let block = self.index.partition_point(|(before, _)| *before < series).saturating_sub(1);
        let (before, offset) = *self.index.get(block)?;
        let rows = Rows { rest: &self.bytes[offset as usize..], series: before };
        rows.take_while(|(found, _)| *found <= series).find(|(found, _)| *found == series).map(|(_, counts)| counts)
    }
}

impl Merge for Table {
    fn weight(&self) -> usize {
        self.bytes.len()
    }

    fn merged(&self, other: &Self) -> Self {
        let (mut old, mut new) = (self.rows().peekable(), other.rows().peekable());
        Self::write(std::iter::from_fn(|| {
            let take_old = match (old.peek(), new.peek()) {
                (Some((o, _)), Some((n, _))) if o == n => {
                    let (series, mut counts) = old.next()?;
                    counts.add(&new.next()?.1);
                    return Some((series, counts));
                }
                (Some((o, _)), Some((n, _))) => o < n,
                (old, _) => old.is_some(),
            };
            if take_old { old.next() } else { new.next() }
        }))
    }
}

/// Rows in order.
#[derive(Debug)]
pub(in crate::aggregator) struct Rows<'t> {
    rest: &'t [u8],
    series: SeriesId,
}

impl Iterator for Rows<'_> {
    type Item = (SeriesId, SlotCounts);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        self.series += varint::take(&mut self.rest) as u32;
        let (mask, rest) = self.rest.split_first()?;
        self.rest = rest;
        let mut fields = [0; 6];
        for (field, count) in fields.iter_mut().enumerate() {
            if mask >> field & 1 == 1 {
                *count = varint::take(&mut self.rest);
            }
        }
        Some((self.series, SlotCounts::from_fields(fields)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(success: u64, failure: u64) -> SlotCounts {
        SlotCounts { outcomes: OutcomeCounts([success, failure, 0, 0, 0]), spans: success + failure }
    }

    #[test]
    fn every_series_is_found_and_no_other() {
        let rows: Vec<_> = (0..1_000_u32).map(|n| (n * 3, counts(u64::from(n), u64::from(n % 2)))).collect();
        let table = Table::write(rows.iter().copied());
        assert!(table.rows().eq(rows.iter().copied()));
        for (series, counts) in &rows {
            assert_eq!(table.get(*series), Some(*counts), "series {series}");
            assert_eq!(table.get(series + 1), None);
        }
        assert_eq!(Table::default().get(0), None);
    }

    #[test]
    fn counts_of_two_tables_meet_by_series() {
        let table = Table::write([(1, counts(1, 0)), (5, counts(5, 0))]);
        let sum = table.merged(&Table::write([(0, counts(7, 0)), (5, counts(1, 1)), (9, counts(9, 0))]));
        let expected = [(0, counts(7, 0)), (1, counts(1, 0)), (5, counts(6, 1)), (9, counts(9, 0))];
        assert!(sum.rows().eq(expected));
    }
}
