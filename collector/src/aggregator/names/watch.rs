//! What is looked at between requests: every ten seconds of the fold's clock, what series gained since the last look.
//! Requests that find a series of their own pay nothing for it.

use std::sync::Arc;

use bailiwick_slo::saved;
use bailiwick_slo::time::{SECOND_NS, Slot};

use super::demand::{self, Demand};
use super::{Key, Names, Place};
use crate::aggregator::memory::chunked::Chunked;
use crate::aggregator::snapshot::{SeriesId, SeriesTotals};
use crate::aggregator::tenants::{TenantId, Tenants};

/// A series without a request for so long gives its place to others, and starts at 0 when it comes back.
const KEPT_NS: u64 = 24 * 3_600 * SECOND_NS;

/// Whose requests a series takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Those of one name.
    Own,
    /// Nobody's any more; its counts stand, and its number is kept for its name.
    Resting,
    /// What no series is left for.
    Overflow,
}
saved!(enum State { 0 => Own, 1 => Resting, 2 => Overflow });

/// A series as the last look found it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    pub(super) key: Key,
    pub(super) state: State,
    /// Configuration names its operation.
    pub(super) is_named: bool,
    /// Its name's number, as [`demand::number_of`] says.
    pub(super) number: u64,
    /// Requests, halved from time to time.
    pub(super) count: u64,
    /// Since when it ranks too low.
    pub(super) behind_since_ns: Option<u64>,
    /// The counter of what would be limited that its requests add to, or [`Place::OWN`].
    pub(super) would_limit: u32,
    /// When its latest request ended.
    last_seen_ns: u64,
    /// Entry spans counted by then.
    spans: u64,
    /// Its totals began again, and the last look does not know it.
    has_restarted: bool,
    /// The generation of [`Demand`] that knows its name.
    generation: u64,
}
saved!(struct Watch {
    key, state, is_named, number, count, behind_since_ns, would_limit, last_seen_ns, spans, has_restarted, generation
});

impl Watch {
    pub(super) const fn new(key: Key, state: State, (number, end_ns): (u64, u64)) -> Self {
        Self {
            key,
            state,
            is_named: false,
            number,
            count: 0,
            behind_since_ns: None,
            would_limit: Place::OWN,
            last_seen_ns: end_ns,
            spans: 0,
            has_restarted: false,
            generation: 0,
        }
    }

    pub(super) fn is_own(&self) -> bool {
        self.state == State::Own
    }

    /// Nobody asked for it for too long.
    fn is_idle(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.last_seen_ns) >= KEPT_NS
    }

    /// Takes requests again, the first of which ended then. Whether its totals begin again.
    pub(super) fn wake(&mut self, now_ns: u64, end_ns: u64) -> bool {
        let restarts = self.is_idle(now_ns);
        (self.state, self.behind_since_ns) = (State::Own, None);
        self.has_restarted |= restarts;
        self.last_seen_ns = self.last_seen_ns.max(end_ns);
        restarts
    }

    /// Requests since the last look.
    fn gained(&mut self, spans: u64) -> u64 {
        if self.has_restarted && spans < self.spans {
            (self.has_restarted, self.spans) = (false, 0);
        }
        let gained = spans.saturating_sub(self.spans);
        self.spans = self.spans.max(spans);
        gained
    }
}

/// When looks were taken.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The fold's clock at the last publication.
    pub(super) now_ns: u64,
    slot: Option<Slot>,
    generation: Option<u64>,
}
saved!(struct Looks { now_ns, slot, generation });

impl Names {
    /// Looks at what series gained, once in a slot: at the totals of the last publication, with its clock (0: none yet).
    pub(in crate::aggregator) fn look(&mut self, now_ns: u64, totals: &Chunked<SeriesTotals>) {
        self.looks.now_ns = now_ns;
        let slot = Slot::holding(now_ns);
        if now_ns == 0 || self.looks.slot.replace(slot) == Some(slot) {
            return;
        }
        self.weigh(demand::generation_at(now_ns), totals);
        self.rank(now_ns);
        let idle = self.watches.iter().zip(0..).filter(|(watch, _)| watch.is_own() && watch.is_idle(now_ns));
        let idle: Vec<SeriesId> = idle.map(|(_, series)| series).collect();
        idle.into_iter().for_each(|series| self.rest(series));
        self.measure();
    }

    /// Notes what each series gained.
    fn weigh(&mut self, generation: u64, totals: &Chunked<SeriesTotals>) {
        let running = *self.looks.generation.get_or_insert(generation);
        for (watch, totals) in self.watches.iter_mut().zip(totals.iter()) {
            let gained = watch.gained(totals.spans);
            if gained == 0 || !watch.is_own() {
                continue;
            }
            watch.last_seen_ns = watch.last_seen_ns.max(totals.last_seen_ns);
            watch.count += gained;
            if let Some((_, _, count)) = self.limited.get_mut(watch.would_limit as usize) {
                *count += gained;
            }
            if watch.generation != running {
                watch.generation = running;
                self.demands[watch.key.tenant as usize].add(watch.number);
            }
        }
        // What is seen now was gained before: it belongs to the generation that ends.
        self.looks.generation = Some(generation);
        self.demands.iter_mut().for_each(|demand| demand.turn(generation - running));
    }

    /// A tenant asked for a name.
    pub(super) fn note_demand(&mut self, tenant: TenantId, number: u64) {
        let place = tenant as usize;
        if self.demands.len() <= place {
            self.demands.resize_with(place + 1, Demand::default);
        }
        self.demands[place].add(number);
    }

    /// Estimates of how many names tenants asked for in the last 15 to 30 minutes, those that ever asked.
    pub(in crate::aggregator) fn demand(&mut self, tenants: &Tenants) -> Vec<(Arc<str>, u64)> {
        let asked = (0..).zip(&mut self.demands).filter(|(_, demand)| demand.was_used());
        let mut rows: Vec<_> =
            asked.map(|(tenant, demand)| (Arc::clone(tenants.name(tenant)), demand.estimate())).collect();
        rows.sort();
        rows
    }
}
