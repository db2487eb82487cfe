//! The table of answers (`ingest.md` 1.4, rows T1 to T9, D1 and D2 of section 11) against a real daemon, over both
//! transports and encodings.
//!
//! Each row states what is sent and what must come back; it judges answers only, never figures.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use bailiwick_tests::harness::Daemon;
use bailiwick_tests::harness::raw::{EXPORT, TRACES, answer, call, exchange, frame, post};
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::Full;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use tonic::Code;
use tonic_types::StatusExt;

const BODY_BYTES_MAX: usize = 4 << 20;
/// Limits that a test reaches with little.
const SMALL_LIMITS: [&str; 4] = ["--set", "limits.items_max=100", "--set", "limits.body_bytes_max=4MiB"];

fn span(trace_id: u8, ended_seconds_ago: u64) -> Span {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let ended = u64::try_from(now.as_nanos()).expect("a clock before 2554") - ended_seconds_ago * 1_000_000_000;
    Span {
        trace_id: vec![trace_id; 16],
        span_id: vec![1; 8],
        name: "GET /".to_owned(),
        kind: 2,
        start_time_unix_nano: ended - 1_000_000,
        end_time_unix_nano: ended,
        ..Span::default()
    }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("a Vec takes all");
    encoder.finish().expect("a Vec takes all")
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("a Vec takes all")
}

/// One row for both transports: the message, its coding, and what must come back.
struct Row {
    what: &'static str,
    coding: &'static str,
    message: Vec<u8>,
    http: u16,
    grpc: Code,
    /// Spans that `partial_success` must name; of answers that are OK.
    rejected: i64,
}

fn row(what: &'static str, coding: &'static str, message: Vec<u8>, http: u16, grpc: Code) -> Row {
    Row { what, coding, message, http, grpc, rejected: 0 }
}

fn accepted(what: &'static str, coding: &'static str, message: Vec<u8>, rejected: i64) -> Row {
    Row { rejected, ..row(what, coding, message, 200, Code::Ok) }
}

fn rows() -> Vec<Row> {
    let good = request(vec![span(1, 0)]).encode_to_vec();
    let late = request(vec![span(1, 3_600), span(2, 3_600)]).encode_to_vec();
    let mixed = request(vec![span(1, 0), span(0, 0)]).encode_to_vec();
    let zeros = vec![0; 3 << 20];
    // Magic, a frame without its size, a window of 2 GiB (exponent 21), an empty last block.
    let window = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00];
    let (bad, full) = (Code::InvalidArgument, Code::ResourceExhausted);
    vec![
        accepted("all accepted", "identity", good.clone(), 0),
        accepted("all accepted, gzip", "gzip", gzip(&good), 0),
        accepted("two gzip members", "gzip", [gzip(&good), gzip(&good)].concat(), 0),
        accepted("all accepted, zstd", "zstd", zstd_of(&good), 0),
        accepted("empty request", "identity", Vec::new(), 0),
        accepted("one of two rejected", "identity", mixed, 1),
        accepted("all rejected", "identity", late, 2),
        accepted("the most items", "identity", request(vec![Span::default(); 100]).encode_to_vec(), 100),
        row("one item more", "identity", request(vec![Span::default(); 101]).encode_to_vec(), 413, full),
        row("truncated protobuf", "identity", good[..good.len() - 1].to_vec(), 400, bad),
        row("field 0", "identity", vec![0x00], 400, bad),
        row("JSON as protobuf", "identity", b"{}".to_vec(), 400, bad),
        row("not gzip", "gzip", good.clone(), 400, bad),
        row("not zstd", "zstd", good.clone(), 400, bad),
        row("short gzip", "gzip", gzip(&good)[..20].to_vec(), 400, bad),
        row("bytes after gzip", "gzip", [&gzip(&good)[..], b"x"].concat(), 400, bad),
        row("gzip bomb", "gzip", gzip(&zeros), 413, full),
        row("zstd bomb", "zstd", zstd_of(&zeros), 413, full),
        row("zstd window of 2 GiB", "zstd", window, 413, full),
        row("body over the limit", "identity", vec![0; BODY_BYTES_MAX + 1], 413, full),
        row("unknown coding", "br", good, 415, Code::Unimplemented),
    ]
}

/// A body that never comes.
struct Never;

impl Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// Path, headers, status, and a header that must be in the answer.
type HttpRow<'r> = (&'r str, Vec<(&'r str, &'r str)>, u16, &'r str);
/// What it is, path, headers, body, code.
type GrpcRow<'r> = (&'r str, &'r str, &'r [(&'r str, &'r str)], Full<Bytes>, Code);

fn rejected(response: &[u8]) -> i64 {
    let response = ExportTraceServiceResponse::decode(response).expect("an ExportTraceServiceResponse");
    response.partial_success.map_or(0, |partial| partial.rejected_spans)
}

/// Scenario: every row of the table over OTLP/HTTP with protobuf.
/// Guarantee: its status, a `google.rpc.Status` for refusals, the count of rejected spans for the others.
#[test]
fn every_row_holds_over_http_with_protobuf() {
    let daemon = Daemon::start(&SMALL_LIMITS);
    for row in rows() {
        let headers = [("content-type", "application/x-protobuf"), ("content-encoding", row.coding)];
        let answer = answer(daemon.http(), TRACES, &headers, &row.message);
        assert_eq!(answer.status, row.http, "{}", row.what);
        assert!(answer.head.contains("content-type: application/x-protobuf"), "{}: {}", row.what, answer.head);
        if row.http == 200 {
            assert_eq!(rejected(&answer.body), row.rejected, "{}", row.what);
        } else {
            let status = tonic_types::Status::decode(&answer.body[..]).expect("a google.rpc.Status");
            assert_eq!(status.code, row.grpc as i32, "{}", row.what);
            assert!(!status.message.is_empty(), "{}", row.what);
            assert!(!answer.head.contains("retry-after"), "{}: none of these is to be sent again", row.what);
        }
    }
}

/// Scenario: every row of the table over OTLP/gRPC.
/// Guarantee: its code, and no RetryInfo, which would make clients send it for ever.
#[tokio::test]
async fn every_row_holds_over_grpc() {
    let daemon = Daemon::start(&SMALL_LIMITS);
    for row in rows() {
        let flag = u8::from(row.coding != "identity");
        let answer = call(daemon.grpc(), EXPORT, &[("grpc-encoding", row.coding)], frame(flag, &row.message)).await;
        assert_eq!(answer.code(), Some(row.grpc), "{}", row.what);
        if row.grpc == Code::Ok {
            assert_eq!(rejected(&answer.message[5..]), row.rejected, "{}", row.what);
        }
        let retry = answer.status.and_then(|status| status.get_details_retry_info());
        assert!(retry.is_none(), "{}", row.what);
    }
}

/// Scenario: OTLP/JSON, good and bad.
/// Guarantee: the same answers as protobuf, written in JSON.
#[test]
fn json_is_answered_in_json() {
    let daemon = Daemon::start(&SMALL_LIMITS);
    let body = |spans| serde_json::to_vec(&request(spans)).expect("JSON");
    let deep = format!("{}{}", r#"{"x":"#.repeat(10_000), "1");
    let rows: [(&str, Vec<u8>, u16); 9] = [
        ("all accepted", body(vec![span(1, 0)]), 200),
        ("one of two rejected", body(vec![span(1, 0), span(0, 0)]), 200),
        ("empty request", b"{}".to_vec(), 200),
        ("no known key", br#"{"resource_spans":[]}"#.to_vec(), 200),
        ("null for an array", br#"{"resourceSpans":null}"#.to_vec(), 200),
        ("an array", b"[]".to_vec(), 400),
        ("cut", br#"{"resourceSpans":[{"#.to_vec(), 400),
        ("protobuf", request(vec![span(1, 0)]).encode_to_vec(), 400),
        ("10,000 deep", deep.into_bytes(), 400),
    ];
    for (what, body, status) in rows {
        let answer = answer(daemon.http(), TRACES, &[("content-type", "application/json;charset=utf-8")], &body);
        assert_eq!(answer.status, status, "{what}");
        assert!(answer.head.contains("content-type: application/json"), "{what}: {}", answer.head);
        let said: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        match what {
            "one of two rejected" => assert_eq!(said["partialSuccess"]["rejectedSpans"], "1", "{said}"),
            "no known key" => assert!(said.to_string().contains("unknown_keys"), "{said}"),
            _ if status == 200 => assert_eq!(said, serde_json::json!({}), "{what}"),
            _ => assert_eq!(said["code"], Code::InvalidArgument as i32, "{what}: {said}"),
        }
    }
}

/// Scenario: wrong methods, paths, types, codings, tenants and lengths over HTTP.
/// Guarantee: the status of the table, and the header that says what would be right.
#[test]
fn http_heads_are_judged_before_the_body() {
    let daemon = Daemon::start(&[]);
    let long = format!("/{}", "a".repeat(9_000));
    let protobuf = ("content-type", "application/x-protobuf");
    let rows: [HttpRow<'_>; 12] = [
        (TRACES, vec![protobuf], 200, ""),
        ("//", vec![protobuf], 404, ""),
        ("/v1/traces/../admin", vec![protobuf], 404, ""),
        ("/v1%2ftraces", vec![protobuf], 404, ""),
        ("/v1/logs", vec![protobuf], 404, ""),
        (&long, vec![protobuf], 414, ""),
        (TRACES, vec![], 415, ""),
        (TRACES, vec![("content-type", "text/plain")], 415, ""),
        (TRACES, vec![protobuf, ("content-encoding", "br")], 415, "accept-encoding: gzip, zstd, deflate"),
        (TRACES, vec![protobuf, ("content-encoding", "gzip, gzip")], 415, "accept-encoding: gzip, zstd, deflate"),
        (TRACES, vec![protobuf, ("x-scope-orgid", "a|b")], 400, ""),
        (TRACES, vec![protobuf, ("x-scope-orgid", "a/b")], 400, ""),
    ];
    for (path, headers, status, header) in rows {
        let answer = answer(daemon.http(), path, &headers, b"");
        assert_eq!(answer.status, status, "{path:.40} {headers:?}");
        assert!(answer.head.contains(header), "{path:.40} {headers:?}: {}", answer.head);
    }
    let get =
        exchange(daemon.http(), b"GET /v1/traces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("an answer");
    assert!(get.status == 405 && get.head.contains("allow: post"), "{}", get.head);
    let logs = answer(daemon.http(), "/v1/logs", &[("content-type", "application/json")], b"");
    assert!(String::from_utf8_lossy(&logs.body).contains("set OTEL_LOGS_EXPORTER=none"));
    let many: String = (0..10_000).map(|number| format!("h{number}: x\r\n")).collect();
    let many = exchange(daemon.http(), format!("POST {TRACES} HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes());
    assert_eq!(many.map(|answer| answer.status), Some(431));
}

/// Scenario: frames and heads that break gRPC's rules or ours.
/// Guarantee: the code of the table.
#[tokio::test]
async fn grpc_frames_and_heads_are_judged() {
    let daemon = Daemon::start(&[]);
    let good = request(vec![span(1, 0)]).encode_to_vec();
    let two = [&[0, 0, 0, 0, 0][..], &[0, 0, 0, 0, 0]].concat();
    let logs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    let rows: [GrpcRow<'_>; 9] = [
        ("flag 1, no encoding", EXPORT, &[], frame(1, &gzip(&good)), Code::Internal),
        ("two messages", EXPORT, &[], Full::from(two), Code::InvalidArgument),
        ("prefix 0xFFFFFFFF", EXPORT, &[], Full::from(vec![0, 255, 255, 255, 255]), Code::ResourceExhausted),
        ("a deadline that is over", EXPORT, &[("grpc-timeout", "1n")], frame(0, &good), Code::DeadlineExceeded),
        ("a deadline beyond ours", EXPORT, &[("grpc-timeout", "99999999H")], frame(0, &good), Code::Ok),
        ("a garbled deadline", EXPORT, &[("grpc-timeout", "soon")], frame(0, &good), Code::InvalidArgument),
        ("a malformed tenant", EXPORT, &[("x-scope-orgid", "a|b")], frame(0, &good), Code::InvalidArgument),
        ("logs", logs, &[], frame(0, b""), Code::Unimplemented),
        ("an unknown method", "/x/Y", &[], frame(0, b""), Code::Unimplemented),
    ];
    for (what, path, headers, body, code) in rows {
        assert_eq!(call(daemon.grpc(), path, headers, body).await.code(), Some(code), "{what}");
    }
    let coding = call(daemon.grpc(), EXPORT, &[("grpc-encoding", "br")], frame(0, b"")).await;
    assert_eq!(coding.headers["grpc-accept-encoding"], "identity,gzip,zstd");
    let subtype = [("content-type", "application/grpc+json")];
    assert_eq!(call(daemon.grpc(), EXPORT, &subtype, frame(0, b"")).await.http, 415);
}

/// Scenario: each protocol on the other one's port.
/// Guarantee: the answer names the right port.
#[tokio::test]
async fn the_wrong_port_names_the_right_one() {
    let daemon = Daemon::start(&[]);
    let status = call(daemon.http(), EXPORT, &[], frame(0, b"")).await.status.expect("a grpc-status");
    assert_eq!(status.code(), Code::Unimplemented);
    assert_eq!(status.message(), format!("OTLP/gRPC is on :{}", daemon.grpc().port()));
    let answer = answer(daemon.grpc(), TRACES, &[("content-type", "application/x-protobuf")], b"");
    let said = String::from_utf8(answer.body).expect("text");
    assert_eq!((answer.status, said.trim_end()), (400, &*format!("OTLP/HTTP is on :{}", daemon.http().port())));
}

/// Scenario: heads and bodies that do not come, with short limits.
/// Guarantee: a slow head is closed unanswered also while the protocol is unknown; a slow body is 408 or
/// DEADLINE_EXCEEDED.
#[tokio::test]
async fn slow_clients_are_given_up() {
    let timeouts = ["header_timeout=500ms", "body_idle_timeout=500ms", "body_timeout=1s"];
    let keys = timeouts.map(|timeout| format!("receiver.connections.{timeout}"));
    let args: Vec<&str> = keys.iter().flat_map(|key| ["--set", key.as_str()]).collect();
    let daemon = Daemon::start(&args);
    for beginning in ["", "PRI * HTTP/2.0\r\n", "POST /v1/traces HTTP/1.1\r\nhost:"] {
        assert!(exchange(daemon.http(), beginning.as_bytes()).is_none(), "{beginning:?}");
    }
    let whole = post(TRACES, &[("content-type", "application/x-protobuf")], b"xx");
    let slow = exchange(daemon.http(), &whole[..whole.len() - 1]).expect("an answer");
    assert!(slow.status == 408 && slow.head.contains("connection: close"), "{}", slow.head);
    assert_eq!(call(daemon.grpc(), EXPORT, &[], Never).await.code(), Some(Code::DeadlineExceeded));
}

/// Scenario: bytes that are no HTTP, and heads that two parsers read differently.
/// Guarantee: refused or closed, and the next client is served.
#[test]
fn nonsense_harms_nobody_else() {
    let daemon = Daemon::start(&[]);
    let lengths = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx";
    for address in [daemon.http(), daemon.grpc()] {
        for nonsense in ["\u{16}\u{3}\u{1}\0\u{5}hello\r\n\r\n", "GET /\r\n\r\n", "\0\u{1}\u{2}\u{3}\r\n\r\n", lengths]
        {
            let answer = exchange(address, nonsense.as_bytes());
            assert!(answer.is_none_or(|answer| answer.status == 400), "{nonsense:?}");
        }
    }
    let good = request(vec![span(1, 0)]).encode_to_vec();
    let answer = answer(daemon.http(), TRACES, &[("content-type", "application/x-protobuf")], &good);
    assert_eq!(answer.status, 200);
}
