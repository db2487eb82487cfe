//! Answers as gRPC says them: a message and trailers, or a head that is all there is.

use bytes::{BufMut, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use prost::Message;
use tonic::Status;

use super::http::accepted_message;
use super::{Accepted, Answer, Cause, Refusal};

const CONTENT_TYPE_GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const ACCEPT_ENCODING_GRPC: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// Flag and length of a gRPC message.
pub const PREFIX_BYTES: usize = 5;

/// A gRPC response before it becomes frames.
#[derive(Debug)]
pub struct Framed {
    /// Status line and headers.
    pub head: Response<()>,
    /// The message with its prefix, if there is one.
    pub message: Option<Bytes>,
    /// The trailers, if the head does not say it all.
    pub trailers: Option<HeaderMap>,
}

/// Writes the answer.
#[must_use]
pub fn render(answer: &Answer, jitter_permille: u32) -> Framed {
    match answer {
        Ok(accepted) => message(accepted_frame(accepted)),
        Err(refusal) => refused(refusal, jitter_permille),
    }
}

fn accepted_frame(accepted: &Accepted) -> Bytes {
    if accepted.rejected == 0 && accepted.message.is_empty() {
        return Bytes::from_static(&[0; PREFIX_BYTES]);
    }
    frame(&accepted_message(accepted))
}

/// A message with its prefix.
#[must_use]
pub fn frame(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(PREFIX_BYTES + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).expect("answers are a few KiB"));
    message.encode(&mut bytes).expect("the buffer has room for the message");
    bytes.freeze()
}

/// A head that announces gRPC frames.
#[must_use]
pub fn head() -> Response<()> {
    let mut head = Response::new(());
    head.headers_mut().insert(CONTENT_TYPE, CONTENT_TYPE_GRPC);
    head
}

/// The trailers of success.
#[must_use]
pub fn ok_trailers() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
    trailers
}

/// A response of one message.
#[must_use]
pub fn message(frame: Bytes) -> Framed {
    Framed { head: head(), message: Some(frame), trailers: Some(ok_trailers()) }
}

/// A response that is a status only.
#[must_use]
pub fn status(status: Status) -> Framed {
    Framed { head: status.into_http(), message: None, trailers: None }
}

fn refused(refusal: &Refusal, jitter_permille: u32) -> Framed {
    let mut framed = status(refusal.status(jitter_permille));
    let head = &mut framed.head;
    match refusal.cause {
        // Not gRPC at all: said in HTTP, as gRPC demands of a wrong content type.
        Cause::MediaType => *head.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Cause::Method => {
            *head.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            head.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static("POST"));
        }
        Cause::Uri => *head.status_mut() = StatusCode::URI_TOO_LONG,
        Cause::Coding => {
            head.headers_mut().insert(ACCEPT_ENCODING_GRPC, HeaderValue::from_static("identity,gzip,zstd"));
        }
        _ => {}
    }
    framed
}
