//! The fold's state as bytes: what a checkpoint holds, so that a restart folds only what came after it.
//!
//! Settings are not in it. What they name is looked up anew; what they limit keeps what it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::saved::{Kept, Saved, load_known};
use bailiwick_slo::taps::Taps;
use bailiwick_slo::wire::{Read, Reader, Writer};

use super::terms::tenants_max;
use super::{Aggregator, Terms};
use crate::aggregator::snapshot::ModuleId;
use crate::aggregator::tenants::Tenants;
use crate::aggregator::traces::pool::{NameId, Pool};

/// The layout of these bytes; it changes with any field.
const LAYOUT: u16 = 1;
/// Why requests are taken out of their slots.
const CORRECTIONS: [&str; 3] = ["nested_late", "module_late", "parent_late"];

/// Fields in their order, once for both ways.
macro_rules! in_order {
    ($each:ident) => {
        $each! {
            saved: carries, classes, leaked, messages, extra_weights, parts, attribution, attributing, module_services,
                modules, totals, times, exemplars, anomalies, firsts, weights, settled, gap_counts, gap_traces,
                hops_checked, unverifiable, points_unused, retired_ns, reversed_messages, seq, now_ns, begun_ns;
            kept: index, names, ledger, durations, findings, patterns, intervals, streams, graph
        }
    };
}

impl Aggregator {
    /// Writes the state as of the last record, which must have been a tick: then nothing is on its way between tables,
    /// and no order waits for a snapshot.
    pub fn save(&self, to: &mut Writer) {
        debug_assert!(self.controls.is_empty() && self.overflow.is_empty(), "it is saved after a tick");
        LAYOUT.save(to);
        self.index.names.save(to);
        self.named_by_settings().save(to);
        self.tenants.save(to);
        (**self.taps.load()).save(to);
        let corrections = self.corrections.iter().map(|((module, reason), count)| (*module, *reason, *count));
        to.list(&corrections.collect::<Vec<_>>(), |to, (module, reason, count)| {
            module.save(to);
            to.text(reason);
            count.save(to);
        });
        macro_rules! save {
            (saved: $($field:ident),+; kept: $($part:ident),+) => {
                $(Saved::save(&self.$field, to);)+
                $(Kept::save(&self.$part, to);)+
            };
        }
        in_order!(save);
    }

    /// Books as they were saved, under these settings.
    ///
    /// # Errors
    /// Where the bytes are no state, or one of another layout.
    pub fn restore(terms: Terms, from: &mut Reader<'_>) -> Read<Self> {
        if u16::load(from)? != LAYOUT {
            return from.wrong("another version's layout");
        }
        let (pool, named, mut tenants): (Pool, Vec<NameId>, Tenants) = Saved::load(from)?;
        tenants.limit(tenants_max(&terms.settings.series));
        // Points in the journal carry the numbers that the fold gave to taps.
        terms.taps.store(Arc::new(Taps::load(from)?));
        let corrections = from.list(|from| {
            let (module, reason) = (ModuleId::load(from)?, load_known(&CORRECTIONS, from)?);
            Ok(((module, reason), u64::load(from)?))
        })?;
        let mut fold = Self::with(terms, pool, tenants);
        // Today's settings use their names by now.
        named.into_iter().for_each(|name| fold.index.names.release(name));
        fold.corrections = corrections.into_iter().collect::<BTreeMap<_, _>>();
        macro_rules! load {
            (saved: $($field:ident),+; kept: $($part:ident),+) => {
                $(fold.$field = Saved::load(from)?;)+
                $(Kept::restore(&mut fold.$part, from)?;)+
            };
        }
        in_order!(load);
        if !from.is_done() {
            return from.wrong("the state is longer than it says");
        }
        Ok(fold)
    }

    /// Names that settings use, each as often as they do.
    fn named_by_settings(&self) -> Vec<NameId> {
        let terms = &self.index.terms;
        let edges = self.allowed.edges.iter().flat_map(|(from, to)| [from, to]);
        let all = terms.shared.iter().chain(&terms.tenant_required).chain([&self.unknown_module]);
        all.chain(&self.uncompared).chain(self.peers.keys()).chain(edges).copied().collect()
    }
}
