//! What the live-trace index and the metrics add to a snapshot: coverage, leaks, the graph, streams.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_slo::time::{Slot, Window};

use super::{
    CellKind, Correction, EDGE_FIELDS, EdgeCounts, EdgeId, EdgeName, EdgeTotals, EdgeWindow, Exemplar, Finding,
    FindingCount, Gap, GapTraces, ModuleId, PARTS, Parts, PatternFigures, SeriesDurations, SeriesExemplars, SeriesId,
    Settled, Snapshot,
};
use crate::aggregator::counts::tiers;
use crate::aggregator::durations::Shown;
use crate::aggregator::memory::chunked::Chunked;
use crate::aggregator::streams::StreamsShown;

/// What the live-trace index adds to a snapshot.
#[derive(Debug, Default, Clone)]
pub(in crate::aggregator) struct Traced {
    pub(in crate::aggregator) parts: Arc<tiers::Closed<PARTS>>,
    pub(in crate::aggregator) messages: Arc<BTreeMap<SeriesId, u64>>,
    pub(in crate::aggregator) message_slots: Arc<tiers::Closed<1>>,
    pub(in crate::aggregator) extra_weights: Arc<tiers::Closed<2>>,
    pub(in crate::aggregator) series_durations: Chunked<SeriesDurations>,
    pub(in crate::aggregator) series_exemplars: Chunked<SeriesExemplars>,
    pub(in crate::aggregator) bucket_exemplars: Chunked<[Option<Exemplar>; 15]>,
    pub(in crate::aggregator) edges: Arc<tiers::Closed<EDGE_FIELDS>>,
    pub(in crate::aggregator) edge_names: Chunked<EdgeName>,
    pub(in crate::aggregator) edge_totals: Chunked<EdgeTotals>,
    pub(in crate::aggregator) edge_durations: Arc<Shown>,
    pub(in crate::aggregator) gap_traces: Arc<Vec<GapTraces>>,
    pub(in crate::aggregator) gaps: Arc<Vec<(Gap, Arc<str>, u64)>>,
    pub(in crate::aggregator) corrections: Arc<Vec<Correction>>,
    pub(in crate::aggregator) findings: Arc<Vec<Finding>>,
    pub(in crate::aggregator) finding_counts: Arc<Vec<FindingCount>>,
    pub(in crate::aggregator) hops_checked: Arc<Vec<(Arc<str>, u64)>>,
    pub(in crate::aggregator) hops_unverifiable: Arc<Vec<(&'static str, u64)>>,
    pub(in crate::aggregator) weights: Arc<Vec<(&'static str, u64)>>,
    pub(in crate::aggregator) streams: StreamsShown,
    pub(in crate::aggregator) attribution: Arc<tiers::Closed<2>>,
    pub(in crate::aggregator) module_services: Arc<BTreeSet<(ModuleId, u32)>>,
    pub(in crate::aggregator) points_unused: Vec<(Arc<str>, u64)>,
    pub(in crate::aggregator) patterns: Arc<Vec<PatternFigures>>,
    pub(in crate::aggregator) reversed_messages: u64,
    pub(in crate::aggregator) forgotten_ns: u64,
    pub(in crate::aggregator) settled: Settled,
}

impl Snapshot {
    /// What coverage is made of, by tenant x module, over the closed slots `from..to` of the last 65 minutes (of older
    /// ones whole hours).
    #[must_use]
    pub fn parts(&self, from: Slot, to: Slot) -> BTreeMap<ModuleId, Parts> {
        self.traced.parts.sum(from, to).into_iter().map(|(module, fields)| (module, Parts(fields))).collect()
    }

    /// Traces that show a gap, by tenant x module and kind.
    #[must_use]
    pub fn gap_traces(&self) -> &[GapTraces] {
        &self.traced.gap_traces
    }

    /// Gaps since the daemon began, by kind and module. Never less: what a late parent closed was counted.
    #[must_use]
    pub fn gaps(&self) -> &[(Gap, Arc<str>, u64)] {
        &self.traced.gaps
    }

    /// Requests that were taken out of their slots again.
    #[must_use]
    pub fn corrections(&self) -> &[Correction] {
        &self.traced.corrections
    }

    /// Leak findings that are kept, the latest last.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.traced.findings
    }

    /// Metric points that were accepted and that nobody uses, by tenant.
    #[must_use]
    pub fn points_unused(&self) -> &[(Arc<str>, u64)] {
        &self.traced.points_unused
    }

    /// What patterns of data came to, in the order of the settings.
    #[must_use]
    pub fn data_patterns(&self) -> &[PatternFigures] {
        &self.traced.patterns
    }

    /// How often leak rules fired.
    #[must_use]
    pub fn finding_counts(&self) -> &[FindingCount] {
        &self.traced.finding_counts
    }

    /// Pairs of explicit tenants compared, and spans with a tenant of data, by module.
    #[must_use]
    pub fn hops_checked(&self) -> &[(Arc<str>, u64)] {
        &self.traced.hops_checked
    }

    /// Spans whose tenant could not be compared with their parent's, by reason.
    #[must_use]
    pub fn hops_unverifiable(&self) -> &[(&'static str, u64)] {
        &self.traced.hops_unverifiable
    }

    /// Entry spans by where their weight comes from.
    #[must_use]
    pub fn weights(&self) -> &[(&'static str, u64)] {
        &self.traced.weights
    }

    /// What metrics say: denominators of coverage, SDKs about themselves, levels.
    #[must_use]
    pub fn streams(&self) -> &StreamsShown {
        &self.traced.streams
    }

    /// Spans by service over the closed slots `from..to`: those of settled traces, and those of them that have a tenant
    /// and a module.
    #[must_use]
    pub fn attribution(&self, from: Slot, to: Slot) -> Vec<(Arc<str>, [u64; 2])> {
        let sums = self.traced.attribution.sum(from, to).into_iter();
        sums.filter_map(|(number, counts)| Some((self.traced.streams.service(number)?, counts))).collect()
    }

    /// Services that requests of a tenant x module were seen in.
    pub fn services_of(&self, module: ModuleId) -> impl Iterator<Item = Arc<str>> {
        let numbers = self.traced.module_services.range((module, 0)..=(module, u32::MAX));
        numbers.filter_map(|(_, number)| self.traced.streams.service(*number))
    }

    /// Messages that were consumed before they were sent, as far as clocks say.
    #[must_use]
    pub fn reversed_messages(&self) -> u64 {
        self.traced.reversed_messages
    }

    /// How far back repeated spans are recognised, nanoseconds; at most `late_accept_ns`.
    #[must_use]
    pub fn dedup_horizon_ns(&self, late_accept_ns: u64) -> u64 {
        match self.traced.forgotten_ns {
            0 => late_accept_ns,
            forgotten => self.now_ns.saturating_sub(forgotten).min(late_accept_ns),
        }
    }

    /// Traces settled since the daemon began.
    #[must_use]
    pub fn settled(&self) -> Settled {
        self.traced.settled
    }

    /// Every edge of the service graph, by [`EdgeId`].
    pub fn edges(&self) -> impl ExactSizeIterator<Item = &EdgeName> {
        self.traced.edge_names.iter()
    }

    /// What an edge counted since the daemon began.
    #[must_use]
    pub fn edge_totals(&self, edge: EdgeId) -> EdgeTotals {
        self.traced.edge_totals.get(edge as usize).copied().unwrap_or_default()
    }

    /// Calls over a window (5m or longer) of the edges that counted any.
    pub fn edge_counts(&self, window: Window) -> impl Iterator<Item = (&EdgeName, EdgeCounts)> {
        let counted = self.traced.edges.window(window).into_iter();
        counted.filter_map(|(edge, fields)| Some((self.traced.edge_names.get(edge as usize)?, fields.into())))
    }

    /// What those edges counted over a window (5m or longer) that `are_asked_for` and counted anything.
    #[must_use]
    pub fn edge_window(&self, window: Window, are_asked_for: impl Fn(&EdgeName) -> bool) -> Vec<EdgeWindow> {
        let durations = |kind, edge| {
            let through_ns = self.traced.edges.through().start_ns();
            self.traced.edge_durations.latency(kind, &[edge], (window, through_ns)).histogram
        };
        let is_asked_for = |edge: EdgeId| self.traced.edge_names.get(edge as usize).is_some_and(&are_asked_for);
        let counted = self.traced.edges.window(window).into_iter().filter(|(edge, _)| is_asked_for(*edge));
        let rows = counted.map(|(edge, fields)| EdgeWindow {
            edge,
            counts: EdgeCounts::from(fields),
            durations: durations(CellKind::Success, edge),
            queue_delays: durations(CellKind::Other, edge),
        });
        rows.collect()
    }
}
