//! gRPC health (grpc.health.v1): SERVING exactly while requests are taken.

use ::http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use prost::Message;
use tonic::{Code, Status};

use super::answer::grpc::{frame, framed_status, message};
use super::grpc::{AnswerBody, framed};
use super::pipeline::Gate;

const REQUEST_BYTES_MAX: usize = 1 << 10;
const SERVICES: [&str; 3] = [
    "",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
];

#[derive(Clone, PartialEq, Message)]
struct CheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, Message)]
struct CheckResponse {
    /// 1 SERVING, 2 NOT_SERVING.
    #[prost(int32, tag = "1")]
    status: i32,
}

/// Answers a health call. Check only: Watch and List are UNIMPLEMENTED.
pub(super) async fn answer(request: Request<Incoming>, gate: &Gate) -> Response<AnswerBody> {
    let is_check = request.uri().path().ends_with("/Check");
    let refused = |code, text: &str| framed(framed_status(Status::new(code, text)));
    if !is_check {
        return refused(Code::Unimplemented, "of grpc.health.v1.Health only Check is served");
    }
    let Ok(body) = Limited::new(request.into_body(), REQUEST_BYTES_MAX).collect().await else {
        return refused(Code::InvalidArgument, "the request is longer than 1 KiB or was cut");
    };
    let body = body.to_bytes();
    let asked = body.get(5..).and_then(|message| CheckRequest::decode(message).ok());
    match asked {
        Some(asked) if SERVICES.contains(&asked.service.as_str()) => {
            let status = if gate.is_open() { 1 } else { 2 };
            framed(message(frame(&CheckResponse { status })))
        }
        Some(_) => refused(Code::NotFound, "no such service here"),
        None => refused(Code::InvalidArgument, "the request is no HealthCheckRequest"),
    }
}
