//! What must hold in every scenario, whatever it is about.

use std::collections::BTreeMap;

use bailiwick_collector::aggregator::Snapshot;
use bailiwick_slo::time::Slot;

/// Laws that a snapshot breaks, in words. `is_quiet`: all slots with requests are closed.
pub(in crate::scenario) fn broken(snapshot: &Snapshot, is_quiet: bool) -> Vec<String> {
    let mut broken = Vec::new();
    for book in snapshot.books() {
        let rejected: u64 = book.rejected.iter().map(|(_, count)| count).sum();
        let sum = book.accepted + book.duplicates + rejected;
        if book.received != sum {
            let tenant = &book.tenant;
            broken.push(format!(
                "books of {tenant}: received {} is not accepted + duplicates + rejected {sum}",
                book.received
            ));
        }
    }
    if is_quiet {
        broken.extend(slots_and_counters(snapshot));
    }
    broken
}

/// Slots = exported - corrections, by module (`sli.md` 1.3).
fn slots_and_counters(snapshot: &Snapshot) -> Vec<String> {
    let mut by_module: BTreeMap<&str, (u64, u64, u64)> = BTreeMap::new();
    for (id, name) in (0..).zip(snapshot.series()) {
        let (exported, _, in_slots) = by_module.entry(&name.module).or_default();
        *exported += snapshot.totals(id).outcomes.0.iter().sum::<u64>();
        let slots = snapshot.slots(id, Slot(0), Slot(u32::MAX));
        *in_slots += slots.iter().map(|(_, counts)| counts.outcomes.0.iter().sum::<u64>()).sum::<u64>();
    }
    let modules: Vec<_> = snapshot.modules().collect();
    for correction in snapshot.corrections() {
        by_module.entry(&modules[correction.module as usize].module).or_default().1 += correction.count;
    }
    let untrue = by_module
        .into_iter()
        .filter(|(_, (exported, corrected, in_slots))| exported.checked_sub(*corrected) != Some(*in_slots));
    let told = untrue.map(|(module, (exported, corrected, in_slots))| {
        format!("{module}: slots hold {in_slots} requests, but {exported} were exported and {corrected} corrected")
    });
    told.collect()
}
