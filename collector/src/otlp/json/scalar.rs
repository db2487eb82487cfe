//! The texts of JSON scalars as numbers and bytes. Pure; knows no cursor and no schema.

/// The integer that a JSON number states exactly, however it is spelled (`12`, `1.2e1`). `None`: not an integer, or
/// beyond 38 digits.
pub(super) fn integer(number: &[u8]) -> Option<i128> {
    let (negative, digits) = match number.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, number),
    };
    let end = digits.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(digits.len());
    let (mantissa, exponent) = digits.split_at(end);
    let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
        Some(point) => (&mantissa[..point], &mantissa[point + 1..]),
        None => (mantissa, &[][..]),
    };
    let mut value = whole
        .iter()
        .chain(fraction)
        .try_fold(0_i128, |value, digit| value.checked_mul(10)?.checked_add(i128::from(digit.wrapping_sub(b'0'))))?;
    let mut shift = exponent_of(exponent).checked_sub(i64::try_from(fraction.len()).ok()?)?;
    while value != 0 && shift != 0 {
        if shift > 0 {
            value = value.checked_mul(10)?;
            shift -= 1;
        } else if value % 10 == 0 {
            value /= 10;
            shift += 1;
        } else {
            return None;
        }
    }
    Some(if negative { -value } else { value })
}

/// The number after `e`; 0 without one. Saturates: beyond 18 digits every exponent is out of every range.
fn exponent_of(text: &[u8]) -> i64 {
    let (negative, digits) = match text.get(1..) {
        None | Some([]) => return 0,
        Some([b'-', digits @ ..]) => (true, digits),
        Some([b'+', digits @ ..] | digits) => (false, digits),
    };
    let value = digits.iter().fold(0_i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0'))).min(i64::MAX / 16)
    });
    if negative { -value } else { value }
}

/// Appends the bytes that hex digits of either case stand for. `None`: odd, or another character.
pub(super) fn hex(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    for [high, low] in pairs {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        out.push((digit(*high)? << 4 | digit(*low)?) as u8);
    }
    Some(())
}

/// Appends the bytes that base64 stands for: standard or URL alphabet, with or without padding, as proto3 JSON allows.
pub(super) fn base64(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let unpadded = match text {
        [rest @ .., b'=', b'='] | [rest @ .., b'='] if text.len().is_multiple_of(4) => rest,
        _ => text,
    };
    for group in unpadded.chunks(4) {
        let mut bits = 0_u32;
        for byte in group {
            bits = bits << 6 | sextet(*byte)?;
        }
        bits <<= 6 * (4 - group.len());
        let [_, bytes @ ..] = bits.to_be_bytes();
        let complete = group.len() * 6 / 8;
        if complete == 0 || bytes[complete..].iter().any(|spare| *spare != 0) {
            return None;
        }
        out.extend_from_slice(&bytes[..complete]);
    }
    Some(())
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}
