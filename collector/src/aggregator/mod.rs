//! The owner of all series. A pure fold over the journal: same records, same state, bit for bit.
//!
//! [`Aggregator`] applies batches and ticks; [`start`] is the thread around it; [`Snapshot`] is what readers get.

mod settings;
mod memory;
mod tenants;
mod names;
mod counts;
mod durations;
mod books;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "the fold does not hand points on yet"))]
mod streams;
mod fold;
pub mod snapshot;
mod worker;

pub use fold::{Aggregator, ClaimSource};
pub use settings::{
    AllowedEdge, CoverageSettings, HistogramSettings, LeakSettings, SeriesSettings, Settings, StreamSettings,
};
pub use snapshot::Snapshot;
pub use streams::{DropReason, MetricCounts, ServiceCounts, StreamCounters, StreamsShown};
pub use worker::{SnapshotReader, start};
