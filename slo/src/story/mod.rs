//! Stories: what happened to an SLO, written down with what ought to come of it, so that a definition can be tried before
//! it wakes anybody (`slo.md` 5, "Test file"; `slo/tests/stories/README.md` tells every key).
//!
//! The way of a story: text to values ([`read`]), tick by tick through the engine that the daemon runs ([`play`]), and
//! what was expected held against it ([`judge`]).

mod read;
mod play;
mod judge;
mod run;

pub use run::run;

use std::collections::BTreeMap;

use crate::engine::sums::Source;
use crate::spec::Slo;

/// A story.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    slos: Vec<Slo>,
    /// Codes of the definition's errors.
    errors: Vec<String>,
    tick_s: u64,
    /// Seconds since the Unix epoch that all times count from.
    start_s: i64,
    input: Vec<Line>,
    corrections: Vec<Correction>,
    expect: Vec<Expect>,
}

/// Events of one tenant x module, evenly in time.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    tenant: String,
    module: String,
    from: i64,
    to: i64,
    per: i64,
    total: i64,
    bad: i64,
    source: Source,
}

/// A correction, as of some moment.
#[derive(Debug, Clone, PartialEq)]
struct Correction {
    tenant: String,
    module: String,
    from: i64,
    to: i64,
    is_good: bool,
    created_at: Option<i64>,
}

/// One expectation: of whom, and what by key.
#[derive(Debug, Clone, PartialEq)]
struct Expect {
    line: u32,
    values: BTreeMap<String, Wanted>,
}

/// A value as it is written.
#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    Nothing,
    Text(String),
    List(Vec<Wanted>),
    Map(BTreeMap<String, Wanted>),
}

/// Why a story cannot be told, or does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line of the story, 0: all of it.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}
