//! Who calls whom, per tenant: edges between modules and to peers, with counts by time and durations.
//!
//! A module of a tenant has [`PEERS_MAX`] edges of its own; further peers share the peer `_other`.

use std::hash::BuildHasher;
use std::sync::Arc;

use bailiwick_slo::conventions::OTHER;
use bailiwick_slo::kept;
use bailiwick_slo::latency;
use bailiwick_slo::weight::{Carry, Weight};
use bailiwick_slo::wire::{Read, Reader};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};

use super::counts::tiers::Tiers;
use super::durations::{Durations, Heat, Measured, Moment};
use super::memory::chunked::Chunked;
use super::snapshot::{CellKind, EDGE_FIELDS, EdgeId, EdgeKind, EdgeName, EdgeTotals, Limit, Traced};
use super::tenants::{TenantId, Tenants};

/// Edges of a tenant x module (`sli.md` 1.3: top 50, `_other`).
const PEERS_MAX: u32 = 50;
/// Edges in all.
const EDGES_MAX: u32 = 20_000;
/// What cells of edges may take.
pub const CELL_BYTES_MAX: usize = 32 << 20;

/// One call, ready to be counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Called<'a> {
    pub(super) tenant: TenantId,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) kind: EdgeKind,
    pub(super) weight: Weight,
    pub(super) is_failure: bool,
    pub(super) is_unmatched: bool,
    pub(super) end_ns: u64,
    pub(super) duration_ns: Option<u64>,
    pub(super) queue_delay_ns: Option<u64>,
    /// How long the calling side waited, where it has a span of its own.
    pub(super) calling_ns: Option<u64>,
    /// Whether the called side shows: then `duration_ns` is its.
    pub(super) is_answered: bool,
}

/// The graph.
#[derive(Debug)]
pub(super) struct Graph {
    by_name: HashTable<EdgeId>,
    hasher: RandomState,
    tenants: Vec<TenantId>,
    names: Chunked<EdgeName>,
    /// Edges of a tenant and calling module.
    held: HashMap<(TenantId, Arc<str>), u32, RandomState>,
    carries: Vec<Carry>,
    totals: Chunked<EdgeTotals>,
    counts: Tiers<EDGE_FIELDS>,
    durations: Durations,
    /// Calls that went to `_other`.
    refused: u64,
}
kept!(Graph { tenants, names, held, carries, totals, counts, refused; durations } then list);

impl Graph {
    /// Puts the edges into their table.
    fn list(&mut self, from: &Reader<'_>) -> Read<()> {
        if self.tenants.len() != self.names.len() {
            return from.wrong("edges and their tenants differ in number");
        }
        let (tenants, names, hasher) = (&self.tenants, &self.names, &self.hasher);
        let hash = |edge: &EdgeId| {
            let name = names.get(*edge as usize).expect("it is one of those");
            hasher.hash_one((tenants[*edge as usize], &*name.from, &*name.to, name.kind as u8))
        };
        self.by_name = HashTable::with_capacity(names.len());
        for edge in 0..names.len() as EdgeId {
            self.by_name.insert_unique(hash(&edge), edge, hash);
        }
        Ok(())
    }
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            by_name: HashTable::new(),
            hasher: RandomState::default(),
            tenants: Vec::new(),
            names: Chunked::default(),
            held: HashMap::default(),
            carries: Vec::new(),
            totals: Chunked::default(),
            counts: Tiers::default(),
            durations: Durations::new(CELL_BYTES_MAX),
            refused: 0,
        }
    }
}

impl Graph {
    /// Counts one call.
    pub(super) fn count(&mut self, tenants: &Tenants, called: &Called<'_>) {
        let edge = self.edge(tenants, called);
        let place = edge as usize;
        let requests = self.carries[place].draw(called.weight);
        let one = |is: bool| if is { u64::from(requests) } else { 0 };
        let counts = [requests.into(), one(called.is_failure), one(called.is_unmatched)];
        let totals = self.totals.get_mut(place);
        totals.counts.requests += counts[0];
        totals.counts.failures += counts[1];
        totals.counts.unmatched += counts[2];
        totals.last_seen_ns = totals.last_seen_ns.max(called.end_ns);
        let called_ns = called.duration_ns.filter(|_| called.is_answered);
        for (durations, duration_ns) in [(&mut totals.called, called_ns), (&mut totals.calling, called.calling_ns)] {
            if let Some(duration_ns) = duration_ns {
                durations.add(duration_ns, requests);
            }
        }
        self.counts.add(called.end_ns, edge, &counts);
        let timed = [(CellKind::Success, called.duration_ns), (CellKind::Other, called.queue_delay_ns)];
        for (kind, duration_ns) in timed {
            if let Some(duration_ns) = duration_ns {
                let index = latency::index_of(latency::micros(duration_ns));
                self.durations.record(&Measured { series: edge, kind, index, requests, end_ns: called.end_ns });
            }
        }
    }

    fn edge(&mut self, tenants: &Tenants, called: &Called<'_>) -> EdgeId {
        if let Some(edge) = self.find(called) {
            return edge;
        }
        let held = self.held.get(&(called.tenant, Arc::from(called.from))).copied().unwrap_or(0);
        if called.to != OTHER && (held >= PEERS_MAX || self.tenants.len() as u32 >= EDGES_MAX) {
            self.refused += 1;
            let from = if self.tenants.len() as u32 >= EDGES_MAX { OTHER } else { called.from };
            return self.edge(tenants, &Called { from, to: OTHER, kind: EdgeKind::Peer, ..*called });
        }
        self.add(tenants, called)
    }

    fn find(&self, called: &Called<'_>) -> Option<EdgeId> {
        let hash = self.hasher.hash_one((called.tenant, called.from, called.to, called.kind as u8));
        let is_it = |edge: &EdgeId| {
            let known = self.names.get(*edge as usize);
            self.tenants[*edge as usize] == called.tenant
                && known.is_some_and(|name| {
                    *name.from == *called.from && *name.to == *called.to && name.kind == called.kind
                })
        };
        self.by_name.find(hash, is_it).copied()
    }

    fn add(&mut self, tenants: &Tenants, called: &Called<'_>) -> EdgeId {
        let edge = self.tenants.len() as EdgeId;
        let name = EdgeName {
            tenant: Arc::clone(tenants.name(called.tenant)),
            from: called.from.into(),
            to: called.to.into(),
            kind: called.kind,
        };
        *self.held.entry((called.tenant, Arc::clone(&name.from))).or_default() += 1;
        self.names.push(name);
        self.tenants.push(called.tenant);
        self.carries.push(Carry::default());
        self.totals.push(EdgeTotals::default());
        let hash = self.hasher.hash_one((called.tenant, called.from, called.to, called.kind as u8));
        let (hasher, names, owners) = (&self.hasher, &self.names, &self.tenants);
        self.by_name.insert_unique(hash, edge, |edge| {
            let place = *edge as usize;
            let name = names.get(place).expect("edges that stand in the table have names");
            hasher.hash_one((owners[place], &*name.from, &*name.to, name.kind as u8))
        });
        edge
    }

    /// Closes slots and seals durations.
    pub(super) fn close(&mut self, moment: Moment, close_after_ns: u64) {
        self.counts.close(moment.now_ns, close_after_ns);
        self.durations.close(moment);
        self.durations.limit(moment, |_| Heat { is_spared: false, last_seen_ns: 0 });
    }

    pub(super) fn publish(&mut self, traced: &mut Traced) {
        traced.edges = Arc::clone(self.counts.closed());
        traced.edge_names = self.names.clone();
        traced.edge_totals = self.totals.clone();
        traced.edge_durations = Arc::clone(self.durations.shown());
    }

    pub(super) fn limit(&self) -> Limit {
        let used = self.tenants.len() as u64;
        Limit { name: "graph.edges_max", used, max: EDGES_MAX.into(), refused: self.refused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregator::tenants::Admission;

    const NOW: u64 = 1_700_000_000_000_000_000;

    fn call<'a>(tenant: TenantId, to: &'a str) -> Called<'a> {
        Called {
            tenant,
            from: "chat",
            to,
            kind: EdgeKind::Peer,
            weight: Weight::ONE,
            is_failure: false,
            is_unmatched: false,
            end_ns: NOW,
            duration_ns: Some(5_000_000),
            queue_delay_ns: None,
            calling_ns: Some(5_000_000),
            is_answered: false,
        }
    }

    #[test]
    fn each_side_of_a_call_has_its_own_durations_in_exact_buckets() {
        let (mut tenants, mut graph) = (Tenants::new(4), Graph::default());
        let Admission::New(acme) = tenants.admit("acme") else { panic!("there is a place") };
        // 250 ms lie in le="0.25" (place 6), one nanosecond more in le="0.5"; the caller waited 300 ms.
        let answered = |duration_ns: u64, calling_ns: Option<u64>| Called {
            duration_ns: Some(duration_ns),
            calling_ns,
            is_answered: true,
            ..call(acme, "rag_hub")
        };
        graph.count(&tenants, &answered(250_000_000, Some(300_000_000)));
        graph.count(&tenants, &answered(250_000_001, None));
        graph.count(&tenants, &call(acme, "mail"));
        let mut traced = Traced::default();
        graph.publish(&mut traced);
        let totals: Vec<EdgeTotals> = traced.edge_totals.iter().copied().collect();
        let placed = |places: &[usize]| {
            let mut le = [0; 15];
            places.iter().for_each(|place| le[*place] += 1);
            le
        };
        assert_eq!((totals[0].called.le, totals[0].called.sum_ns), (placed(&[6, 7]), 500_000_001));
        assert_eq!((totals[0].calling.le, totals[0].calling.sum_ns), (placed(&[7]), 300_000_000));
        assert!(totals[1].called.is_empty(), "a peer that shows nothing has no durations of its own");
        assert_eq!(totals[1].calling.le, placed(&[0]));
    }

    #[test]
    fn the_fifty_first_peer_of_a_module_is_other_and_no_call_is_lost() {
        let (mut tenants, mut graph) = (Tenants::new(4), Graph::default());
        let [acme, globex] = ["acme", "globex"].map(|name| match tenants.admit(name) {
            Admission::New(tenant) => tenant,
            other => panic!("{other:?}"),
        });
        let peers: Vec<String> = (0..60).map(|n| format!("peer-{n}")).collect();
        for peer in peers.iter().chain(&peers) {
            graph.count(&tenants, &call(acme, peer));
        }
        graph.count(&tenants, &call(globex, "peer-0"));
        let mut traced = Traced::default();
        graph.publish(&mut traced);
        assert_eq!(traced.edge_names.len(), 52);
        let of = |to: &str, tenant: &str| {
            let edge = traced.edge_names.iter().position(|name| *name.to == *to && *name.tenant == *tenant);
            let totals = traced.edge_totals.get(edge.expect("it is there"));
            totals.expect("edges have totals").counts.requests
        };
        assert_eq!((of("peer-0", "acme"), of("peer-0", "globex"), of(OTHER, "acme")), (2, 1, 20));
        assert_eq!(traced.edge_totals.iter().map(|edge| edge.counts.requests).sum::<u64>(), 121);
        assert_eq!(graph.limit().refused, 20);
    }
}
