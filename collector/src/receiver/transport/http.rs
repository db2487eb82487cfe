//! OTLP/HTTP: two paths, POST only, matched byte for byte.

use std::sync::Arc;

use http::header::HeaderMap;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::exchange::Exchange;
use super::head;
use super::reply::Reply;
use crate::observation::Signal;
use crate::receiver::accept::{Handler, Peer};
use crate::receiver::answer::http::{Form, render};
use crate::receiver::answer::{Answer, JITTER_PERMILLE_MAX, Refusal, grpc};
use crate::receiver::chance;
use crate::receiver::request::{Encoding, Head, Ingest, Transport};

/// Where requests are sent.
#[derive(Debug, Clone)]
pub struct Paths {
    /// Of traces.
    pub traces: String,
    /// Of metrics.
    pub metrics: String,
}

impl Paths {
    fn signal(&self, path: &str) -> Result<Signal, Refusal> {
        // The path as it was sent: no decoding, no `..`, no doubled slashes.
        if path == self.traces {
            Ok(Signal::Traces)
        } else if path == self.metrics {
            Ok(Signal::Metrics)
        } else {
            Err(head::http_path_refusal(path))
        }
    }
}

/// Answers OTLP/HTTP.
#[derive(Debug)]
pub struct HttpHandler<I> {
    exchange: Arc<Exchange<I>>,
    paths: Paths,
    grpc_port: Option<u16>,
}

impl<I: Ingest> HttpHandler<I> {
    /// A handler of these paths; `grpc_port` is where gRPC clients are pointed to.
    #[must_use]
    pub fn new(exchange: Arc<Exchange<I>>, paths: Paths, grpc_port: Option<u16>) -> Self {
        Self { exchange, paths, grpc_port }
    }

    async fn respond(&self, parts: &Parts, body: &mut Incoming, peer: &Peer) -> Response<Reply> {
        let begun = Instant::now();
        if head::is_grpc(&parts.headers) {
            let refusal = wrong_port("OTLP/gRPC", self.grpc_port);
            let answer = self.exchange.refuse(Transport::Http, None, refusal);
            return Reply::framed(grpc::render(&answer, 0));
        }
        let encoding = head::encoding(&parts.headers);
        let (signal, answer) = match self.route(parts) {
            Err(refusal) => (None, self.exchange.refuse(Transport::Http, None, refusal)),
            Ok(signal) => {
                (Some(signal), self.export(signal, encoding.clone(), &parts.headers, (body, peer, begun)).await)
            }
        };
        let form = Form {
            encoding: encoding.unwrap_or(Encoding::Json),
            signal: signal.unwrap_or(Signal::Traces),
            jitter_permille: chance::below(JITTER_PERMILLE_MAX + 1),
        };
        render(&answer, form).map(Reply::whole)
    }

    fn route(&self, parts: &Parts) -> Result<Signal, Refusal> {
        if parts.uri.path_and_query().is_some_and(|uri| uri.as_str().len() > head::URI_BYTES_MAX) {
            return Err(Refusal::uri());
        }
        if parts.method != Method::POST {
            return Err(Refusal::method());
        }
        self.paths.signal(parts.uri.path())
    }

    async fn export(
        &self,
        signal: Signal,
        encoding: Result<Encoding, Refusal>,
        headers: &HeaderMap,
        (body, peer, begun): (&mut Incoming, &Peer, Instant),
    ) -> Answer {
        let read = || {
            Ok(Head {
                transport: Transport::Http,
                signal,
                encoding: encoding?,
                coding: head::http_coding(headers)?,
                tenant: head::tenant(headers)?,
                address: Arc::clone(&peer.address),
                deadline: None,
            })
        };
        match read() {
            Ok(head) => self.exchange.answer(head, body, begun).await,
            Err(refusal) => self.exchange.refuse(Transport::Http, Some(signal), refusal),
        }
    }
}

/// The refusal that points to the other listener.
pub(super) fn wrong_port(protocol: &str, port: Option<u16>) -> Refusal {
    Refusal::wrong_port(match port {
        Some(port) => format!("{protocol} is on :{port}"),
        None => format!("{protocol} is off here"),
    })
}

impl<I: Ingest> Handler for HttpHandler<I> {
    type Body = Reply;

    async fn handle(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Response<Reply> {
        let (parts, mut body) = request.into_parts();
        let response = self.respond(&parts, &mut body, &peer).await;
        if !body.is_end_stream() {
            peer.activity.leave_body();
        }
        response
    }
}
