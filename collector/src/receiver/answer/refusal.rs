//! An answer as a value: what was accepted, or why nothing was.

use std::borrow::Cow;
use std::time::Duration;

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

use super::{Cause, JITTER_PERMILLE_MAX};
use crate::journal::AppendError;
use crate::observation::Unreadable;

/// What becomes of a request.
pub type Answer = Result<Accepted, Refusal>;

/// A request that was taken, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Items that were refused one by one.
    pub rejected: u32,
    /// What is said about them, and warnings; empty: nothing is.
    pub message: String,
}

/// A request that was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which row of the table.
    pub cause: Cause,
    /// One sentence for the client.
    pub message: Cow<'static, str>,
    /// Where in the request it is wrong (a path, a byte, a header); of causes that carry a `BadRequest`.
    pub place: Option<Cow<'static, str>>,
}

impl Refusal {
    fn new(cause: Cause, message: impl Into<Cow<'static, str>>) -> Self {
        Self { cause, message: message.into(), place: None }
    }

    fn at(self, place: impl Into<Cow<'static, str>>) -> Self {
        Self { place: Some(place.into()), ..self }
    }

    /// The message is not OTLP/JSON: where and why.
    #[must_use]
    pub fn bad_json(place: String, message: String) -> Self {
        Self::new(Cause::BadJson, message).at(place)
    }

    /// The body does not inflate: at which byte of it, and why.
    #[must_use]
    pub fn bad_encoding(offset: usize, what: &'static str) -> Self {
        Self::new(Cause::BadEncoding, format!("failed to inflate the body at byte {offset}: {what}"))
            .at(format!("byte {offset}"))
    }

    /// The gRPC frame is wrong: at which byte, and why.
    #[must_use]
    pub fn bad_frame(offset: usize, what: &'static str) -> Self {
        Self::new(Cause::BadFrame, what).at(format!("byte {offset}"))
    }

    /// The message is flagged as compressed and no header says how.
    #[must_use]
    pub fn flag_without_encoding() -> Self {
        Self::new(Cause::FlagWithoutEncoding, "the message is flagged as compressed, but grpc-encoding names no coding")
    }

    /// A header cannot be used.
    #[must_use]
    pub fn bad_header(name: &'static str, what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Cause::BadRequest, what).at(name)
    }

    /// A body beyond `limits.body_bytes_max`.
    #[must_use]
    pub fn body_too_large(max: u64) -> Self {
        Self::new(Cause::BodyTooLarge, format!("the body is larger than {max} bytes"))
    }

    /// More items or containers than a request may have.
    #[must_use]
    pub fn too_many(what: &'static str, max: u32) -> Self {
        Self::new(Cause::TooManyItems, format!("more than {max} {what} in one request"))
    }

    /// A body that inflates beyond reason.
    #[must_use]
    pub fn ratio(max: u32) -> Self {
        Self::new(Cause::Ratio, format!("the body inflates to more than {max} times its size"))
    }

    /// A zstd window that would take too much memory.
    #[must_use]
    pub fn zstd_window() -> Self {
        Self::new(Cause::ZstdWindow, "the zstd window is larger than 8 MiB")
    }

    /// A request that no empty server would have room for.
    #[must_use]
    pub fn share() -> Self {
        Self::new(Cause::Share, "this request alone needs more than half of the memory for requests: send smaller ones")
    }

    /// Nothing is here.
    #[must_use]
    pub fn path(hint: &'static str) -> Self {
        Self::new(Cause::Path, hint)
    }

    /// Not POST.
    #[must_use]
    pub fn method() -> Self {
        Self::new(Cause::Method, "OTLP is sent with POST")
    }

    /// A content type that is not OTLP's.
    #[must_use]
    pub fn media_type(what: &'static str) -> Self {
        Self::new(Cause::MediaType, what)
    }

    /// A compression that is not offered.
    #[must_use]
    pub fn coding(what: &'static str) -> Self {
        Self::new(Cause::Coding, what)
    }

    /// The URI is too long.
    #[must_use]
    pub fn uri() -> Self {
        Self::new(Cause::Uri, "the URI is longer than 8 KiB")
    }

    /// The other protocol's port; the text names the right one.
    #[must_use]
    pub fn wrong_port(message: String) -> Self {
        Self::new(Cause::WrongPort, message)
    }

    /// The body came too slowly.
    #[must_use]
    pub fn slow_body() -> Self {
        Self::new(Cause::Slow, "the body did not arrive in time")
    }

    /// The client's deadline passed before the request was appended.
    #[must_use]
    pub fn deadline() -> Self {
        Self::new(Cause::Slow, "the deadline passed before the request was accepted: nothing of it counts")
    }

    /// No room now.
    #[must_use]
    pub fn inflight() -> Self {
        Self::new(Cause::Inflight, "the memory for requests is in use: come back")
    }

    /// Not ready yet.
    #[must_use]
    pub fn starting() -> Self {
        Self::new(Cause::Starting, "bailiwick is starting: come back")
    }

    /// Going down.
    #[must_use]
    pub fn shutdown() -> Self {
        Self::new(Cause::Shutdown, "bailiwick is shutting down: come back")
    }

    /// The journal does not take it: the data is good, the fault is ours.
    #[must_use]
    pub fn of_journal(error: AppendError) -> Self {
        match error {
            AppendError::Closed => Self::shutdown(),
            AppendError::DiskFull => Self::new(Cause::DiskFull, "bailiwick has no room on its disk: come back"),
            AppendError::Full => Self::new(Cause::JournalFull, "bailiwick's journal is full: come back"),
            AppendError::Broken => Self::new(Cause::JournalBroken, "bailiwick's disk failed: come back"),
        }
    }

    /// A bug of ours.
    #[must_use]
    pub fn panic() -> Self {
        Self::new(Cause::Panic, "bailiwick failed on this request: nothing of it counts")
    }

    /// The client left.
    #[must_use]
    pub fn aborted() -> Self {
        Self::new(Cause::Aborted, "the body ended before its length")
    }

    /// The refusal as gRPC says it, with `google.rpc` details: `BadRequest` where the request is wrong, `RetryInfo`
    /// where it is to be sent again.
    #[must_use]
    pub fn status(&self, jitter_permille: u32) -> Status {
        let code = self.cause.grpc_code();
        let details = match (&self.place, self.cause.delay()) {
            (Some(place), _) => ErrorDetails::with_bad_request_violation(place.clone(), self.message.clone()),
            (None, Some(delay)) => ErrorDetails::with_retry_info(Some(delay_with_jitter(delay, jitter_permille))),
            (None, None) => return Status::new(code, self.message.clone()),
        };
        Status::with_error_details(code, self.message.clone(), details)
    }
}

impl From<Unreadable> for Refusal {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::BadProtobuf { offset, .. } => {
                Self::new(Cause::BadProtobuf, unreadable.to_string()).at(format!("byte {offset}"))
            }
            Unreadable::TooManyItems { what, max } => Self::too_many(what, max),
        }
    }
}

/// A delay that spreads those who wait: up to 20 % longer.
#[must_use]
pub fn delay_with_jitter(delay: Duration, jitter_permille: u32) -> Duration {
    delay + delay * jitter_permille.min(JITTER_PERMILLE_MAX) / 1_000
}
