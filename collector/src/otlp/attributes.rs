//! Attributes on the wire: a fixed place for the value of each wanted key.
//!
//! Values are borrowed from the body; strings are not yet known to be UTF-8.

use super::keys::{KeyTable, Wanted};
use super::wire::{Reader, WireError, tag, wire_type};

/// Number of slots: a bit each in two words.
pub const SLOTS_MAX: usize = 128;

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
    present: [u64; 2],
    seen: [u64; 2],
    oddities: u8,
    values: [Value<'a>; SLOTS_MAX],
}

impl Default for Slots<'_> {
    fn default() -> Self {
        Self { present: [0; 2], seen: [0; 2], oddities: 0, values: [Value::Bool(false); SLOTS_MAX] }
    }
}

impl<'a> Slots<'a> {
    /// Forgets all values.
    #[inline]
    pub fn clear(&mut self) {
        self.present = [0; 2];
        self.seen = [0; 2];
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
        (self.present[usize::from(slot >> 6 & 1)] >> (slot & 63) & 1 == 1).then(|| self.values[usize::from(slot)])
    }

    /// The lowest slot of `first..first + count` that holds a value: slots stand in order of precedence.
    #[must_use]
    #[inline]
    pub fn first_of(&self, first: u8, count: u8) -> Option<(u8, Value<'a>)> {
        debug_assert!(first >> 6 == (first + count - 1) >> 6, "a group lies within a word");
        let mask = (1_u64 << count) - 1;
        let group = self.present[usize::from(first >> 6 & 1)] >> (first & 63) & mask;
        (group != 0).then(|| {
            let place = group.trailing_zeros() as u8;
            (place, self.values[usize::from(first + place)])
        })
    }

    /// Whether any slot of `first..first + count` holds a value.
    #[must_use]
    #[inline]
    pub fn any_of(&self, first: u8, count: u8) -> bool {
        debug_assert!(first >> 6 == (first + count - 1) >> 6, "a group lies within a word");
        self.present[usize::from(first >> 6 & 1)] >> (first & 63) & ((1 << count) - 1) != 0
    }

    /// Gives the values of keys with several meanings to all of their slots. For the end of an item.
    #[inline]
    pub fn share(&mut self, keys: &KeyTable) {
        for (from, to) in keys.shared() {
            if let Some(value) = self.get(*from) {
                self.values[usize::from(*to)] = value;
                self.present[usize::from(to >> 6 & 1)] |= 1 << (to & 63);
            }
        }
    }

    /// Reads one `KeyValue` and keeps its value if its key is wanted.
    ///
    /// # Errors
    /// When it is not protobuf.
    #[inline(always)]
    pub fn read(&mut self, keys: &KeyTable, pair: &'a [u8], groups_max: usize) -> Result<(), WireError> {
        // As encoders write it, all lengths below 128: key tag, length, key, value tag, length, value.
        if let [0x0a, key_length, rest @ ..] = pair
            && let Some((key, [0x12, length, value @ ..])) = rest.split_at_checked(usize::from(*key_length))
            && usize::from(*length) == value.len()
            && (key_length | length) < 0x80
        {
            return match keys.find(key) {
                Some(wanted) => self.read_value(wanted, value, groups_max),
                None => Ok(()),
            };
        }
        self.read_any_order(keys, pair, groups_max)
    }

    #[inline(always)]
    fn read_value(&mut self, wanted: &Wanted, value: &'a [u8], groups_max: usize) -> Result<(), WireError> {
        let word = usize::from(wanted.word & 1);
        if self.seen[word] & wanted.bit == 0
            && let Some(value) = canonical_value(value)
        {
            self.seen[word] |= wanted.bit;
            self.present[word] |= wanted.bit;
            self.values[usize::from(wanted.slot)] = value;
            return Ok(());
        }
        self.read_other(*wanted, value, groups_max)
    }

    /// A wanted value in another form, or one that comes again.
    #[inline(never)]
    fn read_other(&mut self, wanted: Wanted, value: &'a [u8], groups_max: usize) -> Result<(), WireError> {
        let mut any = AnyValue::Unset;
        any.merge(value, groups_max)?;
        self.keep(wanted, any);
        Ok(())
    }

    /// A pair with a long value, or in another order.
    #[inline(never)]
    fn read_any_order(&mut self, keys: &KeyTable, pair: &'a [u8], groups_max: usize) -> Result<(), WireError> {
        let pair = Pair::read(pair, groups_max)?;
        if pair.strindex {
            self.oddities |= oddity::STRINDEX;
        }
        if let Some(wanted) = keys.find(pair.key) {
            self.keep(*wanted, pair.value);
        }
        Ok(())
    }

    /// Keeps a parsed pair: for callers that read it for another purpose too.
    pub fn keep_pair(&mut self, keys: &KeyTable, pair: &Pair<'a>) {
        if pair.strindex {
            self.oddities |= oddity::STRINDEX;
        }
        if let Some(wanted) = keys.find(pair.key) {
            self.keep(*wanted, pair.value);
        }
    }

    #[inline]
    fn keep(&mut self, Wanted { slot, word, bit }: Wanted, value: AnyValue<'a>) {
        let word = usize::from(word & 1);
        if self.seen[word] & bit != 0 {
            self.oddities |= oddity::DUPLICATE;
            return;
        }
        self.seen[word] |= bit;
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
            self.present[word] |= bit;
        }
    }
}

/// The value of an `AnyValue` as encoders write it: a text that is not empty, or a small integer.
#[inline(always)]
fn canonical_value(value: &[u8]) -> Option<Value<'_>> {
    match value {
        [0x0a, length, text @ ..] if usize::from(*length) == text.len() && *length < 0x80 && *length > 0 => {
            Some(Value::Text(text))
        }
        [0x18, byte] if *byte < 0x80 => Some(Value::Int(i64::from(*byte))),
        [0x18, low, high] if *low >= 0x80 && *high < 0x80 => {
            Some(Value::Int(i64::from(*low & 0x7f) | i64::from(*high) << 7))
        }
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
