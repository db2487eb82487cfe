//! From traces to what faces show of them: coverage, leaks, calls, spans to look up. Counted by hand here.

use bailiwick_slo::time::SECOND_NS;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use super::*;
use crate::frontend::DeclaredModule;
use crate::observation::batch::Meta;
use crate::observation::{Observer, Rules, Signal};

const SERVER: i32 = 2;
const CLIENT: i32 = 3;
/// A remote parent, and the sampled bit.
const REMOTE: u32 = 0x301;
const LOCAL: u32 = 0x101;

fn text_of(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// A span that ended a minute ago; its id is also the milliseconds that it took.
fn span(trace: u8, (id, parent): (u8, u8), kind: i32, flags: u32) -> Span {
    let end = NOW_NS - 60 * SECOND_NS;
    Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        flags,
        name: format!("call {}", char::from(b'a' + kind as u8)),
        kind,
        start_time_unix_nano: end - u64::from(id) * 1_000_000,
        end_time_unix_nano: end,
        ..Span::default()
    }
}

fn of(service: &str, tenant: &str, spans: Vec<Span>) -> ResourceSpans {
    let attributes = vec![text_of("service.name", service), text_of("tenant.id", tenant)];
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

/// Traces 1 to 3: chat calls rag (30 ms around 20 ms), all acme; the rag of trace 3 fails. Trace 4: chat of acme calls
/// rag of globex. Trace 5: a rag of acme whose remote parent never comes. Trace 6: chat calls a database.
fn traced() -> Arc<Snapshot> {
    let mut resource_spans = Vec::new();
    for trace in 1..=4 {
        let calling = vec![span(trace, (40, 0), SERVER, 0x101), span(trace, (30, 40), CLIENT, LOCAL)];
        resource_spans.push(of("chat", "acme", calling));
        let mut called = span(trace, (20, 30), SERVER, REMOTE);
        if trace == 3 {
            called.status = Some(Status { code: 2, ..Status::default() });
        }
        resource_spans.push(of("rag", if trace == 4 { "globex" } else { "acme" }, vec![called]));
    }
    resource_spans.push(of("rag", "acme", vec![span(5, (21, 99), SERVER, REMOTE)]));
    let mut database = span(6, (10, 40), CLIENT, LOCAL);
    database.attributes = vec![text_of("db.system.name", "postgresql"), text_of("db.namespace", "books")];
    resource_spans.push(of("chat", "acme", vec![span(6, (40, 0), SERVER, 0x101), database]));
    let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    let request = crate::observation::Request {
        protobuf: &body,
        body: &body,
        signal: Signal::Traces,
        observed_at_ns: NOW_NS,
        items_expected: None,
        meta: Meta::default(),
    };
    let observed = Observer::new(Arc::new(Rules::default())).observe(&request).expect("it is OTLP");
    let mut fold = Aggregator::new(aggregator::Terms::default());
    fold.apply(1, &observed.batch.view());
    fold.tick(2, NOW_NS + 31 * SECOND_NS);
    // All traces have settled, and the window that ends two minutes ago holds them.
    fold.tick(3, NOW_NS + 100 * SECOND_NS)
}

fn parts() -> Parts {
    let declared = |expected| DeclaredModule { expected, required: true, operations: vec!["call c".to_owned()] };
    let modules = [("rag".to_owned(), declared(false)), ("index".to_owned(), declared(true))];
    Parts { inventory: Inventory { modules: modules.into(), ..Inventory::default() }, ..parts_of(traced()) }
}

async fn ask_with(parts: Parts, uri: &str, headers: &[(&str, &str)]) -> Response<Body> {
    router(State::new(parts)).oneshot(request("GET", uri, headers)).await.expect("infallible")
}

async fn ask(uri: &str) -> Value {
    json(ask_with(parts(), uri, &[]).await).await
}

fn column<'a>(body: &'a Value, pointer: &str) -> Vec<&'a Value> {
    let items = body["items"].as_array().expect("items");
    items.iter().map(|item| item.pointer(pointer).expect("a field")).collect()
}

#[tokio::test]
async fn coverage_is_told_by_tenant_and_by_module_and_never_made_up() {
    let body = ask("/v1/coverage").await;
    assert_eq!((body["schema"].as_str(), body["window"].as_str()), (Some("bailiwick.coverage/v1"), Some("5m")));
    assert_eq!(column(&body, "/module"), ["chat", "index", "rag", "chat", "rag", "rag"]);
    let tenants: Vec<_> = column(&body, "/tenant").into_iter().map(Value::as_str).collect();
    assert_eq!(tenants, [None, None, None, Some("acme"), Some("acme"), Some("globex")]);
    for item in body["items"].as_array().expect("items") {
        assert_eq!((&item["state"], &item["reason"]), (&"unmeasured".into(), &"no_denominator".into()));
        assert_eq!((&item["headline_ratio"], &item["figures"]["TC"]["ratio"]), (&Value::Null, &Value::Null));
        // The last closed slot less the two minutes that a trace may take.
        assert_eq!(item["data_through"], "2023-11-14T22:12:50.000Z");
    }
    let rag = &body["items"][4];
    // Four entries of acme, three lead to a root; three parents of four are there; so are three traces.
    for (id, numerator, denominator) in [("C2", 3, 4), ("C3", 3, 4), ("C3t", 3, 4), ("C5", 1, 1)] {
        let figure = &rag["figures"][id];
        assert_eq!((&figure["numerator"], &figure["denominator"]), (&numerator.into(), &denominator.into()), "{id}");
    }
    assert_eq!(rag["figures"]["C2"]["ratio"], "0.750000");
    assert_eq!(rag["figures"]["C4"]["state"], "unmeasured", "it is not expected, and nothing counts its requests");
    assert_eq!(rag["parents"]["remote"], serde_json::json!({"ratio": "0.750000", "numerator": 3, "denominator": 4}));
    let trace_ids = ["05".repeat(16)];
    let gap = serde_json::json!({"kind": "parent_missing_remote", "count": 1, "trace_ids": trace_ids, "callers": []});
    let gaps = serde_json::json!([gap]);
    assert_eq!(rag["gaps"], gaps);
    let index = &body["items"][1]["figures"]["C4"];
    assert_eq!(
        (&index["ratio"], &index["numerator"]),
        (&"0.000000".into(), &0.into()),
        "it is expected and never came"
    );
}

#[tokio::test]
async fn a_tenant_sees_its_own_coverage_only() {
    let body = ask("/v1/coverage?tenant=globex&window=1h").await;
    assert_eq!(column(&body, "/tenant"), ["globex"]);
    assert_eq!(column(&body, "/module"), ["rag"]);
    let short = ask_with(parts(), "/v1/coverage?window=1m", &[]).await;
    assert_eq!(short.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_leak_is_told_to_either_side_without_the_others_name() {
    let body = ask("/v1/findings").await;
    assert_eq!(body["total"], 1);
    assert_eq!(column(&body, "/rules/0"), ["L1"]);
    let item = &body["items"][0];
    assert_eq!(item["tenants"], serde_json::json!({"expected": "acme", "observed": "globex"}));
    let edge = serde_json::json!({"parent_module": "chat", "child_module": "rag", "operation": "call c"});
    assert_eq!((&item["edge"], &item["trace_ids"][0]), (&edge, &"04".repeat(16).into()));
    for (own, other) in [("acme", "globex"), ("globex", "acme")] {
        let seen = text(ask_with(parts(), "/v1/findings", &[("x-scope-orgid", own)]).await).await;
        assert!(seen.contains(own) && seen.contains("another tenant") && !seen.contains(other), "{seen}");
        let guessed = ask(&format!("/v1/findings?tenant={own}&q={other}")).await;
        assert_eq!(guessed["total"], 0, "a search does not tell either");
    }
    assert_eq!(ask("/v1/findings?tenant=initech").await["total"], 0);
    assert_eq!(ask("/v1/findings?module=chat").await["total"], 0);
}

#[tokio::test]
async fn calls_are_edges_between_modules_and_to_peers() {
    let body = ask("/v1/graph?window=1h").await;
    assert_eq!(column(&body, "/tenant"), ["acme", "globex"]);
    let nodes = serde_json::json!([
        {"name": "chat", "type": "module"},
        {"name": "postgresql/books", "type": "peer"},
        {"name": "rag", "type": "module"},
    ]);
    let acme = &body["items"][0];
    assert_eq!(acme["nodes"], nodes);
    let edge = acme["edges"].as_array().expect("edges").iter().find(|edge| edge["to"] == "rag").expect("an edge");
    // Of 20 ms: 20 000 us lie in [19 968, 20 095].
    let expected = serde_json::json!({"from": "chat", "to": "rag", "kind": "module", "requests": 3, "failures": 1,
        "p95_ms": 20.095, "queue_delay_ms": null, "unmatched": 0});
    assert_eq!(edge, &expected);
    let of_rag = ask("/v1/graph?window=1h&tenant=acme&module=rag").await;
    assert_eq!(of_rag["items"][0]["edges"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_series_names_its_latest_failure_and_a_module_what_was_judged() {
    let body = ask("/v1/series?tenant=acme&module=rag&type=server&window=1h").await;
    let item = &body["items"][0];
    let failure = &item["exemplars"]["latest_failure"];
    assert_eq!((&failure["trace_id"], &failure["span_id"]), (&"03".repeat(16).into(), &"14".repeat(8).into()));
    assert_eq!((&failure["duration_ms"], &failure["at"]), (&20.0.into(), &"2023-11-14T22:12:20.000Z".into()));
    assert_eq!((&item["n_eff"], &item["sampling"], &item["messages"]), (&4.0.into(), &"exact".into(), &0.into()));
    assert_eq!(ask("/v1/series?type=job").await["total"], 0);
    let module = &ask("/v1/modules?tenant=acme&module=rag&window=1h").await["items"][0];
    for field in ["nested", "uncertain", "unjudged", "corrections"] {
        assert_eq!(module[field], 0, "{field}");
    }
}

async fn metrics_of(parts: Parts, uri: &str) -> String {
    text(ask_with(parts, uri, &[]).await).await
}

/// Spans ended a minute ago; the snapshot's clock is 100 s later: nothing is idle yet.
#[tokio::test]
async fn metrics_tell_what_traces_show() {
    let metrics = metrics_of(parts(), "/metrics").await;
    for line in [
        "bailiwick_trace_coverage_ratio{tenant=\"acme\",module=\"rag\",figure=\"C2\"} 0.75\n",
        "bailiwick_trace_coverage_ratio{tenant=\"acme\",module=\"rag\",figure=\"C5\"} 1\n",
        // Every span names its tenant and its module.
        "bailiwick_trace_coverage_ratio{tenant=\"acme\",module=\"rag\",figure=\"C6\"} 1\n",
        "bailiwick_trace_coverage_state{tenant=\"acme\",module=\"rag\",state=\"unmeasured\"} 1\n",
        "bailiwick_coverage_evaluated_ratio 1\n",
        "bailiwick_traces_settled_total{verdict=\"connected\"} 5\n",
        "bailiwick_traces_settled_total{verdict=\"broken\"} 1\n",
        "bailiwick_traces_revised_total{from=\"broken\",to=\"connected\"} 0\n",
        "bailiwick_trace_gaps_total{kind=\"parent_missing_remote\",module=\"rag\"} 1\n",
        "bailiwick_tenant_leak_findings_total{rule=\"L1\",verdict=\"suspect\",module=\"rag\"} 1\n",
        "bailiwick_span_weights_total{source=\"none\"} 15\n",
        "bailiwick_live_traces 0\n",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    // Nothing counted requests: the figures that need it have no sample.
    for figure in ["TC", "C1", "C1r", "C7"] {
        assert!(!metrics.contains(&format!("figure=\"{figure}\"")), "{figure}");
    }
}

#[tokio::test]
async fn calls_and_spans_have_the_names_that_grafana_asks_for() {
    let metrics = metrics_of(parts(), "/metrics?collect=graph").await;
    let ends = "client=\"chat\",server=\"rag\",client_service_namespace=\"\",server_service_namespace=\"\"";
    let edge = format!("{{tenant=\"acme\",{ends},connection_type=\"\"");
    let span = "{tenant=\"acme\",service=\"rag\",span_name=\"call c\",span_kind=\"SPAN_KIND_SERVER\"";
    for line in [
        format!("traces_service_graph_request_total{edge}}} 3\n"),
        format!("traces_service_graph_request_failed_total{edge}}} 1\n"),
        // The called side took 20 ms, the calling one 30 ms.
        format!("traces_service_graph_request_server_seconds_bucket{edge},le=\"0.025\"}} 3\n"),
        format!("traces_service_graph_request_server_seconds_sum{edge}}} 0.06\n"),
        format!("traces_service_graph_request_client_seconds_bucket{edge},le=\"0.025\"}} 0\n"),
        format!("traces_service_graph_request_client_seconds_sum{edge}}} 0.09\n"),
        format!("traces_spanmetrics_calls_total{span},status_code=\"STATUS_CODE_UNSET\"}} 3\n"),
        format!("traces_spanmetrics_calls_total{span},status_code=\"STATUS_CODE_ERROR\"}} 1\n"),
        format!("traces_spanmetrics_latency_bucket{span},status_code=\"STATUS_CODE_UNSET\",le=\"0.025\"}} 3\n"),
        format!("traces_spanmetrics_latency_count{span},status_code=\"STATUS_CODE_ERROR\"}} 1\n"),
    ] {
        assert!(metrics.contains(&line), "{line} in\n{metrics}");
    }
    // A database shows no side of its own.
    assert!(metrics.contains("server=\"postgresql/books\"") && metrics.contains("connection_type=\"database\"} 1\n"));
    let silent =
        "traces_service_graph_request_server_seconds_count{tenant=\"acme\",client=\"chat\",server=\"postgresql";
    assert!(!metrics.contains(silent) && !metrics.contains("bailiwick_"));
    let without = MetricsSettings { service_graph: false, ..MetricsSettings::default() };
    assert_eq!(metrics_of(Parts { metrics: without, ..parts() }, "/metrics?collect=graph").await, "");
}

#[tokio::test]
async fn a_tenant_sees_no_metric_that_is_not_its_own() {
    let own = metrics_of(parts(), "/metrics?tenant=globex").await;
    assert!(own.contains("bailiwick_trace_coverage_ratio{tenant=\"globex\",module=\"rag\""));
    assert!(own.contains("traces_service_graph_request_total{tenant=\"globex\""));
    for foreign in ["acme", "findings", "gaps", "settled", "span_weights", "hops"] {
        assert!(!own.contains(foreign), "{foreign} in\n{own}");
    }
}

#[tokio::test]
async fn exemplars_lead_from_failures_and_buckets_to_spans() {
    let accept = [("accept", "application/openmetrics-text;version=1.0.0")];
    let shown = |parts| async { text(ask_with(parts, "/metrics?collect=requests", &accept).await).await };
    let open = shown(parts()).await;
    let id = |id: &str| format!("trace_id=\"{}\"", id.repeat(16));
    let failure =
        format!("outcome=\"failure\"}} 1 # {{{},span_id=\"{}\"}} 1 1699999940.000\n", id("03"), "14".repeat(8));
    assert!(open.contains(&failure), "{failure} in\n{open}");
    // 21 ms of trace 5 ended last of those in le="0.025".
    let bucket = format!(
        "module=\"rag\",le=\"0.025\"}} 3 # {{{},span_id=\"{}\"}} 0.021 1699999940.000\n",
        id("05"),
        "15".repeat(8)
    );
    assert!(open.contains(&bucket), "{bucket} in\n{open}");
    let off = MetricsSettings { exemplars: false, ..MetricsSettings::default() };
    assert!(!shown(Parts { metrics: off, ..parts() }).await.contains("trace_id"));
}
