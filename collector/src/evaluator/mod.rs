//! SLOs over what the aggregator counted: each slot that closes moves every instance on; what happened becomes incidents
//! and a report that faces read.
//!
//! In reading order: what may be set (`settings`), where definitions come from (`definitions`), how snapshots become
//! records (`records`; `held`: what has to wait), and records ticks (`feed`), which bad spans were seen (`sightings`), who
//! the bad events came from (`blame`), when budgets end (`forecasts`), what readers get (`report`), what is not
//! sent (`silences`), the thread around it all (`worker`).

mod settings;
pub mod definitions;
mod held;
mod records;
mod feed;
mod sightings;
mod blame;
mod forecasts;
mod report;
mod silences;
mod worker;

pub use blame::blame_of;
pub use feed::{Beginning, Feed};
pub use report::{Blame, ExemplarSpan, IncidentReport, InstanceReport, Report};
pub use settings::Settings;
pub use sightings::SIGHTINGS_BYTES_MAX;
pub use silences::{Standing, anchored};
pub use worker::{Evaluated, Listeners, ReportReader, start};
