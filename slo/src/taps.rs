//! stand-in
use crate::exact::Decimal;
use crate::spec::{Compared, Glob, Sli};

/// A tap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap {
    /// Metric.
    pub metric: String,
    /// Attributes.
    pub attributes: Vec<(String, Glob)>,
    /// What.
    pub reads: Reads,
}

/// What.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// Increase.
    Increase,
    /// Points.
    Points {
        /// op
        op: Compared,
        /// value
        value: Decimal,
    },
    /// Buckets.
    Buckets {
        /// threshold
        threshold: Decimal,
    },
    /// Level.
    Level {
        /// bad
        is_failure: bool,
    },
}

impl Tap {
    /// Of an SLI.
    #[must_use]
    pub fn of(_sli: &Sli) -> Vec<Self> {
        Vec::new()
    }
}
