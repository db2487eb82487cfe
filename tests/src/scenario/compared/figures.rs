//! Expectation and snapshot as facts that can be compared one by one: what is said of what.

use std::collections::BTreeMap;

use bailiwick_collector::aggregator::Snapshot;
use bailiwick_collector::aggregator::snapshot::{Gap, Part, SOURCES, Verdict};
use bailiwick_collector::observation::Signal;
use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::time::{SLOT_NS, Slot, Window};
use serde_saphyr::Spanned;

use super::coverage;
use crate::scenario::played::encode::BEGIN_NS;
use crate::scenario::played::play::Seen;
use crate::scenario::written::expectation::{Counts, Edge, Expect};
use crate::scenario::written::moment::Moment;

/// Facts of one kind, all of them: what is said by what it is said of. Nothing is said of what is 0.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Facts {
    /// With the line that says so.
    pub(in crate::scenario) expected: BTreeMap<String, (u64, String)>,
    pub(in crate::scenario) found: BTreeMap<String, String>,
    /// Where to look for what is not expected; 0: nowhere in particular.
    pub(in crate::scenario) line: u64,
}

impl Facts {
    fn of(line: u64) -> Self {
        Self { line, ..Self::default() }
    }

    fn expect(&mut self, what: String, count: u64, line: u64) {
        if count > 0 {
            self.expected.insert(what, (line, count.to_string()));
        }
    }

    fn find(&mut self, what: String, count: u64) {
        let before = self.found.get(&what).and_then(|count| count.parse::<u64>().ok()).unwrap_or_default();
        if before + count > 0 {
            self.found.insert(what, (before + count).to_string());
        }
    }

    fn expect_counts(&mut self, what: &str, counts: &Counts) {
        let line = self.line;
        counts.iter().for_each(|(name, count)| self.expect(format!("{what} {name}"), *count, line));
    }

    fn expect_by_module(&mut self, what: &str, modules: &BTreeMap<String, Counts>) {
        for (module, counts) in modules {
            self.expect_counts(&format!("{what} of {module}"), counts);
        }
    }
}

pub(in crate::scenario) fn line_of<T>(spanned: Option<&Spanned<T>>) -> u64 {
    spanned.map_or(0, |spanned| spanned.referenced.line())
}

/// All that an expectation speaks of.
pub(in crate::scenario) fn facts(expect: &Expect, seen: &Seen) -> Vec<Facts> {
    let snapshot = &*seen.snapshot;
    let mut facts = vec![
        series(expect, snapshot),
        slots(expect, snapshot),
        part("nested spans of", expect.nested.as_ref(), (snapshot, Part::Nested)),
        part("uncertain spans of", expect.uncertain.as_ref(), (snapshot, Part::Uncertain)),
        part("unjudged spans of", expect.unjudged.as_ref(), (snapshot, Part::Unjudged)),
        gaps(expect, snapshot),
        corrections(expect, snapshot),
        clocks(expect, snapshot),
        coverage::facts(expect, snapshot),
    ];
    facts.extend(expect.gaps_counted.as_ref().map(|stated| gaps_counted(stated, snapshot)));
    facts.extend(expect.settled.as_ref().map(|stated| settled(stated, snapshot)));
    facts.extend(expect.edges.as_ref().map(|stated| edges(stated, snapshot)));
    facts.extend(expect.books.as_ref().map(|_| books(expect, snapshot)));
    facts.extend(expect.sources.as_ref().map(|stated| sources(stated, snapshot)));
    let checked = snapshot.hops_checked().iter().map(|(module, count)| (module.to_string(), *count));
    facts.extend(expect.hops_checked.as_ref().map(|stated| counts("hops checked of", stated, checked)));
    let unverifiable = snapshot.hops_unverifiable().iter().map(|(reason, count)| ((*reason).to_owned(), *count));
    facts.extend(expect.hops_unverifiable.as_ref().map(|stated| counts("hops unverifiable:", stated, unverifiable)));
    let weights = snapshot.weights().iter().map(|(source, count)| ((*source).to_owned(), *count));
    facts.extend(expect.weights.as_ref().map(|stated| counts("weights by", stated, weights)));
    let warnings = seen.warnings.iter().map(|(kind, count)| ((*kind).to_owned(), *count));
    facts.extend(expect.warnings.as_ref().map(|stated| counts("warnings", stated, warnings)));
    facts
}

fn counts(what: &str, stated: &Spanned<Counts>, found: impl Iterator<Item = (String, u64)>) -> Facts {
    let mut facts = Facts::of(line_of(Some(stated)));
    facts.expect_counts(what, &stated.value);
    found.for_each(|(name, count)| facts.find(format!("{what} {name}"), count));
    facts
}

/// The slots that a scenario can reach: half an hour before its begin, and whatever comes.
pub(in crate::scenario) const fn reach() -> (Slot, Slot) {
    (Slot((BEGIN_NS / SLOT_NS) as u32 - Slot::PER_HOUR / 2), Slot(u32::MAX))
}

fn series(expect: &Expect, snapshot: &Snapshot) -> Facts {
    let mut facts = Facts::default();
    for stated in &expect.series {
        let line = line_of(Some(stated));
        let stated = &stated.value;
        let whose = format!("{} | {} | {} | {}", stated.tenant, stated.module, stated.operation, stated.r#type);
        for (outcome, count) in stated.outcomes() {
            facts.expect(format!("{whose}: {outcome}"), count, line);
        }
        let requests = stated.outcomes().iter().map(|(_, count)| count).sum();
        facts.expect(format!("{whose}: spans"), stated.spans.unwrap_or(requests), line);
    }
    for (id, name) in (0..).zip(snapshot.series()) {
        let whose = format!("{} | {} | {} | {}", name.tenant, name.module, name.operation, name.entry.name());
        for (_, counts) in snapshot.slots(id, reach().0, reach().1) {
            for outcome in Outcome::ALL {
                facts.find(format!("{whose}: {}", outcome.name()), counts.outcomes.0[outcome.index()]);
            }
            facts.find(format!("{whose}: spans"), counts.spans);
        }
    }
    facts
}

/// Of series that say so, requests by slot, and messages.
fn slots(expect: &Expect, snapshot: &Snapshot) -> Facts {
    let mut facts = Facts::default();
    for stated in &expect.series {
        let line = line_of(Some(stated));
        let stated = &stated.value;
        let whose = format!("{} | {} | {} | {}", stated.tenant, stated.module, stated.operation, stated.r#type);
        let slots = stated.slots.iter().flatten();
        slots.for_each(|(slot, count)| facts.expect(format!("{whose}: slot {slot}"), *count, line));
        facts.expect(format!("{whose}: messages"), stated.messages.unwrap_or_default(), line);
        for (id, name) in (0..).zip(snapshot.series()) {
            let found = format!("{} | {} | {} | {}", name.tenant, name.module, name.operation, name.entry.name());
            if found != whose {
                continue;
            }
            if stated.messages.is_some() {
                facts.find(format!("{whose}: messages"), snapshot.message_totals().get(&id).copied().unwrap_or(0));
            }
            if stated.slots.is_none() {
                continue;
            }
            for (slot, counts) in snapshot.slots(id, reach().0, reach().1) {
                let begin = Moment(slot.start_ns() as i64 - BEGIN_NS as i64);
                facts.find(format!("{whose}: slot {begin}"), counts.outcomes.0.iter().sum());
            }
        }
    }
    facts
}

fn part(what: &str, stated: Option<&Spanned<Counts>>, (snapshot, part): (&Snapshot, Part)) -> Facts {
    let mut facts = Facts::of(line_of(stated));
    stated.iter().for_each(|stated| facts.expect_counts(what, &stated.value));
    for counted in coverage::modules(snapshot) {
        facts.find(format!("{what} {}", counted.module), counted.parts.get(part));
    }
    facts
}

fn gaps(expect: &Expect, snapshot: &Snapshot) -> Facts {
    let mut facts = Facts::of(line_of(expect.gaps.as_ref()));
    expect.gaps.iter().for_each(|stated| facts.expect_by_module("gaps", &stated.value));
    for coverage::Counted { module, parts, .. } in coverage::modules(snapshot) {
        Gap::ALL.iter().for_each(|gap| facts.find(format!("gaps of {module} {}", gap.name()), parts.gap(*gap)));
    }
    facts
}

fn gaps_counted(stated: &Spanned<BTreeMap<String, Counts>>, snapshot: &Snapshot) -> Facts {
    let mut facts = Facts::of(line_of(Some(stated)));
    facts.expect_by_module("gaps counted", &stated.value);
    for (gap, module, count) in snapshot.gaps() {
        facts.find(format!("gaps counted of {module} {}", gap.name()), *count);
    }
    facts
}

/// A module whose reasons the scenario leaves open (`any`) is compared by the sum.
fn corrections(expect: &Expect, snapshot: &Snapshot) -> Facts {
    let mut facts = Facts::of(line_of(expect.corrections.as_ref()));
    let stated = expect.corrections.as_ref().map(|stated| &stated.value);
    stated.iter().for_each(|stated| facts.expect_by_module("corrections", stated));
    for correction in snapshot.corrections() {
        let module = snapshot.modules().nth(correction.module as usize);
        let module = module.map_or("", |totals| &*totals.module);
        let reasons = stated.and_then(|stated| stated.get(module));
        let is_open = reasons.is_some_and(|reasons| reasons.contains_key("any"));
        let reason = if is_open { "any" } else { correction.reason };
        facts.find(format!("corrections of {module} {reason}"), correction.count);
    }
    facts
}

fn clocks(expect: &Expect, snapshot: &Snapshot) -> Facts {
    let mut facts = Facts::of(line_of(expect.clock_anomalies.as_ref()));
    expect.clock_anomalies.iter().for_each(|stated| facts.expect_counts("clock anomalies of", &stated.value));
    for (tenant, count) in snapshot.clock_anomalies() {
        facts.find(format!("clock anomalies of {tenant}"), count);
    }
    facts
}

fn settled(stated: &Spanned<Counts>, snapshot: &Snapshot) -> Facts {
    let settled = snapshot.settled();
    let [connected, broken] = [Verdict::Connected, Verdict::Broken].map(|verdict| settled.first[verdict as usize]);
    let [to_connected, to_broken] = settled.revised;
    let found = [
        ("connected", connected),
        ("broken", broken),
        ("to_connected", to_connected),
        ("to_broken", to_broken),
        ("live", settled.live),
    ];
    counts("traces settled:", stated, found.into_iter().map(|(name, count)| (name.to_owned(), count)))
}

fn edges(stated: &[Spanned<Edge>], snapshot: &Snapshot) -> Facts {
    let mut facts = Facts::default();
    let window = snapshot.edge_window(Window::Hour, |_| true);
    for edge in stated {
        let line = line_of(Some(edge));
        let edge = &edge.value;
        let whose = edge_name(&edge.tenant, &edge.from, (&edge.to, &edge.kind));
        let counts = [("requests", edge.requests), ("failures", edge.failures), ("unmatched", edge.unmatched)];
        counts.into_iter().for_each(|(name, count)| facts.expect(format!("{whose}: {name}"), count, line));
        let times = [("lasts", edge.lasts), ("waits", edge.waits)];
        for (name, time) in times.into_iter().filter_map(|(name, time)| Some((name, time?))) {
            facts.expected.insert(format!("{whose}: {name}"), (line, time.to_string()));
        }
    }
    for (id, name) in (0..).zip(snapshot.edges()) {
        let whose = edge_name(&name.tenant, &name.from, (&name.to, name.kind.name()));
        let counts = snapshot.edge_totals(id);
        facts.find(format!("{whose}: requests"), counts.counts.requests);
        facts.find(format!("{whose}: failures"), counts.counts.failures);
        facts.find(format!("{whose}: unmatched"), counts.counts.unmatched);
        let Some(row) = window.iter().find(|row| row.edge == id) else { continue };
        for (name, histogram) in [("lasts", &row.durations), ("waits", &row.queue_delays)] {
            let what = format!("{whose}: {name}");
            let Some((_, stated)) = facts.expected.get(&what) else { continue };
            let found = near(stated, if histogram.is_empty() { 0 } else { histogram.max() });
            facts.found.insert(what, found);
        }
    }
    facts
}

fn edge_name(tenant: &str, from: &str, (to, kind): (&str, &str)) -> String {
    format!("edge {tenant} | {from} -> {to} ({kind})")
}

/// The stated time if what was found is within one percent of it (a bucket is 0.8 % wide), else what was found.
fn near(stated: &str, found_us: u64) -> String {
    let found = found_us as f64 / 1e6;
    let wanted = stated.trim_end_matches('s').parse::<f64>().unwrap_or(f64::NAN);
    if (found - wanted).abs() <= wanted / 100.0 { stated.to_owned() } else { format!("{found}s") }
}

fn books(expect: &Expect, snapshot: &Snapshot) -> Facts {
    let mut facts = Facts::of(line_of(expect.books.as_ref()));
    let line = facts.line;
    for (tenant, book) in expect.books.iter().flat_map(|stated| &stated.value) {
        let fields = [("received", book.received), ("accepted", book.accepted), ("duplicates", book.duplicates)];
        fields.into_iter().for_each(|(name, count)| facts.expect(format!("books of {tenant}: {name}"), count, line));
        for (reason, count) in &book.rejected {
            facts.expect(format!("books of {tenant}: rejected {reason}"), *count, line);
        }
    }
    for book in snapshot.books().iter().filter(|book| book.signal == Signal::Traces) {
        let whose = format!("books of {}", book.tenant);
        facts.find(format!("{whose}: received"), book.received);
        facts.find(format!("{whose}: accepted"), book.accepted);
        facts.find(format!("{whose}: duplicates"), book.duplicates);
        book.rejected
            .iter()
            .for_each(|(cause, count)| facts.find(format!("{whose}: rejected {}", cause.name()), *count));
    }
    facts
}

fn sources(stated: &Spanned<BTreeMap<String, Counts>>, snapshot: &Snapshot) -> Facts {
    let mut facts = Facts::of(line_of(Some(stated)));
    facts.expect_by_module("requests", &stated.value);
    for module in snapshot.modules() {
        for (source, count) in SOURCES.iter().zip(module.sources) {
            let source = source.map_or("default", |source| source.name());
            facts.find(format!("requests of {} {source}", module.module), count);
        }
    }
    facts
}
