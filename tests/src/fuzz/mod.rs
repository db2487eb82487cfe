//! Fuzzing with an oracle (`ingest.md` 3): prost and the slow [`crate::reference`] say what the daemon must do.
//!
//! A target takes any bytes and panics with a sentence where a promise is broken. `tests/suite/fuzz_oracle.rs` drives
//! the targets from the corpus and from [`generate`] on any toolchain; `tests/fuzz/` drives them with libFuzzer.

mod dice;
mod schema;
mod wire;
mod writer;
mod values;
mod histograms;
pub mod generate;
mod mutate;
mod rearrange;
mod shrink;
mod cases;
mod bare;
mod rows;
pub mod census;
mod print;
mod target;

pub use cases::{CASES, Case, NOW_NS};
pub use census::Census;
pub use dice::Dice;
pub use mutate::mutate;
pub use print::json;
pub use rearrange::{damage_inside, rearrange};
pub use shrink::shrink;
pub use target::{case_of, fuzz_json, fuzz_metrics, fuzz_traces, fuzz_under, json_equals_protobuf, observed};
