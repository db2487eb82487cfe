//! What a scenario says must be seen.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::moment::Moment;

pub(in crate::scenario) type Counts = BTreeMap<String, u64>;

/// A moment before the last one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Look {
    pub(in crate::scenario) at: Moment,
    pub(in crate::scenario) expect: Spanned<Expect>,
}

/// The first group is complete: what is seen and not written is a failure. Of the second, each list that is written is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::scenario) struct Expect {
    pub(in crate::scenario) series: Vec<Spanned<Series>>,
    /// Spans inside another request of their module, by module.
    pub(in crate::scenario) nested: Option<Spanned<Counts>>,
    /// Spans that may be requests, by module.
    pub(in crate::scenario) uncertain: Option<Spanned<Counts>>,
    /// INTERNAL spans that the index did not judge, by module.
    pub(in crate::scenario) unjudged: Option<Spanned<Counts>>,
    /// Open gaps by module and kind.
    pub(in crate::scenario) gaps: Option<Spanned<BTreeMap<String, Counts>>>,
    /// Requests taken back, by module and reason; reason `any` stands for the sum.
    pub(in crate::scenario) corrections: Option<Spanned<BTreeMap<String, Counts>>>,
    pub(in crate::scenario) findings: Vec<Spanned<Finding>>,
    /// Spans that end before they start, by tenant.
    pub(in crate::scenario) clock_anomalies: Option<Spanned<Counts>>,

    /// Gaps that were ever counted, by module and kind.
    pub(in crate::scenario) gaps_counted: Option<Spanned<BTreeMap<String, Counts>>>,
    pub(in crate::scenario) coverage: Vec<Spanned<Coverage>>,
    /// `connected`, `broken`, `to_connected`, `to_broken`, `live`.
    pub(in crate::scenario) settled: Option<Spanned<Counts>>,
    pub(in crate::scenario) edges: Option<Vec<Spanned<Edge>>>,
    /// Spans by tenant.
    pub(in crate::scenario) books: Option<Spanned<BTreeMap<String, Book>>>,
    /// Requests by tenant source, for each module.
    pub(in crate::scenario) sources: Option<Spanned<BTreeMap<String, Counts>>>,
    /// Compared pairs by module.
    pub(in crate::scenario) hops_checked: Option<Spanned<Counts>>,
    /// Pairs that could not be compared, by reason.
    pub(in crate::scenario) hops_unverifiable: Option<Spanned<Counts>>,
    /// Entry spans by where their weight comes from.
    pub(in crate::scenario) weights: Option<Spanned<Counts>>,
    /// Warnings in all answers.
    pub(in crate::scenario) warnings: Option<Spanned<Counts>>,
}

/// Requests that count in the slots, by outcome.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Series {
    #[serde(default = "acme")]
    pub(in crate::scenario) tenant: String,
    pub(in crate::scenario) module: String,
    pub(in crate::scenario) operation: String,
    pub(in crate::scenario) r#type: String,
    #[serde(default)]
    pub(in crate::scenario) success: u64,
    #[serde(default)]
    pub(in crate::scenario) failure: u64,
    #[serde(default)]
    pub(in crate::scenario) client_error: u64,
    #[serde(default)]
    pub(in crate::scenario) cancelled: u64,
    #[serde(default)]
    pub(in crate::scenario) excluded: u64,
    /// Entry spans, not adjusted for sampling; else as many as requests.
    #[serde(default)]
    pub(in crate::scenario) spans: Option<u64>,
    /// Messages in its batches; checked if written.
    #[serde(default)]
    pub(in crate::scenario) messages: Option<u64>,
    /// Requests by the begin of their slot; checked if written.
    #[serde(default)]
    pub(in crate::scenario) slots: Option<Counts>,
}

fn acme() -> String {
    "acme".to_owned()
}

impl Series {
    pub(in crate::scenario) fn outcomes(&self) -> [(&'static str, u64); 5] {
        [
            ("success", self.success),
            ("failure", self.failure),
            ("client_error", self.client_error),
            ("cancelled", self.cancelled),
            ("excluded", self.excluded),
        ]
    }
}

/// Figures over all tenants and modules, or those named; only what is written is checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Coverage {
    #[serde(default)]
    pub(in crate::scenario) tenant: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) module: Option<String>,
    /// Figures (`C2: 1/2`) and counts (`multi_root: 3`) by name.
    pub(in crate::scenario) figures: BTreeMap<String, serde_json::Value>,
}

/// One finding; only what is written is checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Finding {
    pub(in crate::scenario) rules: Vec<String>,
    #[serde(default)]
    pub(in crate::scenario) verdict: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) severity: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) parent: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) module: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) operation: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) expected: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) observed: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) count: Option<u64>,
}

/// An edge of the service graph.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Edge {
    #[serde(default = "acme")]
    pub(in crate::scenario) tenant: String,
    pub(in crate::scenario) from: String,
    pub(in crate::scenario) to: String,
    #[serde(default)]
    pub(in crate::scenario) kind: String,
    pub(in crate::scenario) requests: u64,
    #[serde(default)]
    pub(in crate::scenario) failures: u64,
    #[serde(default)]
    pub(in crate::scenario) unmatched: u64,
    /// The longest duration, to 1 %; checked if written, as is the next one.
    #[serde(default)]
    pub(in crate::scenario) lasts: Option<Moment>,
    /// The longest wait of a message, to 1 %; 0: none is known.
    #[serde(default)]
    pub(in crate::scenario) waits: Option<Moment>,
}

/// Books of a tenant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Book {
    pub(in crate::scenario) received: u64,
    pub(in crate::scenario) accepted: u64,
    #[serde(default)]
    pub(in crate::scenario) duplicates: u64,
    /// By reason.
    #[serde(default)]
    pub(in crate::scenario) rejected: Counts,
}
