//! OTLP on the wire: protobuf read in place, JSON turned into the same bytes. It knows messages, not what they mean.

pub mod wire;
pub mod keys;
pub mod attributes;
pub mod header;
pub mod trace;
pub mod metrics;
pub mod strict;
pub mod json;
