//! Requests of the platform as OTLP traces, in the shape that the instrumentations of their services give them:
//! FastAPI's INTERNAL `http send` children, old and new HTTP names, gRPC servers, consumers. Pure; it decides nothing
//! about the traffic.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use bailiwick_slo::outcome::Outcome;

use super::platform::{Call, Conventions, Entry, ModuleClaim, Request, Service, TenantClaim};

/// Attribute that names the tenant.
pub(super) const TENANT: &str = "bailiwick.tenant.id";
/// Attribute that names the module.
pub(super) const MODULE: &str = "bailiwick.module";

/// W3C flags of a sampled span that knows where its parent is (OTLP `SpanFlags`): it has none, or a local one.
const FLAGS_LOCAL: u32 = 0x101;
/// Time that a `http send` span takes, at the end of its request.
const SEND_NS: u64 = 30_000;

/// The requests as one export, grouped by resource in the order of first appearance.
pub(super) fn traces<'a>(requests: impl IntoIterator<Item = &'a Request>) -> ExportTraceServiceRequest {
    let mut groups: Vec<(&Request, Vec<Span>)> = Vec::new();
    for request in requests {
        let place = groups.iter().position(|(first, _)| same_resource(first, request)).unwrap_or_else(|| {
            groups.push((request, Vec::new()));
            groups.len() - 1
        });
        push_spans(request, &mut groups[place].1);
    }
    ExportTraceServiceRequest { resource_spans: groups.into_iter().map(resource_spans).collect() }
}

/// Whether two requests come from one process.
pub(super) fn same_resource(a: &Request, b: &Request) -> bool {
    a.service == b.service && (a.service.tenant != TenantClaim::Resource || a.tenant == b.tenant)
}

/// The resource of a request's process.
pub(super) fn resource(request: &Request) -> Resource {
    let service = request.service;
    let tenant = request.tenant.filter(|_| service.tenant == TenantClaim::Resource);
    let mut attributes = vec![
        text("service.namespace", service.namespace),
        text("service.name", service.name),
        text("service.version", "2.4.1"),
        text("service.instance.id", format!("{}-{}", service.name, tenant.unwrap_or("shared"))),
    ];
    attributes.extend(tenant.map(|tenant| text(TENANT, tenant)));
    if service.module == ModuleClaim::Resource {
        attributes.push(text(MODULE, request.module));
    }
    Resource { attributes, ..Resource::default() }
}

/// The instrumentation scope of a service.
pub(super) fn scope(service: &Service) -> InstrumentationScope {
    InstrumentationScope { name: service.scope.to_owned(), version: "1.4.0".to_owned(), ..Default::default() }
}

/// An attribute of text.
pub(super) fn text(key: &'static str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

/// An attribute of a whole number.
pub(super) fn number(key: &'static str, value: u16) -> KeyValue {
    attribute(key, Value::IntValue(value.into()))
}

fn attribute(key: &'static str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn resource_spans((first, spans): (&Request, Vec<Span>)) -> ResourceSpans {
    let scope_spans = vec![ScopeSpans { scope: Some(scope(first.service)), spans, ..ScopeSpans::default() }];
    ResourceSpans { resource: Some(resource(first)), scope_spans, ..ResourceSpans::default() }
}

fn push_spans(request: &Request, spans: &mut Vec<Span>) {
    spans.push(entry_span(request));
    if request.backwards() {
        return;
    }
    for (place, call) in (1_u64..).zip(request.calls) {
        spans.push(call_span(request, place, call));
    }
    if request.sends() > 0 {
        spans.push(send_span(request, 8, SEND_NS));
        spans.push(send_span(request, 9, 0));
    }
}

/// The span that is the request.
fn entry_span(request: &Request) -> Span {
    let mut attributes = Vec::with_capacity(16);
    let (name, kind) = match request.entry {
        Entry::Http(method, template) => {
            let route = request.route(template);
            let name = format!("{method} {route}");
            push_http(request, method, route, &mut attributes);
            (name, SpanKind::Server)
        }
        Entry::Rpc(service, method) => {
            attributes.extend([text("rpc.system", "grpc"), text("rpc.service", service), text("rpc.method", method)]);
            attributes.extend(request.code().map(|code| number("rpc.grpc.status_code", code)));
            (format!("{service}/{method}"), SpanKind::Server)
        }
        Entry::Message(destination) => {
            attributes.extend([text("messaging.system", "kafka"), text("messaging.operation.name", "process")]);
            attributes.push(text("messaging.destination.name", destination));
            if request.outcome == Outcome::Cancelled {
                attributes.push(text("error.type", "asyncio.CancelledError"));
            }
            (format!("process {destination}"), SpanKind::Consumer)
        }
    };
    push_claims(request, &mut attributes);
    let times = (request.started_ns, request.ended_ns);
    Span { kind: kind as i32, attributes, ..span(request, 0, name, times) }
}

fn push_http(request: &Request, method: &str, route: String, attributes: &mut Vec<KeyValue>) {
    let conventions = request.service.conventions;
    if conventions != Conventions::New {
        attributes.extend([text("http.method", method), text("http.scheme", "https"), text("http.flavor", "1.1")]);
        attributes.extend(request.code().map(|code| number("http.status_code", code)));
        attributes.push(text("http.target", route.clone()));
    }
    if conventions != Conventions::Old {
        attributes.extend([text("http.request.method", method), text("url.scheme", "https")]);
        attributes.push(text("network.protocol.version", "1.1"));
        attributes.extend(request.code().map(|code| number("http.response.status_code", code)));
        attributes.push(text("url.path", route.clone()));
        if request.outcome == Outcome::Failure {
            attributes.extend(request.code().map(|code| text("error.type", code.to_string())));
        }
    }
    attributes.push(text("http.route", route));
}

fn push_claims(request: &Request, attributes: &mut Vec<KeyValue>) {
    if let Some(tenant) = request.tenant {
        match request.service.tenant {
            TenantClaim::Span => attributes.push(text(TENANT, tenant)),
            TenantClaim::Header => {
                let values = vec![AnyValue { value: Some(Value::StringValue(tenant.to_owned())) }];
                attributes.push(attribute("http.request.header.x_tenant_id", Value::ArrayValue(ArrayValue { values })));
            }
            TenantClaim::Resource => {}
        }
    }
    if request.service.module == ModuleClaim::Span {
        attributes.push(text(MODULE, request.module));
    }
}

/// A step inside the service (INTERNAL) or a call out of it (CLIENT). Neither is a request.
fn call_span(request: &Request, place: u64, call: &Call) -> Span {
    let length_ns = request.ended_ns - request.started_ns;
    let at = |permille: u32| request.started_ns + length_ns / 1_000 * u64::from(permille);
    let (from, to) = call.from_to_permille;
    let mut attributes = vec![];
    if let (Some(tenant), TenantClaim::Span) = (request.tenant, request.service.tenant) {
        attributes.push(text(TENANT, tenant));
    }
    attributes.extend(call.peer.map(|peer| text("peer.service", peer)));
    let kind = if call.peer.is_some() { SpanKind::Client } else { SpanKind::Internal };
    let child = span(request, place, call.name.to_owned(), (at(from), at(to)));
    // A dependency that answers is not the place of the fault.
    Span { kind: kind as i32, attributes, status: None, ..child }
}

/// One message of the answer: its start, which carries the status and is marked ERROR with it, or its body.
fn send_span(request: &Request, place: u64, before_end_ns: u64) -> Span {
    let Entry::Http(method, template) = request.entry else {
        unreachable!("only HTTP requests have send spans (Request::sends)");
    };
    let starts = before_end_ns > 0;
    let mut attributes =
        vec![text("asgi.event.type", if starts { "http.response.start" } else { "http.response.body" })];
    if starts {
        let key = if request.service.conventions == Conventions::New {
            "http.response.status_code"
        } else {
            "http.status_code"
        };
        attributes.extend(request.code().map(|code| number(key, code)));
    }
    let end = request.ended_ns - before_end_ns;
    let child = span(request, place, format!("{method} {} http send", request.route(template)), (end - SEND_NS, end));
    let status = if starts { child.status } else { None };
    Span { kind: SpanKind::Internal as i32, attributes, status, ..child }
}

/// A span of the request: the entry at place 0, children above.
fn span(request: &Request, place: u64, name: String, (start, end): (u64, u64)) -> Span {
    let trace_id: Vec<u8> = request.trace_id.iter().flat_map(|half| half.to_be_bytes()).collect();
    // Ids are odd and places are doubled: never zero, never equal within a request.
    let id = |place: u64| request.span_id.wrapping_add(2 * place).to_be_bytes().to_vec();
    let failed = request.outcome == Outcome::Failure;
    Span {
        trace_id,
        span_id: id(place),
        parent_span_id: if place == 0 { vec![] } else { id(0) },
        flags: FLAGS_LOCAL,
        name,
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        status: failed.then(|| Status { message: String::new(), code: StatusCode::Error as i32 }),
        ..Span::default()
    }
}

#[cfg(test)]
mod tests;
