//! The part of a request that computes and never waits: inflate, JSON, walk. It can move to another thread half-way.

use std::sync::{Mutex, PoisonError};

use super::inflate::{Flow, InflateMax, Inflater, Limits};
use super::json::json_to_protobuf;
use crate::observation::budget::Charge;
use crate::observation::report::Warning;
use crate::observation::{Observed, Observer, Request, Unreadable};
use crate::receiver::answer::Refusal;
use crate::receiver::request::{Coding, Encoding, Received};

/// Output buffers above this are not kept: one bomb must not be paid for until the end of the process.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Walks requests. The daemon's is [`Observer`].
pub trait Walk: Send {
    /// Walks one request.
    ///
    /// # Errors
    /// When the request as a whole cannot be read.
    fn walk(&mut self, request: &Request<'_>) -> Result<Observed, Unreadable>;
}

impl Walk for Observer {
    fn walk(&mut self, request: &Request<'_>) -> Result<Observed, Unreadable> {
        self.observe(request)
    }
}

/// Makes walkers, one for each worker.
pub type WalkerFactory = Box<dyn Fn() -> Box<dyn Walk> + Send + Sync>;

/// Buffers and contexts that requests use one after the other.
pub(super) struct Worker {
    walker: Box<dyn Walk>,
    inflater: Inflater,
    inflated: Vec<u8>,
}

/// Workers that rest. A worker whose request panicked does not come back.
pub(super) struct Workers {
    #[expect(
        clippy::vec_box,
        reason = "a worker changes hands with every request: a pointer moves, its contexts stay"
    )]
    resting: Mutex<Vec<Box<Worker>>>,
    resting_max: usize,
    factory: WalkerFactory,
}

impl Workers {
    pub(super) fn new(factory: WalkerFactory, resting_max: usize) -> Self {
        Self { resting: Mutex::new(Vec::with_capacity(resting_max)), resting_max, factory }
    }

    fn rested(&self) -> Option<Box<Worker>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub(super) fn fetch(&self) -> Box<Worker> {
        self.rested().unwrap_or_else(|| {
            Box::new(Worker { walker: (self.factory)(), inflater: Inflater::default(), inflated: Vec::new() })
        })
    }

    pub(super) fn rest(&self, mut worker: Box<Worker>) {
        worker.inflated.clear();
        worker.inflated.shrink_to(KEPT_BYTES_MAX);
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting.len() < self.resting_max {
            resting.push(worker);
        }
    }
}

/// Limits of the computing part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maxima {
    pub(super) inflate: InflateMax,
    pub(super) items: u32,
    /// Bodies beyond this many inflated bytes are large.
    pub(super) inline_bytes: usize,
}

/// A request on its way through a worker.
pub(super) struct Job {
    pub(super) worker: Box<Worker>,
    pub(super) received: Received,
    pub(super) observed_at_ns: u64,
    pub(super) maxima: Maxima,
    inflated: bool,
}

/// A walked request and the memory that its batch holds.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) observed: Observed,
    pub(super) charge: Charge,
    pub(super) body_bytes: usize,
}

/// A worker that is free again, and what it made.
pub(super) struct Done {
    pub(super) worker: Box<Worker>,
    pub(super) walked: Result<Walked, Refusal>,
}

/// How far a job came.
pub(super) enum Progress {
    /// To its end.
    Done(Done),
    /// It is large: to go on elsewhere.
    Large(Job),
}

impl Job {
    pub(super) fn new(mut worker: Box<Worker>, received: Received, observed_at_ns: u64, maxima: Maxima) -> Self {
        let inflated = received.head.coding == Coding::Identity;
        worker.inflater.begin(received.head.coding);
        Self { worker, received, observed_at_ns, maxima, inflated }
    }

    /// Does what may be done on the thread of a connection: all of a small request.
    pub(super) fn run_if_small(mut self) -> Progress {
        let inline_bytes = self.maxima.inline_bytes;
        let small = match self.inflated {
            true => Ok(self.received.body.len() <= inline_bytes),
            false => self.inflate(inline_bytes).map(|flow| flow == Flow::Complete),
        };
        match small {
            Ok(true) => Progress::Done(self.run()),
            Ok(false) => Progress::Large(self),
            Err(refusal) => Progress::Done(Done { worker: self.worker, walked: Err(refusal) }),
        }
    }

    /// Does all of it.
    pub(super) fn run(mut self) -> Done {
        let inflated = if self.inflated { Ok(()) } else { self.inflate(usize::MAX).map(|_| ()) };
        let Self { mut worker, received, observed_at_ns, maxima, .. } = self;
        let walked = inflated.and_then(|()| worker.walk(received, observed_at_ns, maxima.items));
        Done { worker, walked }
    }

    fn inflate(&mut self, pause_at: usize) -> Result<Flow, Refusal> {
        let Worker { inflater, inflated, .. } = &mut *self.worker;
        let limits = Limits { max: self.maxima.inflate, pause_at, hold: &mut self.received.hold };
        let flow = inflater.run(&self.received.body, inflated, limits)?;
        self.inflated = flow == Flow::Complete;
        Ok(flow)
    }
}

impl Worker {
    fn walk(&mut self, received: Received, observed_at_ns: u64, items_max: u32) -> Result<Walked, Refusal> {
        let Received { head, body, mut hold } = received;
        let body = if head.coding == Coding::Identity { &body[..] } else { &self.inflated[..] };
        let converted = match head.encoding {
            Encoding::Protobuf => None,
            Encoding::Json => Some(json_to_protobuf(body, head.signal, items_max, &mut hold)?),
        };
        let mut observed = self.walker.walk(&Request {
            protobuf: converted.as_ref().map_or(body, |converted| &converted.protobuf),
            body,
            signal: head.signal,
            observed_at_ns,
            items_expected: converted.as_ref().map(|converted| converted.items),
            meta: head.meta(),
        })?;
        if converted.is_some_and(|converted| converted.unknown_top_level) {
            observed.report.warnings[Warning::UnknownKeys as usize] += 1;
        }
        let body_bytes = body.len();
        let charge = hold.become_batch(observed.batch.bytes().len() as u64)?;
        Ok(Walked { observed, charge, body_bytes })
    }
}
