//! Calendar windows, counted on from the start one by one. The zone gives offsets only: dates, skipped times and times
//! that come twice are worked out here.

use bailiwick_slo::spec::{Calendar, CalendarUnit};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Begins of all windows from the first one on, until one lies after `until`; Unix seconds.
pub(crate) fn edges(calendar: &Calendar, until: i64) -> Vec<i64> {
    let mut edges = Vec::new();
    for number in 0.. {
        let edge = instant(local(calendar, number), &calendar.zone);
        edges.push(edge);
        if edge > until {
            break;
        }
    }
    edges
}

/// The window that holds a moment.
pub(crate) fn holding(edges: &[i64], unix_s: i64) -> (i64, i64) {
    let after = edges.partition_point(|edge| *edge <= unix_s);
    assert!(0 < after && after < edges.len(), "the stream lies within the calendar");
    (edges[after - 1], edges[after])
}

/// `start + number x duration` as seconds on the clock of the zone.
fn local(calendar: &Calendar, number: i64) -> i64 {
    let start = calendar.start;
    let (year, month, day) = (i64::from(start.year()), i64::from(start.month()), i64::from(start.day()));
    let clock = i64::from(start.hour()) * 3_600 + i64::from(start.minute()) * 60 + i64::from(start.second());
    let count = number * i64::from(calendar.count);
    let months = match calendar.unit {
        CalendarUnit::Hour => return days(year, month, day) * 86_400 + clock + count * 3_600,
        CalendarUnit::Day => return (days(year, month, day) + count) * 86_400 + clock,
        CalendarUnit::Week => return (days(year, month, day) + 7 * count) * 86_400 + clock,
        CalendarUnit::Month => count,
        CalendarUnit::Quarter => 3 * count,
        CalendarUnit::Year => 12 * count,
    };
    let place = year * 12 + (month - 1) + months;
    let (year, month) = (place.div_euclid(12), place.rem_euclid(12) + 1);
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let length = days(next_year, next_month, 1) - days(year, month, 1);
    days(year, month, day.min(length)) * 86_400 + clock
}

/// Days of a Gregorian date since 1970-01-01, by counting years and months.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let years: i64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let months = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    years + months.iter().take(usize::try_from(month - 1).expect("a month")).sum::<i64>() + day - 1
}

/// The moment of a local time. Twice: the earlier one. Skipped: what the clock before the jump would say, which reads
/// later after it (`slo.md` 2.2).
fn instant(local: i64, zone: &TimeZone) -> i64 {
    let offset = |unix_s: i64| {
        let moment = Timestamp::from_second(unix_s).expect("a moment");
        i64::from(zone.to_offset(moment).seconds())
    };
    let (before, after) = (offset(local - 2 * 86_400), offset(local + 2 * 86_400));
    let (earlier, later) = (local - before.max(after), local - before.min(after));
    if earlier + offset(earlier) == local {
        earlier
    } else if later + offset(later) == local {
        later
    } else {
        local - before
    }
}

/// `slo.md` W10.
#[test]
fn the_models_calendar_knows_the_months_of_new_york() {
    let zone = TimeZone::get("America/New_York").expect("a zone");
    let at = |text: &str| text.parse::<Timestamp>().expect("a moment").as_second();
    let of = |start: &str, unit| Calendar {
        start: start.parse().expect("a civil time"),
        count: 1,
        unit,
        zone: zone.clone(),
    };
    let month = edges(&of("2026-01-01T00:00:00", CalendarUnit::Month), at("2027-01-01T00:00:00Z"));
    let hours = |edges: &[i64], moment: &str| {
        let (from, to) = holding(edges, at(moment));
        (to - from) / 3_600
    };
    assert_eq!(hours(&month, "2026-03-15T00:00:00Z"), 743);
    assert_eq!(hours(&month, "2026-11-15T00:00:00Z"), 721);
    assert_eq!(hours(&month, "2026-02-15T00:00:00Z"), 672);
    let quarter = edges(&of("2026-01-01T00:00:00", CalendarUnit::Quarter), at("2027-01-01T00:00:00Z"));
    assert_eq!(hours(&quarter, "2026-12-15T00:00:00Z"), 2_209);
    let week = edges(&of("2022-01-01T12:00:00", CalendarUnit::Week), at("2027-01-01T00:00:00Z"));
    let found = holding(&week, at("2026-03-10T00:00:00Z"));
    assert_eq!(found, (at("2026-03-07T17:00:00Z"), at("2026-03-14T16:00:00Z")));
    let last = edges(&of("2026-01-31T00:00:00", CalendarUnit::Month), at("2026-04-01T00:00:00Z"));
    assert_eq!(last[1..3], [at("2026-02-28T05:00:00Z"), at("2026-03-31T04:00:00Z")]);
}
