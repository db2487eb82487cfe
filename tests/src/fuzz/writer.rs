//! Protobuf as no encoder writes it and every decoder must read it: long varints, unknown fields, groups.

use super::dice::Dice;

/// Appends a varint, now and then longer than needed (at most ten bytes).
pub(super) fn put_varint(out: &mut Vec<u8>, dice: &mut Dice, value: u64) {
    let start = out.len();
    prost::encoding::encode_varint(value, out);
    if dice.once_in(40) {
        let room = 10 - (out.len() - start);
        if room > 0 {
            let more = 1 + dice.below(room);
            *out.last_mut().expect("a varint has a byte") |= 0x80;
            out.extend(std::iter::repeat_n(0x80, more - 1));
            out.push(0);
        }
    }
}

pub(super) fn put_tag(out: &mut Vec<u8>, dice: &mut Dice, field: u32, wire_type: u32) {
    put_varint(out, dice, u64::from(field << 3 | wire_type));
}

pub(super) fn put_bytes(out: &mut Vec<u8>, dice: &mut Dice, field: u32, content: &[u8]) {
    put_tag(out, dice, field, 2);
    put_varint(out, dice, content.len() as u64);
    out.extend_from_slice(content);
}

/// Appends a field that no message knows; groups nest up to `levels`.
pub(super) fn put_unknown(out: &mut Vec<u8>, dice: &mut Dice, levels: usize) {
    let field = *dice.one_of(&[17, 18, 19, 100, 1_000, (1 << 29) - 1]);
    match dice.below(if levels == 0 { 4 } else { 5 }) {
        0 => {
            put_tag(out, dice, field, 0);
            let value = dice.bits() >> dice.below(64);
            put_varint(out, dice, value);
        }
        1 => {
            put_tag(out, dice, field, 1);
            out.extend(dice.bits().to_le_bytes());
        }
        2 => {
            put_tag(out, dice, field, 5);
            out.extend((dice.bits() as u32).to_le_bytes());
        }
        3 => {
            let length = dice.below(20);
            let content: Vec<u8> = (0..length).map(|_| dice.bits() as u8).collect();
            put_bytes(out, dice, field, &content);
        }
        _ => {
            put_tag(out, dice, field, 3);
            for _ in 0..dice.below(3) {
                put_unknown(out, dice, levels - 1);
            }
            put_tag(out, dice, field, 4);
        }
    }
}

/// Appends groups inside groups: up to and around the 100 levels that prost allows where nothing else nests.
pub(super) fn put_deep_group(out: &mut Vec<u8>, dice: &mut Dice) {
    let levels = *dice.one_of(&[15, 16, 17, 60, 98, 99, 100, 101]);
    for wire_type in [3, 4] {
        for _ in 0..levels {
            put_tag(out, dice, 1_000, wire_type);
        }
    }
}
