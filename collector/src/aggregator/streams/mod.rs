//! Metrics, stream by stream (`sli.md` 1.9): what each point adds, over which time, to whose counts. Requests counted
//! here do not go through tracing: they are what coverage is measured against.
//!
//! Pure: the journal's clock is an argument, the same points give the same state. Everything is bounded, and what found
//! no place is counted.

mod meaning;
mod exponential;
mod buckets;
mod sequence;
mod spread;
mod services;
mod levels;
mod operations;
mod kept;
mod tapped;
mod shapes;
mod intake;
mod shown;

pub(super) use intake::{Arrival, Owner, Streams};
pub use sequence::DropReason;
pub(super) use sequence::Outcome;
pub(super) use services::ServiceNumber;
pub use shown::{MetricCounts, ServiceCounts, StreamCounters, StreamsShown};
pub use tapped::{TapCounters, TapCounts, TappedId, TappedName};
