//! Tiers at work: is the burn of two windows over the factor, for how long, and does too little traffic say so
//! (`slo.md` 2.1, 2.7, 3.1).

use super::sums::Sums;
use super::truth::{Reading, Truth, Value};
use super::windows::View;
use crate::exact::Fraction;
use crate::gates::{self, Budgeted};
use crate::saved;
use crate::spec::{LowTraffic, Op, Target, Tier, Weighting};

const ONE: u64 = 100_000_000;

/// How bad events are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Events, or bad slices.
    Whole,
    /// 2^-64 of a slice.
    Fraction,
}

saved!(enum Unit { 0 => Whole, 1 => Fraction });

/// Whether the burn of a window is over a factor: `bad x 10^8 x fd > fn x bn x total`, exactly.
#[must_use]
pub fn is_over(op: Op, factor: Fraction, target: Target, (unit, bad, total): (Unit, u128, u64)) -> bool {
    // The reader refuses factors for which these would not fit (code 012).
    let scale = u128::from(factor.denominator()) * u128::from(ONE);
    let allowed = u128::from(factor.numerator()) * u128::from(target.beta());
    let Some(allowed) = allowed.checked_mul(total.into()) else { return false };
    let Some((whole, rest)) = scaled(bad, scale, unit) else { return true };
    match op {
        Op::Gt => whole > allowed || whole == allowed && rest > 0,
        Op::Gte => whole >= allowed,
    }
}

/// `bad x scale`, and of fractions what is below one. `None`: more than 128 bits.
fn scaled(bad: u128, scale: u128, unit: Unit) -> Option<(u128, u128)> {
    match unit {
        Unit::Whole => Some((bad.checked_mul(scale)?, 0)),
        Unit::Fraction => {
            let low = (bad & u128::from(u64::MAX)).checked_mul(scale)?;
            let whole = (bad >> 64).checked_mul(scale)?.checked_add(low >> 64)?;
            Some((whole, low & u128::from(u64::MAX)))
        }
    }
}

/// Where a tier stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// It does not fire.
    #[default]
    Ok,
    /// It would, if it held for so many ticks more than these.
    Pending(u64),
    /// It fires.
    Firing,
}

saved!(enum Phase { 0 => Ok, 1 => Pending(ticks), 2 => Firing });

impl Phase {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pending(_) => "pending",
            Self::Firing => "firing",
        }
    }
}

/// What low traffic says of a tier whose burn is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gates {
    /// How likely chance alone would bring as many bad events, where that was asked.
    pub p_value: Option<f64>,
    /// Whether the tier is held back.
    pub holds_back: bool,
    /// It is by chance.
    pub is_chance: bool,
}

saved!(struct Gates { p_value, holds_back, is_chance });

impl Gates {
    /// What holds the tier back: significance or impact.
    #[must_use]
    pub const fn why(self) -> &'static str {
        if self.is_chance { "significance" } else { "impact" }
    }
}

/// A tier of one instance.
#[derive(Debug, Clone)]
pub struct TierState {
    /// The tier.
    pub tier: Tier,
    pub(super) long: usize,
    pub(super) short: Option<usize>,
    /// Where it stands.
    pub phase: Phase,
    /// It cannot be told: it stays as it is.
    pub is_frozen: bool,
    /// What its long window says.
    pub long_reading: Reading,
    /// What its short window says.
    pub short_reading: Option<Reading>,
    /// What low traffic says, while its burn is over.
    pub gates: Option<Gates>,
    /// The tick after which it stands so.
    pub since: u64,
}

saved!(struct TierState {
    tier, long, short, phase, is_frozen, long_reading, short_reading, gates, since,
});

/// What all tiers of an instance are measured by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure<'a> {
    pub(super) target: Target,
    pub(super) unit: Unit,
    /// Of events only, and what the period holds of them.
    pub(super) low_traffic: Option<(&'a LowTraffic, Budgeted)>,
    pub(super) tick_s: u64,
}

impl Measure<'_> {
    fn reading(&self, tier: &Tier, View { value, sums }: View<'_>) -> Reading {
        match value {
            Value::Empty => Reading::Empty,
            Value::Unmeasured => Reading::Unmeasured,
            Value::Measured if is_over(tier.op, tier.factor, self.target, (self.unit, sums.bad(), sums.total())) => {
                Reading::Over
            }
            Value::Measured => Reading::Under,
        }
    }

    fn gates(&self, tier: &Tier, long: &Sums) -> Gates {
        let Some((terms, period)) = self.low_traffic else {
            return Gates { p_value: None, holds_back: false, is_chance: false };
        };
        let p_value = gates::applies(long.raw_total(), tier.factor, self.target, terms.apply_below)
            .then(|| gates::p_value(long.raw_total(), long.raw_bad(), tier.factor, self.target));
        let is_chance = p_value.is_some_and(|p| gates::is_chance(p, terms.alpha));
        let is_small = terms.weighting == Weighting::Volume && !self.has_impact(tier, long, period);
        Gates { p_value, holds_back: is_chance || is_small, is_chance }
    }

    /// Whether the window spent at least the share of the budget that the tier is about.
    fn has_impact(&self, tier: &Tier, long: &Sums, period: Budgeted) -> bool {
        let bad = u64::try_from(long.bad()).unwrap_or(u64::MAX);
        gates::has_impact(bad, period, self.target, (tier.factor, tier.long.seconds()))
    }
}

impl TierState {
    pub(super) fn new(tier: Tier, long: usize, short: Option<usize>, tick: u64) -> Self {
        Self {
            tier,
            long,
            short,
            phase: Phase::Ok,
            is_frozen: false,
            long_reading: Reading::Unmeasured,
            short_reading: short.map(|_| Reading::Unmeasured),
            gates: None,
            since: tick,
        }
    }

    /// Reads its windows after a tick; `may_start`: the instance may open anything at all.
    pub(super) fn read(
        &mut self,
        measure: &Measure<'_>,
        (long, short): (View<'_>, Option<View<'_>>),
        tick: u64,
        may_start: bool,
    ) {
        self.long_reading = measure.reading(&self.tier, long);
        self.short_reading = short.map(|short| measure.reading(&self.tier, short));
        let truth = Truth::of(self.long_reading, self.short_reading);
        self.is_frozen = truth == Truth::Unknown;
        self.gates = (truth == Truth::True).then(|| measure.gates(&self.tier, long.sums));
        let holds_back = !may_start || self.gates.is_some_and(|gates| gates.holds_back);
        let held_ticks = self.tier.hold.seconds().div_ceil(measure.tick_s);
        let phase = match (truth, self.phase) {
            (Truth::Unknown, phase) | (Truth::True, phase @ Phase::Firing) => phase,
            (Truth::False, _) => Phase::Ok,
            (Truth::True, _) if holds_back => Phase::Ok,
            (Truth::True, Phase::Pending(ticks)) if ticks + 1 < held_ticks => Phase::Pending(ticks + 1),
            (Truth::True, Phase::Ok) if held_ticks > 0 => Phase::Pending(0),
            (Truth::True, _) => Phase::Firing,
        };
        if phase.name() != self.phase.name() {
            self.since = tick;
        }
        self.phase = phase;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::of(text.parse().expect("a decimal")).expect("a target")
    }

    /// `slo.md` W12.
    #[test]
    fn a_burn_at_the_factor_fires_only_where_that_is_asked() {
        let (factor, target) = (Fraction::new(144, 10), target("0.999"));
        let counts = (Unit::Whole, 144, 10_000);
        assert!(!is_over(Op::Gt, factor, target, counts) && is_over(Op::Gte, factor, target, counts));
        assert!(is_over(Op::Gt, factor, target, (Unit::Whole, 145, 10_000)));
    }

    #[test]
    fn the_largest_counts_do_not_overflow() {
        let target = target("0.99999999");
        let factor = Fraction::new(99_999_999, 1_000_000);
        assert!(is_over(Op::Gt, factor, target, (Unit::Whole, u64::MAX.into(), u64::MAX)));
        assert!(!is_over(Op::Gt, factor, target, (Unit::Whole, 0, u64::MAX)));
    }

    #[test]
    fn fractions_of_slices_are_compared_to_the_last_bit() {
        // A shortfall of exactly one half of one slice against beta = 1/2 and f = 1.
        let (half, target) = (1_u128 << 63, target("0.5"));
        let over = |op, bad| is_over(op, Fraction::ONE, target, (Unit::Fraction, bad, 1));
        assert!(!over(Op::Gt, half) && over(Op::Gte, half) && over(Op::Gt, half + 1) && !over(Op::Gte, half - 1));
    }
}
