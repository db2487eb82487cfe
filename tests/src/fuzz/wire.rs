//! Protobuf read the plain way: a list of fields, groups checked to their ends and passed over as one.

use prost::encoding::decode_varint;

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) value: Wire<'a>,
    /// Tag and value as they were written.
    pub(super) whole: &'a [u8],
}

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wire<'a> {
    Varint,
    Fixed64,
    Bytes(&'a [u8]),
    /// Levels of groups in it, itself among them.
    Group(usize),
    Fixed32,
}

/// Bytes that are no message, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Torn {
    pub(super) why: &'static str,
    /// The field whose value it is, once its tag was read.
    pub(super) number: u32,
}

pub(super) const fn torn(why: &'static str) -> Torn {
    Torn { why, number: 0 }
}

impl Field<'_> {
    pub(super) const fn wire_type(&self) -> u32 {
        match self.value {
            Wire::Varint => 0,
            Wire::Fixed64 => 1,
            Wire::Bytes(_) => 2,
            Wire::Group(_) => 3,
            Wire::Fixed32 => 5,
        }
    }
}

/// The fields of a message, ending with the first that cannot be read.
pub(super) fn fields(content: &[u8]) -> impl Iterator<Item = Result<Field<'_>, Torn>> {
    let mut rest = content;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let start = rest;
        let field =
            read(&mut rest).map(|(number, value)| Field { number, value, whole: &start[..start.len() - rest.len()] });
        if field.is_err() {
            rest = &[];
        }
        Some(field)
    })
}

fn read<'a>(rest: &mut &'a [u8]) -> Result<(u32, Wire<'a>), Torn> {
    let (number, wire_type) = tag(rest)?;
    let value = value(rest, number, wire_type).map_err(|torn| Torn { number, ..torn })?;
    Ok((number, value))
}

fn value<'a>(rest: &mut &'a [u8], number: u32, wire_type: u32) -> Result<Wire<'a>, Torn> {
    Ok(match wire_type {
        0 => varint(rest).map(|_| Wire::Varint)?,
        1 => taken(rest, 8).map(|_| Wire::Fixed64)?,
        2 => {
            let length = varint(rest)?;
            Wire::Bytes(taken(rest, length)?)
        }
        3 => {
            let mut inner_levels = 0;
            loop {
                let mut ahead = *rest;
                let (ended, end) = tag(&mut ahead)?;
                if end == 4 {
                    *rest = ahead;
                    if ended != number {
                        return Err(torn("a group ends as another"));
                    }
                    break;
                }
                if let (_, Wire::Group(levels)) = read(rest)? {
                    inner_levels = inner_levels.max(levels);
                }
            }
            Wire::Group(1 + inner_levels)
        }
        5 => taken(rest, 4).map(|_| Wire::Fixed32)?,
        _ => return Err(torn("a group ends that did not begin")),
    })
}

fn tag(rest: &mut &[u8]) -> Result<(u32, u32), Torn> {
    let tag = u32::try_from(varint(rest)?).map_err(|_| torn("a tag over 32 bits"))?;
    let (number, wire_type) = (tag >> 3, tag & 7);
    if number == 0 || wire_type > 5 { Err(torn("a tag that cannot be")) } else { Ok((number, wire_type)) }
}

fn varint(rest: &mut &[u8]) -> Result<u64, Torn> {
    decode_varint(rest).map_err(|_| torn("a varint that cannot be"))
}

fn taken<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], Torn> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (value, after) = rest.split_at_checked(length).ok_or(torn("a value past the end"))?;
    *rest = after;
    Ok(value)
}
