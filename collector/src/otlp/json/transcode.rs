//! The second pass: protobuf straight from the text, in the order and with the lengths that prost would write.
//!
//! Lengths stand before contents in protobuf, so a byte is left for each and widened afterwards; members that come in
//! another order than the table's are put in order when their message ends. A body must be the one that was
//! scanned: the grammar of what is skipped is not checked again.

use std::borrow::Cow;

use super::cursor::{Cursor, says, unescaped};
use super::error::JsonError;
use super::scalar::{base64, hex, integer};
use super::scan::{Kind, Scan};
use super::schema::{FIELDS_MAX, Field, Label, METRICS_REQUEST, Message, Shape, TRACES_REQUEST};

/// The request as protobuf: the same bytes as prost writes for the same values.
///
/// # Errors
/// [`JsonError::TooManyItems`] before anything is built; [`JsonError::Value`] with the path of what is not OTLP/JSON.
pub fn to_protobuf(body: &[u8], kind: Kind, scan: &Scan) -> Result<Vec<u8>, JsonError> {
    if scan.items > scan.items_max {
        return Err(JsonError::TooManyItems { max: scan.items_max });
    }
    let mut transcoder =
        Transcoder { cursor: Cursor::new(body), out: Vec::with_capacity(body.len() / 2), spare: vec![] };
    transcoder.message(match kind {
        Kind::Traces => &TRACES_REQUEST,
        Kind::Metrics => &METRICS_REQUEST,
    })?;
    transcoder.cursor.end()?;
    Ok(transcoder.out)
}

struct Transcoder<'a> {
    cursor: Cursor<'a>,
    out: Vec<u8>,
    /// Where members are put in order.
    spare: Vec<u8>,
}

impl<'a> Transcoder<'a> {
    /// Writes the content of a message. Recursion is bounded by the depth that the pre-scan allowed.
    fn message(&mut self, message: &'static Message) -> Result<(), JsonError> {
        self.cursor.skip_space();
        if !self.cursor.take(b'{') {
            return Err(JsonError::value("expected an object"));
        }
        let mut members = Members::at(self.out.len());
        self.cursor.skip_space();
        while !self.cursor.take(b'}') {
            let key = self.cursor.string()?;
            self.cursor.expect(b':', "expected a colon")?;
            self.cursor.skip_space();
            let known = message.fields.iter().enumerate().find(|(_, field)| says(key, field.name.as_bytes()));
            match known {
                None => self.cursor.skip_value()?,
                Some(_) if self.cursor.take_null() => {}
                Some((index, field)) => {
                    let written = members.begin(index, message, self.out.len()).and_then(|()| self.member(field));
                    written.map_err(|error| error.in_member(field.name))?;
                }
            }
            self.comma();
        }
        members.put_in_order(&mut self.out, &mut self.spare);
        Ok(())
    }

    /// Takes what separates members and elements; the pre-scan saw to it that it is right.
    fn comma(&mut self) {
        self.cursor.skip_space();
        if self.cursor.take(b',') {
            self.cursor.skip_space();
        }
    }

    fn member(&mut self, field: &'static Field) -> Result<(), JsonError> {
        match (field.label, field.shape) {
            (Label::Repeated, Shape::Message(_) | Shape::Text) => self.elements(|transcoder| transcoder.single(field)),
            (Label::Repeated, _) => self.packed(field),
            _ => self.single(field),
        }
    }

    fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), JsonError>) -> Result<(), JsonError> {
        if !self.cursor.take(b'[') {
            return Err(JsonError::value("expected an array"));
        }
        self.cursor.skip_space();
        let mut index = 0;
        while !self.cursor.take(b']') {
            element(self).map_err(|error| error.in_element(index))?;
            self.comma();
            index += 1;
        }
        Ok(())
    }

    /// Writes numbers as one run; none are no field.
    fn packed(&mut self, field: &'static Field) -> Result<(), JsonError> {
        let start = self.out.len();
        put_varint(&mut self.out, u64::from(field.number << 3 | LENGTH));
        let content = self.begin_length();
        self.elements(|transcoder| transcoder.scalar(field.shape).map(drop))?;
        if self.out.len() == content {
            self.out.truncate(start);
        } else {
            self.end_length(content);
        }
        Ok(())
    }

    /// Writes one value with its tag, unless it is a zero that is not written.
    fn single(&mut self, field: &'static Field) -> Result<(), JsonError> {
        let start = self.out.len();
        let wire_type = wire_type(field.shape);
        put_varint(&mut self.out, u64::from(field.number << 3 | wire_type));
        let content = if wire_type == LENGTH { self.begin_length() } else { self.out.len() };
        let zero = match field.shape {
            Shape::Message(message) => {
                self.message(message)?;
                false
            }
            shape => self.scalar(shape)?,
        };
        if zero && field.label == Label::Plain {
            self.out.truncate(start);
        } else if wire_type == LENGTH {
            self.end_length(content);
        }
        Ok(())
    }

    /// Leaves a byte for a length; where its content starts.
    fn begin_length(&mut self) -> usize {
        self.out.push(0);
        self.out.len()
    }

    /// Writes the length of what stands from `content` on, moving it where one byte is too few.
    fn end_length(&mut self, content: usize) {
        let length = self.out.len() - content;
        let mut varint = [0; 10];
        let bytes = varint_bytes(length as u64, &mut varint);
        let wider = bytes.len() - 1;
        if wider > 0 {
            self.out.resize(content + length + wider, 0);
            self.out.copy_within(content..content + length, content + wider);
        }
        self.out[content - 1..content + wider].copy_from_slice(bytes);
    }

    /// Writes a value without tag and length; whether it is zero.
    fn scalar(&mut self, shape: Shape) -> Result<bool, JsonError> {
        match shape {
            Shape::Text => {
                let text = self.text()?;
                self.out.extend_from_slice(&text);
                Ok(text.is_empty())
            }
            Shape::Id => {
                let text = self.text()?;
                hex(&text, &mut self.out).ok_or(JsonError::value("expected an even number of hex digits"))?;
                Ok(text.is_empty())
            }
            Shape::Bytes => {
                let text = self.text()?;
                base64(&text, &mut self.out).ok_or(JsonError::value("expected base64"))?;
                Ok(text.is_empty())
            }
            Shape::Bool => {
                let value = self.cursor.take_bool().ok_or(JsonError::value("expected true or false"))?;
                self.out.push(u8::from(value));
                Ok(!value)
            }
            Shape::Double => self.double(),
            Shape::Message(_) => Err(JsonError::value("expected a number or string")),
            _ => self.whole(shape),
        }
    }

    fn text(&mut self) -> Result<Cow<'a, [u8]>, JsonError> {
        if self.cursor.peek() == Some(b'"') {
            return self.cursor.string().map(unescaped);
        }
        Err(JsonError::value("expected a string"))
    }

    /// The text of a number, bare or quoted.
    fn number(&mut self) -> Result<Cow<'a, [u8]>, JsonError> {
        match self.cursor.peek() {
            Some(b'-' | b'0'..=b'9') => self.cursor.number().map(Cow::Borrowed),
            Some(b'"') => self.text(),
            _ => Err(JsonError::value("expected a number")),
        }
    }

    fn double(&mut self) -> Result<bool, JsonError> {
        let text = self.number()?;
        let value = match &*text {
            b"NaN" => f64::NAN,
            b"Infinity" => f64::INFINITY,
            b"-Infinity" => f64::NEG_INFINITY,
            number if is_number(number) => std::str::from_utf8(number)
                .ok()
                .and_then(|number| number.parse::<f64>().ok())
                .filter(|value| value.is_finite())
                .ok_or(JsonError::value("a number beyond the range of a double"))?,
            _ => return Err(JsonError::value("expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"")),
        };
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(value == 0.0)
    }

    fn whole(&mut self, shape: Shape) -> Result<bool, JsonError> {
        if matches!(shape, Shape::Enum) && self.cursor.peek() == Some(b'"') {
            return Err(JsonError::value("expected the number of an enum value"));
        }
        let text = self.number()?;
        if !is_number(&text) {
            return Err(JsonError::value("expected a decimal integer"));
        }
        let value = integer(&text).ok_or(JsonError::value("expected an integer"))?;
        put_whole(&mut self.out, shape, value).ok_or(JsonError::value("an integer out of range"))?;
        Ok(value == 0)
    }
}

fn is_number(text: &[u8]) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.number().is_ok() && cursor.offset() == text.len()
}

/// The wire type of a length-delimited field.
const LENGTH: u32 = 2;

const fn wire_type(shape: Shape) -> u32 {
    match shape {
        Shape::Text | Shape::Id | Shape::Bytes | Shape::Message(_) => LENGTH,
        Shape::Fixed64 | Shape::Sfixed64 | Shape::Double => 1,
        Shape::Fixed32 => 5,
        Shape::Bool | Shape::Enum | Shape::Uint32 | Shape::Int32 | Shape::Sint32 | Shape::Int64 | Shape::Uint64 => 0,
    }
}

/// Appends an integer as its shape wants it. `None`: out of the shape's range.
fn put_whole(out: &mut Vec<u8>, shape: Shape, value: i128) -> Option<()> {
    match shape {
        Shape::Fixed64 => out.extend_from_slice(&u64::try_from(value).ok()?.to_le_bytes()),
        Shape::Sfixed64 => out.extend_from_slice(&i64::try_from(value).ok()?.to_le_bytes()),
        Shape::Fixed32 => out.extend_from_slice(&u32::try_from(value).ok()?.to_le_bytes()),
        Shape::Uint64 => put_varint(out, u64::try_from(value).ok()?),
        Shape::Uint32 => put_varint(out, u64::from(u32::try_from(value).ok()?)),
        Shape::Int64 => put_varint(out, i64::try_from(value).ok()?.cast_unsigned()),
        Shape::Sint32 => {
            let value = i32::try_from(value).ok()?;
            put_varint(out, u64::from((value << 1 ^ value >> 31).cast_unsigned()));
        }
        // Negative ones take ten bytes, as protobuf demands.
        _ => put_varint(out, i64::from(i32::try_from(value).ok()?).cast_unsigned()),
    }
    Some(())
}

fn put_varint(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(varint_bytes(value, &mut [0; 10]));
}

fn varint_bytes(mut value: u64, bytes: &mut [u8; 10]) -> &[u8] {
    let mut at = 0;
    while value >= 0x80 {
        bytes[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    bytes[at] = value as u8;
    &bytes[..=at]
}

/// Which members of one message were seen, and where each was written.
struct Members {
    start: usize,
    seen: u32,
    one_of_seen: bool,
    sorted: bool,
    count: usize,
    /// Place in the table, start of its bytes.
    written: [(usize, usize); FIELDS_MAX],
}

impl Members {
    const fn at(start: usize) -> Self {
        Self { start, seen: 0, one_of_seen: false, sorted: true, count: 0, written: [(0, 0); FIELDS_MAX] }
    }

    /// Books a member that is about to be written.
    fn begin(&mut self, index: usize, message: &Message, at: usize) -> Result<(), JsonError> {
        let field = &message.fields[index];
        if self.seen & 1 << index != 0 {
            return Err(JsonError::value("a member that occurs twice"));
        }
        if field.label == Label::OneOf && std::mem::replace(&mut self.one_of_seen, true) {
            return Err(JsonError::value("a second value where only one may stand"));
        }
        self.seen |= 1 << index;
        self.sorted &= self.count == 0 || self.written[self.count - 1].0 < index;
        self.written[self.count] = (index, at);
        self.count += 1;
        Ok(())
    }

    /// Puts the members of a finished message in the order of the table, as encoders do and the visitor likes.
    fn put_in_order(&mut self, out: &mut Vec<u8>, spare: &mut Vec<u8>) {
        if self.sorted {
            return;
        }
        spare.clear();
        spare.extend_from_slice(&out[self.start..]);
        let end = out.len();
        let mut spans = [(0, 0, 0); FIELDS_MAX];
        for (index, (place, from)) in self.written[..self.count].iter().enumerate() {
            let to = if index + 1 < self.count { self.written[index + 1].1 } else { end };
            spans[index] = (*place, from - self.start, to - self.start);
        }
        let spans = &mut spans[..self.count];
        spans.sort_unstable();
        out.truncate(self.start);
        for (_, from, to) in spans {
            out.extend_from_slice(&spare[*from..*to]);
        }
    }
}
