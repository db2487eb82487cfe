//! Every metric family that `/metrics` may show: name, type, labels, help. Names change only with a changelog entry.
//!
//! The table is the published list (`collector/metrics.md` is made from it). It never holds a value.

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only grows.
    Counter,
    /// A figure of the moment.
    Gauge,
    /// Classic histogram in seconds.
    Histogram,
}

impl Kind {
    /// The word of TYPE lines.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What `?collect=` selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Figures of tenants' requests.
    Requests,
    /// What traces show, and what they do not.
    Coverage,
    /// Promises, budgets, incidents.
    Slo,
    /// Calls and spans under the names of Tempo's metrics generator.
    Graph,
    /// Figures of the daemon itself.
    Own,
}

impl Group {
    /// Every group.
    pub(crate) const ALL: [Self; 5] = [Self::Requests, Self::Coverage, Self::Slo, Self::Graph, Self::Own];

    /// The word in `?collect=`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Coverage => "coverage",
            Self::Slo => "slo",
            Self::Graph => "graph",
            Self::Own => "self",
        }
    }
}

/// Who holds the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This room, from a snapshot or the process.
    Figures,
    /// The recorder: other rooms count as they work.
    Recorder,
}

/// One family as it is published.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// The whole name, unit and `_total` included.
    pub(crate) name: &'static str,
    /// Its type.
    pub(crate) kind: Kind,
    /// Label names in the order of a sample's values; overflow series have `otel_metric_overflow` besides.
    pub(crate) labels: &'static [&'static str],
    /// The text of its HELP line: no backslash, no line feed.
    pub(crate) help: &'static str,
    /// What selects it.
    pub(crate) group: Group,
    /// Who holds its samples.
    pub(crate) origin: Origin,
}

/// Units that a name may end with (before `_total`).
const UNITS: [&str; 3] = ["seconds", "bytes", "ratio"];

/// The unit at the end of a family's name, if it has one.
pub(crate) fn unit_of(name: &str) -> Option<&'static str> {
    let stem = name.strip_suffix("_total").unwrap_or(name);
    UNITS.into_iter().find(|unit| stem.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')))
}

const R: &[&str] = &["tenant", "module", "operation", "type"];

/// Labels of an instance of an SLO.
const S: &[&str] = &["tenant", "module", "slo"];

/// Labels of a figure that such an instance has for each window.
const S_WINDOW: &[&str] = &["tenant", "module", "slo", "window"];

/// Labels of Tempo's service graph, and the tenant.
const EDGE: &[&str] =
    &["tenant", "client", "server", "client_service_namespace", "server_service_namespace", "connection_type"];

/// Labels of Tempo's span metrics, and the tenant.
const SPAN: &[&str] = &["tenant", "service", "span_name", "span_kind", "status_code"];

const fn figures(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Descriptor {
    Descriptor { name, kind, labels, help, group: Group::Requests, origin: Origin::Figures }
}

const fn traced(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Descriptor {
    Descriptor { name, kind, labels, help, group: Group::Coverage, origin: Origin::Figures }
}

const fn promised(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Descriptor {
    Descriptor { name, kind, labels, help, group: Group::Slo, origin: Origin::Figures }
}

const fn tempo(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Descriptor {
    Descriptor { name, kind, labels, help, group: Group::Graph, origin: Origin::Figures }
}

const fn own(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Descriptor {
    Descriptor { name, kind, labels, help, group: Group::Own, origin: Origin::Figures }
}

const fn recorded(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Descriptor {
    Descriptor { name, kind, labels, help, group: Group::Own, origin: Origin::Recorder }
}

macro_rules! families {
    ($($place:ident = $make:ident($name:literal, $kind:ident, $labels:expr, $help:literal);)+) => {
        $(pub(crate) static $place: Descriptor = $make($name, Kind::$kind, $labels, $help);)+
        /// Every family, in the order in which documents show them.
        pub(crate) static ALL: &[&Descriptor] = &[$(&$place),+];
    };
}

families! {
    REQUESTS = figures("bailiwick_requests_total", Counter, &["tenant", "module", "operation", "type", "outcome"],
        "Requests by outcome, adjusted for sampling");
    REQUEST_SPANS = figures("bailiwick_request_spans_total", Counter, R, "Entry spans counted, not adjusted");
    REQUEST_DURATION = figures("bailiwick_request_duration_seconds", Histogram, &["tenant", "module"],
        "Duration of successful requests with a valid duration");
    REQUEST_QUANTILE = figures("bailiwick_request_duration_quantile_seconds", Gauge,
        &["tenant", "module", "operation", "type", "q", "window"],
        "Duration quantile (0.5, 0.9, 0.99) over the window (5m)");
    REQUEST_SUCCESS = figures("bailiwick_request_success_ratio", Gauge, &["tenant", "module", "window"],
        "Good by valid requests over the window (5m, 1h, 1d)");
    REQUESTS_IN_FLIGHT = figures("bailiwick_requests_in_flight", Gauge, &["tenant", "module"],
        "Requests under way, as metrics of the platform say");
    POINTS_UNUSED = figures("bailiwick_metric_points_unused_total", Counter, &["tenant"],
        "Metric points accepted and not used");
    MESSAGES = figures("bailiwick_messages_total", Counter, R, "Messages of batches that were processed");
    CLOCK_ANOMALIES = figures("bailiwick_span_clock_anomalies_total", Counter, &["tenant"],
        "Spans ending before they start");
    REQUEST_CORRECTIONS = traced("bailiwick_request_corrections_total", Counter, &["module", "reason"],
        "Requests taken out of their slots again, by reason");
    SPAN_WEIGHTS = traced("bailiwick_span_weights_total", Counter, &["source"], "Spans by where their weight comes from");
    COVERAGE_RATIO = traced("bailiwick_trace_coverage_ratio", Gauge, &["tenant", "module", "figure"],
        "Coverage figure (TC C1 C1r C2 C3 C3t C4 C4e C5 C6 C7 C8) over the window (5m)");
    COVERAGE_STATE = traced("bailiwick_trace_coverage_state", Gauge, &["tenant", "module", "state"],
        "Whether coverage is measured and why not");
    COVERAGE_EVALUATED = traced("bailiwick_coverage_evaluated_ratio", Gauge, &[], "Share of traces the index judges");
    TRACES_SETTLED = traced("bailiwick_traces_settled_total", Counter, &["verdict"], "Traces judged, as judged first");
    TRACES_REVISED = traced("bailiwick_traces_revised_total", Counter, &["from", "to"],
        "Verdicts changed by late spans");
    TRACE_GAPS = traced("bailiwick_trace_gaps_total", Counter, &["kind", "module"],
        "What broke chains of spans, by the module that shows it");
    LEAK_FINDINGS = traced("bailiwick_tenant_leak_findings_total", Counter, &["rule", "verdict", "module"],
        "Spans that a leak rule fired on");
    HOPS_CHECKED = traced("bailiwick_tenant_hops_checked_total", Counter, &["module"],
        "Pairs of explicit tenants compared, and spans with a tenant of data");
    ANONYMOUS = traced("bailiwick_tenant_anonymous_requests_total", Counter, &["module"],
        "Requests that no tenant was found for");
    HOPS_UNVERIFIABLE = traced("bailiwick_tenant_hops_unverifiable_total", Counter, &["reason"],
        "Spans whose tenant could not be compared with their parent's");

    SLO_INFO = promised("bailiwick_slo_info", Gauge, &["tenant", "module", "slo", "window", "method", "revision"],
        "Definition in force");
    SLO_OBJECTIVE = promised("bailiwick_slo_objective_ratio", Gauge, S, "Share of good events that is promised");
    SLO_SLI = promised("bailiwick_slo_sli_ratio", Gauge, S_WINDOW, "Good by valid events over the window");
    SLO_EVENTS = promised("bailiwick_slo_events_total", Counter, &["tenant", "module", "slo", "result"],
        "Events, good or bad");
    SLO_BUDGET_REMAINING = promised("bailiwick_slo_error_budget_remaining_ratio", Gauge, S,
        "Error budget left, negative when overspent");
    SLO_BUDGET_EVENTS = promised("bailiwick_slo_error_budget_events", Gauge, &["tenant", "module", "slo", "part"],
        "Error budget in events (allowed, spent)");
    SLO_BURN_RATE = promised("bailiwick_slo_burn_rate", Gauge, S_WINDOW,
        "How many times as fast as allowed the error budget is spent over the window");
    SLO_BURN_THRESHOLD = promised("bailiwick_slo_burn_rate_threshold", Gauge,
        &["tenant", "module", "slo", "severity", "window"], "Burn rate above which the tier fires");
    SLO_EXHAUSTION = promised("bailiwick_slo_budget_exhaustion_seconds", Gauge, S,
        "Time until the budget is spent at the present burn; absent when never");
    SLO_MEASURED = promised("bailiwick_slo_measured_ratio", Gauge, S, "Share of the period that is measured");
    SLO_STATE = promised("bailiwick_slo_state", Gauge, &["tenant", "module", "slo", "state"],
        "State (critical increasing recovering acceptable exhausted insufficient frozen maintenance no_data)");
    SLO_ALERT_FIRING = promised("bailiwick_slo_alert_firing", Gauge, &["tenant", "module", "slo", "severity"],
        "1 while the severity fires, else 0");
    SLO_EVALUATED = promised("bailiwick_slo_evaluated_timestamp_seconds", Gauge, S, "Data time of the last evaluation");
    INCIDENTS_OPEN = promised("bailiwick_incidents_open", Gauge, &["tenant", "severity"], "Open incidents by level");
    INCIDENT_EVENTS = promised("bailiwick_incident_events_total", Counter, &["tenant", "event"],
        "Events of incidents");

    EDGE_REQUESTS = tempo("traces_service_graph_request_total", Counter, EDGE, "Calls between modules and to peers");
    EDGE_FAILED = tempo("traces_service_graph_request_failed_total", Counter, EDGE, "Calls that failed");
    EDGE_SERVER = tempo("traces_service_graph_request_server_seconds", Histogram, EDGE,
        "Duration of calls as the called side saw it");
    EDGE_CLIENT = tempo("traces_service_graph_request_client_seconds", Histogram, EDGE,
        "Duration of calls as the calling side saw it");
    SPAN_CALLS = tempo("traces_spanmetrics_calls_total", Counter, SPAN, "Requests by kind and status of their span");
    // Tempo's name, without the unit.
    SPAN_LATENCY = tempo("traces_spanmetrics_latency", Histogram, SPAN, "Duration of requests in seconds");

    SERIES = own("bailiwick_series", Gauge, &["tenant"], "Series held");
    SERIES_DEMAND = own("bailiwick_series_demand_estimate", Gauge, &["tenant"],
        "Series wanted: names asked for in the last 15 to 30 minutes, within 3.25 % mostly");
    SERIES_LIMITED = own("bailiwick_series_limited_total", Counter, &["tenant", "reason"],
        "Requests sent to overflow");

    INGEST_RECEIVED = own("bailiwick_ingest_items_received_total", Counter, &["tenant", "signal"],
        "Spans or data points received in answered requests");
    INGEST_ACCEPTED = own("bailiwick_ingest_items_accepted_total", Counter, &["tenant", "signal"],
        "Items that count");
    INGEST_DUPLICATE = own("bailiwick_ingest_items_duplicate_total", Counter, &["tenant", "signal"],
        "Items that were counted before");
    INGEST_REJECTED = own("bailiwick_ingest_items_rejected_total", Counter, &["tenant", "signal", "reason"],
        "Items refused, by reason");
    INGEST_INFLIGHT = own("bailiwick_ingest_inflight_bytes", Gauge, &[],
        "Bytes that requests hold between socket and books");
    // promtool would read `_max` as part of the name, as intended: ingest.md 13 publishes it so.
    INGEST_INFLIGHT_MAX = own("bailiwick_ingest_inflight_bytes_max", Gauge, &[],
        "Most bytes that requests may hold between socket and books");
    INGEST_REQUESTS = recorded("bailiwick_ingest_requests_total", Counter, &["transport", "signal", "outcome"],
        "Export requests by outcome (ok, partial, refused, aborted)");
    INGEST_REFUSED = recorded("bailiwick_ingest_requests_refused_total", Counter, &["transport", "signal", "reason"],
        "Export requests refused as a whole, by reason");
    INGEST_WARNINGS = recorded("bailiwick_ingest_warnings_total", Counter, &["kind"],
        "Accepted items that were worth a warning, by kind");
    INGEST_DURATION = recorded("bailiwick_ingest_request_duration_seconds", Histogram, &["transport", "signal"],
        "Time from a request's headers to its answer");
    INGEST_BODY = recorded("bailiwick_ingest_body_bytes_total", Counter, &["transport", "signal", "stage"],
        "Bytes of bodies as received (wire) and as read (inflated)");
    JOURNAL_APPENDS = recorded("bailiwick_ingest_journal_appends_total", Counter, &["level"],
        "Records appended to the journal, by the level at which they are acknowledged");
    JOURNAL_BYTES = recorded("bailiwick_ingest_journal_bytes_total", Counter, &["level"],
        "Bytes appended to the journal");
    JOURNAL_SYNC = recorded("bailiwick_ingest_journal_sync_seconds", Histogram, &[],
        "Time until a group of records was on the disk");
    JOURNAL_GROUP = recorded("bailiwick_ingest_journal_group_records", Histogram, &[],
        "Records written at once");
    JOURNAL_SEGMENTS = recorded("bailiwick_ingest_journal_segments", Gauge, &[], "Files of the journal");
    JOURNAL_DURABLE = recorded("bailiwick_ingest_journal_durable_seq", Gauge, &[],
        "Number of the last record that is on the disk");
    JOURNAL_APPLIED = recorded("bailiwick_ingest_journal_applied_seq", Gauge, &[],
        "Number of the last record that a checkpoint holds");
    JOURNAL_TORN = recorded("bailiwick_ingest_journal_torn_tails_total", Counter, &[],
        "Records that were begun when the process or the machine ended, and were never acknowledged");
    JOURNAL_DAMAGED = recorded("bailiwick_ingest_journal_damaged_ranges_total", Counter, &[],
        "Ranges of acknowledged records that the disk lost");
    RETRY_WINDOW = recorded("bailiwick_ingest_retry_window_entries", Gauge, &[],
        "Requests that are recognised when they come again");
    CHECKPOINT_TIME = recorded("bailiwick_ingest_checkpoint_seconds", Histogram, &[],
        "Time until the state of all rooms was on the disk");
    CHECKPOINT_BYTES = recorded("bailiwick_ingest_checkpoint_bytes", Gauge, &[],
        "Bytes of the state of all rooms in the last checkpoint");
    REPLAY_TIME = recorded("bailiwick_ingest_replay_seconds", Gauge, &[],
        "Time that the start took to read what no checkpoint held");
    INGEST_CONNECTIONS = recorded("bailiwick_ingest_connections", Gauge, &[], "Open connections of OTLP listeners");
    INGEST_CONNECTIONS_REFUSED = recorded("bailiwick_ingest_connections_refused_total", Counter, &["reason"],
        "Connections refused or closed to make room");
    INGEST_ACCEPT_ERRORS = recorded("bailiwick_ingest_accept_errors_total", Counter, &["reason"],
        "Connections that the system could not hand over");
    INGEST_THROTTLED = recorded("bailiwick_ingest_throttled_total", Counter, &["reason"],
        "Export requests asked to come back later");
    INGEST_AUTH_FAILURES = recorded("bailiwick_ingest_auth_failures_total", Counter, &["reason"],
        "Export requests without a valid credential");

    LIMIT_USED = own("bailiwick_limit_used", Gauge, &["limit"], "Use of a bounded queue, table, cache or body");
    LIMIT_MAX = own("bailiwick_limit_max", Gauge, &["limit"], "Maximum of a bounded queue, table, cache or body");
    LIMIT_REFUSED = own("bailiwick_limit_refused_total", Counter, &["limit"], "What the bound refused");
    LIVE_TRACES = own("bailiwick_live_traces", Gauge, &[], "Traces in the index that are not judged to their end");
    DEDUP_HORIZON = own("bailiwick_dedup_horizon_seconds", Gauge, &[], "How far back repeats of spans are recognised");
    CELLS_SHED = own("bailiwick_cell_slots_shed_total", Counter, &["tier"],
        "Latency cells that left memory, or a digit, before their time");
    BUILD_INFO = own("bailiwick_build_info", Gauge, &["version", "revision"], "The running build, always 1");
    READY = own("bailiwick_ready", Gauge, &[], "1 while ready");
    SNAPSHOT_AGE = own("bailiwick_snapshot_age_seconds", Gauge, &[], "Age of the snapshot behind these figures");
    TICK_DURATION = recorded("bailiwick_tick_duration_seconds", Histogram, &["stage"],
        "Tick duration (close, checkpoint, evaluate)");
    HTTP_REQUESTS = recorded("bailiwick_http_requests_total", Counter, &["route", "method", "status"],
        "Requests to the API listener");
    HTTP_DURATION = recorded("bailiwick_http_request_duration_seconds", Histogram, &["route"],
        "Time to answer a request to the API listener");

    PROCESS_CPU = own("process_cpu_seconds_total", Counter, &[], "Total user and system CPU time spent in seconds");
    PROCESS_RESIDENT = own("process_resident_memory_bytes", Gauge, &[], "Resident memory size in bytes");
    PROCESS_VIRTUAL = own("process_virtual_memory_bytes", Gauge, &[], "Virtual memory size in bytes");
    PROCESS_OPEN_FDS = own("process_open_fds", Gauge, &[], "Number of open file descriptors");
    PROCESS_MAX_FDS = own("process_max_fds", Gauge, &[], "Maximum number of open file descriptors");
    PROCESS_START = own("process_start_time_seconds", Gauge, &[],
        "Start time of the process since the Unix epoch in seconds");
    PROCESS_THREADS = own("process_threads", Gauge, &[], "Number of threads of the process");
}

/// The family of this name.
pub(crate) fn find(name: &str) -> Option<&'static Descriptor> {
    ALL.iter().copied().find(|descriptor| descriptor.name == name)
}

/// Gives the recorder the help texts of what other rooms count, so that no family is without one.
pub(crate) fn describe_recorded() {
    for family in ALL.iter().filter(|family| family.origin == Origin::Recorder) {
        match family.kind {
            Kind::Counter => metrics::describe_counter!(family.name, family.help),
            Kind::Gauge => metrics::describe_gauge!(family.name, family.help),
            Kind::Histogram => metrics::describe_histogram!(family.name, family.help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_that_promtool_checks() {
        for family in ALL {
            let name = family.name;
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit()), "{name}");
            assert_eq!(name.ends_with("_total"), family.kind == Kind::Counter, "{name}: counters end in _total");
            for suffix in ["_sum", "_count", "_bucket", "_milliseconds", "_ms"] {
                assert!(!name.ends_with(suffix), "{name} ends in {suffix}");
            }
            assert!(!family.labels.contains(&"quantile") && !family.labels.contains(&"le"), "{name}");
            assert!(!family.help.is_empty() && !family.help.contains(['\\', '\n']), "{name}");
            assert_eq!(ALL.iter().filter(|other| other.name == name).count(), 1, "{name} occurs once");
        }
    }

    #[test]
    fn the_unit_is_the_end_of_the_name() {
        assert_eq!(unit_of("process_cpu_seconds_total"), Some("seconds"));
        assert_eq!(unit_of("bailiwick_ingest_body_bytes_total"), Some("bytes"));
        assert_eq!(unit_of("bailiwick_request_success_ratio"), Some("ratio"));
        assert_eq!(unit_of("bailiwick_requests_total"), None);
        assert_eq!(unit_of("bailiwick_ingest_inflight_bytes_max"), None);
        assert_eq!(unit_of("megabytes"), None);
    }
}
