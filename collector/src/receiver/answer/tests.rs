//! Each cause is told as the table says, in both transports and all encodings; warnings are said rarely enough.

use std::time::Duration;

use ::http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use prost::Message;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::{StatusExt, pb};

use super::http::Form;
use super::*;
use crate::observation::report::{Position, Reason, Refused, Report, Warning};
use crate::observation::{Signal, Unreadable};
use crate::receiver::request::Encoding;

const PROTOBUF: Form = Form { encoding: Encoding::Protobuf, signal: Signal::Traces, jitter_permille: 0 };
const JSON: Form = Form { encoding: Encoding::Json, ..PROTOBUF };

fn report() -> Report {
    let position = |item| Position { item, ..Position::default() };
    let mut warnings = [0; 8];
    warnings[Warning::ClockAnomaly as usize] = 1;
    Report {
        received: 512,
        accepted: 509,
        ignored: 0,
        refused: vec![
            Refused { reason: Reason::InvalidId, count: 2, first: position(17) },
            Refused { reason: Reason::TooLate, count: 1, first: position(40) },
        ],
        warnings,
    }
}

fn json_body(answer: &Answer) -> Value {
    serde_json::from_slice(http::render(answer, JSON).body()).expect("JSON")
}

fn grpc_status(answer: &Answer) -> Status {
    Status::from_header_map(grpc::render(answer, 0).head.headers()).expect("a trailers-only response")
}

#[test]
fn every_cause_has_the_status_of_the_table_in_both_transports() {
    let table = [
        (Cause::BadProtobuf, "bad_protobuf", 400, Code::InvalidArgument),
        (Cause::BadJson, "bad_json", 400, Code::InvalidArgument),
        (Cause::BadEncoding, "bad_encoding", 400, Code::InvalidArgument),
        (Cause::BadFrame, "bad_frame", 400, Code::InvalidArgument),
        (Cause::FlagWithoutEncoding, "bad_frame", 400, Code::Internal),
        (Cause::BadRequest, "bad_request", 400, Code::InvalidArgument),
        (Cause::BodyTooLarge, "body_too_large", 413, Code::ResourceExhausted),
        (Cause::TooManyItems, "too_many_items", 413, Code::ResourceExhausted),
        (Cause::Ratio, "ratio", 413, Code::ResourceExhausted),
        (Cause::ZstdWindow, "zstd_window", 413, Code::ResourceExhausted),
        (Cause::Share, "share", 413, Code::ResourceExhausted),
        (Cause::Path, "path", 404, Code::Unimplemented),
        (Cause::Method, "method", 405, Code::Unimplemented),
        (Cause::Coding, "coding", 415, Code::Unimplemented),
        (Cause::Slow, "slow", 408, Code::DeadlineExceeded),
        (Cause::Inflight, "inflight", 503, Code::Unavailable),
        (Cause::Starting, "starting", 503, Code::Unavailable),
        (Cause::Shutdown, "shutdown", 503, Code::Unavailable),
        (Cause::Panic, "panic", 500, Code::Internal),
    ];
    for (cause, name, http, grpc) in table {
        assert_eq!((cause.name(), cause.http_status().as_u16(), cause.grpc_code()), (name, http, grpc), "{cause:?}");
    }
    assert_eq!(Cause::MediaType.http_status(), 415);
    assert_eq!(Cause::Uri.http_status(), 414);
}

#[test]
fn causes_are_numbered_in_the_order_of_their_list() {
    for (number, cause) in Cause::ALL.into_iter().enumerate() {
        assert_eq!(cause as usize, number);
    }
}

#[test]
fn only_what_helps_to_come_back_for_is_retried() {
    // What OTLP clients retry (OTLP 1.11, "Failures"); RESOURCE_EXHAUSTED only with RetryInfo.
    let http_retries = [429, 502, 503, 504];
    let grpc_retries =
        [Code::Cancelled, Code::DeadlineExceeded, Code::Aborted, Code::OutOfRange, Code::Unavailable, Code::DataLoss];
    for cause in Cause::ALL.into_iter().filter(|cause| !matches!(cause, Cause::Slow | Cause::Aborted)) {
        let retried = cause.delay().is_some();
        assert_eq!(http_retries.contains(&cause.http_status().as_u16()), retried, "{cause:?}");
        assert_eq!(grpc_retries.contains(&cause.grpc_code()), retried, "{cause:?}");
    }
}

#[test]
fn success_says_nothing_when_there_is_nothing_to_say() {
    let answer = Ok(Accepted::default());
    assert!(http::render(&answer, PROTOBUF).body().is_empty());
    assert_eq!(&http::render(&answer, JSON).body()[..], b"{}");
    let framed = grpc::render(&answer, 0);
    assert_eq!(framed.message.as_deref(), Some(&[0; 5][..]));
    assert_eq!(framed.trailers.expect("trailers")["grpc-status"], "0");
}

#[test]
fn partial_success_is_opentelemetrys_message_in_every_form() {
    use opentelemetry_proto::tonic::collector::{metrics, trace};

    let accepted = Accepted { rejected: 3, message: "3 of 512 spans rejected: too_late=3".to_owned() };
    let answer = Ok(accepted.clone());
    let body = http::render(&answer, PROTOBUF).into_body();
    let spans = trace::v1::ExportTraceServiceResponse::decode(body.clone()).expect("a response").partial_success;
    let spans = spans.expect("partial success");
    assert_eq!((spans.rejected_spans, spans.error_message), (3, accepted.message.clone()));
    let points = metrics::v1::ExportMetricsServiceResponse::decode(body.clone()).expect("a response").partial_success;
    assert_eq!(points.expect("partial success").rejected_data_points, 3);

    let framed = grpc::render(&answer, 0).message.expect("a message");
    assert_eq!((framed[0], &framed[5..]), (0, &body[..]));
    assert_eq!(u32::from_be_bytes([framed[1], framed[2], framed[3], framed[4]]) as usize, body.len());

    let told = json!({ "partialSuccess": { "rejectedSpans": "3", "errorMessage": accepted.message } });
    assert_eq!(json_body(&answer), told);
    let metrics = http::render(&answer, Form { signal: Signal::Metrics, ..JSON });
    let metrics: Value = serde_json::from_slice(metrics.body()).expect("JSON");
    assert_eq!(metrics["partialSuccess"]["rejectedDataPoints"], "3");
}

#[test]
fn a_refusal_is_a_google_rpc_status_in_the_requests_own_form() {
    let answer = Err(Refusal::from(Unreadable::BadProtobuf { offset: 17, fault: crate::otlp::wire::Fault::Tag }));
    let response = http::render(&answer, PROTOBUF);
    assert_eq!(
        (response.status().as_u16(), &response.headers()[CONTENT_TYPE]),
        (400, &"application/x-protobuf".parse().expect("a value"))
    );
    let status = pb::Status::decode(response.into_body()).expect("a status");
    assert_eq!(
        (status.code, status.message.as_str()),
        (3, "failed to decode protobuf at byte 17: a field tag is not valid")
    );
    assert_eq!(status.details[0].type_url, "type.googleapis.com/google.rpc.BadRequest");

    assert_eq!(http::render(&answer, JSON).headers()[CONTENT_TYPE], "application/json");
    let body = json_body(&answer);
    assert_eq!(body["code"], 3);
    assert_eq!(body["details"][0]["fieldViolations"][0]["field"], "byte 17");

    let status = grpc_status(&answer);
    assert_eq!(status.code(), Code::InvalidArgument);
    let violations = status.get_details_bad_request().expect("a BadRequest").field_violations;
    assert_eq!(violations[0].field, "byte 17");
}

#[test]
fn a_refusal_without_details_still_has_a_body() {
    let response = http::render(&Err(Refusal::ratio(200)), PROTOBUF);
    let status = pb::Status::decode(response.into_body()).expect("a status");
    assert_eq!((status.code, status.details.len()), (Code::ResourceExhausted as i32, 0));
    assert_eq!(json_body(&Err(Refusal::ratio(200)))["code"], 8);
    // Without RetryInfo clients drop it, as they should: it would never fit.
    let status = grpc_status(&Err(Refusal::ratio(200)));
    assert!(status.get_details_retry_info().is_none());
}

#[test]
fn those_who_are_to_come_back_are_told_when() {
    let answer = Err(Refusal::starting());
    for (jitter_permille, retry_after) in [(0, "2"), (1, "3"), (200, "3"), (9_999, "3")] {
        let response = http::render(&answer, Form { jitter_permille, ..JSON });
        assert_eq!(
            (response.status().as_u16(), &response.headers()[RETRY_AFTER]),
            (503, &retry_after.parse().expect("a value"))
        );
    }
    let head = grpc::render(&answer, 100).head;
    let status = Status::from_header_map(head.headers()).expect("a status");
    let delay = status.get_details_retry_info().and_then(|retry| retry.retry_delay);
    assert_eq!(delay, Some(Duration::from_millis(2_200)));
    assert_eq!(json_body(&answer)["details"][0]["retryDelay"], "2.000s");
}

#[test]
fn jitter_only_ever_lengthens_a_delay_by_a_fifth_at_most() {
    let second = Duration::from_secs(1);
    for (jitter, milliseconds) in [(0, 1_000), (200, 1_200), (u32::MAX, 1_200)] {
        assert_eq!(delay_with_jitter(second, jitter), Duration::from_millis(milliseconds));
    }
}

#[test]
fn a_refusal_of_the_request_line_says_what_would_be_right() {
    let method = http::render(&Err(Refusal::method()), JSON);
    assert_eq!(method.headers()[ALLOW], "POST");
    let coding = http::render(&Err(Refusal::coding("no")), JSON);
    assert_eq!(coding.headers()[ACCEPT_ENCODING], "gzip, zstd, deflate");
    let coding = grpc::render(&Err(Refusal::coding("no")), 0).head;
    assert_eq!(coding.headers()["grpc-accept-encoding"], "identity,gzip,zstd");
    assert_eq!(coding.status(), 200);
    assert_eq!(grpc::render(&Err(Refusal::media_type("no")), 0).head.status(), 415);
}

#[test]
fn a_slow_client_loses_its_connection() {
    assert_eq!(http::render(&Err(Refusal::slow_body()), JSON).headers()[CONNECTION], "close");
    assert!(!http::render(&Err(Refusal::inflight()), JSON).headers().contains_key(CONNECTION));
}

#[test]
fn the_error_message_reads_as_the_specification_shows_it() {
    let all = warnings_of(&report());
    assert_eq!(
        error_message(&report(), Signal::Traces, all),
        "3 of 512 spans rejected: invalid_id=2 (first: resource_spans[0].scope_spans[0].spans[17]), too_late=1; \
         warnings: clock_anomaly=1"
    );
    let metrics = error_message(&report(), Signal::Metrics, 0);
    assert!(
        metrics.starts_with("3 of 512 data points rejected: invalid_id=2 (first: resource_metrics[0]."),
        "{metrics}"
    );
    assert!(metrics.contains(".scope_metrics[0].metrics[17].data_points[0])"), "{metrics}");
    assert!(!metrics.contains("warnings"), "{metrics}");
}

#[test]
fn warnings_alone_are_said_and_silence_is_empty() {
    let report = Report { refused: Vec::new(), ..report() };
    assert_eq!(error_message(&report, Signal::Traces, warnings_of(&report)), "warnings: clock_anomaly=1");
    assert_eq!(error_message(&report, Signal::Traces, 0), "");
}

#[test]
fn the_longest_possible_message_fits() {
    let first = Position { resource: u32::MAX, scope: u32::MAX, item: u32::MAX, point: u32::MAX };
    let refused = Reason::ALL.map(|reason| Refused { reason, count: 100_000_000, first }).to_vec();
    let report = Report { received: u32::MAX, refused, warnings: [u32::MAX; 8], ..Report::default() };
    let message = error_message(&report, Signal::Metrics, u8::MAX);
    assert!(message.len() <= 1_024 && message.ends_with("duplicate_key=4294967295"), "{message}");
}

#[test]
fn a_principal_is_warned_of_a_kind_once_a_minute() {
    let mut warned = Warned::default();
    assert_eq!(warned.due("acme", 0b101, 1_000), 0b101);
    assert_eq!(warned.due("acme", 0b111, 1_059), 0b010);
    assert_eq!(warned.due("acme", 0b101, 1_060), 0b101);
    assert_eq!(warned.due("globex", 0b001, 1_060), 0b001);
    assert_eq!(warned.due("acme", 0, 2_000), 0);
}

#[test]
fn a_clock_that_went_back_does_not_silence_warnings() {
    let mut warned = Warned::default();
    assert_eq!(warned.due("acme", 1, 100_000), 1);
    assert_eq!(warned.due("acme", 1, 50), 1);
    assert_eq!(warned.due("acme", 1, 60), 0);
}
