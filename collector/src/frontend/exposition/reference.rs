//! `collector/metrics.md`: the published list of families, made from the catalogue.

use std::fmt::Write as _;

use super::catalogue::{ALL, Descriptor, Kind, Origin, unit_of};

const HEAD: &str = "# Metrics of Bailiwick\n\n\
    Made by `bailiwick metrics list > collector/metrics.md`; a test compares it with the code.\n\n\
    Served at `/metrics` as Prometheus text 0.0.4 or OpenMetrics 1.0.0, by `Accept`. A figure without a measurement has\n\
    no sample. Series without a request for 15 minutes are left out and go on where they were when they come back.\n\
    Samples of overflow series carry `otel_metric_overflow=\"true\"` besides their labels. `?collect=requests,graph`\n\
    selects groups, `?tenant=` a tenant. Exemplars (OpenMetrics only) name a trace and a span. \"Source\" says where the samples come from: `figures` of the books, or what the\n\
    daemon `recorded` while it worked since its start.\n\n\
    | Family | Type | Labels | Unit | Group | Source | Help | Sample |\n|---|---|---|---|---|---|---|---|\n";

/// `collector/metrics.md`: every family of `/metrics` with type, labels, help and a sample.
#[must_use]
pub fn markdown() -> String {
    let mut out = HEAD.to_owned();
    for family in ALL {
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let origin = match family.origin {
            Origin::Figures => "figures",
            Origin::Recorder => "recorded",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | {origin} | {} | `{}` |",
            family.name,
            family.kind.name(),
            labels.join(", "),
            unit_of(family.name).unwrap_or_default(),
            family.group.name(),
            family.help,
            sample(family),
        );
    }
    out
}

fn sample(family: &Descriptor) -> String {
    let mut labels: Vec<String> =
        family.labels.iter().map(|label| format!("{label}=\"{}\"", example(family.name, label))).collect();
    let (suffix, value) = match family.kind {
        Kind::Histogram => {
            labels.push("le=\"0.1\"".to_owned());
            ("_bucket", "97")
        }
        Kind::Counter => ("", "1042"),
        Kind::Gauge => ("", gauge_example(family.name)),
    };
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    format!("{}{suffix}{labels} {value}", family.name)
}

fn gauge_example(name: &str) -> &'static str {
    match unit_of(name) {
        Some("ratio") => "0.9987",
        Some("seconds") if name.ends_with("_timestamp_seconds") => "1777888800",
        Some("seconds") => "0.25",
        Some(_) => "67108864",
        None if ["_info", "_ready", "_state", "_firing"].iter().any(|end| name.ends_with(end)) => "1",
        None => "42",
    }
}

fn example(family: &str, label: &str) -> &'static str {
    match label {
        "tenant" => "acme",
        "module" => "rag_hub",
        "operation" => "POST /rag/query",
        "type" => "server",
        "outcome" if family.contains("ingest") => "ok",
        "outcome" => "success",
        "q" => "0.99",
        "window" if family.contains("burn_rate") => "1h",
        "window" if family.contains("slo") => "30d",
        "window" => "5m",
        "slo" => "rag-availability",
        "severity" => "page",
        "part" => "spent",
        "result" => "bad",
        "event" if family.contains("incident") => "firing",
        "reason" => reason_example(family),
        "signal" => "traces",
        "transport" => "grpc",
        "kind" if family.contains("gaps") => "parent_missing_remote",
        "kind" => "clock_anomaly",
        "figure" => "C2",
        "state" if family.contains("slo") => "critical",
        "state" => "measured",
        "source" => "th",
        "verdict" if family.contains("findings") => "suspect",
        "verdict" | "to" => "connected",
        "from" => "broken",
        "rule" => "L1",
        "client" => "chat_orchestrator",
        "server" | "service" => "rag_hub",
        "client_service_namespace" | "server_service_namespace" => "",
        "connection_type" => "messaging_system",
        "span_name" => "POST /rag/query",
        "span_kind" => "SPAN_KIND_SERVER",
        "status_code" => "STATUS_CODE_UNSET",
        "stage" if family.contains("body") => "wire",
        "stage" => "close",
        "limit" => "series.max",
        "level" => "fsync",
        "tier" => "5m",
        "version" => "0.1.0",
        "revision" if family.contains("slo") => "1f3a9c02",
        "revision" => "unknown",
        "route" => "/v1/series",
        "method" if family.contains("slo") => "Occurrences",
        "method" => "GET",
        "status" => "200",
        _ => "...",
    }
}

fn reason_example(family: &str) -> &'static str {
    match family {
        "bailiwick_request_corrections_total" => "parent_late",
        "bailiwick_tenant_hops_unverifiable_total" => "parent_missing",
        "bailiwick_series_limited_total" => "operations",
        "bailiwick_ingest_items_rejected_total" => "too_late",
        "bailiwick_ingest_requests_refused_total" => "too_large",
        "bailiwick_ingest_auth_failures_total" => "unknown_key",
        _ => "full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_has_an_example() {
        for family in ALL {
            for label in family.labels {
                assert_ne!(example(family.name, label), "...", "{}: {label}", family.name);
            }
        }
    }

    #[test]
    fn the_committed_list_is_the_code_s() {
        let committed = include_str!("../../../metrics.md");
        assert!(committed == markdown(), "run `bailiwick metrics list > collector/metrics.md`");
    }
}
