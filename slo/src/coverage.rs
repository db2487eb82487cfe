//! How much of what really happened the traces show (`sli.md` 2): from counts to figures. Counts stay integers; only
//! intervals are floats.
//!
//! **Without an independent count of requests the headline is unmeasured, never 100 %.** Nothing is clamped but the
//! headline, and that only where sampling explains the excess.

mod counts;
mod headline;

pub use counts::{Counts, Denominator, Extent, Parents, Position, Source, Suspicion, missing_share_ppm};
pub use headline::{CONFIDENT_MIN, Grade, Headline, Reason};

use crate::ratio::Ratio;
use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};

/// A figure's id: the value of the label `figure`, and its key in `/v1/coverage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum Id {
    /// Headline: requests whose entry is there and leads to a root, by requests.
    Tc = 0,
    /// Represented: entries adjusted for sampling, by requests.
    C1 = 1,
    /// Retained: entry spans that can be opened, by requests.
    C1r = 2,
    /// Linked: entries that lead to a root or a declared boundary, by entries of settled traces.
    C2 = 3,
    /// Parents: present ones by named ones.
    C3 = 4,
    /// Connected traces by settled ones.
    C3t = 5,
    /// Modules with an entry by those that should have one.
    C4 = 6,
    /// Calls that met the other side by calls.
    C4e = 7,
    /// Operations with a span by operations.
    C5 = 8,
    /// Attribution: spans with tenant and module by accepted ones.
    C6 = 9,
    /// Delivery: spans accepted by spans that exporters say they exported.
    C7 = 10,
    /// Time of entries that their children cover.
    C8 = 11,
}

impl Saved for Id {
    fn save(&self, to: &mut Writer) {
        to.byte(*self as u8);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let number = from.byte()?;
        let known = Self::ALL.get(usize::from(number)).copied();
        known.map_or_else(|| from.wrong("no figure of coverage"), Ok)
    }
}

impl Id {
    /// Every figure, in the order of its discriminant.
    pub const ALL: [Self; 12] = [
        Self::Tc,
        Self::C1,
        Self::C1r,
        Self::C2,
        Self::C3,
        Self::C3t,
        Self::C4,
        Self::C4e,
        Self::C5,
        Self::C6,
        Self::C7,
        Self::C8,
    ];

    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tc => "TC",
            Self::C1 => "C1",
            Self::C1r => "C1r",
            Self::C2 => "C2",
            Self::C3 => "C3",
            Self::C3t => "C3t",
            Self::C4 => "C4",
            Self::C4e => "C4e",
            Self::C5 => "C5",
            Self::C6 => "C6",
            Self::C7 => "C7",
            Self::C8 => "C8",
        }
    }
}

/// What a figure is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It has a value.
    Measured,
    /// There was nothing to divide by.
    Empty,
    /// There is no data that could say.
    Unmeasured,
    /// It has a value, of those traces only that a tail sampler kept.
    Conditional,
    /// It has a value, but too many spans belong to no tenant or module.
    Unreliable,
    /// More entries than requests: one of the two counts is not of these requests. Only C1 keeps its value.
    DenominatorMismatch,
    /// What was kept depends on what happened: no value.
    Biased,
}

impl State {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Empty => "empty",
            Self::Unmeasured => "unmeasured",
            Self::Conditional => "conditional",
            Self::Unreliable => "unreliable",
            Self::DenominatorMismatch => "denominator_mismatch",
            Self::Biased => "biased",
        }
    }
}

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// Which.
    pub id: Id,
    /// The part, where it was counted.
    pub numerator: Option<u64>,
    /// The whole, where it was counted.
    pub denominator: Option<u64>,
    /// What it is worth.
    pub state: State,
}

impl Figure {
    /// Its value, if its state leaves it one. Not clamped: C1 and C7 may exceed 1.
    #[must_use]
    pub fn ratio(&self) -> Option<Ratio> {
        let is_shown = match self.state {
            State::Measured | State::Conditional | State::Unreliable => true,
            State::DenominatorMismatch => self.id == Id::C1,
            State::Empty | State::Unmeasured | State::Biased => false,
        };
        let ratio = Ratio::of(self.numerator?, self.denominator?);
        (is_shown && ratio.denominator != 0).then_some(ratio)
    }
}

/// All figures of one tenant x module, or module, over one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// What is said first, with how much it is worth.
    pub headline: Headline,
    /// Every figure, in the order of [`Id::ALL`].
    pub figures: [Figure; Id::ALL.len()],
    /// C3 by where the parent is: local, remote, unknown.
    pub parents: [Ratio; 3],
    /// How weights came about, the published `sampling`: `exact`, `weighted`, `biased`.
    pub sampling: &'static str,
    /// Share of traces that were judged, in millionths.
    pub evaluated_ppm: u32,
    /// What counted the requests.
    pub denominator_source: Option<Source>,
}

impl Coverage {
    /// One figure.
    #[must_use]
    pub const fn get(&self, id: Id) -> Figure {
        self.figures[id as usize]
    }
}

/// The figures of these counts.
///
/// ```
/// use bailiwick_slo::coverage::{Counts, Denominator, Id, Reason, Source, State, figures};
/// use bailiwick_slo::ratio::Ratio;
///
/// let counts = Counts { entries: 980, settled_entries: 980, linked_entries: 931, ..Counts::default() };
/// let nothing_to_compare_with = figures(&counts);
/// assert_eq!(nothing_to_compare_with.headline.state, State::Unmeasured);
/// assert_eq!(nothing_to_compare_with.headline.reason, Some(Reason::NoDenominator));
/// assert_eq!(nothing_to_compare_with.headline.ratio, None);
///
/// let denominator = Some(Denominator { requests: 1_000, source: Source::DurationHistogram });
/// let measured = figures(&Counts { denominator, ..counts });
/// assert_eq!(measured.headline.ratio, Some(Ratio::of(931, 1_000)));
/// assert_eq!(measured.get(Id::C2).ratio(), Some(Ratio::of(931, 980)));
/// ```
#[must_use]
pub fn figures(counts: &Counts) -> Coverage {
    let standing = Standing::of(counts);
    let figures = Id::ALL.map(|id| {
        let (numerator, denominator) = counts.pair(id);
        Figure { id, numerator, denominator, state: standing.state(id, denominator) }
    });
    Coverage {
        headline: Headline::of(counts, &figures[Id::Tc as usize]),
        figures,
        parents: counts.parents.map(|parents| parents.ratio()),
        sampling: counts.sampling(),
        evaluated_ppm: counts.evaluated_ppm,
        denominator_source: counts.denominator.map(|denominator| denominator.source),
    }
}

/// What holds for all figures together.
#[derive(Debug, Clone, Copy)]
struct Standing {
    is_biased: bool,
    is_mismatch: bool,
    is_misattributed: bool,
}

impl Standing {
    fn of(counts: &Counts) -> Self {
        Self {
            is_biased: counts.position == Position::PostTail,
            is_mismatch: counts.is_mismatch(),
            is_misattributed: counts.is_misattributed(),
        }
    }

    fn state(&self, id: Id, denominator: Option<u64>) -> State {
        let is_adjusted = matches!(id, Id::Tc | Id::C1);
        match denominator {
            _ if is_adjusted && self.is_biased => State::Biased,
            None => State::Unmeasured,
            Some(_) if is_adjusted && self.is_mismatch => State::DenominatorMismatch,
            Some(0) => State::Empty,
            Some(_) if self.is_biased && matches!(id, Id::C2 | Id::C3 | Id::C3t) => State::Conditional,
            // These two say how much is attributed and what arrived, whoever it belongs to.
            Some(_) if self.is_misattributed && !matches!(id, Id::C6 | Id::C7) => State::Unreliable,
            Some(_) => State::Measured,
        }
    }
}

#[cfg(test)]
mod tests;
