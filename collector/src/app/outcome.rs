//! What the daemon tells those who run it: where it listens, why it does not, what it did.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::MemoryBound;
use crate::aggregator::Snapshot;
use crate::evaluator::definitions::DefinitionError;

/// The daemon is ready, and where.
#[derive(Debug, Clone)]
pub struct Started {
    /// The version of this build.
    pub version: &'static str,
    /// From the start of the process to readiness.
    pub ready_in: Duration,
    /// Addresses of OTLP/gRPC.
    pub grpc: Vec<SocketAddr>,
    /// Addresses of OTLP/HTTP.
    pub http: Vec<SocketAddr>,
    /// Address of API and metrics.
    pub server: SocketAddr,
    /// Where it keeps what outlives it; `None`: nowhere.
    pub data: Option<PathBuf>,
    /// The most memory that it can take.
    pub memory: MemoryBound,
}

/// What was done, for the last event.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Items received.
    pub received: u64,
    /// Of them accepted.
    pub accepted: u64,
    /// Of them rejected.
    pub rejected: u64,
    /// Of them seen before.
    pub duplicates: u64,
    /// Whether the deadline passed, or a second signal came, before all rooms had drained.
    pub cut_short: bool,
}

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken or may not be taken.
    #[error("{0}")]
    Listen(String),
    /// Another daemon has the data directory.
    #[error("{0}")]
    InUse(String),
    /// The data directory cannot be used, or the disk failed.
    #[error("{0}")]
    Data(String),
    /// The SLO definitions cannot be taken.
    #[error(transparent)]
    Definitions(DefinitionError),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl Summary {
    /// The totals of the last snapshot.
    pub(super) fn of(last: &Arc<Snapshot>) -> Self {
        let mut summary = Self::default();
        for books in last.books() {
            summary.received += books.received;
            summary.accepted += books.accepted;
            summary.duplicates += books.duplicates;
            summary.rejected += books.rejected.iter().map(|(_, count)| count).sum::<u64>();
        }
        summary
    }
}
