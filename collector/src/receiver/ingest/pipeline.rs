//! The daemon's [`Ingest`]: a worker computes, the journal appends, the answer says what became of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::inflate::InflateMax;
use super::worker::{Done, Job, Maxima, Progress, Walked, WalkerFactory, Workers};
use crate::clock::SharedClock;
use crate::journal::{Journal, Record};
use crate::observation::report::Report;
use crate::observation::{LimitSettings, Observed};
use crate::receiver::answer::{Accepted, Answer, Refusal, Warned, error_message, warnings_of};
use crate::receiver::meters::{RequestMeters, WarningMeters};
use crate::receiver::request::{Head, Ingest, Received};

/// Bodies up to this many inflated bytes are walked on their connection's task: about 200 us.
const INLINE_BYTES_MAX: usize = 1 << 20;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What a [`Pipeline`] is made of.
pub struct Plan {
    /// Makes a walker for each worker.
    pub walkers: WalkerFactory,
    /// Takes the batches.
    pub journal: Arc<dyn Journal>,
    /// Says when a body was complete.
    pub clock: SharedClock,
    /// Maxima of a request.
    pub limits: LimitSettings,
    /// Threads for large bodies; at least 1.
    pub workers: usize,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// From complete bodies to acknowledged records.
pub struct Pipeline {
    workers: Arc<Workers>,
    journal: Arc<dyn Journal>,
    clock: SharedClock,
    maxima: Maxima,
    large: Arc<Semaphore>,
    warned: Mutex<Warned>,
    request_meters: RequestMeters,
    warning_meters: WarningMeters,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").field("maxima", &self.maxima).finish_non_exhaustive()
    }
}

impl Pipeline {
    /// A pipeline into this journal.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let Plan { walkers, journal, clock, limits, workers } = plan;
        let workers = workers.max(1);
        Self {
            // As many walk at once as there are threads: the runtime's and those for large bodies.
            workers: Arc::new(Workers::new(walkers, 2 * workers)),
            journal,
            clock,
            maxima: Maxima {
                inflate: InflateMax { body_bytes: limits.body_bytes_max.0, ratio: limits.inflate_ratio_max },
                items: limits.items_max,
                inline_bytes: INLINE_BYTES_MAX,
            },
            large: Arc::new(Semaphore::new(workers)),
            warned: Mutex::default(),
            request_meters: RequestMeters::register(),
            warning_meters: WarningMeters::register(),
        }
    }

    async fn walk(&self, received: Received) -> Result<Walked, Refusal> {
        let deadline = received.head.deadline;
        let observed_at_ns = self.clock.now_unix_ns();
        let job = Job::new(self.workers.fetch(), received, observed_at_ns, self.maxima);
        let done = match catch_unwind(AssertUnwindSafe(|| job.run_if_small())) {
            Ok(Progress::Done(done)) => done,
            Ok(Progress::Large(job)) => self.walk_large(job, deadline).await?,
            Err(_) => return Err(Refusal::panic()),
        };
        self.workers.rest(done.worker);
        done.walked
    }

    async fn walk_large(&self, job: Job, deadline: Option<Instant>) -> Result<Done, Refusal> {
        let turn = Arc::clone(&self.large).acquire_owned();
        let turn = match deadline {
            Some(deadline) => timeout_at(deadline, turn).await.map_err(|_| Refusal::deadline())?,
            None => turn.await,
        };
        let turn = turn.map_err(|_| Refusal::shutdown())?;
        let walking = tokio::task::spawn_blocking(move || {
            let done = job.run();
            drop(turn);
            done
        });
        // The task is never cancelled, so that its only error is a panic.
        walking.await.map_err(|_| Refusal::panic())
    }

    fn accepted(&self, head: &Head, report: &Report, observed_at_ns: u64) -> Accepted {
        self.warning_meters.warned(report);
        let kinds = warnings_of(report);
        let due = if kinds == 0 {
            0
        } else {
            let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
            warned.due(head.principal(), kinds, observed_at_ns / NANOS_PER_SECOND)
        };
        Accepted { rejected: report.refused_items(), message: error_message(report, head.signal, due) }
    }
}

impl Ingest for Pipeline {
    fn takes(&self) -> Result<(), Refusal> {
        self.journal.refuses().map_or(Ok(()), |error| Err(Refusal::of_journal(error)))
    }

    async fn ingest(&self, received: Received) -> Answer {
        let head = received.head.clone();
        head.still_waited_for(Instant::now())?;
        let Walked { observed, charge, body_bytes } = self.walk(received).await?;
        self.request_meters.inflated_bytes(head.transport, head.signal, body_bytes);
        let Observed { batch, report } = observed;
        let observed_at_ns = batch.view().observed_at_ns();
        // The last moment at which a deadline counts: what was appended is answered as it is.
        head.still_waited_for(Instant::now())?;
        let appended = self.journal.append(Record::Batch { batch, charge }).await.map_err(Refusal::of_journal)?;
        let mut accepted = self.accepted(&head, &report, observed_at_ns);
        if let Some(rejected) = appended.repeated {
            // What was answered first is answered again, though some of it may be too late by now.
            accepted.rejected = u32::try_from(rejected).unwrap_or(u32::MAX);
        }
        Ok(accepted)
    }
}
