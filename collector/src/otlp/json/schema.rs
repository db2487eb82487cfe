//! OTLP 1.11's messages as a table: JSON names, field numbers, how a value is written. It knows no values.

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    /// In the order in which they are written; at most [`FIELDS_MAX`].
    pub(super) fields: &'static [Field],
}

/// Most fields that a message of the table has.
pub(super) const FIELDS_MAX: usize = 16;

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    /// Its JSON name.
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) shape: Shape,
    pub(super) label: Label,
}

/// How often a field occurs, and whether its zero is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// Once; zero is absent.
    Plain,
    /// Once; zero is a value (`optional`).
    Optional,
    /// One of several that exclude each other; zero is a value. No message has two such groups.
    OneOf,
    /// An array.
    Repeated,
}

/// How a value reads in JSON and is written in protobuf.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text,
    /// Hex in JSON, bytes in protobuf.
    Id,
    /// Base64 in JSON.
    Bytes,
    Bool,
    /// An integer that JSON may not name.
    Enum,
    Uint32,
    Int32,
    Sint32,
    Fixed32,
    Int64,
    Uint64,
    Fixed64,
    Sfixed64,
    Double,
    Message(&'static Message),
}

use Label::{OneOf, Optional, Plain, Repeated};
use Shape::{Bool, Bytes, Double, Enum, Fixed32, Fixed64, Id, Int32, Int64, Sfixed64, Sint32, Text, Uint32, Uint64};

const fn field(number: u32, name: &'static str, shape: Shape, label: Label) -> Field {
    Field { name, number, shape, label }
}

const fn one(number: u32, name: &'static str, message: &'static Message) -> Field {
    field(number, name, Shape::Message(message), Plain)
}

const fn many(number: u32, name: &'static str, message: &'static Message) -> Field {
    field(number, name, Shape::Message(message), Repeated)
}

pub(super) static TRACES_REQUEST: Message = Message { fields: &[many(1, "resourceSpans", &RESOURCE_SPANS)] };

static RESOURCE_SPANS: Message = Message {
    fields: &[one(1, "resource", &RESOURCE), many(2, "scopeSpans", &SCOPE_SPANS), field(3, "schemaUrl", Text, Plain)],
};

static SCOPE_SPANS: Message =
    Message { fields: &[one(1, "scope", &SCOPE), many(2, "spans", &SPAN), field(3, "schemaUrl", Text, Plain)] };

static SPAN: Message = Message {
    fields: &[
        field(1, "traceId", Id, Plain),
        field(2, "spanId", Id, Plain),
        field(3, "traceState", Text, Plain),
        field(4, "parentSpanId", Id, Plain),
        field(5, "name", Text, Plain),
        field(6, "kind", Enum, Plain),
        field(7, "startTimeUnixNano", Fixed64, Plain),
        field(8, "endTimeUnixNano", Fixed64, Plain),
        many(9, "attributes", &KEY_VALUE),
        field(10, "droppedAttributesCount", Uint32, Plain),
        many(11, "events", &EVENT),
        field(12, "droppedEventsCount", Uint32, Plain),
        many(13, "links", &LINK),
        field(14, "droppedLinksCount", Uint32, Plain),
        one(15, "status", &STATUS),
        field(16, "flags", Fixed32, Plain),
    ],
};

static EVENT: Message = Message {
    fields: &[
        field(1, "timeUnixNano", Fixed64, Plain),
        field(2, "name", Text, Plain),
        many(3, "attributes", &KEY_VALUE),
        field(4, "droppedAttributesCount", Uint32, Plain),
    ],
};

static LINK: Message = Message {
    fields: &[
        field(1, "traceId", Id, Plain),
        field(2, "spanId", Id, Plain),
        field(3, "traceState", Text, Plain),
        many(4, "attributes", &KEY_VALUE),
        field(5, "droppedAttributesCount", Uint32, Plain),
        field(6, "flags", Fixed32, Plain),
    ],
};

static STATUS: Message = Message { fields: &[field(2, "message", Text, Plain), field(3, "code", Enum, Plain)] };

static RESOURCE: Message = Message {
    fields: &[
        many(1, "attributes", &KEY_VALUE),
        field(2, "droppedAttributesCount", Uint32, Plain),
        many(3, "entityRefs", &ENTITY_REF),
    ],
};

static ENTITY_REF: Message = Message {
    fields: &[
        field(1, "schemaUrl", Text, Plain),
        field(2, "type", Text, Plain),
        field(3, "idKeys", Text, Repeated),
        field(4, "descriptionKeys", Text, Repeated),
    ],
};

static SCOPE: Message = Message {
    fields: &[
        field(1, "name", Text, Plain),
        field(2, "version", Text, Plain),
        many(3, "attributes", &KEY_VALUE),
        field(4, "droppedAttributesCount", Uint32, Plain),
    ],
};

static KEY_VALUE: Message = Message {
    fields: &[field(1, "key", Text, Plain), one(2, "value", &ANY_VALUE), field(3, "keyStrindex", Int32, Plain)],
};

static ANY_VALUE: Message = Message {
    fields: &[
        field(1, "stringValue", Text, OneOf),
        field(2, "boolValue", Bool, OneOf),
        field(3, "intValue", Int64, OneOf),
        field(4, "doubleValue", Double, OneOf),
        field(5, "arrayValue", Shape::Message(&ARRAY_VALUE), OneOf),
        field(6, "kvlistValue", Shape::Message(&KEY_VALUE_LIST), OneOf),
        field(7, "bytesValue", Bytes, OneOf),
        field(8, "stringValueStrindex", Int32, OneOf),
    ],
};

static ARRAY_VALUE: Message = Message { fields: &[many(1, "values", &ANY_VALUE)] };

static KEY_VALUE_LIST: Message = Message { fields: &[many(1, "values", &KEY_VALUE)] };

pub(super) static METRICS_REQUEST: Message = Message { fields: &[many(1, "resourceMetrics", &RESOURCE_METRICS)] };

static RESOURCE_METRICS: Message = Message {
    fields: &[
        one(1, "resource", &RESOURCE),
        many(2, "scopeMetrics", &SCOPE_METRICS),
        field(3, "schemaUrl", Text, Plain),
    ],
};

static SCOPE_METRICS: Message =
    Message { fields: &[one(1, "scope", &SCOPE), many(2, "metrics", &METRIC), field(3, "schemaUrl", Text, Plain)] };

static METRIC: Message = Message {
    fields: &[
        field(1, "name", Text, Plain),
        field(2, "description", Text, Plain),
        field(3, "unit", Text, Plain),
        field(5, "gauge", Shape::Message(&GAUGE), OneOf),
        field(7, "sum", Shape::Message(&SUM), OneOf),
        field(9, "histogram", Shape::Message(&HISTOGRAM), OneOf),
        field(10, "exponentialHistogram", Shape::Message(&EXPONENTIAL_HISTOGRAM), OneOf),
        field(11, "summary", Shape::Message(&SUMMARY), OneOf),
        many(12, "metadata", &KEY_VALUE),
    ],
};

static GAUGE: Message = Message { fields: &[many(1, "dataPoints", &NUMBER_POINT)] };

static SUM: Message = Message {
    fields: &[
        many(1, "dataPoints", &NUMBER_POINT),
        field(2, "aggregationTemporality", Enum, Plain),
        field(3, "isMonotonic", Bool, Plain),
    ],
};

static HISTOGRAM: Message =
    Message { fields: &[many(1, "dataPoints", &HISTOGRAM_POINT), field(2, "aggregationTemporality", Enum, Plain)] };

static EXPONENTIAL_HISTOGRAM: Message =
    Message { fields: &[many(1, "dataPoints", &EXPONENTIAL_POINT), field(2, "aggregationTemporality", Enum, Plain)] };

static SUMMARY: Message = Message { fields: &[many(1, "dataPoints", &SUMMARY_POINT)] };

static NUMBER_POINT: Message = Message {
    fields: &[
        field(2, "startTimeUnixNano", Fixed64, Plain),
        field(3, "timeUnixNano", Fixed64, Plain),
        field(4, "asDouble", Double, OneOf),
        field(6, "asInt", Sfixed64, OneOf),
        many(5, "exemplars", &EXEMPLAR),
        many(7, "attributes", &KEY_VALUE),
        field(8, "flags", Uint32, Plain),
    ],
};

static HISTOGRAM_POINT: Message = Message {
    fields: &[
        field(2, "startTimeUnixNano", Fixed64, Plain),
        field(3, "timeUnixNano", Fixed64, Plain),
        field(4, "count", Fixed64, Plain),
        field(5, "sum", Double, Optional),
        field(6, "bucketCounts", Fixed64, Repeated),
        field(7, "explicitBounds", Double, Repeated),
        many(8, "exemplars", &EXEMPLAR),
        many(9, "attributes", &KEY_VALUE),
        field(10, "flags", Uint32, Plain),
        field(11, "min", Double, Optional),
        field(12, "max", Double, Optional),
    ],
};

static EXPONENTIAL_POINT: Message = Message {
    fields: &[
        many(1, "attributes", &KEY_VALUE),
        field(2, "startTimeUnixNano", Fixed64, Plain),
        field(3, "timeUnixNano", Fixed64, Plain),
        field(4, "count", Fixed64, Plain),
        field(5, "sum", Double, Optional),
        field(6, "scale", Sint32, Plain),
        field(7, "zeroCount", Fixed64, Plain),
        one(8, "positive", &BUCKETS),
        one(9, "negative", &BUCKETS),
        field(10, "flags", Uint32, Plain),
        many(11, "exemplars", &EXEMPLAR),
        field(12, "min", Double, Optional),
        field(13, "max", Double, Optional),
        field(14, "zeroThreshold", Double, Plain),
    ],
};

static BUCKETS: Message =
    Message { fields: &[field(1, "offset", Sint32, Plain), field(2, "bucketCounts", Uint64, Repeated)] };

static SUMMARY_POINT: Message = Message {
    fields: &[
        field(2, "startTimeUnixNano", Fixed64, Plain),
        field(3, "timeUnixNano", Fixed64, Plain),
        field(4, "count", Fixed64, Plain),
        field(5, "sum", Double, Plain),
        many(6, "quantileValues", &QUANTILE),
        many(7, "attributes", &KEY_VALUE),
        field(8, "flags", Uint32, Plain),
    ],
};

static QUANTILE: Message = Message { fields: &[field(1, "quantile", Double, Plain), field(2, "value", Double, Plain)] };

static EXEMPLAR: Message = Message {
    fields: &[
        field(2, "timeUnixNano", Fixed64, Plain),
        field(3, "asDouble", Double, OneOf),
        field(6, "asInt", Sfixed64, OneOf),
        field(4, "spanId", Id, Plain),
        field(5, "traceId", Id, Plain),
        many(7, "filteredAttributes", &KEY_VALUE),
    ],
};
