//! How traces are put together and searched for leaks (`aggregator.coverage.`, `aggregator.leaks.`).

use std::collections::BTreeMap;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::{Boundary, DataPattern};
use crate::units::{ByteSize, Period};

/// The live-trace index and what ends a chain of spans (`aggregator.coverage.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct CoverageSettings {
    /// A trace is judged when no span has come for this long. Raise it where parents end long after their children.
    pub trace_idle: Period,
    /// A trace is judged at latest this long after its first span.
    pub trace_age_max: Period,
    /// Most bytes of the index; settled traces take half of it at most. Over it, a sample of traces is judged. 0: there
    /// is no index; SERVER and CONSUMER spans count one by one, and nothing else is judged.
    pub index_bytes_max: ByteSize,
    /// Most traces that are not settled yet. Over it, a sample of traces is judged.
    #[garde(range(min = 16, max = 10_000_000))]
    pub traces_live_max: u32,
    /// Most spans of a trace that are judged together. SERVER and CONSUMER spans beyond count one by one.
    #[garde(range(min = 4, max = 60_000))]
    pub trace_spans_max: u32,
    /// Operations at which a chain of spans may begin although they name a parent: it is out of view.
    #[garde(dive)]
    pub boundaries: Vec<Boundary>,
}

impl Default for CoverageSettings {
    fn default() -> Self {
        Self {
            trace_idle: Period::seconds(30),
            trace_age_max: Period::seconds(120),
            index_bytes_max: ByteSize::mib(256),
            traces_live_max: 200_000,
            trace_spans_max: 2_000,
            boundaries: Vec::new(),
        }
    }
}

/// What tenants are compared by, and what is allowed (`aggregator.leaks.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct LeakSettings {
    /// Calls between modules that may change the tenant.
    pub allow_edges: Vec<AllowedEdge>,
    /// Span names (with `*`) that are never compared: begun in another request's context.
    pub ignore_span_names: Vec<String>,
    /// Tenants that may act for others, with those others: a hierarchy, or tenants that were merged.
    pub parent_of: BTreeMap<String, Vec<String>>,
    /// How the owner of touched data is read from what a span names.
    #[garde(dive)]
    pub data_patterns: Vec<DataPattern>,
    /// Findings that are kept; the oldest go first.
    #[garde(range(min = 1, max = 1_000_000))]
    pub findings_max: u32,
}

/// A call that may change the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowedEdge {
    /// The calling module.
    pub from: String,
    /// The called module.
    pub to: String,
}

impl Default for LeakSettings {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            allow_edges: Vec::new(),
            ignore_span_names: texts(&["tcp.connect", "dns.lookup"]),
            parent_of: BTreeMap::new(),
            data_patterns: Vec::new(),
            findings_max: 4_096,
        }
    }
}
