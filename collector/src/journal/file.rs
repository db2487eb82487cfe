//! The journal's handle, and what others may know of it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::level::{self, Level};
use super::open::Opened;
use super::repeats::Repeats;
use super::writer::{GROUP_RECORDS_MAX, Submitted, Writer};
use super::{Acknowledged, AppendError, Appended, Journal, Record, Sequenced, Settings};
use crate::clock::SharedClock;

/// Whether batches are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    Writing = 0,
    DiskFull = 1,
    Full = 2,
    Broken = 3,
    Ended = 4,
}

/// What the thread tells others.
#[derive(Debug)]
pub(super) struct Shared {
    status: AtomicU8,
    durable_seq: AtomicU64,
    /// Whether no further record will be on the disk.
    has_ended: Mutex<bool>,
    changed: Condvar,
    retired_seq: AtomicU64,
    repeats: Arc<Mutex<Repeats>>,
}

impl Shared {
    pub(super) fn durable(&self) -> u64 {
        self.durable_seq.load(Ordering::Acquire)
    }

    pub(super) fn set_durable(&self, seq: u64) {
        let _guard = self.has_ended.lock().unwrap_or_else(PoisonError::into_inner);
        self.durable_seq.store(seq, Ordering::Release);
        self.changed.notify_all();
    }

    pub(super) fn retired(&self) -> u64 {
        self.retired_seq.load(Ordering::Acquire)
    }

    pub(super) fn repeats(&self) -> MutexGuard<'_, Repeats> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_status(&self, status: Status) {
        self.status.store(status as u8, Ordering::Release);
    }

    /// Nothing more will be written.
    pub(super) fn end(&self, is_broken: bool) {
        self.set_status(if is_broken { Status::Broken } else { Status::Ended });
        *self.has_ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn refuses(&self) -> Option<AppendError> {
        match self.status.load(Ordering::Acquire) {
            0 => None,
            1 => Some(AppendError::DiskFull),
            2 => Some(AppendError::Full),
            3 => Some(AppendError::Broken),
            _ => Some(AppendError::Closed),
        }
    }
}

/// What others may know of a journal and tell it; nothing can be appended by it, and it keeps nothing open.
#[derive(Debug, Clone)]
pub struct Progress(pub(super) Arc<Shared>);

impl Progress {
    /// Waits until this record is on the disk; `false`: it never will be.
    #[must_use]
    pub fn wait_until_durable(&self, seq: u64) -> bool {
        let mut has_ended = self.0.has_ended.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.0.durable() >= seq {
                return true;
            }
            if *has_ended {
                return false;
            }
            has_ended = self.0.changed.wait(has_ended).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Requests up to this record that may come again, as bytes for [`super::open::Opening`].
    #[must_use]
    pub fn repeats(&self, seq: u64) -> Vec<u8> {
        self.0.repeats().save(seq)
    }

    /// Records up to this one are in a checkpoint: their segments may go.
    pub fn retire(&self, seq: u64) {
        self.0.retired_seq.store(seq, Ordering::Release);
    }

    /// Why batches are not taken, if they are not.
    #[must_use]
    pub fn refuses(&self) -> Option<AppendError> {
        self.0.refuses()
    }
}

/// What a journal goes by.
#[derive(Debug)]
pub struct Plan {
    /// How much there may be of it.
    pub settings: Settings,
    /// Says when segments are begun.
    pub clock: SharedClock,
    /// Where records go once they are written, in their order.
    pub inbox: mpsc::Sender<Sequenced>,
}

/// A journal on the disk. It ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct FileJournal {
    queue: mpsc::Sender<Submitted>,
    shared: Arc<Shared>,
    durability: Level,
}

impl FileJournal {
    /// What is known of a journal that was opened: all that is there is on the disk.
    #[must_use]
    pub fn progress(opened: &Opened) -> Progress {
        Progress(Arc::new(Shared {
            status: AtomicU8::new(Status::Writing as u8),
            durable_seq: AtomicU64::new(opened.next_seq - 1),
            has_ended: Mutex::new(false),
            changed: Condvar::new(),
            retired_seq: AtomicU64::new(0),
            repeats: Arc::clone(&opened.repeats),
        }))
    }

    /// Goes on writing after what was opened and replayed. The thread ends when the
    /// last handle is gone, or with an error when the disk fails.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(
        opened: Opened,
        kept: &Progress,
        plan: Plan,
    ) -> std::io::Result<(Self, JoinHandle<Result<(), String>>)> {
        let shared = Arc::clone(&kept.0);
        let durability = plan.settings.durability;
        let (queue, submitted) = mpsc::channel(GROUP_RECORDS_MAX);
        let writer = Writer::new(opened, Arc::clone(&shared), plan);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run(submitted))?;
        Ok((Self { queue, shared, durability }, thread))
    }
}

impl Journal for FileJournal {
    fn append(&self, record: Record) -> Appended<'_> {
        Box::pin(async move {
            let is_batch = matches!(record, Record::Batch { .. });
            match self.shared.refuses() {
                Some(error) if is_batch || matches!(error, AppendError::Broken | AppendError::Closed) => {
                    return Err(error);
                }
                _ => {}
            }
            let gone = || self.shared.refuses().unwrap_or(AppendError::Closed);
            if level::of(&record, self.durability) == Level::None {
                self.queue.send(Submitted { record, answer: None }).await.map_err(|_| gone())?;
                return Ok(Acknowledged::default());
            }
            let (answer, answered) = oneshot::channel();
            self.queue.send(Submitted { record, answer: Some(answer) }).await.map_err(|_| gone())?;
            answered.await.unwrap_or_else(|_| Err(gone()))
        })
    }

    fn refuses(&self) -> Option<AppendError> {
        self.shared.refuses()
    }
}

/// A journal that is there later: the receiver is put together before what was written is read.
#[derive(Debug, Default)]
pub struct Later(OnceLock<Arc<dyn Journal>>);

impl Later {
    /// It is there now; only the first counts.
    pub fn set(&self, journal: Arc<dyn Journal>) {
        let _ = self.0.set(journal);
    }
}

impl Journal for Later {
    fn append(&self, record: Record) -> Appended<'_> {
        match self.0.get() {
            Some(journal) => journal.append(record),
            None => Box::pin(async { Err(AppendError::Closed) }),
        }
    }

    fn refuses(&self) -> Option<AppendError> {
        self.0.get().and_then(|journal| journal.refuses())
    }
}
