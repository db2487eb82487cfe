//! The synthetic platform: for every second of its life the requests that end in it, and what a daemon's books must
//! then say. Pure: a second depends on seed, rate, faults and its number alone, so any part can be made again.

use std::collections::BTreeMap;
use std::ops::Range;

use bailiwick_slo::outcome::{Outcome, OutcomeCounts};
use bailiwick_slo::time::SECOND_NS;

use super::faults::{self, Faults};
use super::random::{Random, mix};
use super::request::{Request, Series};
use super::shape::{Entry, MODULES, Module, Operation, TENANTS};

/// Seconds of past traffic that a backfill makes: 6 h (`faces.md` 1). Live traffic starts at this second with or
/// without a backfill, so that it is the same.
pub const BACKFILL_SECONDS: u64 = 6 * 3_600;

/// Shortest and longest request in nanoseconds.
const DURATION_NS: (f64, f64) = (200_000.0, 30e9);

/// A platform of tenants and modules with seeded traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// Seed of the traffic.
    pub seed: u64,
    /// Requests per second; the faults `anonymous` and `http_conventions` add 0.2 and 3.
    pub rate: u32,
    /// What goes wrong.
    pub faults: Faults,
    /// Unix time of second 0 of its life.
    pub epoch_s: u64,
}

/// What a daemon's books must hold after a stretch of traffic, if it was all delivered and nothing overflowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Requests by series and outcome.
    pub series: BTreeMap<Series, OutcomeCounts>,
    /// Spans sent, entries or not.
    pub spans: u64,
    /// Of these, spans refused as `too_late`.
    pub refused_spans: u64,
    /// Of these, accepted spans that end before they start.
    pub clock_anomalies: u64,
}

impl Expected {
    fn add(&mut self, request: &Request) {
        let spans = request.spans() as u64;
        self.spans += spans;
        if !request.admitted {
            self.refused_spans += spans;
            return;
        }
        self.clock_anomalies += u64::from(request.backwards());
        self.series.entry(request.series()).or_default().add(request.outcome, 1);
    }

    /// The same summed per tenant and module: equal to the books also where operations overflow.
    #[must_use]
    pub fn modules(&self) -> BTreeMap<(&'static str, &'static str), OutcomeCounts> {
        let mut modules = BTreeMap::<_, OutcomeCounts>::new();
        for (series, counts) in &self.series {
            *modules.entry((series.tenant, series.module)).or_default() += *counts;
        }
        modules
    }

    /// Requests over all series and outcomes.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.series.values().map(OutcomeCounts::total).sum()
    }
}

impl Platform {
    /// The first nanosecond of a second of its life.
    #[must_use]
    pub const fn second_ns(&self, index: u64) -> u64 {
        (self.epoch_s + index) * SECOND_NS
    }

    /// The number of whole seconds that it has lived at this moment.
    #[must_use]
    pub const fn seconds_until(&self, now_ns: u64) -> u64 {
        (now_ns / SECOND_NS).saturating_sub(self.epoch_s)
    }

    /// What the books must hold of the traffic of these seconds. A suite compares a daemon with it.
    #[must_use]
    pub fn expected(&self, seconds: Range<u64>) -> Expected {
        let mut expected = Expected::default();
        for index in seconds {
            self.second(index).iter().for_each(|request| expected.add(request));
        }
        expected
    }

    /// The requests that end in one second of its life (a few are shifted by the fault `odd_times`).
    pub(in crate::cli::demo) fn second(&self, index: u64) -> Vec<Request> {
        let mut random = Random::of([self.seed, index, 0]);
        let mut requests: Vec<_> = (0..self.rate).map(|_| draw(self.second_ns(index), &mut random)).collect();
        faults::seed(self, index, &mut requests);
        // The epoch is part of the ids, so that two runs against one daemon are not repeats of each other.
        let mut ids = Random::of([self.seed ^ mix(self.epoch_s), index, 1]);
        for request in &mut requests {
            // No id is all zero: that would be invalid (OTLP), and the odds of 2^-64 are not worth a caller's doubt.
            request.trace_id = [ids.bits() | 1, ids.bits()];
            request.span_id = ids.bits() | 1;
        }
        requests
    }

    /// The tenant of a caller, numbered from 0 to 99.
    pub(super) fn tenant(percent: u32) -> &'static str {
        TENANTS[pick(percent, TENANTS.iter().map(|(_, share)| *share))].0
    }
}

/// Which of these shares holds `point`; the last for a point beyond them.
fn pick(point: u32, shares: impl ExactSizeIterator<Item = u32>) -> usize {
    let last = shares.len() - 1;
    let ends = shares.scan(0, |end, share| {
        *end += share;
        Some(*end)
    });
    ends.into_iter().position(|end| point < end).unwrap_or(last)
}

fn draw(second_ns: u64, random: &mut Random) -> Request {
    let tenant = Platform::tenant(random.below(100));
    let module: &'static Module = &MODULES[pick(random.below(100), MODULES.iter().map(|module| module.share))];
    let total = module.operations.iter().map(|operation| operation.weight).sum();
    let weights = module.operations.iter().map(|operation| operation.weight);
    let operation: &'static Operation = &module.operations[pick(random.below(total), weights)];
    let outcome = outcome(operation, random.below(1_000_000));
    let duration_ns = duration_ns(operation, random);
    let ended_ns = second_ns + u64::from(random.below(1_000_000_000));
    Request {
        service: module.service,
        tenant: Some(tenant),
        module: module.name,
        entry: operation.entry,
        topic: None,
        outcome,
        calls: operation.calls,
        started_ns: ended_ns.saturating_sub(duration_ns),
        ended_ns,
        trace_id: [0; 2],
        span_id: 0,
        admitted: true,
    }
}

fn outcome(operation: &Operation, point_ppm: u32) -> Outcome {
    if operation.entry == Entry::Http("GET", "/healthz") {
        return Outcome::Excluded;
    }
    let [failure, client_error, cancelled] = operation.ppm;
    let rest = 1_000_000 - failure - client_error - cancelled;
    match pick(point_ppm, [failure, client_error, cancelled, rest].into_iter()) {
        0 => Outcome::Failure,
        // A message has no caller who could be wrong.
        1 if !matches!(operation.entry, Entry::Message(_)) => Outcome::ClientError,
        2 => Outcome::Cancelled,
        _ => Outcome::Success,
    }
}

/// Log-normal about the operation's median.
fn duration_ns(operation: &Operation, random: &mut Random) -> u64 {
    let factor = (operation.spread * random.normal()).exp();
    (f64::from(operation.median_us) * 1_000.0 * factor).clamp(DURATION_NS.0, DURATION_NS.1) as u64
}
