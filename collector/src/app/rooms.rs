//! The threads behind the receiver: aggregator, evaluator and store, and what is read before they take anything new.

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, watch};

use super::StartError;
use super::ground::{self, Ground, Replay, Written};
use crate::aggregator::{self, Aggregator, Keeping, Snapshot, SnapshotReader};
use crate::clock::SharedClock;
use crate::config::Settings;
use crate::evaluator::{self, Evaluated, Feed, Listeners, Report, ReportReader};
use crate::history::worker::{State, Work};
use crate::journal::{Later, Sequenced};

/// Records that wait for the aggregator; the in-flight budget bounds their bytes.
const INBOX_RECORDS_MAX: usize = 256;
/// Snapshots that wait for the evaluator.
const SNAPSHOTS_WAITING_MAX: usize = 4;
/// A checkpoint is due after this many bytes of batches (`ingest.md` 5.7).
const CHECKPOINT_BYTES: u64 = 256 << 20;

/// Rooms that run, before the journal takes anything new.
pub(super) struct Rooms {
    pub(super) snapshots: SnapshotReader,
    pub(super) reports: ReportReader,
    /// The number of the record that the evaluator took last.
    pub(super) seen: watch::Receiver<u64>,
    inbox: mpsc::Sender<Sequenced>,
    replay: Option<Replay>,
    aggregator: JoinHandle<Arc<Snapshot>>,
    evaluator: JoinHandle<()>,
}

/// The threads of a running daemon.
#[derive(Debug)]
pub(super) struct Threads {
    aggregator: JoinHandle<Arc<Snapshot>>,
    evaluator: JoinHandle<()>,
    written: Written,
}

impl Rooms {
    /// Starts them, sinks first.
    pub(super) fn start(
        settings: &Settings,
        ground: Ground,
        (fold, feed, report): (Aggregator, Feed, Report),
        broken: &watch::Sender<Option<String>>,
    ) -> Result<Self, StartError> {
        let (inbox, records) = mpsc::channel(INBOX_RECORDS_MAX);
        let (replay, work) = match ground {
            Ground::Memory => (None, None),
            Ground::Disk(disk) => {
                let (replay, work) = disk.open(settings, broken)?;
                (Some(replay), Some(work))
            }
        };
        let keeping = replay
            .as_ref()
            .map(|_| Keeping { every_ns: settings.history.checkpoint_every.nanos(), every_bytes: CHECKPOINT_BYTES });
        let (told, snapshots_told) = std::sync::mpsc::sync_channel(SNAPSHOTS_WAITING_MAX);
        let (snapshots, aggregator) = aggregator::start(fold, records, told, keeping).map_err(anyhow::Error::new)?;
        let (evaluated, seen) = watch::channel(0);
        let next = Box::new(move |evaluated| keep(work.as_ref(), evaluated));
        let started = evaluator::start(feed, report, snapshots_told, Listeners { evaluated, next });
        let (reports, evaluator) = started.map_err(anyhow::Error::new)?;
        Ok(Self { snapshots, reports, seen, inbox, replay, aggregator, evaluator })
    }

    /// Reads what was written and no checkpoint holds, and lets the journal take what is new; whether it is on a disk.
    pub(super) async fn replay(
        self,
        settings: &Settings,
        clock: &SharedClock,
        later: &Later,
        broken: watch::Sender<Option<String>>,
    ) -> Result<(Threads, bool), StartError> {
        let Self { inbox, replay, aggregator, evaluator, .. } = self;
        let is_durable = replay.is_some();
        let written = match replay {
            None => {
                ground::in_memory(later, inbox);
                Written::nothing()
            }
            Some(replay) => {
                let with = (settings.journal.clone(), Arc::clone(clock));
                let (journal, written) = tokio::task::block_in_place(|| replay.run(with, inbox, broken))?;
                later.set(journal);
                written
            }
        };
        Ok((Threads { aggregator, evaluator, written }, is_durable))
    }
}

/// What an evaluation leaves to be written. It waits while the store is busy.
fn keep(work: Option<&mpsc::Sender<Work>>, Evaluated { seq, state, .. }: Evaluated) {
    let (Some(work), Some((fold, feed))) = (work, state) else { return };
    // Nobody takes it any more only when the store failed, and then the daemon ends.
    let _ = work.blocking_send(Work { seq, state: Some(State { fold, feed }), ..Work::default() });
}

impl Threads {
    /// Waits until each has read out its inbox, in the order of the data; the last figures. Blocks.
    pub(super) fn end(self) -> Arc<Snapshot> {
        let last = self.aggregator.join().unwrap_or_default();
        let _ = self.evaluator.join();
        self.written.end();
        last
    }
}
