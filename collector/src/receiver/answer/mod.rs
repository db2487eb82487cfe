//! What a client is told: table 1.4 of `ingest.md` as pure functions.
//!
//! [`Cause`] is that table's rows, [`http`] and [`grpc`] write an [`Answer`] as either transport says it. Nothing here
//! reads a clock or a random source: delays get their jitter as an argument. No answer repeats what the client sent.

mod cause;
pub mod grpc;
pub mod http;
mod message;
mod refusal;
mod warned;

#[cfg(test)]
mod tests;

pub use cause::Cause;
pub use message::{error_message, warnings_of};
pub use refusal::{Accepted, Answer, Refusal, delay_with_jitter};
pub use warned::Warned;

/// Jitter of a delay in thousandths; at most 200 (20 %).
pub const JITTER_PERMILLE_MAX: u32 = 200;
