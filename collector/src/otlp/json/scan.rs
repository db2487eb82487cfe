//! The pre-scan: what a body is and what it would cost, before anything is built from it.
//!
//! It allocates nothing and does not recurse: two words of bits are its whole stack.

use super::cursor::{Cursor, says};
use super::error::JsonError;

/// Bytes charged for an object: prost's largest structs are that order, and an object is at least two bytes of text.
pub const OBJECT_CHARGE_BYTES: u64 = 512;
/// Bytes charged for an element of an array.
pub const ELEMENT_CHARGE_BYTES: u64 = 64;
/// Deepest nesting that the bits of the stack can hold.
const STACK_BITS: usize = u128::BITS as usize;

/// Which request a body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `ExportTraceServiceRequest`.
    Traces,
    /// `ExportMetricsServiceRequest`.
    Metrics,
}

impl Kind {
    /// The only key that such a request has.
    const fn top_level_key(self) -> &'static [u8] {
        match self {
            Self::Traces => b"resourceSpans",
            Self::Metrics => b"resourceMetrics",
        }
    }

    /// The key of the arrays whose elements are items.
    const fn item_key(self) -> &'static [u8] {
        match self {
            Self::Traces => b"spans",
            Self::Metrics => b"dataPoints",
        }
    }
}

/// Maxima of a JSON body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Deepest nesting of objects and arrays; at most 128.
    pub depth_max: usize,
    /// Most spans or data points. The scan counts on, [`super::to_protobuf`] refuses: a request that is too large for
    /// the budget is to be told so first.
    pub items_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth_max: 64, items_max: 262_144 }
    }
}

/// What a well-formed body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scan {
    /// Elements of every `spans` (or `dataPoints`) array under the request's top-level key, wherever it stands: those
    /// under misspelt keys are counted too, so that their loss is seen.
    pub items: u32,
    /// Objects in the body.
    pub objects: u64,
    /// Elements of arrays in the body.
    pub elements: u64,
    /// What building the request may take in memory: 512 bytes an object and 64 an element.
    pub charge_bytes: u64,
    /// There are top-level keys, and none of them is known: probably `resource_spans`, or the other signal.
    pub unknown_top_level: bool,
    pub(super) items_max: u32,
}

/// Checks UTF-8, grammar, one top-level object and depth; counts objects, elements and items.
///
/// # Errors
/// [`JsonError::Syntax`] and [`JsonError::TooDeep`] with the byte offset.
pub fn prescan(body: &[u8], kind: Kind, limits: &Limits) -> Result<Scan, JsonError> {
    if let Err(bad) = std::str::from_utf8(body) {
        return Err(JsonError::Syntax { offset: bad.valid_up_to(), what: "not UTF-8" });
    }
    let mut scanner = Scanner::new(body, kind, limits);
    scanner.cursor.skip_space();
    if scanner.cursor.peek() != Some(b'{') {
        return Err(scanner.cursor.fault("expected an object"));
    }
    scanner.value(false)?;
    while scanner.depth > 0 {
        scanner.step()?;
    }
    scanner.cursor.end()?;
    Ok(scanner.scan(limits.items_max))
}

struct Scanner<'a> {
    cursor: Cursor<'a>,
    kind: Kind,
    depth_max: usize,
    depth: usize,
    /// One bit a level, innermost lowest: an object.
    objects_open: u128,
    /// One bit a level, innermost lowest: an array of items.
    items_open: u128,
    /// Nothing stands in the innermost container yet.
    fresh: bool,
    in_request: bool,
    top_level_keys: bool,
    known_key: bool,
    objects: u64,
    elements: u64,
    items: u32,
}

impl<'a> Scanner<'a> {
    fn new(body: &'a [u8], kind: Kind, limits: &Limits) -> Self {
        Self {
            cursor: Cursor::new(body),
            kind,
            depth_max: limits.depth_max.min(STACK_BITS),
            depth: 0,
            objects_open: 0,
            items_open: 0,
            fresh: true,
            in_request: false,
            top_level_keys: false,
            known_key: false,
            objects: 0,
            elements: 0,
            items: 0,
        }
    }

    fn scan(&self, items_max: u32) -> Scan {
        Scan {
            items: self.items,
            objects: self.objects,
            elements: self.elements,
            charge_bytes: OBJECT_CHARGE_BYTES * self.objects + ELEMENT_CHARGE_BYTES * self.elements,
            unknown_top_level: self.top_level_keys && !self.known_key,
            items_max,
        }
    }

    /// Takes the end of the innermost container, or its next member or element.
    fn step(&mut self) -> Result<(), JsonError> {
        let object = self.objects_open & 1 == 1;
        self.cursor.skip_space();
        if self.cursor.take(if object { b'}' } else { b']' }) {
            self.close();
            return Ok(());
        }
        if !self.fresh {
            self.cursor.expect(b',', "expected a comma or the end of the container")?;
            self.cursor.skip_space();
        }
        let mut holds_items = false;
        if object {
            holds_items = self.key()?;
            self.cursor.expect(b':', "expected a colon")?;
            self.cursor.skip_space();
        } else {
            self.elements += 1;
            self.items = self.items.saturating_add((self.items_open & 1) as u32);
        }
        self.value(holds_items)
    }

    /// Takes a key; whether an array under it holds items.
    fn key(&mut self) -> Result<bool, JsonError> {
        let key = self.cursor.string()?;
        if self.depth == 1 {
            self.in_request = says(key, self.kind.top_level_key());
            self.top_level_keys = true;
            self.known_key |= self.in_request;
            return Ok(false);
        }
        Ok(self.in_request && says(key, self.kind.item_key()))
    }

    fn value(&mut self, holds_items: bool) -> Result<(), JsonError> {
        match self.cursor.peek() {
            Some(b'{') => self.open(true, false),
            Some(b'[') => self.open(false, holds_items),
            _ => {
                self.cursor.scalar()?;
                self.fresh = false;
                Ok(())
            }
        }
    }

    fn open(&mut self, object: bool, holds_items: bool) -> Result<(), JsonError> {
        if self.depth == self.depth_max {
            return Err(JsonError::TooDeep { offset: self.cursor.offset(), max: self.depth_max });
        }
        let _ = self.cursor.take(b'{') || self.cursor.take(b'[');
        self.depth += 1;
        self.objects += u64::from(object);
        self.objects_open = self.objects_open << 1 | u128::from(object);
        self.items_open = self.items_open << 1 | u128::from(holds_items);
        self.fresh = true;
        Ok(())
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.objects_open >>= 1;
        self.items_open >>= 1;
        self.fresh = false;
    }
}
