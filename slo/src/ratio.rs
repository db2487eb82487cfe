//! A ratio of two counts: exact until it is printed, and never a number when there is nothing to divide.

use std::fmt;

/// `numerator / denominator`, or nothing measured. Never NaN, never infinite.
///
/// ```
/// use bailiwick_slo::ratio::Ratio;
/// assert_eq!(Ratio::of(999, 1000).decimal(4).as_deref(), Some("0.9990"));
/// assert_eq!(Ratio::of(0, 0).decimal(4), None);
/// // Never rounded up to a perfect score: 999,999 of 1,000,000 is not 1.0000.
/// assert_eq!(Ratio::of(999_999, 1_000_000).decimal(4).as_deref(), Some("0.9999"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// The part.
    pub numerator: u64,
    /// The whole; 0 means that there was nothing to measure.
    pub denominator: u64,
}

/// Whether a figure has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is a value.
    Measured,
    /// There was data, but nothing to divide by.
    Empty,
    /// There is no data that could say.
    Unmeasured,
}

impl State {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Empty => "empty",
            Self::Unmeasured => "unmeasured",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Ratio {
    /// The ratio of two counts.
    #[must_use]
    pub const fn of(numerator: u64, denominator: u64) -> Self {
        Self { numerator, denominator }
    }

    /// Measured, or empty when there is nothing to divide by.
    #[must_use]
    pub const fn state(&self) -> State {
        if self.denominator == 0 { State::Empty } else { State::Measured }
    }

    /// The exact quotient cut (not rounded) after `digits` decimals, at most 18: a success ratio below 1 never reads
    /// as 1. `None` when empty.
    #[must_use]
    pub fn decimal(&self, digits: u32) -> Option<String> {
        if self.denominator == 0 {
            return None;
        }
        let digits = digits.min(18);
        let scale = 10_u128.pow(digits);
        // u64 x 10^18 stays below 2^124.
        let scaled = u128::from(self.numerator) * scale / u128::from(self.denominator);
        if digits == 0 {
            return Some(scaled.to_string());
        }
        let width = digits as usize;
        Some(format!("{}.{:0width$}", scaled / scale, scaled % scale))
    }

    /// The quotient as the nearest float: for charts and exposition only, never for a verdict.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a float is what the exposition formats carry")]
    pub fn as_f64(&self) -> Option<f64> {
        (self.denominator != 0).then(|| self.numerator as f64 / self.denominator as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotient_is_cut_and_padded() {
        assert_eq!(Ratio::of(1, 3).decimal(6).as_deref(), Some("0.333333"));
        assert_eq!(Ratio::of(1, 16).decimal(6).as_deref(), Some("0.062500"));
        assert_eq!(Ratio::of(5, 4).decimal(2).as_deref(), Some("1.25"));
        assert_eq!(Ratio::of(7, 7).decimal(0).as_deref(), Some("1"));
    }

    #[test]
    fn the_largest_counts_do_not_overflow() {
        assert_eq!(Ratio::of(u64::MAX, 1).decimal(18).as_deref(), Some("18446744073709551615.000000000000000000"));
        assert_eq!(Ratio::of(u64::MAX, u64::MAX).decimal(18).as_deref(), Some("1.000000000000000000"));
    }

    #[test]
    fn nothing_divided_by_nothing_is_empty() {
        assert_eq!(Ratio::of(0, 0).state(), State::Empty);
        assert_eq!(Ratio::of(0, 0).as_f64(), None);
    }
}
