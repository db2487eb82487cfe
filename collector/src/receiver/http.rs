//! OTLP/HTTP: POST of protobuf or JSON. All is decided on headers before the body is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tonic::{Code, Status};

use super::accept::Shared;
use super::answer::http::{Form, render};
use super::answer::{Answer, JITTER_PERMILLE_MAX, Refusal};
use super::grpc::AnswerBody;
use super::request::{Coding, Encoding, Head, Ingest, Received, Transport};
use crate::observation::Signal;
use crate::observation::budget::Charge;
use crate::tenancy;

const URI_BYTES_MAX: usize = 8 << 10;
const STEP_BYTES: u64 = 64 << 10;
const LOGS_HINT: &str = "bailiwick takes traces and metrics; set OTEL_LOGS_EXPORTER=none";
const PATH_HINT: &str = "OTLP/HTTP is on /v1/traces and /v1/metrics";

/// Answers one request.
pub(super) async fn answer<I: Ingest>(
    request: Request<Incoming>,
    shared: &Shared<I>,
    address: Arc<str>,
) -> Response<AnswerBody> {
    let kind = request.headers().get(CONTENT_TYPE).map(|kind| kind.as_bytes().to_vec()).unwrap_or_default();
    if kind.starts_with(b"application/grpc") {
        let status = Status::new(Code::Unimplemented, format!("OTLP/gRPC is on {}", shared.grpc_address));
        return status.into_http::<String>().map(|_| Full::default().boxed_unsync());
    }
    let encoding = encoding(&kind);
    let signal = signal(request.uri().path(), shared);
    let form = Form {
        encoding: encoding.unwrap_or(Encoding::Json),
        signal: signal.unwrap_or(Signal::Traces),
        jitter_permille: jitter_permille(),
    };
    let answer = export(request, shared, (signal, encoding), address).await;
    render(&answer, form).map(|body| Full::new(body).boxed_unsync())
}

fn signal<I>(path: &str, shared: &Shared<I>) -> Option<Signal> {
    let settings = &shared.settings.http;
    if path == settings.traces_path {
        Some(Signal::Traces)
    } else if path == settings.metrics_path {
        Some(Signal::Metrics)
    } else {
        None
    }
}

fn encoding(kind: &[u8]) -> Option<Encoding> {
    let kind = kind.to_ascii_lowercase();
    let (media, parameters) = match kind.iter().position(|byte| *byte == b';') {
        Some(at) => (kind[..at].trim_ascii(), kind[at + 1..].trim_ascii()),
        None => (kind.trim_ascii(), &b""[..]),
    };
    match (media, parameters) {
        (b"application/x-protobuf", b"") => Some(Encoding::Protobuf),
        (b"application/json", b"" | b"charset=utf-8") => Some(Encoding::Json),
        _ => None,
    }
}

async fn export<I: Ingest>(
    request: Request<Incoming>,
    shared: &Shared<I>,
    (signal, encoding): (Option<Signal>, Option<Encoding>),
    address: Arc<str>,
) -> Answer {
    let path = request.uri().path();
    if request.uri().path_and_query().is_some_and(|all| all.as_str().len() > URI_BYTES_MAX) {
        return Err(Refusal::uri());
    }
    let Some(signal) = signal else {
        let is_other_signal = path == "/v1/logs" || path.starts_with("/v1development/");
        return Err(Refusal::path(if is_other_signal { LOGS_HINT } else { PATH_HINT }));
    };
    if request.method() != Method::POST {
        return Err(Refusal::method());
    }
    let encoding = encoding.ok_or(Refusal::media_type("OTLP/HTTP is application/x-protobuf or application/json"))?;
    let headers = request.headers();
    let head = Head {
        transport: Transport::Http,
        signal,
        encoding,
        coding: coding(headers)?,
        tenant: tenant_header(headers)?,
        address,
        deadline: None,
    };
    shared.gate.pass()?;
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let reading = read_body(request.into_body(), shared, declared);
    let (body, hold) = tokio::time::timeout(shared.settings.connections.body_timeout.0, reading)
        .await
        .map_err(|_| Refusal::slow_body())??;
    shared.ingest.ingest(Received { head, body, hold }).await
}

fn coding(headers: &HeaderMap) -> Result<Coding, Refusal> {
    let mut named = headers.get_all(CONTENT_ENCODING).iter();
    match (named.next().map(HeaderValue::as_bytes), named.next()) {
        (None | Some(b"identity" | b""), None) => Ok(Coding::Identity),
        (Some(b"gzip"), None) => Ok(Coding::Gzip),
        (Some(b"zstd"), None) => Ok(Coding::Zstd),
        (Some(b"deflate"), None) => Ok(Coding::Deflate),
        _ => Err(Refusal::coding("Content-Encoding is one of identity, gzip, zstd, deflate")),
    }
}

/// The tenant that `X-Scope-OrgID` names.
pub(super) fn tenant_header(headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
    let mut values = headers.get_all("x-scope-orgid").iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::bad_header("X-Scope-OrgID", "it names one tenant on ingest, once"));
    }
    match tenancy::check(value.as_bytes()) {
        Ok(()) => Ok(Some(value.clone())),
        Err(bad) => Err(Refusal::bad_header("X-Scope-OrgID", bad.to_string())),
    }
}

async fn read_body<I>(
    mut body: Incoming,
    shared: &Shared<I>,
    declared: Option<u64>,
) -> Result<(Bytes, Charge), Refusal> {
    let idle = shared.settings.connections.body_idle_timeout.0;
    let mut hold = shared.purse.charge(declared.unwrap_or(STEP_BYTES))?;
    let Some(first) = next_data(&mut body, idle).await? else { return Ok((Bytes::new(), hold)) };
    let mut joined = None;
    let mut length = first.len() as u64;
    while let Some(data) = next_data(&mut body, idle).await? {
        length += data.len() as u64;
        if length > shared.purse.body_bytes_max {
            return Err(Refusal::body_too_large(shared.purse.body_bytes_max));
        }
        if length > hold.bytes() {
            hold.grow((length - hold.bytes()).next_multiple_of(STEP_BYTES)).map_err(|_| Refusal::inflight())?;
        }
        let joined = joined.get_or_insert_with(|| {
            let mut joined = BytesMut::with_capacity(declared.unwrap_or(STEP_BYTES) as usize);
            joined.extend_from_slice(&first);
            joined
        });
        joined.extend_from_slice(&data);
    }
    Ok((joined.map_or(first, BytesMut::freeze), hold))
}

/// The next piece of a body; `None` at its end.
pub(super) async fn next_data(body: &mut Incoming, idle: Duration) -> Result<Option<Bytes>, Refusal> {
    loop {
        match tokio::time::timeout(idle, body.frame()).await {
            Err(_) => return Err(Refusal::slow_body()),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(Refusal::aborted()),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// A plain text answer, for clients of another protocol.
pub(super) fn plain(status: StatusCode, text: String) -> Response<AnswerBody> {
    let mut response = Response::new(Full::new(Bytes::from(text)).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Spreads those who wait: answers in a row get delays that lie apart. 61 and the 201 values have no common divisor, so
/// all of them come up.
pub(super) fn jitter_permille() -> u32 {
    static ANSWERS: AtomicU32 = AtomicU32::new(0);
    ANSWERS.fetch_add(61, Ordering::Relaxed) % (JITTER_PERMILLE_MAX + 1)
}
