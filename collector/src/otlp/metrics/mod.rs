//! `ExportMetricsServiceRequest` in one pass over its bytes: every point with what it claims and what is wrong with it,
//! and all of it where its metric is wanted.
//!
//! What needs the clock (too late, future) is the sink's to say. A structural error anywhere ends the walk, and the
//! caller discards everything. Nothing is allocated for a point once the lists have their size, and that is bounded by
//! the limits, whatever lengths, offsets or counts a point claims.

mod walk;
mod point;
mod histogram;
mod verdict;
mod defect;

#[cfg(test)]
mod tests;

pub use defect::PointDefect;
pub use point::{Number, Point};
pub use walk::{Kind, Metric, MetricSink, Position, visit};
