//! The room's verb: [`Observer::observe`].

use std::sync::Arc;

use super::batch::{Batch, Builder, Head, Meta};
use super::items::ItemWalk;
use super::report::Report;
use super::scratch::Scratch;
use super::settings::{LimitSettings, Rules};
use super::slots;
use crate::otlp::metrics;
use crate::otlp::trace::{self, Halt, Keys, WalkLimits};

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Signal {
    /// `ExportTraceServiceRequest`.
    Traces = 1,
    /// `ExportMetricsServiceRequest`.
    Metrics = 2,
}
bailiwick_slo::saved!(enum Signal { 1 => Traces, 2 => Metrics });

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
    /// Items that the JSON pre-scan counted; what the visitor finds short of it was lost on the way.
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
    #[error("failed to decode protobuf at byte {offset}: {fault}")]
    BadProtobuf {
        /// Byte offset in the protobuf body.
        offset: usize,
        /// What is wrong there.
        fault: crate::otlp::wire::Fault,
    },
    /// Over `limits.items_max` or `limits.containers_max`.
    #[error("more than {max} {what} in one request")]
    TooManyItems {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        max: u32,
    },
}

impl From<&LimitSettings> for WalkLimits {
    fn from(limits: &LimitSettings) -> Self {
        Self {
            items_max: limits.items_max,
            containers_max: limits.containers_max,
            attributes_max: limits.attributes_max,
            links_max: limits.links_max,
            buckets_max: limits.buckets_max,
            groups_max: limits.groups_max as usize,
        }
    }
}

/// Walks requests, one at a time, with reused buffers. One per worker.
#[derive(Debug)]
pub struct Observer {
    rules: Arc<Rules>,
    keys: Keys,
    limits: WalkLimits,
    builder: Builder,
    scratch: Scratch,
}

impl Observer {
    /// An observer under these rules.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        let limits = &rules.limits;
        Self {
            keys: slots::keys(&rules),
            limits: WalkLimits::from(limits),
            builder: Builder::new(limits.strings_max, limits.string_bytes_max.bytes()),
            scratch: Scratch::new(&rules),
            rules,
        }
    }

    /// Walks one request.
    ///
    /// # Errors
    /// When the request as a whole cannot be read; nothing of it counts then.
    pub fn observe(&mut self, request: &Request<'_>) -> Result<Observed, Unreadable> {
        self.walk::<false>(request)
    }

    /// Like [`Self::observe`], but refuses what prost refuses, in skipped values too. For tests: it recurses.
    ///
    /// # Errors
    /// When the request as a whole cannot be read.
    pub fn observe_strictly(&mut self, request: &Request<'_>) -> Result<Observed, Unreadable> {
        self.walk::<true>(request)
    }

    fn walk<const STRICT: bool>(&mut self, request: &Request<'_>) -> Result<Observed, Unreadable> {
        self.builder.begin();
        let mut sink = ItemWalk::new(&self.rules, &mut self.builder, &mut self.scratch, request);
        let (walked, mut report) = match request.signal {
            Signal::Traces => {
                let walked = trace::visit::<STRICT>(request.protobuf, &self.keys, &self.limits, &mut sink);
                (walked, sink.finish())
            }
            Signal::Metrics => {
                let walked = metrics::visit::<STRICT>(request.protobuf, &self.keys, &self.limits, &mut sink);
                (walked, sink.finish())
            }
        };
        walked.map_err(|halt| self.unreadable(halt, request.protobuf))?;
        let lost = request.items_expected.unwrap_or(0).saturating_sub(report.received);
        if lost > 0 {
            report.lose(lost);
            self.builder.reject(0, super::report::Reason::JsonShape, (report.received - lost, lost));
        }
        let head = Head {
            signal: request.signal as u8,
            observed_at_ns: request.observed_at_ns,
            body_hash: twox_hash::XxHash3_128::oneshot(request.body),
            body_bytes: u32::try_from(request.body.len()).unwrap_or(u32::MAX),
            received: report.received,
            ignored: report.ignored,
            warnings: report.warning_bits(),
        };
        Ok(Observed { batch: self.builder.finish(&head, &request.meta), report })
    }

    fn unreadable(&self, halt: Halt, body: &[u8]) -> Unreadable {
        match halt {
            Halt::Wire(error) => Unreadable::BadProtobuf { offset: error.offset_in(body), fault: error.fault },
            Halt::Items => Unreadable::TooManyItems { what: "items", max: self.limits.items_max },
            Halt::Containers => Unreadable::TooManyItems { what: "containers", max: self.limits.containers_max },
        }
    }
}
