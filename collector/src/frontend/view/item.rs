//! Items of the lists of requests: a series, a module, a tenant, a slot.

use std::collections::BTreeMap;

use bailiwick_slo::coverage::Position;
use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::time::{Slot, Window};
use bailiwick_slo::weight::{self, Weight};
use serde::Serialize;
use utoipa::ToSchema;

use super::figure::{Durations, Outcomes, SuccessRatio, TenantSources};
use super::row::Row;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{Exemplar, ModuleId, ModuleTotals, Part, Parts, SeriesId, SlotCounts};
use crate::frontend::format;
use crate::frontend::inventory::Inventory;

/// What every item of requests has.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Requests {
    /// Requests over the window, by outcome, adjusted for sampling.
    pub(crate) outcomes: Outcomes,
    /// Their sum.
    #[schema(example = 10_060)]
    pub(crate) requests: u64,
    /// Entry spans over the window, not adjusted.
    #[schema(example = 10_060)]
    pub(crate) spans: u64,
    /// Messages of batches over the window.
    #[schema(example = 0)]
    pub(crate) messages: u64,
    /// Independent observations that the spans are worth: fewer than there are where some stand for more than others.
    /// Null without spans.
    #[schema(example = 10_060.0)]
    pub(crate) n_eff: Option<f64>,
    /// How spans were sampled: exact (not at all), weighted (each stands for as many as were dropped), biased (behind a
    /// tail sampler: shares of outcomes mean nothing).
    #[schema(example = "exact")]
    pub(crate) sampling: &'static str,
    /// Availability over the window.
    pub(crate) success_ratio: SuccessRatio,
    /// Durations of successful requests over the window, from 5m up.
    pub(crate) duration_ms: Durations,
    /// Requests since the daemon began, by outcome.
    pub(crate) total: Outcomes,
    /// When its first request ended.
    #[schema(example = "2026-05-04T08:00:01.250Z")]
    pub(crate) first_seen_at: Option<String>,
    /// When its latest request ended.
    #[schema(example = "2026-05-04T10:05:03.001Z")]
    pub(crate) last_seen_at: Option<String>,
    /// Whether it takes what no series, module or tenant of its own is left for.
    #[schema(example = false)]
    pub(crate) overflow: bool,
    /// End of the last closed slot: the window ends here.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) data_through: Option<String>,
}

/// A series: tenant x module x operation x type.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SeriesItem {
    /// Tenant.
    #[schema(example = "acme")]
    pub(crate) tenant: String,
    /// Module.
    #[schema(example = "rag_hub")]
    pub(crate) module: String,
    /// Operation.
    #[schema(example = "POST /rag/query")]
    pub(crate) operation: String,
    /// Entry type: server, consumer, job or module_call.
    #[schema(example = "server")]
    pub(crate) r#type: &'static str,
    #[serde(flatten)]
    pub(crate) figures: Requests,
    /// Spans to look up.
    pub(crate) exemplars: ExemplarsItem,
    /// With `step`: its closed slots, oldest first, those without a request left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slots: Option<Vec<SlotItem>>,
}

/// A module of a tenant, or a tenant: its series added up.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ModuleItem {
    /// Tenant.
    #[schema(example = "acme")]
    pub(crate) tenant: String,
    /// Module.
    #[schema(example = "rag_hub")]
    pub(crate) module: String,
    #[serde(flatten)]
    pub(crate) figures: Requests,
    /// Requests since the daemon began, by where their tenant was read from.
    pub(crate) tenant_sources: TenantSources,
    /// Series in it.
    #[schema(example = 4)]
    pub(crate) series: usize,
    /// SERVER and CONSUMER spans over the window that lie inside another request of the module: no requests.
    #[schema(example = 0)]
    pub(crate) nested: u64,
    /// Spans over the window that may be requests, but their parent never came.
    #[schema(example = 0)]
    pub(crate) uncertain: u64,
    /// INTERNAL spans over the window in traces that were not judged.
    #[schema(example = 0)]
    pub(crate) unjudged: u64,
    /// Requests since the daemon began that were taken out of their slots again: `total` less these are what slots hold.
    #[schema(example = 0)]
    pub(crate) corrections: u64,
}

/// Spans of a series that can be looked up.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ExemplarsItem {
    /// The latest failure.
    pub(crate) latest_failure: Option<ExemplarItem>,
    /// The slowest request of the running five minutes.
    pub(crate) slowest: Option<ExemplarItem>,
}

/// A span that can be looked up.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ExemplarItem {
    /// Its trace.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    pub(crate) trace_id: String,
    /// Its id.
    #[schema(example = "00f067aa0ba902b7")]
    pub(crate) span_id: String,
    /// How long it took, milliseconds; null where it ended before it began.
    #[schema(example = 1203.199)]
    pub(crate) duration_ms: Option<f64>,
    /// When it ended.
    #[schema(example = "2026-05-04T10:04:57.001Z")]
    pub(crate) at: Option<String>,
}

impl From<&Exemplar> for ExemplarItem {
    fn from(exemplar: &Exemplar) -> Self {
        Self {
            trace_id: format::hex(&exemplar.trace_id),
            span_id: format::hex(&exemplar.span_id),
            duration_ms: exemplar.duration_ns.map(|ns| format::milliseconds(ns / 1_000)),
            at: format::instant(exemplar.end_ns),
        }
    }
}

/// A tenant: its series added up.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct TenantItem {
    /// Tenant.
    #[schema(example = "acme")]
    pub(crate) tenant: String,
    #[serde(flatten)]
    pub(crate) figures: Requests,
    /// Requests since the daemon began, by where their tenant was read from.
    pub(crate) tenant_sources: TenantSources,
    /// Modules in it.
    #[schema(example = 2)]
    pub(crate) modules: usize,
    /// Series in it.
    #[schema(example = 9)]
    pub(crate) series: usize,
}

/// Ten seconds of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SlotItem {
    /// Its begin; it ends ten seconds later.
    #[schema(example = "2026-05-04T10:04:50.000Z")]
    pub(crate) from: Option<String>,
    /// Requests that ended in it, by outcome, adjusted for sampling.
    pub(crate) outcomes: Outcomes,
    /// Their sum.
    #[schema(example = 335)]
    pub(crate) requests: u64,
    /// Entry spans, not adjusted.
    #[schema(example = 335)]
    pub(crate) spans: u64,
    /// Availability.
    pub(crate) success_ratio: SuccessRatio,
}

/// What the rows of a list are told by.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    /// The figures.
    pub(crate) snapshot: &'a Snapshot,
    /// Where spans are taken from.
    pub(crate) inventory: &'a Inventory,
    /// Counted over.
    pub(crate) window: Window,
    /// Tenant x modules by their id.
    pub(crate) modules: Vec<&'a ModuleTotals>,
}

impl Told<'_> {
    /// The figures of a row. Durations of its series are merged here.
    pub(crate) fn figures(&self, row: &Row) -> Requests {
        let duration_ms = if Durations::are_told_over(self.window) {
            Durations::from(&self.snapshot.latency(&row.series, self.window))
        } else {
            Durations::UNMEASURED
        };
        Requests {
            outcomes: row.counts.outcomes.into(),
            requests: row.counts.outcomes.total(),
            spans: row.counts.spans,
            messages: row.messages,
            n_eff: n_eff(row),
            sampling: self.sampling(row),
            success_ratio: row.counts.outcomes.into(),
            duration_ms,
            total: row.total.into(),
            first_seen_at: format::instant(row.first_seen_ns),
            last_seen_at: format::instant(row.last_seen_ns),
            overflow: row.overflow,
            data_through: format::instant(self.snapshot.data_through_ns),
        }
    }

    fn sampling(&self, row: &Row) -> &'static str {
        let modules = row.modules.iter().filter_map(|id| self.modules.get(*id as usize));
        let mut positions = modules.map(|module| self.inventory.position(&module.module));
        match row.extra_weights {
            _ if positions.any(|position| position == Position::PostTail) => "biased",
            [0, _] => "exact",
            _ => "weighted",
        }
    }

    /// Spans of a series to look up.
    pub(crate) fn exemplars(&self, series: SeriesId) -> ExemplarsItem {
        let latest = self.snapshot.exemplars(series).latest;
        ExemplarsItem {
            latest_failure: latest[Outcome::Failure.index()].as_ref().map(ExemplarItem::from),
            slowest: self.snapshot.slowest(series).as_ref().map(ExemplarItem::from),
        }
    }

    /// Tenant sources of a row's modules together.
    pub(crate) fn sources(&self, row: &Row) -> TenantSources {
        let mut sum = TenantSources::default();
        for module in row.modules.iter().filter_map(|id| self.modules.get(*id as usize)) {
            sum.add(&module.sources);
        }
        sum
    }
}

/// Observations that the spans of a row are worth, with two decimals.
fn n_eff(row: &Row) -> Option<f64> {
    let of_one = row.counts.spans * Weight::ONE.sixteenths();
    let [sum, squares] = row.extra_weights.map(|extra| of_one + extra);
    weight::effective_size(sum, squares).map(|n_eff| (n_eff * 100.0).round() / 100.0)
}

/// What judges of traces say of tenant x modules.
#[derive(Debug)]
pub(crate) struct Judged {
    parts: BTreeMap<ModuleId, Parts>,
    corrections: BTreeMap<ModuleId, u64>,
}

impl Judged {
    /// Over the window that ends with the last closed slot.
    pub(crate) fn read(snapshot: &Snapshot, window: Window) -> Self {
        let to = Slot::holding(snapshot.data_through_ns);
        let parts = snapshot.parts(Slot(to.0.saturating_sub(window.slots())), to);
        let mut corrections: BTreeMap<ModuleId, u64> = BTreeMap::new();
        for correction in snapshot.corrections() {
            *corrections.entry(correction.module).or_default() += correction.count;
        }
        Self { parts, corrections }
    }

    /// One count of a row's modules together.
    pub(crate) fn part(&self, row: &Row, part: Part) -> u64 {
        row.modules.iter().filter_map(|module| self.parts.get(module)).map(|parts| parts.get(part)).sum()
    }

    /// Corrections of a row's modules together.
    pub(crate) fn corrections(&self, row: &Row) -> u64 {
        row.modules.iter().filter_map(|module| self.corrections.get(module)).sum()
    }
}

/// A slot.
pub(crate) fn slot((slot, counts): (Slot, SlotCounts)) -> SlotItem {
    SlotItem {
        from: format::instant(slot.start_ns()),
        outcomes: counts.outcomes.into(),
        requests: counts.outcomes.total(),
        spans: counts.spans,
        success_ratio: counts.outcomes.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bailiwick_slo::outcome::OutcomeCounts;

    use super::*;
    use crate::frontend::view::row::Names;

    fn row(spans: u64, extra_weights: [u64; 2]) -> Row {
        let text = |text: &str| Arc::from(text);
        Row {
            names: Names { tenant: text("acme"), module: text("rag"), operation: text("q"), entry: "server" },
            series: vec![0],
            modules: vec![0],
            counts: SlotCounts { outcomes: OutcomeCounts::default(), spans },
            messages: 0,
            extra_weights,
            total: OutcomeCounts::default(),
            first_seen_ns: 0,
            last_seen_ns: 0,
            overflow: false,
        }
    }

    /// `sli.md` 1.7: n_eff of 100 spans of w 1 and 10 of w 10: 36.36.
    #[test]
    fn spans_that_stand_for_others_are_worth_less() {
        assert_eq!(n_eff(&row(110, [90 << 16, 990 << 16])), Some(36.36));
        assert_eq!(n_eff(&row(110, [0, 0])), Some(110.0));
        assert_eq!(n_eff(&row(0, [0, 0])), None);
    }
}
