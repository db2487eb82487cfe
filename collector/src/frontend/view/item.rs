//! Items of the lists of requests: a series, a module, a tenant, a slot.

use bailiwick_slo::time::{Slot, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::figure::{Durations, Outcomes, SuccessRatio, TenantSources};
use super::row::Row;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{ModuleTotals, SlotCounts};
use crate::frontend::format;

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

/// The figures of a row. Durations of its series are merged here.
pub(crate) fn figures(snapshot: &Snapshot, row: &Row, window: Window) -> Requests {
    let duration_ms = if Durations::are_told_over(window) {
        Durations::from(&snapshot.latency(&row.series, window))
    } else {
        Durations::UNMEASURED
    };
    Requests {
        outcomes: row.counts.outcomes.into(),
        requests: row.counts.outcomes.total(),
        spans: row.counts.spans,
        success_ratio: row.counts.outcomes.into(),
        duration_ms,
        total: row.total.into(),
        first_seen_at: format::instant(row.first_seen_ns),
        last_seen_at: format::instant(row.last_seen_ns),
        overflow: row.overflow,
        data_through: format::instant(snapshot.data_through_ns),
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

/// Tenant sources of a row's modules together; `modules` by their id.
pub(crate) fn sources(modules: &[&ModuleTotals], row: &Row) -> TenantSources {
    let mut sum = TenantSources::default();
    for module in row.modules.iter().filter_map(|id| modules.get(*id as usize)) {
        sum.add(&module.sources);
    }
    sum
}
