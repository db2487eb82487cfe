//! Durations of series since the daemon began: exact `le` counters, and the copies of them that snapshots share.

use bailiwick_slo::saved;

use crate::aggregator::memory::chunked::Chunked;
use crate::aggregator::memory::marks::Marks;
use crate::aggregator::snapshot::{SeriesDurations, SeriesId};

/// The durations.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Times {
    totals: Vec<SeriesDurations>,
    changed: Marks,
    shown: Chunked<SeriesDurations>,
}
saved!(struct Times { totals, changed, shown });

impl Times {
    /// Makes room for series up to this number.
    pub(in crate::aggregator) fn grow(&mut self, length: usize) {
        self.totals.resize(length, SeriesDurations::default());
        self.changed.grow(length);
    }

    /// Durations of a series, to be added to.
    #[inline]
    pub(in crate::aggregator) fn get_mut(&mut self, series: SeriesId) -> &mut SeriesDurations {
        self.changed.mark(series);
        &mut self.totals[series as usize]
    }

    /// All of them.
    pub(in crate::aggregator) fn publish(&mut self) -> Chunked<SeriesDurations> {
        let (totals, shown) = (&self.totals, &mut self.shown);
        shown.grow(totals.len());
        self.changed.take(|series| *shown.get_mut(series as usize) = totals[series as usize]);
        shown.clone()
    }
}
