//! What a scenario says happens: services, traces, what is sent when.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::expectation::{Expect, Look};
use super::moment::Moment;

pub(in crate::scenario) type Attributes = BTreeMap<String, Value>;

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Collection {
    pub(in crate::scenario) scenarios: Vec<Spanned<Scenario>>,
}

/// One story and its end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Scenario {
    pub(in crate::scenario) name: String,
    /// Rows of the page that it proves.
    pub(in crate::scenario) rule: Vec<String>,
    /// In the daemon's own format.
    #[serde(default)]
    pub(in crate::scenario) config: Value,
    /// Resource attributes by the name that spans call the service by.
    #[serde(default)]
    pub(in crate::scenario) services: BTreeMap<String, Attributes>,
    #[serde(default)]
    pub(in crate::scenario) traces: Vec<Trace>,
    /// Spans that are named here arrive as said here, and not when they end.
    #[serde(default)]
    pub(in crate::scenario) sends: Vec<Send>,
    /// Points of metrics.
    #[serde(default)]
    pub(in crate::scenario) metrics: Vec<Metric>,
    /// Moments before the last one.
    #[serde(default)]
    pub(in crate::scenario) looks: Vec<Spanned<Look>>,
    #[serde(default)]
    pub(in crate::scenario) look_at: Option<Moment>,
    pub(in crate::scenario) expect: Spanned<Expect>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Trace {
    /// How many traces like this there are.
    #[serde(default = "once")]
    pub(in crate::scenario) copies: u32,
    pub(in crate::scenario) spans: Vec<Span>,
}

const fn once() -> u32 {
    1
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Span {
    /// What the scenario calls it; also its OTLP name unless `name` or `route` say otherwise.
    pub(in crate::scenario) span: String,
    #[serde(default)]
    pub(in crate::scenario) of: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) scope: Scope,
    #[serde(default)]
    pub(in crate::scenario) name: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) kind: Kind,
    #[serde(default)]
    pub(in crate::scenario) parent: Option<String>,
    #[serde(default)]
    pub(in crate::scenario) parent_is: Option<Origin>,
    /// `bailiwick.module`.
    #[serde(default)]
    pub(in crate::scenario) module: Option<String>,
    /// `tenant.id`.
    #[serde(default)]
    pub(in crate::scenario) tenant: Option<String>,
    /// `bailiwick.operation`.
    #[serde(default)]
    pub(in crate::scenario) operation: Option<String>,
    /// `http.request.method` and `http.route`: `GET /chat`.
    #[serde(default)]
    pub(in crate::scenario) route: Option<String>,
    /// `http.response.status_code`.
    #[serde(default)]
    pub(in crate::scenario) code: Option<i64>,
    #[serde(default)]
    pub(in crate::scenario) status: Status,
    #[serde(default)]
    pub(in crate::scenario) attributes: Attributes,
    #[serde(default)]
    pub(in crate::scenario) tracestate: String,
    #[serde(default = "sampled")]
    pub(in crate::scenario) sampled: bool,
    #[serde(default)]
    pub(in crate::scenario) links: Vec<String>,
    /// Names of events.
    #[serde(default)]
    pub(in crate::scenario) events: Vec<String>,
    #[serde(default)]
    pub(in crate::scenario) ends: Option<Moment>,
    #[serde(default)]
    pub(in crate::scenario) lasts: Option<Moment>,
    #[serde(default)]
    pub(in crate::scenario) arrives: Option<Moment>,
    /// It is never sent.
    #[serde(default)]
    pub(in crate::scenario) lost: bool,
    /// Another span whose ids it has.
    #[serde(default)]
    pub(in crate::scenario) same_id_as: Option<String>,
}

const fn sampled() -> bool {
    true
}

/// Instrumentation scope.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Scope {
    #[serde(default)]
    pub(in crate::scenario) name: String,
    #[serde(default)]
    pub(in crate::scenario) attributes: Attributes,
}

/// The discriminants are OTLP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum Kind {
    Unspecified = 0,
    #[default]
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

/// The discriminants are OTLP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum Status {
    #[default]
    Unset = 0,
    Ok = 1,
    Error = 2,
}

/// What a span's flags say about its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::scenario) enum Origin {
    /// No flags at all, as old SDKs send.
    Unknown,
    Local,
    Remote,
}

/// One OTLP request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Send {
    pub(in crate::scenario) at: Moment,
    pub(in crate::scenario) spans: Vec<String>,
    /// The tenant of the credential.
    #[serde(default)]
    pub(in crate::scenario) auth: String,
}

/// One point of a histogram that counts requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scenario) struct Metric {
    /// Its time.
    pub(in crate::scenario) at: Moment,
    /// Else it arrives at its time.
    #[serde(default)]
    pub(in crate::scenario) arrives: Option<Moment>,
    #[serde(default)]
    pub(in crate::scenario) starts: Moment,
    #[serde(default)]
    pub(in crate::scenario) of: Option<String>,
    pub(in crate::scenario) name: String,
    #[serde(default = "seconds")]
    pub(in crate::scenario) unit: String,
    pub(in crate::scenario) count: u64,
    /// Delta, and not cumulative.
    #[serde(default)]
    pub(in crate::scenario) delta: bool,
    #[serde(default)]
    pub(in crate::scenario) attributes: Attributes,
}

fn seconds() -> String {
    "s".to_owned()
}
