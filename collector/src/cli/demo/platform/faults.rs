//! The faults that a demo seeds, so that there is something to find. Each has a random stream of its own: switching
//! one off leaves the others as they were. Pure: a second of traffic in, the same second with faults out.

use std::fmt;
use std::str::FromStr;

use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::time::SECOND_NS;

use super::generator::Platform;
use super::random::Random;
use super::request::Request;
use super::shape::{CONVENTION_SERVICES, Entry, RESOURCE_SERVICE, TENANTS};

/// A fault that can be switched on by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// `content_ops` fails 8 % for `globex` in 10 of every 40 minutes.
    FailingModule,
    /// Calls to `resource_ops` without a tenant.
    Anonymous,
    /// Spans that come late, from the future, too late, or end before they start.
    OddTimes,
    /// 600 operation names in `trend_ops` of `acme`.
    ManyOperations,
    /// Three services at one rate with old, new and both HTTP conventions.
    HttpConventions,
}

/// A set of faults, written `all`, `none` or as names joined by commas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults(u8);

/// A name that is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to read the faults: `{0}` is none of failing_module, anonymous, odd_times, many_operations, \
     http_conventions (or `all`, `none`)"
)]
pub struct UnknownFault(pub String);

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 5] =
        [Self::FailingModule, Self::Anonymous, Self::OddTimes, Self::ManyOperations, Self::HttpConventions];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FailingModule => "failing_module",
            Self::Anonymous => "anonymous",
            Self::OddTimes => "odd_times",
            Self::ManyOperations => "many_operations",
            Self::HttpConventions => "http_conventions",
        }
    }
}

impl Faults {
    /// Every fault.
    pub const ALL: Self = Self((1 << Fault::ALL.len()) - 1);
    /// No fault.
    pub const NONE: Self = Self(0);

    /// Whether this fault is seeded.
    #[must_use]
    pub const fn has(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u8) != 0
    }
}

impl FromStr for Faults {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        match text {
            "all" => Ok(Self::ALL),
            "none" => Ok(Self::NONE),
            names => names.split(',').map(str::trim).try_fold(Self::NONE, |faults, name| {
                let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
                fault.map(|fault| Self(faults.0 | 1 << fault as u8)).ok_or_else(|| UnknownFault(name.to_owned()))
            }),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Fault::ALL.iter().filter(|fault| self.has(**fault)).map(|fault| fault.name()).collect();
        f.write_str(if names.is_empty() { "none".to_owned() } else { names.join(",") }.as_str())
    }
}

/// Period and length of the failing module's trouble in seconds (`faces.md` 1: 10 of every 40 min).
const TROUBLE_PERIOD_S: u64 = 40 * 60;
const TROUBLE_LENGTH_S: u64 = 10 * 60;
/// Shifts the trouble so that six hours after the start, when a backfill hands over to live traffic, one has been
/// going on for five minutes: (21600 + 300) mod 2400 = 300.
const TROUBLE_PHASE_S: u64 = 5 * 60;

/// Names that the fault `many_operations` makes.
pub(super) const TOPICS: u32 = 600;

/// A late span ends this long ago: inside the default `ingest.late_accept` (10 min), with room for a slow start.
const LATE_NS: u64 = 5 * 60 * SECOND_NS;
/// Beyond it.
const TOO_LATE_NS: u64 = 11 * 60 * SECOND_NS;
/// Inside the default `ingest.future_accept` (60 s).
const FUTURE_NS: u64 = 30 * SECOND_NS;
/// How far a wrong clock starts after its end.
const BACKWARDS_NS: u64 = 5_000_000;

/// Whether `content_ops` fails for `globex` in this second of the platform's life.
pub(super) const fn in_trouble(index: u64) -> bool {
    (index + TROUBLE_PHASE_S) % TROUBLE_PERIOD_S < TROUBLE_LENGTH_S
}

/// Seeds the platform's faults into the requests of second `index`.
pub(super) fn seed(platform: &Platform, index: u64, requests: &mut Vec<Request>) {
    let on = |fault: Fault| platform.faults.has(fault);
    let random = |fault: Fault| Random::of([platform.seed, index, 0x0fa0 + fault as u64]);
    if on(Fault::FailingModule) && in_trouble(index) {
        fail_module(requests, &mut random(Fault::FailingModule));
    }
    if on(Fault::ManyOperations) {
        spread_operations(requests, &mut random(Fault::ManyOperations));
    }
    if on(Fault::OddTimes) {
        shift_times(index, requests, &mut random(Fault::OddTimes));
    }
    if on(Fault::Anonymous) && index.is_multiple_of(5) {
        requests.push(anonymous(platform.second_ns(index), &mut random(Fault::Anonymous)));
    }
    if on(Fault::HttpConventions) {
        requests.extend(same_under_all_conventions(platform.second_ns(index), &mut random(Fault::HttpConventions)));
    }
}

fn fail_module(requests: &mut [Request], random: &mut Random) {
    let hit = |request: &&mut Request| request.module == "content_ops" && request.tenant == Some("globex");
    for request in requests.iter_mut().filter(hit) {
        if random.chance_ppm(80_000) {
            request.outcome = Outcome::Failure;
        }
    }
}

fn spread_operations(requests: &mut [Request], random: &mut Random) {
    for request in requests.iter_mut().filter(|request| request.tenant == Some("acme")) {
        if request.module == "trend_ops" && matches!(request.entry, Entry::Http(..)) {
            request.topic = u16::try_from(random.below(TOPICS)).ok();
        }
    }
}

/// One request in a few seconds has an odd time; each kind has seconds of its own, so that no request has two.
fn shift_times(index: u64, requests: &mut [Request], random: &mut Random) {
    let count = u32::try_from(requests.len()).unwrap_or(u32::MAX);
    let Some(request) = requests.get_mut(random.below(count) as usize) else { return };
    match index % 60 {
        0 => {
            request.started_ns = request.started_ns.saturating_sub(TOO_LATE_NS);
            request.ended_ns = request.ended_ns.saturating_sub(TOO_LATE_NS);
            request.admitted = false;
        }
        5 | 25 | 45 => {
            request.started_ns = request.started_ns.saturating_sub(LATE_NS);
            request.ended_ns = request.ended_ns.saturating_sub(LATE_NS);
        }
        10 | 30 | 50 => {
            request.started_ns += FUTURE_NS;
            request.ended_ns += FUTURE_NS;
        }
        15 | 35 | 55 => request.started_ns = request.ended_ns + BACKWARDS_NS,
        _ => {}
    }
}

fn request(second_ns: u64, duration_us: u32, random: &mut Random) -> Request {
    let ended_ns = second_ns + u64::from(random.below(1_000_000_000));
    Request {
        service: &RESOURCE_SERVICE,
        tenant: None,
        module: "resource_ops",
        entry: Entry::Http("GET", "/resources/usage"),
        topic: None,
        outcome: Outcome::Success,
        calls: &[],
        started_ns: ended_ns - u64::from(duration_us) * 1_000,
        ended_ns,
        trace_id: [0; 2],
        span_id: 0,
        admitted: true,
    }
}

fn anonymous(second_ns: u64, random: &mut Random) -> Request {
    let duration_us = 5_000 + random.below(15_000);
    request(second_ns, duration_us, random)
}

/// One request, made to three services: whoever counts it differently by convention is wrong.
fn same_under_all_conventions(second_ns: u64, random: &mut Random) -> [Request; 3] {
    let duration_us = 10_000 + random.below(40_000);
    let tenant = Platform::tenant(random.below(100));
    debug_assert!(TENANTS.iter().any(|(name, _)| *name == tenant), "a tenant of the platform");
    let outcome = match random.below(100) {
        0..2 => Outcome::Failure,
        2..6 => Outcome::ClientError,
        _ => Outcome::Success,
    };
    let request = request(second_ns, duration_us, random);
    CONVENTION_SERVICES.each_ref().map(|(service, module)| Request {
        service,
        module,
        tenant: Some(tenant),
        entry: Entry::Http("GET", "/items/{item_id}"),
        outcome,
        ..request.clone()
    })
}
