//! OTLP/gRPC: unary calls read from the frames of HTTP/2, without a decoder in between.
//!
//! tonic gives the statuses; its server is not used, because it would join, limit and refuse before our own checks.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::exchange::{Exchange, deadline};
use super::head::{self, GrpcRoute};
use super::http::wrong_port;
use super::reply::Reply;
use super::{frame, health};
use crate::observation::Signal;
use crate::observation::budget::Budget;
use crate::receiver::accept::{Handler, Peer};
use crate::receiver::answer::{Answer, JITTER_PERMILLE_MAX, Refusal, grpc};
use crate::receiver::chance;
use crate::receiver::gate::Hold;
use crate::receiver::request::{Coding, Encoding, Head, Ingest, Transport};

/// Memory for health requests: its own, so that a full daemon still says how it is.
const HEALTH_BYTES_MAX: u64 = 512 << 10;

/// Answers OTLP/gRPC and gRPC health.
#[derive(Debug)]
pub struct GrpcHandler<I> {
    exchange: Arc<Exchange<I>>,
    http_port: Option<u16>,
    health_budget: Budget,
}

impl<I: Ingest> GrpcHandler<I> {
    /// A handler; `http_port` is where HTTP clients are pointed to.
    #[must_use]
    pub fn new(exchange: Arc<Exchange<I>>, http_port: Option<u16>) -> Self {
        Self { exchange, http_port, health_budget: Budget::new(HEALTH_BYTES_MAX) }
    }

    async fn respond(&self, parts: &Parts, body: &mut Incoming, peer: &Peer) -> Response<Reply> {
        let begun = Instant::now();
        if parts.version < Version::HTTP_2 {
            return self.not_here();
        }
        let answer = match route(parts) {
            Err(refusal) => self.exchange.refuse(Transport::Grpc, None, refusal),
            Ok(GrpcRoute::Export(signal)) => match read(parts, signal, peer, begun) {
                Ok(head) => self.exchange.answer(head, body, begun).await,
                Err(refusal) => self.exchange.refuse(Transport::Grpc, Some(signal), refusal),
            },
            Ok(health) => match self.health(health, body, begun).await {
                Ok(response) => return response,
                Err(refusal) => Err(refusal),
            },
        };
        self.render(&answer)
    }

    fn render(&self, answer: &Answer) -> Response<Reply> {
        Reply::framed(grpc::render(answer, chance::below(JITTER_PERMILLE_MAX + 1)))
    }

    /// HTTP/1 on this port: a browser, or an exporter with the other protocol.
    fn not_here(&self) -> Response<Reply> {
        let refusal = wrong_port("OTLP/HTTP", self.http_port);
        let text = Bytes::from(format!("{}\n", refusal.message));
        let _ = self.exchange.refuse(Transport::Grpc, None, refusal);
        let mut response = Response::new(Reply::whole(text));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    async fn health(&self, route: GrpcRoute, body: &mut Incoming, begun: Instant) -> Result<Response<Reply>, Refusal> {
        let mut intake = self.exchange.intake(body, begun, None);
        let hold = |length| Hold::new(&self.health_budget, length, health::REQUEST_BYTES_MAX);
        let message = frame::read(&mut intake, Coding::Identity, hold).await?.body.bytes;
        let gate = self.exchange.gate();
        let ready = gate.is_ready();
        Ok(match route {
            GrpcRoute::HealthWatch => match health::watch(&message, gate) {
                Ok(watching) => grpc::head().map(|()| Reply::Watch(Box::new(watching))),
                Err(status) => Reply::framed(grpc::status(status)),
            },
            GrpcRoute::HealthList => Reply::framed(health::list(ready)),
            GrpcRoute::HealthCheck | GrpcRoute::Export(_) => Reply::framed(health::check(&message, ready)),
        })
    }
}

fn route(parts: &Parts) -> Result<GrpcRoute, Refusal> {
    if parts.method != Method::POST {
        return Err(Refusal::method());
    }
    let route = head::grpc_route(parts.uri.path())?;
    head::grpc_media_type(&parts.headers)?;
    Ok(route)
}

fn read(parts: &Parts, signal: Signal, peer: &Peer, begun: Instant) -> Result<Head, Refusal> {
    Ok(Head {
        transport: Transport::Grpc,
        signal,
        encoding: Encoding::Protobuf,
        coding: head::grpc_coding(&parts.headers)?,
        tenant: head::tenant(&parts.headers)?,
        address: Arc::clone(&peer.address),
        deadline: deadline(&parts.headers, begun)?,
    })
}

impl<I: Ingest> Handler for GrpcHandler<I> {
    type Body = Reply;

    async fn handle(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Response<Reply> {
        let (parts, mut body) = request.into_parts();
        self.respond(&parts, &mut body, &peer).await
    }
}
