//! What snapshots say about who calls whom.

use std::sync::Arc;

use bailiwick_slo::saved;
use hdrhistogram::Histogram;

use super::DurationTotals;

/// What is at the other end of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum EdgeKind {
    /// A module that was called by request and answer, or within its process.
    Module = 0,
    /// A module that takes messages.
    Messaging = 1,
    /// A database.
    Database = 2,
    /// A peer that shows no spans of its own.
    Peer = 3,
}
saved!(enum EdgeKind { 0 => Module, 1 => Messaging, 2 => Database, 3 => Peer });

impl EdgeKind {
    /// The published name: Tempo's `connection_type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Module => "",
            Self::Messaging => "messaging_system",
            Self::Database => "database",
            Self::Peer => "virtual_node",
        }
    }
}

/// Number of an edge.
pub type EdgeId = u32;

/// One edge of a tenant's graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeName {
    /// Tenant.
    pub tenant: Arc<str>,
    /// The module that calls.
    pub from: Arc<str>,
    /// The module or peer that is called.
    pub to: Arc<str>,
    /// What is there.
    pub kind: EdgeKind,
}
saved!(struct EdgeName { tenant, from, to, kind });

/// Counts of an edge, by place: requests, failures, calls that their peer shows nothing of.
pub const EDGE_FIELDS: usize = 3;

/// Counts of one edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EdgeCounts {
    /// Calls, adjusted for sampling.
    pub requests: u64,
    /// Those that failed, as the called side says, else the calling one.
    pub failures: u64,
    /// Those to an inventoried peer that shows nothing of them.
    pub unmatched: u64,
}
saved!(struct EdgeCounts { requests, failures, unmatched });

impl From<[u64; EDGE_FIELDS]> for EdgeCounts {
    fn from([requests, failures, unmatched]: [u64; EDGE_FIELDS]) -> Self {
        Self { requests, failures, unmatched }
    }
}

/// What an edge counted since the daemon began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EdgeTotals {
    /// Calls.
    pub counts: EdgeCounts,
    /// How long the called side took, where it shows.
    pub called: DurationTotals,
    /// How long the calling side waited, where it has a span of its own.
    pub calling: DurationTotals,
    /// When its latest call ended, nanoseconds since the Unix epoch.
    pub last_seen_ns: u64,
}
saved!(struct EdgeTotals { counts, called, calling, last_seen_ns });

/// An edge over a window.
#[derive(Debug, Clone)]
pub struct EdgeWindow {
    /// Its number.
    pub edge: EdgeId,
    /// What it counted.
    pub counts: EdgeCounts,
    /// Durations of the called side, else of the calling one, microseconds.
    pub durations: Histogram<u64>,
    /// Waiting times of messages, microseconds.
    pub queue_delays: Histogram<u64>,
}
