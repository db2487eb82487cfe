//! The closed loop: so many requests in flight over so many connections, each answered before its successor is sent.
//!
//! hyper's HTTP/2 client honours the frame size of the server's SETTINGS; gRPC framing is five bytes, so no gRPC
//! library stands between the bytes and the figures.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::net::TcpStream;

use super::pool::PREFIX_BYTES;
use super::workload::{Compression, Frames};

const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// A DATA frame of a peer that takes no notice of SETTINGS_MAX_FRAME_SIZE.
const SMALL_FRAME_BYTES: usize = 16_384;

/// How requests are sent.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Connections.
    pub connections: usize,
    /// Requests in flight over all of them.
    pub inflight: usize,
    /// DATA frames.
    pub frames: Frames,
    /// What the bodies are compressed with.
    pub compression: Compression,
}

/// What came of a stretch of sending.
#[derive(Debug, Clone)]
pub struct Tally {
    /// How often each request of the pool was accepted.
    pub accepted: Vec<u32>,
    /// Requests refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Spans rejected inside accepted requests.
    pub rejected_spans: u64,
    /// Time to the end of the answer, in microseconds.
    pub latency_us: Histogram<u64>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Connections to one server.
#[derive(Debug)]
pub struct Client {
    senders: Vec<SendRequest<Pieces>>,
    authority: String,
    manner: Manner,
    next: Arc<AtomicUsize>,
}

impl Tally {
    fn new(requests: usize) -> Self {
        // From 1 us to 1 min in three digits: the figures say p99.9.
        let latency_us = Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are in order");
        Self {
            accepted: vec![0; requests],
            refused: BTreeMap::new(),
            rejected_spans: 0,
            latency_us,
            elapsed: Duration::ZERO,
        }
    }

    fn add(&mut self, other: &Self) {
        self.accepted.iter_mut().zip(&other.accepted).for_each(|(sum, count)| *sum += count);
        for (reason, count) in &other.refused {
            *self.refused.entry(reason.clone()).or_default() += count;
        }
        self.rejected_spans += other.rejected_spans;
        self.latency_us.add(&other.latency_us).expect("both have the same bounds");
    }
}

impl Client {
    /// Opens the connections.
    ///
    /// # Errors
    /// When the server takes none.
    pub async fn connect(address: SocketAddr, manner: Manner) -> anyhow::Result<Self> {
        let mut senders = Vec::new();
        for _ in 0..manner.connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let handshake = Builder::new(TokioExecutor::new())
                .initial_stream_window_size(256 << 10)
                .initial_connection_window_size(512 << 10)
                .handshake(TokioIo::new(stream));
            let (sender, connection) = handshake.await?;
            tokio::spawn(connection);
            senders.push(sender);
        }
        Ok(Self { senders, authority: address.to_string(), manner, next: Arc::default() })
    }

    /// Sends bodies in turn for a while, then waits for the last answers.
    pub async fn run(&self, bodies: &Arc<[Bytes]>, lasts: Duration) -> Tally {
        let began = Instant::now();
        let mut loops = tokio::task::JoinSet::new();
        for number in 0..self.manner.inflight {
            let sender = self.senders[number % self.senders.len()].clone();
            let turn = Turn { authority: self.authority.clone(), manner: self.manner, next: Arc::clone(&self.next) };
            loops.spawn(turn.run(sender, Arc::clone(bodies), began + lasts));
        }
        let mut tally = Tally::new(bodies.len());
        while let Some(done) = loops.join_next().await {
            tally.add(&done.expect("a loop does not panic"));
        }
        tally.elapsed = began.elapsed();
        tally
    }
}

/// One of the closed loops.
struct Turn {
    authority: String,
    manner: Manner,
    next: Arc<AtomicUsize>,
}

impl Turn {
    async fn run(self, mut sender: SendRequest<Pieces>, bodies: Arc<[Bytes]>, until: Instant) -> Tally {
        let mut tally = Tally::new(bodies.len());
        while Instant::now() < until {
            let number = self.next.fetch_add(1, Ordering::Relaxed) % bodies.len();
            let sent = Instant::now();
            let answer = self.export(&mut sender, bodies[number].clone()).await;
            let took_us = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
            tally.latency_us.saturating_record(took_us);
            match answer {
                Ok(rejected) => {
                    tally.accepted[number] += 1;
                    tally.rejected_spans += rejected;
                }
                Err(reason) => *tally.refused.entry(reason).or_default() += 1,
            }
        }
        tally
    }

    /// Spans that the server rejected, or why it refused the request.
    async fn export(&self, sender: &mut SendRequest<Pieces>, body: Bytes) -> Result<u64, String> {
        let encoding = match self.manner.compression {
            Compression::None => None,
            other => Some(other.name()),
        };
        let mut request = Request::post(format!("http://{}{PATH}", self.authority))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some(encoding) = encoding {
            request = request.header("grpc-encoding", encoding);
        }
        let message = Pieces { rest: body, frames: self.manner.frames };
        let request = request.body(message).map_err(|error| error.to_string())?;
        sender.ready().await.map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(|error| format!("no answer: {error}"))?;
        read(response).await
    }
}

async fn read(response: Response<Incoming>) -> Result<u64, String> {
    if response.status() != StatusCode::OK {
        return Err(format!("HTTP {}", response.status()));
    }
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| format!("no trailers: {error}"))?;
    let status =
        |headers: &HeaderMap| headers.get("grpc-status").and_then(|code| code.to_str().ok()).map(str::to_owned);
    match status(&head.headers).or_else(|| body.trailers().and_then(status)).as_deref() {
        Some("0") => {}
        Some(code) => return Err(format!("grpc-status {code}")),
        None => return Err("no grpc-status".to_owned()),
    }
    let body = body.to_bytes();
    let message = body.get(PREFIX_BYTES..).ok_or("an answer without a message")?;
    let answer = ExportTraceServiceResponse::decode(message).map_err(|error| error.to_string())?;
    Ok(answer.partial_success.map_or(0, |partial| u64::try_from(partial.rejected_spans).unwrap_or(0)))
}

/// A gRPC message as a body of one piece, or of pieces of 16 KiB.
#[derive(Debug)]
struct Pieces {
    rest: Bytes,
    frames: Frames,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = match self.frames {
            Frames::Whole => self.rest.len(),
            Frames::Small => self.rest.len().min(SMALL_FRAME_BYTES),
        };
        Poll::Ready((length > 0).then(|| Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
