//! Many processes one after another on one disk: appends, checkpoints, full disks, kills and power cuts by seed.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::disk::simulated::{Dice, Fault};
use super::*;

/// Runs as many seeds as this environment variable says.
const SEEDS: &str = "BAILIWICK_JOURNAL_SEEDS";

/// What a checkpoint holds.
#[derive(Debug, Default)]
struct Store {
    applied_seq: u64,
    repeats: Vec<u8>,
    /// Requests that counted, with their records.
    counted: BTreeMap<u64, u64>,
}

struct World {
    dice: Dice,
    disk: SimulatedDisk,
    level: Level,
    segment_bytes: u64,
    store: Store,
    /// Requests are numbered from 0.
    sent: u64,
    /// Requests that must count after whatever happens.
    promised: BTreeSet<u64>,
    /// Requests that must count unless the power is lost before the next process has them on the disk.
    kept: BTreeSet<u64>,
    /// Requests that must not: their senders were told so, and did not come again.
    refused: BTreeSet<u64>,
}

/// A process and what came of it.
struct Life {
    process: Process,
    counted: BTreeMap<u64, u64>,
    last_seq: u64,
    acknowledged: Vec<(u64, u64)>,
}

#[test]
fn what_was_promised_counts_once_whatever_dies_and_whenever() {
    let seeds = std::env::var(SEEDS).ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1_500);
    for seed in 0..seeds {
        let told = std::panic::catch_unwind(|| World::of(seed).run());
        assert!(told.is_ok(), "seed {seed}");
    }
}

impl World {
    fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let level = [Level::Fsync, Level::Os, Level::None][dice.below(3) as usize];
        let segment_bytes = 1_024 << dice.below(4);
        let (store, promised, kept, refused) = Default::default();
        Self { dice, disk: SimulatedDisk::default(), level, segment_bytes, store, sent: 0, promised, kept, refused }
    }

    fn run(mut self) {
        for _ in 0..4 {
            let mut life = self.start();
            self.live(&mut life);
            self.die(&life);
        }
        self.start();
    }

    /// Opens the journal, at times only after the power was lost on the way, and checks what is there.
    fn start(&mut self) -> Life {
        let repeats = self.store.repeats.clone();
        if self.dice.below(3) == 0 {
            self.disk.fail(self.dice.below(24), Fault::PowerLoss);
            if open::open(opening(&self.disk, self.store.applied_seq, repeats.clone())).is_err() {
                self.disk.power_cut(self.dice.roll());
                self.kept.clear();
            }
            self.disk.mend();
        }
        let mut opened = open::open(opening(&self.disk, self.store.applied_seq, repeats)).expect("it opens");
        assert_eq!(opened.damaged, [], "no power cut is damage");
        self.promised.append(&mut self.kept);
        let mut counted = self.store.counted.clone();
        let mut last_seq = self.store.applied_seq;
        let take = |Sequenced { seq, record }| {
            assert_eq!(seq, last_seq + 1, "no gap, nothing twice");
            last_seq = seq;
            count(&mut counted, seq, &record);
            true
        };
        opened.replay(take).expect("it reads");
        assert!(counted.keys().all(|id| *id < self.sent), "nothing is invented");
        for id in &self.promised {
            assert!(counted.contains_key(id), "request {id} was promised, is lost");
        }
        for id in &self.refused {
            assert!(!counted.contains_key(id), "request {id} was refused, is there");
        }
        let process = Process::of(opened, settings(self.level, self.segment_bytes));
        Life { process, counted, last_seq, acknowledged: Vec::new() }
    }

    fn live(&mut self, life: &mut Life) {
        match self.dice.below(4) {
            0 => self.disk.fail(self.dice.below(40), Fault::NoRoom),
            1 => self.disk.fail(self.dice.below(40), Fault::Short),
            2 => self.disk.fail(self.dice.below(150), Fault::PowerLoss),
            _ => {}
        }
        for _ in 0..self.dice.below(30) {
            if self.dice.below(10) == 0 {
                let room = self.disk.used() + self.dice.below(4_096);
                self.disk.set_capacity(Some(room).filter(|_| self.dice.below(2) == 0));
            }
            let goes_on = self.group(life);
            self.apply(life);
            if !goes_on {
                assert_eq!(life.process.kept.refuses(), Some(AppendError::Broken), "it says so");
                break;
            }
            if self.dice.below(5) == 0 {
                self.checkpoint(life);
            }
        }
        self.disk.set_capacity(None);
    }

    /// Some requests, new ones and such that come again; whether the journal goes on.
    fn group(&mut self, life: &mut Life) -> bool {
        let mut waiting = Vec::new();
        for _ in 0..1 + self.dice.below(5) {
            if self.dice.below(6) == 0 {
                drop(life.process.submit(Record::Tick { now_ns: BEGIN_NS }));
                continue;
            }
            let id = if self.dice.below(4) == 0 { self.dice.below(self.sent + 1) } else { self.sent };
            self.sent = self.sent.max(id + 1);
            self.refused.remove(&id);
            let text_max = if self.dice.below(8) == 0 { 3_000 } else { 200 };
            let text = self.dice.below(text_max) as usize;
            waiting.push((id, life.process.submit(Sample { text, ..Sample::of(id) }.record())));
        }
        let goes_on = life.process.work();
        let durable_seq = life.process.kept.0.durable();
        let mut refused = BTreeSet::new();
        for (id, mut answer) in waiting {
            match answer.try_recv().expect("whoever waits is told") {
                Ok(Acknowledged { seq, .. }) => {
                    assert!(seq <= durable_seq || self.level != Level::Fsync, "no answer overtakes the disk");
                    life.acknowledged.push((id, seq));
                    refused.remove(&id);
                }
                Err(AppendError::DiskFull) => drop(refused.insert(id)),
                Err(error) => assert!(error == AppendError::Broken && !goes_on, "{error}"),
            }
        }
        let count = |id: &u64| life.counted.contains_key(id) || life.acknowledged.iter().any(|(known, _)| known == id);
        // A sender of whom one try came through, or may have, is not refused.
        self.refused.extend(refused.into_iter().filter(|id| !count(id) && goes_on));
        self.promised.extend(life.acknowledged.iter().filter(|(_, seq)| *seq <= durable_seq).map(|(id, _)| *id));
        goes_on
    }

    /// What the aggregator does.
    fn apply(&self, life: &mut Life) {
        while let Ok(Sequenced { seq, record }) = life.process.inbox.try_recv() {
            assert_eq!(seq, life.last_seq + 1, "records come in their order");
            life.last_seq = seq;
            count(&mut life.counted, seq, &record);
        }
    }

    fn checkpoint(&mut self, life: &Life) {
        let through = life.last_seq.min(life.process.kept.0.durable());
        let through = through - self.dice.below(1 + (through - self.store.applied_seq.min(through)).min(20));
        if through <= self.store.applied_seq {
            return;
        }
        let counted = life.counted.iter().filter(|(_, seq)| **seq <= through).map(|(id, seq)| (*id, *seq)).collect();
        self.store = Store { applied_seq: through, repeats: life.process.kept.repeats(through), counted };
        life.process.kept.retire(through);
    }

    fn die(&mut self, life: &Life) {
        let has_power = self.disk.failed().is_none() && self.dice.below(3) == 0;
        self.disk.mend();
        if has_power {
            // The process alone: what the operating system has stays.
            self.kept.extend(life.acknowledged.iter().map(|(id, _)| *id));
        } else {
            self.disk.power_cut(self.dice.roll());
        }
    }
}

fn count(counted: &mut BTreeMap<u64, u64>, seq: u64, record: &Record) {
    match record {
        Record::Batch { batch, .. } => {
            let before = counted.insert(id_of(batch), seq);
            assert_eq!(before, None, "request {} counts once", id_of(batch));
        }
        Record::Repeat { original, batch, .. } => {
            assert_eq!(counted.get(&id_of(batch)), Some(original), "a repeat names its original");
        }
        Record::Control(_) | Record::Tick { .. } => {}
    }
}
