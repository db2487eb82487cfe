//! OTLP/gRPC: unary calls on HTTP/2. The message is taken from its frame without a copy when it came in one piece.

use std::sync::Arc;

use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use bytes::{Bytes, BytesMut};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;

use super::accept::Shared;
use super::answer::grpc::{Framed, PREFIX_BYTES, render};
use super::answer::{Answer, Refusal};
use super::http::{jitter_permille, tenant_header};
use super::request::{Coding, Encoding, Head, Ingest, Received, Transport};
use super::{health, http};
use crate::observation::Signal;
use crate::observation::budget::Charge;

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const DEADLINE_MAX: Duration = Duration::from_secs(30);

/// What connections answer with.
pub(super) type AnswerBody = UnsyncBoxBody<Bytes, Infallible>;

/// Answers one gRPC call.
pub(super) async fn answer<I: Ingest>(
    request: Request<Incoming>,
    shared: &Shared<I>,
    address: Arc<str>,
) -> Response<AnswerBody> {
    if request.version() != Version::HTTP_2 {
        return http::plain(StatusCode::BAD_REQUEST, format!("OTLP/HTTP is on {}\n", shared.http_address));
    }
    let path = request.uri().path();
    if path.starts_with("/grpc.health.v1.Health/") {
        return health::answer(request, &shared.gate).await;
    }
    let answer = export(request, shared, address).await;
    framed(render(&answer, jitter_permille()))
}

async fn export<I: Ingest>(request: Request<Incoming>, shared: &Shared<I>, address: Arc<str>) -> Answer {
    let signal = match request.uri().path() {
        TRACES => Signal::Traces,
        METRICS => Signal::Metrics,
        _ => return Err(Refusal::path("bailiwick takes traces and metrics; set OTEL_LOGS_EXPORTER=none")),
    };
    if request.method() != Method::POST {
        return Err(Refusal::method());
    }
    let headers = request.headers();
    check_type(headers)?;
    let named = coding(headers)?;
    let head = Head {
        transport: Transport::Grpc,
        signal,
        encoding: Encoding::Protobuf,
        coding: named.unwrap_or(Coding::Identity),
        tenant: tenant_header(headers)?,
        address,
        deadline: deadline(headers)?,
    };
    shared.gate.pass()?;
    let limits = &shared.settings.connections;
    let deadline = head.deadline;
    let reading = message(request.into_body(), shared, named.is_some());
    let (body, compressed, hold) =
        tokio::time::timeout(limits.body_timeout.0, reading).await.map_err(|_| Refusal::slow_body())??;
    let coding = if compressed { head.coding } else { Coding::Identity };
    let received = Received { head: Head { coding, ..head }, body, hold };
    match deadline {
        // The pipeline looks at the deadline once more before it appends, and never after.
        Some(deadline) if deadline <= Instant::now() => Err(Refusal::deadline()),
        _ => shared.ingest.ingest(received).await,
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes) {
        Some(b"application/grpc" | b"application/grpc+proto") => Ok(()),
        _ => Err(Refusal::media_type("OTLP/gRPC is application/grpc or application/grpc+proto")),
    }
}

fn coding(headers: &HeaderMap) -> Result<Option<Coding>, Refusal> {
    match headers.get("grpc-encoding").map(HeaderValue::as_bytes) {
        None => Ok(None),
        Some(b"identity") => Ok(Some(Coding::Identity)),
        Some(b"gzip") => Ok(Some(Coding::Gzip)),
        Some(b"zstd") => Ok(Some(Coding::Zstd)),
        Some(_) => Err(Refusal::coding("grpc-encoding is identity, gzip or zstd")),
    }
}

/// `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2, "Requests").
fn deadline(headers: &HeaderMap) -> Result<Option<Instant>, Refusal> {
    let Some(text) = headers.get("grpc-timeout") else { return Ok(None) };
    let malformed = || Refusal::bad_header("grpc-timeout", "it is up to 8 digits and one of H, M, S, m, u, n");
    let (unit, digits) = text.as_bytes().split_last().ok_or_else(malformed)?;
    let digits = std::str::from_utf8(digits)
        .ok()
        .filter(|d| (1..=8).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_digit()));
    let amount: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or_else(malformed)?;
    let timeout = match unit {
        b'H' => Duration::from_secs(amount * 3_600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return Err(malformed()),
    };
    Ok(Some(Instant::now() + timeout.min(DEADLINE_MAX)))
}

/// The one message of the body, whether it is compressed, and the memory that it holds: its declared length is charged
/// before it is buffered.
async fn message<I>(
    mut body: Incoming,
    shared: &Shared<I>,
    coding_named: bool,
) -> Result<(Bytes, bool, Charge), Refusal> {
    let mut first = BytesMut::new();
    let start = loop {
        let data =
            next_data(&mut body, shared).await?.ok_or_else(|| Refusal::bad_frame(0, "the call has no message"))?;
        if first.is_empty() && data.len() >= PREFIX_BYTES {
            break data;
        }
        first.extend_from_slice(&data);
        if first.len() >= PREFIX_BYTES {
            break first.freeze();
        }
    };
    let length = u32::from_be_bytes([start[1], start[2], start[3], start[4]]) as usize;
    let compressed = match start[0] {
        0 => false,
        1 if coding_named => true,
        1 => return Err(Refusal::flag_without_encoding()),
        _ => return Err(Refusal::bad_frame(0, "the compression flag is neither 0 nor 1")),
    };
    let hold = shared.purse.charge(length as u64)?;
    let mut message = start.slice(PREFIX_BYTES..);
    if message.len() < length {
        let mut joined = BytesMut::with_capacity(length);
        joined.extend_from_slice(&message);
        while joined.len() < length {
            let data = next_data(&mut body, shared).await?.ok_or_else(Refusal::aborted)?;
            if joined.len() + data.len() > length {
                return Err(second_message(length));
            }
            joined.extend_from_slice(&data);
        }
        message = joined.freeze();
    } else if message.len() > length {
        return Err(second_message(length));
    }
    while let Some(data) = next_data(&mut body, shared).await? {
        if !data.is_empty() {
            return Err(second_message(length));
        }
    }
    Ok((message, compressed, hold))
}

#[cold]
fn second_message(length: usize) -> Refusal {
    Refusal::bad_frame(PREFIX_BYTES + length, "bytes follow the message: Export takes one")
}

async fn next_data<I>(body: &mut Incoming, shared: &Shared<I>) -> Result<Option<Bytes>, Refusal> {
    http::next_data(body, shared.settings.connections.body_idle_timeout.0).await
}

/// A gRPC response as hyper sends it.
pub(super) fn framed(framed: Framed) -> Response<AnswerBody> {
    let Framed { head, message, trailers } = framed;
    let (mut parts, ()) = head.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let body = Full::new(message.unwrap_or_default());
    let body = match trailers {
        Some(trailers) => body.with_trailers(async move { Some(Ok(trailers)) }).boxed_unsync(),
        None => {
            debug_assert!(body.is_end_stream());
            body.boxed_unsync()
        }
    };
    Response::from_parts(parts, body)
}
