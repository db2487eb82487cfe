//! The receiver at real sockets, with a scripted [`Ingest`] behind it.

mod connections;
mod ends;
mod grpc;
mod http;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::answer::{Accepted, Answer};
use super::request::{Ingest, Received};
use super::{Receiver, Settings, Surroundings, start};
use crate::observation::budget::Budget;
use crate::units::Period;

/// Nothing in these tests takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Does as the body says.
#[derive(Debug, Clone, Default)]
struct Scripted(Arc<Script>);

#[derive(Debug, Default)]
struct Script {
    calls: AtomicUsize,
    /// Futures that were dropped before their answer.
    left: AtomicUsize,
    /// `wait` waits for this.
    go: Notify,
    called: Notify,
}

impl Scripted {
    fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }
}

struct Leaving<'a>(&'a Script, bool);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.left.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Ingest for Scripted {
    async fn ingest(&self, received: Received) -> Answer {
        let mut leaving = Leaving(&self.0, false);
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        self.0.called.notify_one();
        match &received.body[..] {
            b"wait" => self.0.go.notified().await,
            b"panic" => panic!("as the script says"),
            b"partial" => {
                leaving.1 = true;
                return Ok(Accepted { rejected: 2, message: "2 of 3 spans rejected".to_owned() });
            }
            _ => {}
        }
        leaving.1 = true;
        Ok(Accepted::default())
    }
}

struct House {
    receiver: Receiver,
    script: Scripted,
    ready: watch::Sender<bool>,
    budget: Budget,
}

impl House {
    fn grpc(&self) -> SocketAddr {
        self.receiver.grpc()[0]
    }

    fn http(&self) -> SocketAddr {
        self.receiver.http()[0]
    }
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.grpc.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    settings.http.listen = settings.grpc.listen.clone();
    settings
}

async fn house(settings: Settings) -> House {
    let house = starting(settings).await;
    house.receiver.open();
    house
}

async fn starting(settings: Settings) -> House {
    let script = Scripted::default();
    let (ready, ready_seen) = watch::channel(true);
    let budget = Budget::new(256 << 20);
    let surroundings = Surroundings { budget: budget.clone(), body_bytes_max: 1 << 20, ready: ready_seen };
    let receiver = start(&settings, surroundings, script.clone()).await.expect("free ports");
    House { receiver, script, ready, budget }
}

/// Limits short enough to be waited for.
fn impatient() -> Settings {
    let mut settings = settings();
    settings.connections.header_timeout = Period::millis(200);
    settings.connections.body_idle_timeout = Period::millis(200);
    settings.connections.idle_http1 = Period::millis(600);
    settings.connections.idle_http2 = Period::millis(600);
    settings
}

/// Sends bytes on a connection of their own and reads until the server closes it or says no more.
async fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a listener");
    // A server that has answered may close before all is sent.
    let _ = stream.write_all(request.as_ref()).await;
    read_to_end(&mut stream).await
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    let read = stream.read_to_end(&mut response);
    let _ = timeout(PATIENCE, read).await.expect("the connection ends");
    String::from_utf8_lossy(&response).into_owned()
}

/// A POST of protobuf that closes its connection.
fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    )
}

fn status(response: &str) -> &str {
    response.get(9..12).unwrap_or("none")
}
