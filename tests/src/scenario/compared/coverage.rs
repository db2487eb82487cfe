//! Figures of coverage (`sli.md` 2.1), as `numerator/denominator`.

use bailiwick_collector::aggregator::Snapshot;
use bailiwick_collector::aggregator::snapshot::{ModuleId, Part, Parts};

use super::figures::{Facts, line_of, reach};
use crate::scenario::written::expectation::Expect;

/// What is counted of a tenant x module.
pub(in crate::scenario) struct Counted {
    tenant: String,
    pub(in crate::scenario) module: String,
    pub(in crate::scenario) parts: Parts,
    /// Requests in slots, excluded ones among them, and their spans.
    entries: u64,
    spans: u64,
    /// D; none: unmeasured.
    requests: Option<u64>,
}

/// Every tenant x module.
pub(in crate::scenario) fn modules(snapshot: &Snapshot) -> Vec<Counted> {
    let (from, to) = reach();
    let parts = snapshot.parts(from, to);
    let metrics = snapshot.streams().modules(from, to);
    let mut all: Vec<Counted> = Vec::new();
    for (id, module) in (0..).zip(snapshot.modules()) {
        let counts = metrics.get(&id).copied().unwrap_or_default();
        all.push(Counted {
            tenant: module.tenant.to_string(),
            module: module.module.to_string(),
            parts: parts.get(&id).copied().unwrap_or_default(),
            entries: 0,
            spans: 0,
            requests: snapshot.streams().denominator(id as ModuleId, &counts).map(|d| d.requests),
        });
    }
    for (id, name) in (0..).zip(snapshot.series()) {
        let module = &mut all[name.module_id as usize];
        for (_, counts) in snapshot.slots(id, from, to) {
            module.entries += counts.outcomes.0.iter().sum::<u64>();
            module.spans += counts.spans;
        }
    }
    all
}

/// The figures that an expectation names.
pub(super) fn facts(expect: &Expect, snapshot: &Snapshot) -> Facts {
    let mut facts = Facts::default();
    let all = modules(snapshot);
    for stated in &expect.coverage {
        let line = line_of(Some(stated));
        let stated = &stated.value;
        let is_meant = |name: &String, stated: &Option<String>| stated.as_ref().is_none_or(|stated| stated == name);
        let meant = |one: &&Counted| is_meant(&one.tenant, &stated.tenant) && is_meant(&one.module, &stated.module);
        let meant: Vec<&Counted> = all.iter().filter(meant).collect();
        let whose = [&stated.tenant, &stated.module].map(|name| name.as_deref().unwrap_or("all")).join(" | ");
        for (name, value) in &stated.figures {
            let what = format!("coverage of {whose}: {name}");
            let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            facts.expected.insert(what.clone(), (line, value));
            facts.found.insert(what, figure(name, &meant).unwrap_or_else(|| "no such figure".to_owned()));
        }
    }
    facts
}

/// A figure of these modules together.
fn figure(name: &str, modules: &[&Counted]) -> Option<String> {
    let named = [Part::NamedLocal, Part::NamedRemote, Part::NamedUnknown];
    let present = [Part::PresentLocal, Part::PresentRemote, Part::PresentUnknown];
    let sum = |all: &[Part]| all.iter().flat_map(|part| modules.iter().map(|one| one.parts.get(*part))).sum::<u64>();
    let ratio = |numerator: &[Part], denominator: &[Part]| format!("{}/{}", sum(numerator), sum(denominator));
    Some(match name {
        "C1" => measured(modules, |one| one.entries),
        "C1r" => measured(modules, |one| one.spans),
        "TC" => measured(modules, |one| one.parts.get(Part::LinkedEntries).min(one.requests.unwrap_or(0))),
        "C2" => ratio(&[Part::LinkedEntries], &[Part::SettledEntries]),
        "C3" => ratio(&present, &named),
        "C3_local" => ratio(&present[..1], &named[..1]),
        "C3_remote" => ratio(&present[1..2], &named[1..2]),
        "C3_unknown" => ratio(&present[2..], &named[2..]),
        "C3t" => ratio(&[Part::ConnectedTraces], &[Part::Traces]),
        "C4e" => ratio(&[Part::MetEdges], &[Part::Edges]),
        "C8" => ratio(&[Part::CoveredTime], &[Part::EntryTime]),
        "multi_root" => sum(&[Part::MultiRootTraces]).to_string(),
        _ => return None,
    })
}

/// A count against D, where there is one.
fn measured(modules: &[&Counted], count: impl Fn(&Counted) -> u64) -> String {
    let requests: Vec<u64> = modules.iter().filter_map(|one| one.requests).collect();
    if requests.is_empty() {
        return "unmeasured".to_owned();
    }
    format!("{}/{}", modules.iter().map(|one| count(one)).sum::<u64>(), requests.iter().sum::<u64>())
}
