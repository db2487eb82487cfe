//! What is said about a request besides its rows: reasons of refusal, warnings, and the sums of an answer.

/// Why one item was refused. The discriminants are stored and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Reason {
    /// A trace or span id of wrong length or all zero.
    InvalidId = 1,
    /// A used string is not UTF-8.
    InvalidUtf8 = 2,
    /// Start or end is 0.
    MissingTime = 3,
    /// It ended longer ago than `ingest.late_accept`.
    TooLate = 4,
    /// It ends later than `ingest.future_accept` from now.
    Future = 5,
    /// More than `limits.attributes_max` attributes.
    TooManyAttributes = 6,
    /// The tenant that span or resource claim is no tenant id, or reserved.
    InvalidTenant = 7,
    /// It claims another tenant than its credential (`tenancy.on_conflict: reject`).
    TenantMismatch = 8,
    /// No tenant where `tenancy.required` demands one.
    NoTenant = 9,
    /// NaN or infinity where a finite number is needed.
    NotFinite = 10,
    /// A negative monotonic delta, or a sum without temporality.
    BadSum = 11,
    /// Histogram counts, bounds or scale do not fit together.
    BadHistogram = 12,
    /// Summaries and unknown kinds of data.
    Unsupported = 13,
    /// The JSON form lost it on the way.
    JsonShape = 14,
    /// A point that is not later than the last one of its stream. Found by the aggregator, like those that follow.
    OutOfOrder = 15,
    /// A point of a sequence before the stream's first.
    OlderStart = 16,
    /// The metric's kind, unit or monotonicity changed.
    TypeConflict = 17,
    /// More than `metrics.metric_streams_max` streams.
    StreamLimit = 18,
}

impl Reason {
    /// Every reason, in the order of its discriminant.
    pub const ALL: [Self; 18] = [
        Self::InvalidId,
        Self::InvalidUtf8,
        Self::MissingTime,
        Self::TooLate,
        Self::Future,
        Self::TooManyAttributes,
        Self::InvalidTenant,
        Self::TenantMismatch,
        Self::NoTenant,
        Self::NotFinite,
        Self::BadSum,
        Self::BadHistogram,
        Self::Unsupported,
        Self::JsonShape,
        Self::OutOfOrder,
        Self::OlderStart,
        Self::TypeConflict,
        Self::StreamLimit,
    ];

    /// The published name, the value of the label `reason`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidId => "invalid_id",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::MissingTime => "missing_time",
            Self::TooLate => "too_late",
            Self::Future => "future",
            Self::TooManyAttributes => "too_many_attributes",
            Self::InvalidTenant => "invalid_tenant",
            Self::TenantMismatch => "tenant_mismatch",
            Self::NoTenant => "no_tenant",
            Self::NotFinite => "not_finite",
            Self::BadSum => "bad_sum",
            Self::BadHistogram => "bad_histogram",
            Self::Unsupported => "unsupported",
            Self::JsonShape => "json_shape",
            Self::OutOfOrder => "out_of_order",
            Self::OlderStart => "older_start",
            Self::TypeConflict => "type_conflict",
            Self::StreamLimit => "stream_limit",
        }
    }

    /// The reason with this discriminant.
    #[must_use]
    pub fn from_u16(value: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u16 == value)
    }
}

/// What was accepted but is worth a word to the sender. The discriminant is the bit in a batch's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Warning {
    /// A span ends before it starts.
    ClockAnomaly = 0,
    /// An item claims another tenant than its credential.
    TenantConflict = 1,
    /// A value was cut or replaced.
    Truncated = 2,
    /// A used attribute had a shape that is not used.
    AttributeShape = 3,
    /// A key or value was an index into a string table.
    Strindex = 4,
    /// No top-level key of a JSON body is known.
    UnknownKeys = 5,
    /// An enum or status code was out of range.
    UnknownEnum = 6,
    /// A used attribute occurred twice.
    DuplicateKey = 7,
}

impl Warning {
    /// Every warning, in the order of its bit.
    pub const ALL: [Self; 8] = [
        Self::ClockAnomaly,
        Self::TenantConflict,
        Self::Truncated,
        Self::AttributeShape,
        Self::Strindex,
        Self::UnknownKeys,
        Self::UnknownEnum,
        Self::DuplicateKey,
    ];

    /// The published name, the value of the label `kind`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClockAnomaly => "clock_anomaly",
            Self::TenantConflict => "tenant_conflict",
            Self::Truncated => "truncated",
            Self::AttributeShape => "attribute_shape",
            Self::Strindex => "strindex",
            Self::UnknownKeys => "unknown_keys",
            Self::UnknownEnum => "unknown_enum",
            Self::DuplicateKey => "duplicate_key",
        }
    }
}

/// Where an item stands in its request, all numbers from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Number of the resource.
    pub resource: u32,
    /// Number of the scope in it.
    pub scope: u32,
    /// Number of the span, or of the metric.
    pub item: u32,
    /// Number of the data point in its metric; 0 for spans.
    pub point: u32,
}

/// The first item refused for a reason, and how many were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// How many.
    pub count: u32,
    /// Where the first one stands.
    pub first: Position,
}

/// The sums that an answer is made of. `received = accepted + Σ refused.count`; `ignored` is part of `accepted`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Items in the request.
    pub received: u32,
    /// Items that count, with or without a row.
    pub accepted: u32,
    /// Accepted items without a row.
    pub ignored: u32,
    /// Refused items by reason, in order of first occurrence.
    pub refused: Vec<Refused>,
    /// How many items each warning concerns, by [`Warning`]'s discriminant.
    pub warnings: [u32; 8],
}

impl Report {
    /// Items refused for any reason.
    #[must_use]
    pub fn refused_items(&self) -> u32 {
        self.refused.iter().map(|refused| refused.count).sum()
    }

    /// The warnings that occurred, as bits.
    #[must_use]
    pub fn warning_bits(&self) -> u32 {
        self.warnings.iter().enumerate().filter(|(_, count)| **count > 0).map(|(bit, _)| 1 << bit).sum()
    }

    pub(super) fn refuse(&mut self, reason: Reason, first: Position) {
        match self.refused.iter_mut().find(|refused| refused.reason == reason) {
            Some(refused) => refused.count += 1,
            None => self.refused.push(Refused { reason, count: 1, first }),
        }
    }

    /// Books items that were in the JSON and are not in its protobuf form.
    pub(super) fn lose(&mut self, lost: u32) {
        self.received += lost;
        self.refused.push(Refused { reason: Reason::JsonShape, count: lost, first: Position::default() });
    }
}
