//! The pipeline as a service sees it: what spans say, and that no server, however broken, holds a service up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use crate::{Builder, ShutdownReport, Telemetry, answered, builder, module_span, request_span, tenant};

/// What a shutdown may take longer than its deadline (`faces.md`, proof 11).
const GRACE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Default)]
struct Shelf(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Shelf {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

fn quiet(builder: Builder) -> crate::settings::Plan {
    builder.settle(&|_| None).unwrap()
}

/// The spans that `work` made, in the order of their ends.
fn spans_of(work: impl FnOnce()) -> Vec<SpanData> {
    let shelf = Shelf::default();
    let telemetry = Telemetry::with_exporter(quiet(builder().service("test")), shelf.clone());
    tracing::subscriber::with_default(Registry::default().with(telemetry.layer()), work);
    let report = telemetry.shutdown(Duration::from_secs(5)).wait();
    let spans = shelf.0.lock().unwrap().clone();
    assert_eq!(report, ShutdownReport { flushed: spans.len() as u64, dropped: 0, timed_out: false });
    spans
}

fn attribute<'a>(span: &'a SpanData, key: &str) -> Option<&'a Value> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|attribute| &attribute.value)
}

fn three_spans(telemetry: &Telemetry) {
    tracing::subscriber::with_default(Registry::default().with(telemetry.layer()), || {
        (0..3).for_each(|_| drop(request_span("GET", "/")));
    });
}

fn telemetry_to(address: SocketAddr) -> Telemetry {
    let builder = builder().service("test").endpoint(&format!("http://{address}")).unwrap();
    Telemetry::start(quiet(builder)).unwrap()
}

/// Takes connections and never answers.
fn black_hole() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[test]
fn a_request_is_a_server_span_with_route_tenant_and_status() {
    let spans = spans_of(|| {
        let span = request_span("POST", "/rag/{id}");
        span.in_scope(|| tenant("acme").unwrap());
        answered(&span, 404);
    });
    let [span] = &spans[..] else { panic!("one span, not {spans:?}") };
    assert_eq!((span.name.as_ref(), &span.span_kind), ("POST /rag/{id}", &SpanKind::Server));
    assert_eq!(attribute(span, "http.request.method"), Some(&Value::from("POST")));
    assert_eq!(attribute(span, "http.route"), Some(&Value::from("/rag/{id}")));
    assert_eq!(attribute(span, "http.response.status_code"), Some(&Value::from(404)));
    assert_eq!(attribute(span, "bailiwick.tenant.id"), Some(&Value::from("acme")));
    assert_eq!(span.status, Status::Unset);
}

#[test]
fn only_a_status_of_500_or_above_makes_a_failure() {
    let spans = spans_of(|| {
        let span = request_span("GET", "/");
        span.in_scope(|| tracing::error!("a handled error is not a failed request"));
        answered(&span, 499);
        drop(span);
        answered(&request_span("GET", "/"), 503);
    });
    assert_eq!((&spans[0].status, attribute(&spans[0], "error.type")), (&Status::Unset, None));
    assert_eq!(spans[1].status, Status::error(""));
    assert_eq!(attribute(&spans[1], "error.type"), Some(&Value::from("503")));
}

#[test]
fn a_module_span_is_an_internal_child_that_names_its_module() {
    let spans = spans_of(|| {
        request_span("POST", "/rag/query").in_scope(|| module_span("rag_hub", "retrieve").in_scope(|| {}));
    });
    let [module, request] = &spans[..] else { panic!("two spans, not {spans:?}") };
    assert_eq!((module.name.as_ref(), &module.span_kind), ("retrieve", &SpanKind::Internal));
    assert_eq!(module.parent_span_id, request.span_context.span_id());
    assert_eq!(attribute(module, "bailiwick.module"), Some(&Value::from("rag_hub")));
    assert_eq!(attribute(module, "bailiwick.operation"), Some(&Value::from("retrieve")));
}

#[test]
fn spans_of_the_exporters_own_machinery_and_below_info_do_not_count() {
    let spans = spans_of(|| {
        drop(tracing::info_span!(target: "hyper::client", "send"));
        drop(tracing::info_span!(target: "opentelemetry_sdk", "export"));
        drop(tracing::debug_span!("detail"));
        drop(tracing::info_span!("mine"));
    });
    assert_eq!(spans.iter().map(|span| span.name.as_ref()).collect::<Vec<_>>(), ["mine"]);
}

#[test]
fn a_disabled_sdk_makes_no_spans_and_ends_at_once() {
    let plan = builder().settle(&|name| (name == "OTEL_SDK_DISABLED").then(|| "true".to_owned())).unwrap();
    let shelf = Shelf::default();
    let telemetry = Telemetry::with_exporter(plan, shelf.clone());
    three_spans(&telemetry);
    assert_eq!(telemetry.shutdown(Duration::from_secs(5)).wait(), ShutdownReport::default());
    assert!(shelf.0.lock().unwrap().is_empty());
}

#[test]
fn spans_reach_an_otlp_http_server_as_protobuf() {
    let (listener, address) = black_hole();
    let server = std::thread::spawn(move || answer_one_request(listener.accept().unwrap().0));
    let telemetry = telemetry_to(address);
    three_spans(&telemetry);
    let report = telemetry.shutdown(Duration::from_secs(5)).wait();
    assert_eq!(report, ShutdownReport { flushed: 3, dropped: 0, timed_out: false });
    let head = server.join().unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
}

/// Reads one request, answers 200, returns its head.
fn answer_one_request(mut stream: TcpStream) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "the client went away");
    }
    let length = head.to_ascii_lowercase();
    let length = length.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    head
}

#[test]
fn a_server_that_is_away_loses_spans_but_fails_nothing() {
    let (listener, address) = black_hole();
    drop(listener);
    let telemetry = telemetry_to(address);
    three_spans(&telemetry);
    let begun = Instant::now();
    let report = telemetry.shutdown(Duration::from_millis(300)).wait();
    assert!(begun.elapsed() < Duration::from_millis(300) + GRACE, "{:?}", begun.elapsed());
    assert_eq!((report.flushed, report.dropped), (0, 3));
}

#[test]
fn a_server_that_never_answers_holds_a_shutdown_up_to_its_deadline_only() {
    let (_listener, address) = black_hole();
    let telemetry = telemetry_to(address);
    three_spans(&telemetry);
    let begun = Instant::now();
    let report = telemetry.shutdown(Duration::from_millis(300)).wait();
    assert!(begun.elapsed() < Duration::from_millis(300) + GRACE, "{:?}", begun.elapsed());
    assert_eq!(report, ShutdownReport { flushed: 0, dropped: 3, timed_out: true });
}

#[test]
fn the_same_holds_inside_a_current_thread_runtime_which_goes_on_meanwhile() {
    let (_listener, address) = black_hole();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    let (report, ticks) = runtime.block_on(async {
        let telemetry = telemetry_to(address);
        three_spans(&telemetry);
        let mut shutdown = std::pin::pin!(telemetry.shutdown(Duration::from_millis(300)));
        let mut ticks = 0;
        loop {
            tokio::select! {
                report = &mut shutdown => return (report, ticks),
                () = tokio::time::sleep(Duration::from_millis(10)) => ticks += 1,
            }
        }
    });
    assert!(begun.elapsed() < Duration::from_millis(300) + GRACE, "{:?}", begun.elapsed());
    assert!(report.timed_out);
    assert!(ticks >= 2, "the runtime stood still: {ticks} ticks");
}

#[test]
fn the_same_holds_inside_a_multi_thread_runtime() {
    let (_listener, address) = black_hole();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let telemetry = telemetry_to(address);
        three_spans(&telemetry);
        telemetry.shutdown(Duration::from_millis(300)).await
    });
    assert_eq!(report, ShutdownReport { flushed: 0, dropped: 3, timed_out: true });
}

#[test]
fn dropped_without_a_shutdown_telemetry_flushes_for_two_seconds_at_most() {
    let shelf = Shelf::default();
    let telemetry = Telemetry::with_exporter(quiet(builder()), shelf.clone());
    three_spans(&telemetry);
    drop(telemetry);
    assert_eq!(shelf.0.lock().unwrap().len(), 3);

    let (_listener, address) = black_hole();
    let telemetry = telemetry_to(address);
    three_spans(&telemetry);
    let begun = Instant::now();
    drop(telemetry);
    assert!(begun.elapsed() < Duration::from_secs(2) + GRACE, "{:?}", begun.elapsed());
}

#[test]
fn install_sets_the_global_subscriber_and_a_second_install_is_no_error() {
    let shelf = Shelf::default();
    let first = Telemetry::with_exporter(quiet(builder()), shelf.clone());
    first.install_globally();
    drop(request_span("GET", "/global"));
    let second = Telemetry::with_exporter(quiet(builder()), Shelf::default());
    second.install_globally();
    drop((second, first));
    let names: Vec<_> = shelf.0.lock().unwrap().iter().map(|span| span.name.to_string()).collect();
    assert!(names.contains(&"GET /global".to_owned()), "{names:?}");
}
