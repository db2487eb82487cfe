//! What snapshots counted over the windows of coverage. A window ends before what may still change: with the last trace
//! that has surely been judged, and with what metrics have told of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_slo::conventions::EntryType;
use bailiwick_slo::coverage::Source;
use bailiwick_slo::time::{Slot, Window};

use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{MetricCounts, ModuleId, PARTS, Parts, ServiceCounts};
use crate::frontend::inventory::Inventory;

/// Sums of one item.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// Entries, excluded ones among them, adjusted for sampling.
    pub(super) entries: u64,
    /// Entry spans.
    pub(super) spans: u64,
    /// Entries by which requests come into their process: all but calls between its modules.
    pub(super) entering: u64,
    pub(super) entering_spans: u64,
    pub(super) parts: Parts,
    /// Declared operations that had a span.
    pub(super) operations: BTreeSet<Arc<str>>,
    /// Operations that had a span, of modules whose operations metrics tell.
    pub(super) seen: BTreeSet<Arc<str>>,
}

impl Sums {
    pub(super) fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.spans += other.spans;
        self.entering += other.entering;
        self.entering_spans += other.entering_spans;
        for place in 0..PARTS {
            self.parts.0[place] += other.parts.0[place];
        }
        self.operations.extend(other.operations.iter().cloned());
        self.seen.extend(other.seen.iter().cloned());
    }
}

/// All counts of one window.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) from: Slot,
    /// By tenant x module.
    pub(super) sums: Vec<Sums>,
    pub(super) metrics: BTreeMap<ModuleId, MetricCounts>,
    /// What SDKs say of themselves.
    pub(super) services: BTreeMap<Arc<str>, ServiceCounts>,
    /// Spans by service, and those with tenant and module.
    pub(super) attribution: BTreeMap<Arc<str>, [u64; 2]>,
}

/// Windows of one length by their ends, read as they are asked for.
pub(super) struct Readings<'a> {
    snapshot: &'a Snapshot,
    inventory: &'a Inventory,
    window: Window,
    read: BTreeMap<(Slot, Slot), Reading>,
}

impl<'a> Readings<'a> {
    pub(super) const fn new(snapshot: &'a Snapshot, inventory: &'a Inventory, window: Window) -> Self {
        Self { snapshot, inventory, window, read: BTreeMap::new() }
    }

    /// The window of these tenant x modules: it ends at `min(oldest last point of D's live streams, now - settle time)`,
    /// and does not begin before D counts, since what came before cannot be compared.
    pub(super) fn span_of(&self, modules: &[ModuleId]) -> (Slot, Slot) {
        let to = self.end_of(modules);
        let streams = self.snapshot.streams();
        let counted = modules
            .iter()
            .filter_map(|module| Source::ALL.into_iter().find_map(|source| streams.counted_since(*module, source)));
        let since = counted.min().map_or(Slot(0), Slot::holding);
        (Slot(to.0.saturating_sub(self.window.slots())).max(since.min(to)), to)
    }

    fn end_of(&self, modules: &[ModuleId]) -> Slot {
        let judged = Slot::holding(self.snapshot.data_through_ns.saturating_sub(self.inventory.settle_ns));
        let streams = self.snapshot.streams();
        let told = modules
            .iter()
            .filter_map(|module| Source::ALL.into_iter().find_map(|source| streams.oldest_last_point(*module, source)));
        told.min().map_or(judged, |oldest_ns| judged.min(Slot::holding(oldest_ns)))
    }

    /// The counts of such a window.
    pub(super) fn at(&mut self, span: (Slot, Slot)) -> &Reading {
        let Self { snapshot, inventory, read, .. } = self;
        read.entry(span).or_insert_with(|| Reading::of(snapshot, inventory, span))
    }
}

impl Reading {
    fn of(snapshot: &Snapshot, inventory: &Inventory, (from, to): (Slot, Slot)) -> Self {
        let streams = snapshot.streams();
        let mut sums: Vec<Sums> = snapshot.modules().map(|_| Sums::default()).collect();
        for (name, counts) in snapshot.series().zip(snapshot.counts(from, to)) {
            let sum = &mut sums[name.module_id as usize];
            sum.entries += counts.outcomes.total();
            sum.spans += counts.spans;
            if name.entry != EntryType::ModuleCall {
                sum.entering += counts.outcomes.total();
                sum.entering_spans += counts.spans;
            }
            if counts.spans == 0 {
                continue;
            }
            let declared = inventory.modules.get(&*name.module);
            if declared.is_some_and(|declared| declared.operations.iter().any(|known| **known == *name.operation)) {
                sum.operations.insert(Arc::clone(&name.operation));
            }
            if streams.operations(name.module_id, from.start_ns()).next().is_some() {
                sum.seen.insert(Arc::clone(&name.operation));
            }
        }
        for (module, parts) in snapshot.parts(from, to) {
            sums[module as usize].parts = parts;
        }
        Self {
            from,
            sums,
            metrics: streams.modules(from, to),
            services: streams.services(from, to).into_iter().collect(),
            attribution: snapshot.attribution(from, to).into_iter().collect(),
        }
    }
}
