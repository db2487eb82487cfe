//! The same request in other bytes: fields in another order, messages in pieces, lists apart, varints long, unknown
//! fields between. What it means stays the same, so that prost and the reference say what must come out.

use bailiwick_collector::observation::Signal;

use super::dice::Dice;
use super::mutate::mutate;
use super::schema::{Form, Message};
use super::wire::{Field, Torn, Wire, fields};
use super::writer::{put_bytes, put_tag, put_unknown};

/// Writes a request anew. Bytes that are no request, and parts that are no message, stay as they are.
#[must_use]
pub fn rearrange(body: &[u8], signal: Signal, dice: &mut Dice) -> Vec<u8> {
    message(Message::of_request(signal), body, dice).unwrap_or_else(|_| body.to_vec())
}

/// Damages one message somewhere inside a request; the lengths around it are right again.
#[must_use]
pub fn damage_inside(body: &[u8], signal: Signal, other: &[u8], dice: &mut Dice) -> Vec<u8> {
    damaged(Message::of_request(signal), body, other, dice)
}

fn damaged(of: Message, content: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let all: Vec<Field<'_>> = fields(content).map_while(Result::ok).collect();
    let is_message = |field: &Field<'_>| matches!(of.form(field.number), Some(Form::Message(_)));
    let inner: Vec<usize> = (0..all.len()).filter(|at| is_message(&all[*at])).collect();
    if inner.is_empty() || dice.once_in(6) {
        let mut content = content.to_vec();
        mutate(&mut content, other, dice);
        return content;
    }
    let chosen = *dice.one_of(&inner);
    let mut out = vec![];
    for (at, field) in all.iter().enumerate() {
        match (of.form(field.number), field.value) {
            (Some(Form::Message(inner)), Wire::Bytes(content)) if at == chosen => {
                let content = damaged(inner, content, other, dice);
                put_bytes(&mut out, dice, field.number, &content);
            }
            _ => out.extend_from_slice(field.whole),
        }
    }
    out
}

/// A field as it will be written, and what it must keep its place among.
struct Piece {
    class: u32,
    bytes: Vec<u8>,
}

fn message(of: Message, content: &[u8], dice: &mut Dice) -> Result<Vec<u8>, Torn> {
    let mut pieces = vec![];
    for field in fields(content) {
        let field = field?;
        match of.form(field.number) {
            Some(form) if form.takes(field.wire_type()) => known(of, form, &field, dice, &mut pieces),
            _ => pieces.push(Piece { class: 0, bytes: field.whole.to_vec() }),
        }
    }
    if dice.once_in(3) {
        shuffle(&mut pieces, dice);
    }
    if dice.once_in(10) {
        let mut bytes = vec![];
        put_unknown(&mut bytes, dice, 4);
        let at = dice.below(pieces.len() + 1);
        pieces.insert(at, Piece { class: 0, bytes });
    }
    Ok(pieces.into_iter().flat_map(|piece| piece.bytes).collect())
}

fn known(of: Message, form: Form, field: &Field<'_>, dice: &mut Dice, pieces: &mut Vec<Piece>) {
    let class = class(of, field.number);
    let parts = match (form, field.value) {
        (Form::Message(inner), Wire::Bytes(content)) => {
            let content = message(inner, content, dice).unwrap_or_else(|_| content.to_vec());
            let whole =
                if is_single(of, field.number) && dice.once_in(4) { in_two(&content, dice) } else { vec![content] };
            whole.into_iter().map(|content| bytes(field.number, &content, dice)).collect()
        }
        (Form::Fixed64s, Wire::Bytes(list)) if dice.once_in(2) => list
            .chunks(8)
            .map(|value| {
                let mut out = vec![];
                put_tag(&mut out, dice, field.number, 1);
                out.extend_from_slice(value);
                if dice.once_in(3) { bytes(field.number, value, dice) } else { out }
            })
            .collect(),
        (_, Wire::Bytes(content)) => vec![bytes(field.number, content, dice)],
        _ => vec![field.whole.to_vec()],
    };
    pieces.extend(parts.into_iter().map(|bytes| Piece { class, bytes }));
}

fn bytes(number: u32, content: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut out = vec![];
    put_bytes(&mut out, dice, number, content);
    out
}

/// Fields of one class keep their order: repeated ones, and those of which the last wins.
fn class(of: Message, number: u32) -> u32 {
    match (of, number) {
        (Message::AnyValue, _) | (Message::NumberPoint | Message::Exemplar, 3 | 4 | 6) => 1,
        (Message::Metric, 5..=11) => 5,
        _ => number,
    }
}

/// Whether two messages in this field are one in two pieces.
const fn is_single(of: Message, number: u32) -> bool {
    matches!(
        (of, number),
        (Message::ResourceSpans | Message::ScopeSpans | Message::ResourceMetrics | Message::ScopeMetrics, 1)
            | (Message::Span, 15)
            | (Message::KeyValue, 2)
            | (Message::AnyValue, 5 | 6)
            | (Message::Metric, 5..=11)
            | (Message::ExponentialPoint, 8 | 9)
    )
}

/// The fields of a message in two runs.
fn in_two(content: &[u8], dice: &mut Dice) -> Vec<Vec<u8>> {
    let ends: Vec<usize> = fields(content)
        .scan(0, |end, field| {
            *end += field.ok()?.whole.len();
            Some(*end)
        })
        .collect();
    let at = if ends.is_empty() || dice.once_in(4) { 0 } else { ends[dice.below(ends.len())] };
    let (head, tail) = content.split_at(at);
    vec![head.to_vec(), tail.to_vec()]
}

/// Any order that keeps each class in its own.
fn shuffle(pieces: &mut Vec<Piece>, dice: &mut Dice) {
    let mut classes: Vec<u32> = pieces.iter().map(|piece| piece.class).collect();
    dice.shuffle(&mut classes);
    let mut left = std::mem::take(pieces);
    for class in classes {
        let next = left.iter().position(|piece| piece.class == class).expect("as many pieces as classes");
        pieces.push(left.remove(next));
    }
}
