//! From bytes to an observation batch in one pass: what each item shows by itself.
//!
//! Resolves tenant claims, module claims, operation and outcome; refuses items one by one, with a reason; writes rows.
//! It knows no neighbours (that is the aggregator's) and keeps nothing between requests but its buffers.

pub mod batch;
pub mod budget;
mod claims;
mod fields;
mod glob;
mod items;
mod memo;
mod naming;
mod observer;
mod outcome;
mod owner;
mod points;
pub mod report;
mod scratch;
mod settings;
mod slots;
mod spans;
mod tracestate;

#[cfg(test)]
mod tests;

pub use observer::{Observed, Observer, Request, Signal, Unreadable};
pub use settings::{
    Boundary, DataAttribute, DataPattern, FourXxError, IngestSettings, LimitSettings, Nested, Position,
    RequestSettings, Rules, SamplingSettings, Uncertain,
};
pub use slots::keys as wanted_keys;
