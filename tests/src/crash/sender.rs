//! A client that notes each acknowledgement on receipt and keeps what was not acknowledged, byte for byte.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::traffic::{Body, body};
use crate::load::random::Random;

/// A daemon that is there answers sooner; one that hangs is a finding.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// How often a request is sent at most while daemons come and go.
const TRIES_MAX: u32 = 5;

/// Spans by tenant.
pub type Spans = BTreeMap<&'static str, u64>;

/// A client with its own books.
#[derive(Debug)]
pub struct Sender {
    random: Random,
    /// Sent, and nobody knows whether they were taken; with the number of tries.
    open: VecDeque<(Body, u32)>,
    /// Spans of all requests, each once.
    pub sent: Spans,
    /// Spans of acknowledged requests, each once.
    pub acknowledged: Spans,
    /// Requests that were sent again.
    pub resent: u64,
    /// What should not have been answered.
    pub wrong: Vec<String>,
}

impl Sender {
    /// A client with a sequence of its own.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let (open, sent, acknowledged) = (VecDeque::new(), Spans::new(), Spans::new());
        Self { random: Random::new(seed), open, sent, acknowledged, resent: 0, wrong: Vec::new() }
    }

    /// Sends one request after the other until the daemon is gone or `stop` says so. What an earlier daemon left open
    /// comes first, [`TRIES_MAX`] times at most.
    pub fn send(&mut self, address: SocketAddr, stop: &AtomicBool) {
        let Ok(mut connection) = Connection::open(address) else { return };
        let waiting = std::mem::take(&mut self.open);
        let (again, given_up): (VecDeque<_>, VecDeque<_>) =
            waiting.into_iter().partition(|(_, tries)| *tries < TRIES_MAX);
        self.open = given_up;
        let mut again = again.into_iter();
        while !stop.load(Ordering::Relaxed) {
            let (body, tries) = match again.next() {
                Some((body, tries)) => {
                    self.resent += 1;
                    (body, tries)
                }
                None => {
                    let body = body(&mut self.random);
                    *self.sent.entry(body.tenant).or_default() += body.spans;
                    (body, 0)
                }
            };
            let is_gone = !self.exchange(&mut connection, body, tries);
            if is_gone {
                break;
            }
        }
        self.open.extend(again);
    }

    /// Sends what is still open until all of it is acknowledged; `false`: the daemon went away.
    pub fn settle(&mut self, address: SocketAddr) -> bool {
        let Ok(mut connection) = Connection::open(address) else { return false };
        let waiting = std::mem::take(&mut self.open);
        waiting.into_iter().all(|(body, tries)| {
            self.resent += 1;
            self.exchange(&mut connection, body, tries)
        })
    }

    /// One request; `false`: the daemon is gone.
    fn exchange(&mut self, connection: &mut Connection, body: Body, tries: u32) -> bool {
        match connection.post(&body.bytes) {
            Ok(200) => {
                *self.acknowledged.entry(body.tenant).or_default() += body.spans;
                true
            }
            // Come back later: it is going down, or not yet up.
            Ok(503) => {
                self.open.push_back((body, tries));
                false
            }
            Ok(status) => {
                self.wrong.push(format!("status {status} for a good request"));
                false
            }
            Err(_) => {
                self.open.push_back((body, tries + 1));
                false
            }
        }
    }
}

/// HTTP/1.1, one request at a time.
#[derive(Debug)]
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// The status of the answer, once all of the answer is there.
    fn post(&mut self, body: &[u8]) -> std::io::Result<u16> {
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.0.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        let bad = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status: u16 = line.get(9..12).and_then(|digits| digits.parse().ok()).ok_or_else(bad)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(bad());
            }
            match line.trim_end().to_ascii_lowercase().split_once(": ") {
                Some(("content-length", number)) => length = number.parse().map_err(|_| bad())?,
                Some(_) => {}
                None => break,
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer)?;
        Ok(status)
    }
}
