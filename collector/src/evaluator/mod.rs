//! SLOs over what the aggregator counted: each slot that closes moves every instance on; what happened becomes incidents
//! and a report that faces read.
//!
//! In reading order: what may be set (`settings`), where definitions come from (`definitions`), how snapshots become
//! ticks (`feed`), which bad spans were seen (`sightings`), who the bad events came from (`blame`), what readers get
//! (`report`), the thread around it all (`worker`).

mod settings;
pub mod definitions;
mod feed;
mod sightings;
mod blame;
mod report;
mod worker;

pub use feed::Feed;
pub use report::{Blame, ExemplarSpan, IncidentReport, InstanceReport, Report};
pub use settings::Settings;
pub use sightings::SIGHTINGS_BYTES_MAX;
pub use worker::{ReportReader, start};
