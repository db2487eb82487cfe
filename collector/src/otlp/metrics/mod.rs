//! `ExportMetricsServiceRequest` in one pass over its bytes: every point as its time and what is wrong with it.
//!
//! Points get no rows yet: they are judged by themselves and counted. What needs the clock (too late, future) is the
//! sink's to say. A structural error anywhere ends the walk, and the caller discards everything. Nothing here
//! allocates, whatever lengths, offsets or counts a point claims.

mod defect;
mod point;
mod walk;

#[cfg(test)]
mod tests;

pub use defect::PointDefect;
pub use walk::{MetricSink, Position, visit};
