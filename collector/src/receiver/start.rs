//! From settings to listeners that answer, and their end.
//!
//! All addresses are bound before anything is served, so that a port in use stops the start and nothing else.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::Settings;
use super::accept::{self, Handler, House, Seats, SeatsMax, Server};
use super::gate::{Gate, Phase};
use super::meters::ConnectionMeters;
use super::request::Ingest;
use super::transport::{Exchange, GrpcHandler, HttpHandler, Paths};
use crate::observation::budget::Budget;

/// Time that bodies under way get when the end begins.
const BODIES_END: Duration = Duration::from_secs(2);

/// What a receiver needs besides its settings.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The in-flight budget.
    pub budget: Budget,
    /// Most bytes of a body (`limits.body_bytes_max`).
    pub body_bytes_max: u64,
    /// Whether the daemon is ready, as gRPC health tells it.
    pub ready: watch::Receiver<bool>,
}

/// Why a listener could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {reason}: {remedy}")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    reason: String,
    remedy: String,
    #[source]
    source: io::Error,
}

impl ListenError {
    fn new(address: SocketAddr, key: &str, source: io::Error) -> Self {
        let (reason, remedy) = match source.kind() {
            io::ErrorKind::AddrInUse => (
                "address in use".to_owned(),
                format!("stop the other process (a Bailiwick or an OpenTelemetry collector?), or set {key}"),
            ),
            io::ErrorKind::AddrNotAvailable => {
                ("no interface has this address".to_owned(), format!("set {key} to an address of this machine"))
            }
            io::ErrorKind::PermissionDenied => {
                ("permission denied".to_owned(), format!("set {key} to a port above 1023"))
            }
            _ => (source.to_string(), format!("check {key}")),
        };
        Self { address, reason, remedy, source }
    }
}

/// Listeners that answer. Dropping it leaves them running; [`Receiver::stop`] ends them.
#[derive(Debug)]
pub struct Receiver {
    grpc: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    phase: watch::Sender<Phase>,
    present: mpsc::Receiver<()>,
    loops: Vec<JoinHandle<()>>,
    seats: Seats,
}

impl Receiver {
    /// Addresses of OTLP/gRPC, as bound.
    #[must_use]
    pub fn grpc(&self) -> &[SocketAddr] {
        &self.grpc
    }

    /// Addresses of OTLP/HTTP, as bound.
    #[must_use]
    pub fn http(&self) -> &[SocketAddr] {
        &self.http
    }

    /// The seats of its connections: shared, to be asked how many are taken.
    #[must_use]
    pub fn seats(&self) -> Seats {
        self.seats.clone()
    }

    /// From now on requests are taken.
    pub fn open(&self) {
        self.phase.send_replace(Phase::Open);
    }

    /// Ends: listeners close, connections are told to go, complete bodies are answered, others get two seconds.
    /// Resolves when no connection is left; a client that takes no answer can delay that for ten seconds, so the
    /// caller has a deadline of its own.
    pub async fn stop(mut self) {
        self.phase.send_replace(Phase::Draining);
        for accepting in self.loops.drain(..) {
            // An accept loop ends with the phase; should it have panicked, it has ended too.
            let _ = accepting.await;
        }
        tokio::select! {
            biased;
            _ = self.present.recv() => return,
            () = sleep(BODIES_END) => {}
        }
        self.phase.send_replace(Phase::Cut);
        self.present.recv().await;
    }
}

/// Binds every address of the settings, then serves: *starting* until [`Receiver::open`].
///
/// Must be called inside a tokio runtime, after the metrics recorder was installed.
///
/// # Errors
/// The first address that cannot be had.
pub async fn start<I: Ingest>(
    settings: &Settings,
    surroundings: Surroundings,
    ingest: I,
) -> Result<Receiver, ListenError> {
    let grpc = bind(&settings.grpc.listen, "receiver.grpc.listen").await?;
    let http = bind(&settings.http.listen, "receiver.http.listen").await?;
    let (phase, phase_seen) = watch::channel(Phase::Starting);
    // Nothing is ever sent: the channel closes when the last connection and loop has gone.
    let (present_token, present) = mpsc::channel(1);

    let connections = &settings.connections;
    let max = SeatsMax { total: connections.max as usize, per_address: connections.per_address_max as usize };
    let house = House {
        server: Server::new(connections),
        seats: Seats::new(max, ConnectionMeters::register()),
        settings: connections.clone(),
        epoch: Instant::now(),
        phase: phase_seen.clone(),
        present: present_token,
    };
    let Surroundings { budget, body_bytes_max, ready } = surroundings;
    let gate = Gate::new(ready, phase_seen, budget, body_bytes_max);
    let exchange = Arc::new(Exchange::new(ingest, gate, connections));
    let paths = Paths { traces: settings.http.traces_path.clone(), metrics: settings.http.metrics_path.clone() };
    let grpc_handler = Arc::new(GrpcHandler::new(Arc::clone(&exchange), port(&http)));
    let http_handler = Arc::new(HttpHandler::new(exchange, paths, port(&grpc)));

    let seats = house.seats.clone();
    let (grpc_at, http_at) = (addresses(&grpc), addresses(&http));
    let mut receiver = Receiver { grpc: grpc_at, http: http_at, phase, present, loops: Vec::new(), seats };
    serve(grpc, &grpc_handler, &house, &mut receiver.loops);
    serve(http, &http_handler, &house, &mut receiver.loops);
    Ok(receiver)
}

type Bound = (SocketAddr, TcpListener);

async fn bind(addresses: &[SocketAddr], key: &str) -> Result<Vec<Bound>, ListenError> {
    let mut bound = Vec::with_capacity(addresses.len());
    for address in addresses {
        let failed = |source| ListenError::new(*address, key, source);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        bound.push((listener.local_addr().map_err(failed)?, listener));
    }
    Ok(bound)
}

fn addresses(bound: &[Bound]) -> Vec<SocketAddr> {
    bound.iter().map(|(address, _)| *address).collect()
}

fn port(bound: &[Bound]) -> Option<u16> {
    bound.first().map(|(address, _)| address.port())
}

fn serve<H: Handler>(bound: Vec<Bound>, handler: &Arc<H>, house: &House, loops: &mut Vec<JoinHandle<()>>) {
    for (_, listener) in bound {
        loops.push(tokio::spawn(accept::run(listener, Arc::clone(handler), house.clone())));
    }
}
