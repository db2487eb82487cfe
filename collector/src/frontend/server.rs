//! The listener: binds, accepts, serves, stops. It knows connections, not what is said on them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

use super::router::router;
use super::settings::ServerSettings;
use super::state::State;

/// Longest time to a request's headers; also how long an HTTP/1 connection may idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections beyond the requests that may be answered at once: those that idle between scrapes.
const IDLE_CONNECTIONS_MAX: usize = 512;

/// Streams of an HTTP/2 connection: a page with its assets, not an attack.
const STREAMS_MAX: u32 = 64;

/// How often HTTP/2 connections are asked whether they still live, and how long they may take to say so.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(10));

/// Pause after the system could not hand over a connection (say, no file descriptor is left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The port could not be had.
#[derive(Debug, thiserror::Error)]
#[error("failed to listen on {address}: {source}; free the port or set `server.listen` (port 0 takes a free one)")]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

/// A listener that is bound but not yet served.
#[derive(Debug)]
pub struct Bound(TcpListener);

/// A listener that is served.
#[derive(Debug)]
pub struct Server {
    /// The address that was bound; with port 0 in the settings it tells the port.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<GracefulShutdown>,
}

impl Bound {
    /// Binds `server.listen`.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn bind(settings: &ServerSettings) -> Result<Self, ListenError> {
        let bound = TcpListener::bind(settings.listen).await;
        bound.map(Self).map_err(|source| ListenError { address: settings.listen, source })
    }

    /// Serves figures until [`Server::stop`].
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn serve(self, state: State) -> io::Result<Server> {
        let address = self.0.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(self.0, state, stopped));
        Ok(Server { address, stop, accepting })
    }
}

impl Server {
    /// Closes the listener, lets requests under way end for this long, and closes their connections; true when all
    /// ended in time.
    pub async fn stop(self, grace: Duration) -> bool {
        // The accept loop may be gone already; then there is nobody to tell.
        let _ = self.stop.send(true);
        let Ok(connections) = self.accepting.await else { return false };
        tokio::time::timeout(grace, connections.shutdown()).await.is_ok()
    }
}

/// Accepts until told to stop. Each connection has a task and a place; without a free place nobody is let in.
async fn accept(listener: TcpListener, state: State, mut stopped: watch::Receiver<bool>) -> GracefulShutdown {
    let connections = GracefulShutdown::new();
    let max = state.settings().requests_max as usize + IDLE_CONNECTIONS_MAX;
    let places = Arc::new(Semaphore::new(max));
    let service = TowerToHyperService::new(router(state));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.expect("nobody closes the semaphore");
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return connections,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => serve(stream, place, service.clone(), &connections),
            Err(error) => {
                tracing::warn!(error = %error, "failed to accept a connection on the API listener");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn serve(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    service: TowerToHyperService<axum::Router>,
    connections: &GracefulShutdown,
) {
    // Without it answers wait for acknowledgements; a socket that cannot do it still serves.
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let (interval, timeout) = KEEP_ALIVE;
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(interval)
        .keep_alive_timeout(timeout);
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let watched = connections.watch(connection);
    tokio::spawn(async move {
        let _place = place;
        if let Err(error) = watched.await {
            // Clients that go away or send nonsense are no fault of ours.
            tracing::debug!(error = %error, "a connection of the API listener ended early");
        }
    });
}

#[cfg(test)]
mod tests;
