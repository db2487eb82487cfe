//! The whole daemon: sockets refuse until the rooms behind them run, and rooms stop in the order of the data.

mod bound;
mod front;
mod ground;
mod guest;
mod inventory;
mod outcome;
mod pulse;
mod rooms;
mod signals;
mod slos;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick_slo::course::control::Control;
use tokio::sync::watch;

use crate::config::Settings;
use crate::frontend::{self, Orders, Readiness};
use crate::journal::{AppendError, Journal, Later, Record};
use crate::receiver::Receiver;

pub use bound::MemoryBound;
use front::Front;
use ground::Ground;
pub use guest::{Guest, Living, Past};
pub use outcome::{StartError, Started, Summary};
use pulse::Pulse;
use rooms::{Rooms, Threads};
use signals::Signals;

/// Longest time for the evaluator to take definitions over at the start: replay is over by then.
const ORDER_MAX: Duration = Duration::from_secs(60);
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
        let daemon = Box::pin(Daemon::start(settings, past, promises)).await?;
        let started = daemon.started(began);
        let signals = Signals::listen()?;
        announce(&started);
        match live {
            None => daemon.until_stopped(signals, std::future::pending()).await,
            Some(live) => daemon.until_stopped(signals, live(&started)).await,
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
    threads: Threads,
    data: Option<PathBuf>,
    /// Why the disk failed, once it has.
    failure: watch::Receiver<Option<String>>,
}

impl Daemon {
    async fn start(
        settings: Settings,
        past: Option<Past>,
        promises: Vec<(String, String)>,
    ) -> Result<Self, StartError> {
        let ground = Ground::take(&settings)?;
        let data = ground.path().map(Path::to_owned);
        let (front, server) = Front::bind(&settings).await?;
        let definitions = slos::definitions(&settings, promises);
        let documents = definitions().map_err(StartError::Definitions)?;
        let begun = slos::begin(&settings, &front.rules, &ground, (&documents, past))?;
        // What lies in the past needs no announcement.
        let announced = begun.0.firsts();
        let (broken, failure) = watch::channel(None);
        let rooms = Rooms::start(&settings, ground, begun, &broken)?;
        let mut seen = rooms.seen.clone();
        let orders = Orders::new(Arc::<Later>::clone(&front.journal), seen.clone());
        let state = front.state(&settings, (&rooms, &orders), definitions);
        let frontend = server.serve(state.clone()).map_err(anyhow::Error::new)?;
        front.readiness.set_listeners_bound(true);
        front.readiness.set_configuration_valid(true);
        let (threads, is_durable) = rooms.replay(&settings, &front.clock, &front.journal, broken).await?;
        // Definitions are an order like any other; those of an earlier time are gone with it. The first tick carries it
        // out.
        let order = Control::Define(documents);
        let ordered = if is_durable { give(&*front.journal, order).await? } else { 0 };
        let Front { recorded, clock, journal, readiness, receiver, ready, .. } = front;
        let patterns_told = vec![false; settings.aggregator.leaks.data_patterns.len()];
        let pulse = Pulse { journal, clock, recorded, state: state.clone(), ready, announced, patterns_told };
        let (stop_pulse, stopped) = watch::channel(false);
        let pulse = tokio::spawn(pulse.beat(stopped));
        let carried_out = tokio::time::timeout(ORDER_MAX, seen.wait_for(|seq| *seq >= ordered)).await;
        carried_out.ok().and_then(Result::ok).ok_or_else(|| anyhow::anyhow!("failed to take SLO definitions over"))?;
        // Only now all that was written before is shown.
        readiness.set_journal_accepting(true);
        receiver.open();
        pulse::until_ready(&state).await;
        Ok(Self { settings, receiver, frontend, orders, readiness, state, pulse, stop_pulse, threads, data, failure })
    }

    fn started(&self, began: Instant) -> Started {
        Started {
            version: crate::cli::VERSION,
            ready_in: began.elapsed(),
            grpc: self.receiver.grpc().to_vec(),
            http: self.receiver.http().to_vec(),
            server: self.frontend.address,
            data: self.data.clone(),
            memory: MemoryBound::of(&self.settings, 2 * cores() as u64),
        }
    }

    /// Runs until a signal, or until the guest has gone.
    async fn until_stopped(self, signals: Signals, guest: impl Future<Output = ()>) -> Result<Summary, StartError> {
        let Signals { mut terminate, mut interrupt, hangup } = signals;
        let mut asked = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let mut failure = self.failure.clone();
        tokio::select! {
            () = asked() => {}
            () = guest => {}
            () = self.state.reload_at(hangup) => {}
            Ok(why) = failure.wait_for(Option::is_some) => {
                // Nothing more is acknowledged; what was is on the disk, and the next start reads it.
                return Err(StartError::Data(format!("the disk failed: {}", why.as_deref().unwrap_or_default())));
            }
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
        // All handles of the journal are gone: it ends, and after it each room in turn, when it has read out its inbox.
        let last = tokio::task::spawn_blocking(|| self.threads.end());
        let last = last.await.unwrap_or_default();
        self.frontend.stop(FIGURES_GRACE).await;
        Summary::of(&last)
    }
}

/// Gives an order before anybody else can; its number. A disk that is full keeps nobody from seeing figures.
async fn give(journal: &dyn Journal, control: Control) -> Result<u64, StartError> {
    match journal.append(Record::Control(Arc::new(control))).await {
        Ok(acknowledged) => Ok(acknowledged.seq),
        Err(error @ (AppendError::DiskFull | AppendError::Full)) => {
            tracing::warn!("{error}: the SLO definitions of before hold; make room and reload (SIGHUP)");
            Ok(0)
        }
        Err(error) => Err(StartError::Data(error.to_string())),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
