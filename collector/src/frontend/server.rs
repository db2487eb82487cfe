//! The listener: routes, questions read strictly, answers.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Query, State as Shared};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bailiwick_slo::time::Window;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use utoipa::OpenApi;

use super::exposition::catalogue::Group;
use super::exposition::document::{self, Format, Selection};
use super::exposition::own::Own;
use super::scope::Scope;
use super::settings::ServerSettings;
use super::view::{self, Filter};
use crate::aggregator::Snapshot;
use crate::clock::SharedClock;
use crate::observation::budget::Budget;

/// What answers are made from.
#[derive(Clone)]
pub struct State {
    /// Gives the latest snapshot.
    pub snapshots: Arc<dyn Fn() -> Arc<Snapshot> + Send + Sync>,
    /// Whether requests are taken.
    pub accepting: Arc<dyn Fn() -> bool + Send + Sync>,
    /// This listener's settings.
    pub settings: ServerSettings,
    /// Reads the time.
    pub clock: SharedClock,
    /// The in-flight budget.
    pub budget: Budget,
    /// What rooms recorded about themselves.
    pub recorded: Option<super::Recorded>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The port could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; free the port or set `server.listen` (port 0 takes a free one)")]
pub struct ListenError {
    address: SocketAddr,
    source: std::io::Error,
}

/// A listener that is bound but not yet served.
#[derive(Debug)]
pub struct Bound(TcpListener);

/// A listener that is served.
#[derive(Debug)]
pub struct Server {
    /// Where.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Bound {
    /// Binds the listener.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn bind(settings: &ServerSettings) -> Result<Self, ListenError> {
        let bound = TcpListener::bind(settings.listen).await;
        bound.map(Self).map_err(|source| ListenError { address: settings.listen, source })
    }

    /// Serves figures until [`Server::stop`].
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn serve(self, state: State) -> std::io::Result<Server> {
        let address = self.0.local_addr()?;
        let (stop, mut stopped) = watch::channel(false);
        let asked = async move { drop(stopped.changed().await) };
        let task = tokio::spawn(axum::serve(self.0, router(state)).with_graceful_shutdown(asked).into_future());
        Ok(Server { address, stop, task })
    }
}

impl Server {
    /// Ends the listener; requests that were begun are cut.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        self.task.abort();
        let _ = self.task.await;
    }
}

/// The API's document.
#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Bailiwick", description = "Exact books per tenant, module and operation"),
    paths(series, modules, ingest)
)]
pub(crate) struct Document;

fn router(state: State) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/v1/series", get(series))
        .route("/v1/modules", get(modules))
        .route("/v1/ingest", get(ingest))
        .route("/openapi.json", get(openapi))
        .with_state(state)
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Question {
    /// Only this tenant.
    tenant: Option<String>,
    /// Only this module.
    module: Option<String>,
    /// Only this operation.
    operation: Option<String>,
    /// 1m, 5m (default), 1h or 1d.
    window: Option<String>,
    /// Most items, 1 to 1000; 100 when absent.
    limit: Option<usize>,
}

struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "type": "/problems/bad_request", "title": "Bad request", "status": self.0.as_u16(),
            "detail": self.1, "code": "bad_request",
        });
        (self.0, [(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

type Asked = Result<Query<Question>, axum::extract::rejection::QueryRejection>;

fn read(asked: Asked) -> Result<(Filter, Window, usize), Problem> {
    let bad = |text: String| Problem(StatusCode::BAD_REQUEST, text);
    let Query(asked) = asked.map_err(|error| bad(error.body_text()))?;
    let window = match asked.window {
        None => Window::FiveMinutes,
        Some(name) => name.parse().map_err(|error: bailiwick_slo::time::UnknownWindow| bad(error.to_string()))?,
    };
    let limit = asked.limit.unwrap_or(100);
    if !(1..=1_000).contains(&limit) {
        return Err(bad("limit is a number from 1 to 1000".to_owned()));
    }
    let filter = Filter { tenant: asked.tenant, module: asked.module, operation: asked.operation };
    Ok((filter, window, limit))
}

/// Figures of every tenant x module x operation.
#[utoipa::path(get, path = "/v1/series", params(Question), responses((status = 200, body = view::List<view::Figures>)))]
async fn series(Shared(state): Shared<State>, asked: Asked) -> Result<impl IntoResponse, Problem> {
    let (filter, window, limit) = read(asked)?;
    Ok(Json(view::series(&(state.snapshots)(), &filter, (window, limit))))
}

/// Figures of every tenant x module.
#[utoipa::path(get, path = "/v1/modules", params(Question), responses((status = 200, body = view::List<view::Figures>)))]
async fn modules(Shared(state): Shared<State>, asked: Asked) -> Result<impl IntoResponse, Problem> {
    let (filter, window, limit) = read(asked)?;
    Ok(Json(view::modules(&(state.snapshots)(), &filter, (window, limit))))
}

/// The books of every tenant and signal.
#[utoipa::path(get, path = "/v1/ingest", params(Question), responses((status = 200, body = view::List<view::BooksItem>)))]
async fn ingest(Shared(state): Shared<State>, asked: Asked) -> Result<impl IntoResponse, Problem> {
    let (filter, _, limit) = read(asked)?;
    Ok(Json(view::books(&(state.snapshots)(), &filter, limit)))
}

async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], view::openapi_json())
}

async fn ready(Shared(state): Shared<State>) -> (StatusCode, String) {
    let age_ns = state.clock.now_unix_ns().saturating_sub((state.snapshots)().now_ns);
    let line = |good: bool, name: &str| format!("{}{name}\n", if good { "[+]" } else { "[-]" });
    let (accepting, ticking) = ((state.accepting)(), age_ns < 3_000_000_000);
    let status = if accepting && ticking { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, line(accepting, "accepting") + &line(ticking, "last tick is younger than 3 s"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricsQuestion {
    tenant: Option<String>,
    /// `requests`, `self` or both, joined by commas.
    collect: Option<String>,
}

async fn metrics(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    asked: Result<Query<MetricsQuestion>, axum::extract::rejection::QueryRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Query(asked) = asked.map_err(|error| Problem(StatusCode::BAD_REQUEST, error.body_text()))?;
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let format = if accept.contains("application/openmetrics-text") { Format::OpenMetrics } else { Format::Text };
    let snapshot = (state.snapshots)();
    let own = Own {
        now_ns: state.clock.now_unix_ns(),
        ready: (state.accepting)(),
        budget: &state.budget,
        limits: snapshot.limits(),
    };
    let wanted =
        |group: &Group| asked.collect.as_deref().is_none_or(|names| names.split(',').any(|name| name == group.name()));
    let orgs = headers.get("x-scope-orgid").and_then(|orgs| orgs.to_str().ok());
    let selection = Selection {
        groups: Group::ALL.into_iter().filter(wanted).collect(),
        scope: Scope::narrowed(asked.tenant.as_deref(), orgs),
    };
    // What rooms recorded belongs to no tenant.
    let shows_own = selection.groups.contains(&Group::Own) && !selection.scope.is_narrow();
    let recorded = state.recorded.as_ref().filter(|_| shows_own).map(super::Recorded::render).unwrap_or_default();
    let families = document::families(&snapshot, &own, &selection);
    Ok(([(CONTENT_TYPE, format.content_type())], document::write(format, families, &recorded)))
}
