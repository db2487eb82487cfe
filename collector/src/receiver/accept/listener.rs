//! The accept loop: it survives whatever accept returns, and makes a task for each connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::activity::Activity;
use super::ageing::Ageing;
use super::connection::{Guest, Handler, Peer, Server};
use super::seats::Seats;
use crate::receiver::ConnectionSettings;
use crate::receiver::chance;
use crate::receiver::gate::Phase;

/// Rest after an accept that failed for want of descriptors or memory: time for the closed connection to go.
const REST: Duration = Duration::from_millis(50);
/// TCP keepalive, for peers that vanished under HTTP/1.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// The spread of connection ages: -10 % to +10 %, in thousandths, both ends in.
const SPREAD_PERMILLE_END: u32 = 201;

/// What all listeners share.
#[derive(Debug, Clone)]
pub struct House {
    /// Makes connections.
    pub server: Server,
    /// Counts them.
    pub seats: Seats,
    /// Limits their times.
    pub settings: ConnectionSettings,
    /// When the listeners started.
    pub epoch: Instant,
    /// How far the end has come.
    pub phase: watch::Receiver<Phase>,
    /// Closed when the last clone of it is gone: no connection is left.
    pub present: mpsc::Sender<()>,
}

/// Accepts until the end begins.
pub async fn run<H: Handler>(listener: TcpListener, handler: Arc<H>, house: House) {
    let mut phase = house.phase.clone();
    loop {
        let accepted = select! {
            biased;
            _ = phase.wait_for(|phase| *phase >= Phase::Draining) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => welcome(stream, address.ip(), Arc::clone(&handler), &house),
            Err(error) if is_peers(&error) => house.seats.meters().accept_peer.increment(1),
            Err(error) => {
                house.seats.meters().accept_exhausted.increment(1);
                tracing::warn!(%error, "failed to accept a connection: the longest idle one makes room");
                house.seats.make_room();
                sleep(REST).await;
            }
        }
    }
}

/// Errors that the kernel reports for a connection which is already gone; the listener itself is sound.
fn is_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, NetworkUnreachable};
    use io::ErrorKind::{HostUnreachable, NetworkDown, NotConnected, PermissionDenied, TimedOut, WouldBlock};
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
            | NotConnected
            | PermissionDenied
            | TimedOut
            | WouldBlock
    )
}

fn welcome<H: Handler>(stream: TcpStream, address: std::net::IpAddr, handler: Arc<H>, house: &House) {
    let activity = Arc::new(Activity::new(house.epoch));
    // Without a seat the socket is closed on the spot: a word of excuse would cost what is short.
    let Ok(seat) = house.seats.take(address, &activity) else { return };
    // A socket that refuses options is about to fail anyway.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
    let guest = Guest {
        handler,
        peer: Peer::new(address, activity),
        seat,
        ageing: Ageing::new(&house.settings, chance::below(SPREAD_PERMILLE_END)),
        phase: house.phase.clone(),
    };
    let (server, present) = (house.server.clone(), house.present.clone());
    tokio::spawn(async move {
        server.serve(stream, guest).await;
        drop(present);
    });
}
