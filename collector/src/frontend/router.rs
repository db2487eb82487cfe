//! Which path leads to which handler, and the layers around them all.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use super::api::{coverage, documents, findings, graph, health, ingest, limits, metrics, nowhere, requests};
use super::api::{history, incidents, instance, orders, slos};
use super::http::{guard, observe};
use super::state::State;

/// Bodies from this size on are compressed.
const COMPRESSED_FROM_BYTES: u64 = 1_024;

/// Everything that this listener answers.
pub fn router(state: State) -> Router {
    let body_max = usize::try_from(state.settings().body_max.0).unwrap_or(usize::MAX);
    let compression = CompressionLayer::new()
        // A scrape of megabytes is written in the time that it takes to compress it well.
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(COMPRESSED_FROM_BYTES));
    // The last layer is the outermost.
    Router::new()
        .route("/", get(documents::index))
        .route("/v1/series", get(requests::series))
        .route("/v1/modules", get(requests::modules))
        .route("/v1/tenants", get(requests::tenants))
        .route("/v1/coverage", get(coverage::coverage))
        .route("/v1/findings", get(findings::findings))
        .route("/v1/graph", get(graph::graph))
        .route("/v1/slos", get(slos::slos))
        .route("/v1/slos/{tenant}/{module}/{slo}", get(slos::slo))
        .route("/v1/slos/{tenant}/{module}/{slo}/explain", get(instance::explain))
        .route("/v1/slos/{tenant}/{module}/{slo}/attribution", get(instance::attribution))
        .route("/v1/slos/{tenant}/{module}/{slo}/corrections", get(instance::corrections))
        .route("/v1/slos/{tenant}/{module}/{slo}/history", get(instance::history))
        .route("/v1/incidents", get(incidents::incidents))
        .route("/v1/incidents/{id}", get(incidents::incident))
        .route("/v1/incidents/{id}/ack", post(orders::ack))
        .route("/v1/incidents/{id}/unack", post(orders::unack))
        .route("/v1/incidents/{id}/close", post(orders::close))
        .route("/v1/corrections", get(orders::corrections).post(orders::correct))
        .route("/v1/corrections/{id}/revoke", post(orders::revoke))
        .route("/v1/silences", get(orders::silences).post(orders::silence))
        .route("/v1/silences/{id}", delete(orders::end_silence))
        .route("/v1/incidents/log", get(history::log))
        .route("/v1/slos/ledger", get(history::ledger))
        .route("/v1/slos/lint", post(history::lint))
        .route("/v1/slos/backtest", post(history::backtest))
        .route("/-/reload", post(history::reload))
        .route("/v1/ingest", get(ingest::ingest))
        .route("/v1/limits", get(limits::limits))
        .route("/metrics", get(metrics::metrics))
        .route("/livez", get(health::livez))
        .route("/healthz", get(health::livez))
        .route("/-/healthy", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/-/ready", get(health::readyz))
        .route("/startupz", get(health::startupz))
        .route("/openapi.json", get(documents::openapi_json))
        .route("/problems", get(documents::problems))
        .route("/problems/{code}", get(documents::problem))
        .fallback(nowhere::not_found)
        .method_not_allowed_fallback(nowhere::method_not_allowed)
        .layer(DefaultBodyLimit::max(body_max))
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn_with_state(state.clone(), observe::observe))
        .layer(compression)
        .layer(from_fn(observe::weaken))
        .with_state(state)
}

#[cfg(test)]
mod tests;
