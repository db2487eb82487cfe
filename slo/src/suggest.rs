//! Which target a service could promise: the highest usual one that its past met with half the budget left
//! (`slo.md` 5). Pure: what was counted comes as arguments.

use std::fmt;

use crate::exact::{Decimal, Quotient};
use crate::spec::Target;

/// How long the past is that is looked at, seconds.
pub const LOOKBACK_SECONDS: u64 = 28 * 86_400;
/// A shorter history says nothing: it has not seen a night, seconds.
pub const AGE_SECONDS_MIN: u64 = 86_400;
/// Fewer events say nothing: at 99.9 % a thousand allow a single bad one.
pub const EVENTS_MIN: u64 = 1_000;

/// Usual targets in hundredths of a per cent, the highest first.
const USUAL: [i64; 7] = [9_999, 9_995, 9_990, 9_950, 9_900, 9_500, 9_000];
/// 10^8, the denominator of budgets (`slo.md` 2.1).
const ONE: u128 = 100_000_000;

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Bad events, or slices, of the last 28 d; at most `total`.
    pub bad: u64,
    /// All of them.
    pub total: u64,
    /// How long ago the first one was counted, seconds.
    pub age_s: u64,
}

/// A target that could be promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// T.
    pub target: Target,
    /// R: what would be left of its budget, negative where it would be overspent.
    pub remaining: Quotient,
    /// Half of it or more would.
    pub is_met: bool,
}

/// What could be promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Good of all.
    pub sli: Quotient,
    /// Every usual target, the highest first.
    pub candidates: Vec<Candidate>,
}

impl Suggestion {
    /// The highest target that was met with half the budget left; `None`: not even the lowest.
    #[must_use]
    pub fn best(&self) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.is_met)
    }
}

/// The past says too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insufficient {
    /// It is shorter than [`AGE_SECONDS_MIN`].
    TooShort {
        /// How long it is, seconds.
        age_s: u64,
    },
    /// It has fewer events than [`EVENTS_MIN`].
    TooFew {
        /// How many it has.
        total: u64,
    },
}

impl fmt::Display for Insufficient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { age_s } => {
                let (hours, minutes) = (age_s / 3_600, age_s / 60 % 60);
                write!(
                    f,
                    "a target needs a day of history, and this one began {hours} h {minutes} min ago: ask again "
                )?;
                f.write_str("when it is older")
            }
            Self::TooFew { total } => write!(
                f,
                "a target needs {EVENTS_MIN} events in the last 28 d, and there were {total}: ask again when there \
                 were more, or sum several instances with `groupBy`"
            ),
        }
    }
}

impl std::error::Error for Insufficient {}

/// The usual targets, and whether the past met them.
///
/// ```
/// use bailiwick_slo::suggest::{Past, suggest};
/// let past = Past { bad: 400, total: 1_000_000, age_s: 28 * 86_400 };
/// let best = suggest(past).unwrap().best().map(|candidate| candidate.target.percent().to_string());
/// assert_eq!(best.as_deref(), Some("99.9"));
/// ```
///
/// # Errors
/// When the past is too short or has too few events.
pub fn suggest(past: Past) -> Result<Suggestion, Insufficient> {
    let Past { bad, total, age_s } = past;
    if age_s < AGE_SECONDS_MIN {
        return Err(Insufficient::TooShort { age_s });
    }
    if total < EVENTS_MIN {
        return Err(Insufficient::TooFew { total });
    }
    let (bad, total) = (u128::from(bad.min(total)), u128::from(total));
    let candidates = USUAL.into_iter().filter_map(|percent| {
        let target = Target::of(Decimal::new(percent, 4))?;
        let allowed = u128::from(target.beta()) * total;
        let remaining = Quotient::difference(allowed, bad * ONE, allowed)?;
        Some(Candidate { target, remaining, is_met: 2 * bad * ONE <= allowed })
    });
    let sli = Quotient { is_negative: false, numerator: total - bad, denominator: total };
    Ok(Suggestion { sli, candidates: candidates.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn best(bad: u64, total: u64) -> Option<String> {
        let suggestion = suggest(Past { bad, total, age_s: 28 * DAY }).expect("enough");
        suggestion.best().map(|candidate| candidate.target.percent().to_string())
    }

    #[test]
    fn it_is_the_highest_target_with_half_the_budget_left() {
        // Of a million events these allow 100, 500, 1,000, 5,000, 10,000, 50,000 and 100,000 bad ones.
        for (percent, half) in [
            ("99.99", 50),
            ("99.95", 250),
            ("99.9", 500),
            ("99.5", 2_500),
            ("99", 5_000),
            ("95", 25_000),
            ("90", 50_000),
        ] {
            assert_eq!(best(half, 1_000_000).as_deref(), Some(percent), "{half} bad");
            assert_ne!(best(half + 1, 1_000_000).as_deref(), Some(percent), "{half} bad and one more");
        }
        assert_eq!((best(0, 1_000).as_deref(), best(50_001, 1_000_000)), (Some("99.99"), None));
        assert_eq!(best(0, u64::MAX).as_deref(), Some("99.99"));
    }

    #[test]
    fn each_usual_target_tells_what_would_be_left() {
        let suggestion = suggest(Past { bad: 400, total: 1_000_000, age_s: DAY }).expect("enough");
        let shown = |candidate: &Candidate| format!("{} {}", candidate.target.percent(), candidate.remaining);
        let rows: Vec<_> = suggestion.candidates.iter().map(shown).collect();
        let expected = ["99.99 -3", "99.95 0.2", "99.9 0.6", "99.5 0.92", "99 0.96", "95 0.992", "90 0.996"];
        assert_eq!((suggestion.sli.to_string(), rows), ("0.9996".to_owned(), expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_short_or_quiet_past_suggests_nothing() {
        let of = |total, age_s| suggest(Past { bad: 0, total, age_s }).map(|_| ());
        assert_eq!(of(1_000, DAY), Ok(()));
        assert_eq!(of(1_000_000, DAY - 1), Err(Insufficient::TooShort { age_s: DAY - 1 }));
        assert_eq!(of(999, DAY), Err(Insufficient::TooFew { total: 999 }));
        let told = Insufficient::TooShort { age_s: 5 * 3_600 + 90 }.to_string();
        assert!(told.contains("began 5 h 1 min ago"), "{told}");
    }
}
