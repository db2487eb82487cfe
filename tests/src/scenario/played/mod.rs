//! A story as OTLP requests, through observer and aggregator.

pub(super) mod encode;
pub(super) mod points;
pub(super) mod play;
