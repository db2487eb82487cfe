//! What operators may set about items: limits, lateness, requests. [`Rules`] is what the observer makes of it.

mod spans;

use std::sync::Arc;

use arc_swap::ArcSwap;
use bailiwick_slo::taps::Taps;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tenancy;
use crate::units::{ByteSize, Period};

pub use spans::{Boundary, DataAttribute, DataPattern, Position, SamplingSettings};

/// Maxima of a request and of the memory that requests may hold (`limits.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct LimitSettings {
    /// Most bytes of a body, as received and as inflated. Over it: 413.
    pub body_bytes_max: ByteSize,
    /// Most bytes of output per byte of input once output passes 1 MiB. Over it: 413.
    #[garde(range(min = 1, max = 10_000))]
    pub inflate_ratio_max: u32,
    /// Bytes that all requests together may hold from socket to books. Over it: 503, come back.
    pub inflight_bytes_max: ByteSize,
    /// Most spans or data points of a request. Over it: 413.
    #[garde(range(min = 1, max = 16_777_216))]
    pub items_max: u32,
    /// Most resources, scopes and metrics of a request. Over it: 413.
    #[garde(range(min = 1, max = 1_048_576))]
    pub containers_max: u32,
    /// Most attributes of an item, resource or scope. Over it: the item is refused.
    #[garde(range(min = 1, max = 65_536))]
    pub attributes_max: u32,
    /// Links of a span that are kept.
    #[garde(range(max = 255))]
    pub links_max: u32,
    /// Most buckets of a histogram point. Over it: the point is refused.
    #[garde(range(min = 1, max = 65_536))]
    pub buckets_max: u32,
    /// Most distinct strings of a request; further ones read `_other`.
    #[garde(range(min = 16, max = 1_048_576))]
    pub strings_max: u32,
    /// Most bytes of them.
    pub string_bytes_max: ByteSize,
    /// Most levels of unknown protobuf groups. Over it: 400.
    #[garde(range(min = 1, max = 100))]
    pub groups_max: u32,
    /// Most bytes of an operation, module, peer or error type; the rest is cut at a character.
    #[garde(range(min = 16, max = 4_096))]
    pub label_bytes_max: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            body_bytes_max: ByteSize::mib(64),
            inflate_ratio_max: 200,
            inflight_bytes_max: ByteSize::mib(256),
            items_max: 262_144,
            containers_max: 65_536,
            attributes_max: 1_024,
            links_max: 32,
            buckets_max: 2_048,
            strings_max: 65_536,
            string_bytes_max: ByteSize::mib(8),
            groups_max: 16,
            label_bytes_max: 256,
        }
    }
}

/// How far from now an item may end (`ingest.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct IngestSettings {
    /// How long after its end an item is still counted, in the slot of its end; at most 2h.
    #[garde(custom(at_most_two_hours))]
    pub late_accept: Period,
    /// How far ahead of our clock an item may end.
    #[garde(custom(at_most_two_hours))]
    pub future_accept: Period,
}

impl IngestSettings {
    /// Why an item that ends (a point: is taken) at `time_ns` is refused now, if it is.
    #[must_use]
    #[inline]
    pub fn judge(&self, time_ns: u64, now_ns: u64) -> Option<super::report::Reason> {
        if time_ns < now_ns.saturating_sub(self.late_accept.nanos()) {
            Some(super::report::Reason::TooLate)
        } else if time_ns > now_ns.saturating_add(self.future_accept.nanos()) {
            Some(super::report::Reason::Future)
        } else {
            None
        }
    }
}

fn at_most_two_hours(period: &Period, (): &()) -> garde::Result {
    if *period <= Period::seconds(7_200) {
        Ok(())
    } else {
        Err(garde::Error::new(format!("{period} is longer than 2h")))
    }
}

impl Default for IngestSettings {
    fn default() -> Self {
        Self { late_accept: Period::seconds(600), future_accept: Period::seconds(60) }
    }
}

/// Which spans are requests and what became of them (`aggregator.requests.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct RequestSettings {
    /// Span names (with `*`) that are never requests: ASGI's per-message spans.
    pub ignore_span_names: Vec<String>,
    /// Operations (with `*`) outside every SLI: health checks and scrapes.
    pub exclude: Vec<String>,
    /// Values of `error.type` that mean that the caller went away.
    pub cancel_error_types: Vec<String>,
    /// What a SERVER span of status ERROR with an HTTP 4xx code is: `failure`, or `client_error` for old SDKs that
    /// mark every 4xx.
    pub server_4xx_error: FourXxError,
    /// Which of nested SERVER and CONSUMER spans of one module count: the `outermost`, or `all`.
    pub nested: Nested,
    /// INTERNAL spans whose parent never came: `exclude`, or `count` them as calls of their module.
    pub uncertain: Uncertain,
    /// Whether a CLIENT span that receives messages is a request when no CONSUMER span processes them.
    pub receive: bool,
}

/// Which of nested SERVER and CONSUMER spans of one module count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nested {
    /// The outermost one: what is inside belongs to the same request.
    Outermost,
    /// All of them.
    All,
}

/// What becomes of INTERNAL spans whose parent never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Uncertain {
    /// They are counted as uncertain and are no requests.
    Exclude,
    /// They are requests.
    Count,
}

/// What a SERVER span of status ERROR with an HTTP 4xx code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FourXxError {
    /// The platform's fault, as OpenTelemetry's conventions say.
    Failure,
    /// The caller's fault.
    ClientError,
}

impl Default for RequestSettings {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            ignore_span_names: texts(&["* http send", "* http receive", "* websocket *"]),
            exclude: texts(&["GET /health*", "GET /livez", "GET /readyz", "GET /metrics"]),
            cancel_error_types: texts(&[
                "context.Canceled",
                "AbortError",
                "CancelledError",
                "asyncio.CancelledError",
                "OperationCanceledException",
                "CANCELLED",
            ]),
            server_4xx_error: FourXxError::Failure,
            nested: Nested::Outermost,
            uncertain: Uncertain::Exclude,
            receive: false,
        }
    }
}

/// All that the observer needs to know, made once from the settings.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Maxima.
    pub limits: LimitSettings,
    /// Lateness.
    pub ingest: IngestSettings,
    /// Requests and outcomes.
    pub requests: RequestSettings,
    /// What sampled spans stand for.
    pub sampling: SamplingSettings,
    /// Where chains may begin.
    pub boundaries: Vec<Boundary>,
    /// Whose data spans touch.
    pub data_patterns: Vec<DataPattern>,
    /// Counters of gateways that count requests, by metric name.
    pub gateway_counters: Vec<String>,
    /// Tenant claims.
    pub tenancy: tenancy::Settings,
    /// Module claims.
    pub modules: tenancy::ModuleSettings,
    /// What SLOs read from metrics. Taps may be appended while observers run: each request goes by those of its
    /// beginning. Whoever counts must know a tap before it stands here.
    pub taps: Arc<ArcSwap<Taps>>,
}
