//! The journal: what was accepted, in the order in which it counts. An export is acknowledged after its record was
//! appended at its level, never before.
//!
//! [`Journal`] is what the receiver sees; [`memory`] is the level without a disk: the record is handed to the
//! aggregator in order, and only then acknowledged.

mod memory;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bailiwick_slo::course::control::Control;

use crate::observation::batch::Batch;
use crate::observation::budget::Charge;

pub use memory::MemoryJournal;

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
}

/// A record with its place in the order, as the aggregator gets it.
#[derive(Debug)]
pub struct Sequenced {
    /// Number from 1, without gaps.
    pub seq: u64,
    /// The record.
    pub record: Record,
}

/// Why nothing was appended. Every cause is retryable for the client: the data is good, the fault is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The daemon is going down; the journal takes nothing more.
    #[error("the journal is closed: the daemon is shutting down")]
    Closed,
}

/// What [`Journal::append`] returns: the record's sequence number once it is acknowledged.
pub type Appended<'a> = Pin<Box<dyn Future<Output = Result<u64, AppendError>> + Send + 'a>>;

/// Takes records in order. A replicated log may stand behind it later.
pub trait Journal: Send + Sync + std::fmt::Debug {
    /// Appends one record; resolves once it is acknowledged at its level.
    fn append(&self, record: Record) -> Appended<'_>;
}
