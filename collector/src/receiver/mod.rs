//! OTLP at the sockets: bytes in, answer out. It knows no span; it knows what a request may cost and what to answer.
//!
//! A request passes `accept` (who may connect), `transport` (HTTP and gRPC to a complete body), and whatever stands
//! behind [`Ingest`]: in the daemon that is [`Pipeline`], which inflates, walks and appends. `answer` is the table of
//! what clients are told.

mod settings;

pub mod accept;
pub mod answer;
mod chance;
pub mod gate;
pub mod ingest;
pub mod meters;
pub mod request;
mod start;
pub mod transport;

#[cfg(test)]
mod tests;

pub use ingest::{Pipeline, Plan, Walk};
pub use request::{Head, Ingest, Received, Transport};
pub use settings::{ConnectionSettings, GrpcSettings, HttpSettings, Settings};
pub use start::{ListenError, Receiver, Surroundings, start};
