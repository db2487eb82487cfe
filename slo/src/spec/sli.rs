//! What is good of what, for whom, and how it is added up.

use super::{Glob, Globs, TimeSpan};
use crate::exact::Decimal;
use crate::outcome::Outcome;
use crate::saved;

/// Whose requests an SLO speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// Tenants.
    pub tenant: Globs,
    /// Modules.
    pub module: Globs,
    /// Operations.
    pub operation: Globs,
    /// What instances are made by.
    pub group_by: GroupBy,
}

saved!(struct Selector { tenant, module, operation, group_by });

/// What instances are made by; what is left out is summed and reads `_all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupBy {
    /// An instance for each tenant.
    pub tenant: bool,
    /// An instance for each module.
    pub module: bool,
}

saved!(struct GroupBy { tenant, module });

/// What is good of what (`slo.md` 1.4).
#[derive(Debug, Clone, PartialEq)]
pub enum Sli {
    /// Success and client errors, of these and failures.
    Availability,
    /// Outcomes, of outcomes.
    Outcome {
        /// Good ones.
        good: Vec<Outcome>,
        /// All that count.
        total: Vec<Outcome>,
    },
    /// Fast requests of fast and slow ones.
    Latency {
        /// At most this long is fast, nanoseconds.
        threshold_ns: u64,
        /// Failures are slow ones, else they do not count.
        failures_are_slow: bool,
    },
    /// Hops without a finding of these rules (names such as `L1`), of hops judged.
    Leaks(Vec<String>),
    /// A coverage figure by id, such as `TC`.
    Coverage(String),
    /// Increases of counters.
    Counter {
        /// Good ones, or bad ones.
        part: Amount,
        /// `part` counts bad ones.
        part_is_bad: bool,
        /// All.
        total: Amount,
    },
    /// Points of a gauge that satisfy a condition, of its points.
    Gauge {
        /// The gauge.
        metric: Amount,
        /// How.
        op: Compared,
        /// With what.
        value: Decimal,
    },
    /// Counts of a histogram's buckets that are wholly at or below a threshold, of all.
    Histogram {
        /// The histogram.
        metric: Amount,
        /// In the metric's unit.
        threshold: Decimal,
    },
    /// Slices whose quantile is at most a threshold.
    Quantile {
        /// The histogram; `None`: latency of requests.
        metric: Option<Amount>,
        /// The quantile, above 0 and below 1.
        q: Decimal,
        /// In the metric's unit; of latency in nanoseconds.
        threshold: Decimal,
    },
    /// A ratio that somebody else worked out.
    Ratio {
        /// The gauge.
        metric: Amount,
        /// It tells how much was bad.
        is_failure: bool,
    },
    /// Other SLOs together.
    Composite(Vec<Component>),
    /// A source of another system, as documents of OpenSLO name it: it is never evaluated.
    Foreign(String),
}

saved!(enum Sli {
    0 => Availability,
    1 => Outcome { good, total },
    2 => Latency { threshold_ns, failures_are_slow },
    3 => Leaks(rules),
    4 => Coverage(part),
    5 => Counter { part, part_is_bad, total },
    6 => Gauge { metric, op, value },
    7 => Histogram { metric, threshold },
    8 => Quantile { metric, q, threshold },
    9 => Ratio { metric, is_failure },
    10 => Composite(components),
    11 => Foreign(source),
});

/// A metric and the attributes that its points must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// Its name.
    pub metric: String,
    /// Attributes, equal or by pattern.
    pub attributes: Vec<(String, Glob)>,
}

saved!(struct Amount { metric, attributes });

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Less.
    Lt,
    /// At most.
    Lte,
    /// More.
    Gt,
    /// At least.
    Gte,
}

saved!(enum Compared { 0 => Lt, 1 => Lte, 2 => Gt, 3 => Gte });

/// A part of a composite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Id of its SLO.
    pub slo: String,
    /// Its module, where that SLO has several.
    pub module: Option<String>,
    /// What it weighs.
    pub weight: Decimal,
    /// What it says while it is not measured.
    pub when_unmeasured: WhenUnmeasured,
}

saved!(struct Component { slo, module, weight, when_unmeasured });

/// What a component says that is not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenUnmeasured {
    /// The composite is not measured.
    Freeze,
    /// As if it were not there.
    Ignore,
    /// All is good.
    Good,
    /// All is bad.
    Bad,
}

saved!(enum WhenUnmeasured { 0 => Freeze, 1 => Ignore, 2 => Good, 3 => Bad });

/// How good and bad are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Events.
    Occurrences,
    /// Slices of time, good if at least `target` of their events are.
    Timeslices {
        /// Length of a slice: whole minutes.
        slice: TimeSpan,
        /// Above 0, at most 1.
        target: Decimal,
    },
    /// The mean of the ratios of slices.
    RatioTimeslices {
        /// Length of a slice: whole minutes.
        slice: TimeSpan,
    },
}

saved!(enum Method { 0 => Occurrences, 1 => Timeslices { slice, target }, 2 => RatioTimeslices { slice } });

impl Method {
    /// The published name, as OpenSLO spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Occurrences => "Occurrences",
            Self::Timeslices { .. } => "Timeslices",
            Self::RatioTimeslices { .. } => "RatioTimeslices",
        }
    }
}
