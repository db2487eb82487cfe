//! A stand-in for the daemon on one loopback port: takes OTLP over gRPC and HTTP, counts, answers as told.

use std::collections::VecDeque;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use tonic::codec::CompressionEncoding;

use super::send::Targets;

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) spans: u64,
    pub(super) exports: u64,
    pub(super) gzipped: u64,
    /// Statuses that the next HTTP exports get instead of 200.
    pub(super) refusals: VecDeque<u16>,
    /// Spans that each accepted export reports as rejected.
    pub(super) rejected_spans: i64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct FakeDaemon(pub(super) Arc<Mutex<Seen>>);

impl FakeDaemon {
    /// Starts it on a free port; it ends with the runtime.
    pub(super) async fn start(&self) -> Targets {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let grpc = TraceServiceServer::new(self.clone()).accept_compressed(CompressionEncoding::Gzip);
        let router = Router::new()
            .route("/v1/traces", post(take_traces))
            .route("/v1/metrics", post(take_metrics))
            .with_state(self.clone())
            .merge(tonic::service::Routes::new(grpc).into_axum_router());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Targets { grpc: address, http: address }
    }

    fn take(&self, request: &ExportTraceServiceRequest) -> ExportTraceServiceResponse {
        let mut seen = self.0.lock().unwrap();
        seen.exports += 1;
        seen.spans += request.resource_spans.iter().map(|it| it.scope_spans[0].spans.len() as u64).sum::<u64>();
        let partial = ExportTracePartialSuccess { rejected_spans: seen.rejected_spans, error_message: String::new() };
        ExportTraceServiceResponse { partial_success: (seen.rejected_spans > 0).then_some(partial) }
    }
}

async fn take_traces(State(daemon): State<FakeDaemon>, headers: HeaderMap, body: Bytes) -> (StatusCode, Vec<u8>) {
    let refusal = daemon.0.lock().unwrap().refusals.pop_front();
    if let Some(status) = refusal {
        return (StatusCode::from_u16(status).unwrap(), Vec::new());
    }
    let mut inflated = body.to_vec();
    if headers.get("content-encoding").is_some_and(|coding| coding == "gzip") {
        inflated.clear();
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut inflated).unwrap();
        daemon.0.lock().unwrap().gzipped += 1;
    }
    let request = ExportTraceServiceRequest::decode(&inflated[..]).unwrap();
    (StatusCode::OK, daemon.take(&request).encode_to_vec())
}

async fn take_metrics() -> Vec<u8> {
    ExportMetricsServiceResponse::default().encode_to_vec()
}

#[tonic::async_trait]
impl TraceService for FakeDaemon {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        Ok(tonic::Response::new(self.take(request.get_ref())))
    }
}
