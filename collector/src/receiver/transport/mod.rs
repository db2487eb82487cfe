//! From HTTP to a complete request and back: OTLP/gRPC and OTLP/HTTP on the same road, and gRPC health beside it.
//!
//! Heads are read by pure functions ([`head`]); everything they refuse is refused before the body is read.

mod body;
mod exchange;
mod frame;
mod grpc;
pub mod head;
mod health;
mod http;
mod reply;

#[cfg(test)]
mod tests;

pub use exchange::Exchange;
pub use grpc::GrpcHandler;
pub use http::{HttpHandler, Paths};
pub use reply::Reply;
