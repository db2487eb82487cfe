//! What operators may set about metrics.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which metrics count, besides those that every platform has (`aggregator.metrics.`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct MetricSettings {
    /// Counters of gateways that count requests before any trace begins, by name: the denominator of coverage where no
    /// server reports durations.
    #[garde(length(max = 64))]
    pub request_counters: Vec<String>,
}
