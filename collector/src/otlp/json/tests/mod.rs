//! What OTLP/JSON means, against prost's structs.

mod official;
mod refused;
mod scanned;
mod values;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::{JsonError, Kind, Limits, Scan, prescan, to_protobuf};

fn scan(body: &str, kind: Kind) -> Result<Scan, JsonError> {
    prescan(body.as_bytes(), kind, &Limits::default())
}

fn transcoded(body: &str, kind: Kind) -> Result<Vec<u8>, JsonError> {
    to_protobuf(body.as_bytes(), kind, &scan(body, kind)?)
}

/// The request that a body stands for, after checking that its bytes are the very bytes that prost writes.
fn traces(body: &str) -> ExportTraceServiceRequest {
    let bytes = transcoded(body, Kind::Traces).expect("sound");
    let request = ExportTraceServiceRequest::decode(&bytes[..]).expect("sound");
    assert_eq!(request.encode_to_vec(), bytes, "canonical bytes of {body}");
    request
}

/// As [`traces`].
fn metrics(body: &str) -> ExportMetricsServiceRequest {
    let bytes = transcoded(body, Kind::Metrics).expect("sound");
    let request = ExportMetricsServiceRequest::decode(&bytes[..]).expect("sound");
    assert_eq!(request.encode_to_vec(), bytes, "canonical bytes of {body}");
    request
}

/// One span with these members.
fn span_body(members: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{members}}}]}}]}}]}}"#)
}

/// One metric with these members.
fn metric_body(members: &str) -> String {
    format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{{members}}}]}}]}}]}}"#)
}
