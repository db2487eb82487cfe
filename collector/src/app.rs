//! The whole daemon: rooms are started sinks first, sources last, and stopped in the order of the data.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::aggregator::{self, Aggregator, ClaimSource, Snapshot};
use crate::clock::{SharedClock, SystemClock};
use crate::config::Settings;
use crate::frontend::{self, Readiness, Recorded};
use crate::journal::{self, Journal, Record};
use crate::observation::budget::Budget;
use crate::receiver::{self, Bound, Gate, Pipeline};
use crate::tenancy::Source;

/// Records that wait for the aggregator; the in-flight budget bounds their bytes.
const INBOX_RECORDS_MAX: usize = 256;
const TICK: Duration = Duration::from_secs(1);
/// How long scrapes under way may take at the end.
const FIGURES_GRACE: Duration = Duration::from_secs(1);

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
    /// Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// Fills the books before they open.
pub type Past = Box<dyn FnOnce(&mut Aggregator) + Send>;

/// The time that a guest spends here.
pub type Living = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Somebody who lives in the daemon's process: the demo's platform.
pub struct Guest {
    /// What it does before the daemon takes requests.
    pub past: Past,
    /// What it does while the daemon runs; the daemon stops when it is done.
    pub live: Box<dyn FnOnce(&Started) -> Living + Send>,
}

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
        let (past, live) = guest.map(|guest| (guest.past, guest.live)).unzip();
        let daemon = Daemon::start(settings, past).await?;
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
    gate: Gate,
    listeners: receiver::Listeners,
    frontend: frontend::Server,
    readiness: Readiness,
    /// The only journal handle besides the pipeline's: for ticks.
    ticker: tokio::task::JoinHandle<()>,
    stop_ticker: watch::Sender<bool>,
    threads: (std::thread::JoinHandle<()>, std::thread::JoinHandle<Arc<Snapshot>>),
}

impl Daemon {
    async fn start(settings: Settings, past: Option<Past>) -> Result<Self, StartError> {
        let listen = |error: &dyn std::fmt::Display| StartError::Listen(error.to_string());
        let bound = Bound::bind(&settings.receiver).await.map_err(|error| listen(&error))?;
        let server = frontend::Bound::bind(&settings.server).await.map_err(|error| listen(&error))?;
        // Before any room asks for a counter: handles of an earlier time count nowhere.
        let recorded = frontend::recorder();
        let readiness = Readiness::new();
        let clock: SharedClock = Arc::new(SystemClock);
        let budget = Budget::new(settings.limits.inflight_bytes_max.0);

        let mut fold = Aggregator::new(settings.aggregator.clone(), claim_sources(&settings));
        if let Some(past) = past {
            past(&mut fold);
        }
        let (inbox, records) = sync_channel(INBOX_RECORDS_MAX);
        let (reader, aggregator) = aggregator::start(fold, records).map_err(anyhow::Error::new)?;
        let (journal, journal_thread) = journal::start(inbox).map_err(anyhow::Error::new)?;
        let (stop_ticker, stopped) = watch::channel(false);
        let ticker = tokio::spawn(tick(journal.clone(), Arc::clone(&clock), recorded.clone(), stopped));

        let gate = Gate::default();
        let pipeline = Arc::new(Pipeline::new(Arc::new(settings.rules()), Arc::new(journal), Arc::clone(&clock)));
        let receiver = (settings.receiver.clone(), &settings.limits, budget.clone());
        let listeners = receiver::start(bound, pipeline, gate.clone(), receiver).map_err(anyhow::Error::new)?;
        let parts = frontend::Parts {
            settings: settings.server.clone(),
            snapshots: Arc::new(move || reader.load()),
            limits: Arc::new(Vec::new),
            readiness: readiness.clone(),
            budget,
            recorded,
            started_at_ns: clock.now_unix_ns(),
            clock,
            otlp_http_port: listeners.http.first().map(SocketAddr::port),
        };
        let frontend = server.serve(frontend::State::new(parts)).map_err(anyhow::Error::new)?;
        readiness.set_listeners_bound(true);
        readiness.set_configuration_valid(true);
        readiness.set_journal_accepting(true);
        gate.open();
        let threads = (journal_thread, aggregator);
        Ok(Self { settings, gate, listeners, frontend, readiness, ticker, stop_ticker, threads })
    }

    fn started(&self, began: Instant) -> Started {
        Started {
            version: crate::cli::VERSION,
            ready_in: began.elapsed(),
            grpc: self.listeners.grpc.clone(),
            http: self.listeners.http.clone(),
            server: self.frontend.address,
        }
    }

    /// Runs until a signal, or until the guest has gone.
    async fn until_stopped(self, guest: impl Future<Output = ()>) -> Result<Summary, StartError> {
        let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
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
        self.listeners.stop().await;
        self.gate.shut();
        let _ = self.stop_ticker.send(true);
        let _ = self.ticker.await;
        let (journal, aggregator) = self.threads;
        let last = tokio::task::spawn_blocking(move || {
            // All handles are gone: the journal drains and ends, which closes the aggregator's inbox.
            let _ = journal.join();
            aggregator.join()
        });
        let last = last.await.ok().and_then(Result::ok).unwrap_or_default();
        self.frontend.stop(FIGURES_GRACE).await;
        let mut summary = Summary::default();
        for books in last.books() {
            summary.received += books.received;
            summary.accepted += books.accepted;
            summary.duplicates += books.duplicates;
            summary.rejected += books.rejected.iter().map(|(_, count)| count).sum::<u64>();
        }
        summary
    }
}

/// The fold's only clock besides batches: a tick record a second.
async fn tick(
    journal: journal::MemoryJournal,
    clock: SharedClock,
    recorded: Option<Recorded>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            _ = stopped.changed() => return,
        }
        if journal.append(Record::Tick { now_ns: clock.now_unix_ns() }).await.is_err() {
            return;
        }
        // Samples of self histograms wait in memory until they are folded; scrapes may never come.
        if let Some(recorded) = &recorded {
            recorded.run_upkeep();
        }
    }
}

fn claim_sources(settings: &Settings) -> Vec<ClaimSource> {
    let source = |source: &Source| match source {
        Source::Auth => ClaimSource::Auth,
        Source::Span => ClaimSource::Span,
        Source::Resource => ClaimSource::Resource,
        Source::Header => ClaimSource::Header,
        Source::Baggage => ClaimSource::Baggage,
    };
    settings.tenancy.sources.iter().map(source).collect()
}
