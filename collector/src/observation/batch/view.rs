//! Reading a batch: everything is checked once, so that what follows can index without doubt.

use super::layout::{self, HEADER_BYTES, MAGIC, ROW_BYTES, SECTIONS, Section, VERSION, header};
use super::row::{Context, Evidence, Extra, Link, Point, Reject, Span};

/// A batch whose bytes are known to be sound: written by [`super::Builder`] or accepted by [`Batch::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch(pub(super) Vec<u8>);

/// What is wrong with bytes that should be a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Too short for a header, or not a batch.
    #[error("failed to read a batch: no batch header")]
    Header,
    /// Written by a newer version.
    #[error("failed to read a batch: version {0} is newer than {VERSION}")]
    Newer(u16),
    /// Lengths do not add up.
    #[error("failed to read a batch: sections do not fill its bytes")]
    Sections,
    /// A row points outside.
    #[error("failed to read a batch: a row of section {0} points outside the batch")]
    Index(usize),
    /// A string ends before it begins, or is not UTF-8.
    #[error("failed to read a batch: its strings are damaged")]
    Strings,
    /// Items do not add up to those received.
    #[error("failed to read a batch: received is not the sum of rows, ignored and rejected items")]
    Books,
}

impl Batch {
    /// Takes bytes from outside (the journal) after checking magic, version, section arithmetic, every index, every
    /// string and the law of the books.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(bytes: Vec<u8>) -> Result<Self, Damage> {
        if bytes.len() < HEADER_BYTES || bytes[..4] != MAGIC {
            return Err(Damage::Header);
        }
        let version = u16::from_le_bytes([bytes[header::VERSION], bytes[header::VERSION + 1]]);
        if version > VERSION {
            return Err(Damage::Newer(version));
        }
        if version == 0 || !matches!(bytes[header::SIGNAL], 1 | 2) {
            return Err(Damage::Header);
        }
        let mut end = HEADER_BYTES as u64;
        for (section, row_bytes) in ROW_BYTES.iter().enumerate() {
            let bytes = u64::from(read_u32(&bytes, header::COUNTS + 4 * section)) * *row_bytes as u64;
            end += bytes.next_multiple_of(8);
        }
        if end != bytes.len() as u64 {
            return Err(Damage::Sections);
        }
        let batch = Self(bytes);
        batch.view().check()?;
        Ok(batch)
    }

    /// Its bytes, as they are stored.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads it.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        let mut at = HEADER_BYTES;
        let sections = std::array::from_fn(|section| {
            let bytes = read_u32(&self.0, header::COUNTS + 4 * section) as usize * ROW_BYTES[section];
            let rows = &self.0[at..at + bytes];
            at += layout::aligned(bytes);
            rows
        });
        View { header: &self.0[..HEADER_BYTES], sections }
    }
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The parts of a sound batch.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    header: &'a [u8],
    sections: [&'a [u8]; SECTIONS],
}

macro_rules! rows {
    ($(#[$doc:meta])* $name:ident, $row:ident, $section:ident) => {
        $(#[$doc])*
        #[must_use]
        #[inline]
        pub fn $name(&self) -> impl ExactSizeIterator<Item = $row> + 'a {
            self.sections[Section::$section as usize].as_chunks::<{ $row::BYTES }>().0.iter().map($row::from_bytes)
        }
    };
}

impl<'a> View<'a> {
    rows!(/// Contexts in order.
        contexts, Context, Contexts);
    rows!(/// Evidence in order; row 0 claims nothing.
        evidence, Evidence, Evidence);
    rows!(/// Spans in the order of the request.
        spans, Span, Spans);
    rows!(/// Data points in the order of the request.
        points, Point, Points);
    rows!(/// Extras in order.
        extras, Extra, Extras);
    rows!(/// Links in order.
        links, Link, Links);
    rows!(/// What was refused.
        rejects, Reject, Rejects);

    /// The extras of one item: `first` and how many, as its row says.
    pub fn extras_of(&self, first: u32, extras: u16) -> impl ExactSizeIterator<Item = Extra> + 'a {
        let rows = self.sections[Section::Extras as usize].as_chunks::<{ Extra::BYTES }>().0;
        rows.iter().skip(first as usize).take(usize::from(extras)).map(Extra::from_bytes)
    }

    /// The links of one span: `first` and how many, as its row says.
    pub fn links_of(&self, first: u32, links: u8) -> impl ExactSizeIterator<Item = Link> + 'a {
        let rows = self.sections[Section::Links as usize].as_chunks::<{ Link::BYTES }>().0;
        rows.iter().skip(first as usize).take(usize::from(links)).map(Link::from_bytes)
    }

    /// The words of a histogram point: `first` and how many, as its row says.
    pub fn words_of(&self, first: u32, words: u32) -> impl ExactSizeIterator<Item = u64> + 'a {
        let rows = self.sections[Section::Buckets as usize].as_chunks::<8>().0;
        rows.iter().skip(first as usize).take(words as usize).copied().map(u64::from_le_bytes)
    }

    /// 1 traces, 2 metrics.
    #[must_use]
    pub fn signal(&self) -> u8 {
        self.header[header::SIGNAL]
    }

    /// XXH3-128 of the inflated body as it was sent.
    #[must_use]
    pub fn body_hash(&self) -> [u8; 16] {
        std::array::from_fn(|at| self.header[header::BODY_HASH + at])
    }

    /// The clock when the body was complete.
    #[must_use]
    pub fn observed_at_ns(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.header[header::OBSERVED_AT_NS..header::OBSERVED_AT_NS + 8]);
        u64::from_le_bytes(bytes)
    }

    /// One u32 of the header, by its offset in [`header`].
    #[must_use]
    pub fn header_u32(&self, offset: usize) -> u32 {
        read_u32(self.header, offset)
    }

    /// Rows of a section.
    #[must_use]
    pub fn count(&self, section: Section) -> usize {
        self.sections[section as usize].len() / ROW_BYTES[section as usize]
    }

    /// A string; empty for index 0 (absent).
    #[must_use]
    #[inline]
    pub fn string(&self, index: u32) -> &'a str {
        // Checked when the batch was made or read: a sound batch holds UTF-8 only.
        std::str::from_utf8(self.string_bytes(index)).unwrap_or_default()
    }

    /// The bytes of a string.
    #[must_use]
    #[inline]
    pub fn string_bytes(&self, index: u32) -> &'a [u8] {
        let Some(previous) = index.checked_sub(1) else { return &[] };
        &self.sections[Section::StringBytes as usize][self.string_end(previous)..self.string_end(index)]
    }

    /// Number of strings, the absent one among them.
    #[must_use]
    pub fn string_count(&self) -> usize {
        self.count(Section::StringEnds)
    }

    #[inline]
    fn string_end(&self, index: u32) -> usize {
        read_u32(self.sections[Section::StringEnds as usize], 4 * index as usize) as usize
    }

    fn check(&self) -> Result<(), Damage> {
        self.check_strings()?;
        let strings = self.string_count() as u64;
        let within = |section: Section, indexes: &[u32]| match indexes.iter().all(|index| u64::from(*index) < strings) {
            true => Ok(()),
            false => Err(Damage::Index(section as usize)),
        };
        for c in self.contexts() {
            let service = [c.service_namespace, c.service_name, c.service_instance, c.service_version];
            within(Section::Contexts, &service)?;
            within(Section::Contexts, &[c.module_resource, c.module_scope, c.scope_name, c.tenant_resource])?;
        }
        for e in self.evidence() {
            within(Section::Evidence, &[e.tenant_span, e.tenant_header, e.tenant_baggage])?;
            within(Section::Evidence, &[e.tenant_token, e.tenant_data, e.module_span])?;
        }
        for s in self.spans() {
            within(Section::Spans, &[s.operation, s.peer, s.error_type])?;
            self.check_span(&s)?;
        }
        for p in self.points() {
            within(Section::Points, &[p.metric, p.unit, p.operation])?;
            self.check_point(&p)?;
        }
        for r in self.rejects() {
            within(Section::Rejects, &[r.tenant])?;
        }
        within(Section::Contexts, &[self.header_u32(header::PRINCIPAL), self.header_u32(header::TENANT_AUTH)])?;
        let rejected: u64 = self.rejects().map(|reject| u64::from(reject.count)).sum();
        let rows = (self.count(Section::Spans) + self.count(Section::Points)) as u64;
        let booked = rows + u64::from(self.header_u32(header::IGNORED)) + rejected;
        if booked == u64::from(self.header_u32(header::RECEIVED)) { Ok(()) } else { Err(Damage::Books) }
    }

    fn check_span(&self, span: &Span) -> Result<(), Damage> {
        let inside =
            |first: u32, n: u8, section: Section| n == 0 || first as usize + usize::from(n) <= self.count(section);
        let sound = (span.context as usize) < self.count(Section::Contexts)
            && (span.evidence as usize) < self.count(Section::Evidence)
            && inside(span.first_link, span.links, Section::Links)
            && inside(span.first_extra, span.extras, Section::Extras)
            && bailiwick_slo::outcome::Outcome::from_u8(span.outcome).is_some();
        if sound { Ok(()) } else { Err(Damage::Index(Section::Spans as usize)) }
    }

    fn check_point(&self, point: &Point) -> Result<(), Damage> {
        let inside = |first: u32, n: u32, section: Section| {
            n == 0 || u64::from(first) + u64::from(n) <= self.count(section) as u64
        };
        let sound = (point.context as usize) < self.count(Section::Contexts)
            && (point.evidence as usize) < self.count(Section::Evidence)
            && inside(point.first_extra, point.extras.into(), Section::Extras)
            && inside(point.first_word, point.words, Section::Buckets)
            && self.words_fit(point)
            && bailiwick_slo::outcome::Outcome::from_u8(point.outcome).is_some();
        if sound { Ok(()) } else { Err(Damage::Index(Section::Points as usize)) }
    }

    /// Whether the words of a point are what its kind of data says, so that readers can take them apart without doubt.
    fn words_fit(&self, point: &Point) -> bool {
        match point.data {
            1 | 2 => point.words == 0,
            3 => point.words == 0 || point.words % 2 == 1,
            4 => point.words == 0 || sides_fit(&self.words_of(point.first_word, point.words).collect::<Vec<_>>()),
            _ => false,
        }
    }

    fn check_strings(&self) -> Result<(), Damage> {
        let bytes = self.sections[Section::StringBytes as usize];
        let count = u32::try_from(self.string_count()).map_err(|_| Damage::Strings)?;
        if count == 0 || self.string_end(0) != 0 || self.string_end(count - 1) != bytes.len() {
            return Err(Damage::Strings);
        }
        for index in 1..count {
            let (start, end) = (self.string_end(index - 1), self.string_end(index));
            if start > end || end > bytes.len() || std::str::from_utf8(&bytes[start..end]).is_err() {
                return Err(Damage::Strings);
            }
        }
        Ok(())
    }
}

/// Zero count, zero threshold, then twice: an offset, a number, and as many counts.
fn sides_fit(words: &[u64]) -> bool {
    fn behind_side(words: &[u64]) -> Option<&[u64]> {
        let [_offset, buckets, rest @ ..] = words else { return None };
        rest.get(usize::try_from(*buckets).ok()?..)
    }
    words.get(2..).and_then(behind_side).and_then(behind_side).is_some_and(<[u64]>::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_an_exponential_histogram_fill_its_words() {
        assert!(sides_fit(&[0, 0, 5, 2, 10, 11, 7, 0]));
        assert!(sides_fit(&[0, 0, 0, 0, 0, 0]));
        let off: [&[u64]; 6] =
            [&[], &[0, 0], &[0, 0, 5, 2, 10, 11], &[0, 0, 0, 0, 0], &[0, 0, 0, 0, 0, 0, 0], &[0, 0, 0, u64::MAX, 0, 0]];
        for words in off {
            assert!(!sides_fit(words), "{words:?}");
        }
    }
}
