//! What SLOs are evaluated from: one record after the other, each with what became known since the one before.
//!
//! Everything that moves an instance is in some record: counts, names, signs of life, and what operators ordered. So the
//! same records give the same words, whether they come from a running daemon or from its ledger.

use std::sync::Arc;

use super::control::Control;
use crate::outcome::OutcomeCounts;
use crate::saved;
use crate::spec::Sli;
use crate::taps::Tap;

/// Different sets of leak rules that may be read at once.
pub const LEAK_SETS_MAX: usize = 8;

/// What became known since the record before.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// Its number: those of the operators' orders rise.
    pub seq: u64,
    /// The first tick that has not closed after it.
    pub open: u64,
    /// Tenants x modules that were not known: each has the next number.
    pub modules: Vec<Module>,
    /// Series that were not known: each has the next number.
    pub series: Vec<Series>,
    /// Readings that were not known: each has the next number.
    pub readings: Vec<Reading>,
    /// Modules by number, each with the tick in which its latest metric point arrived.
    pub heard: Vec<(u32, u64)>,
    /// Requests, by tick and series.
    pub requests: Vec<(u64, u32, Requests)>,
    /// Fast and slow requests, by tick and series.
    pub latency: Vec<(u64, u32, Classes)>,
    /// What readings counted, by tick, module and reading.
    pub tallies: Vec<(u64, u32, u32, Tally)>,
    /// What operators ordered, before anything of the above.
    pub controls: Vec<Arc<Control>>,
}

/// A tenant x module.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Module {
    /// Its tenant.
    pub tenant: Arc<str>,
    /// Its name.
    pub module: Arc<str>,
}

saved!(struct Module { tenant, module });

/// A series.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Series {
    /// Number of its tenant x module.
    pub module: u32,
    /// What is asked of it.
    pub operation: Arc<str>,
}

saved!(struct Series { module, operation });

/// Something besides requests that is counted for each tenant x module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// A coverage figure by id, such as `TC`: what it is a share of, and what counts.
    Coverage(String),
    /// Hops that were judged, and those with a finding of these rules, by name.
    Leaks(Vec<String>),
    /// Points of a metric.
    Metric(Tap),
}

saved!(enum Reading { 0 => Coverage(part), 1 => Leaks(rules), 2 => Metric(tap) });

/// A change of what a reading counted in a tick: two's complement where less is known than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All; of a counter its increase.
    pub all: i64,
    /// Those that count: linked requests, hops with a finding, points that satisfy, counts below a threshold.
    pub some: i64,
}

saved!(struct Tally { all, some });

/// A change of requests by outcome in a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requests {
    /// By outcome, adjusted for sampling. What was taken out is two's complement.
    pub outcomes: OutcomeCounts,
    /// Entry spans, not adjusted.
    pub spans: u64,
}

/// A change of fast and slow requests against one threshold in a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Classes {
    /// The threshold, nanoseconds.
    pub threshold_ns: u64,
    /// At most as long, adjusted for sampling.
    pub fast: i64,
    /// Longer, adjusted for sampling.
    pub slow: i64,
    /// Fast ones as they were seen.
    pub raw_fast: i64,
    /// Slow ones as they were seen.
    pub raw_slow: i64,
}

impl Record {
    /// Whether it says nothing but that time went on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { modules, series, readings, heard, requests, latency, tallies, controls, .. } = self;
        modules.is_empty()
            && series.is_empty()
            && readings.is_empty()
            && heard.is_empty()
            && requests.is_empty()
            && latency.is_empty()
            && tallies.is_empty()
            && controls.is_empty()
    }
}

impl Reading {
    /// What it is, in words.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Coverage(part) => format!("coverage {part}"),
            Self::Leaks(rules) => format!("leaks by {}", rules.join(", ")),
            Self::Metric(tap) => format!("the metric {} read so", tap.metric),
        }
    }

    /// What an SLI reads besides requests; a counter reads two metrics.
    #[must_use]
    pub fn of(sli: &Sli) -> Vec<Self> {
        match sli {
            Sli::Coverage(part) => vec![Self::Coverage(part.clone())],
            Sli::Leaks(rules) => vec![Self::Leaks(rules.clone())],
            _ => Tap::of(sli).into_iter().map(Self::Metric).collect(),
        }
    }
}
