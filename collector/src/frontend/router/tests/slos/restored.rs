//! An evaluator that was saved and restored among the snapshots: from then on every report and every event is the one that
//! it would have been.

use bailiwick_slo::course::control::{Ack, Control, Correction};
use bailiwick_slo::engine::fleet::Limits;
use bailiwick_slo::engine::incident::Id;
use bailiwick_slo::spec::Glob;
use bailiwick_slo::time::SECOND_NS;
use bailiwick_slo::wire::{Read, Reader, Writer};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

use super::*;
use crate::evaluator::{Beginning, Feed};

const DOCUMENTS: &str = include_str!("restored.yaml");

/// The first of them.
fn fewer() -> &'static str {
    DOCUMENTS.split("---\n# More").next().expect("it begins with these")
}

/// Random numbers (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % end as u64) as usize
    }

    fn is_of_hundred(&mut self, of: usize) -> bool {
        self.below(100) < of
    }
}

/// The way of spans up to snapshots.
struct Books {
    fold: Aggregator,
    random: Random,
    records: u64,
    now_ns: u64,
    ids: u64,
}

impl Books {
    fn new(seed: u64) -> Self {
        let random = Random(seed);
        let fold = Aggregator::new(aggregator::Terms::default());
        Self { fold, random, records: 0, now_ns: NOW_NS, ids: 1 }
    }

    fn order(&mut self, control: Control) {
        self.records += 1;
        self.fold.order(self.records, Arc::new(control));
    }

    fn define(&mut self, documents: &str) {
        self.order(Control::Define(vec![("slos.yaml".to_owned(), documents.to_owned())]));
    }

    /// Some requests, now and then an order, and a tick later the snapshot.
    fn next(&mut self, report: &Report) -> Arc<aggregator::Snapshot> {
        let is_bad = (self.now_ns / (400 * SECOND_NS)).is_multiple_of(2);
        for (tenant, module) in [("acme", "rag_hub"), ("acme", "chat"), ("globex", "rag_hub")] {
            if !self.random.is_of_hundred(60) {
                continue;
            }
            let bad = if is_bad { self.random.below(4) } else { 0 };
            let good = 1 + self.random.below(8);
            let end = self.now_ns - self.random.below(90) as u64 * SECOND_NS;
            receive(self, vec![requests(tenant, (module, "ask"), (good, bad), (end, self.ids))]);
            self.ids += 100;
        }
        let now_s = (self.now_ns / SECOND_NS) as i64;
        match self.random.below(60) {
            0 => self.order(Control::Correct(correction(now_s, self.ids))),
            1 => {
                let documents = if self.random.is_of_hundred(50) { DOCUMENTS } else { fewer() };
                self.define(documents);
            }
            2..8 => {
                let open = report.incidents.iter().find(|incident| incident.is_open());
                if let Some(incident) = open {
                    let (incident, by, note) = (incident.incident.id, "kim".to_owned(), String::new());
                    self.order(Control::Acknowledge(Ack {
                        incident,
                        by,
                        note,
                        at_ns: self.now_ns,
                        until_s: Some(now_s + 300),
                    }));
                }
            }
            _ => {}
        }
        self.now_ns += (1 + self.random.below(14) as u64) * SECOND_NS;
        self.records += 1;
        self.fold.tick(self.records, self.now_ns)
    }
}

fn receive(books: &mut Books, resource_spans: Vec<ResourceSpans>) {
    books.records += 1;
    let batch = observed(resource_spans, books.now_ns);
    books.fold.apply(books.records, &batch.view());
}

fn correction(now_s: i64, id: u64) -> Correction {
    Correction {
        id: Id(u128::from(id).to_be_bytes()),
        slo: Glob::new("*"),
        tenant: Glob::new("acme"),
        module: Glob::new("*"),
        starts_s: now_s - 300,
        ends_s: now_s + 120,
        zone: "UTC".to_owned(),
        recurrence: None,
        is_good: false,
        reason: "a deploy".to_owned(),
        ticket: String::new(),
        created_by: "kim".to_owned(),
        created_at_ns: now_s.unsigned_abs() * SECOND_NS,
    }
}

fn ordered() -> Beginning {
    Beginning { slos: None, ..beginning(Vec::new()) }
}

fn saved(feed: &Feed) -> Vec<u8> {
    let mut to = Writer::default();
    feed.save(&mut to);
    to.into_bytes()
}

fn restored(beginning: Beginning, bytes: &[u8]) -> Read<Feed> {
    let mut from = Reader::new(bytes);
    let feed = Feed::restore(beginning, &mut from)?;
    assert!(from.is_done(), "all that was saved is read");
    Ok(feed)
}

/// All that a report tells.
fn told(report: &Report) -> String {
    format!("{report:?}")
}

/// A feed that has seen so many snapshots, and its last report.
fn lived(books: &mut Books, feed: &mut Feed, snapshots: usize) -> Report {
    let mut report = Report::default();
    for _ in 0..snapshots {
        let snapshot = books.next(&report);
        report = feed.take(&snapshot).map_or(report, |(next, _)| next);
    }
    report
}

#[test]
fn an_evaluator_that_was_restored_goes_on_as_if_it_had_never_stopped() {
    let (mut restores, mut lines, mut ended, mut forecasts, mut spans) = (0, 0, 0, 0, 0);
    let mut slos = std::collections::BTreeSet::new();
    for seed in 0..6 {
        let mut books = Books::new(seed);
        books.define(DOCUMENTS);
        let [mut feed, mut other] = [ordered(), ordered()].map(Feed::new);
        let mut last = Report::default();
        for step in 0..250 {
            let snapshot = books.next(&last);
            match (feed.take(&snapshot), other.take(&snapshot)) {
                (None, None) => {}
                (Some((report, events)), Some((again, same))) => {
                    assert_eq!(events, same, "seed {seed}, snapshot {step}");
                    assert_eq!(told(&report), told(&again), "seed {seed}, snapshot {step}");
                    assert_eq!(told(&report), told(&feed.report()));
                    last = report;
                }
                (one, two) => panic!("seed {seed}, snapshot {step}: {} and {}", one.is_some(), two.is_some()),
            }
            let bytes = saved(&feed);
            assert!(saved(&other) == bytes, "seed {seed}, snapshot {step}: other bytes");
            if books.random.is_of_hundred(8) {
                other = restored(ordered(), &bytes).expect("it was saved");
                assert!(saved(&other) == bytes, "seed {seed}, snapshot {step}: not what was saved");
                assert_eq!(told(&other.report()), told(&feed.report()));
                restores += 1;
            }
        }
        slos.extend(last.instances.iter().map(|instance| instance.slo.id.clone()));
        lines += last.lines.len();
        ended += last.incidents.iter().filter(|incident| !incident.is_open()).count();
        forecasts += last.instances.iter().filter(|instance| instance.forecast.is_some()).count();
        spans += last.incidents.iter().map(|incident| incident.blame.exemplars.len()).sum::<usize>();
    }
    // What never came up was not compared.
    assert_eq!(slos.len(), 5, "{slos:?}");
    assert!(restores > 50 && lines > 50, "{restores} restores, {lines} lines");
    assert!(ended > 5 && forecasts > 5 && spans > 20, "{ended} ended, {forecasts} forecasts, {spans} spans");
}

#[test]
fn a_report_is_there_at_once_and_shows_what_was_before_the_stop() {
    let (mut books, mut feed) = (Books::new(7), Feed::new(ordered()));
    assert!(feed.report().ledger.is_none(), "nothing was taken");
    books.define(DOCUMENTS);
    let last = lived(&mut books, &mut feed, 150);
    let first = restored(ordered(), &saved(&feed)).expect("it was saved").report();
    assert!(!last.instances.is_empty() && !last.incidents.is_empty() && !last.lines.is_empty());
    assert_eq!(told(&first), told(&feed.report()));
    assert_eq!((first.evaluated_tick, first.data_through_ns), (last.evaluated_tick, last.data_through_ns));
    assert_eq!((first.lines, first.happened), (last.lines, last.happened));
}

#[test]
fn definitions_that_are_fixed_hold_after_a_restart_too() {
    let slos = || vec![slo("avail", "0.99", "*"), slo("loose", "0.9", "acme")];
    let (mut books, mut feed) = (Books::new(8), Feed::new(beginning(slos())));
    let last = lived(&mut books, &mut feed, 120);
    let mut same = restored(beginning(slos()), &saved(&feed)).expect("it was saved");
    let mut less = restored(beginning(vec![slo("avail", "0.99", "*")]), &saved(&feed)).expect("it was saved");
    assert_eq!(less.report().instances.len() + 2, last.instances.len(), "two of the other one are gone");
    for _ in 0..40 {
        let snapshot = books.next(&last);
        let told_of = |feed: &mut Feed| feed.take(&snapshot).map(|(report, _)| told(&report));
        assert_eq!(told_of(&mut feed), told_of(&mut same));
        less.take(&snapshot);
    }
    let report = less.report();
    assert!(report.instances.iter().all(|instance| &*instance.key.slo == "avail"));
    assert!(report.incidents.iter().all(|incident| &*incident.key.slo == "avail" || !incident.is_open()));
}

#[test]
fn maxima_that_are_lower_now_hold_from_now_on() {
    let (mut books, mut feed) = (Books::new(9), Feed::new(ordered()));
    books.define(DOCUMENTS);
    let last = lived(&mut books, &mut feed, 150);
    let limits = Limits { instances_max: 1, memory_bytes_max: 1 };
    let lower = Beginning { limits, ledger_bytes_max: 1, settle_ns: SECOND_NS, ..ordered() };
    let mut other = restored(lower, &saved(&feed)).expect("it was saved");
    assert_eq!(other.report().instances.len(), last.instances.len(), "who is there stays");
    let report = lived(&mut books, &mut other, 100);
    let limit = report.limits.iter().find(|limit| limit.name == "slo.instances_max").expect("it is told");
    assert!(limit.max == 1 && limit.used > 1, "{limit:?}");
}

#[test]
fn another_version_is_refused_and_damaged_bytes_end_in_a_word_or_in_a_feed() {
    let (mut books, mut feed) = (Books::new(10), Feed::new(ordered()));
    books.define(DOCUMENTS);
    lived(&mut books, &mut feed, 100);
    let bytes = saved(&feed);
    let mut newer = bytes.clone();
    newer[0] += 1;
    let error = restored(ordered(), &newer).expect_err("another version").to_string();
    assert!(error.contains("a version that this one does not read"), "{error}");
    let mut refused = 0;
    for _ in 0..600 {
        let mut damaged = bytes.clone();
        let at = books.random.below(bytes.len());
        damaged[at] = books.random.below(256) as u8;
        refused += usize::from(Feed::restore(ordered(), &mut Reader::new(&damaged)).is_err());
        let length = books.random.below(bytes.len());
        assert!(Feed::restore(ordered(), &mut Reader::new(&bytes[..length])).is_err(), "{length} of {}", bytes.len());
    }
    assert!(refused > 50, "{refused} of 600");
}
