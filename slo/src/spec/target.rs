//! The target of an SLO and the error budget that it leaves.

use std::fmt;

use crate::exact::{Decimal, Fraction};
use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};

/// Decimals of a target: `beta` is counted in 10^-8 (`slo.md` 2.1).
pub const BETA_SCALE: u8 = 8;
const ONE: u64 = 100_000_000;

/// `T`, at least 0 and below 1, with at most 8 decimals.
///
/// ```
/// use bailiwick_slo::spec::Target;
/// let target = Target::of("0.999".parse().unwrap()).unwrap();
/// assert_eq!((target.beta(), target.percent().to_string()), (100_000, "99.9".to_owned()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target(u64);

impl Saved for Target {
    fn save(&self, to: &mut Writer) {
        to.number(self.0);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        match from.number()? {
            units if units < ONE => Ok(Self(units)),
            _ => from.wrong("a target is one or more"),
        }
    }
}

impl Target {
    /// The target of a ratio; `None` outside of `[0, 1)` or with more than 8 decimals.
    #[must_use]
    pub fn of(ratio: Decimal) -> Option<Self> {
        let units = u64::try_from(ratio.units(BETA_SCALE)?).ok()?;
        (units < ONE).then_some(Self(units))
    }

    /// `bn`: the error budget `beta = 1 - T` in 10^-8, from 1 to 10^8.
    #[must_use]
    pub const fn beta(self) -> u64 {
        ONE - self.0
    }

    /// `beta` as a fraction.
    #[must_use]
    pub const fn beta_fraction(self) -> Fraction {
        Fraction::new(self.beta(), ONE)
    }

    /// T.
    #[must_use]
    pub const fn ratio(self) -> Decimal {
        Decimal::new(self.0 as i64, BETA_SCALE)
    }

    /// T in per cent.
    #[must_use]
    pub const fn percent(self) -> Decimal {
        Decimal::new(self.0 as i64, BETA_SCALE - 2)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ratio().fmt(f)
    }
}
