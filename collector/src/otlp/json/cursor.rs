//! JSON's tokens (RFC 8259) over bytes, without allocation. Knows no OTLP.

use std::borrow::Cow;

use super::error::JsonError;

/// A place in a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Byte offset.
    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    /// The next byte, not taken.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn fault(&self, what: &'static str) -> JsonError {
        JsonError::Syntax { offset: self.at, what }
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes one byte if it is this one.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        self.at += usize::from(hit);
        hit
    }

    /// Takes white space, then this byte.
    pub(super) fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), JsonError> {
        self.skip_space();
        if self.take(byte) { Ok(()) } else { Err(self.fault(what)) }
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), JsonError> {
        self.skip_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.fault("text after the value")) }
    }

    /// Takes `null` if it stands here.
    pub(super) fn take_null(&mut self) -> bool {
        self.take_word(b"null")
    }

    fn take_word(&mut self, word: &[u8]) -> bool {
        let hit = self.bytes[self.at..].starts_with(word);
        self.at += if hit { word.len() } else { 0 };
        hit
    }

    /// Takes `true` or `false` if one stands here.
    pub(super) fn take_bool(&mut self) -> Option<bool> {
        if self.take_word(b"true") {
            return Some(true);
        }
        self.take_word(b"false").then_some(false)
    }

    /// Takes a string, number or literal.
    pub(super) fn scalar(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            _ if self.take_null() || self.take_bool().is_some() => Ok(()),
            Some(_) => Err(self.fault("expected a value")),
            None => Err(self.fault("the text ends early")),
        }
    }

    /// Takes a string; its text between the quotes, escapes unresolved but sound.
    pub(super) fn string(&mut self) -> Result<&'a [u8], JsonError> {
        if !self.take(b'"') {
            return Err(self.fault("expected a string"));
        }
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0..=0x1f) => return Err(self.fault("a control character in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.fault("the text ends inside a string")),
            }
        }
        self.at += 1;
        Ok(&self.bytes[start..self.at - 1])
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => self.unicode_escape(),
            _ => Err(self.fault("an unknown escape in a string")),
        }
    }

    fn unicode_escape(&mut self) -> Result<(), JsonError> {
        let Some(first) = hex4(self.bytes, self.at + 1) else {
            return Err(self.fault("an escape without four hex digits"));
        };
        let low = match first {
            0xd800..=0xdbff if self.bytes[self.at + 5..].starts_with(b"\\u") => hex4(self.bytes, self.at + 7),
            0xd800..=0xdfff => None,
            _ => {
                self.at += 5;
                return Ok(());
            }
        };
        if !matches!(low, Some(0xdc00..=0xdfff)) {
            return Err(self.fault("half of a surrogate pair in a string"));
        }
        self.at += 11;
        Ok(())
    }

    /// Takes a number; its text.
    pub(super) fn number(&mut self) -> Result<&'a [u8], JsonError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(&self.bytes[start..self.at])
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.fault("expected a digit")) }
    }

    /// Takes any value of a text that [`super::prescan`] accepted, at any depth, unread.
    pub(super) fn skip_value(&mut self) -> Result<(), JsonError> {
        let mut depth = 0_usize;
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b':') if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => self.scalar()?,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |value, byte| Some(value * 16 + char::from(*byte).to_digit(16)?))
}

/// What a sound string says, its escapes resolved.
pub(super) fn unescaped(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut text = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let piece = Piece::at(raw, at);
        text.extend_from_slice(&piece.bytes[..piece.len]);
        at += piece.taken;
    }
    Cow::Owned(text)
}

/// Whether a sound string says this, its escapes resolved; allocates nothing.
pub(super) fn says(raw: &[u8], text: &[u8]) -> bool {
    if raw.len() == text.len() && raw == text {
        return !raw.contains(&b'\\');
    }
    let (mut at, mut rest) = (0, text);
    while at < raw.len() {
        let piece = Piece::at(raw, at);
        let Some(shorter) = rest.strip_prefix(&piece.bytes[..piece.len]) else { return false };
        rest = shorter;
        at += piece.taken;
    }
    rest.is_empty()
}

/// One byte or one escape of a string.
struct Piece {
    /// What it says.
    bytes: [u8; 4],
    len: usize,
    /// How much text it takes.
    taken: usize,
}

impl Piece {
    fn at(raw: &[u8], at: usize) -> Self {
        let byte = match (raw[at], raw.get(at + 1)) {
            (b'\\', Some(b'u')) => return Self::unicode(raw, at),
            (b'\\', Some(b'b')) => 0x08,
            (b'\\', Some(b'f')) => 0x0c,
            (b'\\', Some(b'n')) => b'\n',
            (b'\\', Some(b'r')) => b'\r',
            (b'\\', Some(b't')) => b'\t',
            (b'\\', Some(itself)) => *itself,
            (plain, _) => return Self { bytes: [plain, 0, 0, 0], len: 1, taken: 1 },
        };
        Self { bytes: [byte, 0, 0, 0], len: 1, taken: 2 }
    }

    fn unicode(raw: &[u8], at: usize) -> Self {
        let first = hex4(raw, at + 2).unwrap_or(0);
        let (scalar, taken) = match (first, hex4(raw, at + 8)) {
            (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => (0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00), 12),
            _ => (first, 6),
        };
        let mut bytes = [0; 4];
        let len = char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut bytes).len();
        Self { bytes, len, taken }
    }
}
