//! Requests from a seed: written field by field after the schema, in orders and repetitions that encoders never use
//! and protobuf allows.

use super::dice::Dice;
use super::schema::{Form, Message};
use super::values;
use super::writer::{put_bytes, put_tag, put_unknown, put_varint};

/// An `ExportTraceServiceRequest` that every protobuf decoder accepts.
#[must_use]
pub fn traces(seed: u64) -> Vec<u8> {
    Generator::new(seed).message(Message::TraceRequest, 0)
}

/// An `ExportMetricsServiceRequest` that every protobuf decoder accepts.
#[must_use]
pub fn metrics(seed: u64) -> Vec<u8> {
    Generator::new(seed).message(Message::MetricsRequest, 0)
}

struct Generator {
    dice: Dice,
    /// Whether fields stay in order and nothing unknown stands between them, as from an encoder.
    tidy: bool,
}

/// Deepest nesting of messages: prost stops at 100, values are kept far below.
const LEVELS_MAX: usize = 24;

impl Generator {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let tidy = dice.once_in(4);
        Self { dice, tidy }
    }

    fn message(&mut self, message: Message, level: usize) -> Vec<u8> {
        let mut fields: Vec<Vec<u8>> = vec![];
        for (number, form) in message.fields() {
            for _ in 0..self.times(message, *number) {
                fields.push(self.field(message, (*number, *form), level));
            }
        }
        if message == Message::AnyValue && fields.len() > 1 && !self.dice.once_in(8) {
            let kept = self.dice.below(fields.len());
            fields = vec![fields.swap_remove(kept)];
        }
        if !self.tidy {
            self.untidy(&mut fields);
        }
        fields.concat()
    }

    fn untidy(&mut self, fields: &mut Vec<Vec<u8>>) {
        if self.dice.once_in(4) {
            self.dice.shuffle(fields);
        }
        if self.dice.once_in(12) {
            let mut unknown = vec![];
            put_unknown(&mut unknown, &mut self.dice, 3);
            let at = self.dice.below(fields.len() + 1);
            fields.insert(at, unknown);
        }
    }

    /// How often a field is written.
    fn times(&mut self, message: Message, number: u32) -> usize {
        let dice = &mut self.dice;
        let rarely = |dice: &mut Dice, n| usize::from(dice.once_in(n));
        match (message, number) {
            (Message::TraceRequest | Message::MetricsRequest, _) => dice.below(3),
            (Message::ResourceSpans | Message::ScopeSpans | Message::ResourceMetrics | Message::ScopeMetrics, 2) => {
                dice.below(4)
            }
            (Message::Span, 9) => dice.below(7),
            (Message::Span, 1 | 2 | 7 | 8) | (Message::KeyValue, 1 | 2) if !dice.once_in(30) => 1,
            (Message::Span, 4..=6) => 1 - rarely(dice, 3),
            (Message::Span, 16) => rarely(dice, 2),
            (Message::Span, _) => rarely(dice, 5),
            (Message::KeyValue, 3) => rarely(dice, 30),
            (Message::AnyValue, 1) => 1 + rarely(dice, 30),
            (Message::AnyValue, 2..=4) => rarely(dice, 2),
            (Message::AnyValue, 5) => rarely(dice, 3),
            (Message::AnyValue, _) => rarely(dice, 15),
            (Message::Resource | Message::ArrayValue | Message::KeyValueList, 1) => dice.below(4),
            (Message::Metric, 5..=11) => rarely(dice, 4),
            (Message::Gauge | Message::Sum | Message::Histogram, 1) => dice.below(4),
            (Message::ExponentialHistogram | Message::Summary, 1) => dice.below(3),
            (_, 3) if matches!(message, Message::NumberPoint | Message::HistogramPoint) => 1,
            _ => rarely(dice, 2) + rarely(dice, 30),
        }
    }

    fn field(&mut self, message: Message, (number, form): (u32, Form), level: usize) -> Vec<u8> {
        let mut out = vec![];
        match form {
            Form::Message(_) if level >= LEVELS_MAX => {}
            Form::Message(inner) => {
                let content = self.message(inner, level + 1);
                put_bytes(&mut out, &mut self.dice, number, &content);
            }
            Form::Text => {
                let text = values::text(&mut self.dice, message, number);
                put_bytes(&mut out, &mut self.dice, number, &text);
            }
            Form::Bytes => {
                let bytes = values::bytes(&mut self.dice, message, number);
                put_bytes(&mut out, &mut self.dice, number, &bytes);
            }
            Form::Varint => {
                let value = values::varint(&mut self.dice, message, number);
                put_tag(&mut out, &mut self.dice, number, 0);
                put_varint(&mut out, &mut self.dice, value);
            }
            Form::Fixed32 => {
                let value = *self.dice.one_of(&[0_u32, 1, 0x100, 0x101, 0x300, 0x301, 0x200, u32::MAX]);
                put_tag(&mut out, &mut self.dice, number, 5);
                out.extend(value.to_le_bytes());
            }
            Form::Fixed64 => {
                let value = values::fixed64(&mut self.dice, message, number);
                put_tag(&mut out, &mut self.dice, number, 1);
                out.extend(value.to_le_bytes());
            }
            Form::Fixed64s | Form::Varints => self.list(&mut out, number, form),
        }
        out
    }

    /// A list in one run, or as single fields. Bounds rise, mostly.
    fn list(&mut self, out: &mut Vec<u8>, number: u32, form: Form) {
        let doubles = form == Form::Fixed64s && number == 7;
        let values: Vec<u64> = (1..=self.dice.below(4) as u64)
            .map(|place| match (doubles, self.dice.once_in(15)) {
                (true, true) => (-1.0_f64).to_bits(),
                (true, false) => (place as f64).to_bits(),
                (false, true) => u64::MAX,
                (false, false) => self.dice.below(3) as u64,
            })
            .collect();
        let packed = !self.dice.once_in(3);
        let mut run = vec![];
        for value in values {
            let out = if packed { &mut run } else { &mut *out };
            if !packed {
                put_tag(out, &mut self.dice, number, if form == Form::Varints { 0 } else { 1 });
            }
            if form == Form::Varints {
                put_varint(out, &mut self.dice, value);
            } else {
                out.extend(value.to_le_bytes());
            }
        }
        if packed {
            put_bytes(out, &mut self.dice, number, &run);
        }
    }
}
