//! How many metric streams there may be, and which of them count requests (`aggregator.metrics.`).

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Metrics that requests are counted by (`aggregator.metrics.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct StreamSettings {
    /// Most metric streams at a time, about 120 bytes each. Points of further ones do not count.
    #[garde(range(min = 16, max = 10_000_000))]
    pub metric_streams_max: u32,
    /// Names of counters and histograms by which a gateway counts the requests that it lets through.
    pub gateway_counters: Vec<String>,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self { metric_streams_max: 50_000, gateway_counters: Vec::new() }
    }
}
