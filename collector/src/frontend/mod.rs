//! Figures out on :4319. It reads snapshots and shows them; it computes nothing that another face would compute again.

mod settings;
mod format;
mod scope;
mod exposition;
mod view;
mod server;

pub use server::{Bound, Server, State};
pub use settings::{MetricsSettings, ServerSettings};

/// The OpenAPI document of the API, as JSON.
#[must_use]
pub fn openapi_json() -> String {
    view::openapi_json()
}

/// The published list of metric families, as Markdown.
#[must_use]
pub fn metrics_markdown() -> String {
    exposition::reference::markdown()
}

/// Starts counting what rooms record about themselves, each family with its help text. Without effect when a recorder
/// is installed already.
#[must_use]
pub fn recorder() -> Option<Recorded> {
    let handle = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().ok();
    exposition::catalogue::describe_recorded();
    handle
}

/// Gives what was recorded, as text.
pub type Recorded = metrics_exporter_prometheus::PrometheusHandle;
