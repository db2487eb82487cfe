//! Fuzzing with an oracle (`ingest.md` 3): prost and the slow [`crate::reference`] say what the daemon must do.
//!
//! A target takes any bytes and panics with a sentence where a promise is broken. `tests/suite/fuzz_oracle.rs` drives
//! the targets from the corpus and from [`generate`] on any toolchain; `tests/fuzz/` drives them with libFuzzer.

mod dice;
mod schema;
mod writer;
mod values;
pub mod generate;
mod mutate;
mod cases;
mod skipped;
mod print;
mod target;

pub use cases::{CASES, Case, NOW_NS};
pub use dice::Dice;
pub use mutate::mutate;
pub use print::json;
pub use target::{fuzz_json, fuzz_metrics, fuzz_traces, json_equals_protobuf};
