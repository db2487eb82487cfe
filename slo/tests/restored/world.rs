//! Random records of a small platform: what is counted, what is silent, what operators order, definitions that change.

use std::sync::Arc;

use bailiwick_slo::course::control::{Ack, Control, Correction, Done, Matcher, Silence};
use bailiwick_slo::course::record::{Classes, Module, Reading, Record, Requests, Series, Tally};
use bailiwick_slo::course::run::Course;
use bailiwick_slo::document::{self, Context, Severity};
use bailiwick_slo::engine::incident::Id;
use bailiwick_slo::outcome::OutcomeCounts;
use bailiwick_slo::spec::{Glob, Slo};

use crate::definitions;
use crate::prng::Random;

/// 2026-03-28T20:00:00Z in ticks of 10 s: a night before clocks change in Berlin.
const START: u64 = 177_472_800;
const MODULES: [(&str, &str); 6] =
    [("acme", "rag"), ("acme", "chat"), ("globex", "rag"), ("initech", "chat"), ("globex", "chat"), ("initech", "rag")];

/// What records are made from.
pub(crate) struct World {
    pub(crate) random: Random,
    open: u64,
    seq: u64,
    modules: usize,
    series: Vec<u32>,
    readings: Vec<Reading>,
    asked: Vec<Reading>,
    /// How likely a module is bad, of a thousand.
    bad: u64,
    ids: u8,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        let (series, readings, asked) = (Vec::new(), Vec::new(), Vec::new());
        Self { random, open: START, seq: 0, modules: 0, series, readings, asked, bad: 0, ids: 0 }
    }

    /// SLOs as the first record, or a later one, defines them.
    pub(crate) fn documents(&mut self) -> Vec<(String, String)> {
        let text = definitions::documents(&mut self.random);
        let slos = slos_of(&text);
        self.asked = slos.iter().flat_map(|slo| Reading::of(&slo.sli)).collect();
        vec![("slos.yaml".to_owned(), text)]
    }

    /// The next record; orders about incidents are about those of this course.
    pub(crate) fn next(&mut self, course: &Course) -> Record {
        self.seq += 1;
        let ticks = match self.random.below(100) {
            0 => self.random.between(7, 400),
            1..4 => 0,
            4..10 => self.random.between(2, 6),
            _ => 1,
        };
        let mut record = Record { seq: self.seq, open: self.open + ticks, ..Record::default() };
        if self.seq == 1 || self.random.per_mille(8) {
            record.controls.push(Arc::new(Control::Define(self.documents())));
        }
        if self.random.per_mille(60)
            && let Some(control) = self.order(course)
        {
            record.controls.push(Arc::new(control));
        }
        if self.random.per_mille(30) {
            self.bad = self.random.pick(&[0, 0, 1, 30, 400]);
        }
        self.name(&mut record);
        self.count(&mut record);
        self.open = record.open;
        record
    }

    fn name(&mut self, record: &mut Record) {
        if self.modules < MODULES.len() && self.random.per_mille(if self.modules == 0 { 1_000 } else { 40 }) {
            let (tenant, module) = MODULES[self.modules];
            record.modules.push(Module { tenant: tenant.into(), module: module.into() });
            for operation in ["ask", "list"] {
                record.series.push(Series { module: self.modules as u32, operation: operation.into() });
                self.series.push(self.modules as u32);
            }
            self.modules += 1;
        }
        for asked in self.asked.clone() {
            if !self.readings.contains(&asked) {
                self.readings.push(asked.clone());
                record.readings.push(asked);
            }
        }
        for module in 0..self.modules as u32 {
            // The first two send metrics, and sometimes none for long.
            if module < 2 && !(self.open / 200).is_multiple_of(3) {
                record.heard.push((module, self.open));
            }
        }
    }

    fn count(&mut self, record: &mut Record) {
        // Everybody is quiet for 25 minutes now and then: longer than an SLO waits that expects traffic.
        if (self.open / 150).is_multiple_of(5) {
            return;
        }
        for series in 0..self.series.len() as u32 {
            // Some rest for hours.
            if (self.open / 300 + u64::from(series)).is_multiple_of(4) || self.random.per_mille(200) {
                continue;
            }
            let tick = self.tick();
            let (bad, good) = (self.some(), self.random.below(60));
            let outcomes = OutcomeCounts([good, bad, self.random.below(3), 0, 0]);
            record.requests.push((tick, series, Requests { outcomes, spans: outcomes.0.iter().sum() }));
            let (fast, slow) = (self.random.below(40) as i64, self.some() as i64);
            let classes = Classes { threshold_ns: 250_000_000, fast, slow, raw_fast: fast, raw_slow: slow };
            record.latency.push((tick, series, classes));
            if self.random.per_mille(20) {
                // What was counted turns out to be none.
                let back = Requests { outcomes: OutcomeCounts([0, 1_u64.wrapping_neg(), 0, 0, 0]), spans: u64::MAX };
                record.requests.push((tick, series, back));
            }
        }
        for reading in 0..self.readings.len() as u32 {
            for module in 0..self.modules as u32 {
                if self.random.per_mille(300) {
                    let (all, less) = (self.random.below(50) as i64, self.some() as i64);
                    let tick = self.tick();
                    record.tallies.push((tick, module, reading, Tally { all: all + less, some: all }));
                }
            }
        }
    }

    /// Mostly the tick that closes next; late ones, too.
    fn tick(&mut self) -> u64 {
        let late = if self.random.per_mille(100) { self.random.between(1, 700) } else { 0 };
        self.open - late
    }

    fn some(&mut self) -> u64 {
        if self.random.per_mille(self.bad) { self.random.between(1, 20) } else { 0 }
    }

    fn id(&mut self) -> Id {
        self.ids = self.ids.wrapping_add(1);
        Id([self.ids; 16])
    }

    /// An order; none where there is nothing that it could be about.
    fn order(&mut self, course: &Course) -> Option<Control> {
        let (controls, at_ns) = (course.controls(), self.open * 10_000_000_000);
        let incidents = course.members().filter_map(|(_, member)| member.instance.open_incident());
        let incidents: Vec<Id> = incidents.map(|incident| incident.id).collect();
        let by = || "ops".to_owned();
        let incident = if incidents.is_empty() { None } else { Some(self.random.pick(&incidents)) };
        let corrections: Vec<Id> = controls.corrections.iter().map(|one| one.correction.id).collect();
        Some(match self.random.below(9) {
            0 | 1 => Control::Correct(self.correction()),
            2 => Control::Try(self.correction()),
            3 if !corrections.is_empty() => {
                Control::Revoke(Done { id: self.random.pick(&corrections), by: by(), at_ns })
            }
            4 => Control::Silence(self.silence()),
            5 => Control::EndSilence(Done { id: controls.silences.first()?.silence.id, by: by(), at_ns }),
            6 => {
                let now = (self.open * 10) as i64;
                let until_s = self.random.per_mille(500).then_some(now + 900);
                Control::Acknowledge(Ack { incident: incident?, by: by(), note: "on it".to_owned(), at_ns, until_s })
            }
            7 => Control::Unacknowledge(Done { id: incident?, by: by(), at_ns }),
            _ => Control::Close(Done { id: incident?, by: by(), at_ns }),
        })
    }

    fn correction(&mut self) -> Correction {
        let now = (self.open * 10) as i64;
        let starts_s = now - 3_600 + self.random.below(7_200) as i64;
        let recurs = self.random.per_mille(300);
        Correction {
            id: self.id(),
            slo: Glob::new(self.random.pick(&["*", "avail", "s1"])),
            tenant: Glob::new(self.random.pick(&["*", "acme"])),
            module: Glob::new("*"),
            starts_s,
            ends_s: starts_s + self.random.between(30, 2_400) as i64,
            zone: "Europe/Berlin".to_owned(),
            recurrence: recurs.then(|| "FREQ=DAILY;COUNT=3".parse().expect("a rule")),
            is_good: self.random.per_mille(300),
            reason: "a deploy".to_owned(),
            ticket: String::new(),
            created_by: "ops".to_owned(),
            created_at_ns: self.open * 10_000_000_000,
        }
    }

    fn silence(&mut self) -> Silence {
        let now = (self.open * 10) as i64;
        let matcher = Matcher { name: "slo".into(), value: "avail".into(), is_regex: false, is_equal: true };
        let (comment, created_by) = ("quiet".to_owned(), "ops".to_owned());
        let id = self.id();
        Silence { id, matchers: vec![matcher], starts_s: now, ends_s: now + 600, comment, created_by, created_at_ns: 1 }
    }
}

/// What a text defines.
pub(crate) fn slos_of(text: &str) -> Vec<Slo> {
    let loaded = document::load(&[("slos.yaml", text)], &Context::default());
    let errors = loaded.findings.iter().filter(|finding| finding.severity == Severity::Error);
    assert!(loaded.is_valid(), "{text}\n{:?}", errors.collect::<Vec<_>>());
    loaded.slos
}
