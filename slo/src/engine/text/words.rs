//! What things are called in sentences, by what an SLO promises.

use crate::spec::{Calendar, CalendarUnit, Method, Sli, Slo};

/// The words of an SLO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words<'a> {
    /// What is promised: `availability`, or the SLO's id where no word says it.
    pub(super) promise: &'a str,
    /// What is counted: `requests`.
    pub(super) many: &'static str,
    /// What the bad ones did: `failed`.
    pub(super) did: &'static str,
}

impl<'a> Words<'a> {
    pub(super) fn of(slo: &'a Slo) -> Self {
        let events = Self::of_events(slo);
        match slo.method {
            Method::Timeslices { .. } => Self { many: "slices", did: "were bad", ..events },
            Method::Occurrences | Method::RatioTimeslices { .. } => events,
        }
    }

    fn of_events(slo: &'a Slo) -> Self {
        let (promise, many, did) = match slo.sli {
            Sli::Availability => ("availability", "requests", "failed"),
            Sli::Outcome { .. } => (&*slo.id, "requests", "were bad"),
            Sli::Latency { .. } => ("latency", "requests", "were slow"),
            Sli::Leaks(_) => ("isolation", "hops", "leaked"),
            Sli::Coverage(_) => ("coverage", "requests", "were not traced"),
            Sli::Gauge { .. } => (&*slo.id, "points", "were bad"),
            Sli::Counter { .. }
            | Sli::Histogram { .. }
            | Sli::Quantile { .. }
            | Sli::Ratio { .. }
            | Sli::Composite(_)
            | Sli::Foreign(_) => (&*slo.id, "events", "were bad"),
        };
        Self { promise, many, did }
    }
}

/// Bad ones after their number: `2 failures`, `1 bad request`. Gates count events, whatever the method.
pub(super) const fn bad_ones(sli: &Sli, count: u64) -> &'static str {
    match (sli, count == 1) {
        (Sli::Availability, true) => "failure",
        (Sli::Availability, false) => "failures",
        (Sli::Latency { .. }, true) => "slow request",
        (Sli::Latency { .. }, false) => "slow requests",
        (Sli::Leaks(_), true) => "leak",
        (Sli::Leaks(_), false) => "leaks",
        (_, true) => "bad event",
        (_, false) => "bad events",
    }
}

/// `this month's budget`, `the 2-week budget`.
pub(super) fn calendar_budget(calendar: &Calendar) -> String {
    let unit = match calendar.unit {
        CalendarUnit::Hour => "hour",
        CalendarUnit::Day => "day",
        CalendarUnit::Week => "week",
        CalendarUnit::Month => "month",
        CalendarUnit::Quarter => "quarter",
        CalendarUnit::Year => "year",
    };
    match calendar.count {
        1 => format!("this {unit}'s budget"),
        count => format!("the {count}-{unit} budget"),
    }
}
