//! The room's verb: [`Observer::observe`].

use std::sync::Arc;

use super::batch::{Batch, Meta};
use super::report::Report;
use super::settings::Rules;

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Signal {
    /// `ExportTraceServiceRequest`.
    Traces = 1,
    /// `ExportMetricsServiceRequest`.
    Metrics = 2,
}

impl Signal {
    /// The published name, the value of the label `signal`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
        }
    }
}

/// One request, ready to be walked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The protobuf bytes to walk.
    pub protobuf: &'a [u8],
    /// The inflated body as it was sent (the same bytes, or JSON): only its hash and length are kept.
    pub body: &'a [u8],
    /// Which message it is.
    pub signal: Signal,
    /// The clock when the body was complete.
    pub observed_at_ns: u64,
    /// Items that the JSON pre-scan counted; the visitor must find as many.
    pub items_expected: Option<u32>,
    /// What the transport knows.
    pub meta: Meta<'a>,
}

/// A request that was walked to its end.
#[derive(Debug)]
pub struct Observed {
    /// What the journal stores.
    pub batch: Batch,
    /// What the answer says.
    pub report: Report,
}

/// Why a whole request was refused: nothing of it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not protobuf: at which byte and why.
    #[error("failed to decode protobuf at byte {offset}: {what}")]
    BadProtobuf {
        /// Byte offset in the protobuf body.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// Over `limits.items_max` or `limits.containers_max`.
    #[error("more than {max} {what} in one request")]
    TooManyItems {
        /// `items` or `containers`.
        what: &'static str,
        /// The limit.
        max: u32,
    },
}

/// Walks requests, one at a time, with reused buffers. One per worker.
#[derive(Debug)]
pub struct Observer {
    rules: Arc<Rules>,
}

impl Observer {
    /// An observer under these rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        Self { rules }
    }

    /// Walks one request.
    ///
    /// # Errors
    /// When the request as a whole cannot be read; nothing of it counts then.
    pub fn observe(&mut self, request: &Request<'_>) -> Result<Observed, Unreadable> {
        let _ = (request, &self.rules);
        todo!()
    }
}
