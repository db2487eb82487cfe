//! The owner of all series. A pure fold over the journal: same records, same state, bit for bit.
//!
//! [`Aggregator`] applies batches and ticks; [`start`] is the thread around it; [`Snapshot`] is what readers get.

mod settings;
mod memory;
mod tenants;
mod names;
mod counts;
mod durations;
mod carries;
mod classes;
mod leaked;
mod exemplars;
mod books;
mod traces;
mod graph;
mod findings;
mod patterns;
mod streams;
mod fold;
pub mod snapshot;
mod worker;

pub use classes::ClassOf;
pub use fold::{Aggregator, ClaimSource, KnownModule, Terms};
pub use graph::CELL_BYTES_MAX as GRAPH_CELL_BYTES_MAX;
pub use settings::{
    AllowedEdge, CoverageSettings, HistogramSettings, LeakSettings, SeriesSettings, Settings, StreamSettings,
};
pub use snapshot::Snapshot;
pub use worker::{Keeping, SnapshotReader, Told, start};
