//! What a scenario says must be seen.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::moment::Moment;

pub(super) type Counts = BTreeMap<String, u64>;

/// A moment before the last one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Look {
    pub(super) at: Moment,
    pub(super) expect: Spanned<Expect>,
}

/// The first group is complete: what is seen and not written is a failure. Of the second, each list that is written is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) series: Vec<Spanned<Series>>,
    /// Spans inside another request of their module, by module.
    pub(super) nested: Option<Spanned<Counts>>,
    /// Spans that may be requests, by module.
    pub(super) uncertain: Option<Spanned<Counts>>,
    /// INTERNAL spans that the index did not judge, by module.
    pub(super) unjudged: Option<Spanned<Counts>>,
    /// Open gaps by module and kind.
    pub(super) gaps: Option<Spanned<BTreeMap<String, Counts>>>,
    /// Requests taken back, by module and reason; reason `any` stands for the sum.
    pub(super) corrections: Option<Spanned<BTreeMap<String, Counts>>>,
    pub(super) findings: Vec<Spanned<Finding>>,
    /// Spans that end before they start, by tenant.
    pub(super) clock_anomalies: Option<Spanned<Counts>>,

    /// Gaps that were ever counted, by module and kind.
    pub(super) gaps_counted: Option<Spanned<BTreeMap<String, Counts>>>,
    pub(super) coverage: Vec<Spanned<Coverage>>,
    /// `connected`, `broken`, `to_connected`, `to_broken`, `live`.
    pub(super) settled: Option<Spanned<Counts>>,
    pub(super) edges: Option<Vec<Spanned<Edge>>>,
    /// Spans by tenant.
    pub(super) books: Option<Spanned<BTreeMap<String, Book>>>,
    /// Requests by tenant source, for each module.
    pub(super) sources: Option<Spanned<BTreeMap<String, Counts>>>,
    /// Compared pairs by module.
    pub(super) hops_checked: Option<Spanned<Counts>>,
    /// Pairs that could not be compared, by reason.
    pub(super) hops_unverifiable: Option<Spanned<Counts>>,
    /// Entry spans by where their weight comes from.
    pub(super) weights: Option<Spanned<Counts>>,
    /// Warnings in all answers.
    pub(super) warnings: Option<Spanned<Counts>>,
}

/// Requests that count in the slots, by outcome.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Series {
    #[serde(default = "acme")]
    pub(super) tenant: String,
    pub(super) module: String,
    pub(super) operation: String,
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) success: u64,
    #[serde(default)]
    pub(super) failure: u64,
    #[serde(default)]
    pub(super) client_error: u64,
    #[serde(default)]
    pub(super) cancelled: u64,
    #[serde(default)]
    pub(super) excluded: u64,
    /// Entry spans, not adjusted for sampling; else as many as requests.
    #[serde(default)]
    pub(super) spans: Option<u64>,
    /// Requests by the begin of their slot; checked if written.
    #[serde(default)]
    pub(super) slots: Option<Counts>,
}

fn acme() -> String {
    "acme".to_owned()
}

impl Series {
    pub(super) fn outcomes(&self) -> [(&'static str, u64); 5] {
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
pub(super) struct Coverage {
    #[serde(default)]
    pub(super) tenant: Option<String>,
    #[serde(default)]
    pub(super) module: Option<String>,
    /// Figures (`C2: 1/2`) and counts (`multi_root: 3`) by name.
    pub(super) figures: BTreeMap<String, serde_json::Value>,
}

/// One finding; only what is written is checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finding {
    pub(super) rules: Vec<String>,
    #[serde(default)]
    pub(super) verdict: Option<String>,
    #[serde(default)]
    pub(super) severity: Option<String>,
    #[serde(default)]
    pub(super) parent: Option<String>,
    #[serde(default)]
    pub(super) module: Option<String>,
    #[serde(default)]
    pub(super) operation: Option<String>,
    #[serde(default)]
    pub(super) expected: Option<String>,
    #[serde(default)]
    pub(super) observed: Option<String>,
    #[serde(default)]
    pub(super) count: Option<u64>,
}

/// An edge of the service graph.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edge {
    #[serde(default = "acme")]
    pub(super) tenant: String,
    pub(super) from: String,
    pub(super) to: String,
    #[serde(default)]
    pub(super) kind: String,
    pub(super) requests: u64,
    #[serde(default)]
    pub(super) failures: u64,
    #[serde(default)]
    pub(super) unmatched: u64,
    /// The longest duration, to 1 %; checked if written, as is the next one.
    #[serde(default)]
    pub(super) lasts: Option<Moment>,
    /// The longest wait of a message, to 1 %; 0: none is known.
    #[serde(default)]
    pub(super) waits: Option<Moment>,
}

/// Books of a tenant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Book {
    pub(super) received: u64,
    pub(super) accepted: u64,
    #[serde(default)]
    pub(super) duplicates: u64,
    /// By reason.
    #[serde(default)]
    pub(super) rejected: Counts,
}
