//! What is looked at between requests: every ten seconds of the fold's clock, what series gained since the last look.
//! Requests that find a series of their own pay nothing for it.

use std::sync::Arc;

use bailiwick_slo::time::Slot;

use super::demand::{self, Demand};
use super::{Key, Names};
use crate::aggregator::memory::chunked::Chunked;
use crate::aggregator::snapshot::SeriesTotals;
use crate::aggregator::tenants::{TenantId, Tenants};

/// A series as the last look found it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    pub(super) key: Key,
    /// It takes what no series is left for.
    pub(super) overflow: bool,
    /// Its name's number, as [`demand::number_of`] says.
    pub(super) number: u64,
    /// Entry spans counted by then.
    spans: u64,
    /// The generation of [`Demand`] that knows its name.
    generation: u64,
}

impl Watch {
    pub(super) const fn new(key: Key, overflow: bool, number: u64) -> Self {
        Self { key, overflow, number, spans: 0, generation: 0 }
    }
}

/// When looks were taken.
#[derive(Debug, Default)]
pub(super) struct Looks {
    slot: Option<Slot>,
    generation: Option<u64>,
}

impl Names {
    /// Looks at what series gained, once in a slot; `totals` are those of the last publication.
    pub(in crate::aggregator) fn look(&mut self, now_ns: u64, totals: &Chunked<SeriesTotals>) {
        let slot = Slot::holding(now_ns);
        if self.looks.slot.replace(slot) == Some(slot) {
            return;
        }
        let generation = demand::generation_at(now_ns);
        let running = *self.looks.generation.get_or_insert(generation);
        for (watch, totals) in self.watches.iter_mut().zip(totals.iter()) {
            let gained = totals.spans.saturating_sub(watch.spans);
            watch.spans = totals.spans;
            if gained > 0 && !watch.overflow && watch.generation != running {
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
