//! Which bytes of a trace request nobody reads, so that damage there may go unseen (`ingest.md` 3).

use bailiwick_collector::observation::Rules;

use super::schema::{Form, Message};
use crate::reference;

/// Whether a byte may lie inside a value that the daemon skips unread. Where a byte is the border of two values, either
/// counts.
pub(super) fn covers(body: &[u8], offset: usize, rules: &Rules) -> bool {
    let request = Place { message: Message::TraceRequest, holder: Message::TraceRequest, content: body, base: 0 };
    request.is_skipped_at(offset, rules)
}

/// A message in the body.
struct Place<'a> {
    message: Message,
    /// The message that holds it.
    holder: Message,
    content: &'a [u8],
    base: usize,
}

impl Place<'_> {
    fn is_skipped_at(&self, offset: usize, rules: &Rules) -> bool {
        match (self.message, self.holder) {
            // Of an array only its first element is looked at, and in that only a string.
            (Message::Event | Message::EntityRef | Message::KeyValueList | Message::ArrayValue, _) => return true,
            (Message::KeyValue, Message::Link) => return true,
            _ => {}
        }
        let fields = fields(self.content);
        // Every key and value of a resource counts for its identity.
        let key = fields.iter().rev().find(|field| field.number == 1).map_or(&[][..], |field| field.content);
        let is_used = std::str::from_utf8(key).is_ok_and(|key| match self.holder {
            Message::Span => reference::is_used_of_spans(key, rules),
            Message::Scope => reference::is_used_of_scopes(key, rules),
            _ => true,
        });
        fields.iter().any(|field| {
            let base = self.base + field.start;
            let form = self.message.fields().iter().find(|(number, _)| *number == field.number).map(|(_, form)| *form);
            let Some(Form::Message(message)) = form else { return false };
            if !(base..=base + field.content.len()).contains(&offset) {
                return false;
            }
            let inner = Place { message, holder: self.message, content: field.content, base };
            (message == Message::AnyValue && !is_used) || inner.is_skipped_at(offset, rules)
        })
    }
}

struct Field<'a> {
    number: u32,
    start: usize,
    content: &'a [u8],
}

/// Length-delimited fields, as far as the content can be read.
fn fields(content: &[u8]) -> Vec<Field<'_>> {
    let mut fields = vec![];
    let mut rest = content;
    while !rest.is_empty() {
        let Ok(tag) = prost::encoding::decode_varint(&mut rest) else { break };
        let length = match tag & 7 {
            0 => {
                let Ok(_) = prost::encoding::decode_varint(&mut rest) else { break };
                continue;
            }
            1 => 8,
            5 => 4,
            2 => {
                let Ok(length) = prost::encoding::decode_varint(&mut rest) else { break };
                length
            }
            3 | 4 => continue,
            _ => break,
        };
        let start = content.len() - rest.len();
        let Some((value, after)) = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) else {
            break;
        };
        if tag & 7 == 2 {
            fields.push(Field { number: (tag >> 3) as u32, start, content: value });
        }
        rest = after;
    }
    fields
}
