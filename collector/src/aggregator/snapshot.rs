//! What readers get: the immutable figures of one moment. Cloning an `Arc<Snapshot>` is all that reading costs the
//! aggregator.

mod coverage;
mod findings;
mod graph;
mod promised;
mod samples;
mod tapped;
mod traced;

use std::sync::Arc;

use bailiwick_slo::conventions::EntryType;
use bailiwick_slo::course::control::Control;
use bailiwick_slo::outcome::{Outcome, OutcomeCounts};
use bailiwick_slo::saved;
use bailiwick_slo::saved::Saved;
use bailiwick_slo::taps::Taps;
use bailiwick_slo::time::{Slot, Window};
use bailiwick_slo::wire::{Read, Reader, Writer};
use hdrhistogram::Histogram;

use super::counts::intervals::Closed;
use super::durations::Shown;
use super::memory::chunked::Chunked;
use crate::observation::Signal;
use crate::observation::report::Reason;
use crate::tenancy::Source;

pub use super::streams::{
    DropReason, MetricCounts, ServiceCounts, StreamCounters, StreamsShown, TapCounters, TapCounts, TappedId, TappedName,
};
pub use coverage::{Correction, Gap, GapTraces, PARTS, Part, Parts, Settled, Verdict};
pub use findings::{Certainty, Finding, FindingCount, PatternFigures, Rule, Severity};
pub use graph::{EDGE_FIELDS, EdgeCounts, EdgeId, EdgeKind, EdgeName, EdgeTotals, EdgeWindow};
pub(super) use promised::Promised;
pub use promised::{ClassCounts, Revisions};
pub use samples::{DurationTotals, Exemplar, SeriesDurations, SeriesExemplars};
pub(super) use traced::Traced;

/// Number of a series: its place in [`Snapshot::series`]. Never reused within a run.
pub type SeriesId = u32;

/// Number of a tenant x module: its place in [`Snapshot::modules`].
pub type ModuleId = u32;

/// Who a series is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesName {
    /// Tenant.
    pub tenant: Arc<str>,
    /// Module.
    pub module: Arc<str>,
    /// Operation.
    pub operation: Arc<str>,
    /// Entry type.
    pub entry: EntryType,
    /// Its tenant x module.
    pub module_id: ModuleId,
    /// Whether it takes what no series is left for (operation `_other`, module `_other` or tenant `_overflow`).
    pub overflow: bool,
    /// When its first request ended, nanoseconds since the Unix epoch.
    pub first_seen_ns: u64,
    /// When its totals began at 0: with that request, or, after a day without one, with the first one of its return.
    /// Nanoseconds since the Unix epoch.
    pub created_ns: u64,
}
saved!(struct SeriesName { tenant, module, operation, entry, module_id, overflow, first_seen_ns, created_ns });

/// What a series counted since the daemon began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeriesTotals {
    /// Requests by outcome, adjusted for sampling.
    pub outcomes: OutcomeCounts,
    /// Entry spans, not adjusted.
    pub spans: u64,
    /// When its latest request ended, nanoseconds since the Unix epoch.
    pub last_seen_ns: u64,
}
saved!(struct SeriesTotals { outcomes, spans, last_seen_ns });

/// What a tenant x module counted since the daemon began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleTotals {
    /// Tenant.
    pub tenant: Arc<str>,
    /// Module.
    pub module: Arc<str>,
    /// Whether it takes what nothing is left for.
    pub overflow: bool,
    /// Successful requests with a valid duration by the first of `latency::LE_BOUNDS_NS` that holds it, `+Inf` last.
    /// Not cumulative.
    pub le: [u64; 15],
    /// Sum of those durations in nanoseconds.
    pub duration_sum_ns: u128,
    /// Requests by tenant source, in the order of [`SOURCES`].
    pub sources: [u64; SOURCES.len()],
    /// When its latest request ended, nanoseconds since the Unix epoch.
    pub last_seen_ns: u64,
}
saved!(struct ModuleTotals { tenant, module, overflow, le, duration_sum_ns, sources, last_seen_ns });

/// The order of [`ModuleTotals::sources`]; the last one is the default tenant.
pub const SOURCES: [Option<Source>; 7] = [
    Some(Source::Auth),
    Some(Source::Span),
    Some(Source::Resource),
    Some(Source::Header),
    Some(Source::Inherited),
    Some(Source::Baggage),
    None,
];

/// Counts of one series over one slot or window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlotCounts {
    /// Requests by outcome, adjusted for sampling.
    pub outcomes: OutcomeCounts,
    /// Entry spans, not adjusted.
    pub spans: u64,
}

/// Which requests of a series a cell holds (`sli.md` 4.1). Excluded requests are in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum CellKind {
    /// Successes.
    Success = 0,
    /// Failures, client errors and cancelled requests.
    Other = 1,
}

impl CellKind {
    /// The cell that requests of this outcome go to.
    #[must_use]
    pub const fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Success => Some(Self::Success),
            Outcome::Failure | Outcome::ClientError | Outcome::Cancelled => Some(Self::Other),
            Outcome::Excluded => None,
        }
    }
}

/// Durations of requests over a stretch of time.
#[derive(Debug)]
pub struct Latency {
    /// In microseconds, two significant digits, 1 us to 1 h. Cells that had to give up a digit for want of memory
    /// stand at the tops of their wider buckets.
    pub histogram: Histogram<u64>,
    /// Start of the stretch that it really holds, nanoseconds since the Unix epoch: not before the window, before the
    /// books began (with the first record, or with the earliest request that was accepted late), or before what had to
    /// be shed. Of several series, the longest stretch that one of them holds.
    pub from_ns: u64,
    /// Its end: the running five minutes are held up to here.
    pub to_ns: u64,
    /// Whether any of the series keeps cells. If not, no data could say anything.
    pub is_kept: bool,
}

/// Why items were refused, as the books keep it: stored batches may name reasons that this build does not know, and
/// their items count all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// A reason that this build knows.
    Known(Reason),
    /// A reason of a newer build.
    Unknown,
}

impl Saved for Cause {
    fn save(&self, to: &mut Writer) {
        let number = match self {
            Self::Known(reason) => *reason as u16,
            Self::Unknown => u16::MAX,
        };
        number.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        u16::load(from).map(Self::from_u16)
    }
}

impl Cause {
    /// The published name, the value of the label `reason`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known(reason) => reason.name(),
            Self::Unknown => "unknown",
        }
    }

    /// The cause with this stored discriminant.
    #[must_use]
    pub fn from_u16(value: u16) -> Self {
        Reason::from_u16(value).map_or(Self::Unknown, Self::Known)
    }
}

impl From<Reason> for Cause {
    fn from(reason: Reason) -> Self {
        Self::Known(reason)
    }
}

/// The books of one tenant and signal: `received = accepted + duplicates + Σ rejected`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    /// The tenant that the items claim, or `_unknown`; `_overflow` for what no account of its own was left for.
    pub tenant: Arc<str>,
    /// Traces or metrics.
    pub signal: Signal,
    /// Items of requests that were answered with success.
    pub received: u64,
    /// Items that count.
    pub accepted: u64,
    /// Items that were counted before.
    pub duplicates: u64,
    /// Refused items by reason, those above 0.
    pub rejected: Vec<(Cause, u64)>,
}
saved!(struct Books { tenant, signal, received, accepted, duplicates, rejected });

/// Use and maximum of one bounded thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The published name, value of the label `limit`: the config key without its section (`series.max`).
    pub name: &'static str,
    /// In use now; of a bound that each tenant or module has, by the fullest of them.
    pub used: u64,
    /// The most that may be.
    pub max: u64,
    /// What the bound refused or sent to overflow, since the daemon began.
    pub refused: u64,
}

/// Most first requests that are told.
pub const FIRSTS_MAX: usize = 20;

/// The first request of a service and tenant that opened a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First {
    /// `service.name`, as it was sent; empty: none.
    pub service: Arc<str>,
    /// Its tenant.
    pub tenant: Arc<str>,
    /// Its module.
    pub module: Arc<str>,
}
saved!(struct First { service, tenant, module });

/// The figures of one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Records applied.
    pub seq: u64,
    /// The fold's clock, nanoseconds since the Unix epoch.
    pub now_ns: u64,
    /// End of the last closed slot: windows end here. 0 before the first tick.
    pub data_through_ns: u64,
    pub(super) directory: Chunked<SeriesName>,
    pub(super) totals: Chunked<SeriesTotals>,
    pub(super) modules: Chunked<ModuleTotals>,
    pub(super) closed: Arc<Closed>,
    pub(super) durations: Arc<Shown>,
    pub(super) books: Arc<Vec<Books>>,
    pub(super) anomalies: Arc<Vec<(Arc<str>, u64)>>,
    pub(super) limited: Vec<(Arc<str>, &'static str, u64)>,
    pub(super) resting: Vec<(Arc<str>, u64)>,
    pub(super) demand: Vec<(Arc<str>, u64)>,
    pub(super) limits: Vec<Limit>,
    /// Of five minutes, of an hour.
    pub(super) cells_shed: [u64; 2],
    pub(super) firsts: Arc<Vec<First>>,
    pub(super) promised: Promised,
    /// What operators ordered since the snapshot before, each with its number.
    pub controls: Vec<(u64, Arc<Control>)>,
    pub(super) taps: Arc<Taps>,
    pub(super) traced: Traced,
}

impl Snapshot {
    /// The first requests of services and tenants since the daemon began, at most [`FIRSTS_MAX`].
    #[must_use]
    pub fn firsts(&self) -> &[First] {
        &self.firsts
    }

    /// Every series, by [`SeriesId`].
    pub fn series(&self) -> impl ExactSizeIterator<Item = &SeriesName> {
        self.directory.iter()
    }

    /// Every tenant x module, by [`ModuleId`].
    pub fn modules(&self) -> impl ExactSizeIterator<Item = &ModuleTotals> {
        self.modules.iter()
    }

    /// What a series counted since the daemon began; nothing for a series that does not exist.
    #[must_use]
    pub fn totals(&self, series: SeriesId) -> SeriesTotals {
        self.totals.get(series as usize).copied().unwrap_or_default()
    }

    /// Counts of every series, by [`SeriesId`], over the window that ends at `data_through_ns`. A day begins with a
    /// whole hour: up to an hour more than 24.
    #[must_use]
    pub fn window(&self, window: Window) -> Vec<SlotCounts> {
        let mut counts = self.closed.window(window).to_vec();
        counts.resize(self.directory.len(), SlotCounts::default());
        counts
    }

    /// Counts of one series by closed slot, oldest first, slots without a request left out. `from..to` reaches back
    /// 65 minutes at most.
    #[must_use]
    pub fn slots(&self, series: SeriesId, from: Slot, to: Slot) -> Vec<(Slot, SlotCounts)> {
        self.closed.slots_of(series, from, to)
    }

    /// What was added to closed slots when their counts were published last, slot by slot and series by series: all of
    /// a slot that closed then, and late requests of earlier ones. Withdrawals are two's complement.
    pub fn joined(&self) -> impl Iterator<Item = (Slot, SeriesId, SlotCounts)> + '_ {
        self.closed.joined()
    }

    /// How often closed slots have changed: snapshots with the same number have the same [`Snapshot::joined`].
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.closed.revision()
    }

    /// Durations of successful requests of these series together over at least the window (5m or longer), the open
    /// cell included.
    #[must_use]
    pub fn latency(&self, series: &[SeriesId], window: Window) -> Latency {
        self.latency_of(CellKind::Success, series, window)
    }

    /// Like [`Self::latency`], of one of the two cells that a series has. Both together are all requests with a valid
    /// duration but the excluded ones.
    #[must_use]
    pub fn latency_of(&self, kind: CellKind, series: &[SeriesId], window: Window) -> Latency {
        self.durations.latency(kind, series, (window, self.data_through_ns))
    }

    /// Latency cells that left memory, or a digit, before their time, by tier (`5m`, `1h`).
    #[must_use]
    pub fn cells_shed(&self) -> [(&'static str, u64); 2] {
        let [five_minutes, hours] = self.cells_shed;
        [("5m", five_minutes), ("1h", hours)]
    }

    /// The books by tenant and signal.
    #[must_use]
    pub fn books(&self) -> &[Books] {
        &self.books
    }

    /// Spans that ended before they began, by tenant.
    #[must_use]
    pub fn clock_anomalies(&self) -> Vec<(Arc<str>, u64)> {
        self.anomalies.to_vec()
    }

    /// Requests sent to overflow, by tenant and reason (`tenants`, `modules`, `operations`, `per_tenant`, `series`, and
    /// `reserved` for what is called `_other`). Their sum is that of the overflow series.
    #[must_use]
    pub fn limited(&self) -> Vec<(Arc<str>, &'static str, u64)> {
        self.limited.clone()
    }

    /// Series that gave their place to others, by tenant: outranked, or a day without a request. Their counts stay.
    #[must_use]
    pub fn resting(&self) -> &[(Arc<str>, u64)] {
        &self.resting
    }

    /// Different names (module, operation, type) that tenants asked for in the last 15 to 30 minutes, whether they have
    /// a series or not: an estimate with a standard error of 3.25 %. Tenants that ever asked for one.
    #[must_use]
    pub fn demand(&self) -> &[(Arc<str>, u64)] {
        &self.demand
    }

    /// Use and maximum of what the aggregator bounds.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }
}
