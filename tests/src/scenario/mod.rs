//! Scenarios: files in `tests/scenarios` that an SRE can read and write. Each says which spans are sent and when, and
//! what the figures must be then; they are played through observer and aggregator in virtual time.
//!
//! The format is described in `tests/scenarios/README.md`. Nothing here knows the rules that are proved.

mod moment;
mod story;
mod expectation;
mod encode;
mod play;
mod figures;
mod findings;
mod laws;
mod verdict;

pub use verdict::{Difference, Judged, judge};
