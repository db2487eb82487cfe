//! What a daemon stands on: memory alone, or a data directory with a journal and a store of its own.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, watch};

use super::StartError;
use crate::clock::{Clock, SharedClock, SystemClock};
use crate::config::Settings;
use crate::history::directory::{Surroundings, is_writable};
use crate::history::store::Row;
use crate::history::worker::{self, Upstream, Work};
use crate::history::{Checkpoint, Directory, Space, Store};
use crate::journal::disk::RealDisk;
use crate::journal::open::{self, Damaged, Opened, Opening};
use crate::journal::{self, FileJournal, Journal, Later, MemoryJournal, Plan, Sequenced};

/// Batches of rows that wait for the store.
const WORK_WAITING_MAX: usize = 4;
/// What ids of incidents are made of without a data directory.
const STORE_ID_IN_MEMORY: &str = "memory";

/// What it stands on, before anything runs.
pub(super) enum Ground {
    /// Nothing outlives the process.
    Memory,
    /// A data directory, which is this daemon's until it is dropped.
    Disk(Box<Disk>),
}

/// A data directory that was read.
pub(super) struct Disk {
    directory: Directory,
    store: Store,
    /// The rooms' state, if it was ever written.
    pub(super) checkpoint: Option<Checkpoint>,
}

/// The threads that write, and how they are told.
pub(super) struct Written {
    journal: Option<JoinHandle<Result<(), String>>>,
    history: Option<JoinHandle<bool>>,
    /// Held for its lock.
    _directory: Option<Directory>,
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Written").finish_non_exhaustive()
    }
}

/// The journal as it was found, and what waits for it.
pub(super) struct Replay {
    opened: Opened,
    kept: journal::Progress,
    store: Store,
    directory: Directory,
    history: JoinHandle<bool>,
}

impl Upstream for journal::Progress {
    fn wait_until_durable(&self, seq: u64) -> bool {
        Self::wait_until_durable(self, seq)
    }

    fn repeats(&self, seq: u64) -> Vec<u8> {
        Self::repeats(self, seq)
    }

    fn retire(&self, seq: u64) {
        Self::retire(self, seq);
    }
}

impl Ground {
    /// Takes the data directory that settings mean, and reads its checkpoint.
    pub(super) fn take(settings: &Settings) -> Result<Self, StartError> {
        let place = settings.data_dir.resolve(&Surroundings::of_process(), is_writable);
        let Some(path) = place.map_err(|error| StartError::of_directory(&error))? else { return Ok(Self::Memory) };
        let directory = Directory::open(&path, draw).map_err(|error| StartError::of_directory(&error))?;
        let store = Store::open(&path.join("store"), directory.store_id()).map_err(StartError::of_data)?;
        let checkpoint = Checkpoint::read(&store).map_err(StartError::of_data)?;
        Ok(Self::Disk(Box::new(Disk { directory, store, checkpoint })))
    }

    /// What ids of incidents are made of.
    pub(super) fn store_id(&self) -> String {
        match self {
            Self::Memory => STORE_ID_IN_MEMORY.to_owned(),
            Self::Disk(disk) => disk.directory.store_id().iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::Disk(disk) => Some(disk.directory.path()),
        }
    }
}

/// An id for a new data directory.
fn draw() -> std::io::Result<[u8; 16]> {
    use std::io::Read;
    let mut id = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut id)?;
    Ok(id)
}

impl Disk {
    /// Opens the journal and starts the store's thread; what is to be written goes to the sender.
    pub(super) fn open(
        self,
        settings: &Settings,
        broken: &watch::Sender<Option<String>>,
    ) -> Result<(Replay, mpsc::Sender<Work>), StartError> {
        let Self { directory, store, checkpoint } = self;
        let (applied_seq, repeats) = checkpoint.map_or((0, Vec::new()), |kept| (kept.applied_seq, kept.repeats));
        let opened = open::open(Opening {
            directory: directory.path().join("journal"),
            quarantine: directory.path().join("quarantine"),
            store_id: directory.store_id(),
            applied_seq,
            repeats,
            late_accept_ns: settings.ingest.late_accept.nanos(),
            disk: Arc::new(RealDisk),
        });
        let opened = opened.map_err(StartError::of_data)?;
        metrics::counter!("bailiwick_ingest_journal_torn_tails_total").increment(opened.torn);
        note(&opened.damaged, &store)?;
        let kept = FileJournal::progress(&opened);
        let (work, inbox) = mpsc::channel(WORK_WAITING_MAX);
        let broken = broken.clone();
        let history =
            worker::start(store.clone(), Arc::new(kept.clone()), inbox, move |why| drop(broken.send(Some(why))));
        let history = history.map_err(StartError::of_data)?;
        Ok((Replay { opened, kept, store, directory, history }, work))
    }
}

impl Replay {
    /// Hands out what no checkpoint holds, then goes on writing. Blocks while the aggregator is busy.
    pub(super) fn run(
        self,
        (settings, clock): (journal::Settings, SharedClock),
        inbox: mpsc::Sender<Sequenced>,
        broken: watch::Sender<Option<String>>,
    ) -> Result<(Arc<dyn Journal>, Written), StartError> {
        let Self { mut opened, kept, store, directory, history } = self;
        let began = std::time::Instant::now();
        let (mut records, noted) = (0_u64, opened.damaged.len());
        let replayed = opened.replay(|record| {
            records += 1;
            inbox.blocking_send(record).is_ok()
        });
        replayed.map_err(StartError::of_data)?;
        // Those that were found while opening are noted already.
        note(&opened.damaged[noted..], &store)?;
        metrics::gauge!("bailiwick_ingest_replay_seconds").set(began.elapsed().as_secs_f64());
        tracing::info!(records, seconds = began.elapsed().as_secs_f64(), "replayed the journal");
        let started = FileJournal::start(opened, &kept, Plan { settings, clock, inbox });
        let (journal, thread) = started.map_err(anyhow::Error::new)?;
        let watched = std::thread::Builder::new().name("journal-end".to_owned()).spawn(move || {
            let ended = thread.join().unwrap_or_else(|_| Err("the journal's thread panicked".to_owned()));
            if let Err(why) = &ended {
                broken.send_replace(Some(why.clone()));
            }
            ended
        });
        let journal_thread = watched.map_err(anyhow::Error::new)?;
        let written = Written { journal: Some(journal_thread), history: Some(history), _directory: Some(directory) };
        Ok((Arc::new(journal), written))
    }
}

impl Written {
    /// Nothing is written.
    pub(super) const fn nothing() -> Self {
        Self { journal: None, history: None, _directory: None }
    }

    /// Waits until all is on the disk, once nobody can send any more. Blocks.
    pub(super) fn end(self) {
        if let Some(journal) = self.journal {
            let _ = journal.join();
        }
        if let Some(history) = self.history {
            let _ = history.join();
        }
    }
}

/// The journal in memory, behind a handle that others have already.
pub(super) fn in_memory(later: &Later, inbox: mpsc::Sender<Sequenced>) {
    later.set(Arc::new(MemoryJournal::new(inbox)));
}

/// Tells what was promised and is lost, and keeps the ranges that are incomplete by it.
fn note(damaged: &[Damaged], store: &Store) -> Result<(), StartError> {
    metrics::counter!("bailiwick_ingest_journal_damaged_ranges_total").increment(damaged.len() as u64);
    for Damaged { seqs, segment, .. } in damaged {
        tracing::error!(
            "the journal is damaged: records {} to {} in {segment} had been acknowledged and are lost; a copy is in quarantine",
            seqs.0,
            seqs.1
        );
    }
    let now_ns = SystemClock.now_unix_ns();
    store.commit(damaged.iter().map(|damaged| row_of(damaged, now_ns)).collect()).map_err(StartError::of_data)
}

/// The range that a loss leaves incomplete: begin, then end and the file.
/// Nothing later than now is incomplete.
fn row_of(damaged: &Damaged, now_ns: u64) -> Row {
    let mut value = damaged.to_ns.min(now_ns).to_be_bytes().to_vec();
    value.extend_from_slice(damaged.segment.as_bytes());
    Row { space: Space::Incomplete, key: damaged.from_ns.to_be_bytes().to_vec(), value: Some(value) }
}

impl StartError {
    fn of_directory(error: &crate::history::DirectoryError) -> Self {
        if error.is_temporary() { Self::InUse(error.to_string()) } else { Self::Data(error.to_string()) }
    }

    fn of_data(error: impl std::error::Error) -> Self {
        Self::Data(error.to_string())
    }
}
