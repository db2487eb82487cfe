//! Writing a batch: rows and strings into reused buffers, then one contiguous run of bytes.

use super::Batch;
use super::claims::ClaimRows;
use super::layout::{self, HEADER_BYTES, MAGIC, SECTIONS, Section, VERSION, header};
use super::row::{Context, Evidence, Extra, Link, Point, Reject, Span};
use super::strings::Strings;
use crate::observation::report::Reason;

/// What the transport knows about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta<'a> {
    /// Who sent it: a key id or an address; empty: unknown.
    pub principal: &'a str,
    /// The tenant that `X-Scope-OrgID` (mode `none`) or a credential names; empty: none.
    pub tenant_auth: &'a str,
    /// Where `tenant_auth` comes from: 0 none, 1 header without keys, 2 credential.
    pub auth_source: u8,
    /// 1 gRPC, 2 HTTP, 3 inside the process.
    pub transport: u8,
    /// 1 protobuf, 2 JSON.
    pub encoding: u8,
    /// 0 identity, 1 gzip, 2 zstd, 3 deflate.
    pub compression: u8,
}

/// What a batch's header says besides its sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// 1 traces, 2 metrics.
    pub signal: u8,
    /// The clock when the body was complete.
    pub observed_at_ns: u64,
    /// XXH3-128 of the inflated body as it was sent.
    pub body_hash: u128,
    /// Its length.
    pub body_bytes: u32,
    /// Items in the request.
    pub received: u32,
    /// Items accepted without a row.
    pub ignored: u32,
    /// Bits of [`crate::observation::report::Warning`].
    pub warnings: u32,
}

/// Why a string got no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoString {
    /// It is not UTF-8.
    Utf8,
    /// The batch has no room for another one.
    Full,
}

/// What a section keeps between batches: one large request must not be paid for until the end of the process.
const SECTION_BYTES_KEPT: usize = 1 << 20;

/// Writes batches, one at a time, into reused buffers.
#[derive(Debug)]
pub struct Builder {
    sections: [Vec<u8>; SECTIONS],
    strings: Strings,
    claims: ClaimRows,
    strings_max: u32,
    string_bytes_max: usize,
}

impl Builder {
    /// A builder whose batches hold at most this many strings and bytes of strings.
    #[must_use]
    pub fn new(strings_max: u32, string_bytes_max: usize) -> Self {
        let mut builder = Self {
            sections: Default::default(),
            strings: Strings::new(),
            claims: ClaimRows::new(),
            strings_max,
            string_bytes_max: string_bytes_max.min(u32::MAX as usize),
        };
        builder.begin();
        builder
    }

    /// Forgets what was written. Index 0 of strings is the absent one, row 0 of evidence claims nothing.
    pub fn begin(&mut self) {
        for section in &mut self.sections {
            section.clear();
            section.shrink_to(SECTION_BYTES_KEPT);
        }
        self.strings.clear();
        self.claims.clear();
        self.evidence(&Evidence::default());
    }

    #[inline]
    fn push(&mut self, section: Section, row: &[u8]) {
        self.sections[section as usize].extend_from_slice(row);
    }

    #[inline]
    fn count(&self, section: Section) -> u32 {
        (self.sections[section as usize].len() / layout::ROW_BYTES[section as usize]) as u32
    }

    /// The index of a string; empty is absent.
    ///
    /// # Errors
    /// [`NoString`] when it is not UTF-8 or there is no room.
    #[inline]
    pub fn string(&mut self, text: &[u8]) -> Result<u32, NoString> {
        if text.is_empty() {
            return Ok(0);
        }
        let hash = self.strings.hash(text);
        match self.strings.find(hash, text) {
            Some(index) => Ok(index),
            None => self.add_string(hash, text),
        }
    }

    /// The index of a string that the batch has already.
    #[inline]
    pub fn known(&self, text: &[u8]) -> Option<u32> {
        self.strings.find(self.strings.hash(text), text)
    }

    #[inline(never)]
    fn add_string(&mut self, hash: u64, text: &[u8]) -> Result<u32, NoString> {
        if std::str::from_utf8(text).is_err() {
            return Err(NoString::Utf8);
        }
        // The absent string has an end too.
        let full = self.strings.count() + 1 >= self.strings_max;
        if full || self.strings.bytes.len() + text.len() > self.string_bytes_max {
            return Err(NoString::Full);
        }
        Ok(self.strings.add(hash, text))
    }

    /// The index of one of our own names, which is given a place whatever the maxima say.
    pub fn own_string(&mut self, text: &'static str) -> u32 {
        match self.string(text.as_bytes()) {
            Ok(index) => index,
            Err(_) => self.strings.add(self.strings.hash(text.as_bytes()), text.as_bytes()),
        }
    }

    /// The bytes of a string of this batch; empty for 0.
    #[must_use]
    pub fn text(&self, index: u32) -> &[u8] {
        self.strings.text(index)
    }

    /// Adds a context.
    pub fn context(&mut self, row: &Context) -> u32 {
        let index = self.count(Section::Contexts);
        self.push(Section::Contexts, &row.to_bytes());
        index
    }

    /// The row of this evidence.
    #[inline]
    pub fn evidence(&mut self, row: &Evidence) -> u32 {
        self.claims.number(row)
    }

    /// Adds a span.
    #[inline]
    pub fn span(&mut self, row: &Span) {
        // Straight into its place: a row that is put together elsewhere is read back too soon to be copied fast.
        let rows = &mut self.sections[Section::Spans as usize];
        let at = rows.len();
        rows.resize(at + Span::BYTES, 0);
        if let Some(place) = rows[at..].first_chunk_mut() {
            row.write(place);
        }
    }

    /// Adds a data point.
    pub fn point(&mut self, row: &Point) {
        self.push(Section::Points, &row.to_bytes());
    }

    /// Adds words of a histogram and says where the first one stands.
    pub fn words(&mut self, words: &[u64]) -> u32 {
        let index = self.count(Section::Buckets);
        words.iter().for_each(|word| self.push(Section::Buckets, &word.to_le_bytes()));
        index
    }

    /// Adds a link and says where it stands.
    pub fn link(&mut self, row: &Link) -> u32 {
        let index = self.count(Section::Links);
        self.push(Section::Links, &row.to_bytes());
        index
    }

    /// Adds an extra and says where it stands.
    pub fn extra(&mut self, row: &Extra) -> u32 {
        let index = self.count(Section::Extras);
        self.push(Section::Extras, &row.to_bytes());
        index
    }

    /// Books refused items: those of one tenant and reason share a row, in order of first occurrence.
    pub fn reject(&mut self, tenant: u32, reason: Reason, (first_item, count): (u32, u32)) {
        let rows = self.sections[Section::Rejects as usize].as_chunks_mut::<{ Reject::BYTES }>().0;
        for stored in rows.iter_mut() {
            let mut row = Reject::from_bytes(stored);
            if row.tenant == tenant && row.reason == reason as u16 {
                row.count += count;
                *stored = row.to_bytes();
                return;
            }
        }
        self.push(Section::Rejects, &Reject { tenant, reason: reason as u16, count, first_item }.to_bytes());
    }

    /// Puts header and sections together and begins anew.
    pub fn finish(&mut self, head: &Head, meta: &Meta<'_>) -> Batch {
        let principal = self.string(meta.principal.as_bytes()).unwrap_or(0);
        let tenant_auth = self.string(meta.tenant_auth.as_bytes()).unwrap_or(0);
        let mut sections = self.sections.each_ref().map(|section| &section[..]);
        sections[Section::Evidence as usize] = &self.claims.rows;
        sections[Section::StringEnds as usize] = &self.strings.ends;
        sections[Section::StringBytes as usize] = &self.strings.bytes;
        let length = sections.iter().map(|section| layout::aligned(section.len())).sum::<usize>();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + length);
        bytes.resize(HEADER_BYTES, 0);
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(header::MAGIC, &MAGIC);
        put(header::VERSION, &VERSION.to_le_bytes());
        put(header::SIGNAL, &[head.signal]);
        put(header::OBSERVED_AT_NS, &head.observed_at_ns.to_le_bytes());
        put(header::BODY_HASH, &head.body_hash.to_le_bytes());
        put(header::BODY_BYTES, &head.body_bytes.to_le_bytes());
        put(header::RECEIVED, &head.received.to_le_bytes());
        put(header::IGNORED, &head.ignored.to_le_bytes());
        put(header::WARNINGS, &head.warnings.to_le_bytes());
        put(header::PRINCIPAL, &principal.to_le_bytes());
        put(header::TENANT_AUTH, &tenant_auth.to_le_bytes());
        put(header::AUTH_SOURCE, &[meta.auth_source, meta.transport, meta.encoding, meta.compression]);
        for (section, rows) in sections.iter().enumerate() {
            let count = (rows.len() / layout::ROW_BYTES[section]) as u32;
            put(header::COUNTS + 4 * section, &count.to_le_bytes());
        }
        for section in sections {
            bytes.extend_from_slice(section);
            bytes.resize(layout::aligned(bytes.len()), 0);
        }
        self.begin();
        Batch(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_back_and_passes_the_check() {
        let mut builder = Builder::new(100, 1_000);
        let acme = builder.string(b"acme").expect("room");
        assert_eq!(builder.string(b"acme"), Ok(acme));
        assert_eq!(builder.string(b""), Ok(0));
        assert_eq!(builder.string(&[0xff]), Err(NoString::Utf8));
        let evidence = builder.evidence(&Evidence { tenant_span: acme, ..Evidence::default() });
        let context = builder.context(&Context { service_name: acme, resource_hash: 7, ..Context::default() });
        let span = Span { trace_id: [1; 16], span_id: [2; 8], context, evidence, operation: acme, ..Span::default() };
        builder.span(&span);
        builder.reject(acme, Reason::TooLate, (4, 1));
        builder.reject(acme, Reason::TooLate, (5, 2));
        let head = Head { signal: 1, received: 4, observed_at_ns: 9, ..Head::default() };
        let batch = builder.finish(&head, &Meta { tenant_auth: "globex", ..Meta::default() });

        let read = Batch::check(batch.bytes().to_vec()).expect("sound");
        let view = read.view();
        assert_eq!(view.spans().collect::<Vec<_>>(), [span]);
        assert_eq!(view.string(acme), "acme");
        assert_eq!(view.string(view.header_u32(header::TENANT_AUTH)), "globex");
        let rejects: Vec<_> = view.rejects().collect();
        assert_eq!(rejects, [Reject { tenant: acme, reason: Reason::TooLate as u16, count: 3, first_item: 4 }]);
        assert_eq!(view.observed_at_ns(), 9);
    }

    #[test]
    fn every_cut_and_every_wrong_count_is_damage() {
        let mut builder = Builder::new(100, 1_000);
        let name = builder.string(b"name").expect("room");
        let context = builder.context(&Context::default());
        builder.span(&Span { context, operation: name, ..Span::default() });
        let bytes =
            builder.finish(&Head { signal: 1, received: 1, ..Head::default() }, &Meta::default()).bytes().to_vec();
        assert!(Batch::check(bytes.clone()).is_ok());
        for length in 0..bytes.len() {
            assert!(Batch::check(bytes[..length].to_vec()).is_err(), "cut at {length}");
        }
        for at in header::COUNTS..header::COUNTS + 4 * SECTIONS {
            let mut changed = bytes.clone();
            changed[at] ^= 0x41;
            assert!(Batch::check(changed).is_err(), "count at {at}");
        }
    }

    #[test]
    fn a_full_table_refuses_new_strings_and_still_knows_its_own() {
        let mut builder = Builder::new(2, 1_000);
        assert_eq!(builder.string(b"one"), Ok(1));
        assert_eq!(builder.string(b"two"), Err(NoString::Full));
        assert_eq!(builder.string(b"one"), Ok(1));
        assert_eq!(builder.own_string("_other"), 2);
        assert_eq!(builder.own_string("_other"), 2);
    }
}
