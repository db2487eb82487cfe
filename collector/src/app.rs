//! The whole daemon: rooms are started sinks first, sources last, and stopped in the order of the data.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::aggregator::{self, Aggregator, ClaimSource, Snapshot, SnapshotReader};
use crate::clock::{SharedClock, SystemClock};
use crate::config::Settings;
use crate::frontend;
use crate::journal::{self, Journal, Record};
use crate::observation::Rules;
use crate::observation::budget::Budget;
use crate::receiver::{self, Bound, Gate, Pipeline};
use crate::tenancy::Source;

/// Records that wait for the aggregator; the in-flight budget bounds their bytes.
const INBOX_RECORDS_MAX: usize = 256;
const TICK: Duration = Duration::from_secs(1);

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

/// Runs the daemon until SIGTERM or SIGINT, then drains it.
///
/// # Errors
/// When it cannot start.
pub fn run(settings: Settings, announce: impl FnOnce(&Started)) -> Result<Summary, StartError> {
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| anyhow::Error::new(error).context("failed to start the runtime"))?;
    let summary = runtime.block_on(async {
        let daemon = Daemon::start(settings).await?;
        announce(&daemon.started(began));
        daemon.until_stopped().await
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
    /// The only journal handle besides the pipeline's: for ticks.
    ticker: tokio::task::JoinHandle<()>,
    stop_ticker: watch::Sender<bool>,
    threads: (std::thread::JoinHandle<()>, std::thread::JoinHandle<Arc<Snapshot>>),
}

impl Daemon {
    async fn start(settings: Settings) -> Result<Self, StartError> {
        let listen = |error: &dyn std::fmt::Display| StartError::Listen(error.to_string());
        let bound = Bound::bind(&settings.receiver).await.map_err(|error| listen(&error))?;
        let server = frontend::Bound::bind(&settings.server).await.map_err(|error| listen(&error))?;
        let clock: SharedClock = Arc::new(SystemClock);
        let budget = Budget::new(settings.limits.inflight_bytes_max.0);

        let fold = Aggregator::new(settings.aggregator.clone(), claim_sources(&settings));
        let (inbox, records) = sync_channel(INBOX_RECORDS_MAX);
        let (reader, aggregator) = aggregator::start(fold, records).map_err(anyhow::Error::new)?;
        let (journal, journal_thread) = journal::start(inbox).map_err(anyhow::Error::new)?;
        let (stop_ticker, stopped) = watch::channel(false);
        let ticker = tokio::spawn(tick(journal.clone(), Arc::clone(&clock), stopped));

        let gate = Gate::default();
        let pipeline = Arc::new(Pipeline::new(Arc::new(rules(&settings)), Arc::new(journal), Arc::clone(&clock)));
        let receiver = (settings.receiver.clone(), &settings.limits, budget.clone());
        let listeners = receiver::start(bound, pipeline, gate.clone(), receiver).map_err(anyhow::Error::new)?;
        let frontend = server.serve(state(&settings, (reader, clock, budget), &gate)).map_err(anyhow::Error::new)?;
        gate.open();
        let threads = (journal_thread, aggregator);
        Ok(Self { settings, gate, listeners, frontend, ticker, stop_ticker, threads })
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

    async fn until_stopped(self) -> Result<Summary, StartError> {
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
        asked().await;
        tracing::info!("stopping: no new requests, finishing those that were begun");
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
        self.frontend.stop().await;
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
async fn tick(journal: journal::MemoryJournal, clock: SharedClock, mut stopped: watch::Receiver<bool>) {
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
    }
}

fn rules(settings: &Settings) -> Rules {
    Rules {
        limits: settings.limits.clone(),
        ingest: settings.ingest.clone(),
        requests: settings.aggregator.requests.clone(),
        tenancy: settings.tenancy.clone(),
        modules: settings.modules.clone(),
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

fn state(
    settings: &Settings,
    (reader, clock, budget): (SnapshotReader, SharedClock, Budget),
    gate: &Gate,
) -> frontend::State {
    let gate = gate.clone();
    frontend::State {
        snapshots: Arc::new(move || reader.load()),
        accepting: Arc::new(move || gate.is_open()),
        settings: settings.server.clone(),
        clock,
        budget,
        recorded: frontend::recorder(),
    }
}
