//! What somebody asks about a definition, and the answer: when each tier fires, and how long the budget lasts.

use std::fmt;

use super::forms::{Allowance, Fires, TierForms, TooFine};
use super::sheet::{Row, Section, Value};
use super::words::{length, percent, plain};
use crate::exact::{Decimal, Fraction, Quotient};
use crate::spec::{Op, Terms, Tier};

/// What is asked. Without anything a total outage on a full budget is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked<'a> {
    /// How much is bad; `None`: everything.
    pub pace: Option<Pace>,
    /// R, at most 1, negative where the budget is overspent; `None`: 1.
    pub remaining: Option<Decimal>,
    /// Tenant and module whose overrides are told of; `None`: all are listed.
    pub instance: Option<(&'a str, &'a str)>,
    /// True length of a calendar's window in seconds; `None`: the nominal one.
    pub period_s: Option<u64>,
}

/// How much is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// b, from 0 to 1 / beta.
    Burn(Decimal),
    /// e, from 0 to 1.
    ErrorRatio(Decimal),
}

/// What cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadAsk {
    /// An error ratio outside of 0 to 1.
    ErrorRatio(Decimal),
    /// A burn below 0 or over the largest one.
    Burn {
        /// What was asked.
        asked: Decimal,
        /// `1 / beta`.
        largest: Fraction,
    },
    /// More of the budget than all.
    Remaining(Decimal),
    /// Numbers with too many digits.
    TooFine(TooFine),
}

impl fmt::Display for BadAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ErrorRatio(ratio) => {
                write!(f, "an error ratio of {ratio} cannot be: give a number from 0 to 1, such as 0.035 for 3.5 %")
            }
            Self::Burn { asked, largest } => {
                let largest = plain(*largest);
                write!(f, "a burn of {asked} cannot be: give a number from 0 to {largest}, which is everything bad")
            }
            Self::Remaining(remaining) => {
                write!(f, "{remaining} cannot be left of a budget: give at most 1, such as 0.5 for half of it")
            }
            Self::TooFine(cause) => cause.fmt(f),
        }
    }
}

impl std::error::Error for BadAsk {}

impl From<TooFine> for BadAsk {
    fn from(cause: TooFine) -> Self {
        Self::TooFine(cause)
    }
}

/// What is asked, in numbers that can be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    error_ratio: Fraction,
    burn: Fraction,
    /// What is left of the budget, as it was asked, and as time goes by: nought where it is overspent.
    asked: Decimal,
    remaining: Fraction,
    allowance: Allowance,
}

impl Case {
    /// What is asked of an allowance.
    pub(super) fn of(asked: &Asked<'_>, allowance: Allowance) -> Result<Self, BadAsk> {
        let largest = allowance.largest_burn();
        let (error_ratio, burn) = match asked.pace {
            None => (Fraction::ONE, largest),
            Some(Pace::ErrorRatio(ratio)) => {
                let bad = BadAsk::ErrorRatio(ratio);
                let ratio = Fraction::of(ratio).filter(|ratio| *ratio <= Fraction::ONE).ok_or(bad)?;
                (ratio, allowance.burn(ratio)?)
            }
            Some(Pace::Burn(asked)) => {
                let bad = BadAsk::Burn { asked, largest };
                let burn = Fraction::of(asked).filter(|burn| *burn <= largest).ok_or(bad)?;
                (allowance.error_ratio(burn)?, burn)
            }
        };
        let asked = asked.remaining.unwrap_or(Decimal::ONE);
        if asked > Decimal::ONE {
            return Err(BadAsk::Remaining(asked));
        }
        let remaining = Fraction::of(asked).unwrap_or(Fraction::ZERO);
        Ok(Self { error_ratio, burn, asked, remaining, allowance })
    }

    /// The answer.
    pub(super) fn section(&self, terms: &Terms) -> Result<Section, TooFine> {
        let (ratio, burn) = (percent(self.error_ratio), plain(self.burn));
        let mut rows = vec![self.budget()?];
        for tier in &terms.alerts.tiers {
            let forms = TierForms { tier: *tier, allowance: self.allowance };
            rows.push(match forms.fires(self.error_ratio)? {
                Some(fires) => answer(tier.name(), &fires),
                None => never(tier, forms.threshold()?),
            });
        }
        let title = format!("If {ratio} is bad (burn {burn}), with constant traffic and nothing bad before");
        Ok(Section::list("asked", title, rows))
    }

    fn budget(&self) -> Result<Row, TooFine> {
        let lasts = self.allowance.lasts(self.remaining, self.burn)?;
        let left = percent(self.remaining);
        let text = match lasts {
            _ if self.remaining == Fraction::ZERO => "nothing of it is left".to_owned(),
            None => "it lasts: nothing is bad".to_owned(),
            Some(seconds) => format!("{left} of it lasts {}", length(seconds)),
        };
        let remaining = Quotient {
            is_negative: self.asked < Decimal::ZERO,
            numerator: self.asked.mantissa().unsigned_abs().into(),
            denominator: 10_u128.pow(self.asked.scale().into()),
        };
        let row = Row::new("budget", text)
            .with("error_ratio", Value::Ratio(self.error_ratio.quotient()))
            .with("burn", Value::Exact(self.burn))
            .with("remaining_ratio", Value::Ratio(remaining))
            .with("lasts", Value::Seconds(lasts));
        Ok(row)
    }
}

fn never(tier: &Tier, threshold: Fraction) -> Row {
    let over = if tier.op == Op::Gt { "over" } else { "at least" };
    let text = format!("never fires: it takes {over} {}", percent(threshold));
    Row::new(tier.name(), text).with("fires_after", Value::Seconds(None))
}

fn answer(name: String, fires: &Fires) -> Row {
    let short = fires.short_after.map(|short| format!(" (short window over after {})", length(short)));
    let text = format!(
        "fires after {}{}, with {} of the budget spent; ends {} after the last error",
        length(fires.after),
        short.unwrap_or_default(),
        percent(fires.spent),
        length(fires.resets_after)
    );
    let row = Row::new(name, text)
        .with("fires_after", Value::Seconds(Some(fires.after)))
        .with("long_over_after", Value::Seconds(Some(fires.long_after)))
        .with("spent_ratio", Value::Ratio(fires.spent.quotient()))
        .with("resets_after", Value::Seconds(Some(fires.resets_after)));
    match fires.short_after {
        Some(short) => row.with("short_over_after", Value::Seconds(Some(short))),
        None => row,
    }
}
