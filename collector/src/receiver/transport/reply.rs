//! The body of an answer: bytes, a gRPC message with trailers, or a health watch that goes on.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};

use super::health::Watching;
use crate::receiver::answer::grpc::Framed;

/// The body of an answer.
#[derive(Debug)]
pub enum Reply {
    /// Bytes, then trailers; either may be missing.
    Parts {
        /// The bytes that are still to be sent.
        bytes: Option<Bytes>,
        /// The trailers that are still to be sent.
        trailers: Option<Box<HeaderMap>>,
    },
    /// gRPC health's stream.
    Watch(Box<Watching>),
}

impl Reply {
    /// A body of these bytes.
    #[must_use]
    pub fn whole(bytes: Bytes) -> Self {
        Self::Parts { bytes: Some(bytes).filter(|bytes| !bytes.is_empty()), trailers: None }
    }

    /// A gRPC response.
    #[must_use]
    pub fn framed(framed: Framed) -> Response<Self> {
        let Framed { head, message, trailers } = framed;
        head.map(|()| Self::Parts { bytes: message, trailers: trailers.map(Box::new) })
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Parts { bytes, trailers } => {
                let frame = bytes.take().map(Frame::data).or_else(|| trailers.take().map(|t| Frame::trailers(*t)));
                Poll::Ready(frame.map(Ok))
            }
            Self::Watch(watching) => watching.poll_frame(cx).map(|frame| frame.map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Parts { bytes: None, trailers: None })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Parts { bytes, trailers } => {
                let length = bytes.as_ref().map_or(0, Bytes::len) as u64;
                let mut hint = SizeHint::new();
                hint.set_upper(length);
                // An exact length becomes a Content-Length, which no gRPC response has.
                if trailers.is_none() {
                    hint.set_lower(length);
                }
                hint
            }
            Self::Watch(_) => SizeHint::default(),
        }
    }
}
