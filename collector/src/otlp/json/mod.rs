//! OTLP/JSON to the protobuf bytes that a client would have sent instead, so that only one decoder reads items.
//!
//! Two passes over the body: [`prescan`] proves it well-formed within limits and says what the second pass may cost,
//! before anything is built; [`to_protobuf`] writes canonical protobuf straight from the text, driven by a table of
//! OTLP's messages. Neither builds a document, echoes input, or guesses: what proto3 JSON with OTLP's deviations
//! (hex ids, integer enums, lowerCamelCase keys) does not allow is refused with its path.
//!
//! ```
//! use bailiwick_collector::otlp::json::{Kind, Limits, prescan, to_protobuf};
//! let body = br#"{"resourceSpans":[{"schemaUrl":"x"}]}"#;
//! let scan = prescan(body, Kind::Traces, &Limits::default()).unwrap();
//! assert_eq!(to_protobuf(body, Kind::Traces, &scan).unwrap(), [0x0a, 3, 0x1a, 1, b'x']);
//! ```

mod cursor;
mod error;
mod scalar;
mod scan;
mod schema;
mod transcode;

#[cfg(test)]
mod tests;

pub use error::JsonError;
pub use scan::{ELEMENT_CHARGE_BYTES, Kind, Limits, OBJECT_CHARGE_BYTES, Scan, prescan};
pub use transcode::to_protobuf;
