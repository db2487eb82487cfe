//! The journal: what was accepted, in the order in which it counts. An export is acknowledged after its record was
//! appended at its level, never before.
//!
//! [`Journal`] is what the receiver sees. In reading order: how durable a record is ([`level`]), the memory of a journal
//! without a disk ([`memory`]); the disk as this room sees it ([`disk`]), records and segments as bytes ([`segment`]), what
//! is there at the start ([`open`]), requests that came before ([`repeats`]), the thread that writes ([`writer`]) and its
//! handle ([`file`]).

mod settings;
pub mod level;
mod memory;
pub mod disk;
pub mod segment;
pub mod open;
mod repeats;
mod writer;
mod file;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bailiwick_slo::course::control::Control;

use crate::observation::batch::Batch;
use crate::observation::budget::Charge;

pub use file::{FileJournal, Later, Plan, Progress};
pub use level::Level;
pub use memory::MemoryJournal;
pub use settings::Settings;

/// One record: the fold's only input.
#[derive(Debug)]
pub enum Record {
    /// An accepted request.
    Batch {
        /// What it showed.
        batch: Batch,
        /// The memory that it holds; given back when the aggregator has applied it.
        charge: Charge,
    },
    /// What an operator ordered.
    Control(Arc<Control>),
    /// The clock of the fold: `now_ns`, once a second.
    Tick {
        /// Nanoseconds since the Unix epoch.
        now_ns: u64,
    },
    /// A request that came before, byte for byte, and counts no more.
    Repeat {
        /// The record of the first.
        original: u64,
        /// What it shows: whose duplicates its items are.
        batch: Batch,
        /// The memory that it holds.
        charge: Charge,
    },
}

/// A record with its place in the order, as the aggregator gets it.
#[derive(Debug)]
pub struct Sequenced {
    /// Number from 1, without gaps but for what a damaged disk lost.
    pub seq: u64,
    /// The record.
    pub record: Record,
}

/// A record that was appended at its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Acknowledged {
    /// Its number; 0 at the level `none`, which is acknowledged before it has one.
    pub seq: u64,
    /// The request had come before: items of it that were refused then.
    pub repeated: Option<u64>,
}

/// Why nothing was appended. Every cause is retryable for the client: the data is good, the fault is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The daemon is going down; the journal takes nothing more.
    #[error("the journal is closed: the daemon is shutting down")]
    Closed,
    /// The disk has too little room.
    #[error("the disk is full: less than journal.min_free_bytes is free")]
    DiskFull,
    /// The journal has as much as it may have, since no checkpoint lets go of it.
    #[error("the journal is full: it has journal.bytes_max")]
    Full,
    /// The disk failed; the daemon ends.
    #[error("the disk failed: the journal takes nothing more")]
    Broken,
}

/// What [`Journal::append`] returns: the record's place once it is acknowledged.
pub type Appended<'a> = Pin<Box<dyn Future<Output = Result<Acknowledged, AppendError>> + Send + 'a>>;

/// Takes records in order. A replicated log may stand behind it later.
pub trait Journal: Send + Sync + std::fmt::Debug {
    /// Appends one record; resolves once it is acknowledged at its level.
    fn append(&self, record: Record) -> Appended<'_>;

    /// Why batches are not taken now, if they are not: to be known before a body is read.
    fn refuses(&self) -> Option<AppendError> {
        None
    }
}
