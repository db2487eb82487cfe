//! What snapshots say about metrics: requests, errors and tokens by tenant x module, spans by service, what is in
//! flight, and what was not counted. Clones share everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::coverage::{Denominator, Source};
use bailiwick_slo::ratio::Ratio;
use bailiwick_slo::saved;
use bailiwick_slo::time::Slot;

use super::operations::Grown;
use super::sequence::DropReason;
use super::tapped::{TAPPED_FIELDS, TapCounters, TapCounts, TappedId, TappedName};
use crate::aggregator::counts::tiers::Closed;
use crate::aggregator::memory::chunked::Chunked;
use crate::aggregator::snapshot::ModuleId;

/// Counts of a tenant x module by slot, as [`MetricCounts::from_fields`] reads them.
pub(super) const MODULE_FIELDS: usize = 8;
/// Counts of a service by slot, as [`ServiceCounts::from_fields`] reads them.
pub(super) const SERVICE_FIELDS: usize = 6;

/// What metrics counted for one tenant x module over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MetricCounts {
    /// Requests by [`Source`]; not to be added, they are the same requests.
    pub requests: [u64; Source::ALL.len()],
    /// Those that failed, of the two sources that tell.
    pub failures: [u64; 2],
    /// Entries that the sampler dropped, as the SDKs say.
    pub declared_drops: u64,
    /// Input and output tokens.
    pub tokens: [u64; 2],
}

/// What a service's SDK says about its own spans over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServiceCounts {
    /// Entry spans that it started.
    pub started: u64,
    /// Those that its sampler dropped.
    pub dropped: u64,
    /// Spans exported without error.
    pub exported: u64,
    /// Spans that an exporter failed to send.
    pub export_failed: u64,
    /// Spans that a processor took.
    pub processed: u64,
    /// Spans that a processor lost: its queue was full.
    pub queue_full: u64,
}

/// What became of points since the daemon began, and what is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamCounters {
    /// Points dropped, by [`DropReason`].
    pub dropped: [u64; DropReason::ALL.len()],
    /// Points that later ones are counted from.
    pub baselines: u64,
    /// Points that say that there is no value.
    pub without_value: u64,
    /// Counters that began anew.
    pub resets: u64,
    /// Stretches of time that no delta tells of.
    pub gaps: u64,
    /// Points that show two writers in one stream.
    pub writer_conflicts: u64,
    /// Points of the old HTTP name of an instance that sends the new one as well.
    pub superseded: u64,
    /// Points whose buckets found no memory.
    pub buckets_refused: u64,
    /// Points whose operation found no place.
    pub operations_refused: u64,
    /// Points whose service found no place.
    pub services_refused: u64,
    /// Streams known now.
    pub streams: u64,
    /// Points that SLOs read.
    pub taps: TapCounters,
}
saved!(struct StreamCounters {
    dropped, baselines, without_value, resets, gaps, writer_conflicts, superseded, buckets_refused, operations_refused, services_refused, streams, taps
});

/// The figures of one moment.
#[derive(Debug, Clone, Default)]
pub struct StreamsShown {
    pub(super) modules: Arc<Closed<MODULE_FIELDS>>,
    pub(super) services: Arc<Closed<SERVICE_FIELDS>>,
    pub(super) service_names: Chunked<Arc<str>>,
    pub(super) last_points: Arc<BTreeMap<ModuleId, [Option<u64>; Source::ALL.len()]>>,
    pub(super) first_counts: Arc<BTreeMap<ModuleId, [Option<u64>; Source::ALL.len()]>>,
    pub(super) levels: Arc<BTreeMap<ModuleId, [Option<i64>; 2]>>,
    pub(super) operations: Arc<Grown>,
    pub(super) tapped: Arc<Closed<TAPPED_FIELDS>>,
    pub(super) tapped_names: Chunked<TappedName>,
    pub(super) heard: Chunked<u64>,
    pub(super) counters: StreamCounters,
}

impl MetricCounts {
    const fn from_fields([a, b, c, d, e, f, g, h]: [u64; MODULE_FIELDS]) -> Self {
        Self { requests: [a, c, e], failures: [b, d], declared_drops: f, tokens: [g, h] }
    }

    /// Failures by requests of a source, for the comparison with those of spans; `None` of one that does not tell.
    #[must_use]
    pub fn errors(&self, source: Source) -> Option<Ratio> {
        let failures = self.failures.get(source as usize)?;
        Some(Ratio::of(*failures, self.requests[source as usize]))
    }
}

impl ServiceCounts {
    const fn from_fields([started, dropped, exported, export_failed, processed, queue_full]: [u64; 6]) -> Self {
        Self { started, dropped, exported, export_failed, processed, queue_full }
    }
}

impl StreamsShown {
    /// What metrics counted by tenant x module over the closed slots `from..to` of the last 65 minutes (of older ones
    /// whole hours).
    #[must_use]
    pub fn modules(&self, from: Slot, to: Slot) -> BTreeMap<ModuleId, MetricCounts> {
        let sums = self.modules.sum(from, to).into_iter();
        sums.map(|(module, fields)| (module, MetricCounts::from_fields(fields))).collect()
    }

    /// What was added to closed slots when they were published last, by slot and tenant x module. What was taken out is
    /// two's complement.
    pub fn modules_joined(&self) -> impl Iterator<Item = (Slot, ModuleId, MetricCounts)> + '_ {
        self.modules.joined().map(|(slot, module, fields)| (slot, module, MetricCounts::from_fields(fields)))
    }

    /// How often that has changed: of the same number, the same has joined.
    #[must_use]
    pub fn modules_revision(&self) -> u64 {
        self.modules.revision()
    }

    /// The same by service.
    #[must_use]
    pub fn services(&self, from: Slot, to: Slot) -> Vec<(Arc<str>, ServiceCounts)> {
        let sums = self.services.sum(from, to).into_iter();
        let named = sums.filter_map(|(number, fields)| {
            let name = self.service_names.get(number as usize)?;
            Some((Arc::clone(name), ServiceCounts::from_fields(fields)))
        });
        named.collect()
    }

    /// The name of a service.
    #[must_use]
    pub fn service(&self, number: u32) -> Option<Arc<str>> {
        self.service_names.get(number as usize).cloned()
    }

    /// D of a tenant x module by the best source that counted in the window or is live now: 0 requests of a live one
    /// are a count, no source is none.
    #[must_use]
    pub fn denominator(&self, module: ModuleId, counts: &MetricCounts) -> Option<Denominator> {
        let live = self.last_points.get(&module).copied().unwrap_or_default();
        let counted = |source: &Source| live[*source as usize].is_some() || counts.requests[*source as usize] > 0;
        let source = Source::ALL.into_iter().find(counted)?;
        Some(Denominator { requests: counts.requests[source as usize], source })
    }

    /// The oldest last point of the live streams of a source, nanoseconds since the Unix epoch: a window that compares
    /// with it ends there. `None` when none is live (heard of within 5 min). At most 10 s old.
    #[must_use]
    pub fn oldest_last_point(&self, module: ModuleId, source: Source) -> Option<u64> {
        self.last_points.get(&module)?[source as usize]
    }

    /// Since when a source counts the requests of a tenant x module, nanoseconds since the Unix epoch: what came before
    /// cannot be compared with it. `None`: it never did.
    #[must_use]
    pub fn counted_since(&self, module: ModuleId, source: Source) -> Option<u64> {
        self.first_counts.get(&module)?[source as usize]
    }

    /// Requests in flight by tenant x module, where something says.
    pub fn requests_in_flight(&self) -> impl Iterator<Item = (ModuleId, u64)> {
        self.level(0)
    }

    /// Spans that have not ended by tenant x module, where something says.
    pub fn live_spans(&self) -> impl Iterator<Item = (ModuleId, u64)> {
        self.level(1)
    }

    fn level(&self, place: usize) -> impl Iterator<Item = (ModuleId, u64)> {
        // Counters of ups and downs whose beginning was not seen may be below 0.
        self.levels
            .iter()
            .filter_map(move |(module, levels)| Some((*module, u64::try_from(levels[place]?).unwrap_or(0))))
    }

    /// Operations of a tenant x module that grew in metrics since this moment, by name.
    pub fn operations(&self, module: ModuleId, since_ns: u64) -> impl Iterator<Item = &Arc<str>> {
        let grown = self.operations.get(&module).into_iter().flat_map(|of_module| of_module.iter());
        grown.filter(move |(_, at_ns)| **at_ns >= since_ns).map(|(operation, _)| operation)
    }

    pub(in crate::aggregator) fn tapped(&self) -> impl ExactSizeIterator<Item = &TappedName> {
        self.tapped_names.iter()
    }

    pub(in crate::aggregator) fn tapped_joined(&self) -> impl Iterator<Item = (Slot, TappedId, TapCounts)> + '_ {
        self.tapped.joined().map(|(slot, number, fields)| (slot, number, TapCounts::from_fields(fields)))
    }

    pub(in crate::aggregator) fn tapped_revision(&self) -> u64 {
        self.tapped.revision()
    }

    /// When a point of each tenant x module last arrived, by the journal's clock; 0: never.
    pub(in crate::aggregator) fn heard(&self) -> &Chunked<u64> {
        &self.heard
    }

    /// What became of points.
    #[must_use]
    pub const fn counters(&self) -> &StreamCounters {
        &self.counters
    }
}
