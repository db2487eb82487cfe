//! The thread that writes: what waits is one group, one write, one sync; then it is acknowledged and handed on
//! (`ingest.md` 5.2). The sync in progress is the window in which the next group gathers; there is no timer.

mod segments;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::file::Shared;
use super::level::{self, Level};
use super::open::Opened;
use super::segment::format::{self, record_bytes};
use super::segment::payload;
use super::{Acknowledged, AppendError, Plan, Record, Sequenced, Settings};
use segments::Segments;

/// Records of a group.
pub(super) const GROUP_RECORDS_MAX: usize = 1_024;
/// Bytes of a group, unless its first record is larger.
const GROUP_BYTES_MAX: usize = 1 << 20;

/// A record on its way into the journal.
#[derive(Debug)]
pub(super) struct Submitted {
    pub(super) record: Record,
    /// Waits for the answer; `None`: at the level `none` nobody does.
    pub(super) answer: Option<oneshot::Sender<Result<Acknowledged, AppendError>>>,
}

/// What the thread owns.
pub(super) struct Writer {
    segments: Segments,
    settings: Settings,
    shared: Arc<Shared>,
    inbox: mpsc::Sender<Sequenced>,
    next_seq: u64,
    meters: Meters,
}

/// A record with its place, before it is written.
struct Placed {
    seq: u64,
    record: Record,
    answer: Option<oneshot::Sender<Result<Acknowledged, AppendError>>>,
    repeated: Option<u64>,
}

struct Meters {
    appends: [metrics::Counter; 3],
    bytes: [metrics::Counter; 3],
    sync_seconds: metrics::Histogram,
    group_records: metrics::Histogram,
    segments: metrics::Gauge,
    durable_seq: metrics::Gauge,
    entries: metrics::Gauge,
}

impl Meters {
    fn register() -> Self {
        let of_level = |name: &'static str| Level::ALL.map(|level| metrics::counter!(name, "level" => level.name()));
        Self {
            appends: of_level("bailiwick_ingest_journal_appends_total"),
            bytes: of_level("bailiwick_ingest_journal_bytes_total"),
            sync_seconds: metrics::histogram!("bailiwick_ingest_journal_sync_seconds"),
            group_records: metrics::histogram!("bailiwick_ingest_journal_group_records"),
            segments: metrics::gauge!("bailiwick_ingest_journal_segments"),
            durable_seq: metrics::gauge!("bailiwick_ingest_journal_durable_seq"),
            entries: metrics::gauge!("bailiwick_ingest_retry_window_entries"),
        }
    }
}

impl Writer {
    pub(super) fn new(opened: Opened, shared: Arc<Shared>, Plan { settings, clock, inbox }: Plan) -> Self {
        let next_seq = opened.next_seq;
        let segments = Segments::new(opened, settings.clone(), clock);
        Self { segments, settings, shared, inbox, next_seq, meters: Meters::register() }
    }

    /// Writes until nobody can send any more, or the disk fails: then it says why.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Submitted>) -> Result<(), String> {
        let mut waiting = VecDeque::new();
        let mut taken = Vec::with_capacity(GROUP_RECORDS_MAX);
        loop {
            if waiting.is_empty() {
                if queue.blocking_recv_many(&mut taken, GROUP_RECORDS_MAX) == 0 {
                    break;
                }
                waiting.extend(taken.drain(..));
            }
            if let Err(error) = self.step(&mut waiting) {
                queue.close();
                while let Ok(submitted) = queue.try_recv() {
                    waiting.push_back(submitted);
                }
                waiting.into_iter().for_each(|submitted| refuse(submitted, AppendError::Broken));
                return Err(error.to_string());
            }
        }
        self.shared.end(false);
        Ok(())
    }

    /// One group, and what is to be done between two. Whoever is told of an error finds the journal broken.
    fn step(&mut self, waiting: &mut VecDeque<Submitted>) -> io::Result<()> {
        let done = self.write_group(waiting).and_then(|()| self.look_after());
        done.inspect_err(|_| self.shared.end(true))
    }

    fn look_after(&mut self) -> io::Result<()> {
        self.segments.look_after(&self.shared)?;
        self.meters.segments.set(self.segments.count() as f64);
        Ok(())
    }

    /// Writes the first of what waits. An error means that nobody knows what is on the disk.
    fn write_group(&mut self, waiting: &mut VecDeque<Submitted>) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut group: Vec<Placed> = Vec::new();
        let mut strictest = Level::None;
        while let Some(submitted) = waiting.pop_front() {
            let size = record_bytes(size_of_payload(&submitted.record));
            let is_first = group.is_empty();
            if is_first {
                match self.segments.make_room(size as u64, self.next_seq) {
                    Ok(true) => {}
                    Ok(false) => {
                        self.segments.have_no_room(&self.shared);
                        refuse(submitted, AppendError::DiskFull);
                        continue;
                    }
                    Err(error) => {
                        waiting.push_front(submitted);
                        return Err(error);
                    }
                }
            }
            let fits = bytes.len() + size <= GROUP_BYTES_MAX && self.segments.has_room((bytes.len() + size) as u64);
            if !is_first && (!fits || group.len() >= GROUP_RECORDS_MAX) {
                waiting.push_front(submitted);
                break;
            }
            strictest = strictest.max(level::of(&submitted.record, self.settings.durability));
            group.push(self.place(submitted, &mut bytes));
        }
        if group.is_empty() {
            return Ok(());
        }
        match self.put(&bytes, strictest) {
            Ok(true) => {
                self.meters.group_records.record(group.len() as f64);
                self.hand_on(group);
            }
            Ok(false) => {
                // There was no room after all: the numbers were never given.
                self.next_seq = group[0].seq;
                self.shared.repeats().withdraw(self.next_seq);
                self.segments.have_no_room(&self.shared);
                group.into_iter().for_each(|placed| refuse(placed.into(), AppendError::DiskFull));
            }
            Err(error) => {
                // Whoever waited would find a journal that seems to write, were it not told first.
                group.into_iter().rev().for_each(|placed| waiting.push_front(placed.into()));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Brings a group to the disk, as far as its strictest level asks for; `false`: there is no room.
    fn put(&mut self, bytes: &[u8], strictest: Level) -> io::Result<bool> {
        if !self.segments.write(bytes, self.next_seq - 1)? {
            return Ok(false);
        }
        if strictest == Level::Fsync {
            let began = Instant::now();
            self.segments.sync()?;
            self.meters.sync_seconds.record(began.elapsed().as_secs_f64());
            let durable_seq = self.next_seq - 1;
            self.shared.set_durable(durable_seq);
            self.meters.durable_seq.set(durable_seq as f64);
        }
        Ok(true)
    }

    /// Gives a record its number and writes it down; a request that came before becomes a repeat.
    fn place(&mut self, Submitted { record, answer }: Submitted, bytes: &mut Vec<u8>) -> Placed {
        let seq = self.next_seq;
        self.next_seq += 1;
        let mut repeats = self.shared.repeats();
        let first = match &record {
            Record::Batch { batch, .. } => repeats.find(&batch.view()),
            _ => None,
        };
        let (record, repeated) = match (record, first) {
            (Record::Batch { batch, charge }, Some(first)) => {
                (Record::Repeat { original: first.seq, batch, charge }, Some(first.rejected))
            }
            (record, _) => (record, None),
        };
        repeats.note(&record, seq);
        self.meters.entries.set(repeats.len() as f64);
        drop(repeats);
        let begin = bytes.len();
        let head = (payload::kind_of(&record), seq, self.shared.durable());
        format::append(bytes, self.segments.salt(), head, |out| payload::write(&record, out));
        let level = level::of(&record, self.settings.durability) as usize;
        self.meters.appends[level].increment(1);
        self.meters.bytes[level].increment((bytes.len() - begin) as u64);
        Placed { seq, record, answer, repeated }
    }

    fn hand_on(&self, group: Vec<Placed>) {
        let records: Vec<Sequenced> = group
            .into_iter()
            .map(|Placed { seq, record, answer, repeated }| {
                // Whoever left before its answer has its record all the same.
                if let Some(answer) = answer {
                    let _ = answer.send(Ok(Acknowledged { seq, repeated }));
                }
                Sequenced { seq, record }
            })
            .collect();
        for record in records {
            // A full inbox makes the journal wait: then the budget fills, and clients are told to come back. A closed one
            // is a daemon that ends: what is written is applied at the next start.
            let _ = self.inbox.blocking_send(record);
        }
    }
}

impl From<Placed> for Submitted {
    fn from(Placed { record, answer, .. }: Placed) -> Self {
        Self { record, answer }
    }
}

fn refuse(Submitted { record, answer }: Submitted, why: AppendError) {
    drop(record);
    // Nobody is told whose client has left.
    if let Some(answer) = answer {
        let _ = answer.send(Err(why));
    }
}

fn size_of_payload(record: &Record) -> usize {
    match record {
        Record::Batch { batch, .. } => batch.bytes().len() + 8,
        Record::Repeat { batch, .. } => batch.bytes().len() + 8,
        Record::Tick { .. } => 8,
        Record::Control(_) => {
            let mut bytes = Vec::new();
            payload::write(record, &mut bytes);
            bytes.len()
        }
    }
}

#[cfg(test)]
mod tests;
