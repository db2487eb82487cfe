//! The protobuf wire format, read in place. Nothing here allocates and nothing recurses on input.
//!
//! What is refused is what `prost` refuses: truncation, a length past the end, a varint over 10 bytes or 64 bits, a
//! tag over 32 bits, field number 0, wire types 6 and 7, unmatched or too deep groups. Unknown fields are skipped.

/// Wire types of the low three bits of a tag.
pub mod wire_type {
    /// varint
    pub const VARINT: u32 = 0;
    /// eight bytes
    pub const FIXED64: u32 = 1;
    /// length-delimited
    pub const BYTES: u32 = 2;
    /// start of a group
    pub const START_GROUP: u32 = 3;
    /// end of a group
    pub const END_GROUP: u32 = 4;
    /// four bytes
    pub const FIXED32: u32 = 5;
}

/// A tag as it stands on the wire, for `match`: `field << 3 | wire type`.
#[must_use]
pub const fn tag(field: u32, wire: u32) -> u32 {
    field << 3 | wire
}

/// What is wrong with bytes that should be protobuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// They end inside a value, or a length points past their end.
    #[error("the message ends inside a value")]
    Truncated,
    /// A varint of more than 10 bytes or 64 bits.
    #[error("a varint is longer than 64 bits")]
    Varint,
    /// A tag over 32 bits, field number 0, or wire type 6 or 7.
    #[error("a field tag is not valid")]
    Tag,
    /// A known field with the wire type of another kind.
    #[error("a known field has the wrong wire type")]
    WireType,
    /// A group that ends before it begins or under another number.
    #[error("a group is not closed where it was opened")]
    Group,
    /// Groups (with the flag STRICT also messages) nested too deep.
    #[error("fields are nested too deep")]
    Depth,
    /// With the flag STRICT only: a string that is not UTF-8.
    #[error("a string is not UTF-8")]
    Utf8,
}

/// A fault and where it was found, as an address: [`WireError::offset_in`] makes an offset of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireError {
    /// What is wrong.
    pub fault: Fault,
    address: usize,
}

impl WireError {
    /// A fault at the beginning of these bytes.
    #[cold]
    #[must_use]
    pub fn at(fault: Fault, bytes: &[u8]) -> Self {
        Self { fault, address: bytes.as_ptr().addr() }
    }

    /// How far into `body` the fault lies; `body` must be what was walked.
    #[must_use]
    pub fn offset_in(&self, body: &[u8]) -> usize {
        self.address.wrapping_sub(body.as_ptr().addr()).min(body.len())
    }
}

/// A place in a message.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads these bytes from their beginning.
    #[must_use]
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read.
    #[must_use]
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline(always)]
    fn fail<T>(self, fault: Fault) -> Result<T, WireError> {
        Err(WireError::at(fault, self.rest))
    }

    /// The next tag, or `None` at the end. Whether an unknown one can be is for [`Self::skip`] to say: known ones are
    /// compared and need no check.
    ///
    /// # Errors
    /// On a tag over 32 bits.
    #[inline(always)]
    pub fn tag(&mut self) -> Result<Option<u32>, WireError> {
        if self.rest.is_empty() { Ok(None) } else { self.some_tag().map(Some) }
    }

    /// The next tag, where the message does not end. Told apart from its end by the caller's loop, which saves the hot
    /// path an option.
    ///
    /// # Errors
    /// On a tag over 32 bits, and at the end.
    #[inline(always)]
    pub fn some_tag(&mut self) -> Result<u32, WireError> {
        match self.rest {
            // Fields 1 to 15.
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u32::from(*byte))
            }
            // Fields 16 to 2,047.
            [low, high, rest @ ..] if *high < 0x80 => {
                self.rest = rest;
                Ok(u32::from(*low & 0x7f) | u32::from(*high) << 7)
            }
            rest => {
                let (tag, rest) = long_tag(rest)?;
                self.rest = rest;
                Ok(tag)
            }
        }
    }

    /// Whether this one-byte tag comes next; it is read then.
    #[inline(always)]
    pub fn next_is(&mut self, tag: u32) -> bool {
        match self.rest {
            [byte, rest @ ..] if u32::from(*byte) == tag => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// A varint of up to 64 bits.
    ///
    /// # Errors
    /// When it is longer, or cut.
    #[inline(always)]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            [low, high, rest @ ..] if *high < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*low & 0x7f) | u64::from(*high) << 7)
            }
            rest => {
                let (value, rest) = long_varint(rest)?;
                self.rest = rest;
                Ok(value)
            }
        }
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    /// When they are cut.
    #[inline(always)]
    pub fn fixed64(&mut self) -> Result<u64, WireError> {
        let Some((value, rest)) = self.rest.split_first_chunk::<8>() else { return self.fail(Fault::Truncated) };
        self.rest = rest;
        Ok(u64::from_le_bytes(*value))
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    /// When they are cut.
    #[inline(always)]
    pub fn fixed32(&mut self) -> Result<u32, WireError> {
        let Some((value, rest)) = self.rest.split_first_chunk::<4>() else { return self.fail(Fault::Truncated) };
        self.rest = rest;
        Ok(u32::from_le_bytes(*value))
    }

    /// A length and as many bytes.
    ///
    /// # Errors
    /// When the length points past the end.
    #[inline(always)]
    pub fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.varint()?;
        // A length over usize does not fit into the rest either.
        match self.rest.split_at_checked(usize::try_from(length).unwrap_or(usize::MAX)) {
            Some((value, rest)) => {
                self.rest = rest;
                Ok(value)
            }
            None => self.fail(Fault::Truncated),
        }
    }

    /// Skips the value of a tag that the caller does not know; `known` are the field numbers that it does know, and
    /// that therefore came with a wrong wire type. Groups may nest `groups_max` deep.
    ///
    /// # Errors
    /// On a known field, and on values that cannot be.
    #[inline(always)]
    pub fn skip_unknown(&mut self, tag: u32, known: &[u32], groups_max: usize) -> Result<(), WireError> {
        self.rest = skipped_unknown(self.rest, tag, known, groups_max)?;
        Ok(())
    }

    /// Skips the value of a tag; groups may nest `groups_max` (at most 100) deep.
    ///
    /// # Errors
    /// On values that cannot be.
    #[inline(always)]
    pub fn skip(&mut self, tag: u32, groups_max: usize) -> Result<(), WireError> {
        self.rest = skipped(self.rest, tag, groups_max)?;
        Ok(())
    }
}

// Rare paths take and return what is left of the message by value: a reader whose address is given away lives in
// memory, and every field that it reads would wait for the store of the one before.

#[cold]
fn long_tag(message: &[u8]) -> Result<(u32, &[u8]), WireError> {
    let (raw, rest) = long_varint(message)?;
    match u32::try_from(raw) {
        Ok(tag) => Ok((tag, rest)),
        Err(_) => Err(WireError::at(Fault::Tag, message)),
    }
}

/// Whether there may be such a field: numbers begin with 1, wire types end with 5.
#[inline]
fn can_be(tag: u32) -> bool {
    tag >= 8 && tag & 7 <= wire_type::FIXED32
}

#[inline(never)]
fn long_varint(message: &[u8]) -> Result<(u64, &[u8]), WireError> {
    let mut value = 0_u64;
    for (count, byte) in message.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * count);
        if *byte < 0x80 {
            if count == 9 && *byte > 1 {
                return Err(WireError::at(Fault::Varint, message));
            }
            return Ok((value, &message[count + 1..]));
        }
    }
    let fault = if message.len() >= 10 { Fault::Varint } else { Fault::Truncated };
    Err(WireError::at(fault, message))
}

#[inline(never)]
fn skipped_unknown<'a>(message: &'a [u8], tag: u32, known: &[u32], groups_max: usize) -> Result<&'a [u8], WireError> {
    if known.contains(&(tag >> 3)) {
        return Err(WireError::at(Fault::WireType, message));
    }
    skipped(message, tag, groups_max)
}

#[inline]
fn skipped(message: &[u8], tag: u32, groups_max: usize) -> Result<&[u8], WireError> {
    let mut reader = Reader::new(message);
    if !can_be(tag) {
        return reader.fail(Fault::Tag);
    }
    match tag & 7 {
        wire_type::VARINT => drop(reader.varint()?),
        wire_type::FIXED64 => drop(reader.fixed64()?),
        wire_type::BYTES => drop(reader.bytes()?),
        wire_type::FIXED32 => drop(reader.fixed32()?),
        wire_type::START_GROUP => return skipped_group(message, tag, groups_max),
        _ => return reader.fail(Fault::Group),
    }
    Ok(reader.rest)
}

/// Skips a group to its end, without recursion.
#[cold]
fn skipped_group(message: &[u8], tag: u32, groups_max: usize) -> Result<&[u8], WireError> {
    // Numbers of the open groups. prost's own limit is 100 levels.
    let mut open = [0_u32; 100];
    let mut depth = 0;
    let mut tag = tag;
    let mut reader = Reader::new(message);
    loop {
        if !can_be(tag) {
            return reader.fail(Fault::Tag);
        }
        match tag & 7 {
            wire_type::START_GROUP => {
                if depth >= groups_max.min(open.len()) {
                    return reader.fail(Fault::Depth);
                }
                open[depth] = tag >> 3;
                depth += 1;
            }
            wire_type::END_GROUP => {
                if depth == 0 || open[depth - 1] != tag >> 3 {
                    return reader.fail(Fault::Group);
                }
                depth -= 1;
            }
            _ => reader.skip(tag, 0)?,
        }
        if depth == 0 {
            return Ok(reader.rest);
        }
        match reader.tag()? {
            Some(next) => tag = next,
            None => return reader.fail(Fault::Truncated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(bytes: &[u8]) -> Result<u64, Fault> {
        Reader::new(bytes).varint().map_err(|error| error.fault)
    }

    #[test]
    fn a_varint_holds_64_bits_and_no_more() {
        assert_eq!(varint(&[0x7f]), Ok(127));
        assert_eq!(varint(&[0x80, 0x01]), Ok(128));
        assert_eq!(varint(&[0xff; 9].iter().copied().chain([1]).collect::<Vec<_>>()), Ok(u64::MAX));
        assert_eq!(varint(&[0xff; 9].iter().copied().chain([2]).collect::<Vec<_>>()), Err(Fault::Varint));
        assert_eq!(varint(&[0xff; 11]), Err(Fault::Varint));
        assert_eq!(varint(&[0x80; 3]), Err(Fault::Truncated));
        assert_eq!(varint(&[]), Err(Fault::Truncated));
    }

    #[test]
    fn a_tag_names_a_field_and_a_wire_type_that_exist() {
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            let tag = reader.tag().map_err(|error| error.fault)?;
            // What nobody knows is skipped, and that is where it must be a tag.
            if let Some(unknown) = tag {
                match reader.skip(unknown, 16).map_err(|error| error.fault) {
                    Err(Fault::Truncated) => {}
                    skipped => skipped?,
                }
            }
            Ok(tag)
        };
        assert_eq!(read(&[0x0a]), Ok(Some(tag(1, wire_type::BYTES))));
        assert_eq!(read(&[0x85, 0x01]), Ok(Some(tag(16, wire_type::FIXED32))));
        assert_eq!(read(&[]), Ok(None));
        for bad in [&[0x02][..], &[0x0e], &[0x0f], &[0x80, 0x80, 0x80, 0x80, 0x10]] {
            assert_eq!(read(bad), Err(Fault::Tag), "{bad:x?}");
        }
    }

    #[test]
    fn groups_close_where_they_opened_and_nest_to_a_limit() {
        let skip = |bytes: &[u8], max| {
            let mut reader = Reader::new(bytes);
            let tag = reader.tag().expect("a tag").expect("not empty");
            reader.skip(tag, max).map(|()| reader.rest().len()).map_err(|error| error.fault)
        };
        assert_eq!(skip(&[0x0b, 0x13, 0x14, 0x0c, 0x08], 16), Ok(1));
        assert_eq!(skip(&[0x0b, 0x14], 16), Err(Fault::Group));
        assert_eq!(skip(&[0x0c], 16), Err(Fault::Group));
        assert_eq!(skip(&[0x0b], 16), Err(Fault::Truncated));
        let nested: Vec<u8> = std::iter::repeat_n(0x0b, 17).chain(std::iter::repeat_n(0x0c, 17)).collect();
        assert_eq!(skip(&nested, 16), Err(Fault::Depth));
        assert_eq!(skip(&nested, 17), Ok(0));
    }

    #[test]
    fn an_error_says_where() {
        let body = [0x0a, 0x05, 1, 2];
        let mut reader = Reader::new(&body);
        let _ = reader.tag();
        let error = reader.bytes().expect_err("cut");
        assert_eq!(error.offset_in(&body), 2);
    }
}
