//! The owner of all series. A pure fold over the journal: same records, same state, bit for bit.
//!
//! [`Aggregator`] applies batches and ticks; [`worker`] is the thread around it; [`Snapshot`] is what readers get.

mod settings;
pub mod snapshot;

pub use settings::{HistogramSettings, SeriesSettings, Settings};
pub use snapshot::Snapshot;
