//! The command line: words in, an answer and an exit code out. stdout is data, stderr is talk.
//!
//! It decides nothing about figures: `serve` and `demo` hand settings to [`crate::app`], the rest prints what other
//! rooms say.

pub mod demo;

mod arguments;
mod answer;

mod configuration;
mod slo;
mod ask;
mod health;
mod version;

mod announce;
pub mod telemetry;
mod serve;

mod dispatch;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Exit};
pub use arguments::{Arguments, Command, GlobalArguments};
pub use dispatch::{Process, run};
pub use version::VERSION;
