//! The fold: batches and ticks in, figures out. No clock, no runtime; the same records give the same state.

mod desk;
mod arrive;
mod points;
mod claims;
mod judging;
mod book;
mod settling;
mod comparing;
mod publish;
mod terms;
mod keep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use bailiwick_slo::conventions::TENANT_UNKNOWN;
use bailiwick_slo::course::control::Control;
use bailiwick_slo::document::{self, Context};
use bailiwick_slo::spec::Slo;
use bailiwick_slo::taps::{Tap, Taps};
use bailiwick_slo::time::Slot;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::books::Ledger;
use super::carries::Carries;
use super::classes::Classes;
use super::counts::intervals::Intervals;
use super::counts::messages::Messages;
use super::counts::tiers::Tiers;
use super::counts::times::Times;
use super::counts::totals::{Modules, Totals};
use super::durations::{Durations, Moment};
use super::exemplars::Exemplars;
use super::findings::Findings;
use super::graph::Graph;
use super::leaked::Leaked;
use super::names::{Names, Route};
use super::patterns::Patterns;
use super::settings::Settings;
use super::snapshot::{Cause, Gap, ModuleId, PARTS, Part, Settled, Snapshot};
use super::streams::Streams;
use super::tenants::{TenantId, Tenants};
use super::traces::index::Index;
use super::traces::leaks::Allowed;
use super::traces::pool::NameId;
use crate::observation::Signal;
use crate::observation::batch::View;
use crate::observation::batch::layout::{Section, header};
use arrive::WeightCounts;
use book::{Booking, Called};
use desk::Desk;
use judging::Bench;
use publish::{Anomalies, Firsts};
use settling::Attributing;
pub use terms::{KnownModule, Terms};

/// Latency cells in use up to which every tick seals them, so that durations show as soon as counts do: about 5 ms. More
/// are sealed when a slot closes.
const SEALED_AT_TICK_MAX: usize = 10_000;

/// Silent streams are looked for once a minute.
const RETIRE_EVERY_NS: u64 = 60_000_000_000;

/// Where a tenant claim may come from, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimSource {
    /// The request's credential or header.
    Auth,
    /// Span attribute.
    Span,
    /// Resource attribute.
    Resource,
    /// Captured header.
    Header,
    /// The parent's tenant.
    Inherited,
    /// Baggage.
    Baggage,
}

/// The owner of all series.
#[derive(Debug)]
pub struct Aggregator {
    settings: Settings,
    sources: Vec<ClaimSource>,
    /// Names of spans whose tenants are never compared, sorted.
    uncompared: Vec<NameId>,
    /// Names that modules and their peers are known by, sorted.
    inventory: Vec<NameId>,
    /// Other names of modules as peers.
    peers: BTreeMap<NameId, NameId>,
    allowed: Allowed,
    tenants: Tenants,
    names: Names,
    index: Index,
    bench: Bench,
    bookings: Vec<Booking>,
    /// Names whose requests go to overflow: they would be looked up in vain for every request.
    overflow: HashMap<Called, Route, RandomState>,
    carries: Carries,
    classes: Classes,
    leaked: Leaked,
    /// What SLOs read from metrics, by the numbers that points carry.
    taps: Arc<ArcSwap<Taps>>,
    /// What operators ordered since the last snapshot, each with its number.
    controls: Vec<(u64, Arc<Control>)>,
    intervals: Intervals,
    durations: Durations,
    messages: Messages,
    /// What weights and their squares are above one, by series.
    extra_weights: Tiers<2>,
    parts: Tiers<PARTS>,
    streams: Streams,
    /// Spans by service: those that settled, those of them that have a tenant and a module.
    attribution: Tiers<2>,
    attributing: Attributing,
    /// The name of the module of spans that name none.
    unknown_module: NameId,
    /// Services that tenant x modules were seen in.
    module_services: Arc<BTreeSet<(ModuleId, u32)>>,
    graph: Graph,
    findings: Findings,
    patterns: Patterns,
    ledger: Ledger,
    desk: Desk,
    modules: Modules,
    totals: Totals,
    times: Times,
    exemplars: Exemplars,
    anomalies: Anomalies,
    firsts: Firsts,
    weights: WeightCounts,
    settled: Settled,
    corrections: BTreeMap<(ModuleId, &'static str), u64>,
    gap_counts: BTreeMap<(Gap, Arc<str>), u64>,
    gap_traces: BTreeMap<(ModuleId, Gap), Vec<[u8; 16]>>,
    hops_checked: BTreeMap<Arc<str>, u64>,
    unverifiable: [u64; 3],
    points_unused: BTreeMap<Arc<str>, u64>,
    /// When silent streams were looked for last.
    retired_ns: u64,
    /// Messages that were consumed before they were sent.
    reversed_messages: u64,
    seq: u64,
    now_ns: u64,
    /// The clock of the first record.
    begun_ns: Option<u64>,
}

impl Aggregator {
    /// First requests of services and tenants so far.
    #[must_use]
    pub fn firsts(&self) -> usize {
        self.firsts.count()
    }

    /// The number of the last record.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Applies one batch: its spans are indexed, and judged at the next tick.
    pub fn apply(&mut self, seq: u64, batch: &View<'_>) {
        self.seq = seq;
        self.begun_ns.get_or_insert(batch.observed_at_ns());
        self.desk.open(batch, &mut self.index.names);
        for row in batch.spans() {
            self.arrive(batch, &row);
        }
        if batch.count(Section::Points) > 0 {
            self.take_points(batch);
        }
        self.keep_books(batch, Ledger::accept);
        self.book_evicted();
        self.attribute_gathered();
        // The desk gives names back: theirs may mean others afterwards.
        self.overflow.clear();
        self.desk.close(&mut self.index.names);
    }

    /// Takes a request that came before, byte for byte: its items are duplicates, under the tenants that they claim, and
    /// what was refused is refused again.
    pub fn repeat(&mut self, seq: u64, batch: &View<'_>) {
        self.seq = seq;
        self.begun_ns.get_or_insert(batch.observed_at_ns());
        self.desk.open(batch, &mut self.index.names);
        let spans = batch.spans().map(|row| (row.evidence, row.context));
        for (evidence, context) in spans.chain(batch.points().map(|row| (row.evidence, row.context))) {
            let claim = self.claim(batch, &self.desk.evidence[evidence as usize], context);
            self.desk.accepted[claim.string as usize] += 1;
            self.tenant(batch, claim.string);
        }
        self.keep_books(batch, Ledger::duplicate);
        self.desk.close(&mut self.index.names);
    }

    fn keep_books(&mut self, batch: &View<'_>, book: fn(&mut Ledger, TenantId, Signal, u64)) {
        let signal = if batch.signal() == 1 { Signal::Traces } else { Signal::Metrics };
        let ignored = batch.header_u32(header::IGNORED);
        if ignored > 0 {
            let tenant = self.tenant(batch, batch.header_u32(header::TENANT_AUTH));
            book(&mut self.ledger, tenant, signal, u64::from(ignored));
            *self.points_unused.entry(Arc::clone(self.tenants.name(tenant))).or_default() += u64::from(ignored);
        }
        let accepted = self.desk.tenants.iter().zip(&self.desk.accepted).filter(|(_, count)| **count > 0);
        accepted.for_each(|(tenant, count)| book(&mut self.ledger, *tenant, signal, u64::from(*count)));
        for reject in batch.rejects() {
            let name = if reject.tenant == 0 { TENANT_UNKNOWN } else { batch.string(reject.tenant) };
            let refused = (Cause::from_u16(reject.reason), u64::from(reject.count));
            self.ledger.reject(&self.tenants, name, signal, refused);
        }
    }

    /// Takes an order: the evaluator hears of it with the next snapshot. Of other definitions the fold counts from now on
    /// what they ask for.
    pub fn order(&mut self, seq: u64, control: Arc<Control>) {
        self.seq = seq;
        if let Control::Define(documents) = &*control {
            let files: Vec<(&str, &str)> = documents.iter().map(|(name, text)| (&**name, &**text)).collect();
            let loaded = document::load(&files, &Context::default());
            if loaded.is_valid() {
                self.watch(loaded.slos);
            }
        }
        self.controls.push((seq, control));
    }

    /// Counts what SLOs ask for besides requests.
    fn watch(&mut self, slos: Vec<Slo>) {
        let slos: Vec<Arc<Slo>> = slos.into_iter().map(Arc::new).collect();
        // More than there may be were refused with their definitions: then none of the new ones is read.
        let mut taps = (**self.taps.load()).clone();
        if taps.append(slos.iter().flat_map(|slo| Tap::of(&slo.sli))).is_ok() {
            // Known here first: no point carries a number that the streams do not know.
            self.streams.set_taps(&taps);
            self.taps.store(Arc::new(taps));
        }
        self.classes.watch(&slos, &self.names.directory);
        self.leaked.watch(&slos);
    }

    /// Moves the fold's clock: closes slots, books late requests, and publishes.
    pub fn tick(&mut self, seq: u64, now_ns: u64) -> Arc<Snapshot> {
        self.seq = seq;
        // What was published last is looked at as of then: all that ended long before has left its open rows.
        self.names.look(self.now_ns, self.totals.shown());
        // A clock that was set back must not reopen what is closed.
        self.now_ns = self.now_ns.max(now_ns);
        self.begun_ns.get_or_insert(now_ns);
        let through_before = self.intervals.closed().through_ns();
        self.judge_all(false);
        self.close();
        let has_moved = self.intervals.closed().through_ns() != through_before;
        if has_moved || self.durations.in_use() <= SEALED_AT_TICK_MAX {
            self.durations.close(self.moment());
        }
        // What is saved after a tick has none of these.
        self.overflow.clear();
        self.publish()
    }

    /// The last figures: requests and durations since the last tick are in too, and the clock stays where it is.
    pub fn finish(&mut self) -> Arc<Snapshot> {
        self.judge_all(true);
        self.close();
        self.durations.close(self.moment());
        self.publish()
    }

    /// Judges the traces that were touched, settles those that are due (`everything`: all), forgets the oldest.
    fn judge_all(&mut self, everything: bool) {
        self.overflow.clear();
        self.judge_touched();
        self.settle_due(everything);
        self.attribute_gathered();
        self.index.expire(self.now_ns);
        self.index.trim();
        self.index.relax(self.now_ns);
        if self.retired_ns + RETIRE_EVERY_NS <= self.now_ns {
            self.retired_ns = self.now_ns;
            self.streams.retire(self.now_ns);
        }
    }

    fn close(&mut self) {
        let close_after_ns = self.settings.close_after.nanos();
        self.intervals.close(self.now_ns, close_after_ns, |gain| self.totals.gain(gain));
        self.parts.close(self.now_ns, close_after_ns);
        self.extra_weights.close(self.now_ns, close_after_ns);
        self.messages.close(self.now_ns, close_after_ns);
        self.attribution.close(self.now_ns, close_after_ns);
        self.classes.close(self.now_ns, close_after_ns);
        self.leaked.close(self.now_ns, close_after_ns);
        self.streams.close(self.now_ns, close_after_ns);
        self.graph.close(self.moment(), close_after_ns);
    }

    fn add_part(&mut self, at_ns: u64, module: ModuleId, part: Part, count: u64) {
        let mut parts = [0; PARTS];
        parts[part as usize] = count;
        self.parts.add(at_ns, module, &parts);
    }

    fn take_part(&mut self, at_ns: u64, module: ModuleId, part: Part) {
        self.add_part(at_ns, module, part, 1_u64.wrapping_neg());
    }

    /// The number of a tenant x module by the name that spans have for it.
    fn module_id(&mut self, tenant: TenantId, name: NameId) -> ModuleId {
        let module = self.names.module(&self.tenants, (tenant, self.index.names.text(name)));
        self.open_modules(None);
        module
    }

    /// The module that a peer is.
    fn peer_module(&self, peer: NameId) -> NameId {
        self.peers.get(&peer).copied().unwrap_or(peer)
    }

    fn moment(&self) -> Moment {
        let begun = [self.begun_ns, self.intervals.earliest_ns()].into_iter().flatten().min();
        Moment {
            now_ns: self.now_ns,
            first_open: Slot::holding(self.now_ns.saturating_sub(self.settings.close_after.nanos())),
            begun_ns: begun.unwrap_or(self.now_ns),
        }
    }
}

#[cfg(test)]
mod tests;
