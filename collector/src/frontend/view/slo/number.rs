//! Numbers and times of a report in JSON (`slo.md` 2.1): nine places, ties to even; ratios as numbers, budgets and
//! burns as texts, counts as integers.

use bailiwick_slo::engine::status::Observed;
use bailiwick_slo::engine::tiers::Unit;
use bailiwick_slo::engine::truth::Value;
use bailiwick_slo::exact::Quotient;
use bailiwick_slo::time::SLOT_NS;
use serde::Serialize;
use utoipa::ToSchema;

use crate::frontend::format;
use crate::frontend::view::figure::FigureState;

/// Slices are counted in 2^-64 where their shortfalls are added up.
const SLICE: u128 = 1 << 64;

/// Bad events or bad slices: an integer. Where shortfalls of slices are added up (`RatioTimeslices`): a decimal text of
/// slices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Bad {
    /// Whole ones.
    Whole(u64),
    /// Slices and parts of slices.
    Slices(String),
}

impl From<&Observed> for Bad {
    fn from(observed: &Observed) -> Self {
        let bad = observed.sums.bad;
        match (observed.unit, Quotient::of(bad, SLICE)) {
            (Unit::Fraction, Some(slices)) => Self::Slices(slices.to_string()),
            _ => Self::Whole(u64::try_from(bad).unwrap_or(u64::MAX)),
        }
    }
}

impl From<&Quotient> for Bad {
    fn from(bad: &Quotient) -> Self {
        match u64::try_from(bad.numerator) {
            Ok(whole) if bad.denominator == 1 => Self::Whole(whole),
            _ => Self::Slices(bad.to_string()),
        }
    }
}

impl From<Value> for FigureState {
    fn from(value: Value) -> Self {
        match value {
            Value::Measured => Self::Measured,
            Value::Empty => Self::Empty,
            Value::Unmeasured => Self::Unmeasured,
        }
    }
}

/// A ratio with nine places.
pub(crate) fn ratio(quotient: &Quotient) -> f64 {
    quotient.to_string().parse().expect("it is written in digits with a point")
}

/// When a tick began.
pub(crate) fn instant(tick: u64) -> Option<String> {
    format::instant(tick.saturating_mul(SLOT_NS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_numbers_of_nine_places() {
        let text = |numerator, denominator| {
            let quotient = Quotient::difference(numerator, 0, denominator).expect("a quotient");
            serde_json::to_string(&ratio(&quotient)).expect("JSON")
        };
        // `slo.md` W7.
        assert_eq!((text(19, 21), text(29, 40), text(1, 1)), ("0.904761905".into(), "0.725".into(), "1.0".into()));
        let overspent = Quotient::difference(100_000, 3_071_428_571, 100_000).expect("a quotient");
        assert_eq!(serde_json::to_string(&ratio(&overspent)).expect("JSON"), "-30713.28571");
    }

    #[test]
    fn ticks_are_slots_of_ten_seconds() {
        assert_eq!(instant(170_000_000).as_deref(), Some("2023-11-14T22:13:20.000Z"));
        assert_eq!(instant(0), None);
    }
}
