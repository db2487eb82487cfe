//! Requests whose spans are each a request of their own: what is stored of a series is a number of spans.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use crate::load::random::Random;

/// Spans of a request: some are one write of the journal, some fill a segment of a test soon.
const SPANS_MAX: u64 = 400;
/// Tenants that send.
pub const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

/// A body as it is sent, again and again until it is acknowledged.
#[derive(Debug, Clone)]
pub struct Body {
    /// `ExportTraceServiceRequest` as protobuf.
    pub bytes: Vec<u8>,
    /// Its spans.
    pub spans: u64,
    /// Whose.
    pub tenant: &'static str,
}

/// The next request of a sender.
#[must_use]
pub fn body(random: &mut Random) -> Body {
    let tenant = TENANTS[random.below(TENANTS.len() as u64) as usize];
    let spans = 1 + random.below(SPANS_MAX);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
    let mut span = || Span {
        trace_id: [random.bits().to_be_bytes(), (random.bits() | 1).to_be_bytes()].concat(),
        span_id: (random.bits() | 1).to_be_bytes().to_vec(),
        name: "answer".to_owned(),
        kind: 2,
        start_time_unix_nano: now - 3_000_000,
        end_time_unix_nano: now - 1_000_000,
        ..Span::default()
    };
    let text = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) }),
        ..KeyValue::default()
    };
    let resource =
        Resource { attributes: vec![text("service.name", "shop"), text("tenant.id", tenant)], ..Resource::default() };
    let scope_spans = vec![ScopeSpans { spans: (0..spans).map(|_| span()).collect(), ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
    Body { bytes: ExportTraceServiceRequest { resource_spans }.encode_to_vec(), spans, tenant }
}
