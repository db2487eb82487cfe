//! Counts that coverage is made of, by tenant x module and by module, over one window.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::coverage::{Counts, Denominator, Extent, Parents, Source};
use bailiwick_slo::ratio::Ratio;
use bailiwick_slo::time::{Slot, Window};

use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{Gap, ModuleId, Part};
use crate::frontend::inventory::{DeclaredModule, Inventory};
use crate::frontend::view::coverage::independent;
use crate::frontend::view::coverage::sums::{Readings, Sums};
use crate::frontend::view::list::Named;

/// What the figures of one item are made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Covered {
    /// Tenant; empty: all tenants of the module.
    pub(crate) tenant: Arc<str>,
    /// Module.
    pub(crate) module: Arc<str>,
    /// Its tenant x modules.
    pub(crate) modules: Vec<ModuleId>,
    /// Whether it takes what nothing else is left for.
    pub(crate) overflow: bool,
    /// The counts.
    pub(crate) counts: Counts,
    /// Gaps by kind, in the order of [`Gap::ALL`].
    pub(crate) gaps: [u64; Gap::ALL.len()],
    /// Where spans of its services were lost.
    pub(crate) losses: Losses,
    /// First slot of its window, and the first after it.
    pub(crate) span: (Slot, Slot),
}

/// What counted requests without going through tracing, over the same slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Independent {
    /// D, where something counted it.
    pub(crate) denominator: Option<Denominator>,
    /// Requests that SDKs say their sampler dropped.
    pub(crate) declared_drops: u64,
    /// C5 by operations that grow in metrics, where none are declared.
    pub(crate) operations: Option<Ratio>,
    /// C6.
    pub(crate) attribution: Option<Ratio>,
    /// C7.
    pub(crate) delivery: Option<Ratio>,
    /// Where spans of its services were lost, as SDKs tell.
    pub(crate) losses: Losses,
}

/// Spans that were lost on the way, by where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Losses {
    /// The processor's queue was full.
    pub(crate) queue_full: u64,
    /// The exporter failed.
    pub(crate) exporter_error: u64,
    /// Exported without error and not among the accepted: refused, repeated, or not judged yet.
    pub(crate) not_accepted: u64,
}

impl Named for Covered {
    fn names(&self) -> [&str; 4] {
        [&self.tenant, &self.module, "", ""]
    }
}

/// The counts of every tenant x module.
pub(crate) fn by_tenant(snapshot: &Snapshot, inventory: &Inventory, window: Window) -> Vec<Covered> {
    let terms = Terms { inventory, evaluated_ppm: snapshot.settled().evaluated_ppm, extent: Extent::TenantModule };
    let mut readings = Readings::new(snapshot, inventory, window);
    let rows = (0..).zip(snapshot.modules()).map(|(id, module)| {
        let span = readings.span_of(&[id]);
        let at = readings.at(span);
        let independent = independent::of_tenant(snapshot, at, (id, &module.tenant));
        let sums = &at.sums[id as usize];
        Covered {
            tenant: Arc::clone(&module.tenant),
            module: Arc::clone(&module.module),
            modules: vec![id],
            overflow: module.overflow,
            counts: terms.counts(&module.module, sums, Some(independent)),
            gaps: Gap::ALL.map(|gap| sums.parts.gap(gap)),
            losses: independent.losses,
            span,
        }
    });
    rows.collect()
}

/// The counts of every module over all its tenants, those included that are declared and never were seen.
pub(crate) fn by_module(snapshot: &Snapshot, inventory: &Inventory, window: Window) -> Vec<Covered> {
    let terms = Terms { inventory, evaluated_ppm: snapshot.settled().evaluated_ppm, extent: Extent::Module };
    let mut readings = Readings::new(snapshot, inventory, window);
    let mut modules: BTreeMap<Arc<str>, Vec<ModuleId>> = BTreeMap::new();
    for name in inventory.modules.keys() {
        modules.insert(Arc::from(name.as_str()), Vec::new());
    }
    for (id, module) in (0..).zip(snapshot.modules()) {
        modules.entry(Arc::clone(&module.module)).or_default().push(id);
    }
    let nobody: Arc<str> = Arc::from("");
    let rows = modules.into_iter().map(|(module, modules)| {
        let span = readings.span_of(&modules);
        let at = readings.at(span);
        let mut sums = Sums::default();
        modules.iter().for_each(|id| sums.add(&at.sums[*id as usize]));
        let independent = independent::of_module(snapshot, at, (&module, &modules));
        if independent.denominator.is_some_and(|denominator| denominator.source == Source::SpanStarted) {
            sums = independent::entering(snapshot, at, &module);
        }
        Covered {
            tenant: Arc::clone(&nobody),
            counts: terms.counts(&module, &sums, Some(independent)),
            gaps: Gap::ALL.map(|gap| sums.parts.gap(gap)),
            losses: independent.losses,
            overflow: false,
            module,
            modules,
            span,
        }
    });
    rows.collect()
}

/// What all items have in common.
struct Terms<'a> {
    inventory: &'a Inventory,
    evaluated_ppm: u32,
    extent: Extent,
}

impl Terms<'_> {
    /// The counts of a module. Without `independent` nothing says how many requests there were: the headline is
    /// unmeasured.
    fn counts(&self, module: &str, sums: &Sums, independent: Option<Independent>) -> Counts {
        let part = |part: Part| sums.parts.get(part);
        let parents = |named, present| Parents { named: part(named), present: part(present), excused: 0 };
        let of_one = sums.spans.saturating_mul(1 << 16);
        let declared = self.inventory.modules.get(module);
        let independent = independent.unwrap_or_default();
        let has_requests = independent.denominator.is_some_and(|denominator| denominator.requests > 0);
        Counts {
            extent: self.extent,
            denominator: independent.denominator,
            entries: sums.entries,
            entry_spans: sums.spans,
            sampled_entries: part(Part::Sampled),
            declared_drops: independent.declared_drops,
            weight_sum: of_one.saturating_add(part(Part::ExtraWeight)),
            weight_squares: of_one.saturating_add(part(Part::ExtraWeightSquares)),
            settled_entries: part(Part::SettledEntries),
            linked_entries: part(Part::LinkedEntries),
            parents: [
                parents(Part::NamedLocal, Part::PresentLocal),
                parents(Part::NamedRemote, Part::PresentRemote),
                parents(Part::NamedUnknown, Part::PresentUnknown),
            ],
            traces: Ratio::of(part(Part::ConnectedTraces), part(Part::Traces)),
            modules: declared.and_then(|declared| presence(declared, sums.spans > 0, has_requests)),
            edges: Some(Ratio::of(part(Part::MetEdges), part(Part::Edges))),
            operations: declared
                .filter(|declared| !declared.operations.is_empty())
                .map(|declared| Ratio::of(sums.operations.len() as u64, declared.operations.len() as u64))
                .or(independent.operations),
            attribution: independent.attribution,
            delivery: independent.delivery,
            time: Ratio::of(part(Part::CoveredTime), part(Part::EntryTime)),
            position: self.inventory.position(module),
            evaluated_ppm: self.evaluated_ppm,
        }
    }
}

/// C4 of one declared module: whether it shows, if it should.
fn presence(declared: &DeclaredModule, is_seen: bool, has_requests: bool) -> Option<Ratio> {
    let should_show = declared.required && (declared.expected || has_requests);
    should_show.then(|| Ratio::of(u64::from(is_seen), 1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bailiwick_slo::coverage::{Id, Position, State, figures};

    use super::*;
    use crate::aggregator::snapshot::Parts;

    fn parts(given: &[(Part, u64)]) -> Parts {
        let mut parts = Parts::default();
        given.iter().for_each(|(part, count)| parts.0[*part as usize] = *count);
        parts
    }

    fn inventory() -> Inventory {
        let operations = vec!["GET /a".to_owned(), "GET /b".to_owned()];
        let rag = DeclaredModule { expected: false, required: true, operations };
        Inventory { modules: BTreeMap::from([("rag".to_owned(), rag)]), ..Inventory::default() }
    }

    fn counts(sums: &Sums, independent: Option<Independent>) -> Counts {
        let inventory = inventory();
        let terms = Terms { inventory: &inventory, evaluated_ppm: 1_000_000, extent: Extent::TenantModule };
        terms.counts("rag", sums, independent)
    }

    /// `sli.md` 2.1: D 1000, sum w(E) 980, linked 931, all settled: C1 0.98, C2 0.95, TC 0.931. No D: TC unmeasured.
    #[test]
    fn the_vectors_of_the_specification_come_out_of_parts() {
        let parts = parts(&[(Part::SettledEntries, 980), (Part::LinkedEntries, 931)]);
        let sums = Sums { entries: 980, spans: 980, parts, ..Sums::default() };
        let without = figures(&counts(&sums, None));
        assert_eq!((without.headline.state, without.headline.ratio), (State::Unmeasured, None));
        assert_eq!(without.get(Id::C2).ratio(), Some(Ratio::of(931, 980)));
        assert_eq!(without.get(Id::C4).state, State::Unmeasured, "it is not expected, and nothing counts its requests");
        let denominator = Some(Denominator { requests: 1_000, source: Source::DurationHistogram });
        let with = figures(&counts(&sums, Some(Independent { denominator, ..Independent::default() })));
        assert_eq!(with.headline.ratio, Some(Ratio::of(931, 1_000)));
        assert_eq!(with.get(Id::C1).ratio(), Some(Ratio::of(980, 1_000)));
        assert_eq!(with.get(Id::C4).ratio(), Some(Ratio::of(1, 1)));
        assert_eq!(with.get(Id::C6).state, State::Unmeasured);
    }

    #[test]
    fn weights_are_one_a_span_and_what_is_above() {
        // 100 spans of weight 1 and 10 of weight 10: sum 200, squares 1 100.
        let parts = parts(&[(Part::Sampled, 10), (Part::ExtraWeight, 90 << 16), (Part::ExtraWeightSquares, 990 << 16)]);
        let counts = counts(&Sums { entries: 200, spans: 110, parts, ..Sums::default() }, None);
        assert_eq!((counts.weight_sum, counts.weight_squares), (200 << 16, 1_100 << 16));
        assert_eq!(figures(&counts).sampling, "weighted");
    }

    #[test]
    fn declared_operations_that_show_are_counted_once() {
        let operations = BTreeSet::from([Arc::from("GET /a")]);
        let counts = counts(&Sums { operations, ..Sums::default() }, None);
        assert_eq!(counts.operations, Some(Ratio::of(1, 2)));
    }

    #[test]
    fn a_tail_sampled_module_is_biased() {
        let positions = BTreeMap::from([("rag".to_owned(), Position::PostTail)]);
        let inventory = Inventory { positions, ..inventory() };
        let terms = Terms { inventory: &inventory, evaluated_ppm: 1_000_000, extent: Extent::Module };
        assert_eq!(figures(&terms.counts("rag", &Sums::default(), None)).sampling, "biased");
    }

    #[test]
    fn an_absent_module_counts_where_it_must_be_seen() {
        let declared = |expected, required| DeclaredModule { expected, required, operations: Vec::new() };
        assert_eq!(presence(&declared(true, true), false, false), Some(Ratio::of(0, 1)));
        assert_eq!(presence(&declared(false, true), false, true), Some(Ratio::of(0, 1)));
        assert_eq!(presence(&declared(false, true), false, false), None);
        assert_eq!(presence(&declared(true, false), true, true), None);
    }
}
