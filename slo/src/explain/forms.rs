//! How long what takes: the closed forms of `slo.md` 2.5 and of 2.6, constant. They hold for constant traffic and a clean
//! history; live answers come at the next tick, those of slice methods with the next slice. Nothing here is rounded.

use std::fmt;

use crate::exact::Fraction;
use crate::spec::{Op, Target, Tier};

/// A result that fits no 64 bits above or below the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFine;

impl fmt::Display for TooFine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these numbers have more digits than can be counted with exactly: use fewer decimals")
    }
}

impl std::error::Error for TooFine {}

/// What a target allows over a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// T, which leaves beta.
    pub target: Target,
    /// P in seconds: of a calendar the true length of its window, where that is known.
    pub period_s: u64,
}

impl Allowance {
    /// `1 / beta`: the burn when everything is bad.
    #[must_use]
    pub const fn largest_burn(&self) -> Fraction {
        let beta = self.target.beta_fraction();
        Fraction::new(beta.denominator(), beta.numerator())
    }

    /// `b = e / beta`.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn burn(&self, error_ratio: Fraction) -> Result<Fraction, TooFine> {
        error_ratio.over(self.target.beta_fraction()).ok_or(TooFine)
    }

    /// `e = b beta`.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn error_ratio(&self, burn: Fraction) -> Result<Fraction, TooFine> {
        burn.times(self.target.beta_fraction()).ok_or(TooFine)
    }

    /// `beta P`: seconds of total outage that spend the whole budget.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn bad_time(&self) -> Result<Fraction, TooFine> {
        self.target.beta_fraction().times(Fraction::new(self.period_s, 1)).ok_or(TooFine)
    }

    /// N, the slices of the period, and `beta N`, how many of them may be bad. A slice lasts at least 1 s.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn slices(&self, slice_s: u64) -> Result<(u64, Fraction), TooFine> {
        let slices = self.period_s / slice_s.max(1);
        let bad = self.target.beta_fraction().times(Fraction::new(slices, 1));
        bad.map(|bad| (slices, bad)).ok_or(TooFine)
    }

    /// `b t / P`: the share of the budget that so many seconds spend.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn spent(&self, burn: Fraction, seconds: u64) -> Result<Fraction, TooFine> {
        burn.times(Fraction::new(seconds, self.period_s.max(1))).ok_or(TooFine)
    }

    /// `R P / b`: seconds until the budget is spent, with R of it left; `None`: never, since nothing is bad.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn lasts(&self, remaining: Fraction, burn: Fraction) -> Result<Option<Fraction>, TooFine> {
        if burn == Fraction::ZERO {
            return Ok(None);
        }
        let budget = remaining.times(Fraction::new(self.period_s, 1)).ok_or(TooFine)?;
        budget.over(burn).map(Some).ok_or(TooFine)
    }

    /// `(beta - e0) P / (e1 - e0)`: the same where `e0` was bad for a whole rolling period before, and leaves it while
    /// `e1` comes. `None`: never, since `e1` is under beta.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn lasts_after(&self, before: Fraction, now: Fraction) -> Result<Option<Fraction>, TooFine> {
        let beta = self.target.beta_fraction();
        if before >= beta {
            return Ok(Some(Fraction::ZERO));
        }
        if now < beta {
            return Ok(None);
        }
        let left = beta.minus(before).and_then(|left| left.times(Fraction::new(self.period_s, 1)));
        let seconds = left.and_then(|left| left.over(now.minus(before)?));
        seconds.map(Some).ok_or(TooFine)
    }
}

/// The closed forms of one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierForms {
    /// The tier.
    pub tier: Tier,
    /// What it guards.
    pub allowance: Allowance,
}

/// How a tier fires at a constant error ratio. Times are seconds from the first error, but for the reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fires {
    /// The short window is over the factor: `beta f S / e`.
    pub short_after: Option<Fraction>,
    /// The long window is, which governs: `beta f L / e`.
    pub long_after: Fraction,
    /// It fires: the same and `for`.
    pub after: Fraction,
    /// The share of the budget that is spent then: `f L / P` whatever the error ratio, and what goes during `for`.
    pub spent: Fraction,
    /// It ends so long after errors that outlast the short window: `S - beta f S / e`, without one of L.
    pub resets_after: Fraction,
}

impl TierForms {
    /// `f beta`: the error ratio at which it fires.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn threshold(&self) -> Result<Fraction, TooFine> {
        self.allowance.error_ratio(self.tier.factor)
    }

    /// `f L / P`: the share of the budget that goes in the long window at the factor. P as the allowance has it; factors
    /// themselves are worked out with the nominal one.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn consumption(&self) -> Result<Fraction, TooFine> {
        self.allowance.spent(self.tier.factor, self.tier.long.seconds())
    }

    /// Whether it can fire at all: `f beta < 1`, of `gte` at most 1 (`slo.md` 030).
    ///
    /// # Errors
    /// When it does not fit.
    pub fn is_reachable(&self) -> Result<bool, TooFine> {
        Ok(self.is_over(Fraction::ONE, self.threshold()?))
    }

    /// `1 - 1/f`: no target up to this one can reach the factor; `None` where every target can.
    #[must_use]
    pub fn unreachable_up_to(&self) -> Option<Fraction> {
        Fraction::ONE.minus(Fraction::ONE.over(self.tier.factor)?)
    }

    /// How it fires at an error ratio of at most 1; `None`: never.
    ///
    /// # Errors
    /// When a number does not fit.
    pub fn fires(&self, error_ratio: Fraction) -> Result<Option<Fires>, TooFine> {
        let threshold = self.threshold()?;
        if error_ratio == Fraction::ZERO || !self.is_over(error_ratio, threshold) {
            return Ok(None);
        }
        let Tier { long, short, hold, .. } = self.tier;
        let part = threshold.over(error_ratio).ok_or(TooFine)?;
        let crosses = |seconds: u64| part.times(Fraction::new(seconds, 1)).ok_or(TooFine);
        let ending_s = short.unwrap_or(long).seconds();
        let long_after = crosses(long.seconds())?;
        let meanwhile = self.allowance.spent(self.allowance.burn(error_ratio)?, hold.seconds())?;
        Ok(Some(Fires {
            short_after: short.map(|short| crosses(short.seconds())).transpose()?,
            long_after,
            after: long_after.plus(Fraction::new(hold.seconds(), 1)).ok_or(TooFine)?,
            spent: self.consumption()?.plus(meanwhile).ok_or(TooFine)?,
            resets_after: Fraction::new(ending_s, 1).minus(crosses(ending_s)?).ok_or(TooFine)?,
        }))
    }

    fn is_over(&self, error_ratio: Fraction, threshold: Fraction) -> bool {
        match self.tier.op {
            Op::Gt => error_ratio > threshold,
            Op::Gte => error_ratio >= threshold,
        }
    }
}
