//! The thread around the fold: takes records in order, applies them, publishes after each tick and at the end.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
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

/// Starts the thread. It ends when the inbox closes, and returns the last snapshot: all that was acknowledged is in.
/// Every snapshot goes to `told` too: whoever counts on with it must not miss one.
///
/// # Errors
/// When the operating system gives no thread.
pub fn start(
    mut fold: Aggregator,
    mut inbox: Receiver<Sequenced>,
    told: SyncSender<Arc<Snapshot>>,
) -> std::io::Result<(SnapshotReader, JoinHandle<Arc<Snapshot>>)> {
    let reader = SnapshotReader::default();
    let shown = reader.clone();
    let thread = std::thread::Builder::new().name("aggregator".to_owned()).spawn(move || {
        let mut records = Vec::with_capacity(RECORDS_AT_ONCE);
        while inbox.blocking_recv_many(&mut records, RECORDS_AT_ONCE) > 0 {
            for Sequenced { seq, record } in records.drain(..) {
                match record {
                    Record::Batch { batch, charge } => {
                        fold.apply(seq, &batch.view());
                        drop(charge);
                    }
                    Record::Control(control) => fold.order(seq, control),
                    Record::Tick { now_ns } => publish(&shown, &told, fold.tick(seq, now_ns)),
                }
            }
            // Nobody waits for this thread: what comes meanwhile is taken at once, instead of a switch of threads each.
            std::thread::sleep(GATHERING);
        }
        let last = fold.finish();
        publish(&shown, &told, Arc::clone(&last));
        last
    })?;
    Ok((reader, thread))
}

fn publish(shown: &SnapshotReader, told: &SyncSender<Arc<Snapshot>>, snapshot: Arc<Snapshot>) {
    shown.0.store(Arc::clone(&snapshot));
    // Nobody is there any more only when the daemon ends.
    let _ = told.send(snapshot);
}
