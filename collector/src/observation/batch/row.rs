//! The rows of a batch as values. Each knows its bytes; nothing here knows what they mean.
//!
//! A `u32` string is an index into the batch's string table; 0 is absent.

/// Resource and scope of the items that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context {
    /// String: `service.namespace`.
    pub service_namespace: u32,
    /// String: `service.name`.
    pub service_name: u32,
    /// String: `service.instance.id`.
    pub service_instance: u32,
    /// String: `service.version`.
    pub service_version: u32,
    /// String: the module that the resource names.
    pub module_resource: u32,
    /// String: the module that the scope names.
    pub module_scope: u32,
    /// String: the scope's name.
    pub scope_name: u32,
    /// String: the tenant that the resource names.
    pub tenant_resource: u32,
    /// Identity of the resource: equal for equal attributes in any order.
    pub resource_hash: u64,
}

/// Every claim that an item makes about its tenant and module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence {
    /// String: tenant by span or point attribute.
    pub tenant_span: u32,
    /// String: tenant by captured request header.
    pub tenant_header: u32,
    /// String: tenant by baggage.
    pub tenant_baggage: u32,
    /// String: tenant by verified token claim.
    pub tenant_token: u32,
    /// String: owner of the touched data.
    pub tenant_data: u32,
    /// String: module by span attribute.
    pub module_span: u32,
    /// Which alias won, one byte each for span, header, baggage and module: its place in its list from 1, 0 none.
    pub aliases: [u8; 4],
}

/// One span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Trace id.
    pub trace_id: [u8; 16],
    /// Span id.
    pub span_id: [u8; 8],
    /// Parent's span id; zeros: none.
    pub parent_id: [u8; 8],
    /// Start, nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// End, nanoseconds since the Unix epoch.
    pub end_ns: u64,
    /// Sampling weight in units of 2^-32; 0: none stated.
    pub weight: u64,
    /// Row of the contexts section.
    pub context: u32,
    /// String: operation name.
    pub operation: u32,
    /// Row of the evidence section; 0: no claim.
    pub evidence: u32,
    /// String: peer of a CLIENT or PRODUCER span.
    pub peer: u32,
    /// String: `error.type`.
    pub error_type: u32,
    /// Row of the links section.
    pub first_link: u32,
    /// Row of the extras section.
    pub first_extra: u32,
    /// Links kept.
    pub links: u8,
    /// Extras.
    pub extras: u8,
    /// HTTP status or gRPC code ([`flag::GRPC_CODE`] tells which); [`NO_CODE`]: none.
    pub code: u16,
    /// OTLP span kind, 0 to 5.
    pub kind: u8,
    /// OTLP status code, 0 to 2.
    pub status: u8,
    /// [`bailiwick_slo::outcome::Outcome`].
    pub outcome: u8,
    /// Which row of `sli.md` 1.4 decided; 10: `requests.exclude`, 11: synthetic.
    pub outcome_rule: u8,
    /// Bits of [`flag`].
    pub flags: u32,
}

/// The value of [`Span::code`] when the span has none (0 is a gRPC code).
pub const NO_CODE: u16 = u16::MAX;

/// Bits of [`Span::flags`].
pub mod flag {
    /// The span says whether its parent is remote.
    pub const REMOTE_KNOWN: u32 = 1 << 0;
    /// Its parent is remote.
    pub const REMOTE: u32 = 1 << 1;
    /// The span says whether it was sampled.
    pub const SAMPLED_KNOWN: u32 = 1 << 2;
    /// It was sampled.
    pub const SAMPLED: u32 = 1 << 3;
    /// Rule E0: never a request.
    pub const IGNORED_NAME: u32 = 1 << 4;
    /// `messaging.operation.type` is `receive`.
    pub const RECEIVE: u32 = 1 << 5;
    /// A declared boundary.
    pub const BOUNDARY: u32 = 1 << 6;
    /// [`super::Span::code`] is a gRPC code.
    pub const GRPC_CODE: u32 = 1 << 7;
    /// A canary was found.
    pub const CANARY: u32 = 1 << 8;
    /// It ends before it starts.
    pub const CLOCK_ANOMALY: u32 = 1 << 9;
    /// It claims another tenant than its credential.
    pub const TENANT_CONFLICT: u32 = 1 << 10;
    /// A value was cut or replaced by `_other`.
    pub const TRUNCATED: u32 = 1 << 11;
    /// A used attribute had a shape that is not used.
    pub const ATTRIBUTE_SHAPE: u32 = 1 << 12;
    /// An enum or status code was out of range.
    pub const UNKNOWN_ENUM: u32 = 1 << 13;
    /// A used attribute occurred twice.
    pub const DUPLICATE_KEY: u32 = 1 << 14;
    /// A key or value was a string-table index.
    pub const STRINDEX: u32 = 1 << 15;
    /// A claim by header, baggage or token, or one of a set, was no tenant id and was skipped.
    pub const TENANT_INVALID: u32 = 1 << 16;
}

/// One data point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Point {
    /// Identity of its stream: XXH3-128 over resource, scope, name, unit, kind, temporality, monotonicity and sorted
    /// attributes, each with its length in front.
    pub stream_id: [u8; 16],
    /// Start of the stretch that it speaks about, nanoseconds since the Unix epoch; 0: unknown.
    pub start_ns: u64,
    /// Its time, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Bits of an i64 ([`point_flag::INTEGER`]) or f64: the value, or a histogram's sum ([`point_flag::HAS_SUM`]).
    pub value: u64,
    /// Values in a histogram.
    pub count: u64,
    /// Row of the contexts section.
    pub context: u32,
    /// Row of the evidence section; 0: no claim.
    pub evidence: u32,
    /// String: name of the metric.
    pub metric: u32,
    /// String: its unit.
    pub unit: u32,
    /// String: the operation that its attributes name; 0: none.
    pub operation: u32,
    /// First of its words in the buckets section.
    pub first_word: u32,
    /// How many. Explicit: bounds (f64 bits), then counts. Exponential: zero count, zero threshold (f64 bits), then of
    /// the positive and of the negative side: offset (i64), number of buckets, counts.
    pub words: u32,
    /// Row of the extras section.
    pub first_extra: u32,
    /// Extras.
    pub extras: u16,
    /// HTTP status or gRPC code, as in [`Span::code`]; [`NO_CODE`]: none.
    pub code: u16,
    /// 1 gauge, 2 sum, 3 explicit histogram, 4 exponential histogram.
    pub data: u8,
    /// OTLP's temporality: 0 unspecified, 1 delta, 2 cumulative.
    pub temporality: u8,
    /// [`bailiwick_slo::outcome::Outcome`] of the requests that it counts.
    pub outcome: u8,
    /// Bits of [`point_flag`].
    pub flags: u16,
    /// Scale of an exponential histogram.
    pub scale: i16,
}

/// Bits of [`Point::flags`].
pub mod point_flag {
    /// A sum that only grows.
    pub const MONOTONIC: u16 = 1 << 0;
    /// [`super::Point::value`] is an i64.
    pub const INTEGER: u16 = 1 << 1;
    /// The point says that there is no value.
    pub const NO_VALUE: u16 = 1 << 2;
    /// Its start is not known.
    pub const UNKNOWN_START: u16 = 1 << 3;
    /// A histogram that states its sum.
    pub const HAS_SUM: u16 = 1 << 4;
    /// [`super::Point::code`] is a gRPC code.
    pub const GRPC_CODE: u16 = 1 << 5;
    /// The parent of the spans that it counts is remote or there is none (`otel.span.parent.origin`).
    pub const ENTERS: u16 = 1 << 6;
    /// It counts spans that the sampler dropped (`otel.span.sampling_result`).
    pub const DROPPED: u16 = 1 << 7;
    /// It counts what failed (`error.type`).
    pub const FAILED: u16 = 1 << 8;
    /// It counts output tokens (`gen_ai.token.type`).
    pub const OUTPUT: u16 = 1 << 9;
}

/// Keys of [`Extra`]. Stored: they never change.
pub mod extra {
    /// u64: randomness of the trace (`ot=rv:`), 56 bits.
    pub const RANDOMNESS: u16 = 1;
    /// u64: `messaging.batch.message_count`.
    pub const MESSAGES: u16 = 2;
    /// u64: input tokens.
    pub const TOKENS_INPUT: u16 = 3;
    /// u64: output tokens.
    pub const TOKENS_OUTPUT: u16 = 4;
    /// u64: how the weight came about, as [`super::WeightSource`].
    pub const WEIGHT_SOURCE: u16 = 5;
    /// String: one tenant of `bailiwick.tenant.set`, once per tenant.
    pub const TENANT_SET: u16 = 6;
    /// u64: [`super::PeerKind`] of a CLIENT or PRODUCER span.
    pub const PEER_KIND: u16 = 7;
    /// u64: number of the configured pattern that [`super::Evidence::tenant_data`] comes from.
    pub const DATA_PATTERN: u16 = 8;
    /// String: the operation of a point if its `http.target` is a known route; it has none then.
    pub const TARGET: u16 = 9;
    /// u64: number of a tap that reads the point ([`bailiwick_slo::taps`]), once per tap.
    pub const TAP: u16 = 10;
}

/// What kind of peer a CLIENT or PRODUCER span names, where it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum PeerKind {
    /// The peer is named by `db.*`.
    Database = 1,
    /// The peer is a destination, or the span is a PRODUCER.
    Messaging = 2,
    /// The peer is named by `gen_ai.*`.
    GenAi = 3,
}

/// How a span's weight came about, the value of the label `source` of `span_weights_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum WeightSource {
    /// Nothing says that it was sampled.
    None = 0,
    /// `ot=th:`.
    Threshold = 1,
    /// `sampling.rate_attribute`.
    Attribute = 2,
    /// The `ot` entry or the rate is malformed; the weight is 1.
    Invalid = 3,
    /// The weight is `sampling.weight_max`.
    Capped = 4,
    /// `rv` is below `th`: the weight is kept.
    Inconsistent = 5,
}

/// A value that few items have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extra {
    /// What it is, of [`extra`].
    pub key: u16,
    /// 0 unsigned, 1 signed, 2 double, 3 string.
    pub kind: u8,
    /// Its value, or the index of its string ([`extra`] says which).
    pub value: u64,
}

/// A link to another span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Link {
    /// Trace id.
    pub trace_id: [u8; 16],
    /// Span id.
    pub span_id: [u8; 8],
}
bailiwick_slo::saved!(struct Link { trace_id, span_id });

/// Items of one tenant refused for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reject {
    /// String: tenant that the items claim; 0: none or not valid.
    pub tenant: u32,
    /// [`crate::observation::report::Reason`].
    pub reason: u16,
    /// How many.
    pub count: u32,
    /// Number of the first one in its request, from 0.
    pub first_item: u32,
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn get<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut value = [0; N];
    value.copy_from_slice(&bytes[at..at + N]);
    value
}

macro_rules! stored {
    ($row:ident, $bytes:literal, $($field:ident: $kind:ty = $at:literal),+ $(,)?) => {
        impl $row {
            /// Bytes of a stored row.
            pub const BYTES: usize = $bytes;

            /// The row as it is stored.
            #[must_use]
            #[inline]
            pub fn to_bytes(&self) -> [u8; $bytes] {
                let mut bytes = [0; $bytes];
                self.write(&mut bytes);
                bytes
            }

            /// Writes the row as it is stored over bytes that are zero.
            #[inline(always)]
            pub(super) fn write(&self, bytes: &mut [u8; $bytes]) {
                $(put(bytes, $at, &self.$field.to_le_bytes());)+
            }

            /// The row from its stored bytes.
            #[must_use]
            #[inline]
            pub fn from_bytes(bytes: &[u8; $bytes]) -> Self {
                Self { $($field: <$kind>::from_le_bytes(get(bytes, $at)),)+ }
            }
        }
    };
}

/// Lets byte arrays stand beside integers in [`stored!`].
trait LittleEndian: Sized {
    fn to_le_bytes(self) -> Self;
    fn from_le_bytes(bytes: Self) -> Self;
}

impl<const N: usize> LittleEndian for [u8; N] {
    fn to_le_bytes(self) -> Self {
        self
    }
    fn from_le_bytes(bytes: Self) -> Self {
        bytes
    }
}

stored!(Context, 40,
    service_namespace: u32 = 0, service_name: u32 = 4, service_instance: u32 = 8, service_version: u32 = 12,
    module_resource: u32 = 16, module_scope: u32 = 20, scope_name: u32 = 24, tenant_resource: u32 = 28,
    resource_hash: u64 = 32);

stored!(Evidence, 32,
    tenant_span: u32 = 0, tenant_header: u32 = 4, tenant_baggage: u32 = 8, tenant_token: u32 = 12,
    tenant_data: u32 = 16, module_span: u32 = 20, aliases: [u8; 4] = 24);

stored!(Span, 96,
    trace_id: [u8; 16] = 0, span_id: [u8; 8] = 16, parent_id: [u8; 8] = 24, start_ns: u64 = 32, end_ns: u64 = 40,
    weight: u64 = 48, context: u32 = 56, operation: u32 = 60, evidence: u32 = 64, peer: u32 = 68,
    error_type: u32 = 72, first_link: u32 = 76, first_extra: u32 = 80, links: u8 = 84, extras: u8 = 85,
    code: u16 = 86, kind: u8 = 88, status: u8 = 89, outcome: u8 = 90, outcome_rule: u8 = 91, flags: u32 = 92);

stored!(Point, 96,
    stream_id: [u8; 16] = 0, start_ns: u64 = 16, time_ns: u64 = 24, value: u64 = 32, count: u64 = 40,
    context: u32 = 48, evidence: u32 = 52, metric: u32 = 56, unit: u32 = 60, operation: u32 = 64,
    first_word: u32 = 68, words: u32 = 72, first_extra: u32 = 76, extras: u16 = 80, code: u16 = 82, data: u8 = 84,
    temporality: u8 = 85, outcome: u8 = 86, flags: u16 = 88, scale: i16 = 90);

stored!(Extra, 16, key: u16 = 0, kind: u8 = 2, value: u64 = 8);

stored!(Link, 24, trace_id: [u8; 16] = 0, span_id: [u8; 8] = 16);

stored!(Reject, 16, tenant: u32 = 0, reason: u16 = 4, count: u32 = 8, first_item: u32 = 12);
