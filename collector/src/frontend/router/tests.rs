//! The whole router, without a socket.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::aggregator::{self, Aggregator, Snapshot};
use crate::clock::ManualClock;
use crate::evaluator::Report;
use crate::frontend::{Inventory, MetricsSettings, Orders, Parts, Readiness, ServerSettings};
use crate::observation::budget::Budget;

const NOW_NS: u64 = 1_700_000_000_000_000_000;

mod figures;
mod orders;
mod slos;
mod traces;

/// An aggregator that has seen nothing but one tick, as record 7.
fn empty() -> Arc<Snapshot> {
    Aggregator::new(aggregator::Terms::default()).tick(7, NOW_NS)
}

fn state_with(settings: ServerSettings, readiness: Readiness) -> State {
    state_of(empty(), settings, readiness)
}

fn state_of(snapshot: Arc<Snapshot>, settings: ServerSettings, readiness: Readiness) -> State {
    State::new(Parts { settings, readiness, ..parts_of(snapshot) })
}

fn parts_of(snapshot: Arc<Snapshot>) -> Parts {
    // No SLOs, and not behind.
    let report = Report { data_through_ns: snapshot.data_through_ns, ..Report::default() };
    let report = Arc::new(report);
    Parts {
        settings: ServerSettings::default(),
        metrics: MetricsSettings::default(),
        inventory: Inventory::default(),
        snapshots: Arc::new(move || Arc::clone(&snapshot)),
        orders: Orders::none(),
        definitions: Arc::new(|| Ok(Vec::new())),
        reports: Arc::new(move || Arc::clone(&report)),
        limits: Arc::new(Vec::new),
        readiness: ready(),
        budget: Budget::new(1_000),
        recorded: None,
        clock: Arc::new(ManualClock::at(NOW_NS)),
        started_at_ns: 255,
        otlp_http_port: Some(4318),
    }
}

fn ready() -> Readiness {
    let readiness = Readiness::new();
    readiness.set_listeners_bound(true);
    readiness.set_configuration_valid(true);
    readiness.set_journal_accepting(true);
    readiness.ticked(NOW_NS);
    readiness
}

fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "127.0.0.1:4319");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("a request")
}

async fn ask(method: &str, uri: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let router = router(state_with(ServerSettings::default(), ready()));
    router.oneshot(request(method, uri, headers)).await.expect("infallible")
}

async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.expect("a whole body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

async fn json(response: Response<Body>) -> Value {
    serde_json::from_str(&text(response).await).expect("JSON")
}

#[tokio::test]
async fn every_list_of_an_empty_daemon_is_an_empty_page() {
    for path in [
        "/v1/series",
        "/v1/modules",
        "/v1/tenants",
        "/v1/coverage",
        "/v1/findings",
        "/v1/graph",
        "/v1/ingest",
        "/v1/slos",
        "/v1/incidents",
    ] {
        let response = ask("GET", path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let body = json(response).await;
        assert_eq!((body["total"].as_u64(), body["next_cursor"].is_null()), (Some(0), true), "{path}");
        assert_eq!(body["items"].as_array().map(Vec::len), Some(0), "{path}");
    }
    let limits = json(ask("GET", "/v1/limits?q=requests", &[]).await).await;
    assert_eq!(limits["items"][0]["limit"], "requests_max");
    assert_eq!(limits["items"][0]["max"], 512);
}

#[tokio::test]
async fn figures_carry_a_weak_validator_of_run_and_record() {
    let response = ask("GET", "/v1/series", &[]).await;
    assert_eq!(response.headers()[header::ETAG], "W/\"ff-7\"");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "private, no-cache");
    let vary: Vec<_> = response.headers().get_all(header::VARY).iter().map(|v| v.to_str().expect("text")).collect();
    assert!(vary.join(", ").contains("Accept, Authorization, X-Scope-OrgID"));
    let again = ask("GET", "/v1/series", &[("if-none-match", "W/\"ff-7\"")]).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(text(again).await, "");
    let newer = ask("GET", "/v1/series", &[("if-none-match", "W/\"ff-6\"")]).await;
    assert_eq!(newer.status(), StatusCode::OK);
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let response = ask("HEAD", "/v1/series", &[]).await;
    assert_eq!((response.status(), response.headers()[header::ETAG].as_bytes()), (StatusCode::OK, &b"W/\"ff-7\""[..]));
    assert_eq!(text(response).await, "");
}

#[tokio::test]
async fn problems_are_told_alike_with_code_path_and_request() {
    let cases = [
        ("GET", "/v1/series?tennant=acme", vec![], 400, "unknown_parameter"),
        ("GET", "/v1/series?cursor=xyz", vec![], 400, "bad_cursor"),
        ("GET", "/v1/series?limit=5000", vec![], 422, "limit_exceeded"),
        ("GET", "/nowhere", vec![], 404, "not_found"),
        ("GET", "/api/v1/query", vec![], 404, "not_found"),
        ("DELETE", "/v1/series", vec![], 405, "method_not_allowed"),
        ("GET", "/v1/series", vec![("accept", "text/html")], 406, "not_acceptable"),
        ("GET", "/v1/series", vec![("host", "evil.example.com")], 421, "unknown_host"),
        ("POST", "/v1/series", vec![("sec-fetch-site", "cross-site")], 403, "cross_site"),
        ("POST", "/v1/series", vec![("content-length", "1048577")], 413, "too_large"),
    ];
    for (method, uri, headers, status, code) in cases {
        let response = ask(method, uri, &headers).await;
        assert_eq!(response.status().as_u16(), status, "{method} {uri}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json", "{method} {uri}");
        let id = response.headers()["x-request-id"].to_str().expect("text").to_owned();
        let allow = response.headers().get(header::ALLOW).cloned();
        let body = json(response).await;
        assert_eq!(body["code"], code, "{method} {uri}");
        assert_eq!(body["type"], format!("/problems/{code}"));
        assert_eq!(body["status"], status);
        assert_eq!(body["request_id"], id);
        assert_eq!(body["instance"], uri.split('?').next().expect("a path"));
        assert!(allow.is_some() || status != 405, "{method} {uri}: Allow");
    }
}

#[tokio::test]
async fn an_exporter_at_the_wrong_port_is_sent_on() {
    let response = ask("POST", "/v1/traces", &[("content-type", "application/x-protobuf")]).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(json(response).await["detail"], "OTLP/HTTP is on :4318");
}

#[tokio::test]
async fn every_code_has_its_page() {
    let list = json(ask("GET", "/problems", &[]).await).await;
    for kind in list["items"].as_array().expect("items") {
        let page = ask("GET", kind["type"].as_str().expect("a path"), &[]).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(json(page).await["code"], kind["code"]);
    }
    assert_eq!(ask("GET", "/problems/none", &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn over_the_maximum_of_requests_others_are_asked_to_come_back_but_probes_are_not() {
    let settings = ServerSettings { requests_max: 1, ..ServerSettings::default() };
    let state = state_with(settings, ready());
    let router = router(state.clone());
    let taken = state.place();
    let response = router.clone().oneshot(request("GET", "/v1/series", &[])).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    let probe = router.clone().oneshot(request("GET", "/livez", &[])).await.expect("infallible");
    assert_eq!(probe.status(), StatusCode::OK);
    drop(taken);
    let limits =
        json(router.oneshot(request("GET", "/v1/limits?q=requests_max", &[])).await.expect("infallible")).await;
    assert_eq!((limits["items"][0]["used"].as_u64(), limits["items"][0]["refused"].as_u64()), (Some(1), Some(1)));
}

#[tokio::test]
async fn probes_list_their_checks_when_asked() {
    let response = ask("GET", "/readyz?verbose", &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    let lines = "[+]running ok\n[+]listeners ok\n[+]configuration ok\n[+]journal ok\n[+]inflight ok\n[+]tick ok\n[+]evaluator ok\n";
    assert_eq!(text(response).await, lines);
    for alias in ["/livez", "/healthz", "/-/healthy", "/-/ready", "/startupz"] {
        assert_eq!(text(ask("GET", alias, &[]).await).await, "ok\n", "{alias}");
    }
    let readiness = ready();
    readiness.set_journal_accepting(false);
    let router = router(state_with(ServerSettings::default(), readiness));
    let response = router.oneshot(request("GET", "/readyz", &[])).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text(response).await, "[-]journal failed: starting: what was written before is being read\n");
}

#[tokio::test]
async fn large_answers_are_compressed_and_their_strong_validator_weakened() {
    let plain = ask("GET", "/openapi.json", &[]).await;
    let strong = plain.headers()[header::ETAG].to_str().expect("text").to_owned();
    assert!(strong.starts_with('"'));
    for encoding in ["gzip", "zstd"] {
        let response = ask("GET", "/openapi.json", &[("accept-encoding", encoding)]).await;
        assert_eq!(response.headers()[header::CONTENT_ENCODING], encoding);
        assert_eq!(response.headers()[header::ETAG], format!("W/{strong}"));
    }
    let small = ask("GET", "/livez", &[("accept-encoding", "gzip")]).await;
    assert!(!small.headers().contains_key(header::CONTENT_ENCODING));
}

#[tokio::test]
async fn a_panic_is_an_internal_problem_and_the_daemon_lives_on() {
    let state = State::new(Parts {
        snapshots: Arc::new(|| panic!("a planted bug")),
        orders: Orders::none(),
        definitions: Arc::new(|| Ok(Vec::new())),
        reports: Arc::new(|| Arc::new(Report::default())),
        settings: ServerSettings::default(),
        metrics: MetricsSettings::default(),
        inventory: Inventory::default(),
        limits: Arc::new(Vec::new),
        readiness: ready(),
        budget: Budget::new(1),
        recorded: None,
        clock: Arc::new(ManualClock::at(NOW_NS)),
        started_at_ns: 255,
        otlp_http_port: None,
    });
    // The first panics in the handler, the second on the computing thread.
    for path in ["/v1/series", "/metrics"] {
        let response = router(state.clone()).oneshot(request("GET", path, &[])).await.expect("infallible");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        let body = json(response).await;
        assert_eq!(body["code"], "internal");
        assert!(!body.to_string().contains("planted"), "the cause stays in the log");
    }
}

#[tokio::test]
async fn metrics_come_in_the_format_that_is_asked_for() {
    let plain = ask("GET", "/metrics", &[]).await;
    assert_eq!(plain.headers()[header::CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    let body = text(plain).await;
    assert!(body.contains("# TYPE bailiwick_ready gauge\nbailiwick_ready 1\n") && !body.contains("# EOF"));
    let open = ask("GET", "/metrics", &[("accept", "application/openmetrics-text;version=1.0.0,*/*;q=0.1")]).await;
    assert!(open.headers()[header::CONTENT_TYPE].to_str().expect("text").starts_with("application/openmetrics-text"));
    let body = text(open).await;
    assert!(body.ends_with("# EOF\n") && body.matches("# EOF").count() == 1);
}

#[tokio::test]
async fn metrics_narrow_to_groups_and_tenants() {
    let requests = text(ask("GET", "/metrics?collect=requests", &[]).await).await;
    assert!(!requests.contains("bailiwick_build_info"));
    let own = text(ask("GET", "/metrics?collect=self", &[]).await).await;
    assert!(own.contains("bailiwick_build_info{version=") && own.contains("process_resident_memory_bytes "));
    let tenant = text(ask("GET", "/metrics?tenant=acme", &[]).await).await;
    assert!(!tenant.contains("bailiwick_build_info") && !tenant.contains("process_"));
    assert_eq!(ask("GET", "/metrics?collect=colours", &[]).await.status(), StatusCode::BAD_REQUEST);
}
