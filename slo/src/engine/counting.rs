//! How the events of an instance become what its budget is a share of: as they are, or by slices of time.

use super::slices::Rule;
use super::tiers::Unit;
use super::windows::Grid;
use crate::exact::Decimal;
use crate::saved;
use crate::spec::{Method, NoData, Sli, Slo};

/// How an instance counts: its method, as far as its SLI leaves it a choice.
///
/// Of a `quantile` the caller brings how many of all points are at or below the threshold: the quantile's bucket ends at
/// or below it just if that share is at least `q`, so a slice is good or not by `q`, whatever the method. Of a `ratio` the
/// caller brings units of 10^-8 of the value: so many bad ones of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// How good and bad are added up.
    pub method: Method,
    /// The share of good points that makes a slice good.
    quantile: Option<Decimal>,
    /// Its parts tell it what it counts.
    pub(super) is_composite: bool,
}

saved!(struct Counting { method, quantile, is_composite });

impl Counting {
    /// How instances of an SLO count.
    #[must_use]
    pub const fn of(slo: &Slo) -> Self {
        let quantile = if let Sli::Quantile { q, .. } = &slo.sli { Some(*q) } else { None };
        Self { method: slo.method, quantile, is_composite: matches!(slo.sli, Sli::Composite(_)) }
    }

    /// Events as they are, for tests of what follows from them.
    #[cfg(test)]
    pub(super) const OCCURRENCES: Self = Self { method: Method::Occurrences, quantile: None, is_composite: false };

    /// What bad ones are counted in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self.method {
            Method::Occurrences if self.is_composite => Unit::Fraction,
            Method::RatioTimeslices { .. } => Unit::Fraction,
            Method::Occurrences | Method::Timeslices { .. } => Unit::Whole,
        }
    }

    /// Whether parts tell what its windows say, whole; else windows count events or slices.
    pub(super) const fn is_told(self) -> bool {
        self.is_composite && !matches!(self.method, Method::Timeslices { .. })
    }

    /// How slices are judged; `None`: events count as they are.
    pub(super) fn rule(self, grid: Grid, no_data: &NoData) -> Option<Rule> {
        let (slice, target) = match self.method {
            _ if self.is_composite => return None,
            Method::Occurrences => return None,
            Method::Timeslices { slice, target } => (slice, Some(target)),
            Method::RatioTimeslices { slice } => (slice, None),
        };
        Some(Rule {
            slice_ticks: grid.ticks(slice.seconds()).max(1),
            target: self.quantile.or(target),
            unit: self.unit(),
            empty: no_data.empty_slice,
            floor: no_data.floor,
        })
    }
}
