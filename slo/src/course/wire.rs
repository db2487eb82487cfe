//! Numbers and texts as bytes, and back again. Whatever the bytes are, reading them ends and says what is wrong.

use std::sync::Arc;

/// Longest text.
const TEXT_MAX: usize = 1 << 20;

/// Bytes that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Offset.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "byte {}: {}", self.at, self.what)
    }
}

impl std::error::Error for Unreadable {}

/// Writes at the end of some bytes.
#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    /// A number, seven bits a byte.
    pub(super) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A number that may be below nought.
    pub(super) fn signed(&mut self, value: i64) {
        self.number((value << 1 ^ value >> 63).cast_unsigned());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// How many there are, then each of them.
    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }

    /// Nought, or one and the thing.
    pub(super) fn option<T>(&mut self, item: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.number(item.is_some().into());
        if let Some(item) = item {
            write(self, item);
        }
    }
}

/// Reads from the front of some bytes.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

pub(super) type Read<T> = Result<T, Unreadable>;

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) const fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(super) fn wrong<T>(&self, what: &'static str) -> Read<T> {
        Err(Unreadable { at: self.at, what })
    }

    pub(super) fn number(&mut self) -> Read<u64> {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let Some(byte) = self.bytes.get(self.at) else { return self.wrong("it ends in a number") };
            let part = u64::from(byte & 0x7f);
            if shift > 63 || shift == 63 && part > 1 {
                return self.wrong("a number is longer than 64 bits");
            }
            self.at += 1;
            value |= part << shift;
            if *byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    pub(super) fn small(&mut self) -> Read<u32> {
        let number = self.number()?;
        u32::try_from(number).or_else(|_| self.wrong("a number is longer than 32 bits"))
    }

    pub(super) fn signed(&mut self) -> Read<i64> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    /// A count, or what is taken out of one: sums of as many as there can be fit 64 bits.
    pub(super) fn count(&mut self) -> Read<i64> {
        let count = self.signed()?;
        if count.unsigned_abs() > 1 << 53 { self.wrong("a count is above 2^53") } else { Ok(count) }
    }

    pub(super) fn flag(&mut self) -> Read<bool> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => self.wrong("neither yes nor no"),
        }
    }

    pub(super) fn text(&mut self) -> Read<&'a str> {
        let length = self.number()?;
        let length = usize::try_from(length).ok().filter(|length| *length <= TEXT_MAX);
        let Some(length) = length else { return self.wrong("a text is longer than 1 MiB") };
        let Some(text) = self.bytes.get(self.at..self.at + length) else { return self.wrong("it ends in a text") };
        let Ok(text) = std::str::from_utf8(text) else { return self.wrong("a text is no UTF-8") };
        self.at += length;
        Ok(text)
    }

    pub(super) fn shared(&mut self) -> Read<Arc<str>> {
        self.text().map(Arc::from)
    }

    pub(super) fn owned(&mut self) -> Read<String> {
        self.text().map(str::to_owned)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Read<&'a [u8]> {
        let Some(bytes) = self.bytes.get(self.at..self.at.saturating_add(length)) else { return self.wrong("it ends") };
        self.at += length;
        Ok(bytes)
    }

    pub(super) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let length = self.number()?;
        // Each item has a byte at least: no more room is made than there are bytes for.
        if length > (self.bytes.len() - self.at) as u64 {
            return self.wrong("a list is longer than what is left");
        }
        let mut items = Vec::with_capacity((length as usize).min(4_096));
        for _ in 0..length {
            items.push(read(self)?);
        }
        Ok(items)
    }

    pub(super) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        Ok(if self.flag()? { Some(read(self)?) } else { None })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(numbers in prop::collection::vec((any::<u64>(), any::<i64>()), 0..20), text: String) {
            let mut writer = Writer::default();
            writer.list(&numbers, |writer, (number, signed)| {
                writer.number(*number);
                writer.signed(*signed);
            });
            writer.text(&text);
            let mut reader = Reader::new(&writer.0);
            let read = reader.list(|reader| Ok((reader.number()?, reader.signed()?)));
            prop_assert_eq!((read, reader.text()), (Ok(numbers), Ok(&*text)));
            prop_assert!(reader.is_done());
        }
    }
}
