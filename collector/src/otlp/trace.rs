//! `ExportTraceServiceRequest` in one pass over its bytes: every span as borrowed scalars and wanted attributes.
//!
//! Encoders write the resource before its scopes and the scope before its spans. A header that comes later begins the
//! walk anew, headers first, so that the order of fields on the wire is irrelevant. A structural error anywhere ends the
//! walk, and the caller discards everything.

use super::attributes::Slots;
use super::header::{CHILDREN, HEADER, Header, SCHEMA_URL, headers, read_resource, read_scope};
use super::keys::KeyTable;
use super::strict;
use super::wire::{Reader, WireError, tag, wire_type};

/// Keys that are wanted, per kind of carrier.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Of spans.
    pub span: KeyTable,
    /// Of scopes.
    pub scope: KeyTable,
    /// Of resources.
    pub resource: KeyTable,
    /// Of data points.
    pub point: KeyTable,
}

/// Maxima of one walk.
#[derive(Debug, Clone, Copy)]
pub struct WalkLimits {
    /// Spans.
    pub items_max: u32,
    /// Resources and scopes.
    pub containers_max: u32,
    /// Attributes of a span, resource or scope.
    pub attributes_max: u32,
    /// Links of a span that are kept.
    pub links_max: u32,
    /// Buckets of a histogram point.
    pub buckets_max: u32,
    /// Levels of unknown groups, at most 100.
    pub groups_max: usize,
}

/// Why a walk ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// The bytes are not the message.
    Wire(WireError),
    /// More spans than [`WalkLimits::items_max`].
    Items,
    /// More resources and scopes than [`WalkLimits::containers_max`].
    Containers,
}

impl From<WireError> for Halt {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// A link of a span; ids as they stand, of any length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Link<'a> {
    /// Trace id.
    pub trace_id: &'a [u8],
    /// Span id.
    pub span_id: &'a [u8],
}

/// The scalars of a span; absent fields have proto3's defaults. Byte strings are as they stand, not yet checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span<'a> {
    /// Trace id.
    pub trace_id: &'a [u8],
    /// Span id.
    pub span_id: &'a [u8],
    /// Span id of the parent.
    pub parent_span_id: &'a [u8],
    /// W3C tracestate.
    pub trace_state: &'a [u8],
    /// Name.
    pub name: &'a [u8],
    /// OTLP span kind.
    pub kind: i32,
    /// OTLP status code.
    pub status: i32,
    /// OTLP span flags.
    pub flags: u32,
    /// Start, nanoseconds since the Unix epoch.
    pub start_ns: u64,
    /// End, nanoseconds since the Unix epoch.
    pub end_ns: u64,
    /// More than [`WalkLimits::attributes_max`] attributes: the rest of the span was not read.
    pub over_attributes: bool,
}

/// Takes what the walk finds, in the order of the request.
pub trait TraceSink<'a> {
    /// The walk begins anew, because a header came after what it heads: all that was taken is to be forgotten.
    fn restart(&mut self);
    /// A resource begins; its scopes follow.
    fn resource(&mut self, header: &Header<'_, 'a>);
    /// A scope begins; its spans follow.
    fn scope(&mut self, header: &Header<'_, 'a>);
    /// A span.
    fn span(&mut self, span: &Span<'a>, attributes: &Slots<'a>, links: &[Link<'a>]);
}

const REQUEST_RESOURCE_SPANS: u32 = tag(1, wire_type::BYTES);

/// Walks a request. With `STRICT` (tests only) everything is checked that prost checks, skipped values included.
///
/// # Errors
/// When the bytes are not the message, or over a limit; what the sink got until then counts for nothing.
pub fn visit<'a, const STRICT: bool>(
    body: &'a [u8],
    keys: &Keys,
    limits: &WalkLimits,
    sink: &mut impl TraceSink<'a>,
) -> Result<(), Halt> {
    if STRICT {
        strict::check(strict::Message::TraceRequest, body)?;
    }
    // Encoders write headers first. Who does not is walked twice, once at most.
    let stop = match walk::<_, false>(body, keys, limits, sink) {
        Err(Stop::Disorder) => {
            sink.restart();
            walk::<_, true>(body, keys, limits, sink)
        }
        walked => walked,
    };
    match stop {
        Err(Stop::Halt(halt)) => Err(halt),
        // With headers looked up first there is no disorder.
        Ok(()) | Err(Stop::Disorder) => Ok(()),
    }
}

fn walk<'a, S: TraceSink<'a>, const HEADERS_FIRST: bool>(
    body: &'a [u8],
    keys: &Keys,
    limits: &WalkLimits,
    sink: &mut S,
) -> Result<(), Stop> {
    let mut walk = Walk { keys, limits, items: 0, containers: 0, slots: Slots::default(), links: Vec::new() };
    let mut reader = Reader::new(body);
    while let Some(tag) = reader.tag()? {
        if tag == REQUEST_RESOURCE_SPANS {
            walk.resource_spans::<_, HEADERS_FIRST>(reader.bytes()?, sink)?;
        } else {
            reader.skip_unknown(tag, &[1], limits.groups_max)?;
        }
    }
    Ok(())
}

/// Why a walk ends early.
enum Stop {
    /// The request is refused.
    Halt(Halt),
    /// A header after what it heads.
    Disorder,
}

impl From<WireError> for Stop {
    fn from(error: WireError) -> Self {
        Self::Halt(Halt::Wire(error))
    }
}

struct Walk<'w, 'a> {
    keys: &'w Keys,
    limits: &'w WalkLimits,
    items: u32,
    containers: u32,
    slots: Slots<'a>,
    links: Vec<Link<'a>>,
}

impl<'a> Walk<'_, 'a> {
    fn container(&mut self) -> Result<(), Stop> {
        self.containers += 1;
        if self.containers > self.limits.containers_max { Err(Stop::Halt(Halt::Containers)) } else { Ok(()) }
    }

    fn resource_spans<S: TraceSink<'a>, const HEADERS_FIRST: bool>(
        &mut self,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> Result<(), Stop> {
        self.container()?;
        self.slots.clear();
        let (mut hash, mut count) = (0, 0);
        let mut reader = Reader::new(bytes);
        headers::<HEADERS_FIRST>(&mut reader, self.limits.groups_max, |resource| {
            read_resource(resource, self.keys, self.limits, &mut self.slots, (&mut hash, &mut count))
        })?;
        self.slots.share(&self.keys.resource);
        let over_attributes = count > self.limits.attributes_max;
        sink.resource(&Header { name: &[], attributes: &self.slots, hash, over_attributes });
        while let Some(tag) = reader.tag()? {
            match tag {
                CHILDREN => self.scope_spans::<_, HEADERS_FIRST>(reader.bytes()?, sink)?,
                HEADER if !HEADERS_FIRST => return Err(Stop::Disorder),
                HEADER | SCHEMA_URL => drop(reader.bytes()?),
                _ => reader.skip_unknown(tag, &[1, 2, 3], self.limits.groups_max)?,
            }
        }
        Ok(())
    }

    fn scope_spans<S: TraceSink<'a>, const HEADERS_FIRST: bool>(
        &mut self,
        bytes: &'a [u8],
        sink: &mut S,
    ) -> Result<(), Stop> {
        self.container()?;
        self.slots.clear();
        let (mut name, mut count) = (&[][..], 0);
        let mut reader = Reader::new(bytes);
        headers::<HEADERS_FIRST>(&mut reader, self.limits.groups_max, |scope| {
            read_scope(scope, self.keys, self.limits, &mut self.slots, (&mut name, &mut count))
        })?;
        self.slots.share(&self.keys.scope);
        let over_attributes = count > self.limits.attributes_max;
        sink.scope(&Header { name, attributes: &self.slots, hash: 0, over_attributes });
        while let Some(tag) = reader.tag()? {
            match tag {
                CHILDREN => {
                    self.items += 1;
                    if self.items > self.limits.items_max {
                        return Err(Stop::Halt(Halt::Items));
                    }
                    let mut span = Span::default();
                    self.read_span(reader.bytes()?, &mut span)?;
                    self.slots.share(&self.keys.span);
                    sink.span(&span, &self.slots, &self.links);
                }
                HEADER if !HEADERS_FIRST => return Err(Stop::Disorder),
                HEADER | SCHEMA_URL => drop(reader.bytes()?),
                _ => reader.skip_unknown(tag, &[1, 2, 3], self.limits.groups_max)?,
            }
        }
        Ok(())
    }

    fn read_span(&mut self, bytes: &'a [u8], span: &mut Span<'a>) -> Result<(), WireError> {
        const TRACE_ID: u32 = tag(1, wire_type::BYTES);
        const SPAN_ID: u32 = tag(2, wire_type::BYTES);
        const TRACE_STATE: u32 = tag(3, wire_type::BYTES);
        const PARENT: u32 = tag(4, wire_type::BYTES);
        const NAME: u32 = tag(5, wire_type::BYTES);
        const KIND: u32 = tag(6, wire_type::VARINT);
        const START: u32 = tag(7, wire_type::FIXED64);
        const END: u32 = tag(8, wire_type::FIXED64);
        const ATTRIBUTE: u32 = tag(9, wire_type::BYTES);
        const DROPPED_ATTRIBUTES: u32 = tag(10, wire_type::VARINT);
        const EVENT: u32 = tag(11, wire_type::BYTES);
        const DROPPED_EVENTS: u32 = tag(12, wire_type::VARINT);
        const LINK: u32 = tag(13, wire_type::BYTES);
        const DROPPED_LINKS: u32 = tag(14, wire_type::VARINT);
        const STATUS: u32 = tag(15, wire_type::BYTES);
        const FLAGS: u32 = tag(16, wire_type::FIXED32);
        const KNOWN: [u32; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        self.slots.clear();
        self.links.clear();
        let mut attributes = 0;
        let groups_max = self.limits.groups_max;
        let mut reader = Reader::new(bytes);
        while !reader.rest().is_empty() {
            let tag = reader.some_tag()?;
            match tag {
                ATTRIBUTE => loop {
                    attributes += 1;
                    if attributes > self.limits.attributes_max {
                        span.over_attributes = true;
                        return Ok(());
                    }
                    self.slots.read(&self.keys.span, reader.bytes()?, groups_max)?;
                    if !reader.next_is(ATTRIBUTE) {
                        break;
                    }
                },
                TRACE_ID => span.trace_id = reader.bytes()?,
                SPAN_ID => span.span_id = reader.bytes()?,
                TRACE_STATE => span.trace_state = reader.bytes()?,
                PARENT => span.parent_span_id = reader.bytes()?,
                NAME => span.name = reader.bytes()?,
                KIND => span.kind = enum_value(reader.varint()?),
                START => span.start_ns = reader.fixed64()?,
                END => span.end_ns = reader.fixed64()?,
                STATUS => read_status(reader.bytes()?, &mut span.status, groups_max)?,
                FLAGS => span.flags = reader.fixed32()?,
                EVENT => drop(reader.bytes()?),
                LINK => {
                    let link = read_link(reader.bytes()?, groups_max)?;
                    if self.links.len() < self.limits.links_max as usize {
                        self.links.push(link);
                    }
                }
                DROPPED_ATTRIBUTES | DROPPED_EVENTS | DROPPED_LINKS => drop(reader.varint()?),
                _ => reader.skip_unknown(tag, &KNOWN, groups_max)?,
            }
        }
        Ok(())
    }
}

/// An enum is an int32: of a longer varint the low 32 bits count.
#[inline]
fn enum_value(varint: u64) -> i32 {
    (varint as u32).cast_signed()
}

fn read_status(bytes: &[u8], code: &mut i32, groups_max: usize) -> Result<(), WireError> {
    const MESSAGE: u32 = tag(2, wire_type::BYTES);
    const CODE: u32 = tag(3, wire_type::VARINT);
    let mut reader = Reader::new(bytes);
    while let Some(tag) = reader.tag()? {
        match tag {
            MESSAGE => drop(reader.bytes()?),
            CODE => *code = enum_value(reader.varint()?),
            _ => reader.skip_unknown(tag, &[2, 3], groups_max)?,
        }
    }
    Ok(())
}

fn read_link(bytes: &[u8], groups_max: usize) -> Result<Link<'_>, WireError> {
    const TRACE_ID: u32 = tag(1, wire_type::BYTES);
    const SPAN_ID: u32 = tag(2, wire_type::BYTES);
    const TRACE_STATE: u32 = tag(3, wire_type::BYTES);
    const ATTRIBUTE: u32 = tag(4, wire_type::BYTES);
    const DROPPED: u32 = tag(5, wire_type::VARINT);
    const FLAGS: u32 = tag(6, wire_type::FIXED32);
    let mut link = Link::default();
    let mut reader = Reader::new(bytes);
    while let Some(tag) = reader.tag()? {
        match tag {
            TRACE_ID => link.trace_id = reader.bytes()?,
            SPAN_ID => link.span_id = reader.bytes()?,
            TRACE_STATE | ATTRIBUTE => drop(reader.bytes()?),
            DROPPED => drop(reader.varint()?),
            FLAGS => drop(reader.fixed32()?),
            _ => reader.skip_unknown(tag, &[1, 2, 3, 4, 5, 6], groups_max)?,
        }
    }
    Ok(link)
}

#[cfg(test)]
mod tests;
