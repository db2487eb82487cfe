//! What the handlers share. They read; nothing of it can be written by a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::http::answer;
use super::http::problem::{Code, Problem};
use super::inventory::Inventory;
use super::orders::Orders;
use super::readiness::Readiness;
use super::recorder::Recorded;
use super::settings::{MetricsSettings, ServerSettings};
use bailiwick_slo::course::control::Control;
use bailiwick_slo::document::{self, Context};

use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::Limit;
use crate::clock::SharedClock;
use crate::evaluator::Report;
use crate::observation::budget::Budget;

/// Gives the latest snapshot.
pub type SnapshotReader = Arc<dyn Fn() -> Arc<Snapshot> + Send + Sync>;

/// Gives the latest report of the evaluator.
pub type ReportReader = Arc<dyn Fn() -> Arc<Report> + Send + Sync>;

/// Reads the configured SLO definitions: names and texts, or what is wrong with them.
pub type DefinitionsReader = Arc<dyn Fn() -> Result<Vec<(String, String)>, String> + Send + Sync>;

/// Gives use and maximum of what rooms other than the aggregator bound.
pub type LimitsReader = Arc<dyn Fn() -> Vec<Limit> + Send + Sync>;

/// Answers that are computed at once: enough for the cores of a small machine, few enough that ingest keeps its turn.
const COMPUTING_MAX: usize = 2;

/// What the frontend is made of.
pub struct Parts {
    /// The listener.
    pub settings: ServerSettings,
    /// What `/metrics` shows.
    pub metrics: MetricsSettings,
    /// What the settings say of modules.
    pub inventory: Inventory,
    /// Where figures come from.
    pub snapshots: SnapshotReader,
    /// Where operators' orders go.
    pub orders: Orders,
    /// Reads the configured SLO definitions.
    pub definitions: DefinitionsReader,
    /// Where SLOs and incidents come from.
    pub reports: ReportReader,
    /// Bounds of the rooms that no snapshot tells of (listeners, journal).
    pub limits: LimitsReader,
    /// Whether the daemon is ready.
    pub readiness: Readiness,
    /// The in-flight budget of ingest.
    pub budget: Budget,
    /// What rooms recorded about themselves; without it `/metrics` shows books only.
    pub recorded: Option<Recorded>,
    /// The time.
    pub clock: SharedClock,
    /// When the daemon started, nanoseconds since the Unix epoch: tells validators of different runs apart.
    pub started_at_ns: u64,
    /// The port of OTLP/HTTP, for hints to clients that took the wrong one.
    pub otlp_http_port: Option<u16>,
}

/// What the handlers share. Cloning shares it.
#[derive(Clone)]
pub struct State(Arc<Shared>);

struct Shared {
    parts: Parts,
    requests: AtomicU64,
    refused: AtomicU64,
    places: Arc<Semaphore>,
    computing: Arc<Semaphore>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("settings", &self.0.parts.settings).finish_non_exhaustive()
    }
}

impl State {
    /// The state of a frontend.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let places = Arc::new(Semaphore::new(parts.settings.requests_max as usize));
        Self(Arc::new(Shared {
            parts,
            requests: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            places,
            computing: Arc::new(Semaphore::new(COMPUTING_MAX)),
        }))
    }

    /// The listener's settings.
    #[must_use]
    pub fn settings(&self) -> &ServerSettings {
        &self.0.parts.settings
    }

    /// What `/metrics` shows.
    pub(crate) fn metrics(&self) -> &MetricsSettings {
        &self.0.parts.metrics
    }

    /// What the settings say of modules.
    pub(crate) fn inventory(&self) -> &Inventory {
        &self.0.parts.inventory
    }

    /// The latest snapshot.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        (self.0.parts.snapshots)()
    }

    /// The latest report of the evaluator.
    pub(crate) fn report(&self) -> Arc<Report> {
        (self.0.parts.reports)()
    }

    /// Where operators' orders go.
    pub(crate) fn orders(&self) -> &Orders {
        &self.0.parts.orders
    }

    /// Reads the SLO definitions again and lets them hold; how many files there are.
    ///
    /// # Errors
    /// `invalid` with what is wrong with them, `limit_exceeded` when they read more metrics than a run may: then nothing
    /// changes.
    pub(crate) async fn reload(&self) -> Result<usize, Problem> {
        let read = Arc::clone(&self.0.parts.definitions);
        let mut taps = (**self.snapshot().taps()).clone();
        let documents = answer::compute(self, move || {
            let documents = read().map_err(|detail| Problem::new(Code::Invalid, detail))?;
            // What the run has read before is not forgotten: all of it together must fit.
            let files: Vec<(&str, &str)> = documents.iter().map(|(name, text)| (&**name, &**text)).collect();
            let slos = document::load(&files, &Context::default()).slos;
            taps.add(&slos).map_err(|error| Problem::new(Code::LimitExceeded, error.to_string()))?;
            Ok::<_, Problem>(documents)
        });
        let documents = documents.await??;
        let files = documents.len();
        self.orders().give(Control::Define(documents)).await?;
        Ok(files)
    }

    /// Reads the SLO definitions again at every hangup, and says in the log what came of it. It never ends.
    pub async fn reload_at(&self, mut hangup: tokio::signal::unix::Signal) {
        while hangup.recv().await.is_some() {
            match self.reload().await {
                Ok(files) => tracing::info!(files, "SLO definitions were read again and hold"),
                Err(problem) => tracing::error!("SLO definitions stay as they were: {}", problem.detail),
            }
        }
        std::future::pending::<()>().await;
    }

    /// The run that figures belong to.
    pub(crate) fn epoch(&self) -> u64 {
        self.0.parts.started_at_ns
    }

    /// Now, nanoseconds since the Unix epoch.
    pub(crate) fn now_ns(&self) -> u64 {
        self.0.parts.clock.now_unix_ns()
    }

    /// Whether the daemon is ready, told anew.
    pub(crate) fn readiness(&self) -> &Readiness {
        let budget = &self.0.parts.budget;
        // A tick is a record: the clock of the latest snapshot tells when it was applied.
        let snapshot = self.snapshot();
        self.0.parts.readiness.ticked(snapshot.now_ns);
        let behind_ns = snapshot.data_through_ns.saturating_sub(self.report().data_through_ns);
        self.0.parts.readiness.evaluated(behind_ns);
        self.0.parts.readiness.set_journal_refuses(self.0.parts.orders.refuses());
        self.0.parts.readiness.inflight(budget.used(), budget.max(), self.now_ns());
        &self.0.parts.readiness
    }

    /// Whether every readiness check passes now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.readiness().is_ready(self.now_ns())
    }

    /// The in-flight budget of ingest.
    pub(crate) fn budget(&self) -> &Budget {
        &self.0.parts.budget
    }

    /// What rooms recorded, as 0.0.4 text.
    pub(crate) fn recorded(&self) -> String {
        self.0.parts.recorded.as_ref().map(Recorded::render).unwrap_or_default()
    }

    /// The port of OTLP/HTTP.
    pub(crate) fn otlp_http_port(&self) -> Option<u16> {
        self.0.parts.otlp_http_port
    }

    /// Every bound there is: the aggregator's, the budget's, the other rooms', this listener's.
    pub(crate) fn limits(&self, snapshot: &Snapshot) -> Vec<Limit> {
        let mut limits = snapshot.limits().to_vec();
        limits.extend((self.0.parts.limits)());
        limits.extend(self.report().limits.iter().copied());
        let budget = &self.0.parts.budget;
        limits.push(Limit {
            name: "inflight_bytes_max",
            used: budget.used(),
            max: budget.max(),
            refused: budget.refused(),
        });
        let max = u64::from(self.settings().requests_max);
        let free = self.0.places.available_permits() as u64;
        let refused = self.0.refused.load(Ordering::Relaxed);
        limits.push(Limit { name: "requests_max", used: max.saturating_sub(free), max, refused });
        limits
    }

    /// A number for the next request, unique over restarts.
    pub(crate) fn next_request_id(&self) -> String {
        let number = self.0.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{number:x}", self.epoch())
    }

    /// A place among the requests that are answered at once; `None`, counted, when all are taken.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.0.places).try_acquire_owned().ok();
        if place.is_none() {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
        }
        place
    }

    /// Turns for computing an answer.
    pub(crate) fn computing(&self) -> &Arc<Semaphore> {
        &self.0.computing
    }
}
