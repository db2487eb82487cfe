//! The thread that writes the store: takes batches in order, waits until the journal holds what they came from, commits
//! them, and tells the journal what it need not keep.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;

use super::checkpoint::{Checkpoint, Checkpoints};
use super::store::{Row, Store, StoreError};

/// What the journal is asked: nothing of it can be appended to.
pub trait Upstream: Send + Sync + std::fmt::Debug {
    /// Waits until this record is on the disk; `false`: it never will be.
    fn wait_until_durable(&self, seq: u64) -> bool;
    /// The window of repeats as of this record.
    fn repeats(&self, seq: u64) -> Vec<u8>;
    /// Records up to this one are in a checkpoint: their segments may go.
    fn retire(&self, seq: u64);
}

/// The state of the rooms before.
#[derive(Debug)]
pub struct State {
    /// The aggregator's.
    pub fold: Vec<u8>,
    /// The evaluator's.
    pub feed: Vec<u8>,
}

/// What is to be written as one batch.
#[derive(Debug, Default)]
pub struct Work {
    /// The last record that it comes from.
    pub seq: u64,
    /// Rows of other rooms.
    pub rows: Vec<Row>,
    /// The state after that record.
    pub state: Option<State>,
    /// Told once it is on the disk; dropped when it will not be.
    pub done: Option<oneshot::Sender<()>>,
}

/// What the last checkpoint took, for `/metrics`.
#[derive(Debug, Clone)]
struct Meters {
    seconds: metrics::Histogram,
    bytes: metrics::Gauge,
    applied_seq: metrics::Gauge,
}

impl Meters {
    fn register() -> Self {
        Self {
            seconds: metrics::histogram!("bailiwick_ingest_checkpoint_seconds"),
            bytes: metrics::gauge!("bailiwick_ingest_checkpoint_bytes"),
            applied_seq: metrics::gauge!("bailiwick_ingest_journal_applied_seq"),
        }
    }

    fn checkpoint(&self, began: Instant, bytes: usize, seq: u64) {
        self.seconds.record(began.elapsed().as_secs_f64());
        self.bytes.set(bytes as f64);
        self.applied_seq.set(seq as f64);
    }
}

/// Starts the thread; it ends when nobody can send any more, and says whether all that it was given was written.
/// `broken` hears of the first failure, after which nothing is written.
///
/// # Errors
/// When the operating system gives no thread, or the store cannot be read.
pub fn start(
    store: Store,
    kept: Arc<dyn Upstream>,
    mut inbox: Receiver<Work>,
    broken: impl FnOnce(String) + Send + 'static,
) -> Result<JoinHandle<bool>, StoreError> {
    let mut writer = Writer { checkpoints: Checkpoints::of(&store)?, store, kept, meters: Meters::register() };
    let thread = std::thread::Builder::new().name("history".to_owned()).spawn(move || {
        while let Some(work) = inbox.blocking_recv() {
            if let Err(failure) = writer.write(work) {
                // What waits is not answered: whoever sent it sees its channel closed.
                broken(failure);
                return false;
            }
        }
        true
    });
    thread.map_err(|error| StoreError::Io { what: "start the thread of", reason: error.to_string() })
}

struct Writer {
    store: Store,
    checkpoints: Checkpoints,
    kept: Arc<dyn Upstream>,
    meters: Meters,
}

impl Writer {
    fn write(&mut self, work: Work) -> Result<(), String> {
        let Work { seq, rows, state, done } = work;
        let began = Instant::now();
        // What is told to others, or stands for the journal, must not know more than the journal after a power loss.
        if !self.kept.wait_until_durable(seq) {
            return Err(format!("the journal ended before record {seq} was on the disk"));
        }
        let written = match state {
            Some(State { fold, feed }) => {
                let checkpoint = Checkpoint { applied_seq: seq, fold, feed, repeats: self.kept.repeats(seq) };
                let bytes = checkpoint.fold.len() + checkpoint.feed.len() + checkpoint.repeats.len();
                let written = self.checkpoints.write(&self.store, &checkpoint, rows);
                self.meters.checkpoint(began, bytes, seq);
                written.map(|()| self.kept.retire(seq))
            }
            None if rows.is_empty() => Ok(()),
            None => self.store.commit(rows),
        };
        written.map_err(|error| error.to_string())?;
        if let Some(done) = done {
            // Nobody waits any more only when the daemon ends.
            let _ = done.send(());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::mpsc;

    use super::*;
    use crate::history::Space;

    /// A journal that says what it was asked.
    #[derive(Debug, Default)]
    struct Asked {
        durable: bool,
        said: Mutex<Vec<String>>,
    }

    impl Asked {
        fn note(&self, what: String) {
            self.said.lock().expect("no panic").push(what);
        }
    }

    impl Upstream for Asked {
        fn wait_until_durable(&self, seq: u64) -> bool {
            self.note(format!("durable {seq}"));
            self.durable
        }

        fn repeats(&self, seq: u64) -> Vec<u8> {
            self.note(format!("repeats {seq}"));
            vec![7]
        }

        fn retire(&self, seq: u64) {
            self.note(format!("retire {seq}"));
        }
    }

    fn store(name: &str) -> (Store, std::path::PathBuf) {
        let path = std::env::temp_dir().join(format!("bailiwick-writer-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        (Store::open(&path, [3; 16]).expect("a new one"), path)
    }

    fn row() -> Row {
        Row { space: Space::Outbox, key: b"a".to_vec(), value: Some(b"x".to_vec()) }
    }

    #[test]
    fn a_batch_waits_for_the_journal_and_the_journal_for_the_batch() {
        let (store, path) = store("order");
        let kept = Arc::new(Asked { durable: true, ..Asked::default() });
        let (outbox, inbox) = mpsc::channel(4);
        let thread =
            start(store.clone(), Arc::clone(&kept) as Arc<dyn Upstream>, inbox, |_| panic!("nothing is broken"));
        let (done, told) = oneshot::channel();
        outbox.blocking_send(Work { seq: 3, rows: vec![row()], done: Some(done), ..Work::default() }).expect("it runs");
        told.blocking_recv().expect("it was written");
        assert_eq!(store.get(Space::Outbox, b"a").expect("a read"), Some(b"x".to_vec()));
        let state = Some(State { fold: vec![1], feed: vec![2] });
        outbox.blocking_send(Work { seq: 5, state, ..Work::default() }).expect("it runs");
        drop(outbox);
        assert!(thread.expect("a thread").join().expect("no panic"));
        assert_eq!(*kept.said.lock().expect("no panic"), ["durable 3", "durable 5", "repeats 5", "retire 5"]);
        let checkpoint = Checkpoint::read(&store).expect("it is whole").expect("it was written");
        assert_eq!(checkpoint, Checkpoint { applied_seq: 5, fold: vec![1], feed: vec![2], repeats: vec![7] });
        drop(store);
        std::fs::remove_dir_all(path).expect("it is there");
    }

    #[test]
    fn what_the_journal_lost_is_not_told() {
        let (store, path) = store("lost");
        let (outbox, inbox) = mpsc::channel(4);
        let (broken, heard) = std::sync::mpsc::sync_channel(1);
        let thread = start(store.clone(), Arc::new(Asked::default()), inbox, move |why| drop(broken.send(why)));
        let (done, told) = oneshot::channel();
        outbox.blocking_send(Work { seq: 3, rows: vec![row()], done: Some(done), ..Work::default() }).expect("it runs");
        assert!(told.blocking_recv().is_err());
        assert!(heard.recv().expect("it is told").contains("record 3"));
        assert!(!thread.expect("a thread").join().expect("no panic"));
        assert_eq!(store.get(Space::Outbox, b"a").expect("a read"), None);
        drop(store);
        std::fs::remove_dir_all(path).expect("it is there");
    }
}
