//! Over how long a budget is kept, and lengths of time as documents write them.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::saved;
use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};

/// A length of time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TimeSpan(pub u64);

/// Longer ones than these mean nothing: ten thousand years.
const SECONDS_MAX: u64 = 10_000 * 366 * 86_400;

impl Saved for TimeSpan {
    fn save(&self, to: &mut Writer) {
        to.number(self.0);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        match from.number()? {
            seconds if seconds <= SECONDS_MAX => Ok(Self(seconds)),
            _ => from.wrong("a time is longer than ten thousand years"),
        }
    }
}

impl TimeSpan {
    /// Its seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TimeSpan {
    /// In the largest unit that it is a whole number of: `30d`, `36h`, `5m`, `90s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
        match units.iter().find(|(seconds, _)| self.0 > 0 && self.0.is_multiple_of(*seconds)) {
            Some((seconds, unit)) => write!(f, "{}{unit}", self.0 / seconds),
            None => write!(f, "{}s", self.0),
        }
    }
}

/// The window of a budget.
#[derive(Debug, Clone, PartialEq)]
pub enum Period {
    /// The last so long, always.
    Rolling(TimeSpan),
    /// From one civil date to the next.
    Calendar(Calendar),
}

saved!(enum Period { 0 => Rolling(span), 1 => Calendar(calendar) });

/// Windows of civil time: `start + n x count units`, each counted from the start itself (`slo.md` 2.2).
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// The begin of the first one.
    pub start: DateTime,
    /// How many units one has, at least 1.
    pub count: u32,
    /// Which.
    pub unit: CalendarUnit,
    /// Where its days begin.
    pub zone: TimeZone,
}

impl Saved for Calendar {
    fn save(&self, to: &mut Writer) {
        let (date, time) = (self.start.date(), self.start.time());
        (date.year(), date.month(), date.day()).save(to);
        (time.hour(), time.minute(), time.second(), time.subsec_nanosecond()).save(to);
        self.count.save(to);
        self.unit.save(to);
        // Documents name their zones: there are no others.
        to.text(self.zone.iana_name().unwrap_or_default());
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let ((year, month, day), (hour, minute, second, nanosecond)) = Saved::load(from)?;
        let Ok(start) = DateTime::new(year, month, day, hour, minute, second, nanosecond) else {
            return from.wrong("a calendar begins at no time that there is");
        };
        let (count, unit) = (u32::load(from)?, CalendarUnit::load(from)?);
        if count == 0 {
            return from.wrong("a window of a calendar has no length");
        }
        match TimeZoneDatabase::bundled().get(from.text()?) {
            Ok(zone) => Ok(Self { start, count, unit, zone }),
            Err(_) => from.wrong("a time zone that is not known here"),
        }
    }
}

/// A unit of calendars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarUnit {
    /// `h`.
    Hour,
    /// `d`.
    Day,
    /// `w`.
    Week,
    /// `M`.
    Month,
    /// `Q`.
    Quarter,
    /// `Y`.
    Year,
}

saved!(enum CalendarUnit { 0 => Hour, 1 => Day, 2 => Week, 3 => Month, 4 => Quarter, 5 => Year });

impl CalendarUnit {
    /// Nominal seconds: what factors are worked out with.
    #[must_use]
    pub const fn nominal_seconds(self) -> u64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => 30 * 86_400,
            Self::Quarter => 90 * 86_400,
            Self::Year => 365 * 86_400,
        }
    }
}

impl Period {
    /// P as factors use it: of a calendar its nominal length.
    #[must_use]
    pub fn nominal_seconds(&self) -> u64 {
        match self {
            Self::Rolling(span) => span.seconds(),
            Self::Calendar(calendar) => u64::from(calendar.count) * calendar.unit.nominal_seconds(),
        }
    }
}
