//! OTLP as raw bytes over both transports: what no client library would send, and answers as they came.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tonic::{Code, Status};

/// Path of traces over HTTP.
pub const TRACES: &str = "/v1/traces";
/// Path of traces over gRPC.
pub const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// No answer takes this long unless the daemon hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What HTTP/1 answered.
#[derive(Debug)]
pub struct HttpAnswer {
    /// Status.
    pub status: u16,
    /// Status line and headers, in lower case.
    pub head: String,
    /// Body.
    pub body: Vec<u8>,
}

/// Sends bytes on a connection of their own and reads until it ends; nothing: it was closed without an answer.
///
/// # Panics
/// When nobody listens.
#[must_use]
pub fn exchange(address: SocketAddr, request: &[u8]) -> Option<HttpAnswer> {
    let mut stream = TcpStream::connect(address).expect("a listener");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    // A daemon that has answered need not take the rest.
    let _ = stream.write_all(request);
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    let end = response.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(response[..end].to_vec()).expect("a head in ASCII").to_ascii_lowercase();
    let status = head.get(9..12)?.parse().ok()?;
    Some(HttpAnswer { status, head, body: response.split_off(end + 4) })
}

/// A POST of HTTP/1 that closes its connection.
#[must_use]
pub fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut request =
        format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    [request.as_bytes(), b"\r\n", body].concat()
}

/// Posts and reads the answer.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn answer(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> HttpAnswer {
    exchange(address, &post(path, headers, body)).unwrap_or_else(|| panic!("{path} {headers:?}: no answer"))
}

/// What gRPC answered.
#[derive(Debug)]
pub struct GrpcAnswer {
    /// HTTP's status.
    pub http: u16,
    /// gRPC's, from trailers or head.
    pub status: Option<Status>,
    /// Headers.
    pub headers: http::HeaderMap,
    /// The message with its frame of 5 bytes.
    pub message: Bytes,
}

impl GrpcAnswer {
    /// gRPC's code.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.status.as_ref().map(Status::code)
    }
}

/// Calls a gRPC method with a body of frames.
///
/// # Panics
/// When no response comes within 20 s.
pub async fn call<B>(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: B) -> GrpcAnswer
where
    B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<B>();
    let mut request = Request::post(format!("http://{address}{path}"));
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/grpc");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let sending = client.request(request.body(body).expect("a request"));
    let response = tokio::time::timeout(PATIENCE, sending).await.expect("in time").expect("a response");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a whole response");
    let trailers = body.trailers().cloned().unwrap_or_default();
    let status = Status::from_header_map(&trailers).or_else(|| Status::from_header_map(&head.headers));
    GrpcAnswer { http: head.status.as_u16(), status, headers: head.headers, message: body.to_bytes() }
}

/// A gRPC frame.
///
/// # Panics
/// When the message has 4 GiB.
#[must_use]
pub fn frame(flag: u8, message: &[u8]) -> Full<Bytes> {
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    Full::from([&[flag][..], &length, message].concat())
}
