//! OTLP at the sockets: bytes in, answer out. It knows no span; it knows what a request may cost and what to answer.
//!
//! Reading order: listeners and connections ([`start`]), what is decided before a body ([`request`]), bodies of either
//! transport (`grpc`, `http`), inflating, the way of a complete request ([`Pipeline`]), answers ([`answer`]).

mod settings;
mod accept;
pub mod request;
mod grpc;
mod http;
mod health;
mod inflate;
mod pipeline;
pub mod answer;

pub use accept::{Bound, ListenError, Listeners, start};
pub use pipeline::{Gate, Pipeline};
pub use settings::{ConnectionSettings, GrpcSettings, HttpSettings, Settings};
