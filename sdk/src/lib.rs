//! OpenTelemetry for a service of a multi-tenant platform: tenant and module on every request, traces to Bailiwick.
//!
//! Thin over `opentelemetry` and `tracing-opentelemetry`; whatever those two understand keeps working. It never makes
//! a service wait for, or fail with, the server that its telemetry goes to.
//!
//! ```no_run
//! # fn main() -> Result<(), bailiwick_sdk::Error> {
//! use std::time::Duration;
//!
//! let telemetry = bailiwick_sdk::builder().service("ai-stack").module("chat_orchestrator").install()?;
//!
//! let span = bailiwick_sdk::request_span("POST", "/rag/query");
//! span.in_scope(|| {
//!     bailiwick_sdk::tenant("acme").ok();
//!     bailiwick_sdk::module_span("rag_hub", "retrieve").in_scope(|| { /* the work */ });
//! });
//! bailiwick_sdk::answered(&span, 200);
//! drop(span);
//!
//! let report = telemetry.shutdown(Duration::from_secs(5)).wait();
//! assert!(!report.timed_out);
//! # Ok(())
//! # }
//! ```
//!
//! # Where settings come from
//!
//! The standard environment first, then the [`Builder`], then these defaults: `http/protobuf` to
//! `http://127.0.0.1:4318`, batches every 2 s, 5 s for an export, W3C trace context and baggage. Heard are
//! `OTEL_SDK_DISABLED`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_*` and
//! `OTEL_EXPORTER_OTLP_TRACES_*` (protocol `http/protobuf` and plain `http` only), `OTEL_TRACES_SAMPLER*`,
//! `OTEL_BSP_*`, `OTEL_PROPAGATORS`.
//!
//! Modules in reading order: [`builder()`] and what it settles, [`Telemetry`] and its end, the spans.
#![forbid(unsafe_code)]

mod delivery;
mod error;
mod settings;
mod shutdown;
mod spans;
mod telemetry;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use settings::{Builder, builder};
pub use shutdown::{Shutdown, ShutdownReport};
pub use spans::{answered, module_span, request_span, tenant};
pub use telemetry::Telemetry;
