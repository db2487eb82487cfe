//! Lengths of time: OpenSLO's `5m 1h 7d 4w 1M 1Q 1Y`, and `90s`, `500ms`, `1h30m` as the configuration writes them.

use crate::spec::{CalendarUnit, TimeSpan};

/// A unit of lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// One that is so many nanoseconds.
    Fixed(u64),
    /// `M`, `Q`, `Y`: of a calendar; nominally 30, 90, 365 days.
    Civil(CalendarUnit),
}

/// A length as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    /// All of it, nominally.
    pub(crate) nanoseconds: u64,
    /// Count and unit, where there is just one of them.
    pub(crate) single: Option<(u32, Unit)>,
    /// It has an `M`, `Q` or `Y`.
    pub(crate) is_civil: bool,
}

const SECOND: u64 = 1_000_000_000;

/// Longest first, so that `ms` is not taken for `m`.
const UNITS: [(&str, Unit); 11] = [
    ("ms", Unit::Fixed(SECOND / 1_000)),
    ("us", Unit::Fixed(SECOND / 1_000_000)),
    ("ns", Unit::Fixed(1)),
    ("s", Unit::Fixed(SECOND)),
    ("m", Unit::Fixed(60 * SECOND)),
    ("h", Unit::Fixed(3_600 * SECOND)),
    ("d", Unit::Fixed(86_400 * SECOND)),
    ("w", Unit::Fixed(7 * 86_400 * SECOND)),
    ("M", Unit::Civil(CalendarUnit::Month)),
    ("Q", Unit::Civil(CalendarUnit::Quarter)),
    ("Y", Unit::Civil(CalendarUnit::Year)),
];

/// Reads a length; `None` if it is none or does not fit (584 years).
pub(crate) fn length(text: &str) -> Option<Length> {
    if text == "0" {
        return Some(Length { nanoseconds: 0, single: None, is_civil: false });
    }
    let (mut rest, mut sum, mut single, mut parts, mut is_civil) = (text, 0_u64, None, 0, false);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u32 = rest[..digits].parse().ok()?;
        let (name, unit) = UNITS.into_iter().find(|(name, _)| rest[digits..].starts_with(name))?;
        let one = match unit {
            Unit::Fixed(nanoseconds) => nanoseconds,
            Unit::Civil(unit) => {
                is_civil = true;
                unit.nominal_seconds() * SECOND
            }
        };
        sum = sum.checked_add(one.checked_mul(u64::from(count))?)?;
        (single, parts, rest) = (Some((count, unit)), parts + 1, &rest[digits + name.len()..]);
    }
    (parts > 0).then_some(Length { nanoseconds: sum, single: single.filter(|_| parts == 1), is_civil })
}

impl Length {
    /// Its whole seconds; `None` if there is a rest.
    pub(crate) fn span(self) -> Option<TimeSpan> {
        self.nanoseconds.is_multiple_of(SECOND).then_some(TimeSpan(self.nanoseconds / SECOND))
    }

    /// Count and unit of calendars.
    pub(crate) fn calendar(self) -> Option<(u32, CalendarUnit)> {
        let (count, unit) = self.single?;
        let unit = match unit {
            Unit::Civil(unit) => unit,
            Unit::Fixed(nanoseconds) => [CalendarUnit::Hour, CalendarUnit::Day, CalendarUnit::Week]
                .into_iter()
                .find(|unit| unit.nominal_seconds() * SECOND == nanoseconds)?,
        };
        (count > 0).then_some((count, unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_in_both_manners() {
        for (text, seconds) in [
            ("5m", 300),
            ("90s", 90),
            ("1h30m", 5_400),
            ("4w", 2_419_200),
            ("1M", 2_592_000),
            ("1Q", 7_776_000),
            ("1Y", 31_536_000),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(length(text).and_then(Length::span), Some(TimeSpan(seconds)), "{text}");
        }
        assert_eq!(length("250ms").map(|length| length.nanoseconds), Some(250_000_000));
        assert_eq!(length("1500ms").and_then(Length::span), None);
        for text in ["", "5", "m", "1.5h", "-1h", "1 h", "1x", "600Y", "99999999999h", "1h30"] {
            assert_eq!(length(text), None, "{text}");
        }
    }

    #[test]
    fn one_unit_makes_a_calendar() {
        assert_eq!(length("1M").and_then(Length::calendar), Some((1, CalendarUnit::Month)));
        assert_eq!(length("2w").and_then(Length::calendar), Some((2, CalendarUnit::Week)));
        assert_eq!(length("5m").and_then(Length::calendar), None);
        assert_eq!(length("1d12h").and_then(Length::calendar), None);
    }
}
