//! Spans as the OpenTelemetry SDKs write them, with times that a pool puts in later.

use bailiwick_slo::outcome::Outcome;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span, Status, span::Event, span::SpanKind, status::StatusCode};

use super::random::Random;
use super::series::Place;

/// A span that will have an end of its own: the pool finds its times by this start.
pub(super) const TIME_MARK: u64 = 0x5eed_0bad_0000_0000;

/// What one span says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) place: Place,
    pub(super) outcome: Outcome,
    /// Stands in for start and end; unique in a pool.
    pub(super) mark: u64,
}

/// 95 % success, 3 % client error, 2 % failure.
pub(super) fn outcome(random: &mut Random) -> Outcome {
    match random.below(100) {
        0..95 => Outcome::Success,
        95..98 => Outcome::ClientError,
        _ => Outcome::Failure,
    }
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Eight attributes; the module is the spans' to say.
pub(super) fn resource(number: usize) -> Resource {
    let attributes = vec![
        text("service.name", format!("platform-service-{number:02}")),
        text("service.namespace", "platform"),
        text("service.version", "2026.4.1"),
        text("service.instance.id", format!("6a1f3f0e-8f0e-4b53-9c1d-{number:012x}")),
        text("deployment.environment.name", "production"),
        text("host.name", format!("node-{number:02}.eu-central-1")),
        text("telemetry.sdk.language", "python"),
        text("telemetry.sdk.name", "opentelemetry"),
    ];
    Resource { attributes, ..Resource::default() }
}

pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "opentelemetry.instrumentation.fastapi".to_owned(),
        version: "0.61b0".to_owned(),
        ..InstrumentationScope::default()
    }
}

/// A SERVER span of ten attributes, tenant and module last: the worst case of a single pass.
pub(super) fn plain(facts: &Facts, random: &mut Random) -> Span {
    let Facts { place, outcome, mark } = facts;
    let code = match outcome {
        Outcome::Failure => 500,
        Outcome::ClientError => 404,
        _ => 200,
    };
    let client = random.bits();
    let status = (*outcome == Outcome::Failure).then(|| Status { code: StatusCode::Error as i32, ..Status::default() });
    Span {
        trace_id: [random.bits().to_le_bytes(), (random.bits() | 1).to_le_bytes()].concat(),
        span_id: (random.bits() | 1).to_le_bytes().to_vec(),
        flags: 0x301,
        parent_span_id: (random.bits() | 1).to_le_bytes().to_vec(),
        name: place.operation(),
        kind: SpanKind::Server as i32,
        start_time_unix_nano: *mark,
        end_time_unix_nano: *mark,
        attributes: vec![
            text("http.request.method", place.method()),
            text("url.scheme", "https"),
            text("server.address", "api.platform.example"),
            text("client.address", format!("10.{}.{}.{}", client as u8, (client >> 8) as u8, (client >> 16) as u8)),
            text("network.protocol.version", "1.1"),
            text("user_agent.original", "acme-client/4.2.1 python/3.13.2 httpx/0.28.1 (linux)"),
            text("http.route", place.route()),
            attribute("http.response.status_code", Value::IntValue(code)),
            text("bailiwick.tenant.id", place.tenant()),
            text("bailiwick.module", place.module()),
        ],
        status,
        ..Span::default()
    }
}

/// The same with 25 attributes and 3 events.
pub(super) fn rich(facts: &Facts, random: &mut Random) -> Span {
    let mut span = plain(facts, random);
    let extra =
        (0..15).map(|number| text(&format!("app.pipeline.stage_{number:02}"), format!("{:020x}", random.bits())));
    span.attributes.splice(8..8, extra);
    let event = |number: usize| Event {
        time_unix_nano: 1,
        name: format!("stage {number} finished"),
        attributes: vec![
            text("stage.name", format!("retrieval-{number}")),
            attribute("stage.items", Value::IntValue(number as i64)),
        ],
        ..Event::default()
    };
    span.events = (0..3).map(event).collect();
    span
}
