//! A tier as it is told: what it compares, what its windows counted, where it stands.

use bailiwick_slo::engine::status::{Observed, TierStatus};
use bailiwick_slo::engine::text;
use bailiwick_slo::engine::tiers::Gates;
use bailiwick_slo::engine::truth::Value;
use bailiwick_slo::exact::Quotient;
use bailiwick_slo::spec::{Sli, Target, Tier, TimeSpan};
use serde::Serialize;
use utoipa::ToSchema;

use super::number::{self, Bad};
use crate::frontend::view::figure::FigureState;

/// A tier: it fires if the burn of both its windows is over its factor.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SloTier {
    /// page, ticket or notice.
    #[schema(example = "page")]
    pub(crate) severity: &'static str,
    /// Its long window.
    #[schema(example = "1h")]
    pub(crate) long: String,
    /// Its short window; null: the long one decides alone.
    #[schema(example = "5m")]
    pub(crate) short: Option<String>,
    /// The burn rate above which it fires, exactly: a decimal, or a fraction such as `14/15`.
    #[schema(example = "14.4")]
    pub(crate) factor: String,
    /// gt: over the factor; gte: at it or over it.
    #[schema(example = "gt")]
    pub(crate) op: &'static str,
    /// The share of bad events that the factor is, exactly.
    #[schema(example = "0.0144")]
    pub(crate) threshold: String,
    /// What its windows counted.
    pub(crate) observed: TierObserved,
    /// critical: both windows are over; increasing: the short one; recovering: the long one; acceptable: none.
    #[schema(example = "critical")]
    pub(crate) word: &'static str,
    /// ok, pending or firing.
    #[schema(example = "firing")]
    pub(crate) state: &'static str,
    /// Since when it is in that state.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) since: Option<String>,
    /// It cannot be told and stays as it is.
    #[schema(example = false)]
    pub(crate) frozen: bool,
    /// What low traffic says while both burns are over; null while they are not.
    pub(crate) gates: Option<TierGates>,
}

/// Both windows of a tier.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct TierObserved {
    /// The long one.
    pub(crate) long: SloWindow,
    /// The short one; null where there is none.
    pub(crate) short: Option<SloWindow>,
}

/// What a window counted.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SloWindow {
    /// `unmeasured` where too much of it is missing, `empty` where nothing was asked.
    pub(crate) state: FigureState,
    /// How many times as fast as it may the budget went, nine places; null when not measured.
    #[schema(example = "30.714285714")]
    pub(crate) burn: Option<String>,
    /// Bad events, or bad slices.
    #[schema(example = 43)]
    pub(crate) bad: Bad,
    /// All events, or slices.
    #[schema(example = 1_400)]
    pub(crate) total: u64,
}

/// What low traffic says of a tier.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct TierGates {
    /// How likely chance alone would bring as many bad events; null where that is not asked.
    #[schema(example = 0.012)]
    pub(crate) p_value: Option<f64>,
    /// Whether it keeps the tier from firing.
    #[schema(example = true)]
    pub(crate) holds_back: bool,
    /// Why, in words.
    #[schema(example = "2 failures in 12 are too few to tell (p = 0.012).")]
    pub(crate) text: Option<String>,
}

impl SloTier {
    /// A tier of an instance with this target, whose SLI is this.
    pub(crate) fn of(status: &TierStatus, target: Target, sli: &Sli) -> Self {
        let Tier { severity, long, short, factor, op, .. } = status.tier;
        let observed =
            TierObserved { long: SloWindow::of(&status.long), short: status.short.as_ref().map(SloWindow::of) };
        let gates = |gates: Gates| TierGates {
            p_value: gates.p_value,
            holds_back: gates.holds_back,
            text: text::too_few(sli, status),
        };
        Self {
            severity: severity.name(),
            long: long.to_string(),
            short: short.as_ref().map(TimeSpan::to_string),
            factor: factor.to_string(),
            op: op.name(),
            threshold: threshold(&status.tier, target),
            observed,
            word: status.word.name(),
            state: status.phase.name(),
            since: number::instant(status.since),
            frozen: status.is_frozen,
            gates: status.gates.map(gates),
        }
    }
}

/// `f x beta`: exact, or nine places where it has no fraction of 64 bits.
fn threshold(tier: &Tier, target: Target) -> String {
    let (factor, beta) = (tier.factor, target.beta_fraction());
    let above = u128::from(factor.numerator()) * u128::from(beta.numerator());
    let below = u128::from(factor.denominator()) * u128::from(beta.denominator());
    let rounded = || Quotient::of(above, below).map(|quotient| quotient.to_string()).unwrap_or_default();
    factor.times(beta).map_or_else(rounded, |exact| exact.to_string())
}

impl SloWindow {
    fn of(observed: &Observed) -> Self {
        let burn = observed.burn.filter(|_| observed.value == Value::Measured);
        Self {
            state: observed.value.into(),
            burn: burn.map(|burn| burn.to_string()),
            bad: observed.into(),
            total: observed.sums.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_slo::exact::Fraction;
    use bailiwick_slo::spec::{Op, Severity};

    use super::*;

    #[test]
    fn a_threshold_is_exact() {
        let target = |text: &str| Target::of(text.parse().expect("a decimal")).expect("a target");
        let told = |factor, of: &str| {
            let (long, hold) = (TimeSpan(3_600), TimeSpan(0));
            let tier = Tier { severity: Severity::Page, long, short: None, factor, op: Op::Gt, hold };
            threshold(&tier, target(of))
        };
        assert_eq!(told(Fraction::new(144, 10), "0.999"), "0.0144");
        assert_eq!(told(Fraction::new(14, 15), "0.999"), "7/7500");
        assert_eq!(told(Fraction::new(u64::MAX, u64::MAX - 2), "0.99999999"), "0.00000001");
    }
}
