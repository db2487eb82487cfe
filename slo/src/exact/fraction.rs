//! A fraction in lowest terms.

use std::cmp::Ordering;
use std::fmt;

use super::{Decimal, Quotient};
use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};

/// `numerator / denominator`, not negative, in lowest terms.
///
/// ```
/// use bailiwick_slo::exact::Fraction;
/// assert_eq!(Fraction::new(1_440, 100).to_string(), "14.4");
/// assert_eq!(Fraction::new(28, 30).to_string(), "14/15");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fraction {
    numerator: u64,
    denominator: u64,
}

impl Saved for Fraction {
    fn save(&self, to: &mut Writer) {
        to.number(self.numerator);
        to.number(self.denominator);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        match (from.number()?, from.number()?) {
            (_, 0) => from.wrong("a fraction has nought below its line"),
            (numerator, denominator) => Ok(Self::new(numerator, denominator)),
        }
    }
}

impl Fraction {
    /// Nought.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// One.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// The fraction of two numbers.
    ///
    /// # Panics
    /// When the denominator is 0.
    #[must_use]
    pub const fn new(numerator: u64, denominator: u64) -> Self {
        assert!(denominator > 0, "nothing is divided by nought");
        let common = gcd(numerator, denominator);
        Self { numerator: numerator / common, denominator: denominator / common }
    }

    /// A decimal that is not negative.
    #[must_use]
    pub fn of(decimal: Decimal) -> Option<Self> {
        let numerator = u64::try_from(decimal.mantissa()).ok()?;
        Some(Self::new(numerator, 10_u64.pow(u32::from(decimal.scale()))))
    }

    /// Above the line.
    #[must_use]
    pub const fn numerator(self) -> u64 {
        self.numerator
    }

    /// Below the line, at least 1.
    #[must_use]
    pub const fn denominator(self) -> u64 {
        self.denominator
    }

    /// The product, where it fits.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        // Crosswise first: what can be cancelled never overflows.
        let one = Self::new(self.numerator, other.denominator);
        let two = Self::new(other.numerator, self.denominator);
        Some(Self {
            numerator: one.numerator.checked_mul(two.numerator)?,
            denominator: one.denominator.checked_mul(two.denominator)?,
        })
    }

    /// The quotient, where there is one and it fits.
    #[must_use]
    pub fn over(self, other: Self) -> Option<Self> {
        let turned = Self { numerator: other.denominator, denominator: other.numerator };
        (other.numerator > 0).then(|| self.times(turned)).flatten()
    }

    /// The sum, where it fits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.joined(other, u128::checked_add)
    }

    /// What is left when another one is taken away; `None` where that is below nought or does not fit.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.joined(other, u128::checked_sub)
    }

    /// Both over one line. What the new numerator and denominator have in common divides what the old denominators had
    /// (Knuth, The Art of Computer Programming 2, 4.5.1), so that no product is larger than it must be.
    fn joined(self, other: Self, join: impl Fn(u128, u128) -> Option<u128>) -> Option<Self> {
        let common = gcd(self.denominator, other.denominator);
        let (one, two) = (self.denominator / common, other.denominator / common);
        let wide = |numerator: u64, by: u64| u128::from(numerator) * u128::from(by);
        let above = join(wide(self.numerator, two), wide(other.numerator, one))?;
        let rest = u64::try_from(above % u128::from(common)).ok()?;
        let cancelled = gcd(rest, common);
        Some(Self {
            numerator: u64::try_from(above / u128::from(cancelled)).ok()?,
            denominator: one.checked_mul(other.denominator / cancelled)?,
        })
    }

    /// The same number as a quotient, for what is shown with nine places.
    #[must_use]
    pub fn quotient(self) -> Quotient {
        Quotient { is_negative: false, numerator: self.numerator.into(), denominator: self.denominator.into() }
    }

    /// Rounded down to `scale` decimals, at most 9; `None` where that does not fit.
    #[must_use]
    pub fn floor(self, scale: u8) -> Option<Decimal> {
        let one = 10_u128.pow(u32::from(scale.min(9)));
        let units = u128::from(self.numerator) * one / u128::from(self.denominator);
        i64::try_from(units).ok().map(|units| Decimal::new(units, scale.min(9)))
    }

    /// Rounded to `scale` decimals, at most 9, ties to even; `None` where that does not fit.
    #[must_use]
    pub fn round(self, scale: u8) -> Option<Decimal> {
        let one = 10_u128.pow(u32::from(scale.min(9)));
        let (product, below) = (u128::from(self.numerator) * one, u128::from(self.denominator));
        let (units, rest) = (product / below, product % below);
        let up = match (2 * rest).cmp(&below) {
            Ordering::Greater => 1,
            Ordering::Equal => units % 2,
            Ordering::Less => 0,
        };
        i64::try_from(units + up).ok().map(|units| Decimal::new(units, scale.min(9)))
    }

    /// The same number as a decimal, where it has one of at most 18 digits after the point.
    #[must_use]
    pub fn decimal(self) -> Option<Decimal> {
        let (mut numerator, mut rest, mut scale) = (u128::from(self.numerator), self.denominator, 0_u8);
        while rest > 1 {
            let (by, more) = match (rest % 10, rest % 5, rest % 2) {
                (0, _, _) => (10, 1),
                (_, 0, _) => (5, 2),
                (_, _, 0) => (2, 5),
                _ => return None,
            };
            (rest, scale) = (rest / by, scale + 1);
            numerator *= more;
            if scale > 18 || numerator > i64::MAX as u128 {
                return None;
            }
        }
        i64::try_from(numerator).ok().map(|mantissa| Decimal::new(mantissa, scale))
    }

    /// The nearest float, for what is only shown.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shown, never compared")]
    pub fn as_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        let one = u128::from(self.numerator) * u128::from(other.denominator);
        one.cmp(&(u128::from(other.numerator) * u128::from(self.denominator)))
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Fraction {
    /// As a decimal where that is exact, else as `14/15`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.decimal() {
            Some(decimal) => decimal.fmt(f),
            None => write!(f, "{}/{}", self.numerator, self.denominator),
        }
    }
}

const fn gcd(mut one: u64, mut other: u64) -> u64 {
    while other > 0 {
        (one, other) = (other, one % other);
    }
    if one == 0 { 1 } else { one }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fractions_are_in_lowest_terms_and_compare_exactly() {
        assert_eq!(Fraction::new(0, 7), Fraction::ZERO);
        assert_eq!((Fraction::new(144, 10).numerator(), Fraction::new(144, 10).denominator()), (72, 5));
        assert!(Fraction::new(1, 3) < Fraction::new(333_333_334, 1_000_000_000));
        assert!(Fraction::new(u64::MAX, u64::MAX - 1) > Fraction::ONE);
    }

    #[test]
    fn products_cancel_before_they_overflow() {
        let large = Fraction::new(u64::MAX, 2);
        assert_eq!(large.times(Fraction::new(2, u64::MAX)), Some(Fraction::ONE));
        assert_eq!(large.times(large), None);
        // 2 % of 30 d in 1 h: 0.02 x 720 = 14.4.
        let factor = Fraction::new(2, 100).times(Fraction::new(2_592_000, 3_600)).expect("it fits");
        assert_eq!(factor.to_string(), "14.4");
        assert_eq!(Fraction::ONE.over(Fraction::ZERO), None);
    }

    #[test]
    fn sums_and_differences_are_in_lowest_terms_and_never_below_nought() {
        let of = Fraction::new;
        // `slo.md` W7: the mean of 1, 0.9 and 0 is 19/30.
        let sum = of(1, 1).plus(of(9, 10)).and_then(|sum| sum.plus(Fraction::ZERO));
        assert_eq!(sum.and_then(|sum| sum.over(of(3, 1))), Some(of(19, 30)));
        assert_eq!(of(1, 6).plus(of(1, 10)).map(|sum| (sum.numerator(), sum.denominator())), Some((4, 15)));
        assert_eq!((of(1, 6).minus(of(1, 6)), of(1, 6).minus(of(1, 5))), (Some(Fraction::ZERO), None));
        assert_eq!(of(u64::MAX, 2).plus(of(u64::MAX, 2)), Some(of(u64::MAX, 1)));
        assert_eq!(of(u64::MAX, 1).plus(Fraction::ONE), None);
        assert_eq!(of(1, u64::MAX).plus(of(1, u64::MAX - 1)), None);
    }

    proptest! {
        #[test]
        fn what_is_added_can_be_taken_away(a in 0_u64..1 << 31, b in 1_u64..1 << 31, c in 0_u64..1 << 31, d in 1_u64..1 << 31) {
            let (one, other) = (Fraction::new(a, b), Fraction::new(c, d));
            let sum = one.plus(other).expect("it fits");
            // Crosswise, without any reducing.
            prop_assert_eq!(sum, Fraction::new(a * d + c * b, b * d));
            prop_assert_eq!(sum.minus(other), Some(one));
            prop_assert_eq!(one.minus(sum).is_none(), other > Fraction::ZERO);
        }
    }

    #[test]
    fn rounding_is_down_or_half_to_even() {
        let text = |decimal: Option<Decimal>| decimal.map(|decimal| decimal.to_string());
        assert_eq!(text(Fraction::new(2, 3).floor(4)).as_deref(), Some("0.6666"));
        assert_eq!(text(Fraction::new(2, 3).round(4)).as_deref(), Some("0.6667"));
        assert_eq!(text(Fraction::new(5, 1_000).round(2)).as_deref(), Some("0"));
        assert_eq!(text(Fraction::new(15, 1_000).round(2)).as_deref(), Some("0.02"));
        assert_eq!((Fraction::new(1, 3).decimal(), Fraction::new(7, 0x8000).decimal().is_some()), (None, true));
    }
}
