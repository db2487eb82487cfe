//! From spans to what faces show: the same figures on every one, counted by hand here.

use bailiwick_slo::time::SECOND_NS;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

use super::*;
use crate::observation::batch::Meta;
use crate::observation::{Observer, Rules, Signal};

/// An operation that no writer may choke on.
const HOSTILE: &str = "a\"b\\c\nd|{e=\"f\"}";

fn text_of(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn code_of(code: i64) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::IntValue(code)) });
    KeyValue { key: "http.response.status_code".to_owned(), value, ..KeyValue::default() }
}

/// Requests of one operation that ended a minute ago after 40 ms.
fn requests(tenant: &str, (module, operation): (&str, &str), codes: &[i64], id: u64) -> ResourceSpans {
    let end = NOW_NS - 60 * SECOND_NS;
    let spans = codes.iter().zip(id..).map(|(code, id)| Span {
        trace_id: u128::from(id).to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: "request".to_owned(),
        kind: 2,
        start_time_unix_nano: end - 40_000_000,
        end_time_unix_nano: end,
        attributes: vec![text_of("bailiwick.operation", operation), code_of(*code)],
        ..Span::default()
    });
    let attributes = vec![text_of("service.name", module), text_of("tenant.id", tenant)];
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans: spans.collect(), ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

/// acme/rag: 8 good and 1 bad of the hostile operation, 2 good of `read`; acme/chat: 1 bad; globex/rag: 3 good.
fn snapshot_at(now_ns: u64) -> Arc<Snapshot> {
    let resource_spans = vec![
        requests("acme", ("rag", HOSTILE), &[200, 200, 200, 200, 200, 200, 200, 404, 500], 100),
        requests("acme", ("rag", "read"), &[200, 200], 200),
        requests("acme", ("chat", "say"), &[503], 300),
        requests("globex", ("rag", "read"), &[200, 200, 200], 400),
    ];
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
    fold.tick(2, now_ns)
}

async fn ask_at(now_ns: u64, uri: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let router = router(state_of(snapshot_at(now_ns), ServerSettings::default(), ready()));
    router.oneshot(request("GET", uri, headers)).await.expect("infallible")
}

async fn ask(uri: &str) -> Value {
    json(ask_at(NOW_NS, uri, &[]).await).await
}

fn column<'a>(body: &'a Value, pointer: &str) -> Vec<&'a Value> {
    let items = body["items"].as_array().expect("items");
    items.iter().map(|item| item.pointer(pointer).expect("a field")).collect()
}

#[tokio::test]
async fn a_series_shows_counts_ratio_and_durations_of_its_window() {
    let body = ask("/v1/series?tenant=acme&module=rag&q=A%22B").await;
    assert_eq!((body["schema"].as_str(), body["window"].as_str()), (Some("bailiwick.series/v1"), Some("5m")));
    // The newest slot that is closed 10 s after its end: NOW is the begin of a slot.
    assert_eq!(body["data_through"], "2023-11-14T22:13:10.000Z");
    let item = &body["items"][0];
    assert_eq!((item["operation"].as_str(), item["type"].as_str()), (Some(HOSTILE), Some("server")));
    let outcomes = serde_json::json!({"success": 7, "failure": 1, "client_error": 1, "cancelled": 0, "excluded": 0});
    assert_eq!((&item["outcomes"], &item["total"]), (&outcomes, &outcomes));
    let ratio = serde_json::json!({"state": "measured", "value": "0.888888", "good": 8, "valid": 9});
    assert_eq!(item["success_ratio"], ratio);
    // sli.md 4.1: 40,000 us lie in the bucket 39,936 to 40,191.
    assert_eq!((item["duration_ms"]["p50"].as_f64(), item["duration_ms"]["n"].as_u64()), (Some(40.191), Some(7)));
    assert_eq!(item["last_seen_at"], "2023-11-14T22:12:20.000Z");
    let minute = ask("/v1/series?tenant=globex&window=1m").await;
    assert_eq!(minute["items"][0]["duration_ms"]["state"], "unmeasured");
    assert_eq!(minute["items"][0]["duration_ms"]["p50"], Value::Null);
}

#[tokio::test]
async fn series_add_up_to_modules_and_modules_to_tenants() {
    let modules = ask("/v1/modules").await;
    assert_eq!(column(&modules, "/module"), ["chat", "rag", "rag"]);
    assert_eq!(column(&modules, "/requests"), [1, 11, 3]);
    assert_eq!(column(&modules, "/series"), [1, 2, 1]);
    assert_eq!(column(&modules, "/tenant_sources/resource"), [1, 11, 3]);
    let tenants = ask("/v1/tenants").await;
    assert_eq!(column(&tenants, "/tenant"), ["acme", "globex"]);
    assert_eq!(column(&tenants, "/requests"), [12, 3]);
    assert_eq!(column(&tenants, "/success_ratio/value"), ["0.833333", "1.000000"]);
    assert_eq!(column(&tenants, "/duration_ms/n"), [9, 3]);
    let worst = ask("/v1/modules?sort=success_ratio").await;
    assert_eq!(column(&worst, "/success_ratio/value"), ["0.000000", "0.909090", "1.000000"]);
}

#[tokio::test]
async fn a_walk_by_links_meets_every_series_once() {
    let mut next = Some("/v1/series?limit=1&sort=-requests".to_owned());
    let mut met = Vec::new();
    for _ in 0..5 {
        let Some(uri) = next.take() else { break };
        let response = ask_at(NOW_NS, &uri, &[]).await;
        let link = response.headers().get(header::LINK).map(|link| link.to_str().expect("text").to_owned());
        next = link.map(|link| link[1..link.find('>').expect("a target")].to_owned());
        let body = json(response).await;
        assert_eq!(body["total"], 4);
        met.push((body["items"][0]["tenant"].to_string(), body["items"][0]["requests"].as_u64().expect("a count")));
    }
    let acme = || "\"acme\"".to_owned();
    assert_eq!(met, [(acme(), 9), ("\"globex\"".to_owned(), 3), (acme(), 2), (acme(), 1)]);
    assert_eq!(next, None);
}

#[tokio::test]
async fn with_a_step_the_closed_slots_are_listed() {
    let body = ask("/v1/series?tenant=globex&step=10s").await;
    let slots = body["items"][0]["slots"].as_array().expect("slots");
    assert_eq!((slots.len(), &slots[0]["from"]), (1, &Value::from("2023-11-14T22:12:20.000Z")));
    assert_eq!((&slots[0]["requests"], &slots[0]["spans"]), (&Value::from(3), &Value::from(3)));
    let earlier = ask("/v1/series?tenant=globex&step=10s&to=2023-11-14T22:12:20Z").await;
    assert_eq!(earlier["items"][0]["slots"], serde_json::json!([]));
}

#[tokio::test]
async fn the_books_show_their_law() {
    let body = ask("/v1/ingest").await;
    assert_eq!(column(&body, "/tenant"), ["acme", "globex"]);
    assert_eq!(column(&body, "/received"), [12, 3]);
    assert_eq!(column(&body, "/accepted"), [12, 3]);
    assert_eq!(body["items"][0]["law"], "received = accepted + duplicates + rejected");
    assert_eq!(column(&body, "/balanced"), [true, true]);
}

#[tokio::test]
async fn the_org_header_narrows_every_face() {
    let headers = [("x-scope-orgid", "globex|initech")];
    for path in ["/v1/series", "/v1/modules", "/v1/tenants", "/v1/ingest"] {
        let body = json(ask_at(NOW_NS, path, &headers).await).await;
        assert_eq!(column(&body, "/tenant"), ["globex"], "{path}");
    }
    let metrics = text(ask_at(NOW_NS, "/metrics", &headers).await).await;
    assert!(metrics.contains("tenant=\"globex\"") && !metrics.contains("acme") && !metrics.contains("build_info"));
}

#[tokio::test]
async fn metrics_tell_the_same_figures() {
    let metrics = text(ask_at(NOW_NS, "/metrics", &[]).await).await;
    let hostile = r#"tenant="acme",module="rag",operation="a\"b\\c\nd|{e=\"f\"}",type="server""#;
    for line in [
        format!("bailiwick_requests_total{{{hostile},outcome=\"success\"}} 7\n"),
        format!("bailiwick_requests_total{{{hostile},outcome=\"cancelled\"}} 0\n"),
        format!("bailiwick_request_spans_total{{{hostile}}} 9\n"),
        format!("bailiwick_request_duration_quantile_seconds{{{hostile},q=\"0.99\",window=\"5m\"}} 0.040191\n"),
        "bailiwick_request_success_ratio{tenant=\"acme\",module=\"chat\",window=\"1d\"} 0\n".to_owned(),
        "bailiwick_request_duration_seconds_bucket{tenant=\"globex\",module=\"rag\",le=\"0.025\"} 0\n".to_owned(),
        "bailiwick_request_duration_seconds_bucket{tenant=\"globex\",module=\"rag\",le=\"0.05\"} 3\n".to_owned(),
        "bailiwick_request_duration_seconds_sum{tenant=\"globex\",module=\"rag\"} 0.12\n".to_owned(),
        "bailiwick_series{tenant=\"acme\"} 3\n".to_owned(),
        "bailiwick_cell_slots_shed_total{tier=\"1h\"} 0\n".to_owned(),
        "bailiwick_ingest_items_received_total{tenant=\"acme\",signal=\"traces\"} 12\n".to_owned(),
        "bailiwick_ingest_inflight_bytes_max 1000\n".to_owned(),
    ] {
        assert!(metrics.contains(&line), "{line} in\n{metrics}");
    }
    // A module without a success has no quantile.
    assert!(!metrics.contains("quantile_seconds{tenant=\"acme\",module=\"chat\""));
}

#[tokio::test]
async fn after_a_quarter_of_an_hour_without_a_request_a_series_leaves_the_metrics_but_not_the_api() {
    let last = NOW_NS - 60 * SECOND_NS;
    let shown = text(ask_at(last + 900 * SECOND_NS, "/metrics?collect=requests", &[]).await).await;
    assert!(shown.contains("bailiwick_requests_total{"));
    let idle = text(ask_at(last + 901 * SECOND_NS, "/metrics?collect=requests", &[]).await).await;
    assert!(!idle.contains("bailiwick_request"), "{idle}");
    let traced = text(ask_at(last + 900 * SECOND_NS, "/metrics?collect=coverage,graph", &[]).await).await;
    assert!(traced.contains("bailiwick_trace_coverage_state{") && traced.contains("traces_spanmetrics_calls_total{"));
    let idle = text(ask_at(last + 901 * SECOND_NS, "/metrics?collect=coverage,graph", &[]).await).await;
    assert!(!idle.contains("tenant=\"acme\""), "{idle}");
    let listed = json(ask_at(last + 901 * SECOND_NS, "/v1/series?window=1h", &[]).await).await;
    assert_eq!(column(&listed, "/requests"), [1, 9, 2, 3]);
}
