//! From a complete body to an acknowledged record: inflate, JSON, walk, journal, answer.
//!
//! Small bodies are walked where they arrived, large ones on a bounded number of other threads. Nothing is appended
//! for a client that has left or whose deadline has passed; nothing is answered with success that was not appended.

mod inflate;
mod json;
mod pipeline;
mod worker;

#[cfg(test)]
mod tests;

pub use inflate::InflateMax;
pub use pipeline::{Pipeline, Plan};
pub use worker::{Walk, WalkerFactory};
