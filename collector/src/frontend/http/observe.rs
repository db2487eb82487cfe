//! Around every request: a number for it, its figures, its problems told, panics turned into problems.

use std::any::Any;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State as Shared};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Code, Problem};
use crate::frontend::exposition::catalogue;
use crate::frontend::state::State;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The route label of paths that lead nowhere: their text is the client's and would make labels without end.
const UNMATCHED: &str = "_unmatched";

/// Numbers a request, runs it, tells its problem and counts it.
pub(crate) async fn observe(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let request_id = state.next_request_id();
    let instance = request.uri().path().to_owned();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| UNMATCHED.to_owned(), |path| path.as_str().to_owned());
    let method = method_name(request.method());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.told(&instance, &request_id);
    }
    response.headers_mut().insert(REQUEST_ID, HeaderValue::try_from(&request_id).expect("digits and a dash"));
    let status = response.status().as_str().to_owned();
    metrics::counter!(catalogue::HTTP_REQUESTS.name, "route" => route.clone(), "method" => method, "status" => status)
        .increment(1);
    metrics::histogram!(catalogue::HTTP_DURATION.name, "route" => route).record(begun.elapsed().as_secs_f64());
    response
}

/// Weakens a strong validator once the body was compressed: its bytes are no longer those that the tag names.
pub(crate) async fn weaken(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_ENCODING) {
        let strong = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| tag.starts_with('"'));
        if let Some(tag) = strong {
            let weak = HeaderValue::try_from(format!("W/{tag}")).expect("a tag after two visible characters");
            headers.insert(header::ETAG, weak);
        }
    }
    response
}

/// A handler panicked: our bug. The cause goes to the log, not to the client.
pub(crate) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(cause = text.unwrap_or("not a text"), "failed to answer a request: the handler panicked");
    drop(cause);
    Problem::new(Code::Internal, "the request met an error of ours; the log says why").into_response()
}

/// The label `method`: known methods only.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "PATCH" => "PATCH",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}
