//! A trace request as JSON, the way clients may write it: members in any order, 64-bit integers as numbers or texts,
//! ids in either case, nulls and unknown members between.

use std::fmt::Write;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span};

use super::dice::Dice;

/// The request as OTLP/JSON.
#[must_use]
pub fn json(request: &ExportTraceServiceRequest, seed: u64) -> Vec<u8> {
    let mut printer = Printer(Dice::new(seed));
    let resources = printer.array(&request.resource_spans, Printer::resource_spans);
    printer.object(vec![("resourceSpans", resources)]).into_bytes()
}

struct Printer(Dice);

type Members = Vec<(&'static str, String)>;

impl Printer {
    fn space(&mut self) -> &'static str {
        const SPACES: [&str; 5] = ["", " ", "\n", "\t ", "\r\n"];
        SPACES[if self.0.once_in(20) { self.0.below(5) } else { 0 }]
    }

    fn object(&mut self, mut members: Members) -> String {
        if self.0.once_in(10) {
            members.push((*self.0.one_of(&["future", "trace_id", ""]), "{\"a\":[1,{},\"]\"]}".into()));
        }
        if self.0.once_in(10) {
            members.push(("aNull", "null".into()));
        }
        if self.0.once_in(3) {
            self.0.shuffle(&mut members);
        }
        let members: Vec<String> = members
            .into_iter()
            .map(|(name, value)| format!("{}\"{name}\"{}:{}{value}", self.space(), self.space(), self.space()))
            .collect();
        format!("{{{}{}}}", members.join(","), self.space())
    }

    fn array<T>(&mut self, list: &[T], print: impl Fn(&mut Self, &T) -> String) -> String {
        let elements: Vec<String> = list.iter().map(|element| print(self, element)).collect();
        format!("[{}{}]", elements.join(&format!("{},", self.space())), self.space())
    }

    fn text(&mut self, text: &str) -> String {
        let mut out = String::from("\"");
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                c if c < ' ' || self.0.once_in(15) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(out, "\\u{unit:04x}").expect("a String takes all");
                    }
                }
                c => out.push(c),
            }
        }
        out + "\""
    }

    fn hex(&mut self, bytes: &[u8]) -> String {
        let upper = self.0.once_in(2);
        let digits = bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        format!("\"{}\"", digits.collect::<String>())
    }

    fn long(&mut self, number: i128) -> String {
        if self.0.once_in(2) { format!("\"{number}\"") } else { number.to_string() }
    }

    fn double(&mut self, number: f64) -> String {
        match number {
            n if n.is_nan() => "\"NaN\"".into(),
            n if n.is_infinite() => if n > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }.into(),
            n if self.0.once_in(2) => format!("{n:e}"),
            n => format!("{n}"),
        }
    }

    fn resource_spans(&mut self, of: &ResourceSpans) -> String {
        let mut members: Members = vec![];
        if let Some(resource) = &of.resource {
            members.push(("resource", self.resource(resource)));
        }
        members.push(("scopeSpans", self.array(&of.scope_spans, Self::scope_spans)));
        members.push(("schemaUrl", self.text(&of.schema_url)));
        self.object(members)
    }

    fn resource(&mut self, of: &Resource) -> String {
        let members = vec![
            ("attributes", self.array(&of.attributes, Self::key_value)),
            ("droppedAttributesCount", of.dropped_attributes_count.to_string()),
        ];
        self.object(members)
    }

    fn scope_spans(&mut self, of: &ScopeSpans) -> String {
        let mut members: Members = vec![];
        if let Some(scope) = &of.scope {
            members.push(("scope", self.scope(scope)));
        }
        members.push(("spans", self.array(&of.spans, Self::span)));
        members.push(("schemaUrl", self.text(&of.schema_url)));
        self.object(members)
    }

    fn scope(&mut self, of: &InstrumentationScope) -> String {
        let members = vec![
            ("name", self.text(&of.name)),
            ("version", self.text(&of.version)),
            ("attributes", self.array(&of.attributes, Self::key_value)),
        ];
        self.object(members)
    }

    fn span(&mut self, of: &Span) -> String {
        let mut members = vec![
            ("traceId", self.hex(&of.trace_id)),
            ("spanId", self.hex(&of.span_id)),
            ("traceState", self.text(&of.trace_state)),
            ("parentSpanId", self.hex(&of.parent_span_id)),
            ("name", self.text(&of.name)),
            ("kind", of.kind.to_string()),
            ("startTimeUnixNano", self.long(of.start_time_unix_nano.into())),
            ("endTimeUnixNano", self.long(of.end_time_unix_nano.into())),
            ("attributes", self.array(&of.attributes, Self::key_value)),
            ("events", self.array(&of.events, Self::event)),
            ("droppedEventsCount", of.dropped_events_count.to_string()),
            ("links", self.array(&of.links, Self::link)),
            ("flags", of.flags.to_string()),
        ];
        if let Some(status) = &of.status {
            let status = vec![("message", self.text(&status.message)), ("code", status.code.to_string())];
            members.push(("status", self.object(status)));
        }
        self.object(members)
    }

    fn event(&mut self, of: &span::Event) -> String {
        let members = vec![
            ("timeUnixNano", self.long(of.time_unix_nano.into())),
            ("name", self.text(&of.name)),
            ("attributes", self.array(&of.attributes, Self::key_value)),
        ];
        self.object(members)
    }

    fn link(&mut self, of: &span::Link) -> String {
        let members = vec![("traceId", self.hex(&of.trace_id)), ("spanId", self.hex(&of.span_id))];
        self.object(members)
    }

    fn key_value(&mut self, of: &KeyValue) -> String {
        let mut members = vec![("key", self.text(&of.key)), ("keyStrindex", of.key_strindex.to_string())];
        if let Some(value) = &of.value {
            members.push(("value", self.value(value)));
        }
        self.object(members)
    }

    fn value(&mut self, of: &AnyValue) -> String {
        let member = match &of.value {
            None => return self.object(vec![]),
            Some(Value::StringValue(text)) => ("stringValue", self.text(text)),
            Some(Value::BoolValue(truth)) => ("boolValue", truth.to_string()),
            Some(Value::IntValue(number)) => ("intValue", self.long((*number).into())),
            Some(Value::DoubleValue(number)) => ("doubleValue", self.double(*number)),
            Some(Value::ArrayValue(array)) => {
                let members = vec![("values", self.array(&array.values, Self::value))];
                ("arrayValue", self.object(members))
            }
            Some(Value::KvlistValue(list)) => {
                let members = vec![("values", self.array(&list.values, Self::key_value))];
                ("kvlistValue", self.object(members))
            }
            // What the bytes are does not reach a batch, that they are bytes does.
            Some(Value::BytesValue(_)) => ("bytesValue", "\"AAEC\"".into()),
            Some(Value::StringValueStrindex(index)) => ("stringValueStrindex", index.to_string()),
        };
        self.object(vec![member])
    }
}
