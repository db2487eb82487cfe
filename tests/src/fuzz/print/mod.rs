//! Requests as JSON, the way clients may write it: members in any order, 64-bit integers as numbers or texts,
//! ids in either case, nulls and unknown members between.

mod metrics;
mod traces;

use std::fmt::Write;

use bailiwick_collector::observation::Signal;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use super::dice::Dice;

/// A request as OTLP/JSON.
///
/// # Panics
/// If the bytes are no request.
#[must_use]
pub fn json(signal: Signal, protobuf: &[u8], seed: u64) -> Vec<u8> {
    let mut printer = Printer(Dice::new(seed));
    let member = match signal {
        Signal::Traces => {
            let sent = ExportTraceServiceRequest::decode(protobuf).expect("a sound request");
            ("resourceSpans", printer.array(&sent.resource_spans, Printer::resource_spans))
        }
        Signal::Metrics => {
            let sent = ExportMetricsServiceRequest::decode(protobuf).expect("a sound request");
            ("resourceMetrics", printer.array(&sent.resource_metrics, Printer::resource_metrics))
        }
    };
    printer.object(vec![member]).into_bytes()
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

    fn resource(&mut self, of: &Resource) -> String {
        let members = vec![
            ("attributes", self.array(&of.attributes, Self::key_value)),
            ("droppedAttributesCount", of.dropped_attributes_count.to_string()),
        ];
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
