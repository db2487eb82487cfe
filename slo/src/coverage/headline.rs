//! The headline: one ratio, and how much it is worth.

use super::{Counts, Figure, State};
use crate::interval::{Interval, wilson};
use crate::ratio::Ratio;

/// Fewest independent observations for a confident headline (`sli.md` 2.2).
pub const CONFIDENT_MIN: f64 = 100.0;

/// Why a headline is not simply measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing outside of tracing counts these requests.
    NoDenominator,
    /// There were no requests.
    NoRequests,
    /// There are more than 1.05 entries a request.
    EntriesExceedRequests,
    /// Spans come from behind a tail sampler.
    TailSampled,
    /// Fewer than 99 % of the spans name tenant and module.
    Unattributed,
}

impl Reason {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoDenominator => "no_denominator",
            Self::NoRequests => "no_requests",
            Self::EntriesExceedRequests => "entries_exceed_requests",
            Self::TailSampled => "tail_sampled",
            Self::Unattributed => "unattributed",
        }
    }

    const fn of(state: State) -> Option<Self> {
        match state {
            State::Measured | State::Conditional => None,
            State::Empty => Some(Self::NoRequests),
            State::Unmeasured => Some(Self::NoDenominator),
            State::Unreliable => Some(Self::Unattributed),
            State::DenominatorMismatch => Some(Self::EntriesExceedRequests),
            State::Biased => Some(Self::TailSampled),
        }
    }
}

/// What is said first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Headline {
    /// What it is worth.
    pub state: State,
    /// Why, if it is not simply measured.
    pub reason: Option<Reason>,
    /// TC, where there is one; never above 1.
    pub ratio: Option<Ratio>,
    /// Where the true value lies with 95 % confidence.
    pub interval: Option<Interval>,
    /// Independent observations behind it: requests, fewer when kept ones stand for others.
    pub n_eff: f64,
    /// Whether that is too little for a breach.
    pub low_confidence: bool,
}

/// A headline against its targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grade {
    /// There is no headline.
    Undecided,
    /// At or above both.
    Good,
    /// Below the first.
    Warn,
    /// Below the second, with confidence.
    Breach,
}

impl Headline {
    /// The headline for this figure TC. Each request is an observation: it is kept with probability `1 / w` and shows
    /// in `p / w` of all cases, so that the interval is `w` times Wilson's for `p / w` of D. Unsampled, that is
    /// Wilson's for `p` of D. Wilson's for `p` of n_eff would hold only if what is kept were a sample of known size,
    /// and would be far too narrow where D is known instead.
    #[expect(clippy::cast_precision_loss, reason = "an interval is no count")]
    pub(super) fn of(counts: &Counts, figure: &Figure) -> Self {
        let weight = counts.mean_weight();
        let ratio = figure.ratio();
        let requests = ratio.map_or(0.0, |ratio| ratio.denominator as f64);
        let shown = ratio.and_then(|ratio| ratio.as_f64());
        let interval = shown.and_then(|shown| wilson(shown / weight, requests));
        let n_eff = requests / weight;
        Self {
            state: figure.state,
            reason: Reason::of(figure.state),
            ratio,
            interval: interval
                .map(|kept| Interval { low: (kept.low * weight).min(1.0), high: (kept.high * weight).min(1.0) }),
            n_eff,
            low_confidence: n_eff < CONFIDENT_MIN,
        }
    }

    /// The grade against two targets in millionths (950 000 warn, 900 000 breach by default). Compared exactly.
    #[must_use]
    pub fn grade(&self, warn_ppm: u32, breach_ppm: u32) -> Grade {
        let Some(ratio) = self.ratio else { return Grade::Undecided };
        let is_below =
            |ppm: u32| 1_000_000 * u128::from(ratio.numerator) < u128::from(ppm) * u128::from(ratio.denominator);
        match (is_below(warn_ppm), is_below(breach_ppm)) {
            (_, true) if !self.low_confidence => Grade::Breach,
            (false, false) => Grade::Good,
            _ => Grade::Warn,
        }
    }
}
