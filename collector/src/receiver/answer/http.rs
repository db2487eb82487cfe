//! Answers as HTTP says them: status, headers and body in the request's own content type.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use prost::Message;
use serde_json::{Value, json};
use tonic_types::{StatusExt, pb};

use super::{Accepted, Answer, Cause, Refusal, delay_with_jitter};
use crate::observation::Signal;
use crate::receiver::request::Encoding;

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `ExportTraceServiceResponse` and `ExportMetricsServiceResponse`: equal but for the names of their fields.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// How an answer is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The request's encoding; JSON where it was unusable.
    pub encoding: Encoding,
    /// The request's signal; only names a JSON field.
    pub signal: Signal,
    /// Jitter of a delay in thousandths.
    pub jitter_permille: u32,
}

/// Writes the answer.
#[must_use]
pub fn render(answer: &Answer, form: Form) -> Response<Bytes> {
    let (status, body) = match answer {
        Ok(accepted) => (StatusCode::OK, accepted_body(accepted, form)),
        Err(refusal) => (refusal.cause.http_status(), refusal_body(refusal, form)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, if form.encoding == Encoding::Json { JSON } else { PROTOBUF });
    if let Err(Refusal { cause, .. }) = answer {
        match cause {
            Cause::Method => drop(headers.insert(ALLOW, HeaderValue::from_static("POST"))),
            Cause::Coding => {
                drop(headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, zstd, deflate")));
            }
            _ => {}
        }
        if let Some(delay) = cause.delay() {
            let delay = delay_with_jitter(delay, form.jitter_permille);
            let ceiling = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(ceiling));
        }
        if cause.ends_connection() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
    response
}

/// The answer's message in protobuf: nothing at all when there is nothing to say.
pub(super) fn accepted_message(accepted: &Accepted) -> ExportResponse {
    let says = accepted.rejected > 0 || !accepted.message.is_empty();
    let partial = || PartialSuccess { rejected: accepted.rejected.into(), error_message: accepted.message.clone() };
    ExportResponse { partial_success: says.then(partial) }
}

fn accepted_body(accepted: &Accepted, form: Form) -> Bytes {
    if form.encoding == Encoding::Protobuf {
        return Bytes::from(accepted_message(accepted).encode_to_vec());
    }
    if accepted.rejected == 0 && accepted.message.is_empty() {
        return Bytes::from_static(b"{}");
    }
    let field = match form.signal {
        Signal::Traces => "rejectedSpans",
        Signal::Metrics => "rejectedDataPoints",
    };
    // proto3 JSON writes 64-bit integers as text.
    let partial = json!({ field: accepted.rejected.to_string(), "errorMessage": accepted.message });
    Bytes::from(json!({ "partialSuccess": partial }).to_string())
}

fn refusal_body(refusal: &Refusal, form: Form) -> Bytes {
    let status = refusal.status(form.jitter_permille);
    if form.encoding == Encoding::Json {
        return Bytes::from(status_json(&status).to_string());
    }
    if !status.details().is_empty() {
        // tonic keeps the encoded google.rpc.Status as the details of its own.
        return Bytes::copy_from_slice(status.details());
    }
    let bare = pb::Status { code: status.code() as i32, message: status.message().to_owned(), details: Vec::new() };
    Bytes::from(bare.encode_to_vec())
}

fn status_json(status: &tonic::Status) -> Value {
    let mut details = Vec::new();
    if let Some(bad) = status.get_details_bad_request() {
        let violations: Vec<Value> = bad
            .field_violations
            .iter()
            .map(|violation| json!({ "field": violation.field, "description": violation.description }))
            .collect();
        details.push(json!({ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations }));
    }
    if let Some(delay) = status.get_details_retry_info().and_then(|retry| retry.retry_delay) {
        let delay = format!("{}.{:03}s", delay.as_secs(), delay.subsec_millis());
        details.push(json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay }));
    }
    let mut body = json!({ "code": status.code() as i32, "message": status.message() });
    if !details.is_empty() {
        body["details"] = Value::Array(details);
    }
    body
}
