//! The two spellings of sloth's definitions: `error_query` in `prometheus/v1`, `errorQuery` in its Kubernetes kind.

use crate::import::outline::keys::{Keys, Keys::Any, Keys::Dropped, Keys::Map, METADATA, STATUS};

/// How a definition spells its keys.
pub(super) struct Words {
    /// The objects with the definition begin at this key; `None`: at the root.
    pub(super) body: Option<&'static str>,
    pub(super) error_query: &'static str,
    pub(super) total_query: &'static str,
    pub(super) error_ratio_query: &'static str,
    pub(super) page_alert: &'static str,
    pub(super) ticket_alert: &'static str,
    /// All keys there are.
    pub(super) keys: &'static Keys,
}

/// `prometheus/v1`.
pub(super) const PLAIN: Words = Words {
    body: None,
    error_query: "error_query",
    total_query: "total_query",
    error_ratio_query: "error_ratio_query",
    page_alert: "page_alert",
    ticket_alert: "ticket_alert",
    keys: &Map(&[
        ("version", &Any),
        ("service", &Any),
        ("labels", &Any),
        ("slo_plugins", &PLUGINS),
        ("slos", &PLAIN_SLOS),
    ]),
};

/// `PrometheusServiceLevel`.
pub(super) const CLUSTER: Words = Words {
    body: Some("spec"),
    error_query: "errorQuery",
    total_query: "totalQuery",
    error_ratio_query: "errorRatioQuery",
    page_alert: "pageAlert",
    ticket_alert: "ticketAlert",
    keys: &Map(&[
        ("apiVersion", &Any),
        ("kind", &Any),
        ("metadata", &METADATA),
        ("status", &STATUS),
        ("spec", &Map(&[("service", &Any), ("labels", &Any), ("sloPlugins", &PLUGINS), ("slos", &CLUSTER_SLOS)])),
    ]),
};

const PLUGINS: Keys = Dropped("plugins change what sloth generates");
const RULES: Keys = Dropped("nothing is recorded by rules here");
const LABELS: Keys = Dropped("an incident has the labels of its SLO");
const NAME: Keys = Dropped("an incident is named by its SLO");

const ALERT: Keys = Map(&[("disable", &Any), ("labels", &LABELS), ("annotations", &Any)]);

const PLAIN_SLI: Keys = Map(&[
    ("events", &Map(&[("error_query", &Any), ("total_query", &Any)])),
    ("raw", &Map(&[("error_ratio_query", &Any)])),
    ("plugin", &Map(&[("id", &Any), ("options", &Any)])),
]);
const CLUSTER_SLI: Keys = Map(&[
    ("events", &Map(&[("errorQuery", &Any), ("totalQuery", &Any)])),
    ("raw", &Map(&[("errorRatioQuery", &Any)])),
    ("plugin", &Map(&[("id", &Any), ("options", &Any)])),
]);
const PLAIN_ALERTING: Keys = Map(&[
    ("name", &NAME),
    ("labels", &LABELS),
    ("annotations", &Any),
    ("page_alert", &ALERT),
    ("ticket_alert", &ALERT),
]);
const CLUSTER_ALERTING: Keys =
    Map(&[("name", &NAME), ("labels", &LABELS), ("annotations", &Any), ("pageAlert", &ALERT), ("ticketAlert", &ALERT)]);
const PLAIN_SLOS: Keys = Map(&[
    ("name", &Any),
    ("description", &Any),
    ("objective", &Any),
    ("labels", &Any),
    ("interval", &RULES),
    ("plugins", &PLUGINS),
    ("sli", &PLAIN_SLI),
    ("alerting", &PLAIN_ALERTING),
]);
const CLUSTER_SLOS: Keys = Map(&[
    ("name", &Any),
    ("description", &Any),
    ("objective", &Any),
    ("labels", &Any),
    ("interval", &RULES),
    ("plugins", &PLUGINS),
    ("sli", &CLUSTER_SLI),
    ("alerting", &CLUSTER_ALERTING),
]);
