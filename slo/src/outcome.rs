//! What became of a request, and the counts of it. Counts are added, never subtracted, never averaged.

use crate::saved;
use std::ops::AddAssign;

/// What became of one request (`sli.md` 1.4). The discriminants are stored and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Outcome {
    /// It did what was asked.
    Success = 0,
    /// The platform's fault.
    Failure = 1,
    /// The caller's fault; good for availability.
    ClientError = 2,
    /// The caller went away; neither good nor bad.
    Cancelled = 3,
    /// Outside every SLI (synthetic traffic, health checks); inside coverage.
    Excluded = 4,
}

saved!(enum Outcome { 0 => Success, 1 => Failure, 2 => ClientError, 3 => Cancelled, 4 => Excluded });

impl Outcome {
    /// Every outcome in the order of its discriminant.
    pub const ALL: [Self; 5] = [Self::Success, Self::Failure, Self::ClientError, Self::Cancelled, Self::Excluded];

    /// The published name: the value of the label `outcome`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::ClientError => "client_error",
            Self::Cancelled => "cancelled",
            Self::Excluded => "excluded",
        }
    }

    /// The outcome with this discriminant.
    #[must_use]
    pub const fn from_u8(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Success),
            1 => Some(Self::Failure),
            2 => Some(Self::ClientError),
            3 => Some(Self::Cancelled),
            4 => Some(Self::Excluded),
            _ => None,
        }
    }

    /// Its place in [`OutcomeCounts`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Requests by outcome.
///
/// ```
/// use bailiwick_slo::outcome::{Outcome, OutcomeCounts};
/// let mut counts = OutcomeCounts::default();
/// counts.add(Outcome::Success, 97);
/// counts.add(Outcome::ClientError, 2);
/// counts.add(Outcome::Failure, 1);
/// assert_eq!((counts.good(), counts.bad(), counts.total()), (99, 1, 100));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutcomeCounts(pub [u64; 5]);
saved!(struct OutcomeCounts { 0 });

impl OutcomeCounts {
    /// The count of one outcome.
    #[must_use]
    pub const fn get(&self, outcome: Outcome) -> u64 {
        self.0[outcome.index()]
    }

    /// Adds `n` requests of one outcome.
    pub const fn add(&mut self, outcome: Outcome, n: u64) {
        self.0[outcome.index()] += n;
    }

    /// Good events of availability: success + client_error (`sli.md` 1.4).
    #[must_use]
    pub const fn good(&self) -> u64 {
        self.0[0] + self.0[2]
    }

    /// Bad events of availability: failure.
    #[must_use]
    pub const fn bad(&self) -> u64 {
        self.0[1]
    }

    /// All requests, whatever became of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.0[0] + self.0[1] + self.0[2] + self.0[3] + self.0[4]
    }
}

impl AddAssign for OutcomeCounts {
    fn add_assign(&mut self, other: Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}
