//! What snapshots say about the spans behind counts: any stretch of slots, what weights are above one, messages of
//! batches, durations since the daemon began, and spans that can be looked up.

use std::collections::BTreeMap;

use bailiwick_slo::latency;
use bailiwick_slo::time::{SECOND_NS, Slot, Window};

use super::{ModuleId, SeriesId, SlotCounts, Snapshot};
use bailiwick_slo::saved;

/// How long a slowest request stands: the running five minutes (`sli.md` 1.8).
const SLOWEST_NS: u64 = 300 * SECOND_NS;

/// Durations since the daemon began, adjusted for sampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DurationTotals {
    /// By the first of `latency::LE_BOUNDS_NS` that holds them, `+Inf` last. Not cumulative.
    pub le: [u64; 15],
    /// Their sum in nanoseconds.
    pub sum_ns: u128,
}
saved!(struct DurationTotals { le, sum_ns });

impl DurationTotals {
    /// Counts requests that took this long each.
    #[inline]
    pub(in crate::aggregator) fn add(&mut self, duration_ns: u64, requests: u32) {
        self.le[latency::le_index(duration_ns)] += u64::from(requests);
        self.sum_ns += u128::from(duration_ns) * u128::from(requests);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.le == [0; 15]
    }
}

/// Durations of a series by how a span's status reads: those of failures, and all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeriesDurations {
    /// Requests of every other outcome.
    pub others: DurationTotals,
    /// Failures.
    pub failures: DurationTotals,
}
saved!(struct SeriesDurations { others, failures });

/// A span that stands for others like it and can be looked up. Never one that is known not to be sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exemplar {
    /// Its trace.
    pub trace_id: [u8; 16],
    /// Its id.
    pub span_id: [u8; 8],
    /// How long it took; `None` where it ended before it began.
    pub duration_ns: Option<u64>,
    /// When it ended, nanoseconds since the Unix epoch.
    pub end_ns: u64,
}

saved!(struct Exemplar { trace_id, span_id, duration_ns, end_ns });

impl Exemplar {
    /// The five minutes that it ended in.
    pub(in crate::aggregator) const fn five_minutes(&self) -> u64 {
        self.end_ns / SLOWEST_NS
    }
}

/// Exemplars of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeriesExemplars {
    /// The latest by outcome.
    pub latest: [Option<Exemplar>; 5],
    /// The slowest of the five minutes that saw the latest request; excluded requests are none.
    pub slowest: Option<Exemplar>,
}
saved!(struct SeriesExemplars { latest, slowest });

impl Snapshot {
    /// Counts of every series, by [`SeriesId`], over the closed slots `from..to` of the last 65 minutes (of older ones
    /// whole hours).
    #[must_use]
    pub fn counts(&self, from: Slot, to: Slot) -> Vec<SlotCounts> {
        let mut counts = self.closed.sum(from, to);
        counts.resize(self.directory.len(), SlotCounts::default());
        counts
    }

    /// What weights of entry spans, and their squares, are above one, in units of 2^-16, over the window; of those series
    /// that have sampled spans.
    #[must_use]
    pub fn extra_weights(&self, window: Window) -> BTreeMap<SeriesId, [u64; 2]> {
        self.traced.extra_weights.window(window)
    }

    /// Messages of batches that were processed over the window, of those series that have any.
    #[must_use]
    pub fn messages(&self, window: Window) -> BTreeMap<SeriesId, u64> {
        let sums = self.traced.message_slots.window(window);
        sums.into_iter().map(|(series, [messages])| (series, messages)).collect()
    }

    /// Messages of batches since the daemon began, by series.
    #[must_use]
    pub fn message_totals(&self) -> &BTreeMap<SeriesId, u64> {
        &self.traced.messages
    }

    /// Durations of a series since the daemon began; those of requests that ended before they began are left out.
    #[must_use]
    pub fn series_durations(&self, series: SeriesId) -> SeriesDurations {
        self.traced.series_durations.get(series as usize).copied().unwrap_or_default()
    }

    /// The latest spans of a series by outcome.
    #[must_use]
    pub fn exemplars(&self, series: SeriesId) -> SeriesExemplars {
        self.traced.series_exemplars.get(series as usize).copied().unwrap_or_default()
    }

    /// The slowest request of a series in the running five minutes.
    #[must_use]
    pub fn slowest(&self, series: SeriesId) -> Option<Exemplar> {
        let slowest = self.traced.series_exemplars.get(series as usize)?.slowest?;
        (slowest.five_minutes() >= self.now_ns / SLOWEST_NS).then_some(slowest)
    }

    /// Of each `le` bucket of a tenant x module the latest success.
    #[must_use]
    pub fn bucket_exemplars(&self, module: ModuleId) -> [Option<Exemplar>; 15] {
        self.traced.bucket_exemplars.get(module as usize).copied().unwrap_or_default()
    }
}
