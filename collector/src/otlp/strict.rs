//! Everything that prost checks and the walk skips: the flag STRICT of tests, never on the hot path.
//!
//! A table of fields per message, walked with prost's limit of 100 levels.

use super::wire::{Fault, Reader, WireError, wire_type};

/// Messages that the tables know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// `ExportTraceServiceRequest`.
    TraceRequest,
    /// `ResourceSpans`.
    ResourceSpans,
    /// `Resource`.
    Resource,
    /// `EntityRef`.
    EntityRef,
    /// `ScopeSpans`.
    ScopeSpans,
    /// `InstrumentationScope`.
    Scope,
    /// `Span`.
    Span,
    /// `Span.Event`.
    Event,
    /// `Span.Link`.
    Link,
    /// `Status`.
    Status,
    /// `KeyValue`.
    KeyValue,
    /// `AnyValue`.
    AnyValue,
    /// `ArrayValue`.
    ArrayValue,
    /// `KeyValueList`.
    KeyValueList,
    /// `ExportMetricsServiceRequest`.
    MetricsRequest,
    /// `ResourceMetrics`.
    ResourceMetrics,
    /// `ScopeMetrics`.
    ScopeMetrics,
    /// `Metric`.
    Metric,
    /// `Gauge`.
    Gauge,
    /// `Sum`.
    Sum,
    /// `Histogram`.
    Histogram,
    /// `ExponentialHistogram`.
    ExponentialHistogram,
    /// `Summary`.
    Summary,
    /// `NumberDataPoint`.
    NumberPoint,
    /// `HistogramDataPoint`.
    HistogramPoint,
    /// `ExponentialHistogramDataPoint`.
    ExponentialPoint,
    /// `ExponentialHistogramDataPoint.Buckets`.
    Buckets,
    /// `SummaryDataPoint`.
    SummaryPoint,
    /// `SummaryDataPoint.ValueAtQuantile`.
    Quantile,
    /// `Exemplar`.
    Exemplar,
}

#[derive(Debug, Clone, Copy)]
enum Field {
    Varint,
    Fixed32,
    Fixed64,
    Text,
    Bytes,
    /// Repeated varints, packed or not.
    Varints,
    /// Repeated values of eight bytes, packed or not.
    Fixed64s,
    Message(Message),
}

/// prost's recursion limit.
const LEVELS: usize = 100;

/// Checks a whole message.
///
/// # Errors
/// Where prost would refuse it.
pub fn check(message: Message, bytes: &[u8]) -> Result<(), WireError> {
    check_level(message, bytes, LEVELS)
}

fn check_level(message: Message, bytes: &[u8], levels: usize) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    while let Some(tag) = reader.tag()? {
        let Some(field) = message.field(tag >> 3) else {
            if levels == 0 {
                return Err(WireError::at(Fault::Depth, reader.rest()));
            }
            reader.skip(tag, levels)?;
            continue;
        };
        if field.is_list() && tag & 7 == wire_type::BYTES {
            let mut list = Reader::new(reader.bytes()?);
            while !list.rest().is_empty() {
                let _ = if matches!(field, Field::Varints) { list.varint()? } else { list.fixed64()? };
            }
            continue;
        }
        if tag & 7 != field.wire_type() {
            return Err(WireError::at(Fault::WireType, reader.rest()));
        }
        match field {
            Field::Varint | Field::Varints => drop(reader.varint()?),
            Field::Fixed32 => drop(reader.fixed32()?),
            Field::Fixed64 | Field::Fixed64s => drop(reader.fixed64()?),
            Field::Bytes => drop(reader.bytes()?),
            Field::Text => {
                let text = reader.bytes()?;
                std::str::from_utf8(text).map_err(|_| WireError::at(Fault::Utf8, text))?;
            }
            Field::Message(inner) => {
                let value = reader.bytes()?;
                if levels == 0 {
                    return Err(WireError::at(Fault::Depth, value));
                }
                check_level(inner, value, levels - 1)?;
            }
        }
    }
    Ok(())
}

impl Field {
    const fn wire_type(self) -> u32 {
        match self {
            Self::Varint | Self::Varints => wire_type::VARINT,
            Self::Fixed32 => wire_type::FIXED32,
            Self::Fixed64 | Self::Fixed64s => wire_type::FIXED64,
            Self::Text | Self::Bytes | Self::Message(_) => wire_type::BYTES,
        }
    }

    const fn is_list(self) -> bool {
        matches!(self, Self::Varints | Self::Fixed64s)
    }
}

impl Message {
    const fn field(self, number: u32) -> Option<Field> {
        use Field::{Bytes, Fixed32, Fixed64, Message as M, Text, Varint};
        Some(match (self, number) {
            (Self::TraceRequest, 1) => M(Self::ResourceSpans),
            (Self::ResourceSpans, 1) => M(Self::Resource),
            (Self::ResourceSpans, 2) => M(Self::ScopeSpans),
            (Self::ScopeSpans, 1) => M(Self::Scope),
            (Self::ScopeSpans, 2) => M(Self::Span),
            (Self::ResourceSpans | Self::ScopeSpans, 3) => Text,
            (Self::Resource, 1) | (Self::Scope, 3) | (Self::Span, 9) => M(Self::KeyValue),
            (Self::Event, 3) | (Self::Link, 4) | (Self::KeyValueList, 1) => M(Self::KeyValue),
            (Self::Resource, 2) | (Self::Scope, 4) | (Self::Event, 4) | (Self::Link, 5) => Varint,
            (Self::Resource, 3) => M(Self::EntityRef),
            (Self::EntityRef, 1..=4) | (Self::Scope, 1 | 2) => Text,
            (Self::Span, 1 | 2 | 4) | (Self::Link, 1 | 2) | (Self::AnyValue, 7) => Bytes,
            (Self::Span, 3 | 5) | (Self::Event, 2) | (Self::Link, 3) | (Self::Status, 2) => Text,
            (Self::Span, 6 | 10 | 12 | 14) | (Self::Status, 3) => Varint,
            (Self::Span, 7 | 8) | (Self::Event, 1) | (Self::AnyValue, 4) => Fixed64,
            (Self::Span, 11) => M(Self::Event),
            (Self::Span, 13) => M(Self::Link),
            (Self::Span, 15) => M(Self::Status),
            (Self::Span, 16) | (Self::Link, 6) => Fixed32,
            (Self::KeyValue, 1) | (Self::AnyValue, 1) => Text,
            (Self::KeyValue, 2) | (Self::ArrayValue, 1) => M(Self::AnyValue),
            (Self::KeyValue, 3) | (Self::AnyValue, 2 | 3 | 8) => Varint,
            (Self::AnyValue, 5) => M(Self::ArrayValue),
            (Self::AnyValue, 6) => M(Self::KeyValueList),
            _ => return self.metric_field(number),
        })
    }

    const fn metric_field(self, number: u32) -> Option<Field> {
        use Field::{Bytes, Fixed64, Fixed64s, Message as M, Text, Varint, Varints};
        Some(match (self, number) {
            (Self::MetricsRequest, 1) => M(Self::ResourceMetrics),
            (Self::ResourceMetrics, 1) => M(Self::Resource),
            (Self::ResourceMetrics, 2) => M(Self::ScopeMetrics),
            (Self::ScopeMetrics, 1) => M(Self::Scope),
            (Self::ScopeMetrics, 2) => M(Self::Metric),
            (Self::ResourceMetrics | Self::ScopeMetrics, 3) | (Self::Metric, 1..=3) => Text,
            (Self::Metric, 5) => M(Self::Gauge),
            (Self::Metric, 7) => M(Self::Sum),
            (Self::Metric, 9) => M(Self::Histogram),
            (Self::Metric, 10) => M(Self::ExponentialHistogram),
            (Self::Metric, 11) => M(Self::Summary),
            (Self::Metric, 12) | (Self::NumberPoint | Self::SummaryPoint | Self::Exemplar, 7) => M(Self::KeyValue),
            (Self::HistogramPoint, 9) | (Self::ExponentialPoint, 1) => M(Self::KeyValue),
            (Self::Gauge | Self::Sum, 1) => M(Self::NumberPoint),
            (Self::Histogram, 1) => M(Self::HistogramPoint),
            (Self::ExponentialHistogram, 1) => M(Self::ExponentialPoint),
            (Self::Summary, 1) => M(Self::SummaryPoint),
            (Self::Sum | Self::Histogram | Self::ExponentialHistogram, 2) | (Self::Sum, 3) => Varint,
            (Self::NumberPoint, 2..=4 | 6) | (Self::HistogramPoint, 2..=5 | 11 | 12) => Fixed64,
            (Self::ExponentialPoint, 2..=5 | 7 | 12..=14) | (Self::SummaryPoint, 2..=5) => Fixed64,
            (Self::Quantile, 1 | 2) | (Self::Exemplar, 2 | 3 | 6) => Fixed64,
            (Self::HistogramPoint, 6 | 7) => Fixed64s,
            (Self::NumberPoint | Self::SummaryPoint, 8) | (Self::HistogramPoint, 10) => Varint,
            (Self::ExponentialPoint, 6 | 10) | (Self::Buckets, 1) => Varint,
            (Self::Buckets, 2) => Varints,
            (Self::NumberPoint, 5) | (Self::HistogramPoint, 8) | (Self::ExponentialPoint, 11) => M(Self::Exemplar),
            (Self::ExponentialPoint, 8 | 9) => M(Self::Buckets),
            (Self::SummaryPoint, 6) => M(Self::Quantile),
            (Self::Exemplar, 4 | 5) => Bytes,
            _ => return None,
        })
    }
}
