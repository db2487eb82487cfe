//! Probes: `/livez`, `/readyz`, `/startupz` and their other names.

use axum::extract::State as Shared;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::alternatives;
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::Problem;
use crate::frontend::readiness::Check;
use crate::frontend::state::State;

/// Whether the process does its work
///
/// 503 when the aggregator has not ticked for 10 s: a restart is the remedy. Also at `/healthz` and `/-/healthy`.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "health",
    params(("verbose" = Option<String>, Query, description = "List every check", allow_reserved, example = "")),
    responses(
        (status = 200, description = "Alive", body = String, content_type = "text/plain", example = "ok\n"),
        (status = 503, description = "Not alive, with the failed checks", body = String, content_type = "text/plain"),
        alternatives::OfProbes,
    )
)]
pub(crate) async fn livez(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    told(&asked, &state.readiness().liveness(state.now_ns()))
}

/// Whether exports are taken and counted
///
/// 503 until listeners are bound and the aggregator ticks, while the in-flight budget stays full, and while stopping.
/// Also at `/-/ready`.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    params(("verbose" = Option<String>, Query, description = "List every check", allow_reserved, example = "")),
    responses(
        (status = 200, description = "Ready", body = String, content_type = "text/plain", example = "ok\n"),
        (status = 503, description = "Not ready, with the failed checks", body = String, content_type = "text/plain"),
        alternatives::OfProbes,
    )
)]
pub(crate) async fn readyz(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    told(&asked, &state.readiness().checks(state.now_ns()))
}

/// Whether starting is over
#[utoipa::path(
    get,
    path = "/startupz",
    tag = "health",
    params(("verbose" = Option<String>, Query, description = "List every check", allow_reserved, example = "")),
    responses(
        (status = 200, description = "Started", body = String, content_type = "text/plain", example = "ok\n"),
        (status = 503, description = "Still starting", body = String, content_type = "text/plain"),
        alternatives::OfProbes,
    )
)]
pub(crate) async fn startupz(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    told(&asked, &state.readiness().startup())
}

fn told(asked: &Asked, checks: &[Check]) -> Result<Response, Problem> {
    asked.only(&["verbose"])?;
    let good = checks.iter().all(|check| check.failure.is_none());
    let text = if good && !asked.has("verbose") { "ok\n".to_owned() } else { lines(checks, asked.has("verbose")) };
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut response = (status, text).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A line for each check, or for each failed one.
fn lines(checks: &[Check], passed_too: bool) -> String {
    let shown = checks.iter().filter(|check| passed_too || check.failure.is_some());
    shown
        .map(|check| match &check.failure {
            None => format!("[+]{} ok\n", check.name),
            Some(reason) => format!("[-]{} failed: {reason}\n", check.name),
        })
        .collect()
}
