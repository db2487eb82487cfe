//! Requests from a seed: written field by field after the schema, in orders and repetitions that encoders never use
//! and protobuf allows.

use bailiwick_collector::observation::Signal;

use super::dice::Dice;
use super::histograms;
use super::schema::{Form, Message};
use super::values;
use super::writer::{put_bytes, put_deep_group, put_tag, put_unknown, put_varint};

/// A request; one in eight has texts that are no UTF-8, and some nest deeper than prost goes.
#[must_use]
pub fn request(signal: Signal, seed: u64) -> Vec<u8> {
    generate(signal, Generator::new(seed, false))
}

/// A request that every protobuf decoder accepts.
#[must_use]
pub fn sound_request(signal: Signal, seed: u64) -> Vec<u8> {
    generate(signal, Generator::new(seed, true))
}

fn generate(signal: Signal, mut generator: Generator) -> Vec<u8> {
    generator.message(Message::of_request(signal), 0)
}

struct Generator {
    dice: Dice,
    /// Whether fields stay in order and nothing unknown stands between them, as from an encoder.
    tidy: bool,
    /// Whether prost accepts it.
    sound: bool,
    /// Whether some texts are none: what prost refuses as a whole.
    bad_texts: bool,
    /// Whether what is written is inside of a data point.
    of_points: bool,
    /// Whether scopes hold hundreds of small spans with names of their own.
    crowded: bool,
}

/// Deepest nesting of messages: prost stops at 100, values are kept far below.
const LEVELS_MAX: usize = 24;

impl Generator {
    fn new(seed: u64, sound: bool) -> Self {
        let mut dice = Dice::new(seed);
        let (tidy, bad_texts, crowded) = (dice.once_in(4), !sound && dice.once_in(8), dice.once_in(60));
        Self { dice, tidy, sound, bad_texts, of_points: false, crowded }
    }

    fn message(&mut self, message: Message, level: usize) -> Vec<u8> {
        if message == Message::KeyValue && self.dice.once_in(2) {
            return self.fitting_pair(level);
        }
        let (fitted, mut fields) = histograms::fitting(&mut self.dice, message).unwrap_or_default();
        if message.is_point() {
            self.of_points = true;
        }
        for (number, form) in message.fields().iter().filter(|(number, _)| !fitted.contains(number)) {
            for _ in 0..self.times(message, *number) {
                fields.push(self.field(message, (*number, *form), level));
            }
        }
        if message.is_point() {
            self.of_points = false;
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

    /// A key with a value that means something for it: as text, as the number that it says, or in a list of one.
    fn fitting_pair(&mut self, level: usize) -> Vec<u8> {
        let key = match self.of_points && self.dice.once_in(2) {
            true => values::key_of_points(&mut self.dice),
            false => values::text(&mut self.dice, Message::KeyValue, 1),
        };
        let mut value = vec![];
        match values::fitting(&mut self.dice, &key) {
            None => value = self.message(Message::AnyValue, level + 1),
            Some(text) => match text.parse::<u32>() {
                Ok(number) if self.dice.once_in(3) => {
                    put_tag(&mut value, &mut self.dice, 3, 0);
                    put_varint(&mut value, &mut self.dice, number.into());
                }
                _ => put_bytes(&mut value, &mut self.dice, 1, text.as_bytes()),
            },
        }
        if self.dice.once_in(8) {
            let mut list = vec![];
            put_bytes(&mut list, &mut self.dice, 1, &value);
            value.clear();
            put_bytes(&mut value, &mut self.dice, 5, &list);
        }
        let mut fields = vec![vec![], vec![]];
        put_bytes(&mut fields[0], &mut self.dice, 1, &key);
        put_bytes(&mut fields[1], &mut self.dice, 2, &value);
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
            if !self.sound && self.dice.once_in(20) {
                put_deep_group(&mut unknown, &mut self.dice);
            } else {
                put_unknown(&mut unknown, &mut self.dice, 3);
            }
            let at = self.dice.below(fields.len() + 1);
            fields.insert(at, unknown);
        }
    }

    /// How often a field is written.
    fn times(&mut self, message: Message, number: u32) -> usize {
        let dice = &mut self.dice;
        let rarely = |dice: &mut Dice, n| usize::from(dice.once_in(n));
        match (message, number) {
            (Message::ScopeSpans, 2) if self.crowded => dice.below(500),
            (Message::Span, 3 | 10..=15) if self.crowded => 0,
            (Message::Span, 9) if self.crowded => dice.below(2),
            (Message::Span, 9) if dice.once_in(300) => 1_000 + dice.below(100),
            (Message::TraceRequest | Message::MetricsRequest, _) => dice.below(3),
            (Message::ResourceSpans | Message::ScopeSpans | Message::ResourceMetrics | Message::ScopeMetrics, 2) => {
                dice.below(4)
            }
            (Message::Span, 9) => dice.below(7),
            (Message::Span, 1 | 2 | 7 | 8) | (Message::KeyValue, 1 | 2) if !dice.once_in(30) => 1,
            (Message::Metric, 1) => 1 + rarely(dice, 20) - rarely(dice, 20),
            (Message::NumberPoint, 7) | (Message::HistogramPoint, 9) | (Message::ExponentialPoint, 1) => dice.below(5),
            (Message::Span, 4..=6) => 1 - rarely(dice, 3) + rarely(dice, 20),
            (Message::Span, 16) => rarely(dice, 2) + rarely(dice, 20),
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
                let mut text = match (message, number) {
                    (Message::Span, 5) if self.crowded => values::one_of_many_names(&mut self.dice),
                    _ => values::text(&mut self.dice, message, number),
                };
                if self.bad_texts && self.dice.once_in(12) {
                    values::spoil(&mut self.dice, &mut text);
                }
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

    /// A list in one run, as single fields, or in both ways. Bounds rise, mostly.
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
        let singles = match self.dice.below(3) {
            0 => values.len(),
            1 => self.dice.below(values.len() + 1),
            _ => 0,
        };
        let wire_type = if form == Form::Varints { 0 } else { 1 };
        for value in &values[..singles] {
            put_tag(out, &mut self.dice, number, wire_type);
            self.put_value(out, form, *value);
        }
        if singles < values.len() || self.dice.once_in(8) {
            let mut run = vec![];
            for value in &values[singles..] {
                self.put_value(&mut run, form, *value);
            }
            put_bytes(out, &mut self.dice, number, &run);
        }
    }

    fn put_value(&mut self, out: &mut Vec<u8>, form: Form, value: u64) {
        if form == Form::Varints {
            put_varint(out, &mut self.dice, value);
        } else {
            out.extend(value.to_le_bytes());
        }
    }
}
