//! The peer: tonic decodes every request into prost's structs and drops them. It receives only, it counts nothing.
//!
//! Its settings are its best ones: the message limit raised (4 MiB by default), frames that hold a whole batch.

use std::net::SocketAddr;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::{Request, Response, Status};

#[derive(Debug)]
struct Dropper;

#[tonic::async_trait]
impl TraceService for Dropper {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        // Decoded for real: the compiler may not find out that nobody looks.
        std::hint::black_box(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Serves OTLP/gRPC on a free port of loopback until the process ends; `announce` gets the address.
///
/// # Errors
/// When no port can be had or the server fails.
pub async fn serve(announce: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    announce(listener.local_addr()?);
    let service = TraceServiceServer::new(Dropper)
        .max_decoding_message_size(64 << 20)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Zstd);
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    tonic::transport::Server::builder()
        .max_frame_size(256 << 10)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(1 << 20)
        .add_service(service)
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}
