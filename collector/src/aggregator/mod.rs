//! The owner of all series. A pure fold over the journal: same records, same state, bit for bit.
//!
//! [`Aggregator`] applies batches and ticks; [`start`] is the thread around it; [`Snapshot`] is what readers get.

mod settings;
mod tenants;
mod names;
mod pages;
mod open;
mod layers;
mod table;
mod intervals;
mod totals;
pub mod cell;
mod cells;
mod durations;
mod varint;
mod books;
mod chunked;
mod fold;
pub mod snapshot;
mod worker;

pub use fold::{Aggregator, ClaimSource};
pub use settings::{HistogramSettings, SeriesSettings, Settings};
pub use snapshot::Snapshot;
pub use worker::{SnapshotReader, start};
