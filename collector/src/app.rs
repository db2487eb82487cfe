//! The whole daemon: sockets refuse until the rooms behind them run, and rooms stop in the order of the data.

mod bound;
mod guest;
mod inventory;
mod outcome;
mod pulse;
mod slos;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::aggregator::snapshot::Limit;
use crate::aggregator::{self, Snapshot};
use crate::clock::{SharedClock, SystemClock};
use crate::config::Settings;
use crate::evaluator;
use crate::frontend::{self, Orders, Readiness};
use crate::journal::MemoryJournal;
use crate::observation::budget::Budget;
use crate::observation::{Observer, Rules};
use crate::receiver::accept::{Occupancy, Seats};
use crate::receiver::{self, Pipeline, Plan, Receiver, Surroundings, Walk};

pub use bound::MemoryBound;
pub use guest::{Guest, Living, Past};
pub use outcome::{StartError, Started, Summary};
use pulse::Pulse;

/// Records that wait for the aggregator; the in-flight budget bounds their bytes.
const INBOX_RECORDS_MAX: usize = 256;
/// Snapshots that wait for the evaluator.
const SNAPSHOTS_WAITING_MAX: usize = 4;
/// How long scrapes under way may take at the end.
const FIGURES_GRACE: Duration = Duration::from_secs(1);

/// Runs the daemon until SIGTERM or SIGINT, then drains it.
///
/// # Errors
/// When it cannot start.
pub fn run(settings: Settings, guest: Option<Guest>, announce: impl FnOnce(&Started)) -> Result<Summary, StartError> {
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| anyhow::Error::new(error).context("failed to start the runtime"))?;
    let summary = runtime.block_on(async {
        let (past, live, promises) = match guest {
            Some(Guest { past, live, promises }) => (Some(past), Some(live), promises),
            None => (None, None, Vec::new()),
        };
        let daemon = Daemon::start(settings, past, promises).await?;
        let started = daemon.started(began);
        announce(&started);
        match live {
            None => daemon.until_stopped(std::future::pending()).await,
            Some(live) => daemon.until_stopped(live(&started)).await,
        }
    });
    // A task that hangs must not hold the process: what was acknowledged has been applied by now.
    runtime.shutdown_timeout(Duration::from_millis(100));
    summary
}

/// A running daemon.
#[derive(Debug)]
struct Daemon {
    settings: Settings,
    receiver: Receiver,
    frontend: frontend::Server,
    orders: Orders,
    readiness: Readiness,
    state: frontend::State,
    /// The only journal handle besides the pipeline's: for ticks.
    pulse: tokio::task::JoinHandle<()>,
    stop_pulse: watch::Sender<bool>,
    aggregator: std::thread::JoinHandle<Arc<Snapshot>>,
    evaluator: std::thread::JoinHandle<()>,
}

impl Daemon {
    async fn start(
        settings: Settings,
        past: Option<Past>,
        promises: Vec<(String, String)>,
    ) -> Result<Self, StartError> {
        // Before any room asks for a counter: handles of an earlier time count nowhere.
        let recorded = frontend::recorder();
        let clock: SharedClock = Arc::new(SystemClock);
        let budget = Budget::new(settings.limits.inflight_bytes_max.0);
        let (inbox, records) = mpsc::channel(INBOX_RECORDS_MAX);
        let journal = MemoryJournal::new(inbox);

        let (ready, ready_seen) = watch::channel(false);
        let body_bytes_max = settings.limits.body_bytes_max.0;
        let surroundings = Surroundings { budget: budget.clone(), body_bytes_max, ready: ready_seen };
        let rules = Arc::new(settings.rules());
        let pipeline = pipeline(&settings, &rules, journal.clone(), &clock);
        let receiver = receiver::start(&settings.receiver, surroundings, pipeline).await;
        let receiver = receiver.map_err(|error| StartError::Listen(error.to_string()))?;
        let server = frontend::Bound::bind(&settings.server).await;
        let server = server.map_err(|error| StartError::Listen(error.to_string()))?;

        let definitions = slos::definitions(&settings, promises);
        let documents = definitions().map_err(StartError::Definitions)?;
        let (fold, feed, report) = slos::begin(&settings, &rules, documents, past);
        // What lies in the past needs no announcement.
        let announced = fold.firsts();
        let (told, snapshots) = std::sync::mpsc::sync_channel(SNAPSHOTS_WAITING_MAX);
        let (reader, aggregator) = aggregator::start(fold, records, told).map_err(anyhow::Error::new)?;
        let (evaluated, seen) = watch::channel(0);
        let started = evaluator::start(feed, report, snapshots, evaluated);
        let (reports, evaluator) = started.map_err(anyhow::Error::new)?;
        let orders = Orders::new(Arc::new(journal.clone()), seen);
        let readiness = Readiness::new();
        let state = frontend::State::new(frontend::Parts {
            settings: settings.server.clone(),
            metrics: settings.metrics.clone(),
            inventory: inventory::inventory(&settings),
            snapshots: Arc::new(move || reader.load()),
            orders: orders.clone(),
            definitions: slos::told(definitions),
            reports: Arc::new(move || reports.load()),
            limits: connections(receiver.seats()),
            readiness: readiness.clone(),
            budget,
            recorded: recorded.clone(),
            started_at_ns: clock.now_unix_ns(),
            clock: Arc::clone(&clock),
            otlp_http_port: receiver.http().first().map(SocketAddr::port),
        });
        let frontend = server.serve(state.clone()).map_err(anyhow::Error::new)?;
        readiness.set_listeners_bound(true);
        readiness.set_configuration_valid(true);
        readiness.set_journal_accepting(true);
        let patterns_told = vec![false; settings.aggregator.leaks.data_patterns.len()];
        let (stop_pulse, stopped) = watch::channel(false);
        let pulse = Pulse { journal, clock, recorded, state: state.clone(), ready, announced, patterns_told };
        let pulse = tokio::spawn(pulse.beat(stopped));
        receiver.open();
        pulse::until_ready(&state).await;
        Ok(Self { settings, receiver, frontend, orders, readiness, state, pulse, stop_pulse, aggregator, evaluator })
    }

    fn started(&self, began: Instant) -> Started {
        Started {
            version: crate::cli::VERSION,
            ready_in: began.elapsed(),
            grpc: self.receiver.grpc().to_vec(),
            http: self.receiver.http().to_vec(),
            server: self.frontend.address,
            memory: MemoryBound::of(&self.settings, 2 * cores() as u64),
        }
    }

    /// Runs until a signal, or until the guest has gone.
    async fn until_stopped(self, guest: impl Future<Output = ()>) -> Result<Summary, StartError> {
        let signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
        let [Ok(mut terminate), Ok(mut interrupt), Ok(hangup)] = signals else {
            return Err(anyhow::anyhow!("failed to listen for signals").into());
        };
        let mut asked = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        tokio::select! {
            () = asked() => {}
            () = guest => {}
            () = self.state.reload_at(hangup) => {}
        }
        tracing::info!("stopping: no new requests, finishing those that were begun");
        self.readiness.set_stopping();
        tokio::time::sleep(self.settings.shutdown.delay.0).await;
        let deadline = self.settings.shutdown.deadline.0;
        tokio::select! {
            summary = tokio::time::timeout(deadline, self.drain()) => match summary {
                Ok(summary) => Ok(summary),
                Err(_) => Ok(Summary { cut_short: true, ..Summary::default() }),
            },
            () = asked() => Ok(Summary { cut_short: true, ..Summary::default() }),
        }
    }

    /// Follows the data: sockets, journal, aggregator; figures are served to the end.
    async fn drain(self) -> Summary {
        self.receiver.stop().await;
        self.orders.close();
        let _ = self.stop_pulse.send(true);
        let _ = self.pulse.await;
        // All handles of the journal are gone: its inbox closes, and the aggregator ends when it has read it out.
        let last = tokio::task::spawn_blocking(|| {
            let last = self.aggregator.join();
            let _ = self.evaluator.join();
            last
        });
        let last = last.await.ok().and_then(Result::ok).unwrap_or_default();
        self.frontend.stop(FIGURES_GRACE).await;
        Summary::of(&last)
    }
}

fn pipeline(settings: &Settings, rules: &Arc<Rules>, journal: MemoryJournal, clock: &SharedClock) -> Pipeline {
    let rules = Arc::clone(rules);
    Pipeline::new(Plan {
        walkers: Box::new(move || Box::new(Observer::new(Arc::clone(&rules))) as Box<dyn Walk>),
        journal: Arc::new(journal),
        clock: Arc::clone(clock),
        limits: settings.limits.clone(),
        workers: cores(),
    })
}

/// The receiver's bound, for those who show bounds.
fn connections(seats: Seats) -> frontend::LimitsReader {
    Arc::new(move || {
        let Occupancy { taken, max, refused } = seats.occupancy();
        vec![Limit { name: "connections_max", used: taken, max, refused }]
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
