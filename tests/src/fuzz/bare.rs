//! A request without what the daemon skips: unknown fields, unread texts, values of attributes that nobody asks for.
//!
//! What the daemon accepts although prost refuses it must be sound once this is gone, and come to the same rows. It
//! reads what the daemon has to read and nothing else, so that its own failure is a finding too.

use bailiwick_collector::observation::{Rules, Signal};

use super::schema::{Form, Message};
use super::wire::{Field, Torn, Wire, fields, torn};
use crate::reference;

/// A request that holds only what is read.
#[derive(Debug)]
pub(super) struct Bare {
    pub(super) protobuf: Vec<u8>,
    /// Texts that are read and were no UTF-8; the bytes that were none are `?` now.
    pub(super) bad_texts: usize,
}

/// Strips a request.
///
/// # Errors
/// When bytes that the daemon has to read cannot be read.
pub(super) fn bare(body: &[u8], signal: Signal, rules: &Rules) -> Result<Bare, Torn> {
    let mut strip = Strip { rules, bad_texts: 0, of_resource: 0, of_scope: 0 };
    let request = Message::of_request(signal);
    let protobuf = strip.message(request, request, body)?;
    Ok(Bare { protobuf, bad_texts: strip.bad_texts })
}

struct Strip<'r> {
    rules: &'r Rules,
    bad_texts: usize,
    /// Attributes of the resource and of the scope that are being read: several messages may make one.
    of_resource: u32,
    of_scope: u32,
}

impl Strip<'_> {
    fn message(&mut self, message: Message, holder: Message, content: &[u8]) -> Result<Vec<u8>, Torn> {
        match message {
            Message::KeyValue => return self.pair(holder, content),
            Message::Metric => return self.metric(content),
            _ => {}
        }
        let max = self.rules.limits.attributes_max;
        let is_item = !matches!(message, Message::Resource | Message::Scope | Message::Link);
        match message {
            Message::ResourceSpans | Message::ResourceMetrics => self.of_resource = 0,
            Message::ScopeSpans | Message::ScopeMetrics => self.of_scope = 0,
            _ => {}
        }
        let mut attributes = match message {
            Message::Resource => self.of_resource,
            Message::Scope => self.of_scope,
            _ => 0,
        };
        let mut out = vec![];
        for field in fields(content) {
            let field = match field {
                // One attribute too many: of the item not even that one is read.
                Err(torn) if is_item && attributes == max && message.is_attribute(torn.number) => {
                    put(&mut out, torn.number, &[]);
                    break;
                }
                field => field?,
            };
            let Some(form) = known(message, &field)? else { continue };
            let inner = match form {
                Form::Message(inner) => inner,
                _ => {
                    self.scalar((message, form), &field, &mut out)?;
                    continue;
                }
            };
            let Wire::Bytes(value) = field.value else { continue };
            attributes += u32::from(message.is_attribute(field.number));
            let content = match is_unread(message, inner) || attributes > max {
                true => vec![],
                false => self.message(inner, message, value)?,
            };
            put(&mut out, field.number, &content);
            if is_item && attributes > max {
                break;
            }
        }
        match message {
            Message::Resource => self.of_resource = attributes,
            Message::Scope => self.of_scope = attributes,
            _ => {}
        }
        Ok(out)
    }

    /// Numbers stay as they were written; texts that are read must be text, all others go.
    fn scalar(&mut self, (message, form): (Message, Form), field: &Field<'_>, out: &mut Vec<u8>) -> Result<(), Torn> {
        match (form, &field.value) {
            (Form::Text, Wire::Bytes(text)) => {
                let is_read = matches!((message, field.number), (Message::Span, 3 | 5) | (Message::Scope, 1));
                let text = if is_read { self.text(text) } else { vec![] };
                put(out, field.number, &text);
            }
            (Form::Fixed64s, Wire::Bytes(list)) if list.len() % 8 != 0 => return Err(torn("a list ends in a value")),
            (Form::Varints, Wire::Bytes(list)) => {
                let mut list = *list;
                while !list.is_empty() {
                    prost::encoding::decode_varint(&mut list).map_err(|_| torn("a list ends in a value"))?;
                }
                out.extend_from_slice(field.whole);
            }
            _ => out.extend_from_slice(field.whole),
        }
        Ok(())
    }

    fn text(&mut self, text: &[u8]) -> Vec<u8> {
        if std::str::from_utf8(text).is_ok() {
            return text.to_vec();
        }
        self.bad_texts += 1;
        let mut out = vec![];
        for chunk in text.utf8_chunks() {
            out.extend_from_slice(chunk.valid().as_bytes());
            out.extend(chunk.invalid().iter().take(1).map(|_| b'?'));
        }
        out
    }

    /// Key, the value if the key is asked for, and whether the key is an index.
    fn pair(&mut self, holder: Message, content: &[u8]) -> Result<Vec<u8>, Torn> {
        shallow(Message::KeyValue, content)?;
        let all = fields(content).collect::<Result<Vec<_>, _>>()?;
        let bytes = |number: u32| {
            all.iter().filter_map(move |field| match field.value {
                Wire::Bytes(value) if field.number == number => Some(value),
                _ => None,
            })
        };
        let key = bytes(1).next_back().unwrap_or_default();
        let is_used = std::str::from_utf8(key).is_ok_and(|key| match holder {
            Message::Span => reference::is_used_of_spans(key, self.rules),
            Message::Scope => reference::is_used_of_scopes(key, self.rules),
            _ => false,
        });
        // Every key and value of a resource counts for its identity, and of a point for that of its stream.
        let is_used = is_used || holder == Message::Resource || holder.is_point();
        let mut out = vec![];
        if is_used {
            let key = self.text(key);
            put(&mut out, 1, &key);
            let mut elements = 0;
            for value in bytes(2) {
                let value = self.any_value(value, &mut elements)?;
                put(&mut out, 2, &value);
            }
        }
        all.iter().filter(|field| field.number == 3).for_each(|field| out.extend_from_slice(field.whole));
        Ok(out)
    }

    /// A value as far as anybody looks into it: lists and maps by their lengths, of a list's first element its text.
    /// `elements` were read of a list that this value may go on with.
    fn any_value(&mut self, content: &[u8], elements: &mut usize) -> Result<Vec<u8>, Torn> {
        let mut out = vec![];
        for field in fields(content) {
            let field = field?;
            let Some(_) = known(Message::AnyValue, &field)? else { continue };
            if field.number != 5 {
                *elements = 0;
            }
            match (field.number, &field.value) {
                (1, Wire::Bytes(text)) => {
                    let text = self.text(text);
                    put(&mut out, 1, &text);
                }
                (5, Wire::Bytes(list)) => {
                    let list = self.list(list, elements)?;
                    put(&mut out, 5, &list);
                }
                (6 | 7, _) => put(&mut out, field.number, &[]),
                _ => out.extend_from_slice(field.whole),
            }
        }
        Ok(out)
    }

    fn list(&mut self, content: &[u8], elements: &mut usize) -> Result<Vec<u8>, Torn> {
        let mut out = vec![];
        for field in fields(content) {
            let field = field?;
            let (Some(_), Wire::Bytes(element)) = (known(Message::ArrayValue, &field)?, &field.value) else { continue };
            let element = if *elements == 0 { self.first_element(element)? } else { vec![] };
            put(&mut out, 1, &element);
            *elements += 1;
        }
        Ok(out)
    }

    fn first_element(&mut self, content: &[u8]) -> Result<Vec<u8>, Torn> {
        let mut out = vec![];
        for field in fields(content) {
            let field = field?;
            match (field.number, &field.value) {
                (1, Wire::Bytes(text)) => {
                    let text = self.text(text);
                    put(&mut out, 1, &text);
                }
                // Whatever else it is, it is no text.
                (1..=8, _) => put(&mut out, 7, &[]),
                _ => {}
            }
        }
        Ok(out)
    }

    /// Of several kinds of data the last counts.
    fn metric(&mut self, content: &[u8]) -> Result<Vec<u8>, Torn> {
        let (mut kind, mut out, mut metric) = (0, vec![], vec![]);
        for field in fields(content) {
            let field = field?;
            let known = known(Message::Metric, &field)?;
            if let (Some(Form::Text), Wire::Bytes(text)) = (known, &field.value) {
                let text = if matches!(field.number, 1 | 3) { self.text(text) } else { vec![] };
                put(&mut metric, field.number, &text);
            }
            let (Some(Form::Message(data)), Wire::Bytes(value)) = (known, field.value) else { continue };
            if data == Message::KeyValue {
                continue;
            }
            shallow(data, value)?;
            if kind != field.number {
                kind = field.number;
                out.clear();
            }
            out.push((data, value));
        }
        for (data, value) in out {
            let content = self.message(data, Message::Metric, value)?;
            put(&mut metric, kind, &content);
        }
        Ok(metric)
    }
}

/// The form of a field that the message knows.
fn known(message: Message, field: &Field<'_>) -> Result<Option<Form>, Torn> {
    match message.form(field.number) {
        Some(form) if !form.takes(field.wire_type()) => Err(torn("a known field of another wire type")),
        form => Ok(form),
    }
}

/// Checks the fields of a message, and nothing inside them.
fn shallow(message: Message, content: &[u8]) -> Result<(), Torn> {
    fields(content).try_for_each(|field| known(message, &field?).map(drop))
}

/// Whether nobody looks into a message, wherever its items are used.
fn is_unread(holder: Message, message: Message) -> bool {
    match holder {
        Message::Span | Message::Resource | Message::Scope => matches!(message, Message::Event | Message::EntityRef),
        Message::TraceRequest | Message::ResourceSpans | Message::ScopeSpans => false,
        Message::MetricsRequest | Message::ResourceMetrics | Message::ScopeMetrics => false,
        _ if holder.is_point() => matches!(message, Message::Exemplar | Message::Quantile),
        // Links are kept by their ids.
        _ => matches!(message, Message::KeyValue | Message::Exemplar | Message::Quantile),
    }
}

fn put(out: &mut Vec<u8>, number: u32, content: &[u8]) {
    prost::encoding::encode_varint(u64::from(number << 3 | 2), out);
    prost::encoding::encode_varint(content.len() as u64, out);
    out.extend_from_slice(content);
}
