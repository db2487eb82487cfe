//! When a correction comes again: `RRULE` of RFC 5545 as far as `slo.md` 2.9 goes, in civil time.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Most times that something comes again.
pub const TIMES_MAX: usize = 1_000;
/// Days that are looked at: a hundred years.
const DAYS_MAX: usize = 36_525;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    Day,
    Week,
    Month,
}

/// A day of the week; in a month the n-th one, from the end if below 0; 0: each of them.
type Day = (i8, Weekday);

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// As it was written.
    text: String,
    every: Every,
    interval: i64,
    days: Vec<Day>,
    times: usize,
    /// Seconds since the Unix epoch of the last begin, included.
    until: Option<i64>,
}

/// Why a rule is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotARule(pub String);

impl std::fmt::Display for NotARule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; a rule is FREQ=DAILY, WEEKLY or MONTHLY with INTERVAL, BYDAY, COUNT, UNTIL", self.0)
    }
}

impl std::error::Error for NotARule {}

impl std::fmt::Display for Recurrence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Recurrence {
    type Err = NotARule;

    fn from_str(text: &str) -> Result<Self, NotARule> {
        let mut rule = Self {
            text: text.to_owned(),
            every: Every::Day,
            interval: 1,
            days: Vec::new(),
            times: TIMES_MAX,
            until: None,
        };
        let mut seen: Vec<String> = Vec::new();
        for part in text.trim_start_matches("RRULE:").split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| NotARule(format!("`{part}` has no value")))?;
            let key = key.to_ascii_uppercase();
            if seen.contains(&key) {
                return Err(NotARule(format!("{key} is there twice")));
            }
            rule.set(&key, value)?;
            seen.push(key);
        }
        if !seen.iter().any(|key| key == "FREQ") {
            return Err(NotARule("FREQ is missing".to_owned()));
        }
        if rule.every != Every::Month && rule.days.iter().any(|(nth, _)| *nth != 0) {
            return Err(NotARule("BYDAY counts days only in months".to_owned()));
        }
        if seen.iter().any(|key| key == "COUNT") && rule.until.is_some() {
            return Err(NotARule("COUNT and UNTIL exclude each other".to_owned()));
        }
        Ok(rule)
    }
}

impl Recurrence {
    fn set(&mut self, key: &str, value: &str) -> Result<(), NotARule> {
        let number = || value.parse::<u32>().ok().filter(|number| *number > 0);
        match key {
            "FREQ" => {
                self.every = match value.to_ascii_uppercase().as_str() {
                    "DAILY" => Every::Day,
                    "WEEKLY" => Every::Week,
                    "MONTHLY" => Every::Month,
                    _ => return Err(NotARule(format!("FREQ={value} is not known"))),
                }
            }
            "INTERVAL" => {
                self.interval = number().ok_or_else(|| NotARule("INTERVAL is a number above 0".to_owned()))?.into();
            }
            "COUNT" => {
                let times = number().filter(|times| *times as usize <= TIMES_MAX);
                self.times = times.ok_or_else(|| NotARule(format!("COUNT is at most {TIMES_MAX}")))? as usize;
            }
            "BYDAY" => self.days = value.split(',').map(day).collect::<Result<_, _>>()?,
            "UNTIL" => self.until = Some(until(value)?),
            _ => return Err(NotARule(format!("{key} is not known"))),
        }
        Ok(())
    }

    /// The times that something begins and ends that first goes from `from` to `to` in this zone, seconds since the
    /// Unix epoch: the first one as it is, then as often as the rule says. A time that clocks leave out is an hour later,
    /// one that they repeat is the first of both.
    #[must_use]
    pub fn times(&self, (from, to): (i64, i64), zone: &TimeZone) -> Vec<(i64, i64)> {
        let Some((first, length)) = civil((from, to), zone) else { return vec![(from, to)] };
        let mut times = vec![(from, to)];
        let mut date = first.date();
        for _ in 0..DAYS_MAX {
            if times.len() >= self.times {
                break;
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
            if !self.falls_on(first.date(), date) {
                continue;
            }
            let begin = date.to_datetime(first.time());
            let moments = [Some(begin), begin.checked_add(length).ok()].map(|at| at.and_then(|at| seconds(at, zone)));
            let [Some(begin), Some(end)] = moments else { break };
            if self.until.is_some_and(|until| begin > until) {
                break;
            }
            times.push((begin, end));
        }
        times
    }

    fn falls_on(&self, first: Date, date: Date) -> bool {
        let weekday = date.weekday();
        let is_named = self.days.iter().any(|(_, day)| *day == weekday);
        let days = i64::from(days_between(first, date));
        match self.every {
            Every::Day => days % self.interval == 0 && (self.days.is_empty() || is_named),
            Every::Week => {
                let week = (days + i64::from(first.weekday().to_monday_zero_offset())).div_euclid(7);
                week % self.interval == 0 && if self.days.is_empty() { weekday == first.weekday() } else { is_named }
            }
            Every::Month => {
                let month = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
                let is_month = (month(date) - month(first)) % self.interval == 0;
                is_month && if self.days.is_empty() { date.day() == first.day() } else { self.is_nth(date) }
            }
        }
    }

    fn is_nth(&self, date: Date) -> bool {
        let from_start = (date.day() - 1) / 7 + 1;
        let from_end = -((date.days_in_month() - date.day()) / 7 + 1);
        let is = |nth: i8| nth == 0 || nth == from_start || nth == from_end;
        self.days.iter().any(|(nth, day)| *day == date.weekday() && is(*nth))
    }
}

fn days_between(first: Date, date: Date) -> i32 {
    date.since(first).map_or(0, |span| span.get_days())
}

fn civil((from, to): (i64, i64), zone: &TimeZone) -> Option<(DateTime, Span)> {
    let at = |seconds: i64| Timestamp::from_second(seconds).ok().map(|at| at.to_zoned(zone.clone()).datetime());
    let (from, to) = (at(from)?, at(to)?);
    Some((from, to.since(from).ok()?))
}

fn seconds(at: DateTime, zone: &TimeZone) -> Option<i64> {
    at.to_zoned(zone.clone()).ok().map(|at| at.timestamp().as_second())
}

/// `MO`, `1MO`, `-1SU`.
fn day(text: &str) -> Result<Day, NotARule> {
    let wrong = || NotARule(format!("`{text}` is no day (MO, 1MO, -1SU)"));
    let (nth, name) = text.split_at_checked(text.len().saturating_sub(2)).ok_or_else(wrong)?;
    let nth = if nth.is_empty() { 0 } else { nth.parse::<i8>().map_err(|_| wrong())? };
    let weekday = match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return Err(wrong()),
    };
    if (-5..=5).contains(&nth) { Ok((nth, weekday)) } else { Err(wrong()) }
}

/// `20261231T235959Z` or `20261231`, the whole day in UTC.
fn until(text: &str) -> Result<i64, NotARule> {
    let wrong = || NotARule(format!("UNTIL={text} is no time (20261231T235959Z)"));
    let digits = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<i8>().ok());
    let year = text.get(0..4).and_then(|part| part.parse::<i16>().ok()).ok_or_else(wrong)?;
    let date = [digits(4..6), digits(6..8)];
    let [Some(month), Some(day)] = date else { return Err(wrong()) };
    let time = match text.len() {
        8 => [23, 59, 59],
        16 if text.as_bytes()[8] == b'T' && text.ends_with('Z') => {
            let [Some(hour), Some(minute), Some(second)] = [digits(9..11), digits(11..13), digits(13..15)] else {
                return Err(wrong());
            };
            [hour, minute, second]
        }
        _ => return Err(wrong()),
    };
    let at = DateTime::new(year, month, day, time[0], time[1], time[2], 0).map_err(|_| wrong())?;
    seconds(at, &TimeZone::UTC).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &TimeZone) -> i64 {
        let civil: DateTime = text.parse().expect("a civil time");
        seconds(civil, zone).expect("it is in range")
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone")
    }

    /// Begins in civil time of the zone.
    fn begins(rule: &str, from: &str, zone: &TimeZone) -> Vec<String> {
        let rule: Recurrence = rule.parse().expect("a rule");
        let from = at(from, zone);
        let times = rule.times((from, from + 3_600), zone);
        let civil = |at: i64| Timestamp::from_second(at).expect("in range").to_zoned(zone.clone()).datetime();
        times.into_iter().map(|(begin, _)| civil(begin).to_string()).collect()
    }

    /// RFC 5545 3.8.5.3: "Daily for 10 occurrences", "Every other day", "Weekly on Tuesday and Thursday for five weeks",
    /// "Monthly on the first Friday for 10 occurrences", "Monthly on the second-to-last Monday" (of 1997, New York).
    #[test]
    fn the_examples_of_the_rfc() {
        let zone = zone("America/New_York");
        let of = |rule: &str, from: &str| begins(rule, from, &zone);
        let ten = of("FREQ=DAILY;COUNT=10", "1997-09-02T09:00:00");
        assert_eq!((ten.len(), &*ten[9]), (10, "1997-09-11T09:00:00"));
        let other = of("FREQ=DAILY;INTERVAL=2;UNTIL=19970910T000000Z", "1997-09-02T09:00:00");
        assert_eq!(other, ["02", "04", "06", "08"].map(|day| format!("1997-09-{day}T09:00:00")));
        let weekly = of("FREQ=WEEKLY;COUNT=10;BYDAY=TU,TH", "1997-09-02T09:00:00");
        assert_eq!((&*weekly[1], &*weekly[9]), ("1997-09-04T09:00:00", "1997-10-02T09:00:00"));
        let fridays = of("FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "1997-09-05T09:00:00");
        assert_eq!((&*fridays[1], &*fridays[9]), ("1997-10-03T09:00:00", "1998-06-05T09:00:00"));
        let mondays = of("FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09-22T09:00:00");
        assert_eq!((&*mondays[1], &*mondays[5]), ("1997-10-20T09:00:00", "1998-02-16T09:00:00"));
    }

    #[test]
    fn every_other_week_counts_weeks_from_monday() {
        // RFC 5545: "every other week on Tuesday and Sunday, weeks begin on Monday": 5, 10, 19, 24 August 1997.
        let days =
            begins("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU", "1997-08-05T09:00:00", &zone("America/New_York"));
        assert_eq!(days, ["05", "10", "19", "24"].map(|day| format!("1997-08-{day}T09:00:00")));
    }

    #[test]
    fn a_window_at_two_at_night_keeps_its_civil_time_over_daylight_saving() {
        let zone = zone("Europe/Berlin");
        let rule: Recurrence = "FREQ=WEEKLY;COUNT=3".parse().expect("a rule");
        let from = at("2026-03-22T02:30:00", &zone);
        let times = rule.times((from, from + 3_600), &zone);
        // On 29 March 02:30 does not exist: 03:30 summer time; the week after is 167 h after the first begin plus 168.
        assert_eq!(times[1].0, at("2026-03-29T03:30:00", &zone));
        assert_eq!(times[2].0 - times[0].0, 2 * 168 * 3_600 - 3_600);
    }

    #[test]
    fn a_day_that_a_month_does_not_have_is_left_out() {
        let days = begins("FREQ=MONTHLY;COUNT=3", "2026-01-31T09:00:00", &TimeZone::UTC);
        assert_eq!(days, ["2026-01-31T09:00:00", "2026-03-31T09:00:00", "2026-05-31T09:00:00"]);
    }

    #[test]
    fn what_is_no_rule_is_told() {
        for (text, told) in [
            ("", "FREQ is missing"),
            ("FREQ=YEARLY", "FREQ=YEARLY"),
            ("FREQ=DAILY;BYHOUR=3", "BYHOUR"),
            ("FREQ=DAILY;COUNT=2000", "at most 1000"),
            ("FREQ=WEEKLY;BYDAY=1MO", "only in months"),
            ("FREQ=DAILY;COUNT=2;UNTIL=20260101", "exclude each other"),
            ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL=tomorrow"),
            ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
            ("FREQ=DAILY;FREQ=DAILY", "twice"),
            ("FREQ=MONTHLY;BYDAY=XX", "`XX`"),
        ] {
            let error = text.parse::<Recurrence>().expect_err(text).to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn without_an_end_it_comes_a_thousand_times() {
        let rule: Recurrence = "FREQ=DAILY".parse().expect("a rule");
        assert_eq!(rule.times((0, 60), &TimeZone::UTC).len(), 1_000);
    }
}
