//! What a request's headers say, read by pure functions. No body is touched here.

use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::observation::Signal;
use crate::receiver::answer::Refusal;
use crate::receiver::request::{Coding, Encoding};
use crate::tenancy;

/// Longest URI in bytes.
pub const URI_BYTES_MAX: usize = 8 << 10;
/// The longest that a client may make us work on its behalf; longer deadlines count as this one.
pub const DEADLINE_MAX: Duration = Duration::from_secs(30);

const TENANT: HeaderName = HeaderName::from_static("x-scope-orgid");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const LOGS_HINT: &str = "bailiwick takes traces and metrics; set OTEL_LOGS_EXPORTER=none";

/// What a path of the gRPC port leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrpcRoute {
    /// An export.
    Export(Signal),
    /// `grpc.health.v1.Health/Check`.
    HealthCheck,
    /// `grpc.health.v1.Health/Watch`.
    HealthWatch,
    /// `grpc.health.v1.Health/List`.
    HealthList,
}

/// The gRPC method that a path names.
///
/// # Errors
/// *path*, with a hint for logs and profiles.
pub fn grpc_route(path: &str) -> Result<GrpcRoute, Refusal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Ok(GrpcRoute::Export(Signal::Traces)),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Ok(GrpcRoute::Export(Signal::Metrics)),
        "/grpc.health.v1.Health/Check" => Ok(GrpcRoute::HealthCheck),
        "/grpc.health.v1.Health/Watch" => Ok(GrpcRoute::HealthWatch),
        "/grpc.health.v1.Health/List" => Ok(GrpcRoute::HealthList),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
        | "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export" => {
            Err(Refusal::path(LOGS_HINT))
        }
        _ => Err(Refusal::path("no such method")),
    }
}

/// The refusal of an HTTP path that is none of ours.
#[must_use]
pub fn http_path_refusal(path: &str) -> Refusal {
    match path {
        "/v1/logs" | "/v1development/profiles" => Refusal::path(LOGS_HINT),
        _ => Refusal::path("nothing is here: OTLP/HTTP is sent to the paths for traces and metrics"),
    }
}

/// Whether a request says that it is gRPC.
#[must_use]
pub fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Checks that a gRPC request carries protobuf.
///
/// # Errors
/// *type*.
pub fn grpc_media_type(headers: &HeaderMap) -> Result<(), Refusal> {
    match single(headers, &CONTENT_TYPE).map(HeaderValue::as_bytes) {
        Some(b"application/grpc" | b"application/grpc+proto") => Ok(()),
        _ => Err(Refusal::media_type("OTLP/gRPC is application/grpc or application/grpc+proto")),
    }
}

/// The encoding of an HTTP request.
///
/// # Errors
/// *type*.
pub fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let refusal = || Refusal::media_type("OTLP/HTTP is application/x-protobuf or application/json");
    let value = single(headers, &CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or_else(refusal)?;
    let (media_type, parameters) = value.split_once(';').unwrap_or((value, ""));
    // A charset is the only parameter that could change the bytes.
    let utf8 = parameters.split(';').all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    let media_type = media_type.trim();
    if utf8 && media_type.eq_ignore_ascii_case("application/x-protobuf") {
        Ok(Encoding::Protobuf)
    } else if utf8 && media_type.eq_ignore_ascii_case("application/json") {
        Ok(Encoding::Json)
    } else {
        Err(refusal())
    }
}

/// The compression of an HTTP request: one coding at most.
///
/// # Errors
/// *coding*.
pub fn http_coding(headers: &HeaderMap) -> Result<Coding, Refusal> {
    match coding_name(headers, &CONTENT_ENCODING) {
        Some(b"" | b"identity") => Ok(Coding::Identity),
        Some(b"gzip") => Ok(Coding::Gzip),
        Some(b"zstd") => Ok(Coding::Zstd),
        Some(b"deflate") => Ok(Coding::Deflate),
        _ => Err(Refusal::coding("bodies are sent as they are, or in one of gzip, zstd, deflate")),
    }
}

/// The compression of gRPC messages that are flagged as compressed.
///
/// # Errors
/// *coding*.
pub fn grpc_coding(headers: &HeaderMap) -> Result<Coding, Refusal> {
    match coding_name(headers, &GRPC_ENCODING) {
        Some(b"" | b"identity") => Ok(Coding::Identity),
        Some(b"gzip") => Ok(Coding::Gzip),
        Some(b"zstd") => Ok(Coding::Zstd),
        _ => Err(Refusal::coding("messages are sent as they are, or in one of gzip, zstd")),
    }
}

/// The coding's name; empty when the header is missing, nothing when it is there twice.
fn coding_name<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    if headers.contains_key(name) { single(headers, name).map(HeaderValue::as_bytes) } else { Some(b"") }
}

/// The tenant that `X-Scope-OrgID` names.
///
/// # Errors
/// *bad_request* when it is no tenant id, or there are several.
pub fn tenant(headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
    if !headers.contains_key(&TENANT) {
        return Ok(None);
    }
    let refusal = |what: String| Refusal::bad_header("X-Scope-OrgID", what);
    let value = single(headers, &TENANT).ok_or_else(|| refusal("one tenant, once".to_owned()))?;
    match tenancy::check(value.as_bytes()) {
        Ok(()) => Ok(Some(value.clone())),
        Err(bad) => Err(refusal(bad.to_string())),
    }
}

/// How long a gRPC client waits, at most [`DEADLINE_MAX`].
///
/// # Errors
/// *bad_request* when `grpc-timeout` is not one to eight digits and a unit.
pub fn grpc_timeout(headers: &HeaderMap) -> Result<Option<Duration>, Refusal> {
    if !headers.contains_key(&GRPC_TIMEOUT) {
        return Ok(None);
    }
    let timeout = single(headers, &GRPC_TIMEOUT).and_then(|value| timeout(value.as_bytes()));
    match timeout {
        Some(timeout) => Ok(Some(timeout.min(DEADLINE_MAX))),
        None => Err(Refusal::bad_header("grpc-timeout", "grpc-timeout has one to eight digits and one of H M S m u n")),
    }
}

fn timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match unit {
        b'H' => Some(Duration::from_secs(number * 3_600)),
        b'M' => Some(Duration::from_secs(number * 60)),
        b'S' => Some(Duration::from_secs(number)),
        b'm' => Some(Duration::from_millis(number)),
        b'u' => Some(Duration::from_micros(number)),
        b'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_none() { Some(first) } else { None }
}
