//! What a tick shows: the snapshot of all rooms' tables, and how full they are.

use std::sync::Arc;

use bailiwick_slo::saved;

use super::Aggregator;
use crate::aggregator::durations::Heat;
use crate::aggregator::names::{Bound, NewModule};
use crate::aggregator::snapshot::{
    Correction, FIRSTS_MAX, First, GapTraces, Limit, Promised, Settled, Snapshot, Traced,
};
use crate::aggregator::tenants::{TenantId, Tenants};

/// Spans that ended before they began, by tenant.
#[derive(Debug, Default)]
pub(super) struct Anomalies {
    counts: Vec<u64>,
    changed: bool,
    shown: Arc<Vec<(Arc<str>, u64)>>,
}
saved!(struct Anomalies { counts, changed, shown });

impl Anomalies {
    pub(super) fn count(&mut self, tenants: &Tenants, tenant: TenantId) {
        self.counts.resize(tenants.len(), 0);
        self.counts[tenant as usize] += 1;
        self.changed = true;
    }

    fn publish(&mut self, tenants: &Tenants) -> Arc<Vec<(Arc<str>, u64)>> {
        if std::mem::take(&mut self.changed) {
            let rows = (0..).zip(&self.counts).filter(|(_, count)| **count > 0);
            let mut rows: Vec<_> = rows.map(|(tenant, count)| (Arc::clone(tenants.name(tenant)), *count)).collect();
            rows.sort();
            self.shown = Arc::new(rows);
        }
        Arc::clone(&self.shown)
    }
}

/// The first requests of services, for those who wait for their first data.
#[derive(Debug, Default)]
pub(super) struct Firsts(Arc<Vec<First>>);
saved!(struct Firsts { 0 });

impl Firsts {
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// A tenant x module that is new, opened by a request of this service.
    pub(super) fn note(&mut self, service: &str, new: &NewModule) {
        let is_known = |first: &First| *first.service == *service && first.tenant == new.tenant;
        if self.0.len() < FIRSTS_MAX && !new.overflow && !self.0.iter().any(is_known) {
            let NewModule { tenant, module, .. } = new;
            let first = First { service: service.into(), tenant: Arc::clone(tenant), module: Arc::clone(module) };
            Arc::make_mut(&mut self.0).push(first);
        }
    }
}

impl Aggregator {
    /// The figures of this moment; cells are brought within their budget first.
    pub(super) fn publish(&mut self) -> Arc<Snapshot> {
        let totals = self.totals.publish(self.intervals.open_gains());
        let directory = &self.names.directory;
        self.durations.limit(self.moment(), |series| Heat {
            is_spared: directory.get(series as usize).is_some_and(|name| name.overflow),
            last_seen_ns: totals.get(series as usize).map_or(0, |totals| totals.last_seen_ns),
        });
        Arc::new(Snapshot {
            taps: self.taps.load_full(),
            seq: self.seq,
            now_ns: self.now_ns,
            data_through_ns: self.intervals.closed().through_ns(),
            directory: self.names.directory.clone(),
            totals,
            modules: self.modules.publish(),
            closed: Arc::clone(self.intervals.closed()),
            durations: Arc::clone(self.durations.shown()),
            books: self.ledger.publish(&self.tenants),
            anomalies: self.anomalies.publish(&self.tenants),
            limited: self.names.limited(&self.tenants),
            resting: self.names.resting(&self.tenants),
            demand: self.names.demand(&self.tenants),
            limits: self.limits(),
            cells_shed: self.durations.shed_cells(),
            firsts: Arc::clone(&self.firsts.0),
            promised: self.promised(),
            controls: std::mem::take(&mut self.controls),
            traced: self.traced(),
        })
    }

    fn limits(&self) -> Vec<Limit> {
        let (series, fullest) = self.names.used();
        let settings = &self.settings.series;
        let of_series = [
            ("series.max", series, settings.max, Bound::Series),
            ("series.tenants_max", self.tenants.used(), settings.tenants_max, Bound::Tenants),
            ("series.per_tenant_max", fullest.series, settings.per_tenant_max, Bound::PerTenant),
            ("series.modules_max", fullest.modules, settings.modules_max, Bound::Modules),
            ("series.operations_top", fullest.operations, settings.operations_top, Bound::Operations),
        ];
        let of_series = of_series.into_iter().map(|(name, used, max, bound)| Limit {
            name,
            used: used.into(),
            max: max.into(),
            refused: self.names.refused(bound),
        });
        let cells = Limit {
            name: "histograms.bytes_max",
            used: self.durations.memory_bytes() as u64,
            max: self.settings.histograms.bytes_max.0,
            refused: self.durations.refused(),
        };
        let usage = self.index.usage();
        let of_index = [
            ("coverage.index_bytes_max", usage.bytes, usage.bytes_max, usage.unjudged),
            ("coverage.traces_live_max", usage.live_traces, usage.traces_live_max, usage.unjudged),
        ];
        let of_index =
            of_index.map(|(name, used, max, refused)| Limit { name, used: used as u64, max: max as u64, refused });
        let spans = Limit {
            name: "coverage.trace_spans_max",
            used: usage.fullest_trace.into(),
            max: self.settings.coverage.trace_spans_max.into(),
            refused: usage.oversized,
        };
        let rest = [self.classes.limit(), cells, spans, self.findings.limit(), self.graph.limit()];
        of_series.chain(rest).chain(self.streams.limits()).chain(of_index).collect()
    }

    /// What SLOs ask for besides requests.
    fn promised(&self) -> Promised {
        let (class_names, classes) = self.classes.publish();
        let (leak_sets, leaked) = self.leaked.publish();
        Promised { class_names, classes, leak_sets, leaked }
    }

    /// What the index and its judges add.
    fn traced(&mut self) -> Traced {
        let usage = self.index.usage();
        let (messages, message_slots) = self.messages.publish();
        let mut traced = Traced {
            messages,
            message_slots,
            extra_weights: Arc::clone(self.extra_weights.closed()),
            parts: Arc::clone(self.parts.closed()),
            corrections: Arc::new(self.corrections()),
            gaps: Arc::new(self.gap_counts.iter().map(|((gap, module), n)| (*gap, Arc::clone(module), *n)).collect()),
            gap_traces: Arc::new(self.gap_traces()),
            hops_checked: Arc::new(self.hops_checked.iter().map(|(module, n)| (Arc::clone(module), *n)).collect()),
            hops_unverifiable: Arc::new(self.unverifiable()),
            weights: Arc::new(self.weights.published()),
            streams: self.streams.shown(),
            attribution: Arc::clone(self.attribution.closed()),
            module_services: Arc::clone(&self.module_services),
            patterns: self.patterns.publish(),
            points_unused: self.points_unused.iter().map(|(tenant, n)| (Arc::clone(tenant), *n)).collect(),
            reversed_messages: self.reversed_messages,
            forgotten_ns: usage.forgotten_ns,
            settled: Settled {
                live: usage.live_traces as u64,
                evaluated_ppm: self.index.sample.evaluated_ppm(),
                ..self.settled
            },
            ..Traced::default()
        };
        traced.series_durations = self.times.publish();
        self.exemplars.publish(&mut traced);
        self.graph.publish(&mut traced);
        self.findings.publish(&mut traced);
        traced
    }

    fn corrections(&self) -> Vec<Correction> {
        let rows = self.corrections.iter();
        rows.map(|((module, reason), count)| Correction { module: *module, reason, count: *count }).collect()
    }

    fn gap_traces(&self) -> Vec<GapTraces> {
        let rows = self.gap_traces.iter();
        rows.map(|((module, gap), ids)| GapTraces { module: *module, gap: *gap, trace_ids: ids.clone() }).collect()
    }
}
