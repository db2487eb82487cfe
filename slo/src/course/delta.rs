//! What counts come to for an SLI: good and bad of what it is about (`slo.md` 1.4).

use super::record::{Classes, Reading, Requests, Tally};
use crate::engine::sums::Delta;
use crate::outcome::Outcome;
use crate::spec::Sli;
use crate::taps::{Reads, Tap};

/// Whether requests, or their classes of latency, say anything about it.
pub(super) const fn reads_requests(sli: &Sli) -> bool {
    matches!(sli, Sli::Availability | Sli::Outcome { .. } | Sli::Latency { .. } | Sli::Quantile { metric: None, .. })
}

/// The threshold that requests are told apart by, nanoseconds.
pub(super) fn threshold_of(sli: &Sli) -> Option<u64> {
    match sli {
        Sli::Latency { threshold_ns, .. } => Some(*threshold_ns),
        Sli::Quantile { metric: None, threshold, .. } => threshold.units(0).map(i64::cast_unsigned),
        _ => None,
    }
}

/// Requests by outcome.
pub(super) fn of_requests(sli: &Sli, requests: &Requests) -> Option<Delta> {
    match sli {
        // What failed is slow, however long it took.
        Sli::Latency { failures_are_slow: true, .. } => {
            let failures = requests.outcomes.0[Outcome::Failure.index()].cast_signed();
            let all: i64 = requests.outcomes.0.iter().map(|count| count.cast_signed()).sum();
            let spans = requests.spans.cast_signed();
            // As in `Sli::delta`: of weighted spans, a share of those that were seen.
            let raw = if all == spans || all == 0 { failures } else { failures * spans / all };
            Some(Delta { bad: failures, total: failures, raw_bad: raw, raw_total: raw })
        }
        _ => sli.delta(&requests.outcomes, requests.spans),
    }
}

/// Fast and slow requests, where they were told apart by the SLI's threshold.
pub(super) fn of_classes(sli: &Sli, classes: &Classes) -> Option<Delta> {
    let is_own = threshold_of(sli) == Some(classes.threshold_ns);
    let Classes { fast, slow, raw_fast, raw_slow, .. } = *classes;
    is_own.then_some(Delta { bad: slow, total: fast + slow, raw_bad: raw_slow, raw_total: raw_fast + raw_slow })
}

/// What a reading counted.
pub(super) fn of_tally(sli: &Sli, reading: &Reading, tally: &Tally) -> Option<Delta> {
    let Tally { all, some } = *tally;
    let plain = |bad: i64, total: i64| Some(Delta { bad, total, raw_bad: bad, raw_total: total });
    match (sli, reading) {
        // Of D, those that are linked are good: more of them than there are requests is no more than all.
        (Sli::Coverage(part), Reading::Coverage(known)) if part == known => plain(all - some, all),
        (Sli::Leaks(rules), Reading::Leaks(known)) if rules == known => plain(some, all),
        (_, Reading::Metric(tap)) => of_tap(sli, tap, tally),
        _ => None,
    }
}

fn of_tap(sli: &Sli, tap: &Tap, tally: &Tally) -> Option<Delta> {
    let Tally { all, some } = *tally;
    let (bad, total) = match (sli, &tap.reads) {
        (Sli::Counter { part_is_bad, .. }, Reads::Increase) => {
            let asked = Tap::of(sli);
            let (is_part, is_total) = (asked.first() == Some(tap), asked.last() == Some(tap));
            let of_part = if *part_is_bad { all } else { -all };
            let of_total = if *part_is_bad { 0 } else { all };
            let bad = if is_part { of_part } else { 0 } + if is_total { of_total } else { 0 };
            (bad, if is_total { all } else { 0 })
        }
        // Those that satisfy, and those at or below the threshold, are good.
        (Sli::Gauge { .. }, Reads::Points { .. })
        | (Sli::Histogram { .. } | Sli::Quantile { metric: Some(_), .. }, Reads::Buckets { .. }) => (all - some, all),
        // `some` is the sum of the values in units of 10^-8, `all` the points.
        (Sli::Ratio { is_failure, .. }, Reads::Level { .. }) => {
            let total = all * 100_000_000;
            (if *is_failure { some } else { total - some }, total)
        }
        _ => return None,
    };
    Some(Delta { bad, total, raw_bad: bad, raw_total: total })
}
