//! Scenarios: files in `tests/scenarios` that an SRE can read and write. Each says which spans are sent and when, and
//! what the figures must be then; they are played through observer and aggregator in virtual time.
//!
//! [`written`] is what a file says (the format is described in `tests/scenarios/README.md`), [`played`] what happens
//! then, [`compared`] what is seen against what is expected. Nothing here knows the rules that are proved.

mod written;
mod played;
mod compared;
mod verdict;

pub use verdict::{Difference, Judged, judge};
