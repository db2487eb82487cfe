//! The thread around the fold: takes records in order, applies them, publishes after each tick and at the end.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use bailiwick_slo::wire::Writer;
use tokio::sync::mpsc::Receiver;

use super::fold::Aggregator;
use super::snapshot::Snapshot;
use crate::journal::{Record, Sequenced};

/// Records taken from the inbox at once: all that it holds.
const RECORDS_AT_ONCE: usize = 256;

/// How long records gather before they are taken. Acknowledgements do not wait for it; it is short against the tick.
const GATHERING: Duration = Duration::from_millis(1);

/// Where readers find the latest snapshot.
#[derive(Debug, Clone, Default)]
pub struct SnapshotReader(Arc<ArcSwap<Snapshot>>);

impl SnapshotReader {
    /// The latest snapshot.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }
}

/// What goes on to whoever counts on with snapshots, who must not miss one.
#[derive(Debug)]
pub struct Told {
    /// The snapshot of a tick.
    pub snapshot: Arc<Snapshot>,
    /// The fold's state after it, where it is due to be kept.
    pub state: Option<Vec<u8>>,
}

/// How often the fold's state is kept (`ingest.md` 5.7).
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// Nanoseconds of the fold's clock.
    pub every_ns: u64,
    /// Bytes of batches.
    pub every_bytes: u64,
}

/// Starts the thread. It ends when the inbox closes, and returns the last snapshot: all that was acknowledged is in.
/// Every snapshot goes to `told` too, and with `keeping` the state with some and with the last. Without, nothing outlives
/// the process, and the last snapshot settles what still waits.
///
/// # Errors
/// When the operating system gives no thread.
pub fn start(
    fold: Aggregator,
    mut inbox: Receiver<Sequenced>,
    told: SyncSender<Told>,
    keeping: Option<Keeping>,
) -> std::io::Result<(SnapshotReader, JoinHandle<Arc<Snapshot>>)> {
    let reader = SnapshotReader::default();
    let mut worker = Worker { fold, shown: reader.clone(), told, keeping, kept_ns: 0, bytes: 0, last: Arc::default() };
    let thread = std::thread::Builder::new().name("aggregator".to_owned()).spawn(move || {
        let mut records = Vec::with_capacity(RECORDS_AT_ONCE);
        while inbox.blocking_recv_many(&mut records, RECORDS_AT_ONCE) > 0 {
            records.drain(..).for_each(|record| worker.take(record));
            // Nobody waits for this thread: what comes meanwhile is taken at once, instead of a switch of threads each.
            std::thread::sleep(GATHERING);
        }
        worker.end()
    })?;
    Ok((reader, thread))
}

struct Worker {
    fold: Aggregator,
    shown: SnapshotReader,
    told: SyncSender<Told>,
    keeping: Option<Keeping>,
    /// When the state was kept last, by the fold's clock; 0: no tick came yet.
    kept_ns: u64,
    /// Bytes of batches since then.
    bytes: u64,
    last: Arc<Snapshot>,
}

impl Worker {
    fn take(&mut self, Sequenced { seq, record }: Sequenced) {
        match record {
            Record::Batch { batch, charge } => {
                self.fold.apply(seq, &batch.view());
                self.bytes += batch.bytes().len() as u64;
                drop(charge);
            }
            Record::Repeat { batch, charge, .. } => {
                self.fold.repeat(seq, &batch.view());
                self.bytes += batch.bytes().len() as u64;
                drop(charge);
            }
            Record::Control(control) => self.fold.order(seq, control),
            Record::Tick { now_ns } => {
                let snapshot = self.fold.tick(seq, now_ns);
                let state = self.is_due(now_ns).then(|| self.state());
                self.publish(snapshot, state);
            }
        }
    }

    fn is_due(&mut self, now_ns: u64) -> bool {
        let Some(Keeping { every_ns, every_bytes }) = self.keeping else { return false };
        if self.kept_ns == 0 {
            self.kept_ns = now_ns;
        }
        let is_due = now_ns.saturating_sub(self.kept_ns) >= every_ns || self.bytes >= every_bytes;
        if is_due {
            (self.kept_ns, self.bytes) = (now_ns, 0);
        }
        is_due
    }

    fn state(&self) -> Vec<u8> {
        let mut to = Writer::default();
        self.fold.save(&mut to);
        to.into_bytes()
    }

    fn publish(&mut self, snapshot: Arc<Snapshot>, state: Option<Vec<u8>>) {
        self.shown.0.store(Arc::clone(&snapshot));
        self.last = Arc::clone(&snapshot);
        // Nobody is there any more only when the daemon ends.
        let _ = self.told.send(Told { snapshot, state });
    }

    /// The end. A state that is kept goes no further than the records: what comes after a restart is as it would have
    /// been without one.
    fn end(mut self) -> Arc<Snapshot> {
        if self.keeping.is_none() {
            let last = self.fold.finish();
            self.publish(last, None);
        } else if self.last.seq == self.fold.seq() {
            // The last record was a tick: its snapshot is the last one, and nothing came after it.
            let (last, state) = (Arc::clone(&self.last), self.state());
            self.publish(last, Some(state));
        }
        self.last
    }
}
