//! The fold against a list of all requests and nothing clever: counts of every window and slot, totals, and quantiles
//! with the `hdrhistogram` crate as it records natively.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_slo::latency::micros;
use bailiwick_slo::outcome::{Outcome, OutcomeCounts};
use bailiwick_slo::time::{SLOT_NS, Slot, Window};
use hdrhistogram::Histogram;
use proptest::prelude::*;

use super::SECOND;
use super::drive::{Driven, Sent, Step, steps};
use crate::aggregator::Settings;
use crate::aggregator::snapshot::{CellKind, SeriesId, Snapshot};

const PERIOD_NS: u64 = 300 * SECOND;
const HOUR_NS: u64 = 3_600 * SECOND;

/// Every request with its end, as it came.
#[derive(Default)]
struct Model {
    requests: Vec<(Sent, u64)>,
    /// The clock of the first record.
    begun_ns: Option<u64>,
    /// The end of the last closed slot.
    through_ns: u64,
    /// How many of the requests had come when cells were last sealed, and the clock then.
    sealed: (usize, u64),
    /// The slot of the last look.
    slot: Option<Slot>,
    /// Series without a request for a day.
    idle: BTreeSet<Name>,
    /// With which request the totals of a series began again.
    restarted: BTreeMap<Name, usize>,
}

/// The name of a series: tenant, module, operation, type.
type Name = (String, String, String, &'static str);

fn name_of(sent: &Sent) -> Name {
    let [tenant, module, operation] = sent.names();
    (tenant, module, operation, if sent.is_consumer { "consumer" } else { "server" })
}

impl Model {
    fn tick(&mut self, now_ns: u64) {
        // Series are looked at as the last tick showed them, the first time in a slot.
        let (counted, shown_ns) = self.sealed;
        let (counted, new) = self.requests.split_at(counted);
        let slot = Some(Slot::holding(shown_ns));
        if shown_ns > 0 && std::mem::replace(&mut self.slot, slot) != slot {
            let mut last: BTreeMap<Name, u64> = BTreeMap::new();
            for (sent, end_ns) in counted {
                let last = last.entry(name_of(sent)).or_default();
                *last = (*last).max(*end_ns);
            }
            let idle = last.into_iter().filter(|(_, end_ns)| end_ns + 24 * HOUR_NS <= shown_ns);
            self.idle.extend(idle.map(|(name, _)| name));
        }
        for name in new.iter().map(|(sent, _)| name_of(sent)) {
            if self.idle.remove(&name) {
                self.restarted.insert(name, counted.len());
            }
        }
        self.through_ns = (now_ns - 10 * SECOND) / SLOT_NS * SLOT_NS;
        // Fewer cells are in use than a tick seals.
        self.sealed = (self.requests.len(), now_ns);
    }

    /// Start of a window: a day begins with a whole hour.
    fn begins_ns(&self, window: Window) -> u64 {
        let start = self.through_ns - window.seconds() * SECOND;
        if window == Window::Day { start / HOUR_NS * HOUR_NS } else { start }
    }

    /// Outcomes by series of the requests that this keeps.
    fn counts(&self, keeps: impl Fn(u64) -> bool) -> BTreeMap<Name, OutcomeCounts> {
        let mut counts: BTreeMap<Name, OutcomeCounts> = BTreeMap::new();
        for (sent, _) in self.requests.iter().filter(|(_, end_ns)| keeps(*end_ns)) {
            let outcome = Outcome::from_u8(sent.outcome).expect("one of five");
            counts.entry(name_of(sent)).or_default().add(outcome, 1);
        }
        counts
    }

    /// Outcomes by series since their totals began, and the end of the latest of those requests.
    fn totals(&self) -> BTreeMap<Name, (OutcomeCounts, u64)> {
        let mut totals: BTreeMap<Name, (OutcomeCounts, u64)> = BTreeMap::new();
        for (place, (sent, end_ns)) in self.requests.iter().enumerate() {
            let name = name_of(sent);
            if self.restarted.get(&name).is_none_or(|from| place >= *from) {
                let (counts, last_ns) = totals.entry(name).or_default();
                counts.add(Outcome::from_u8(sent.outcome).expect("one of five"), 1);
                *last_ns = (*last_ns).max(*end_ns);
            }
        }
        totals
    }

    /// Durations of a series over a window, recorded natively.
    fn durations(&self, name: &Name, (kind, window): (CellKind, Window)) -> Histogram<u64> {
        let mut native = Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("bounds of sli.md 4.1");
        let (sealed, now_ns) = self.sealed;
        // Cells hold five minutes each: the window begins with a whole one, and ends with the one that is running.
        let first_ns = self.begins_ns(window) / PERIOD_NS * PERIOD_NS;
        for (sent, end_ns) in &self.requests[..sealed] {
            let kind_of = match sent.outcome {
                0 => Some(CellKind::Success),
                4 => None,
                _ => Some(CellKind::Other),
            };
            let is_inside = *end_ns >= first_ns && end_ns / PERIOD_NS * PERIOD_NS < now_ns;
            if kind_of == Some(kind) && !sent.is_anomaly && is_inside && name_of(sent) == *name {
                native.record(micros(sent.duration_ns)).expect("in range");
            }
        }
        native
    }

    /// When the stretch of a window begins: with its first cell, or with the books.
    fn covered_from_ns(&self, window: Window) -> u64 {
        let (sealed, now_ns) = self.sealed;
        let earliest = self.requests[..sealed].iter().map(|(_, end_ns)| end_ns / SLOT_NS * SLOT_NS).min();
        let begun_ns = earliest.into_iter().chain(self.begun_ns).min().unwrap_or(now_ns);
        (self.begins_ns(window) / PERIOD_NS * PERIOD_NS).max(begun_ns).min(now_ns)
    }
}

/// Buckets by their highest value.
fn buckets(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let recorded = histogram.iter_recorded();
    recorded.map(|step| (step.value_iterated_to(), step.count_since_last_iteration())).collect()
}

fn check_counts(snapshot: &Snapshot, model: &Model, names: &[Name]) -> Result<(), TestCaseError> {
    prop_assert_eq!(snapshot.data_through_ns, model.through_ns);
    let all = model.totals();
    prop_assert_eq!(names.len(), all.len());
    for (name, id) in names.iter().zip(0..) {
        let totals = snapshot.totals(id);
        let (outcomes, last_ns) = all[name];
        prop_assert_eq!(totals.outcomes, outcomes, "totals of {:?}", name);
        prop_assert_eq!((totals.spans, totals.last_seen_ns), (outcomes.total(), last_ns));
    }
    for window in Window::ALL {
        let expected = model.counts(|end_ns| (model.begins_ns(window)..model.through_ns).contains(&end_ns));
        for (name, counts) in names.iter().zip(snapshot.window(window)) {
            let expected = expected.get(name).copied().unwrap_or_default();
            prop_assert_eq!((counts.outcomes, counts.spans), (expected, expected.total()), "{:?} {:?}", window, name);
        }
    }
    for (name, id) in names.iter().zip(0..) {
        // 65 minutes of slots.
        let (from, to) = (Slot::holding(model.through_ns - 3_900 * SECOND), Slot::holding(model.through_ns));
        for (slot, counts) in snapshot.slots(id, from, to) {
            let expected = model.counts(|end_ns| Slot::holding(end_ns) == slot);
            prop_assert_eq!(counts.outcomes, expected[name], "{:?} {:?}", slot, name);
        }
    }
    Ok(())
}

fn check_durations(snapshot: &Snapshot, model: &Model, names: &[Name]) -> Result<(), TestCaseError> {
    for window in [Window::FiveMinutes, Window::Hour, Window::Day] {
        let mut all = (Vec::new(), 0);
        for (name, id) in names.iter().zip(0..) {
            for kind in [CellKind::Success, CellKind::Other] {
                let (ours, native) = (snapshot.latency_of(kind, &[id], window), model.durations(name, (kind, window)));
                prop_assert_eq!(ours.histogram.len(), native.len(), "{:?} {:?} {:?}", kind, window, name);
                // Walking empty histograms would be most of this test's time.
                if !native.is_empty() {
                    prop_assert_eq!(buckets(&ours.histogram), buckets(&native), "{:?} {:?} {:?}", kind, window, name);
                    for quantile in [0.5, 0.9, 0.99, 1.0] {
                        let told = ours.histogram.value_at_quantile(quantile);
                        prop_assert_eq!(told, native.value_at_quantile(quantile));
                    }
                }
                let stretch = (model.covered_from_ns(window), model.sealed.1, true);
                prop_assert_eq!((ours.from_ns, ours.to_ns, ours.is_kept), stretch, "{:?}", window);
                all.1 += if kind == CellKind::Success { native.len() } else { 0 };
            }
            all.0.push(id as SeriesId);
        }
        prop_assert_eq!(snapshot.latency(&all.0, window).histogram.len(), all.1, "all series together");
    }
    Ok(())
}

proptest! {
    // 256 cases, or as many as PROPTEST_CASES says.
    #[test]
    fn windows_and_quantiles_are_those_of_a_plain_list(steps in steps(1..4)) {
        let mut daemon = Driven::new(Settings::default());
        let mut model = Model::default();
        for step in steps.into_iter().chain([Step::Tick(SECOND as i64), Step::Tick(20 * SECOND as i64)]) {
            let told_ns = if let Step::Tick(by_ns) = step { daemon.told_ns(by_ns) } else { daemon.now_ns };
            model.begun_ns.get_or_insert(told_ns);
            match step {
                Step::Requests(requests) => {
                    daemon.send(&requests, &[]);
                    let now_ns = daemon.now_ns;
                    let ended = requests.iter().map(|sent| (*sent, now_ns.saturating_add_signed(sent.ends_in_ns)));
                    model.requests.extend(ended);
                }
                Step::Refused(refused) => daemon.send(&[], &refused),
                Step::Tick(by_ns) => {
                    let snapshot = daemon.tick(by_ns);
                    model.tick(daemon.now_ns);
                    let names: Vec<Name> = snapshot.series().map(|name| {
                        let texts = [&name.tenant, &name.module, &name.operation].map(ToString::to_string);
                        let [tenant, module, operation] = texts;
                        (tenant, module, operation, name.entry.name())
                    }).collect();
                    check_counts(&snapshot, &model, &names)?;
                    check_durations(&snapshot, &model, &names)?;
                }
            }
        }
    }
}
