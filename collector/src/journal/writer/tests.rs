//! The writer against a disk that loses power and fails, one group at a time.

mod faults;
mod lives;

use super::super::disk::simulated::SimulatedDisk;
use super::super::file::{FileJournal, Progress};
use super::super::open::{self, Opening};
use super::super::segment::samples::{BEGIN_NS, Sample, id_of};
use super::*;
use crate::clock::ManualClock;
use crate::units::ByteSize;

const STORE: [u8; 16] = [7; 16];

type Answer = oneshot::Receiver<Result<Acknowledged, AppendError>>;

fn opening(disk: &SimulatedDisk, applied_seq: u64, repeats: Vec<u8>) -> Opening {
    Opening {
        directory: "/journal".into(),
        quarantine: "/quarantine".into(),
        store_id: STORE,
        applied_seq,
        repeats,
        late_accept_ns: 0,
        disk: Arc::new(disk.clone()),
    }
}

fn settings(durability: Level, segment_bytes: u64) -> Settings {
    let (segment_bytes, min_free_bytes) = (ByteSize(segment_bytes), ByteSize(0));
    Settings { durability, segment_bytes, min_free_bytes, ..Settings::default() }
}

/// A process, as far as its journal goes.
struct Process {
    writer: Writer,
    kept: Progress,
    clock: Arc<ManualClock>,
    inbox: mpsc::Receiver<Sequenced>,
    waiting: VecDeque<Submitted>,
    has_ended: bool,
}

impl Process {
    fn of(opened: Opened, settings: Settings) -> Self {
        let kept = FileJournal::progress(&opened);
        let (to, inbox) = mpsc::channel(4_096);
        let clock = Arc::new(ManualClock::at(BEGIN_NS));
        let plan = Plan { settings, clock: Arc::clone(&clock) as _, inbox: to };
        let writer = Writer::new(opened, Arc::clone(&kept.0), plan);
        Self { writer, kept, clock, inbox, waiting: VecDeque::new(), has_ended: false }
    }

    /// The first process on a disk.
    fn first(disk: &SimulatedDisk) -> Self {
        let opened = open::open(opening(disk, 0, Vec::new())).expect("a new journal opens");
        Self::of(opened, settings(Level::Fsync, 2_048))
    }

    fn submit(&mut self, record: Record) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.waiting.push_back(Submitted { record, answer: Some(answer) });
        answered
    }

    /// Writes all that waits, as the thread does; whether it goes on.
    fn work(&mut self) -> bool {
        while !self.has_ended && !self.waiting.is_empty() {
            self.has_ended = self.writer.step(&mut self.waiting).is_err();
        }
        self.waiting.drain(..).for_each(|submitted| refuse(submitted, AppendError::Broken));
        !self.has_ended
    }

    /// Appends one record and says what was answered.
    fn append(&mut self, record: Record) -> Result<Acknowledged, AppendError> {
        let mut answer = self.submit(record);
        self.work();
        answer.try_recv().expect("whoever waits is told")
    }
}

/// What a start finds: requests by number of their record, in order. Damage is none of what a disk that only loses does.
fn replayed(disk: &SimulatedDisk, applied_seq: u64) -> Vec<(u64, u64)> {
    let mut opened = open::open(opening(disk, applied_seq, Vec::new())).expect("it opens");
    assert_eq!(opened.damaged, []);
    let mut found = Vec::new();
    let take = |Sequenced { seq, record }| {
        if let Record::Batch { batch, .. } = &record {
            found.push((seq, id_of(batch)));
        }
        true
    };
    opened.replay(take).expect("it reads");
    found
}
