//! Snapshots become records: what joined closed slots since the one before, with names as numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::course::record::{Classes, Module, Reading, Record, Requests, Series, Tally};
use bailiwick_slo::coverage::Id;
use bailiwick_slo::spec::{Sli, Slo};
use bailiwick_slo::taps::Reads;
use bailiwick_slo::time::Slot;

use super::held::{FIGURES, Held};
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{Revisions, TappedName};
use bailiwick_slo::saved::Saved;
use bailiwick_slo::wire::{Read, Reader, Writer};

/// What has been told so far.
#[derive(Debug)]
pub(super) struct Records {
    /// How long a trace may be judged after it ended, nanoseconds.
    settle_ns: u64,
    modules: usize,
    series: usize,
    readings: Vec<Reading>,
    /// By tenant x module: the tick in which its latest metric point arrived.
    heard: BTreeMap<u32, u64>,
    held: Held,
    revision: u64,
    tapped_revision: u64,
    revisions: Revisions,
}

impl Records {
    /// Writes it.
    pub(super) fn save(&self, to: &mut Writer) {
        let Self { settle_ns: _, modules, series, readings, heard, held, revision, tapped_revision, revisions } = self;
        (*modules, *series).save(to);
        readings.save(to);
        heard.save(to);
        held.save(to);
        (*revision, *tapped_revision).save(to);
        revisions.save(to);
    }

    /// Reads what [`Self::save`] wrote; traces may be judged for another while now.
    pub(super) fn restore(settle_ns: u64, from: &mut Reader<'_>) -> Read<Self> {
        let (modules, series) = Saved::load(from)?;
        let (readings, heard, held) = Saved::load(from)?;
        let (revision, tapped_revision) = Saved::load(from)?;
        let revisions = Revisions::load(from)?;
        Ok(Self { settle_ns, modules, series, readings, heard, held, revision, tapped_revision, revisions })
    }
}

impl Records {
    pub(super) fn new(settle_ns: u64) -> Self {
        Self {
            settle_ns,
            modules: 0,
            series: 0,
            readings: Vec::new(),
            heard: BTreeMap::new(),
            held: Held::default(),
            revision: 0,
            tapped_revision: 0,
            revisions: Revisions::default(),
        }
    }

    /// What SLOs ask for besides requests and metrics.
    pub(super) fn want(&mut self, slos: &[Arc<Slo>]) {
        let part = |slo: &Arc<Slo>| match &slo.sli {
            Sli::Coverage(part) => FIGURES.into_iter().find(|figure| figure.name() == part),
            _ => None,
        };
        let mut wanted: Vec<Id> = slos.iter().filter_map(part).collect();
        wanted.sort_unstable();
        wanted.dedup();
        self.held.want(wanted);
    }

    /// The record of a snapshot. Snapshots come in order, none left out.
    pub(super) fn of(&mut self, snapshot: &Snapshot) -> Record {
        let mut record = Record {
            seq: snapshot.seq,
            // The first slot that is still open: what closes ends before it.
            open: Slot::holding(snapshot.data_through_ns).0.into(),
            controls: snapshot.controls.iter().map(|(_, control)| Arc::clone(control)).collect(),
            ..Record::default()
        };
        self.name(snapshot, &mut record);
        if std::mem::replace(&mut self.revision, snapshot.revision()) != snapshot.revision() {
            let requests = snapshot.joined().map(|(slot, series, counts)| {
                (u64::from(slot.0), series, Requests { outcomes: counts.outcomes, spans: counts.spans })
            });
            record.requests.extend(requests);
        }
        let now = snapshot.revisions();
        let before = std::mem::replace(&mut self.revisions, now);
        if before.classes != now.classes {
            let classes = snapshot.classes_joined().map(|(slot, of, counts)| {
                let [fast, slow, raw_fast, raw_slow] =
                    [counts.fast, counts.slow, counts.raw_fast, counts.raw_slow].map(u64::cast_signed);
                let classes = Classes { threshold_ns: of.threshold_ns, fast, slow, raw_fast, raw_slow };
                (u64::from(slot.0), of.series, classes)
            });
            record.latency.extend(classes);
        }
        if before.leaked != now.leaked {
            for (slot, module, rules, counts) in snapshot.leaked_joined() {
                let [all, some] = counts.map(u64::cast_signed);
                let reading = self.reading(&mut record, || Reading::Leaks(rules.to_vec()));
                record.tallies.push((slot.0.into(), module, reading, Tally { all, some }));
            }
        }
        if std::mem::replace(&mut self.tapped_revision, snapshot.tapped_revision()) != snapshot.tapped_revision() {
            self.read_metrics(snapshot, &mut record);
        }
        for told in self.held.take(snapshot, self.settle_ns) {
            let reading = self.reading(&mut record, || Reading::Coverage(told.figure.name().to_owned()));
            record.tallies.push((told.slot.0.into(), told.module, reading, told.tally));
        }
        record
    }

    fn read_metrics(&mut self, snapshot: &Snapshot, record: &mut Record) {
        let names: Vec<TappedName> = snapshot.tapped().copied().collect();
        for (slot, number, counts) in snapshot.tapped_joined() {
            let TappedName { tap, module } = names[number as usize];
            let Some(tap) = snapshot.taps().get(tap).cloned() else { continue };
            let [part, of] = [counts.part, counts.of].map(u64::cast_signed);
            let all = if tap.reads == Reads::Increase { part } else { of };
            let reading = self.reading(record, || Reading::Metric(tap));
            record.tallies.push((slot.0.into(), module, reading, Tally { all, some: part }));
        }
    }

    fn name(&mut self, snapshot: &Snapshot, record: &mut Record) {
        let modules = snapshot.modules().skip(self.modules);
        record.modules.extend(modules.map(|module| {
            let (tenant, module) = (Arc::clone(&module.tenant), Arc::clone(&module.module));
            Module { tenant, module }
        }));
        self.modules += record.modules.len();
        let series = snapshot.series().skip(self.series);
        record
            .series
            .extend(series.map(|series| Series { module: series.module_id, operation: Arc::clone(&series.operation) }));
        self.series += record.series.len();
        for (module, heard_ns) in snapshot.last_points_heard() {
            let tick = u64::from(Slot::holding(heard_ns).0);
            if self.heard.insert(module, tick) != Some(tick) {
                record.heard.push((module, tick));
            }
        }
    }

    /// The number of a reading, told with the record if it is a new one.
    fn reading(&mut self, record: &mut Record, reading: impl FnOnce() -> Reading) -> u32 {
        let reading = reading();
        let known = self.readings.iter().position(|known| *known == reading);
        let place = known.unwrap_or_else(|| {
            self.readings.push(reading.clone());
            record.readings.push(reading);
            self.readings.len() - 1
        });
        place as u32
    }
}
