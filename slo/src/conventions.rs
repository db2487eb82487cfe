//! Published names, spelled once: reserved ids, label and metric names, attribute keys that Bailiwick defines.

/// The tenant of items that claim none.
pub const TENANT_UNKNOWN: &str = "_unknown";
/// The tenant that takes what no tenant slot is left for.
pub const TENANT_OVERFLOW: &str = "_overflow";
/// The tenant of shared infrastructure.
pub const TENANT_SYSTEM: &str = "_system";
/// The module of items that name none.
pub const MODULE_UNKNOWN: &str = "_unknown";
/// The module and operation that take what no series is left for.
pub const OTHER: &str = "_other";
/// The route of an HTTP request whose framework reported none.
pub const UNROUTED: &str = "_unrouted";
/// The HTTP method that is none of the known ones.
pub const METHOD_OTHER: &str = "_OTHER";
/// The operation of a span without a name.
pub const OPERATION_UNKNOWN: &str = "unknown";

// Metric names.

/// Prefix of every metric family.
pub const METRIC_PREFIX: &str = "bailiwick_";
/// Requests by tenant, module, operation, type and outcome.
pub const REQUESTS_TOTAL: &str = "bailiwick_requests_total";
/// Histogram of successful requests' durations by tenant and module.
pub const REQUEST_DURATION_SECONDS: &str = "bailiwick_request_duration_seconds";
/// Duration quantiles by series, quantile (`q`) and window.
pub const REQUEST_DURATION_QUANTILE_SECONDS: &str = "bailiwick_request_duration_quantile_seconds";
/// Good by valid requests by tenant, module and window.
pub const REQUEST_SUCCESS_RATIO: &str = "bailiwick_request_success_ratio";
/// Series held by tenant.
pub const SERIES: &str = "bailiwick_series";
/// Requests sent to overflow by tenant and reason.
pub const SERIES_LIMITED_TOTAL: &str = "bailiwick_series_limited_total";
/// Items received by tenant and signal.
pub const INGEST_ITEMS_RECEIVED_TOTAL: &str = "bailiwick_ingest_items_received_total";
/// Items that count by tenant and signal.
pub const INGEST_ITEMS_ACCEPTED_TOTAL: &str = "bailiwick_ingest_items_accepted_total";
/// Items counted before by tenant and signal.
pub const INGEST_ITEMS_DUPLICATE_TOTAL: &str = "bailiwick_ingest_items_duplicate_total";
/// Items refused by tenant, signal and reason.
pub const INGEST_ITEMS_REJECTED_TOTAL: &str = "bailiwick_ingest_items_rejected_total";
/// Bytes that requests hold between socket and books.
pub const INGEST_INFLIGHT_BYTES: &str = "bailiwick_ingest_inflight_bytes";
/// The most of them.
pub const INGEST_INFLIGHT_BYTES_MAX: &str = "bailiwick_ingest_inflight_bytes_max";

/// The entry type of an operation (`sli.md` 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum EntryType {
    /// A SERVER span.
    Server = 0,
    /// A CONSUMER span.
    Consumer = 1,
    /// An INTERNAL root span.
    Job = 2,
    /// An INTERNAL span that enters another module.
    ModuleCall = 3,
}

impl EntryType {
    /// Every type in the order of its discriminant.
    pub const ALL: [Self; 4] = [Self::Server, Self::Consumer, Self::Job, Self::ModuleCall];

    /// The published name, the value of the label `type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Consumer => "consumer",
            Self::Job => "job",
            Self::ModuleCall => "module_call",
        }
    }
}
