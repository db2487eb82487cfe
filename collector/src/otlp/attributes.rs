//! Attributes on the wire: which keys are wanted, and a fixed place for the value of each.
//!
//! An attribute whose key *length* nobody wants is skipped in a few instructions (`speed.md` 2.4). Values are borrowed
//! from the body; strings are not yet known to be UTF-8.

use super::wire::{Reader, WireError, tag, wire_type};

/// Number of slots: a bit each in a `u128`.
pub const SLOTS_MAX: usize = 96;

/// A scalar value, borrowed from the body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Text, not yet checked to be UTF-8. Never empty in a slot.
    Text(&'a [u8]),
    /// Integer.
    Int(i64),
    /// Boolean.
    Bool(bool),
    /// Double.
    Double(f64),
}

/// Which keys are wanted and the slot of each.
#[derive(Debug, Clone, Default)]
pub struct KeyTable {
    /// Bit n: some key has n bytes (63: or more).
    lengths: u64,
    /// Keys sorted by length class; class n stands at `first[n]..first[n + 1]`.
    keys: Vec<Key>,
    first: Vec<u16>,
}

#[derive(Debug, Clone)]
struct Key {
    text: Box<[u8]>,
    slot: u8,
}

impl KeyTable {
    /// A table of keys with their slots (below [`SLOTS_MAX`]). Of a key given twice the first slot holds.
    #[must_use]
    pub fn new<'k>(keys: impl IntoIterator<Item = (&'k str, u8)>) -> Self {
        let mut table = Self::default();
        for (text, slot) in keys {
            debug_assert!(usize::from(slot) < SLOTS_MAX);
            if table.keys.iter().all(|key| *key.text != *text.as_bytes()) {
                table.lengths |= 1 << length_class(text.len());
                table.keys.push(Key { text: text.as_bytes().into(), slot });
            }
        }
        table.keys.sort_by_key(|key| length_class(key.text.len()));
        table.first = (0..=64)
            .map(|class| table.keys.partition_point(|key| length_class(key.text.len()) < class) as u16)
            .collect();
        table
    }

    /// The slot of a key, if it is wanted.
    #[inline]
    fn slot(&self, key: &[u8]) -> Option<u8> {
        let class = length_class(key.len());
        if self.lengths >> class & 1 == 0 {
            return None;
        }
        let range = usize::from(self.first[class])..usize::from(self.first[class + 1]);
        self.keys[range].iter().find(|wanted| *wanted.text == *key).map(|wanted| wanted.slot)
    }
}

#[inline]
fn length_class(length: usize) -> usize {
    length.min(63)
}

/// What was odd about attributes, as bits.
pub mod oddity {
    /// A wanted key's value had a shape that is not used.
    pub const SHAPE: u8 = 1;
    /// A wanted key occurred twice.
    pub const DUPLICATE: u8 = 2;
    /// A key or a wanted value was an index into a string table.
    pub const STRINDEX: u8 = 4;
}

/// The values of wanted keys of one item.
#[derive(Debug)]
pub struct Slots<'a> {
    /// Bit n: slot n holds a value.
    present: u128,
    seen: u128,
    oddities: u8,
    values: [Value<'a>; SLOTS_MAX],
}

impl Default for Slots<'_> {
    fn default() -> Self {
        Self { present: 0, seen: 0, oddities: 0, values: [Value::Bool(false); SLOTS_MAX] }
    }
}

impl<'a> Slots<'a> {
    /// Forgets all values.
    #[inline]
    pub fn clear(&mut self) {
        self.present = 0;
        self.seen = 0;
        self.oddities = 0;
    }

    /// Bits of [`oddity`].
    #[must_use]
    #[inline]
    pub fn oddities(&self) -> u8 {
        self.oddities
    }

    /// The value of a slot.
    #[must_use]
    #[inline]
    pub fn get(&self, slot: u8) -> Option<Value<'a>> {
        (self.present >> slot & 1 == 1).then(|| self.values[usize::from(slot)])
    }

    /// The lowest slot of `first..first + count` that holds a value: slots stand in order of precedence.
    #[must_use]
    #[inline]
    pub fn first_of(&self, first: u8, count: u8) -> Option<(u8, Value<'a>)> {
        let mask = (1_u128 << count) - 1;
        let group = self.present >> first & mask;
        (group != 0).then(|| {
            let place = group.trailing_zeros() as u8;
            (place, self.values[usize::from(first + place)])
        })
    }

    /// Reads one `KeyValue` and keeps its value if its key is wanted.
    ///
    /// # Errors
    /// When it is not protobuf.
    #[inline]
    pub fn read(&mut self, keys: &KeyTable, pair: &'a [u8], groups_max: usize) -> Result<(), WireError> {
        let Some((key, value)) = canonical_pair(pair) else { return self.read_any_order(keys, pair, groups_max) };
        let Some(slot) = keys.slot(key) else { return Ok(()) };
        match canonical_text(value) {
            Some(text) => {
                self.keep(slot, AnyValue::Text(text));
                Ok(())
            }
            None => {
                let mut any = AnyValue::Unset;
                any.merge(value, groups_max)?;
                self.keep(slot, any);
                Ok(())
            }
        }
    }

    #[inline(never)]
    fn read_any_order(&mut self, keys: &KeyTable, pair: &'a [u8], groups_max: usize) -> Result<(), WireError> {
        let pair = Pair::read(pair, groups_max)?;
        if pair.strindex {
            self.oddities |= oddity::STRINDEX;
        }
        if let Some(slot) = keys.slot(pair.key) {
            self.keep(slot, pair.value);
        }
        Ok(())
    }

    /// Keeps a parsed pair: for callers that read it for another purpose too.
    pub fn keep_pair(&mut self, keys: &KeyTable, pair: &Pair<'a>) {
        if pair.strindex {
            self.oddities |= oddity::STRINDEX;
        }
        if let Some(slot) = keys.slot(pair.key) {
            self.keep(slot, pair.value);
        }
    }

    #[inline]
    fn keep(&mut self, slot: u8, value: AnyValue<'a>) {
        let bit = 1_u128 << slot;
        if self.seen & bit != 0 {
            self.oddities |= oddity::DUPLICATE;
            return;
        }
        self.seen |= bit;
        let value = match value {
            AnyValue::Text(text) | AnyValue::Array { length: 1, text: Some(text) } => Value::Text(text),
            AnyValue::Int(value) => Value::Int(value),
            AnyValue::Bool(value) => Value::Bool(value),
            AnyValue::Double(value) => Value::Double(value),
            AnyValue::Strindex => {
                self.oddities |= oddity::STRINDEX;
                return;
            }
            AnyValue::Unset | AnyValue::Array { .. } | AnyValue::Other(_) => {
                self.oddities |= oddity::SHAPE;
                return;
            }
        };
        // An empty attribute value is absent.
        if !matches!(value, Value::Text([])) {
            self.values[usize::from(slot)] = value;
            self.present |= bit;
        }
    }
}

/// Key and value bytes of a `KeyValue` as every encoder writes it: key, then value, nothing else.
#[inline]
fn canonical_pair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let [0x0a, key_length, rest @ ..] = pair else { return None };
    if *key_length >= 0x80 {
        return None;
    }
    let (key, rest) = rest.split_at_checked(usize::from(*key_length))?;
    match rest {
        [0x12, length, value @ ..] if usize::from(*length) == value.len() && *length < 0x80 => Some((key, value)),
        [0x12, low, high, value @ ..]
            if *low >= 0x80 && *high < 0x80 && usize::from(low & 0x7f) | usize::from(*high) << 7 == value.len() =>
        {
            Some((key, value))
        }
        _ => None,
    }
}

/// The text of an `AnyValue` that holds one string and nothing else.
#[inline]
fn canonical_text(value: &[u8]) -> Option<&[u8]> {
    match value {
        [0x0a, length, text @ ..] if usize::from(*length) == text.len() && *length < 0x80 => Some(text),
        _ => None,
    }
}

/// An `AnyValue` as far as anybody looks into it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AnyValue<'a> {
    /// No variant is set.
    Unset,
    /// `string_value`.
    Text(&'a [u8]),
    /// `bool_value`.
    Bool(bool),
    /// `int_value`.
    Int(i64),
    /// `double_value`.
    Double(f64),
    /// `array_value`: its length, and its first element's text if that is a string.
    Array {
        /// Number of elements.
        length: u32,
        /// Text of the first element.
        text: Option<&'a [u8]>,
    },
    /// `kvlist_value` or `bytes_value`, by field number.
    Other(u8),
    /// `string_value_strindex`.
    Strindex,
}

const ANY_FIELDS: [u32; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

impl<'a> AnyValue<'a> {
    /// Merges the bytes of an `AnyValue` as prost does: of several variants the last wins, repeated arrays append.
    ///
    /// # Errors
    /// When they are not protobuf. Nested values are not looked into.
    pub fn merge(&mut self, bytes: &'a [u8], groups_max: usize) -> Result<(), WireError> {
        const TEXT: u32 = tag(1, wire_type::BYTES);
        const BOOL: u32 = tag(2, wire_type::VARINT);
        const INT: u32 = tag(3, wire_type::VARINT);
        const DOUBLE: u32 = tag(4, wire_type::FIXED64);
        const ARRAY: u32 = tag(5, wire_type::BYTES);
        const KVLIST: u32 = tag(6, wire_type::BYTES);
        const BYTES: u32 = tag(7, wire_type::BYTES);
        const STRINDEX: u32 = tag(8, wire_type::VARINT);
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            match tag {
                TEXT => *self = Self::Text(reader.bytes()?),
                BOOL => *self = Self::Bool(reader.varint()? != 0),
                INT => *self = Self::Int(reader.varint()?.cast_signed()),
                DOUBLE => *self = Self::Double(f64::from_bits(reader.fixed64()?)),
                ARRAY => self.merge_array(reader.bytes()?, groups_max)?,
                KVLIST => {
                    reader.bytes()?;
                    *self = Self::Other(6);
                }
                BYTES => {
                    reader.bytes()?;
                    *self = Self::Other(7);
                }
                STRINDEX => {
                    reader.varint()?;
                    *self = Self::Strindex;
                }
                _ => reader.skip_unknown(tag, &ANY_FIELDS, groups_max)?,
            }
        }
        Ok(())
    }

    fn merge_array(&mut self, bytes: &'a [u8], groups_max: usize) -> Result<(), WireError> {
        const VALUES: u32 = tag(1, wire_type::BYTES);
        let (mut length, mut text) = match *self {
            Self::Array { length, text } => (length, text),
            _ => (0, None),
        };
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            if tag != VALUES {
                reader.skip_unknown(tag, &[1], groups_max)?;
                continue;
            }
            let element = reader.bytes()?;
            if length == 0 {
                // One level only: an array inside an array is no text, whatever it holds.
                text = Self::element_text(element, groups_max)?;
            }
            length = length.saturating_add(1);
        }
        *self = Self::Array { length, text };
        Ok(())
    }

    fn element_text(bytes: &'a [u8], groups_max: usize) -> Result<Option<&'a [u8]>, WireError> {
        const TEXT: u32 = tag(1, wire_type::BYTES);
        let mut text = None;
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            if tag == TEXT {
                text = Some(reader.bytes()?);
                continue;
            }
            if ANY_FIELDS.contains(&(tag >> 3)) {
                // Another variant of the oneof: it replaces the text.
                text = None;
            }
            reader.skip(tag, groups_max)?;
        }
        Ok(text)
    }
}

/// A `KeyValue`, fields in any order, each any number of times.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// Its key, not yet known to be UTF-8.
    pub key: &'a [u8],
    /// Its value.
    pub value: AnyValue<'a>,
    /// Whether the key was an index into a string table.
    pub strindex: bool,
}

impl<'a> Pair<'a> {
    /// Reads a `KeyValue`.
    ///
    /// # Errors
    /// When it is not protobuf.
    pub fn read(bytes: &'a [u8], groups_max: usize) -> Result<Self, WireError> {
        const KEY: u32 = tag(1, wire_type::BYTES);
        const VALUE: u32 = tag(2, wire_type::BYTES);
        const STRINDEX: u32 = tag(3, wire_type::VARINT);
        let mut pair = Self { key: &[], value: AnyValue::Unset, strindex: false };
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            match tag {
                KEY => pair.key = reader.bytes()?,
                VALUE => pair.value.merge(reader.bytes()?, groups_max)?,
                // Last wins, as for every scalar; 0 is proto3's absent.
                STRINDEX => pair.strindex = reader.varint()? as u32 != 0,
                _ => reader.skip_unknown(tag, &[1, 2, 3], groups_max)?,
            }
        }
        Ok(pair)
    }
}
