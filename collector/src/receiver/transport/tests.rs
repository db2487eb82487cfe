//! Heads, frames and bodies are read as the standards say, however they are cut, and charged before they come.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::watch;
use tokio::time::Instant;

use super::body::{self, Intake, Patience};
use super::frame;
use super::head::*;
use crate::observation::Signal;
use crate::observation::budget::Budget;
use crate::receiver::answer::{Cause, Refusal};
use crate::receiver::gate::{Gate, Phase};
use crate::receiver::request::{Coding, Encoding};

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair =
        |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let mut headers = HeaderMap::new();
    for (name, value) in pairs.iter().map(pair) {
        headers.append(name, value);
    }
    headers
}

fn cause<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Cause {
    result.expect_err("refused").cause
}

#[test]
fn the_content_type_decides_the_encoding() {
    let read = |value| encoding(&headers(&[("content-type", value)]));
    for protobuf in ["application/x-protobuf", "APPLICATION/X-Protobuf", "application/x-protobuf; charset=utf-8"] {
        assert_eq!(read(protobuf), Ok(Encoding::Protobuf), "{protobuf}");
    }
    for json in ["application/json", "application/json;charset=utf-8", "application/json; charset=\"UTF-8\""] {
        assert_eq!(read(json), Ok(Encoding::Json), "{json}");
    }
    for bad in ["text/plain", "application/json; charset=latin1", "multipart/form-data; boundary=x", ""] {
        assert_eq!(cause(read(bad)), Cause::MediaType, "{bad}");
    }
    assert_eq!(cause(encoding(&headers(&[]))), Cause::MediaType);
    let twice = [("content-type", "application/json"), ("content-type", "application/json")];
    assert_eq!(cause(encoding(&headers(&twice))), Cause::MediaType);
}

#[test]
fn grpc_knows_two_content_types() {
    for (value, good) in
        [("application/grpc", true), ("application/grpc+proto", true), ("application/grpc+json", false)]
    {
        let headers = headers(&[("content-type", value)]);
        assert!(is_grpc(&headers));
        assert_eq!(grpc_media_type(&headers).is_ok(), good, "{value}");
    }
}

#[test]
fn one_known_coding_is_taken() {
    let http = |value| http_coding(&headers(&[("content-encoding", value)]));
    assert_eq!(http_coding(&headers(&[])), Ok(Coding::Identity));
    let codings = [Coding::Identity, Coding::Gzip, Coding::Zstd, Coding::Deflate];
    for (value, coding) in ["identity", "gzip", "zstd", "deflate"].into_iter().zip(codings) {
        assert_eq!(http(value), Ok(coding));
    }
    for bad in ["br", "gzip, gzip", "x-gzip"] {
        assert_eq!(cause(http(bad)), Cause::Coding, "{bad}");
    }
    let twice = headers(&[("content-encoding", "gzip"), ("content-encoding", "gzip")]);
    assert_eq!(cause(http_coding(&twice)), Cause::Coding);
    let grpc = |value| grpc_coding(&headers(&[("grpc-encoding", value)]));
    assert_eq!(
        (grpc("gzip"), grpc("zstd"), grpc("identity")),
        (Ok(Coding::Gzip), Ok(Coding::Zstd), Ok(Coding::Identity))
    );
    assert_eq!(cause(grpc("deflate")), Cause::Coding);
}

#[test]
fn a_tenant_header_names_one_tenant_or_is_refused() {
    let read = |value| tenant(&headers(&[("x-scope-orgid", value)]));
    assert_eq!(read("acme"), Ok(Some(HeaderValue::from_static("acme"))));
    assert_eq!(tenant(&headers(&[])), Ok(None));
    for bad in ["a|b", "", ".", "a/b", "_system", "a b"] {
        assert_eq!(cause(read(bad)), Cause::BadRequest, "{bad}");
    }
    assert_eq!(cause(tenant(&headers(&[("x-scope-orgid", "a"), ("x-scope-orgid", "a")]))), Cause::BadRequest);
}

#[test]
fn grpc_timeouts_are_read_and_clamped() {
    let read = |value| grpc_timeout(&headers(&[("grpc-timeout", value)]));
    assert_eq!(read("1S"), Ok(Some(Duration::from_secs(1))));
    assert_eq!(read("250m"), Ok(Some(Duration::from_millis(250))));
    assert_eq!(read("7u"), Ok(Some(Duration::from_micros(7))));
    assert_eq!(read("99999999n"), Ok(Some(Duration::from_nanos(99_999_999))));
    for long in ["99999999H", "1M", "31S", "30001m"] {
        assert_eq!(read(long), Ok(Some(Duration::from_secs(30))), "{long}");
    }
    for bad in ["", "S", "1", "123456789S", "-1S", "1s", "1 S", "x"] {
        assert_eq!(cause(read(bad)), Cause::BadRequest, "{bad}");
    }
}

#[test]
fn paths_are_compared_byte_for_byte() {
    let traces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    assert_eq!(grpc_route(traces), Ok(GrpcRoute::Export(Signal::Traces)));
    assert_eq!(cause(grpc_route(&format!("/{traces}"))), Cause::Path);
    let logs = grpc_route("/opentelemetry.proto.collector.logs.v1.LogsService/Export").expect_err("no logs");
    assert_eq!(logs.message, "bailiwick takes traces and metrics; set OTEL_LOGS_EXPORTER=none");
    assert_eq!(http_path_refusal("/v1development/profiles").message, logs.message);
    assert_ne!(http_path_refusal("/v1/logs/").message, logs.message);
}

struct Switch {
    budget: Budget,
    phase: watch::Sender<Phase>,
    _ready: watch::Sender<bool>,
}

fn gate(budget: u64, body_bytes_max: u64) -> (Gate, Switch) {
    let budget = Budget::new(budget);
    let (ready, ready_seen) = watch::channel(true);
    let (phase, phase_seen) = watch::channel(Phase::Open);
    let gate = Gate::new(ready_seen, phase_seen, budget.clone(), body_bytes_max);
    (gate, Switch { budget, phase, _ready: ready })
}

fn frames(frames: &[&'static [u8]]) -> impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin + use<> {
    let frames: Vec<_> = frames.iter().map(|bytes| Ok(Frame::data(Bytes::from_static(bytes)))).collect();
    StreamBody::new(stream::iter(frames))
}

fn patience(whole: Duration, deadline: Option<Duration>) -> Patience {
    let now = Instant::now();
    let deadline = deadline.map(|deadline| now + deadline);
    Patience { idle: Duration::from_secs(60), until: now + whole, deadline }
}

async fn read_frame(parts: &[&'static [u8]], coding: Coding) -> Result<(Bytes, Coding), Refusal> {
    let (gate, _switch) = gate(10_000, 100);
    let mut body = frames(parts);
    let mut intake = Intake::new(&mut body, patience(Duration::from_secs(60), None), &gate);
    frame::read(&mut intake, coding, |length| gate.hold(length)).await.map(|read| (read.body.bytes, read.coding))
}

#[tokio::test]
async fn a_message_is_read_however_it_is_cut() {
    let whole: &[&[u8]] = &[&[0, 0, 0, 0, 3, 1, 2, 3]];
    let cut: &[&[u8]] = &[&[0, 0], &[], &[0, 0], &[3, 1], &[2], &[3]];
    for parts in [whole, cut] {
        let (bytes, coding) = read_frame(parts, Coding::Gzip).await.expect("a message");
        assert_eq!((&bytes[..], coding), (&[1, 2, 3][..], Coding::Identity));
    }
    let (bytes, coding) = read_frame(&[&[1, 0, 0, 0, 1, 9]], Coding::Gzip).await.expect("a message");
    assert_eq!((&bytes[..], coding), (&[9][..], Coding::Gzip));
    let (bytes, _) = read_frame(&[&[0; 5]], Coding::Identity).await.expect("an empty message");
    assert!(bytes.is_empty());
}

#[tokio::test]
async fn a_message_in_one_frame_is_not_copied() {
    static BYTES: [u8; 8] = [0, 0, 0, 0, 3, 1, 2, 3];
    let (bytes, _) = read_frame(&[&BYTES], Coding::Identity).await.expect("a message");
    assert_eq!(bytes.as_ptr(), BYTES[5..].as_ptr());
}

#[tokio::test]
async fn frames_that_break_the_rules_are_refused() {
    let refused: [(&[&'static [u8]], Cause); 8] = [
        (&[], Cause::BadFrame),
        (&[&[0, 0, 0]], Cause::BadFrame),
        (&[&[2, 0, 0, 0, 0]], Cause::BadFrame),
        (&[&[0, 0, 0, 0, 3, 1, 2]], Cause::BadFrame),
        (&[&[0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]], Cause::BadFrame),
        (&[&[0, 0, 0, 0, 1, 1], &[0]], Cause::BadFrame),
        (&[&[1, 0, 0, 0, 1, 1]], Cause::FlagWithoutEncoding),
        (&[&[0, 0xff, 0xff, 0xff, 0xff]], Cause::BodyTooLarge),
    ];
    for (parts, expected) in refused {
        assert_eq!(cause(read_frame(parts, Coding::Identity).await), expected, "{parts:?}");
    }
}

#[tokio::test]
async fn the_declared_length_is_charged_before_the_message_comes() {
    let (gate, switch) = gate(1_000, 1_000);
    let held = switch.budget.charge(900).expect("room");
    let mut body = frames(&[&[0, 0, 0, 0, 101]]);
    let mut intake = Intake::new(&mut body, patience(Duration::from_secs(60), None), &gate);
    let refused = frame::read(&mut intake, Coding::Identity, |length| gate.hold(length)).await;
    assert_eq!(cause(refused), Cause::Inflight);
    drop(held);
}

#[tokio::test]
async fn undeclared_bodies_are_charged_in_steps_and_capped() {
    let (gate, switch) = gate(1 << 20, 100_000);
    static PART: [u8; 40_000] = [7; 40_000];
    let whole = Duration::from_secs(60);
    let mut body = frames(&[&PART, &PART]);
    let complete = body::read(&mut Intake::new(&mut body, patience(whole, None), &gate)).await.expect("a body");
    assert_eq!(complete.bytes.len(), 80_000);
    assert_eq!(switch.budget.used(), 2 * 65_536);
    drop(complete);
    let mut body = frames(&[&PART, &PART, &PART]);
    let refused = body::read(&mut Intake::new(&mut body, patience(whole, None), &gate)).await;
    assert_eq!(cause(refused), Cause::BodyTooLarge);
    assert_eq!(switch.budget.used(), 0);
}

async fn read_nothing(gate: &Gate, patience: Patience) -> Cause {
    let mut body = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
    cause(body::read(&mut Intake::new(&mut body, patience, gate)).await)
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let (gate, switch) = gate(1_000, 1_000);
    let soon = Duration::from_millis(5);
    assert_eq!(read_nothing(&gate, patience(soon, None)).await, Cause::Slow);
    let mut body = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
    let mut intake = Intake::new(&mut body, patience(Duration::from_secs(60), Some(soon)), &gate);
    assert_eq!(intake.next().await, Err(Refusal::deadline()));
    switch.phase.send_replace(Phase::Cut);
    assert_eq!(read_nothing(&gate, patience(Duration::from_secs(60), None)).await, Cause::Shutdown);
}
