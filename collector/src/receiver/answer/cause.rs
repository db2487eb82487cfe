//! The rows of the table of answers: what each cause of a refusal is called and how either transport says it.

use std::time::Duration;

use http::StatusCode;
use tonic::Code;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Cause {
    /// The message is not protobuf.
    BadProtobuf,
    /// The message is not OTLP/JSON.
    BadJson,
    /// The body does not inflate.
    BadEncoding,
    /// The gRPC frame is wrong.
    BadFrame,
    /// gRPC's flag says compressed, its headers do not say how: gRPC's own rule makes this INTERNAL.
    FlagWithoutEncoding,
    /// A header cannot be used.
    BadRequest,
    /// More than `limits.body_bytes_max`.
    BodyTooLarge,
    /// More than `limits.items_max` or `limits.containers_max`.
    TooManyItems,
    /// More than `limits.inflate_ratio_max`.
    Ratio,
    /// A zstd window beyond 8 MiB.
    ZstdWindow,
    /// More than half of the in-flight budget by itself.
    Share,
    /// No such path or method of a service.
    Path,
    /// Not POST.
    Method,
    /// A content type that is not OTLP's.
    MediaType,
    /// A compression that is not offered.
    Coding,
    /// The URI is too long.
    Uri,
    /// The other protocol's port.
    WrongPort,
    /// The body was too slow, or the deadline passed before the append.
    Slow,
    /// No room in the in-flight budget.
    Inflight,
    /// Not ready yet.
    Starting,
    /// Going down.
    Shutdown,
    /// Less than `journal.min_free_bytes` on the disk.
    DiskFull,
    /// More journal than `journal.bytes_max`.
    JournalFull,
    /// The disk failed: the daemon ends.
    JournalBroken,
    /// A bug of ours, caught.
    Panic,
    /// The client left; nobody reads the answer.
    Aborted,
}

/// One row: label, HTTP status, gRPC code, and the delay of those that are to come back.
struct Row(&'static str, u16, Code, Option<Duration>);

const fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

impl Cause {
    /// Every cause in the order of its discriminant.
    pub const ALL: [Self; 26] = [
        Self::BadProtobuf,
        Self::BadJson,
        Self::BadEncoding,
        Self::BadFrame,
        Self::FlagWithoutEncoding,
        Self::BadRequest,
        Self::BodyTooLarge,
        Self::TooManyItems,
        Self::Ratio,
        Self::ZstdWindow,
        Self::Share,
        Self::Path,
        Self::Method,
        Self::MediaType,
        Self::Coding,
        Self::Uri,
        Self::WrongPort,
        Self::Slow,
        Self::Inflight,
        Self::Starting,
        Self::Shutdown,
        Self::DiskFull,
        Self::JournalFull,
        Self::JournalBroken,
        Self::Panic,
        Self::Aborted,
    ];

    const fn row(self) -> Row {
        match self {
            Self::BadProtobuf => Row("bad_protobuf", 400, Code::InvalidArgument, None),
            Self::BadJson => Row("bad_json", 400, Code::InvalidArgument, None),
            Self::BadEncoding => Row("bad_encoding", 400, Code::InvalidArgument, None),
            Self::BadFrame => Row("bad_frame", 400, Code::InvalidArgument, None),
            Self::FlagWithoutEncoding => Row("bad_frame", 400, Code::Internal, None),
            Self::BadRequest => Row("bad_request", 400, Code::InvalidArgument, None),
            Self::BodyTooLarge => Row("body_too_large", 413, Code::ResourceExhausted, None),
            Self::TooManyItems => Row("too_many_items", 413, Code::ResourceExhausted, None),
            Self::Ratio => Row("ratio", 413, Code::ResourceExhausted, None),
            Self::ZstdWindow => Row("zstd_window", 413, Code::ResourceExhausted, None),
            Self::Share => Row("share", 413, Code::ResourceExhausted, None),
            Self::Path => Row("path", 404, Code::Unimplemented, None),
            Self::Method => Row("method", 405, Code::Unimplemented, None),
            Self::MediaType => Row("type", 415, Code::InvalidArgument, None),
            Self::Coding => Row("coding", 415, Code::Unimplemented, None),
            Self::Uri => Row("uri", 414, Code::InvalidArgument, None),
            Self::WrongPort => Row("wrong_port", 400, Code::Unimplemented, None),
            Self::Slow => Row("slow", 408, Code::DeadlineExceeded, None),
            Self::Inflight => Row("inflight", 503, Code::Unavailable, seconds(1)),
            Self::Starting => Row("starting", 503, Code::Unavailable, seconds(2)),
            Self::Shutdown => Row("shutdown", 503, Code::Unavailable, seconds(1)),
            Self::DiskFull => Row("disk_full", 503, Code::Unavailable, seconds(30)),
            Self::JournalFull => Row("journal_full", 503, Code::Unavailable, seconds(30)),
            Self::JournalBroken => Row("journal_broken", 503, Code::Unavailable, seconds(30)),
            Self::Panic => Row("panic", 500, Code::Internal, None),
            Self::Aborted => Row("aborted", 400, Code::Cancelled, None),
        }
    }

    /// The published name, the value of the label `reason`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status.
    #[must_use]
    pub fn http_status(self) -> StatusCode {
        StatusCode::from_u16(self.row().1).expect("every row holds a three-digit status")
    }

    /// The gRPC status code, also the code of the `google.rpc.Status` in an HTTP body.
    #[must_use]
    pub const fn grpc_code(self) -> Code {
        self.row().2
    }

    /// How long the client is asked to wait before it tries again; none: it is not to try again.
    #[must_use]
    pub const fn delay(self) -> Option<Duration> {
        self.row().3
    }

    /// Whether the rest of the connection is of no use after this answer (HTTP/1).
    #[must_use]
    pub const fn ends_connection(self) -> bool {
        matches!(self, Self::Slow | Self::WrongPort | Self::Shutdown | Self::Aborted)
    }
}
