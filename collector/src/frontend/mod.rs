//! Figures out on :4319. It reads snapshots and shows them; it computes nothing that another face would compute again.

mod settings;

pub use settings::{MetricsSettings, ServerSettings};
