//! Windows of civil time: from one date to the next, in the zone that the definition names (`slo.md` 2.2).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::spec::{Calendar, CalendarUnit};

/// Steps that a first guess may be off by: civil units differ from their mean by a few days.
const STEPS_MAX: u32 = 64;

/// The window that holds a moment: begin and end in seconds since the Unix epoch, the end not included. Windows lie before
/// the start as well: a definition may be younger than what it is asked about. `None` beyond the years that can be
/// counted.
#[must_use]
pub fn window_at(calendar: &Calendar, unix_s: i64) -> Option<(i64, i64)> {
    let begin = instant(calendar.start, &calendar.zone)?;
    let length = i64::from(calendar.count).checked_mul(calendar.unit.nominal_seconds().try_into().ok()?)?;
    let mut number = (unix_s - begin).div_euclid(length);
    for _ in 0..STEPS_MAX {
        let (from, to) = (edge(calendar, number)?, edge(calendar, number.checked_add(1)?)?);
        if unix_s < from {
            number -= 1;
        } else if unix_s >= to {
            number += 1;
        } else {
            return Some((from, to));
        }
    }
    None
}

/// Begin of the window with this number: from the start itself, so that the 31st comes back after February.
fn edge(calendar: &Calendar, number: i64) -> Option<i64> {
    let units = number.checked_mul(calendar.count.into())?;
    let span = match calendar.unit {
        CalendarUnit::Hour => Span::new().try_hours(units),
        CalendarUnit::Day => Span::new().try_days(units),
        CalendarUnit::Week => Span::new().try_weeks(units),
        CalendarUnit::Month => Span::new().try_months(units),
        CalendarUnit::Quarter => Span::new().try_months(units.checked_mul(3)?),
        CalendarUnit::Year => Span::new().try_years(units),
    };
    instant(calendar.start.checked_add(span.ok()?).ok()?, &calendar.zone)
}

/// The moment of a civil time: in a gap the later reading, in a fold the earlier one.
fn instant(at: DateTime, zone: &TimeZone) -> Option<i64> {
    let moment: Timestamp = zone.to_ambiguous_timestamp(at).compatible().ok()?;
    Some(moment.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(start: &str, count: u32, unit: CalendarUnit, zone: &str) -> Calendar {
        let zone = TimeZone::get(zone).expect("a zone");
        Calendar { start: start.parse().expect("a civil time"), count, unit, zone }
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a moment").as_second()
    }

    fn hours(calendar: &Calendar, moment: &str) -> i64 {
        let (from, to) = window_at(calendar, at(moment)).expect("a window");
        (to - from) / 3_600
    }

    /// `slo.md` W10.
    #[test]
    fn months_and_quarters_are_as_long_as_their_clocks_say() {
        let month = calendar("2026-01-01T00:00:00", 1, CalendarUnit::Month, "America/New_York");
        assert_eq!(hours(&month, "2026-03-15T00:00:00Z"), 743);
        assert_eq!(hours(&month, "2026-11-15T00:00:00Z"), 721);
        assert_eq!(hours(&month, "2026-02-15T00:00:00Z"), 672);
        let quarter = calendar("2026-01-01T00:00:00", 1, CalendarUnit::Quarter, "America/New_York");
        assert_eq!(hours(&quarter, "2026-12-15T00:00:00Z"), 2_209);
        let week = calendar("2022-01-01T12:00:00", 1, CalendarUnit::Week, "America/New_York");
        let found = window_at(&week, at("2026-03-10T00:00:00Z"));
        assert_eq!(found, Some((at("2026-03-07T17:00:00Z"), at("2026-03-14T16:00:00Z"))));
    }

    #[test]
    fn the_31st_comes_back_after_february() {
        let month = calendar("2026-01-31T00:00:00", 1, CalendarUnit::Month, "UTC");
        let found = |moment: &str| window_at(&month, at(moment)).expect("a window");
        assert_eq!(found("2026-02-10T00:00:00Z"), (at("2026-01-31T00:00:00Z"), at("2026-02-28T00:00:00Z")));
        assert_eq!(found("2026-03-10T00:00:00Z"), (at("2026-02-28T00:00:00Z"), at("2026-03-31T00:00:00Z")));
        assert_eq!(found("2025-12-31T00:00:00Z").0, at("2025-12-31T00:00:00Z"), "before the start");
    }

    #[test]
    fn a_time_that_is_skipped_comes_later_and_one_that_is_twice_earlier() {
        // Clocks go from 02:00 to 03:00 on 2026-03-08, from 02:00 to 01:00 on 2026-11-01.
        let day = calendar("2026-03-07T02:30:00", 1, CalendarUnit::Day, "America/New_York");
        assert_eq!(window_at(&day, at("2026-03-08T12:00:00Z")).map(|(from, _)| from), Some(at("2026-03-08T07:30:00Z")));
        let day = calendar("2026-10-31T01:30:00", 1, CalendarUnit::Day, "America/New_York");
        assert_eq!(window_at(&day, at("2026-11-01T12:00:00Z")).map(|(from, _)| from), Some(at("2026-11-01T05:30:00Z")));
    }

    #[test]
    fn windows_meet_and_hold_their_moments() {
        let month = calendar("2024-02-29T03:00:00", 2, CalendarUnit::Month, "Europe/Berlin");
        let mut moment = at("2020-01-01T00:00:00Z");
        let (mut from, mut to) = window_at(&month, moment).expect("a window");
        for _ in 0..60 {
            assert!(from <= moment && moment < to);
            moment = to;
            let next = window_at(&month, moment).expect("a window");
            assert_eq!(next.0, to);
            (from, to) = next;
        }
    }
}
