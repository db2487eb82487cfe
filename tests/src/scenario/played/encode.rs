//! Spans of a story to OTLP: ids, times, flags, attributes.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as OtlpSpan, Status as OtlpStatus};
use serde_json::Value;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::scenario::written::moment::Moment;
use crate::scenario::written::story::{Attributes, Origin, Scenario, Scope, Send, Span};

/// The begin of every scenario: a full hour in 2027, so that slots begin at whole tens of seconds.
pub(in crate::scenario) const BEGIN_NS: u64 = 1_800_000_000 * 1_000_000_000;

/// How long spans last and when they end unless they say.
const LASTS: Moment = Moment(100_000_000);
const ENDS: Moment = Moment::seconds(1);

/// OTLP's span flags: the trace flag `sampled`, "has a say about the parent", "the parent is remote".
const SAMPLED: u32 = 0x1;
const ORIGIN_KNOWN: u32 = 0x100;
const ORIGIN_REMOTE: u32 = 0x200;

/// A span on its way.
#[derive(Debug, Clone)]
pub(in crate::scenario) struct Ready {
    pub(in crate::scenario) label: String,
    pub(in crate::scenario) is_lost: bool,
    pub(in crate::scenario) arrives: Moment,
    service: String,
    scope: Scope,
    otlp: OtlpSpan,
}

/// Ids by label: trace and span.
type Ids = BTreeMap<String, (Vec<u8>, Vec<u8>)>;

/// Every span of every copy of every trace, in the order written.
pub(in crate::scenario) fn spans(scenario: &Scenario) -> Result<Vec<Ready>> {
    let mut all = Vec::new();
    let mut ids = Ids::new();
    for (number, trace) in scenario.traces.iter().enumerate() {
        for copy in 0..trace.copies {
            let trace_id = trace_id(&format!("{}/{number}/{copy}", scenario.name));
            let mut own = Ids::new();
            for span in &trace.spans {
                let span_id = xxh3_64(format!("{}/{copy}", span.span).as_bytes()).to_be_bytes().to_vec();
                if own.insert(span.span.clone(), (trace_id.clone(), span_id)).is_some() {
                    bail!("two spans are called `{}`", span.span);
                }
            }
            if copy == 0 && own.keys().any(|label| ids.contains_key(label)) {
                bail!("a span of trace {} is called as one of a trace before", number + 1);
            }
            ids.append(&mut own);
            for span in &trace.spans {
                let ready = ready(scenario, span, &ids).with_context(|| format!("span `{}`", span.span))?;
                all.push(ready);
            }
        }
    }
    Ok(all)
}

/// The low 56 bits are above every sampling threshold of the scenarios, so that a sampled span is plausible.
fn trace_id(seed: &str) -> Vec<u8> {
    let mut id = xxh3_128(seed.as_bytes()).to_be_bytes();
    id[9] = 0xff;
    id.to_vec()
}

fn ready(scenario: &Scenario, span: &Span, ids: &Ids) -> Result<Ready> {
    let id_of = |label: &String| ids.get(label).with_context(|| format!("there is no span `{label}` before"));
    let (trace_id, span_id) = id_of(span.same_id_as.as_ref().unwrap_or(&span.span))?.clone();
    let service = service(scenario, span.of.as_ref())?;
    let parent = span.parent.as_ref().map(id_of).transpose()?;
    let ends = span.ends.unwrap_or(ENDS);
    let at = |moment: i64| BEGIN_NS.saturating_add_signed(moment);
    let event = |name: &String| Event { name: name.clone(), time_unix_nano: at(ends.0), ..Event::default() };
    let link = |label: &String| {
        let (trace_id, span_id) = id_of(label)?.clone();
        anyhow::Ok(Link { trace_id, span_id, ..Link::default() })
    };
    let otlp = OtlpSpan {
        trace_id,
        span_id,
        parent_span_id: parent.map(|(_, id)| id.clone()).unwrap_or_default(),
        trace_state: span.tracestate.clone(),
        flags: flags(scenario, span, &service)?,
        name: span.name.clone().or(span.route.clone()).unwrap_or_else(|| span.span.clone()),
        kind: span.kind as i32,
        start_time_unix_nano: at(ends.0 - span.lasts.unwrap_or(LASTS).0),
        end_time_unix_nano: at(ends.0),
        attributes: attributes(&written(span)?)?,
        events: span.events.iter().map(event).collect(),
        links: span.links.iter().map(link).collect::<Result<_>>()?,
        status: Some(OtlpStatus { code: span.status as i32, message: String::new() }),
        ..OtlpSpan::default()
    };
    let arrives = span.arrives.unwrap_or(ends.max(Moment(0)));
    Ok(Ready { label: span.span.clone(), is_lost: span.lost, arrives, service, scope: span.scope.clone(), otlp })
}

/// The service that a span or point names; if it names none, the only one.
pub(in crate::scenario) fn service(scenario: &Scenario, of: Option<&String>) -> Result<String> {
    match (of, scenario.services.len()) {
        (Some(of), _) if scenario.services.contains_key(of) => Ok(of.clone()),
        (Some(of), _) => bail!("there is no service `{of}`"),
        (None, 0) => Ok(String::new()),
        (None, 1) => Ok(scenario.services.keys().next().cloned().unwrap_or_default()),
        (None, _) => bail!("there are several services: say `of`"),
    }
}

/// Without a word the parent is local if it is of the same service, else remote.
fn flags(scenario: &Scenario, span: &Span, service: &str) -> Result<u32> {
    let sampled = if span.sampled { SAMPLED } else { 0 };
    let origin = match (span.parent_is, &span.parent) {
        (Some(origin), _) => origin,
        (None, None) => Origin::Local,
        (None, Some(parent)) => {
            let mut spans = scenario.traces.iter().flat_map(|trace| &trace.spans);
            let parent = spans.find(|other| other.span == *parent).context("its parent is nowhere")?;
            if self::service(scenario, parent.of.as_ref())? == service { Origin::Local } else { Origin::Remote }
        }
    };
    Ok(match origin {
        Origin::Unknown => 0,
        Origin::Local => sampled | ORIGIN_KNOWN,
        Origin::Remote => sampled | ORIGIN_KNOWN | ORIGIN_REMOTE,
    })
}

/// The attributes of a span with those that have a key of their own in the story.
fn written(span: &Span) -> Result<Attributes> {
    let mut all = span.attributes.clone();
    let named =
        [("bailiwick.module", &span.module), ("tenant.id", &span.tenant), ("bailiwick.operation", &span.operation)];
    for (key, value) in named {
        all.extend(value.clone().map(|value| (key.to_owned(), Value::String(value))));
    }
    if let Some(route) = &span.route {
        let (method, route) = route.split_once(' ').context("a route is written as `GET /chat`")?;
        all.insert("http.request.method".to_owned(), method.into());
        all.insert("http.route".to_owned(), route.into());
    }
    all.extend(span.code.map(|code| ("http.response.status_code".to_owned(), code.into())));
    Ok(all)
}

pub(in crate::scenario) fn attributes(written: &Attributes) -> Result<Vec<KeyValue>> {
    let one = |(key, value): (&String, &Value)| {
        Ok(KeyValue { key: key.clone(), value: Some(any(value)?), ..KeyValue::default() })
    };
    written.iter().map(one).collect()
}

fn any(value: &Value) -> Result<AnyValue> {
    let value = match value {
        Value::String(text) => any_value::Value::StringValue(text.clone()),
        Value::Bool(truth) => any_value::Value::BoolValue(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => any_value::Value::IntValue(whole),
            None => any_value::Value::DoubleValue(number.as_f64().context("a number is out of range")?),
        },
        Value::Array(values) => {
            any_value::Value::ArrayValue(ArrayValue { values: values.iter().map(any).collect::<Result<_>>()? })
        }
        Value::Null | Value::Object(_) => bail!("an attribute is text, a number, true, false or a list"),
    };
    Ok(AnyValue { value: Some(value) })
}

/// What is sent, by time: the explicit requests, and one for all spans of a moment that none of those names.
pub(in crate::scenario) fn requests(
    scenario: &Scenario,
    spans: &[Ready],
) -> Result<Vec<(Send, ExportTraceServiceRequest)>> {
    let mut sends = scenario.sends.clone();
    let mut rest: BTreeMap<Moment, Vec<String>> = BTreeMap::new();
    for span in spans.iter().filter(|span| !span.is_lost) {
        let is_named = scenario.sends.iter().any(|send| send.spans.contains(&span.label));
        let batch = rest.entry(span.arrives).or_default();
        if !is_named && !batch.contains(&span.label) {
            batch.push(span.label.clone());
        }
    }
    rest.retain(|_, labels| !labels.is_empty());
    sends.extend(rest.into_iter().map(|(at, spans)| Send { at, spans, auth: String::new() }));
    sends.sort_by_key(|send| send.at);
    let encoded = sends.into_iter().map(|send| {
        let request = request(scenario, spans, &send)?;
        anyhow::Ok((send, request))
    });
    encoded.collect()
}

/// All copies of the spans that are named, by service and scope.
fn request(scenario: &Scenario, spans: &[Ready], send: &Send) -> Result<ExportTraceServiceRequest> {
    let mut resource_spans: Vec<(String, ResourceSpans, Vec<Scope>)> = Vec::new();
    for label in &send.spans {
        let mut found = spans.iter().filter(|span| span.label == *label).peekable();
        if found.peek().is_none_or(|span| span.is_lost) {
            bail!("`{label}` is sent at {}, but there is no such span", send.at);
        }
        for span in found {
            let place = match resource_spans.iter().position(|(service, ..)| *service == span.service) {
                Some(place) => place,
                None => {
                    let of_service =
                        ResourceSpans { resource: resource(scenario, &span.service)?, ..ResourceSpans::default() };
                    resource_spans.push((span.service.clone(), of_service, Vec::new()));
                    resource_spans.len() - 1
                }
            };
            let (_, of_service, scopes) = &mut resource_spans[place];
            let place = match scopes.iter().position(|scope| *scope == span.scope) {
                Some(place) => place,
                None => {
                    scopes.push(span.scope.clone());
                    of_service.scope_spans.push(ScopeSpans { scope: scope(&span.scope)?, ..ScopeSpans::default() });
                    scopes.len() - 1
                }
            };
            of_service.scope_spans[place].spans.push(span.otlp.clone());
        }
    }
    Ok(ExportTraceServiceRequest { resource_spans: resource_spans.into_iter().map(|(_, spans, _)| spans).collect() })
}

/// A scenario without services has one: `app`, of the tenant `acme`.
pub(in crate::scenario) fn resource(scenario: &Scenario, service: &str) -> Result<Option<Resource>> {
    let stated = scenario.services.get(service).cloned();
    let app = || Attributes::from([("service.name".to_owned(), "app".into()), ("tenant.id".to_owned(), "acme".into())]);
    Ok(Some(Resource { attributes: attributes(&stated.unwrap_or_else(app))?, ..Resource::default() }))
}

fn scope(scope: &Scope) -> Result<Option<InstrumentationScope>> {
    let attributes = attributes(&scope.attributes)?;
    Ok(Some(InstrumentationScope { name: scope.name.clone(), attributes, ..InstrumentationScope::default() }))
}
