//! The configuration: what may be set, where it is read from, and what is wrong with it, all at once and with places.
//!
//! Reading goes in passes, each over what the last could use: text to tree (`syntax`), `${NAME}` (`expand`), tree
//! against the shape of the settings (`structure`), typed values (`typed`) and the rules between them (`rules`).
//! [`load`] alone touches files; nothing here reads the environment or writes anywhere.

mod settings;

mod expand;
mod problem;
mod syntax;
mod tree;

mod rules;
pub mod schema;
mod shape;
mod structure;
mod suggest;
mod typed;

mod assignment;
mod load;

pub mod render;
pub mod write;

#[cfg(test)]
mod tests;

pub use expand::Environment;
pub use load::{DEFAULT_FILE, Loaded, Request, compose, load, load_alone};
pub use problem::{Code, Place, Problem, Severity, Source, SourceKind, count};
pub use settings::{LogFormat, LogLevel, Settings, ShutdownSettings, TelemetrySettings};
pub use tree::{Entry, Node, Scalar, Value};
