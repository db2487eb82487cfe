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
pub struct Writer {
    bytes: Vec<u8>,
    /// What is held in common and was written once, for [`crate::saved`].
    pub(crate) shared: crate::saved::Written,
}

impl Writer {
    /// Goes on after these bytes.
    #[must_use]
    pub fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// All that was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Bytes whose number the reader knows.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A number, seven bits a byte.
    pub fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// A number that may be below nought.
    pub fn signed(&mut self, value: i64) {
        self.number((value << 1 ^ value >> 63).cast_unsigned());
    }

    /// A text: the number of its bytes, then they.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// How many there are, then each of them.
    pub fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }

    /// Nought, or one and the thing.
    pub fn option<T>(&mut self, item: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.number(item.is_some().into());
        if let Some(item) = item {
            write(self, item);
        }
    }
}

/// Reads from the front of some bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What is held in common and was read once, for [`crate::saved`].
    pub(crate) shared: crate::saved::Known,
}

/// What was read, or where it cannot be.
pub type Read<T> = Result<T, Unreadable>;

impl<'a> Reader<'a> {
    /// From the first of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, shared: crate::saved::Known::default() }
    }

    /// Bytes that were not read yet.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// One byte.
    ///
    /// # Errors
    /// At the end.
    pub fn byte(&mut self) -> Read<u8> {
        Ok(self.bytes(1)?[0])
    }

    /// Whether all was read.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// What stands here is wrong.
    ///
    /// # Errors
    /// Always.
    pub fn wrong<T>(&self, what: &'static str) -> Read<T> {
        Err(Unreadable { at: self.at, what })
    }

    /// What [`Writer::number`] wrote.
    ///
    /// # Errors
    /// When no such thing stands here.
    pub fn number(&mut self) -> Read<u64> {
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

    /// A number of 32 bits.
    ///
    /// # Errors
    /// When no such thing stands here.
    pub fn small(&mut self) -> Read<u32> {
        let number = self.number()?;
        u32::try_from(number).or_else(|_| self.wrong("a number is longer than 32 bits"))
    }

    /// What [`Writer::signed`] wrote.
    ///
    /// # Errors
    /// When no such thing stands here.
    pub fn signed(&mut self) -> Read<i64> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    /// A count, or what is taken out of one: sums of as many as there can be fit 64 bits.
    ///
    /// # Errors
    /// When no such number stands here.
    pub fn count(&mut self) -> Read<i64> {
        let count = self.signed()?;
        if count.unsigned_abs() > 1 << 53 { self.wrong("a count is above 2^53") } else { Ok(count) }
    }

    /// Yes or no.
    ///
    /// # Errors
    /// When no such thing stands here.
    pub fn flag(&mut self) -> Read<bool> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => self.wrong("neither yes nor no"),
        }
    }

    /// What [`Writer::text`] wrote.
    ///
    /// # Errors
    /// When no such thing stands here.
    pub fn text(&mut self) -> Read<&'a str> {
        let length = self.number()?;
        let length = usize::try_from(length).ok().filter(|length| *length <= TEXT_MAX);
        let Some(length) = length else { return self.wrong("a text is longer than 1 MiB") };
        let Some(text) = self.bytes.get(self.at..self.at + length) else { return self.wrong("it ends in a text") };
        let Ok(text) = std::str::from_utf8(text) else { return self.wrong("a text is no UTF-8") };
        self.at += length;
        Ok(text)
    }

    /// A text to be held in common.
    ///
    /// # Errors
    /// When no such thing stands here.
    pub fn shared(&mut self) -> Read<Arc<str>> {
        self.text().map(Arc::from)
    }

    /// A text of one's own.
    ///
    /// # Errors
    /// When no such thing stands here.
    pub fn owned(&mut self) -> Read<String> {
        self.text().map(str::to_owned)
    }

    /// As many bytes.
    ///
    /// # Errors
    /// When no such thing stands here.
    pub fn bytes(&mut self, length: usize) -> Read<&'a [u8]> {
        let Some(bytes) = self.bytes.get(self.at..self.at.saturating_add(length)) else { return self.wrong("it ends") };
        self.at += length;
        Ok(bytes)
    }

    /// What [`Writer::list`] wrote.
    ///
    /// # Errors
    /// When no such thing stands here.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
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

    /// What [`Writer::option`] wrote.
    ///
    /// # Errors
    /// When no such thing stands here.
    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
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
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            let read = reader.list(|reader| Ok((reader.number()?, reader.signed()?)));
            prop_assert_eq!((read, reader.text()), (Ok(numbers), Ok(&*text)));
            prop_assert!(reader.is_done());
        }
    }
}
