//! OTLP's messages as generator, mutators and judges know them.

use bailiwick_collector::observation::Signal;

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Varint,
    Fixed32,
    Fixed64,
    Text,
    Bytes,
    /// Repeated fixed64 and varint, packed or not.
    Fixed64s,
    Varints,
    Message(Message),
}

/// The messages of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    TraceRequest,
    ResourceSpans,
    ScopeSpans,
    Span,
    Event,
    Link,
    Status,
    MetricsRequest,
    ResourceMetrics,
    ScopeMetrics,
    Metric,
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
    NumberPoint,
    HistogramPoint,
    ExponentialPoint,
    Buckets,
    SummaryPoint,
    Quantile,
    Exemplar,
    Resource,
    EntityRef,
    Scope,
    KeyValue,
    AnyValue,
    ArrayValue,
    KeyValueList,
}

impl Form {
    /// Whether a field of this form may have this wire type.
    pub(super) const fn takes(self, wire_type: u32) -> bool {
        match self {
            Self::Varint => wire_type == 0,
            Self::Fixed64 => wire_type == 1,
            Self::Text | Self::Bytes | Self::Message(_) => wire_type == 2,
            Self::Fixed32 => wire_type == 5,
            Self::Varints => matches!(wire_type, 0 | 2),
            Self::Fixed64s => matches!(wire_type, 1 | 2),
        }
    }
}

impl Message {
    /// The request of a signal.
    pub(super) const fn of_request(signal: Signal) -> Self {
        match signal {
            Signal::Traces => Self::TraceRequest,
            Signal::Metrics => Self::MetricsRequest,
        }
    }

    /// The form of a field, if there is such a field.
    pub(super) fn form(self, number: u32) -> Option<Form> {
        self.fields().iter().find(|(known, _)| *known == number).map(|(_, form)| *form)
    }

    /// Whether it is a data point.
    pub(super) const fn is_point(self) -> bool {
        matches!(self, Self::NumberPoint | Self::HistogramPoint | Self::ExponentialPoint | Self::SummaryPoint)
    }

    /// Whether a field is an attribute of this message.
    pub(super) fn is_attribute(self, number: u32) -> bool {
        self.form(number) == Some(Form::Message(Self::KeyValue))
    }

    /// Numbers and forms of its fields.
    pub(super) const fn fields(self) -> &'static [(u32, Form)] {
        use Form::{Bytes, Fixed32, Fixed64, Message as M, Text, Varint};
        match self {
            Self::TraceRequest => &[(1, M(Self::ResourceSpans))],
            Self::ResourceSpans => &[(1, M(Self::Resource)), (2, M(Self::ScopeSpans)), (3, Text)],
            Self::ScopeSpans => &[(1, M(Self::Scope)), (2, M(Self::Span)), (3, Text)],
            Self::Span => &[
                (1, Bytes),
                (2, Bytes),
                (3, Text),
                (4, Bytes),
                (5, Text),
                (6, Varint),
                (7, Fixed64),
                (8, Fixed64),
                (9, M(Self::KeyValue)),
                (10, Varint),
                (11, M(Self::Event)),
                (12, Varint),
                (13, M(Self::Link)),
                (14, Varint),
                (15, M(Self::Status)),
                (16, Fixed32),
            ],
            Self::Event => &[(1, Fixed64), (2, Text), (3, M(Self::KeyValue)), (4, Varint)],
            Self::Link => &[(1, Bytes), (2, Bytes), (3, Text), (4, M(Self::KeyValue)), (5, Varint), (6, Fixed32)],
            Self::Status => &[(2, Text), (3, Varint)],
            Self::Resource => &[(1, M(Self::KeyValue)), (2, Varint), (3, M(Self::EntityRef))],
            Self::EntityRef => &[(1, Text), (2, Text), (3, Text), (4, Text)],
            Self::Scope => &[(1, Text), (2, Text), (3, M(Self::KeyValue)), (4, Varint)],
            Self::KeyValue => &[(1, Text), (2, M(Self::AnyValue)), (3, Varint)],
            Self::AnyValue => &[
                (1, Text),
                (2, Varint),
                (3, Varint),
                (4, Fixed64),
                (5, M(Self::ArrayValue)),
                (6, M(Self::KeyValueList)),
                (7, Bytes),
                (8, Varint),
            ],
            Self::ArrayValue => &[(1, M(Self::AnyValue))],
            Self::KeyValueList => &[(1, M(Self::KeyValue))],
            _ => self.metric_fields(),
        }
    }

    const fn metric_fields(self) -> &'static [(u32, Form)] {
        use Form::{Message as M, Text, Varint};
        match self {
            Self::MetricsRequest => &[(1, M(Self::ResourceMetrics))],
            Self::ResourceMetrics => &[(1, M(Self::Resource)), (2, M(Self::ScopeMetrics)), (3, Text)],
            Self::ScopeMetrics => &[(1, M(Self::Scope)), (2, M(Self::Metric)), (3, Text)],
            Self::Metric => &[
                (1, Text),
                (2, Text),
                (3, Text),
                (5, M(Self::Gauge)),
                (7, M(Self::Sum)),
                (9, M(Self::Histogram)),
                (10, M(Self::ExponentialHistogram)),
                (11, M(Self::Summary)),
                (12, M(Self::KeyValue)),
            ],
            Self::Gauge => &[(1, M(Self::NumberPoint))],
            Self::Sum => &[(1, M(Self::NumberPoint)), (2, Varint), (3, Varint)],
            Self::Histogram => &[(1, M(Self::HistogramPoint)), (2, Varint)],
            Self::ExponentialHistogram => &[(1, M(Self::ExponentialPoint)), (2, Varint)],
            Self::Summary => &[(1, M(Self::SummaryPoint))],
            _ => self.point_fields(),
        }
    }

    const fn point_fields(self) -> &'static [(u32, Form)] {
        use Form::{Bytes, Fixed64, Fixed64s, Message as M, Varint, Varints};
        match self {
            Self::NumberPoint => &[
                (2, Fixed64),
                (3, Fixed64),
                (4, Fixed64),
                (5, M(Self::Exemplar)),
                (6, Fixed64),
                (7, M(Self::KeyValue)),
                (8, Varint),
            ],
            Self::HistogramPoint => &[
                (2, Fixed64),
                (3, Fixed64),
                (4, Fixed64),
                (5, Fixed64),
                (6, Fixed64s),
                (7, Fixed64s),
                (8, M(Self::Exemplar)),
                (9, M(Self::KeyValue)),
                (10, Varint),
                (11, Fixed64),
                (12, Fixed64),
            ],
            Self::ExponentialPoint => &[
                (1, M(Self::KeyValue)),
                (2, Fixed64),
                (3, Fixed64),
                (4, Fixed64),
                (5, Fixed64),
                (6, Varint),
                (7, Fixed64),
                (8, M(Self::Buckets)),
                (9, M(Self::Buckets)),
                (10, Varint),
                (11, M(Self::Exemplar)),
                (12, Fixed64),
                (13, Fixed64),
                (14, Fixed64),
            ],
            Self::Buckets => &[(1, Varint), (2, Varints)],
            Self::SummaryPoint => &[
                (2, Fixed64),
                (3, Fixed64),
                (4, Fixed64),
                (5, Fixed64),
                (6, M(Self::Quantile)),
                (7, M(Self::KeyValue)),
                (8, Varint),
            ],
            Self::Quantile => &[(1, Fixed64), (2, Fixed64)],
            Self::Exemplar => {
                &[(2, Fixed64), (3, Fixed64), (4, Bytes), (5, Bytes), (6, Fixed64), (7, M(Self::KeyValue))]
            }
            _ => &[],
        }
    }
}
