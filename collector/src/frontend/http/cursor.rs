//! Places in sorted lists: opaque to clients, stable while rows come and go, bound to the list that they came from.

use twox_hash::XxHash3_64;

use crate::frontend::format;

/// Most bytes of a cursor that is looked at: four names of 150 and 256 bytes, twice as hexadecimal digits.
const CURSOR_BYTES_MAX: usize = 4_096;

/// Version of the layout: rank, hash, then the names, each after its length.
const VERSION: u8 = 1;

/// The last row of a page: its sort rank and its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// Rank in the list's order, ascending.
    pub(crate) rank: u64,
    /// Names, which break ties.
    pub(crate) names: Vec<String>,
}

/// A number for a list: its path, filters and order. A cursor of another list is refused.
pub(crate) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut bytes = Vec::new();
    for part in parts {
        // The length before each part keeps ("ab", "") and ("a", "b") apart.
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    XxHash3_64::oneshot(&bytes)
}

/// The cursor's text.
pub(crate) fn encode(position: &Position, fingerprint: u64) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&position.rank.to_be_bytes());
    bytes.extend_from_slice(&fingerprint.to_be_bytes());
    for name in &position.names {
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&name.as_bytes()[..usize::from(length)]);
    }
    format::hex(&bytes)
}

/// Reads a cursor of this list; `None` for anything else.
pub(crate) fn decode(text: &str, fingerprint: u64) -> Option<Position> {
    if text.len() > CURSOR_BYTES_MAX {
        return None;
    }
    let bytes = from_hex(text)?;
    let (version, rest) = bytes.split_first()?;
    let (rank, rest) = rest.split_first_chunk::<8>()?;
    let (hash, mut rest) = rest.split_first_chunk::<8>()?;
    if *version != VERSION || u64::from_be_bytes(*hash) != fingerprint {
        return None;
    }
    let mut names = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let (name, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        names.push(std::str::from_utf8(name).ok()?.to_owned());
        rest = tail;
    }
    rest.is_empty().then(|| Position { rank: u64::from_be_bytes(*rank), names })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        Position {
            rank: 7,
            names: vec!["acme".into(), String::new(), "POST /r\u{e9}sum\u{e9}".into(), "server".into()],
        }
    }

    #[test]
    fn a_cursor_reads_back_in_its_own_list_only() {
        let list = fingerprint(["/v1/series", "name", "acme"]);
        let text = encode(&position(), list);
        assert_eq!(decode(&text, list), Some(position()));
        assert_eq!(decode(&text, fingerprint(["/v1/series", "name", "globex"])), None);
    }

    #[test]
    fn a_mangled_cursor_is_no_cursor() {
        let text = encode(&position(), 1);
        for bad in ["", "0", "zz", "\u{20ac}\u{20ac}", &text[2..], &text[..text.len() - 2], &"00".repeat(3_000)] {
            assert_eq!(decode(bad, 1), None, "{bad:.20}");
        }
    }

    #[test]
    fn parts_of_a_fingerprint_do_not_run_together() {
        assert_ne!(fingerprint(["ab", ""]), fingerprint(["a", "b"]));
    }
}
