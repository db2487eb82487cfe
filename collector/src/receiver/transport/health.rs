//! gRPC health (`grpc.health.v1`): SERVING exactly when the daemon is ready. Asked without a key, at any time.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use prost::Message;
use tokio::select;
use tokio::sync::watch;
use tonic::{Code, Status};

use crate::receiver::answer::grpc::{self, Framed};
use crate::receiver::gate::{Gate, Phase};

/// The whole server, and the two services that it has.
const SERVICES: [&str; 3] = [
    "",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
];
/// Largest request: a service's name and its frame.
pub(super) const REQUEST_BYTES_MAX: u64 = 4 << 10;

/// `HealthCheckRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct CheckRequest {
    #[prost(string, tag = "1")]
    pub(super) service: String,
}

/// `HealthCheckResponse`.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct CheckResponse {
    #[prost(enumeration = "ServingStatus", tag = "1")]
    pub(super) status: i32,
}

/// `HealthListResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ListResponse {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(super) statuses: std::collections::BTreeMap<String, CheckResponse>,
}

/// `HealthCheckResponse.ServingStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(super) enum ServingStatus {
    Unknown = 0,
    Serving = 1,
    NotServing = 2,
    ServiceUnknown = 3,
}

fn status_of(ready: bool) -> ServingStatus {
    if ready { ServingStatus::Serving } else { ServingStatus::NotServing }
}

fn response(status: ServingStatus) -> CheckResponse {
    CheckResponse { status: status.into() }
}

fn known(message: &[u8]) -> Result<bool, Status> {
    let request = CheckRequest::decode(message).map_err(|_| Status::invalid_argument("not a HealthCheckRequest"))?;
    Ok(SERVICES.contains(&request.service.as_str()))
}

/// Answers `Check`.
pub(super) fn check(message: &[u8], ready: bool) -> Framed {
    match known(message) {
        Ok(true) => grpc::message(grpc::frame(&response(status_of(ready)))),
        Ok(false) => grpc::status(Status::not_found("no such service")),
        Err(status) => grpc::status(status),
    }
}

/// Answers `List`.
pub(super) fn list(ready: bool) -> Framed {
    let statuses = SERVICES.map(|service| (service.to_owned(), response(status_of(ready)))).into();
    grpc::message(grpc::frame(&ListResponse { statuses }))
}

/// Answers `Watch`: the stream, or a refusal.
pub(super) fn watch(message: &[u8], gate: &Gate) -> Result<Watching, Status> {
    let known = known(message)?;
    Ok(Watching { known, next: Next::Now, ready: gate.ready(), phase: gate.phase() })
}

/// The stream of `Watch`: the status now, then at each change, until the receiver ends.
pub struct Watching {
    known: bool,
    next: Next,
    ready: watch::Receiver<bool>,
    phase: watch::Receiver<Phase>,
}

enum Next {
    Now,
    Change(Pin<Box<dyn Future<Output = bool> + Send>>),
    Over,
}

impl std::fmt::Debug for Watching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watching").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Watching {
    pub(super) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        match &mut self.next {
            Next::Now => {}
            Next::Over => return Poll::Ready(None),
            Next::Change(change) => match change.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(true) => {}
                Poll::Ready(false) => {
                    self.next = Next::Over;
                    return Poll::Ready(Some(Frame::trailers(ending())));
                }
            },
        }
        let ready = *self.ready.borrow_and_update();
        self.next = Next::Change(Box::pin(changed(self.ready.clone(), self.phase.clone(), ready)));
        let status = if self.known { status_of(ready) } else { ServingStatus::ServiceUnknown };
        Poll::Ready(Some(Frame::data(grpc::frame(&response(status)))))
    }
}

/// Waits until readiness differs from `seen` (true) or the receiver ends (false).
async fn changed(mut ready: watch::Receiver<bool>, mut phase: watch::Receiver<Phase>, seen: bool) -> bool {
    select! {
        biased;
        changed = ready.wait_for(|ready| *ready != seen) => changed.is_ok(),
        _ = phase.wait_for(|phase| *phase >= Phase::Draining) => false,
    }
}

fn ending() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(2);
    Status::new(Code::Unavailable, "bailiwick is shutting down")
        .add_header(&mut trailers)
        .expect("a short ASCII text is a header value");
    trailers
}
