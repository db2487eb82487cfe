//! One accept loop for every OTLP listener, with every transport setting stated (`ingest.md` 1.2).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::pipeline::{Gate, Purse};
use super::request::{Ingest, Transport};
use super::settings::Settings;
use super::{grpc, http};
use crate::observation::LimitSettings;
use crate::observation::budget::Budget;

/// How long a connection that was asked to close may go on.
const CUT_AFTER: Duration = Duration::from_secs(2);
/// Pause after an accept error of ours (no descriptors, no memory).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const AGE_CUT_AFTER: Duration = Duration::from_secs(30);

/// A port could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; free the port or set another one (port 0 takes a free one)")]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

/// Listeners that are bound but not yet served.
#[derive(Debug)]
pub struct Bound {
    grpc: Vec<TcpListener>,
    http: Vec<TcpListener>,
}

/// Listeners that are served.
#[derive(Debug)]
pub struct Listeners {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// Addresses of OTLP/gRPC.
    pub grpc: Vec<SocketAddr>,
    /// Addresses of OTLP/HTTP.
    pub http: Vec<SocketAddr>,
}

/// What every connection shares.
#[derive(Debug)]
pub(super) struct Shared<I> {
    pub(super) ingest: I,
    pub(super) gate: Gate,
    pub(super) purse: Purse,
    pub(super) settings: Settings,
    pub(super) grpc_address: String,
    pub(super) http_address: String,
}

impl Bound {
    /// Binds all listeners.
    ///
    /// # Errors
    /// When a port is taken.
    pub async fn bind(settings: &Settings) -> Result<Self, ListenError> {
        Ok(Self { grpc: bind_all(&settings.grpc.listen).await?, http: bind_all(&settings.http.listen).await? })
    }
}

async fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners = Vec::new();
    for address in addresses {
        let bound = TcpListener::bind(address).await;
        listeners.push(bound.map_err(|source| ListenError { address: *address, source })?);
    }
    Ok(listeners)
}

/// Serves bound listeners until [`Listeners::stop`].
///
/// # Errors
/// When a listener has no address.
pub fn start<I: Ingest>(
    bound: Bound,
    ingest: I,
    gate: Gate,
    (settings, limits, budget): (Settings, &LimitSettings, Budget),
) -> io::Result<Listeners> {
    let addresses =
        |listeners: &[TcpListener]| listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>();
    let (grpc, http) = (addresses(&bound.grpc)?, addresses(&bound.http)?);
    let first = |addresses: &[SocketAddr]| addresses.first().map(|at| format!(":{}", at.port())).unwrap_or_default();
    let connections = Arc::new(Semaphore::new(settings.connections.max as usize));
    let shared = Arc::new(Shared {
        ingest,
        gate,
        purse: Purse { budget, body_bytes_max: limits.body_bytes_max.0 },
        settings,
        grpc_address: first(&grpc),
        http_address: first(&http),
    });
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let listeners = bound.grpc.into_iter().map(|listener| (listener, Transport::Grpc));
    for (listener, transport) in listeners.chain(bound.http.into_iter().map(|listener| (listener, Transport::Http))) {
        let server = Server { shared: Arc::clone(&shared), transport, stopped: stopped.clone() };
        tasks.spawn(server.accept(listener, Arc::clone(&connections)));
    }
    Ok(Listeners { stop, tasks, grpc, http })
}

impl Listeners {
    /// Closes the listeners, asks clients to go, and waits until their complete requests are answered.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

#[derive(Debug)]
struct Server<I> {
    shared: Arc<Shared<I>>,
    transport: Transport,
    stopped: watch::Receiver<bool>,
}

impl<I: Ingest> Server<I> {
    async fn accept(mut self, listener: TcpListener, connections: Arc<Semaphore>) {
        let mut open = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = self.stopped.changed() => break,
                Some(_) = open.join_next() => continue,
            };
            match accepted {
                Ok((stream, peer)) => match Arc::clone(&connections).try_acquire_owned() {
                    Ok(place) => {
                        let connection = self.serve(stream, peer);
                        open.spawn(async move {
                            connection.await;
                            drop(place);
                        });
                    }
                    Err(_) => {
                        metrics::counter!("bailiwick_ingest_connections_refused_total", "reason" => "max").increment(1);
                    }
                },
                Err(error) => {
                    let reason = if is_peers_fault(&error) { "peer" } else { "resources" };
                    metrics::counter!("bailiwick_ingest_accept_errors_total", "reason" => reason).increment(1);
                    if reason == "resources" {
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        }
        drop(listener);
        while open.join_next().await.is_some() {}
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr) -> impl Future<Output = ()> + Send + use<I> {
        let shared = Arc::clone(&self.shared);
        let transport = self.transport;
        let mut stopped = self.stopped.clone();
        async move {
            // A socket that refuses it is only slower.
            let _ = stream.set_nodelay(true);
            let address: Arc<str> = peer.ip().to_string().into();
            let age_max = jittered(shared.settings.connections.age_max.0, peer.port());
            let builder = builder(&shared.settings);
            let service = service_fn(move |request: ::http::Request<Incoming>| {
                let (shared, address) = (Arc::clone(&shared), Arc::clone(&address));
                async move {
                    Ok::<_, std::convert::Infallible>(match transport {
                        Transport::Grpc => grpc::answer(request, &shared, address).await,
                        Transport::Http => http::answer(request, &shared, address).await,
                    })
                }
            });
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            let grace = tokio::select! {
                _ = connection.as_mut() => return,
                () = tokio::time::sleep(age_max) => AGE_CUT_AFTER,
                _ = stopped.changed() => CUT_AFTER,
            };
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(grace, connection).await;
        }
    }
}

/// Age with up to 10 % more or less, so that clients that came together do not leave together. The peer's port is
/// random enough for that.
fn jittered(age: Duration, port: u16) -> Duration {
    age * (900 + u32::from(port) % 200) / 1_000
}

fn is_peers_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

fn builder(settings: &Settings) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.connections.header_timeout.0)
        .max_headers(100)
        .max_buf_size(64 << 10)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .max_local_error_reset_streams(256)
        .max_pending_accept_reset_streams(20)
        .max_header_list_size(16 << 10)
        .max_frame_size(256 << 10)
        .initial_stream_window_size(256 << 10)
        .initial_connection_window_size(512 << 10)
        .adaptive_window(false)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}
