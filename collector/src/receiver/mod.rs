//! OTLP at the sockets: bytes in, answer out. It knows no span; it knows what a request may cost and what to answer.

mod settings;

pub use settings::{ConnectionSettings, GrpcSettings, HttpSettings, Settings};
