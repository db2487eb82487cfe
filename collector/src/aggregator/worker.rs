//! The thread around the fold: takes records in order, applies them, publishes after each tick and at the end.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;

use super::fold::Aggregator;
use super::snapshot::Snapshot;
use crate::journal::{Record, Sequenced};

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
///
/// # Errors
/// When the operating system gives no thread.
pub fn start(
    mut fold: Aggregator,
    inbox: Receiver<Sequenced>,
) -> std::io::Result<(SnapshotReader, JoinHandle<Arc<Snapshot>>)> {
    let reader = SnapshotReader::default();
    let shown = reader.clone();
    let thread = std::thread::Builder::new().name("aggregator".to_owned()).spawn(move || {
        for Sequenced { seq, record } in inbox {
            match record {
                Record::Batch { batch, charge } => {
                    fold.apply(seq, &batch.view());
                    drop(charge);
                }
                Record::Tick { now_ns } => shown.0.store(fold.tick(seq, now_ns)),
            }
        }
        let last = fold.finish();
        shown.0.store(Arc::clone(&last));
        last
    })?;
    Ok((reader, thread))
}
