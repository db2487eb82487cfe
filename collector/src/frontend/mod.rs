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
