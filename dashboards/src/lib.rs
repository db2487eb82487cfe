//! Grafana dashboards of Bailiwick as functions: their JSON is written by `cargo run -p bailiwick-dashboards --example
//! generate`, committed in `generated/` and compared by a test. They only show: every figure is Bailiwick's, every
//! name comes from `bailiwick_slo::conventions`.
//!
//! In reading order: the form of a dashboard ([`model`]), what is asked ([`query`]), panels, the two dashboards.
#![forbid(unsafe_code)]

mod fleet;
pub mod model;
mod module;
mod panel;
pub mod query;
#[cfg(test)]
mod tests;

use model::Dashboard;

/// All dashboards, in the order in which one reads them.
#[must_use]
pub fn all() -> Vec<Dashboard> {
    vec![fleet::dashboard(), module::dashboard()]
}
