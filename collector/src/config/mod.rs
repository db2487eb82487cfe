//! The configuration: what may be set, where it is read from, and what is wrong with it, all at once and with places.
//!
//! Reading goes in passes, each over what the last could use: text to tree and `${NAME}` (`written`), tree against the
//! shape of the settings, typed values and the rules between them (`valid`). `load` alone touches files; nothing here
//! reads the environment or prints.

mod settings;
pub mod schema;

mod problem;
mod written;
mod valid;

mod load;

pub mod render;
pub mod write;

#[cfg(test)]
mod tests;

pub use load::{DEFAULT_FILE, Loaded, Request, compose, load, load_alone};
pub use problem::{Code, Place, Problem, Severity, Source, SourceKind, count};
pub use settings::{LogFormat, LogLevel, Settings, ShutdownSettings, TelemetrySettings};
pub use written::{Entry, Environment, Node, Scalar, Value};
