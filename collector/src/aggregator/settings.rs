//! Maxima of the books (`aggregator.`).

mod streams;
mod traces;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::{RequestSettings, SamplingSettings};
use crate::units::{ByteSize, Period};

pub use streams::StreamSettings;
pub use traces::{AllowedEdge, CoverageSettings, LeakSettings};

/// How requests are counted and how much of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Settings {
    /// How long after its end a slot of 10 s closes: longer than the exporters' batch delay (5s).
    pub close_after: Period,
    /// Which spans are requests and what became of them.
    #[garde(dive)]
    pub requests: RequestSettings,
    /// What sampled spans stand for.
    #[garde(dive)]
    pub sampling: SamplingSettings,
    /// How traces are put together.
    #[garde(dive)]
    pub coverage: CoverageSettings,
    /// What tenants are compared by.
    #[garde(dive)]
    pub leaks: LeakSettings,
    /// Metrics that requests are counted by.
    #[garde(dive)]
    pub metrics: StreamSettings,
    /// How many series there may be.
    #[garde(dive)]
    pub series: SeriesSettings,
    /// How much memory histogram cells may hold.
    #[garde(dive)]
    pub histograms: HistogramSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            close_after: Period::seconds(10),
            requests: RequestSettings::default(),
            sampling: SamplingSettings::default(),
            coverage: CoverageSettings::default(),
            leaks: LeakSettings::default(),
            metrics: StreamSettings::default(),
            series: SeriesSettings::default(),
            histograms: HistogramSettings::default(),
        }
    }
}

/// How many series there may be (`aggregator.series.`). Counts beyond go to overflow series, never away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct SeriesSettings {
    /// Most series in all; the overflow series of modules that have one come on top.
    #[garde(range(min = 16, max = 10_000_000))]
    pub max: u32,
    /// Most series of a tenant.
    #[garde(range(min = 4, max = 10_000_000))]
    pub per_tenant_max: u32,
    /// Most tenants; further ones share the tenant `_overflow`.
    #[garde(range(min = 1, max = 100_000))]
    pub tenants_max: u32,
    /// Most modules of a tenant; further ones share the module `_other`.
    #[garde(range(min = 1, max = 10_000))]
    pub modules_max: u32,
    /// Operations of a module of a tenant that have series of their own, those with the most requests; the others share
    /// the operation `_other`. Up to twice as many have one for a quarter of an hour while ranks change.
    #[garde(range(min = 1, max = 100_000))]
    pub operations_top: u32,
    /// Most modules of tenants whose operations are ranked; in others the first operations keep their series.
    #[garde(range(min = 0, max = 100_000))]
    pub sketches_max: u32,
    /// Counts what would be limited, and limits at `max` only.
    pub dry_run: bool,
    /// Tenants that always have a place, and 50 series each kept for them within `max`.
    pub reserved_tenants: Vec<String>,
}

impl SeriesSettings {
    /// Series that are kept for each reserved tenant (`sli.md` 5): fifty, or as many as it may have.
    #[must_use]
    pub fn reserve(&self) -> u32 {
        self.per_tenant_max.min(50)
    }
}

impl Default for SeriesSettings {
    fn default() -> Self {
        Self {
            max: 20_000,
            per_tenant_max: 500,
            tenants_max: 1_000,
            modules_max: 64,
            operations_top: 50,
            sketches_max: 2_000,
            dry_run: false,
            reserved_tenants: Vec::new(),
        }
    }
}

/// How much memory histogram cells may hold (`aggregator.histograms.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct HistogramSettings {
    /// Most bytes of cells, open ones included; when full, cells older than an hour leave memory first, then those of
    /// the series that were idle longest. Counts are never shed.
    pub bytes_max: ByteSize,
}

impl Default for HistogramSettings {
    fn default() -> Self {
        Self { bytes_max: ByteSize::mib(256) }
    }
}
