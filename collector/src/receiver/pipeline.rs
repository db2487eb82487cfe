//! The way of a complete request: inflate, JSON to protobuf, walk, journal, answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::answer::{Accepted, Answer, Refusal, Warned, error_message, warnings_of};
use super::inflate::inflate;
use super::request::{Coding, Encoding, Head, Ingest, Received};
use crate::clock::SharedClock;
use crate::journal::{Journal, Record};
use crate::observation::batch::Batch;
use crate::observation::budget::{Budget, Charge};
use crate::observation::report::Report;
use crate::observation::{Observer, Request, Rules, Signal};
use crate::otlp::json;

/// Bodies up to this size are walked on the connection's task.
const INLINE_BYTES: usize = 1 << 20;

/// Whether requests are taken, as everybody sees it.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<AtomicU8>);

impl Gate {
    /// Takes requests from now on.
    pub fn open(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    /// Takes none any more.
    pub fn shut(&self) {
        self.0.store(2, Ordering::Relaxed);
    }

    /// Whether requests are taken.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 1
    }

    pub(super) fn pass(&self) -> Result<(), Refusal> {
        match self.0.load(Ordering::Relaxed) {
            0 => Err(Refusal::starting()),
            1 => Ok(()),
            _ => Err(Refusal::shutdown()),
        }
    }
}

/// What the pipeline works with.
#[derive(Debug)]
pub struct Pipeline {
    rules: Arc<Rules>,
    journal: Arc<dyn Journal>,
    clock: SharedClock,
    /// One observer a worker; as many as ever walked at once.
    observers: Mutex<Vec<Observer>>,
    warned: Mutex<Warned>,
    workers: Arc<Semaphore>,
}

impl Pipeline {
    /// A pipeline in front of a journal.
    #[must_use]
    pub fn new(rules: Arc<Rules>, journal: Arc<dyn Journal>, clock: SharedClock) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            rules,
            journal,
            clock,
            observers: Mutex::default(),
            warned: Mutex::default(),
            workers: Arc::new(Semaphore::new(cores)),
        }
    }

    async fn run(self: Arc<Self>, received: Received) -> Answer {
        let head = received.head.clone();
        let (batch, charge, report) = if received.body.len() <= INLINE_BYTES && received.head.coding == Coding::Identity
        {
            self.walk_caught(received)?
        } else {
            let _turn = self.workers.acquire().await.map_err(|_| Refusal::shutdown())?;
            let worker = Arc::clone(&self);
            let walked = tokio::task::spawn_blocking(move || worker.walk_caught(received)).await;
            walked.map_err(|_| Refusal::panic())??
        };
        head.still_waited_for(Instant::now())?;
        self.journal.append(Record::Batch { batch, charge }).await.map_err(|_| Refusal::shutdown())?;
        Ok(self.accepted(&head, &report))
    }

    fn walk_caught(&self, received: Received) -> Result<(Batch, Charge, Report), Refusal> {
        // An observer that panicked is dropped with its buffers, so that nothing half-written is seen again.
        catch_unwind(AssertUnwindSafe(|| self.walk(received))).unwrap_or_else(|_| Err(Refusal::panic()))
    }

    fn walk(&self, received: Received) -> Result<(Batch, Charge, Report), Refusal> {
        let Received { head, body, hold: mut charge } = received;
        let inflated;
        let plain: &[u8] = if head.coding == Coding::Identity {
            &body
        } else {
            inflated = inflate(&body, head.coding, &self.rules.limits, &mut charge)?;
            &inflated
        };
        let (converted, items_expected) = self.protobuf(plain, &head, &mut charge)?;
        let request = Request {
            protobuf: converted.as_deref().unwrap_or(plain),
            body: plain,
            signal: head.signal,
            observed_at_ns: self.clock.now_unix_ns(),
            items_expected,
            meta: head.meta(),
        };
        let pooled = self.observers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut observer = pooled.unwrap_or_else(|| Observer::new(Arc::clone(&self.rules)));
        let observed = observer.observe(&request);
        self.observers.lock().unwrap_or_else(PoisonError::into_inner).push(observer);
        let observed = observed?;
        // The body's charge ends here; the batch's lasts until the aggregator has applied it.
        let batch_bytes = observed.batch.bytes().len() as u64;
        let missing = batch_bytes.saturating_sub(charge.bytes());
        charge.grow(missing).map_err(|_| Refusal::inflight())?;
        charge.shrink_to(batch_bytes);
        Ok((observed.batch, charge, observed.report))
    }

    fn protobuf(
        &self,
        plain: &[u8],
        head: &Head,
        charge: &mut Charge,
    ) -> Result<(Option<Vec<u8>>, Option<u32>), Refusal> {
        if head.encoding == Encoding::Protobuf {
            return Ok((None, None));
        }
        let kind = if head.signal == Signal::Traces { json::Kind::Traces } else { json::Kind::Metrics };
        let limits = json::Limits { items_max: self.rules.limits.items_max, ..json::Limits::default() };
        let scan = json::prescan(plain, kind, &limits).map_err(|error| refusal_of(&error))?;
        charge.grow(scan.charge_bytes).map_err(|_| Refusal::inflight())?;
        let bytes = json::to_protobuf(plain, kind, &scan).map_err(|error| refusal_of(&error))?;
        Ok((Some(bytes), Some(scan.items)))
    }

    fn accepted(&self, head: &Head, report: &Report) -> Accepted {
        let kinds = warnings_of(report);
        let now_seconds = self.clock.now_unix_ns() / 1_000_000_000;
        let due = match kinds {
            0 => 0,
            kinds => {
                self.warned.lock().unwrap_or_else(PoisonError::into_inner).due(head.principal(), kinds, now_seconds)
            }
        };
        Accepted { rejected: report.refused_items(), message: error_message(report, head.signal, due) }
    }
}

fn refusal_of(error: &json::JsonError) -> Refusal {
    match error {
        json::JsonError::TooManyItems { max } => Refusal::too_many("items", *max),
        json::JsonError::Syntax { offset, .. } | json::JsonError::TooDeep { offset, .. } => {
            Refusal::bad_json(format!("byte {offset}"), error.to_string())
        }
        json::JsonError::Value { path, .. } => Refusal::bad_json(path.clone(), error.to_string()),
    }
}

impl Ingest for Arc<Pipeline> {
    async fn ingest(&self, received: Received) -> Answer {
        Arc::clone(self).run(received).await
    }
}

/// What transports share of memory: the whole budget and the most that one request may take of it.
#[derive(Debug, Clone)]
pub(super) struct Purse {
    pub(super) budget: Budget,
    pub(super) body_bytes_max: u64,
}

impl Purse {
    /// Charges a declared length before anything is read.
    pub(super) fn charge(&self, declared: u64) -> Result<Charge, Refusal> {
        if declared > self.body_bytes_max {
            return Err(Refusal::body_too_large(self.body_bytes_max));
        }
        if declared > self.budget.max() / 2 {
            return Err(Refusal::share());
        }
        self.budget.charge(declared).map_err(|_| Refusal::inflight())
    }
}
