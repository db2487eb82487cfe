//! The platform's exporters: OTLP over gRPC and HTTP with a bounded queue, as OTLP asks clients to behave. It retries
//! what may be retried, keeps to partial success, counts what was refused, and never blocks the traffic.

use std::collections::VecDeque;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join_all;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};

use super::platform::Transport;

/// Exports that may wait; about a minute of traffic. Beyond it the oldest goes and is counted.
const QUEUE_MAX: usize = 512;
/// Exports on their way at the same time.
const CONCURRENCY_MAX: usize = 8;
/// Longest time for one export: short, so that a daemon that hangs delays the end of a demo by no more.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Where the daemon receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Targets {
    /// OTLP/gRPC.
    pub grpc: SocketAddr,
    /// OTLP/HTTP.
    pub http: SocketAddr,
}

/// What became of the exports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Exports that were answered with success, whole or partial.
    pub exports: u64,
    /// Spans and data points in them.
    pub items: u64,
    /// Of these, items that the daemon refused one by one.
    pub items_rejected: u64,
    /// Exports that were refused for good.
    pub exports_refused: u64,
    /// Exports that had to be sent again.
    pub retries: u64,
    /// Exports that no room was left for.
    pub exports_dropped: u64,
}

/// Something to send.
#[derive(Debug)]
pub(super) enum Export {
    /// Traces over OTLP/gRPC.
    GrpcTraces { request: ExportTraceServiceRequest, gzip: bool },
    /// Traces or metrics over OTLP/HTTP.
    Http { signal: Signal, body: Bytes, gzip: bool, items: u64 },
}

/// What an OTLP/HTTP export carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Metrics,
}

/// What the daemon made of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accepted { rejected: u64 },
    Refused,
    Later,
}

impl Export {
    /// Traces, packed as their service's transport says.
    pub(super) fn traces(request: ExportTraceServiceRequest, transport: Transport) -> Self {
        match transport {
            Transport::Grpc => Self::GrpcTraces { request, gzip: false },
            Transport::GrpcGzip => Self::GrpcTraces { request, gzip: true },
            Transport::Http | Transport::HttpGzip => {
                let items = spans(&request);
                Self::http(Signal::Traces, &request.encode_to_vec(), items, transport == Transport::HttpGzip)
            }
        }
    }

    /// Metrics over OTLP/HTTP.
    pub(super) fn metrics(request: &ExportMetricsServiceRequest, items: u64) -> Self {
        Self::http(Signal::Metrics, &request.encode_to_vec(), items, true)
    }

    fn http(signal: Signal, bytes: &[u8], items: u64, gzip: bool) -> Self {
        if !gzip {
            return Self::Http { signal, body: Bytes::copy_from_slice(bytes), gzip, items };
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("a vector takes any number of bytes");
        let body = encoder.finish().expect("a vector takes any number of bytes").into();
        Self::Http { signal, body, gzip, items }
    }

    fn items(&self) -> u64 {
        match self {
            Self::GrpcTraces { request, .. } => spans(request),
            Self::Http { items, .. } => *items,
        }
    }
}

fn spans(request: &ExportTraceServiceRequest) -> u64 {
    request.resource_spans.iter().flat_map(|group| &group.scope_spans).map(|scope| scope.spans.len() as u64).sum()
}

/// The queue and the clients that empty it.
#[derive(Debug)]
pub(super) struct Exporter {
    queue: VecDeque<Export>,
    clients: Clients,
    /// What became of the exports so far.
    pub(super) tally: Tally,
}

#[derive(Debug)]
struct Clients {
    grpc: TraceServiceClient<Channel>,
    http: Client<HttpConnector, Full<Bytes>>,
    http_address: SocketAddr,
}

impl Exporter {
    /// Clients of these listeners; they connect when there is something to send. Call it inside a runtime.
    pub(super) fn to(targets: Targets) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", targets.grpc));
        let channel = endpoint.expect("a socket address makes an URI").connect_lazy();
        let clients = Clients {
            grpc: TraceServiceClient::new(channel),
            http: Client::builder(TokioExecutor::new()).build_http(),
            http_address: targets.http,
        };
        Self { queue: VecDeque::new(), clients, tally: Tally::default() }
    }

    /// Queues an export; a full queue drops its oldest.
    pub(super) fn offer(&mut self, export: Export) {
        if self.queue.len() >= QUEUE_MAX {
            self.queue.pop_front();
            self.tally.exports_dropped += 1;
        }
        self.queue.push_back(export);
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Exports that wait.
    pub(super) fn waiting(&self) -> u64 {
        self.queue.len() as u64
    }

    /// Sends what is in the queue, oldest first, until it is empty or the daemon asks to come back; what should come
    /// again stays in it. Takes [`EXPORT_TIMEOUT`] longer than a daemon that answers, at most.
    pub(super) async fn deliver(&mut self) {
        while !self.queue.is_empty() {
            let few: Vec<Export> = self.queue.drain(..self.queue.len().min(CONCURRENCY_MAX)).collect();
            let clients = &self.clients;
            let sends = few.iter().map(|export| tokio::time::timeout(EXPORT_TIMEOUT, clients.send(export)));
            let answers = join_all(sends).await;
            let mut later = Vec::new();
            for (export, answer) in few.into_iter().zip(answers) {
                let answer = answer.unwrap_or(Answer::Later);
                self.tally.book(export.items(), answer);
                if answer == Answer::Later {
                    later.push(export);
                }
            }
            if !later.is_empty() {
                later.into_iter().rev().for_each(|export| self.queue.push_front(export));
                return;
            }
        }
    }
}

impl Tally {
    fn book(&mut self, items: u64, answer: Answer) {
        match answer {
            Answer::Accepted { rejected } => {
                self.exports += 1;
                self.items += items;
                self.items_rejected += rejected;
            }
            Answer::Refused => self.exports_refused += 1,
            Answer::Later => self.retries += 1,
        }
    }
}

impl Clients {
    async fn send(&self, export: &Export) -> Answer {
        match export {
            Export::GrpcTraces { request, gzip } => self.send_grpc(request.clone(), *gzip).await,
            Export::Http { signal, body, gzip, .. } => self.send_http(*signal, body.clone(), *gzip).await,
        }
    }

    async fn send_grpc(&self, request: ExportTraceServiceRequest, gzip: bool) -> Answer {
        let mut client = self.grpc.clone();
        if gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        match client.export(request).await {
            Ok(response) => traces_answer(&response.into_inner()),
            Err(status) if grpc_retryable(status.code()) => Answer::Later,
            Err(_) => Answer::Refused,
        }
    }

    async fn send_http(&self, signal: Signal, body: Bytes, gzip: bool) -> Answer {
        let path = match signal {
            Signal::Traces => "/v1/traces",
            Signal::Metrics => "/v1/metrics",
        };
        let mut request = Request::post(format!("http://{}{path}", self.http_address))
            .header(header::CONTENT_TYPE, "application/x-protobuf");
        if gzip {
            request = request.header(header::CONTENT_ENCODING, "gzip");
        }
        let request = request.body(Full::new(body)).expect("method, URI and headers are well-formed");
        let Ok(response) = self.http.request(request).await else { return Answer::Later };
        let status = response.status();
        let Ok(body) = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await else {
            return Answer::Later;
        };
        http_answer(signal, status, body.to_bytes())
    }
}

/// Codes that OTLP lets a client retry. UNKNOWN is tonic's for a connection that broke before the call.
const fn grpc_retryable(code: Code) -> bool {
    matches!(
        code,
        Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss
            | Code::Unknown
    )
}

fn traces_answer(response: &ExportTraceServiceResponse) -> Answer {
    accepted(response.partial_success.as_ref().map(|partial| partial.rejected_spans))
}

fn accepted(rejected: Option<i64>) -> Answer {
    Answer::Accepted { rejected: rejected.and_then(|count| u64::try_from(count).ok()).unwrap_or(0) }
}

fn http_answer(signal: Signal, status: StatusCode, body: Bytes) -> Answer {
    match status.as_u16() {
        200 => match signal {
            Signal::Traces => ExportTraceServiceResponse::decode(body).map_or(Answer::Refused, |it| traces_answer(&it)),
            Signal::Metrics => ExportMetricsServiceResponse::decode(body)
                .map_or(Answer::Refused, |it| accepted(it.partial_success.map(|partial| partial.rejected_data_points))),
        },
        429 | 502..=504 => Answer::Later,
        _ => Answer::Refused,
    }
}

#[cfg(test)]
mod tests;
