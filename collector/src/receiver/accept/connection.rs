//! One connection: hyper's state machine under our limits.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::watch;
use tokio::time::sleep;

use super::activity::{Activity, Tracked};
use super::ageing::{Ageing, Verdict};
use super::seats::Seat;
use super::socket::Socket;
use crate::receiver::ConnectionSettings;
use crate::receiver::gate::Phase;

/// Requests at once on one connection.
const STREAMS_MAX: u32 = 64;
/// Streams that we reset before a client is sent away (RUSTSEC-2024-0003).
const LOCAL_RESETS_MAX: usize = 256;
/// Streams that the client may reset before we saw them (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
/// HTTP/2's largest list of headers.
const HEADER_LIST_BYTES_MAX: u32 = 16 << 10;
/// One DATA frame may hold half a typical batch: halves the transport's CPU for clients that honour it.
const FRAME_BYTES_MAX: u32 = 256 << 10;
/// Fits a batch of 512 spans.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// Two such batches; times the number of connections it is part of the memory rule.
const CONNECTION_WINDOW_BYTES: u32 = 512 << 10;
/// Answers are small; more waiting bytes are a client that does not read.
const SEND_BUFFER_BYTES_MAX: usize = 64 << 10;
/// Finds dead peers: a ping, and as long again for its echo.
const PING: Duration = Duration::from_secs(20);
/// HTTP/1's most headers.
const HEADERS_MAX: usize = 100;
/// HTTP/1's buffer: 64 KiB, and room for the 8 KiB that a URI may have, so that a URI of 64 KiB is read far enough to
/// be told 414.
const READ_BUFFER_BYTES_MAX: usize = (64 + 8) << 10;

/// Who is at the other end.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The address as text.
    pub address: Arc<str>,
    /// What the connection is doing.
    pub activity: Arc<Activity>,
}

impl Peer {
    pub(super) fn new(address: IpAddr, activity: Arc<Activity>) -> Self {
        Self { address: address.to_canonical().to_string().into(), activity }
    }
}

/// Answers requests. It never fails: whatever happens is an answer.
pub trait Handler: Send + Sync + 'static {
    /// The body of its answers.
    type Body: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static;

    /// Answers one request. When the future is dropped, the client has left.
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// Makes connections of sockets. One for all listeners.
#[derive(Debug, Clone)]
pub struct Server {
    builder: auto::Builder<TokioExecutor>,
}

impl Server {
    /// With every value set: what hyper and h2 come with is made for browsers and trusted networks.
    #[must_use]
    pub fn new(settings: &ConnectionSettings) -> Self {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            // hyper counts the pause before a request in; the tighter limit on heads is `Ageing`'s.
            .header_read_timeout(settings.idle_http1.0.max(settings.header_timeout.0))
            .max_headers(HEADERS_MAX)
            .max_buf_size(READ_BUFFER_BYTES_MAX)
            .keep_alive(true)
            .half_close(false);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_local_error_reset_streams(LOCAL_RESETS_MAX)
            .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
            .max_header_list_size(HEADER_LIST_BYTES_MAX)
            .max_frame_size(FRAME_BYTES_MAX)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .adaptive_window(false)
            .max_send_buf_size(SEND_BUFFER_BYTES_MAX)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING);
        Self { builder }
    }

    /// Serves one connection to its end.
    pub(super) async fn serve<H: Handler>(&self, stream: TcpStream, guest: Guest<H>) {
        let Guest { handler, peer, seat, ageing, mut phase } = guest;
        let activity = Arc::clone(&peer.activity);
        let service = service_fn(move |request: Request<Incoming>| answer(Arc::clone(&handler), request, peer.clone()));
        let socket = TokioIo::new(Socket::new(stream, Arc::clone(&activity)));
        let mut connection = pin!(self.builder.serve_connection(socket, service));
        let mut farewell_at = None;
        let mut end_began = pin!(phase.wait_for(|phase| *phase >= Phase::Draining));
        loop {
            let now = activity.now();
            let look = match ageing.verdict(&activity.vitals(), now, farewell_at) {
                Verdict::Cut => return,
                Verdict::Farewell => {
                    connection.as_mut().graceful_shutdown();
                    farewell_at = Some(now);
                    continue;
                }
                Verdict::Look(ms) => Duration::from_millis(ms),
            };
            select! {
                biased;
                // Its error is the peer's doing and concerns nobody else.
                _ = connection.as_mut() => return,
                () = seat.wanted() => return,
                _ = &mut end_began, if farewell_at.is_none() => {
                    connection.as_mut().graceful_shutdown();
                    farewell_at = Some(activity.now());
                }
                () = sleep(look) => {}
            }
        }
    }
}

/// A connection that found a seat.
pub(super) struct Guest<H> {
    pub(super) handler: Arc<H>,
    pub(super) peer: Peer,
    pub(super) seat: Seat,
    pub(super) ageing: Ageing,
    pub(super) phase: watch::Receiver<Phase>,
}

type Answered<B> = Pin<Box<dyn Future<Output = Result<Response<Tracked<B>>, Infallible>> + Send>>;

fn answer<H: Handler>(handler: Arc<H>, request: Request<Incoming>, peer: Peer) -> Answered<H::Body> {
    Box::pin(async move {
        let mut open = peer.activity.begin(request.version() < Version::HTTP_2);
        let response = handler.handle(request, peer).await;
        // A stream without an end (health's watch) is no answer that somebody fails to read.
        if response.body().size_hint().upper().is_some() {
            open.answer();
        }
        Ok(response.map(|body| Tracked::new(body, open)))
    })
}
