//! Answers that are not problems: figures of a snapshot and documents, with validators, so that nothing is sent twice.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use twox_hash::XxHash3_64;

use super::asked::Asked;
use super::problem::{Code, Problem};
use crate::aggregator::Snapshot;
use crate::evaluator::Report;
use crate::frontend::state::State;

/// What is shown may differ by these.
const VARY: HeaderValue = HeaderValue::from_static("Accept, Authorization, X-Scope-OrgID");

/// Answers may be kept by the client alone, and only used after asking again.
const NO_CACHE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The media type of JSON answers.
pub(crate) const JSON: &str = "application/json";

/// A page of figures: the body and, if there are more, the cursor of the next page.
#[derive(Debug)]
pub(crate) struct Page<T> {
    /// The body.
    pub(crate) body: T,
    /// The cursor that the body names as next.
    pub(crate) next_cursor: Option<String>,
}

/// Answers with figures of the snapshot of now. `show` runs on a thread where computing is allowed.
///
/// # Errors
/// `not_acceptable`, or `internal` when `show` panicked.
pub(crate) async fn figures<T, F>(state: &State, asked: &Asked, show: F) -> Result<Response, Problem>
where
    T: Serialize + Send + 'static,
    F: FnOnce(&Snapshot) -> Page<T> + Send + 'static,
{
    let snapshot = state.snapshot();
    validated(state, asked, snapshot.seq, move || show(&snapshot)).await
}

/// Answers with what a report of the evaluator says. `show` runs on a thread where computing is allowed.
///
/// # Errors
/// `not_acceptable`, or `internal` when `show` panicked.
pub(crate) async fn reported<T, F>(
    state: &State,
    asked: &Asked,
    report: Arc<Report>,
    show: F,
) -> Result<Response, Problem>
where
    T: Serialize + Send + 'static,
    F: FnOnce(&Report) -> Page<T> + Send + 'static,
{
    validated(state, asked, report.seq, move || show(&report)).await
}

/// Answers with what is shown of this number in this run, or that nothing changed.
async fn validated<T, F>(state: &State, asked: &Asked, seq: u64, show: F) -> Result<Response, Problem>
where
    T: Serialize + Send + 'static,
    F: FnOnce() -> Page<T> + Send + 'static,
{
    asked.takes_json()?;
    let etag = format!("W/\"{:x}-{seq}\"", state.epoch());
    if asked.holds(&etag) {
        return Ok(unchanged(&etag));
    }
    let (body, next_cursor) = compute(state, move || {
        let page = show();
        (serde_json::to_vec(&page.body).expect("views always become JSON"), page.next_cursor)
    })
    .await?;
    let mut response = whole(body.into(), JSON, &etag);
    if let Some(cursor) = next_cursor {
        link_next(&mut response, asked, &cursor);
    }
    Ok(response)
}

/// Names the next page in a header (RFC 8288).
pub(crate) fn link_next(response: &mut Response, asked: &Asked, cursor: &str) {
    let link = format!("<{}>; rel=\"next\"", asked.with_cursor(cursor));
    let link = HeaderValue::try_from(link).expect("the target is percent-encoded");
    response.headers_mut().insert(header::LINK, link);
}

/// Answers with a text that only changes with its content.
pub(crate) fn document(asked: &Asked, body: String, content_type: &'static str) -> Response {
    let etag = format!("\"{:016x}\"", XxHash3_64::oneshot(body.as_bytes()));
    if asked.holds(&etag) { unchanged(&etag) } else { whole(body.into(), content_type, &etag) }
}

/// Answers with a JSON document.
///
/// # Errors
/// `not_acceptable`.
pub(crate) fn json_document(asked: &Asked, body: &impl Serialize) -> Result<Response, Problem> {
    asked.takes_json()?;
    let body = serde_json::to_string(body).expect("views always become JSON");
    Ok(document(asked, body, JSON))
}

/// Runs a computation on a thread where blocking is allowed, a few at a time.
///
/// # Errors
/// `internal` when it panicked.
pub(crate) async fn compute<T, F>(state: &State, work: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let permit = Arc::clone(state.computing()).acquire_owned().await.expect("nobody closes the semaphore");
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    done.await.map_err(|error| {
        tracing::error!(error = %error, "failed to compute an answer");
        Problem::new(Code::Internal, "the answer could not be computed; the log says why")
    })
}

/// A live text without validator: it differs at every look.
pub(crate) fn live(body: String, content_type: &'static str) -> Response {
    let mut response = Body::from(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, NO_CACHE);
    headers.insert(header::VARY, VARY);
    response
}

fn whole(body: Body, content_type: &'static str, etag: &str) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    validate(headers, etag);
    response
}

fn unchanged(etag: &str) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    validate(response.headers_mut(), etag);
    response
}

fn validate(headers: &mut axum::http::HeaderMap, etag: &str) {
    headers.insert(header::ETAG, HeaderValue::try_from(etag).expect("tags are hexadecimal digits and quotes"));
    headers.insert(header::CACHE_CONTROL, NO_CACHE);
    headers.insert(header::VARY, VARY);
}
