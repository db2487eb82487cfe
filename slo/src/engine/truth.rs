//! Three values: what a window says of a tier, and what two windows say together (`slo.md` 2.3).

use super::sums::Sums;
use crate::exact::Decimal;
use crate::saved;

/// What is known of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// There were events, and few enough gaps.
    Measured,
    /// There were no events, and they would have been heard.
    Empty,
    /// Nothing can be said.
    Unmeasured,
}

saved!(enum Value { 0 => Measured, 1 => Empty, 2 => Unmeasured });

impl Value {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Empty => "empty",
            Self::Unmeasured => "unmeasured",
        }
    }

    /// What is known where at least `floor` of the ticks since birth must be.
    #[must_use]
    pub fn of(sums: &Sums, floor: Decimal) -> Self {
        let one = 10_u128.pow(u32::from(floor.scale()));
        let floor = u128::try_from(floor.mantissa()).unwrap_or(0).min(one);
        let ticks = u128::from(sums.ticks);
        if sums.total() > 0 && u128::from(sums.gaps) * one <= (one - floor) * ticks {
            Self::Measured
        } else if sums.total() == 0 && ticks > 0 && u128::from(sums.alive) * one >= floor * ticks {
            Self::Empty
        } else {
            Self::Unmeasured
        }
    }
}

/// What a window says of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Its burn is over the factor.
    Over,
    /// It is not.
    Under,
    /// No events.
    Empty,
    /// Nothing.
    Unmeasured,
}

saved!(enum Reading { 0 => Over, 1 => Under, 2 => Empty, 3 => Unmeasured });

/// What two windows say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Both are over.
    True,
    /// They are not.
    False,
    /// It cannot be told: the tier stays as it is.
    Unknown,
}

impl Truth {
    /// The table of `slo.md` 2.3; without a short window the long one decides.
    #[must_use]
    pub const fn of(long: Reading, short: Option<Reading>) -> Self {
        match (long, short) {
            (Reading::Over, None | Some(Reading::Over)) => Self::True,
            (Reading::Under | Reading::Empty, _) | (Reading::Over | Reading::Unmeasured, Some(Reading::Under)) => {
                Self::False
            }
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_page() {
        use Reading::{Empty, Over, Under, Unmeasured};
        use Truth::{False, True, Unknown};
        let rows = [
            (Over, [True, False, Unknown, Unknown]),
            (Under, [False; 4]),
            (Empty, [False; 4]),
            (Unmeasured, [Unknown, False, Unknown, Unknown]),
        ];
        for (long, row) in rows {
            let read = [Over, Under, Empty, Unmeasured].map(|short| Truth::of(long, Some(short)));
            assert_eq!(read, row, "{long:?}");
        }
        let alone = [Over, Under, Empty, Unmeasured].map(|long| Truth::of(long, None));
        assert_eq!(alone, [True, False, False, Unknown]);
    }

    #[test]
    fn a_tenth_may_be_missing_and_not_more() {
        let floor = "0.9".parse().expect("a decimal");
        let sums = |total, gaps, alive| Sums { total, ticks: 100, gaps, alive, ..Sums::default() };
        assert_eq!(Value::of(&sums(1, 10, 0), floor), Value::Measured);
        assert_eq!(Value::of(&sums(1, 11, 0), floor), Value::Unmeasured);
        assert_eq!(Value::of(&sums(0, 10, 90), floor), Value::Empty);
        assert_eq!(Value::of(&sums(0, 0, 89), floor), Value::Unmeasured);
        assert_eq!(Value::of(&Sums::default(), floor), Value::Unmeasured);
    }
}
