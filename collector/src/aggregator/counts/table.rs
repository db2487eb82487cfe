//! The counts of one closed interval: written once, shared by all snapshots, a few bytes a busy series.
//!
//! A row is: step to the number (of a series, a module, an edge), a mask of the counts that are not zero, and those counts, all as varints.
//! Every 64th row has a place in an index, so that one is found without reading all.

use bailiwick_slo::outcome::OutcomeCounts;
use bailiwick_slo::saved;

use crate::aggregator::memory::layers::Merge;
use crate::aggregator::memory::varint;
use crate::aggregator::snapshot::SlotCounts;

const INDEX_EVERY: usize = 64;

/// Counts of one row. Withdrawals are stored as two's complement: only sums with what they withdraw are counts.
pub(in crate::aggregator) type Fields<const N: usize> = [u64; N];

/// Adds counts to others.
#[inline]
pub(in crate::aggregator) fn add<const N: usize>(sum: &mut Fields<N>, other: &Fields<N>) {
    sum.iter_mut().zip(other).for_each(|(sum, other)| *sum = sum.wrapping_add(*other));
}

/// The table: `N` counts for each number that it holds, in the order of numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::aggregator) struct Table<const N: usize> {
    bytes: Vec<u8>,
    /// Number before a row, and the row's offset.
    index: Vec<(u32, u32)>,
    rows: usize,
}
saved!(struct [const N: usize] Table<N> { bytes, index, rows });

impl SlotCounts {
    pub(in crate::aggregator) fn fields(&self) -> Fields<6> {
        let [a, b, c, d, e] = self.outcomes.0;
        [a, b, c, d, e, self.spans]
    }

    pub(in crate::aggregator) fn from_fields([a, b, c, d, e, spans]: Fields<6>) -> Self {
        Self { outcomes: OutcomeCounts([a, b, c, d, e]), spans }
    }
}

impl<const N: usize> Table<N> {
    /// Writes rows that come in the order of series numbers.
    pub(in crate::aggregator) fn write(rows: impl IntoIterator<Item = (u32, Fields<N>)>) -> Self {
        let mut table = Self::default();
        let mut previous = 0;
        for (number, fields) in rows {
            if table.rows.is_multiple_of(INDEX_EVERY) {
                table.index.push((previous, table.bytes.len() as u32));
            }
            table.rows += 1;
            varint::put(&mut table.bytes, u64::from(number - previous));
            previous = number;
            let mask = (0..N).filter(|field| fields[*field] != 0).map(|field| 1_u64 << field).sum();
            varint::put(&mut table.bytes, mask);
            fields.iter().filter(|count| **count != 0).for_each(|count| varint::put(&mut table.bytes, *count));
        }
        table.bytes.shrink_to_fit();
        table
    }

    /// All rows in order.
    pub(in crate::aggregator) fn rows(&self) -> Rows<'_, N> {
        Rows { rest: &self.bytes, number: 0 }
    }

    /// The row of one series.
    pub(in crate::aggregator) fn get(&self, number: u32) -> Option<Fields<N>> {
        // The index holds the number *before* a row: the block to read is the last that begins below `number`, and
        // number 0 stands in the first.
        let block = self.index.partition_point(|(before, _)| *before < number).saturating_sub(1);
        let (before, offset) = *self.index.get(block)?;
        let rows = Rows { rest: &self.bytes[offset as usize..], number: before };
        rows.take_while(|(found, _)| *found <= number).find(|(found, _)| *found == number).map(|(_, counts)| counts)
    }
}

impl<const N: usize> Merge for Table<N> {
    fn weight(&self) -> usize {
        self.bytes.len()
    }

    fn merged(&self, other: &Self) -> Self {
        let (mut old, mut new) = (self.rows().peekable(), other.rows().peekable());
        Self::write(std::iter::from_fn(|| {
            let take_old = match (old.peek(), new.peek()) {
                (Some((o, _)), Some((n, _))) if o == n => {
                    let (number, mut fields) = old.next()?;
                    add(&mut fields, &new.next()?.1);
                    return Some((number, fields));
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
pub(in crate::aggregator) struct Rows<'t, const N: usize> {
    rest: &'t [u8],
    number: u32,
}

impl<const N: usize> Iterator for Rows<'_, N> {
    type Item = (u32, Fields<N>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += varint::take(&mut self.rest) as u32;
        let mask = varint::take(&mut self.rest);
        let mut fields = [0; N];
        for (field, count) in fields.iter_mut().enumerate() {
            if mask >> field & 1 == 1 {
                *count = varint::take(&mut self.rest);
            }
        }
        Some((self.number, fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(success: u64, failure: u64) -> Fields<6> {
        SlotCounts { outcomes: OutcomeCounts([success, failure, 0, 0, 0]), spans: success + failure }.fields()
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
        assert_eq!(Table::<6>::default().get(0), None);
    }

    #[test]
    fn counts_of_two_tables_meet_by_series() {
        let table = Table::write([(1, counts(1, 0)), (5, counts(5, 0))]);
        let sum = table.merged(&Table::write([(0, counts(7, 0)), (5, counts(1, 1)), (9, counts(9, 0))]));
        let expected = [(0, counts(7, 0)), (1, counts(1, 0)), (5, counts(6, 1)), (9, counts(9, 0))];
        assert!(sum.rows().eq(expected));
    }

    #[test]
    fn what_was_withdrawn_is_gone_when_tables_meet() {
        let table = Table::write([(3, [5_u64, 0]), (9, [1, 1])]);
        let less = table.merged(&Table::write([(3, [2_u64.wrapping_neg(), 0]), (9, [1_u64.wrapping_neg(), 0])]));
        assert_eq!(less.rows().collect::<Vec<_>>(), [(3, [3, 0]), (9, [0, 1])]);
    }

    #[test]
    fn many_fields_have_room_in_the_mask() {
        let mut fields = [0; 40];
        (fields[0], fields[39]) = (1, u64::MAX);
        assert_eq!(Table::write([(7, fields)]).get(7), Some(fields));
    }
}
