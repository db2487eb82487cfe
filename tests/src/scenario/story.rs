//! What a scenario says happens: services, traces, what is sent when.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::expectation::{Expect, Look};
use super::moment::Moment;

pub(super) type Attributes = BTreeMap<String, Value>;

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Collection {
    pub(super) scenarios: Vec<Spanned<Scenario>>,
}

/// One story and its end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    /// Rows of the page that it proves.
    pub(super) rule: Vec<String>,
    /// In the daemon's own format.
    #[serde(default)]
    pub(super) config: Value,
    /// Resource attributes by the name that spans call the service by.
    #[serde(default)]
    pub(super) services: BTreeMap<String, Attributes>,
    pub(super) traces: Vec<Trace>,
    /// Spans that are named here arrive as said here, and not when they end.
    #[serde(default)]
    pub(super) sends: Vec<Send>,
    /// Moments before the last one.
    #[serde(default)]
    pub(super) looks: Vec<Spanned<Look>>,
    #[serde(default)]
    pub(super) look_at: Option<Moment>,
    pub(super) expect: Spanned<Expect>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trace {
    /// How many traces like this there are.
    #[serde(default = "once")]
    pub(super) copies: u32,
    pub(super) spans: Vec<Span>,
}

const fn once() -> u32 {
    1
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    /// What the scenario calls it; also its OTLP name unless `name` or `route` say otherwise.
    pub(super) span: String,
    #[serde(default)]
    pub(super) of: Option<String>,
    #[serde(default)]
    pub(super) scope: Scope,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) parent: Option<String>,
    #[serde(default)]
    pub(super) parent_is: Option<Origin>,
    /// `bailiwick.module`.
    #[serde(default)]
    pub(super) module: Option<String>,
    /// `tenant.id`.
    #[serde(default)]
    pub(super) tenant: Option<String>,
    /// `bailiwick.operation`.
    #[serde(default)]
    pub(super) operation: Option<String>,
    /// `http.request.method` and `http.route`: `GET /chat`.
    #[serde(default)]
    pub(super) route: Option<String>,
    /// `http.response.status_code`.
    #[serde(default)]
    pub(super) code: Option<i64>,
    #[serde(default)]
    pub(super) status: Status,
    #[serde(default)]
    pub(super) attributes: Attributes,
    #[serde(default)]
    pub(super) tracestate: String,
    #[serde(default = "sampled")]
    pub(super) sampled: bool,
    #[serde(default)]
    pub(super) links: Vec<String>,
    /// Names of events.
    #[serde(default)]
    pub(super) events: Vec<String>,
    #[serde(default)]
    pub(super) ends: Option<Moment>,
    #[serde(default)]
    pub(super) lasts: Option<Moment>,
    #[serde(default)]
    pub(super) arrives: Option<Moment>,
    /// It is never sent.
    #[serde(default)]
    pub(super) lost: bool,
    /// Another span whose ids it has.
    #[serde(default)]
    pub(super) same_id_as: Option<String>,
}

const fn sampled() -> bool {
    true
}

/// Instrumentation scope.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scope {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) attributes: Attributes,
}

/// The discriminants are OTLP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
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
pub(super) enum Status {
    #[default]
    Unset = 0,
    Ok = 1,
    Error = 2,
}

/// What a span's flags say about its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Origin {
    /// No flags at all, as old SDKs send.
    Unknown,
    Local,
    Remote,
}

/// One OTLP request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Send {
    pub(super) at: Moment,
    pub(super) spans: Vec<String>,
    /// The tenant of the credential.
    #[serde(default)]
    pub(super) auth: String,
}
