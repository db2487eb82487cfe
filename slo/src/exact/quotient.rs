//! Quotients as text: nine places, ties to even (`slo.md` 2.1).

use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};
use std::fmt;

/// Places after the point.
const PLACES: u32 = 9;

/// A signed quotient of large counts, exact until it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotient {
    /// It is below nought.
    pub is_negative: bool,
    /// Above the line.
    pub numerator: u128,
    /// Below the line, not 0.
    pub denominator: u128,
}

impl Saved for Quotient {
    fn save(&self, to: &mut Writer) {
        self.is_negative.save(to);
        self.numerator.save(to);
        self.denominator.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (is_negative, numerator, denominator) = (bool::load(from)?, u128::load(from)?, u128::load(from)?);
        if denominator == 0 {
            return from.wrong("a quotient has nought below its line");
        }
        Ok(Self { is_negative, numerator, denominator })
    }
}

impl Quotient {
    /// The quotient; `None` of a denominator of 0.
    #[must_use]
    pub const fn of(numerator: u128, denominator: u128) -> Option<Self> {
        if denominator == 0 { None } else { Some(Self { is_negative: false, numerator, denominator }) }
    }

    /// `one - other`, both over the same denominator; `None` of a denominator of 0.
    #[must_use]
    pub const fn difference(one: u128, other: u128, denominator: u128) -> Option<Self> {
        if denominator == 0 {
            return None;
        }
        Some(Self { is_negative: other > one, numerator: one.abs_diff(other), denominator })
    }

    /// The nearest float, for charts and exposition only.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shown, never compared")]
    pub fn as_f64(&self) -> f64 {
        let value = self.numerator as f64 / self.denominator as f64;
        if self.is_negative { -value } else { value }
    }

    /// In units of `10^-places`, rounded half to even; `places` at most 18. What fits no 127 bits is the largest number.
    #[must_use]
    pub fn rounded(&self, places: u32) -> i128 {
        let (whole, part) = self.units(places);
        let units = whole.checked_mul(10_u128.pow(places)).and_then(|units| units.checked_add(part));
        let units = units.and_then(|units| i128::try_from(units).ok()).unwrap_or(i128::MAX);
        if self.is_negative { -units } else { units }
    }

    /// The whole part and what follows the point in units of `10^-places`, rounded half to even.
    fn units(&self, places: u32) -> (u128, u128) {
        let one = 10_u128.pow(places);
        let (whole, mut rest) = (self.numerator / self.denominator, self.numerator % self.denominator);
        let mut part = 0;
        // Digit by digit where the product would not fit.
        for _ in 0..places {
            let (digit, left) = times_ten(rest, self.denominator);
            (part, rest) = (part * 10 + digit, left);
        }
        let up = match rest.cmp(&(self.denominator - rest)) {
            std::cmp::Ordering::Greater => 1,
            // The last digit is that of the whole part where no other is kept.
            std::cmp::Ordering::Equal if places == 0 => whole % 2,
            std::cmp::Ordering::Equal => part % 2,
            std::cmp::Ordering::Less => 0,
        };
        let part = part + up;
        (whole + part / one, part % one)
    }
}

/// The digit and the rest of `rest x 10 / denominator`, where `rest < denominator`.
fn times_ten(rest: u128, denominator: u128) -> (u128, u128) {
    if let Some(product) = rest.checked_mul(10) {
        return (product / denominator, product % denominator);
    }
    // Ten times by adding: what reaches the denominator is taken out at once, so that nothing overflows.
    let (mut digit, mut sum) = (0, 0_u128);
    for _ in 0..10 {
        if sum >= denominator - rest {
            (digit, sum) = (digit + 1, sum - (denominator - rest));
        } else {
            sum += rest;
        }
    }
    (digit, sum)
}

impl fmt::Display for Quotient {
    /// Without trailing zeros: `0.904761905`, `-0.5`, `1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = self.units(PLACES);
        let sign = if self.is_negative && (whole, part) != (0, 0) { "-" } else { "" };
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{part:09}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_places_ties_to_even() {
        let text = |numerator, denominator| Quotient::of(numerator, denominator).map(|q| q.to_string());
        // `slo.md` W7.
        assert_eq!(text(19, 21).as_deref(), Some("0.904761905"));
        assert_eq!(text(19, 30).as_deref(), Some("0.633333333"));
        assert_eq!(text(29, 40).as_deref(), Some("0.725"));
        assert_eq!(text(1, 2_000_000_000).as_deref(), Some("0"));
        assert_eq!(text(3, 2_000_000_000).as_deref(), Some("0.000000002"));
        assert_eq!(text(1_999_999_999, 2_000_000_000).as_deref(), Some("1"));
        assert_eq!(text(1, 0), None);
        assert_eq!(text(u128::MAX - 1, u128::MAX).as_deref(), Some("1"));
        assert_eq!(text(u128::MAX / 3, u128::MAX).as_deref(), Some("0.333333333"));
    }

    #[test]
    fn any_number_of_places_is_rounded_once() {
        let of = |numerator, denominator| Quotient::of(numerator, denominator).expect("a quotient");
        // 0.00445 is 0.0044 at four places, and would be 0.005 at three if it were rounded twice.
        assert_eq!((of(445, 100_000).rounded(4), of(445, 100_000).rounded(3)), (44, 4));
        assert_eq!((of(5, 2).rounded(0), of(7, 2).rounded(0), of(1, 3).rounded(0)), (2, 4, 0));
        assert_eq!(Quotient::difference(1, 3, 4).map(|q| q.rounded(9)), Some(-500_000_000));
        assert_eq!(of(u128::MAX, 1).rounded(9), i128::MAX);
    }

    #[test]
    fn what_is_overspent_is_negative() {
        let text = |one, other| Quotient::difference(one, other, 4).map(|q| q.to_string());
        assert_eq!(
            (text(1, 3).as_deref(), text(3, 1).as_deref(), text(2, 2).as_deref()),
            (Some("-0.5"), Some("0.5"), Some("0"))
        );
    }
}
