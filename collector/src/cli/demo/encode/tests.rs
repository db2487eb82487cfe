//! What the encoded traffic says is read back here by rules of its own, written from the specification, so that
//! `Platform::expected` and the encoder check each other.

use std::collections::BTreeMap;

use bailiwick_slo::conventions::EntryType;
use bailiwick_slo::outcome::OutcomeCounts;

use super::*;
use crate::cli::demo::{Faults, Platform};

type Attributes = BTreeMap<String, String>;

fn platform() -> Platform {
    Platform { seed: 1, rate: 50, faults: Faults::ALL, epoch_s: 1_700_000_000 }
}

fn read(attributes: &[KeyValue]) -> Attributes {
    let value = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::ArrayValue(array) => match array.values[0].value.as_ref() {
            Some(Value::StringValue(text)) => text.clone(),
            other => panic!("{other:?} in an array"),
        },
        other => panic!("unexpected {other:?}"),
    };
    attributes.iter().map(|it| (it.key.clone(), value(it.value.as_ref().unwrap().value.as_ref().unwrap()))).collect()
}

fn first<'a>(attributes: &'a Attributes, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| attributes.get(*key)).map(String::as_str)
}

fn operation(span: &Attributes) -> String {
    if let Some(method) = first(span, &["http.request.method", "http.method"]) {
        return format!("{method} {}", span["http.route"]);
    }
    match span.get("rpc.service") {
        Some(service) => format!("{service}/{}", span["rpc.method"]),
        None => format!("{} {}", span["messaging.operation.name"], span["messaging.destination.name"]),
    }
}

fn outcome(operation: &str, span: &Attributes, error: bool) -> Outcome {
    let http = first(span, &["http.response.status_code", "http.status_code"]);
    let rpc = span.get("rpc.grpc.status_code").map(String::as_str);
    if operation == "GET /healthz" {
        Outcome::Excluded
    } else if http == Some("499") || rpc == Some("1") || first(span, &["error.type"]) == Some("asyncio.CancelledError")
    {
        Outcome::Cancelled
    } else if error {
        Outcome::Failure
    } else if http.is_some_and(|code| code.starts_with('4')) || rpc.is_some_and(|code| code != "0") {
        Outcome::ClientError
    } else {
        Outcome::Success
    }
}

type Books = BTreeMap<(String, String, EntryType, String), OutcomeCounts>;

fn book(request: &ExportTraceServiceRequest, now_ns: u64, books: &mut Books) {
    for group in &request.resource_spans {
        let resource = read(&group.resource.as_ref().unwrap().attributes);
        for span in &group.scope_spans[0].spans {
            let entry = match span.kind {
                2 => EntryType::Server,
                5 => EntryType::Consumer,
                _ => continue,
            };
            if span.end_time_unix_nano + 600_000_000_000 < now_ns || span.end_time_unix_nano > now_ns + 60_000_000_000 {
                continue;
            }
            let attributes = read(&span.attributes);
            let tenant = first(&attributes, &["bailiwick.tenant.id"])
                .or(first(&resource, &["bailiwick.tenant.id"]))
                .or(first(&attributes, &["http.request.header.x_tenant_id"]))
                .unwrap_or("_unknown");
            let service = format!("{}/{}", resource["service.namespace"], resource["service.name"]);
            let module = first(&attributes, &["bailiwick.module"])
                .or(first(&resource, &["bailiwick.module"]))
                .unwrap_or(&service);
            let operation = operation(&attributes);
            let error = span.status.as_ref().is_some_and(|status| status.code == 2);
            let outcome = outcome(&operation, &attributes, error);
            books.entry((tenant.to_owned(), module.to_owned(), entry, operation)).or_default().add(outcome, 1);
        }
    }
}

#[test]
fn what_is_encoded_is_what_the_books_are_expected_to_hold() {
    let platform = platform();
    let mut books = Books::new();
    let mut spans = 0;
    // A stretch that begins in trouble and ends out of it.
    let stretch = 2_400 + 200..2_400 + 400;
    for index in stretch.clone() {
        let request = traces(&platform.second(index));
        spans += request.resource_spans.iter().map(|group| group.scope_spans[0].spans.len()).sum::<usize>();
        book(&request, platform.second_ns(index + 1), &mut books);
    }
    let expected = platform.expected(stretch);
    let key = |series: &crate::cli::demo::Series| {
        (series.tenant.to_owned(), series.module.to_owned(), series.entry, series.operation.clone())
    };
    let wanted: Books = expected.series.iter().map(|(series, counts)| (key(series), *counts)).collect();
    assert_eq!(books, wanted);
    assert_eq!(spans as u64, expected.spans);
    let all = expected.series.values().fold(OutcomeCounts::default(), |mut sum, counts| {
        sum += *counts;
        sum
    });
    assert!(all.0.iter().all(|count| *count > 0), "every outcome occurs: {all:?}");
}

#[test]
fn a_failed_fastapi_request_is_one_server_span_and_two_sends_of_which_one_is_an_error() {
    let platform = platform();
    let failed = (0..600)
        .flat_map(|index| platform.second(index))
        .find(|request| request.service.asgi && request.outcome == Outcome::Failure && !request.backwards())
        .expect("some request of ten minutes fails");
    let request = traces([&failed]);
    let spans = &request.resource_spans[0].scope_spans[0].spans;
    let server = &spans[0];
    let code = |span: &Span| span.status.as_ref().map(|status| status.code);
    assert_eq!((server.kind, code(server)), (SpanKind::Server as i32, Some(2)));
    let sends: Vec<_> = spans.iter().filter(|span| span.name == format!("{} http send", server.name)).collect();
    assert_eq!(sends.iter().map(|span| code(span)).collect::<Vec<_>>(), [Some(2), None]);
    assert!(sends.iter().all(|span| span.kind == SpanKind::Internal as i32));
    assert!(sends.iter().all(|span| read(&span.attributes).contains_key("asgi.event.type")));
}

#[test]
fn children_lie_inside_their_request_and_share_its_trace() {
    let platform = platform();
    for request in (0..20).flat_map(|index| platform.second(index)).filter(|request| !request.backwards()) {
        let export = traces([&request]);
        let (entry, children) = export.resource_spans[0].scope_spans[0].spans.split_first().unwrap();
        let mut ids = vec![&entry.span_id];
        for child in children {
            assert_eq!((&child.trace_id, &child.parent_span_id), (&entry.trace_id, &entry.span_id));
            assert!(child.start_time_unix_nano >= entry.start_time_unix_nano, "{request:?}");
            assert!(child.end_time_unix_nano <= entry.end_time_unix_nano, "{request:?}");
            assert!(child.start_time_unix_nano <= child.end_time_unix_nano, "{request:?}");
            ids.push(&child.span_id);
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "span ids are distinct");
    }
}
