//! What a user saw, as requests and the rows that must come of them.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::batch::Meta;
use super::batch::row::{Extra, extra, flag};
use super::report::Reason;
use super::{Boundary, Observed, Observer, Request, Rules, Signal};
use crate::tenancy::{PrefixModule, ScopeModule};

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

/// Key, number and text of every extra of the one span.
fn extras(observed: &Observed) -> Vec<(u16, u64, String)> {
    let batch = observed.batch.view();
    let span = batch.spans().next().expect("one span");
    let read = |row: Extra| match row.kind {
        3 => (row.key, 0, batch.string(row.value as u32).to_owned()),
        _ => (row.key, row.value, String::new()),
    };
    batch.extras_of(span.first_extra, span.extras.into()).map(read).collect()
}

#[test]
fn counts_and_further_tenants_stand_beside_the_span_that_has_them() {
    let of_span = vec![
        text("bailiwick.tenant.set", "acme, globex,acme,a/b"),
        pair("messaging.batch.message_count", Value::IntValue(17)),
        pair("gen_ai.usage.prompt_tokens", Value::IntValue(1)),
        pair("gen_ai.usage.input_tokens", Value::DoubleValue(900.0)),
        text("gen_ai.usage.completion_tokens", "120"),
    ];
    let of = |number: u64| (number, String::new());
    let name = |name: &str| (0, name.to_owned());
    let expected = [
        (extra::MESSAGES, of(17)),
        (extra::TOKENS_INPUT, of(900)),
        (extra::TOKENS_OUTPUT, of(120)),
        (extra::TENANT_SET, name("acme")),
        (extra::TENANT_SET, name("globex")),
    ];
    let observed = observe(Rules::default(), &body(vec![], of_span));
    assert_eq!(extras(&observed), expected.map(|(key, (number, text))| (key, number, text)));
    let span = observed.batch.view().spans().next().expect("one span");
    assert_eq!(span.flags & flag::TENANT_INVALID, flag::TENANT_INVALID, "`a/b` is no tenant");
}

#[test]
fn a_module_sent_as_a_number_has_an_alias_too() {
    let mut rules = Rules::default();
    rules.modules.aliases = [("42".to_owned(), "payments".to_owned())].into();
    let batch = observe(rules, &body(vec![pair("module", Value::IntValue(42))], vec![])).batch;
    let context = batch.view().contexts().next().expect("one span");
    assert_eq!(batch.view().string(context.module_resource), "payments");
}

/// What the one span's row says of its module: by the span, by its scope, by its resource.
fn modules(observed: &Observed) -> [String; 3] {
    let batch = observed.batch.view();
    let span = batch.spans().next().expect("one span");
    let evidence = batch.evidence().nth(span.evidence as usize).expect("its evidence");
    let context = batch.contexts().next().expect("its context");
    [evidence.module_span, context.module_scope, context.module_resource].map(|name| batch.string(name).to_owned())
}

#[test]
fn a_configured_prefix_stands_back_behind_the_span_and_its_scope() {
    let mut rules = Rules::default();
    rules.modules.span_prefixes = vec![PrefixModule { prefix: "s3.".to_owned(), module: "store".to_owned() }];
    let named = |of_span: Vec<KeyValue>, scope: &str, rules: &Rules| {
        let mut sent = ExportTraceServiceRequest::decode(&body(vec![], of_span)[..]).expect("OTLP");
        let scope_spans = &mut sent.resource_spans[0].scope_spans[0];
        scope_spans.spans[0].name = "s3.get".to_owned();
        scope_spans.scope = Some(InstrumentationScope { name: scope.to_owned(), ..InstrumentationScope::default() });
        modules(&observe(rules.clone(), &sent.encode_to_vec()))
    };
    assert_eq!(named(vec![], "boto", &rules), ["store", "", ""]);
    assert_eq!(named(vec![text("module", "rag")], "boto", &rules), ["rag", "", ""]);
    rules.modules.scopes = vec![ScopeModule { scope: "bo*".to_owned(), module: "aws".to_owned() }];
    assert_eq!(named(vec![], "boto", &rules), ["", "aws", ""]);
    assert_eq!(named(vec![], "other", &rules), ["store", "", ""]);
}

#[test]
fn a_service_with_another_name_is_that_module() {
    let mut rules = Rules::default();
    rules.modules.aliases =
        [("shop/cart", "basket"), ("cart", "trolley")].map(|(from, to)| (from.to_owned(), to.to_owned())).into();
    let of = |resource: Vec<KeyValue>| modules(&observe(rules.clone(), &body(resource, vec![])));
    assert_eq!(of(vec![text("service.namespace", "shop"), text("service.name", "cart")]), ["", "", "basket"]);
    assert_eq!(of(vec![text("service.name", "cart")]), ["", "", "trolley"]);
    assert_eq!(of(vec![text("service.name", "cart"), text("module", "till")]), ["", "", "till"]);
    assert_eq!(of(vec![text("service.namespace", "old"), text("service.name", "cart")]), ["", "", ""]);
}

#[test]
fn internal_spans_are_excluded_and_calls_are_not() {
    for (kind, outcome) in [(0, 4), (1, 4), (2, 4), (3, 0), (4, 0), (5, 4)] {
        let synthetic = vec![text("user_agent.synthetic.type", "bot")];
        let mut sent = ExportTraceServiceRequest::decode(&body(vec![], synthetic)[..]).expect("OTLP");
        sent.resource_spans[0].scope_spans[0].spans[0].kind = kind;
        let batch = observe(Rules::default(), &sent.encode_to_vec()).batch;
        assert_eq!(batch.view().spans().next().map(|span| span.outcome), Some(outcome), "kind {kind}");
    }
}

#[test]
fn a_chain_may_begin_where_settings_say() {
    let at = |operation: &str| Boundary { module: "cart".into(), operation: operation.into(), reason: "-".into() };
    for (operation, flags) in [("GET *", flag::BOUNDARY), ("POST *", 0)] {
        let rules = Rules { boundaries: vec![at(operation)], ..Rules::default() };
        let batch = observe(rules, &body(vec![text("service.name", "cart")], vec![text("http.method", "GET")])).batch;
        assert_eq!(batch.view().spans().next().map(|span| span.flags), Some(flags), "{operation}");
    }
}
