//! Resource and scope, which stand at the head of their items in both signals.

use std::hash::Hasher;

use super::attributes::{AnyValue, Pair, Slots};
use super::trace::{Keys, WalkLimits};
use super::wire::{Reader, WireError, tag, wire_type};

/// Field 1 of a container: resource, scope.
pub(super) const HEADER: u32 = tag(1, wire_type::BYTES);
/// Field 2 of a container: scopes, spans, metrics.
pub(super) const CHILDREN: u32 = tag(2, wire_type::BYTES);
pub(super) const SCHEMA_URL: u32 = tag(3, wire_type::BYTES);

/// Resource or scope, as far as anybody wants to know.
#[derive(Debug)]
pub struct Header<'s, 'a> {
    /// A scope's name; empty for resources.
    pub name: &'a [u8],
    /// Values of wanted keys.
    pub attributes: &'s Slots<'a>,
    /// Equal for equal attributes in any order; 0 without attributes and for scopes.
    pub hash: u64,
    /// More than [`WalkLimits::attributes_max`] attributes.
    pub over_attributes: bool,
}

/// Reads the headers of a container: all of them (`ALL`, and the reader is at its beginning again), or those before the
/// first child (and the reader stands there).
pub(super) fn headers<'a, const ALL: bool>(
    reader: &mut Reader<'a>,
    groups_max: usize,
    mut read: impl FnMut(&'a [u8]) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let begin = *reader;
    loop {
        let here = *reader;
        match reader.tag()? {
            None => break,
            Some(HEADER) => read(reader.bytes()?)?,
            Some(CHILDREN) if !ALL => {
                *reader = here;
                return Ok(());
            }
            Some(CHILDREN | SCHEMA_URL) => drop(reader.bytes()?),
            Some(tag) => reader.skip_unknown(tag, &[1, 2, 3], groups_max)?,
        }
    }
    if ALL {
        *reader = begin;
    }
    Ok(())
}

pub(super) fn read_resource<'a>(
    bytes: &'a [u8],
    keys: &Keys,
    limits: &WalkLimits,
    slots: &mut Slots<'a>,
    (hash, count): (&mut u64, &mut u32),
) -> Result<(), WireError> {
    const ATTRIBUTE: u32 = tag(1, wire_type::BYTES);
    const DROPPED: u32 = tag(2, wire_type::VARINT);
    const ENTITY: u32 = tag(3, wire_type::BYTES);
    let mut reader = Reader::new(bytes);
    while let Some(tag) = reader.tag()? {
        match tag {
            ATTRIBUTE => {
                *count += 1;
                let pair = reader.bytes()?;
                if *count <= limits.attributes_max {
                    let pair = Pair::read(pair, limits.groups_max)?;
                    *hash = hash.wrapping_add(pair_hash(&pair));
                    slots.keep_pair(&keys.resource, &pair);
                }
            }
            DROPPED => drop(reader.varint()?),
            ENTITY => drop(reader.bytes()?),
            _ => reader.skip_unknown(tag, &[1, 2, 3], limits.groups_max)?,
        }
    }
    Ok(())
}

/// XXH3-64 of key and scalar value, each with its length or kind in front. Sums of these are equal for equal
/// attributes in any order. Lists, maps and bytes count by their kind only.
#[must_use]
pub fn pair_hash(pair: &Pair<'_>) -> u64 {
    let mut hasher = twox_hash::XxHash3_64::new();
    hasher.write(&(pair.key.len() as u64).to_le_bytes());
    hasher.write(pair.key);
    let (kind, scalar) = match pair.value {
        AnyValue::Unset => (0, 0),
        AnyValue::Text(text) => {
            hasher.write(text);
            (1, text.len() as u64)
        }
        AnyValue::Bool(value) => (2, u64::from(value)),
        AnyValue::Int(value) => (3, value.cast_unsigned()),
        AnyValue::Double(value) => (4, value.to_bits()),
        AnyValue::Array { .. } => (5, 0),
        AnyValue::Other(field) => (field, 0),
        AnyValue::Strindex => (8, 0),
    };
    hasher.write(&[kind]);
    hasher.write(&scalar.to_le_bytes());
    hasher.finish()
}

pub(super) fn read_scope<'a>(
    bytes: &'a [u8],
    keys: &Keys,
    limits: &WalkLimits,
    slots: &mut Slots<'a>,
    (name, count): (&mut &'a [u8], &mut u32),
) -> Result<(), WireError> {
    const NAME: u32 = tag(1, wire_type::BYTES);
    const VERSION: u32 = tag(2, wire_type::BYTES);
    const ATTRIBUTE: u32 = tag(3, wire_type::BYTES);
    const DROPPED: u32 = tag(4, wire_type::VARINT);
    let mut reader = Reader::new(bytes);
    while let Some(tag) = reader.tag()? {
        match tag {
            NAME => *name = reader.bytes()?,
            VERSION => drop(reader.bytes()?),
            ATTRIBUTE => {
                *count += 1;
                let pair = reader.bytes()?;
                if *count <= limits.attributes_max {
                    slots.read(&keys.scope, pair, limits.groups_max)?;
                }
            }
            DROPPED => drop(reader.varint()?),
            _ => reader.skip_unknown(tag, &[1, 2, 3, 4], limits.groups_max)?,
        }
    }
    Ok(())
}
