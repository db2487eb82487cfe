//! What a user saw, as requests and the rows that must come of them.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::batch::Meta;
use super::report::Reason;
use super::{Observed, Observer, Request, Rules, Signal};

const NOW_NS: u64 = 1_700_000_000_000_000_000;

fn text(key: &str, text: &str) -> KeyValue {
    pair(key, Value::StringValue(text.to_owned()))
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// One SERVER span that ends now.
fn body(of_resource: Vec<KeyValue>, of_span: Vec<KeyValue>) -> Vec<u8> {
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        kind: 2,
        start_time_unix_nano: NOW_NS - 1_000_000,
        end_time_unix_nano: NOW_NS,
        attributes: of_span,
        ..Span::default()
    };
    let resource = Resource { attributes: of_resource, ..Resource::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn observe(rules: Rules, body: &[u8]) -> Observed {
    let request = Request {
        protobuf: body,
        body,
        signal: Signal::Traces,
        observed_at_ns: NOW_NS,
        items_expected: None,
        meta: Meta::default(),
    };
    Observer::new(Arc::new(rules)).observe(&request).expect("it is OTLP")
}

#[test]
fn a_tenant_in_service_namespace_is_still_the_namespace_of_the_service() {
    let mut rules = Rules::default();
    rules.tenancy.attributes = vec!["service.namespace".to_owned()];
    let resource = vec![text("service.namespace", "shop"), text("service.name", "cart")];
    let batch = observe(rules, &body(resource, vec![])).batch;
    let context = batch.view().contexts().next().expect("one span");
    assert_eq!(batch.view().string(context.tenant_resource), "shop");
    assert_eq!(batch.view().string(context.service_namespace), "shop");
}

#[test]
fn a_module_in_code_function_name_still_names_the_operation() {
    let mut rules = Rules::default();
    rules.modules.attributes = vec!["code.function.name".to_owned()];
    let batch = observe(rules, &body(vec![], vec![text("code.function.name", "checkout")])).batch;
    let (span, evidence) = (batch.view().spans().next().expect("one span"), batch.view().evidence().nth(1));
    assert_eq!(batch.view().string(span.operation), "checkout");
    assert_eq!(batch.view().string(evidence.expect("a claim").module_span), "checkout");
}

#[test]
fn a_long_name_that_is_no_text_is_refused_wherever_its_bad_bytes_stand() {
    let mut body = body(vec![text("service.name", &"y".repeat(300))], vec![]);
    let last = body.iter().rposition(|byte| *byte == b'y').expect("a name");
    body[last] = 0xff;
    for label_bytes_max in [256, 4_096] {
        let mut rules = Rules::default();
        rules.limits.label_bytes_max = label_bytes_max;
        let refused = observe(rules, &body).report.refused;
        assert_eq!(refused.first().map(|refused| refused.reason), Some(Reason::InvalidUtf8), "{label_bytes_max}");
    }
}

#[test]
fn a_module_sent_as_a_number_has_an_alias_too() {
    let mut rules = Rules::default();
    rules.modules.aliases = [("42".to_owned(), "payments".to_owned())].into();
    let batch = observe(rules, &body(vec![pair("module", Value::IntValue(42))], vec![])).batch;
    let context = batch.view().contexts().next().expect("one span");
    assert_eq!(batch.view().string(context.module_resource), "payments");
}
