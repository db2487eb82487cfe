//! What metrics say about requests and spans, beside what the spans themselves show (`sli.md` 2.1: D, C5, C6, C7).

use std::collections::BTreeSet;
use std::sync::Arc;

use bailiwick_slo::conventions::TENANT_UNKNOWN;
use bailiwick_slo::coverage::{Denominator, Source};
use bailiwick_slo::ratio::Ratio;

use super::reading::Independent;
use super::sums::{Reading, Sums};
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{ModuleId, Part};

/// Of a tenant x module. Requests that metrics count without a tenant are nobody's: they are the module's.
pub(super) fn of_tenant(snapshot: &Snapshot, at: &Reading, (id, tenant): (ModuleId, &str)) -> Independent {
    let counts = at.metrics.get(&id).copied().unwrap_or_default();
    // SDKs count spans by service: they know no tenant.
    let denominator = snapshot.streams().denominator(id, &counts);
    let denominator = denominator.filter(|of| tenant != TENANT_UNKNOWN && of.source != Source::SpanStarted);
    let services: BTreeSet<_> = snapshot.services_of(id).collect();
    Independent {
        denominator,
        declared_drops: 0,
        operations: operations(snapshot, at, &[id]),
        attribution: attribution(at, &services),
        delivery: delivery(at, &services),
    }
}

/// Of a module over all its tenants.
pub(super) fn of_module(snapshot: &Snapshot, at: &Reading, (module, ids): (&Arc<str>, &[ModuleId])) -> Independent {
    let streams = snapshot.streams();
    let denominators =
        ids.iter().filter_map(|id| streams.denominator(*id, &at.metrics.get(id).copied().unwrap_or_default()));
    let denominators: Vec<Denominator> = denominators.collect();
    // Of the best source that any tenant has: two sources would count the same requests twice.
    let best = denominators.iter().map(|of| of.source).min_by_key(|source| *source as usize);
    let denominator = best.map(|source| {
        let of_best = denominators.iter().filter(|of| of.source == source);
        Denominator { requests: of_best.map(|of| of.requests).sum(), source }
    });
    let mut services: BTreeSet<_> = ids.iter().flat_map(|id| snapshot.services_of(*id)).collect();
    if at.services.contains_key(module) {
        services.insert(Arc::clone(module));
    }
    let drops = ids.iter().filter_map(|id| at.metrics.get(id)).map(|counts| counts.declared_drops);
    Independent {
        denominator,
        declared_drops: drops.sum(),
        operations: operations(snapshot, at, ids),
        attribution: attribution(at, &services),
        delivery: delivery(at, &services),
    }
}

/// The entries by which requests come into a service, whatever modules of it they are for: what its SDK counts as
/// started with a parent that is remote, or none.
pub(super) fn entering(snapshot: &Snapshot, at: &Reading, service: &Arc<str>) -> Sums {
    let mut sums = Sums::default();
    for (id, of_module) in (0..).zip(&at.sums) {
        if snapshot.services_of(id).any(|known| known == *service) {
            sums.add(of_module);
        }
    }
    let (settled, linked) = (Part::SettledEntries as usize, Part::LinkedEntries as usize);
    let all = sums.parts.0[settled];
    // Calls between modules are in both; the share that leads to a root is taken to be the same.
    let share = |count: u64| u128::from(count) * u128::from(sums.entering) / u128::from(all.max(1));
    sums.parts.0[linked] = u64::try_from(share(sums.parts.0[linked])).unwrap_or(u64::MAX);
    sums.parts.0[settled] = if all == 0 { 0 } else { sums.entering };
    (sums.entries, sums.spans) = (sums.entering, sums.entering_spans);
    sums
}

/// C5 without declared operations: those that grow in metrics and have spans, by those that grow.
fn operations(snapshot: &Snapshot, at: &Reading, ids: &[ModuleId]) -> Option<Ratio> {
    let streams = snapshot.streams();
    let grown: BTreeSet<_> = ids.iter().flat_map(|id| streams.operations(*id, at.from.start_ns())).collect();
    let seen = grown.iter().filter(|operation| ids.iter().any(|id| at.sums[*id as usize].seen.contains(**operation)));
    let seen = seen.count() as u64;
    (!grown.is_empty()).then(|| Ratio::of(seen, grown.len() as u64))
}

/// C6 of these services.
fn attribution(at: &Reading, services: &BTreeSet<Arc<str>>) -> Option<Ratio> {
    let sums = services.iter().filter_map(|service| at.attribution.get(service));
    let [accepted, attributed] = sums.fold([0; 2], |sum, counts| [sum[0] + counts[0], sum[1] + counts[1]]);
    (accepted > 0).then(|| Ratio::of(attributed, accepted))
}

/// C7 of these services.
fn delivery(at: &Reading, services: &BTreeSet<Arc<str>>) -> Option<Ratio> {
    let exported: u64 = services.iter().filter_map(|service| at.services.get(service)).map(|of| of.exported).sum();
    let accepted: u64 = services.iter().filter_map(|service| at.attribution.get(service)).map(|counts| counts[0]).sum();
    (exported > 0).then(|| Ratio::of(accepted, exported))
}
