//! A batch as plain lists, and its bytes (`ingest.md` 4).

use bailiwick_collector::observation::batch::layout::{self, HEADER_BYTES, MAGIC, ROW_BYTES, VERSION, header};
use bailiwick_collector::observation::batch::row::{Context, Evidence, Extra, Link, Point, Reject, Span};
use bailiwick_collector::observation::report::{Reason, Warning};
use bailiwick_collector::observation::{Request, Signal};

/// The lists of a batch. Strings have their place by first use, so the order of use is part of the format.
#[derive(Debug)]
pub(super) struct Table {
    strings: Vec<String>,
    evidence: Vec<Evidence>,
    pub(super) contexts: Vec<Context>,
    pub(super) spans: Vec<Span>,
    pub(super) points: Vec<Point>,
    extras: Vec<Extra>,
    words: Vec<u64>,
    pub(super) links: Vec<Link>,
    rejects: Vec<Reject>,
    warnings: u32,
    pub(super) received: u32,
    pub(super) ignored: u32,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            strings: vec![String::new()],
            evidence: vec![Evidence::default()],
            contexts: vec![],
            spans: vec![],
            points: vec![],
            extras: vec![],
            words: vec![],
            links: vec![],
            rejects: vec![],
            warnings: 0,
            received: 0,
            ignored: 0,
        }
    }

    /// The place of a string; the empty one is absent and has place 0.
    pub(super) fn string(&mut self, text: &str) -> u32 {
        place(&mut self.strings, text.to_owned())
    }

    pub(super) fn evidence(&mut self, row: Evidence) -> u32 {
        place(&mut self.evidence, row)
    }

    pub(super) fn warn(&mut self, warning: Warning) {
        self.warnings |= 1 << warning as u8;
    }

    /// The place of extras, 0 for none, and how many they are.
    pub(super) fn extras(&mut self, extras: Vec<Extra>) -> (u32, usize) {
        let (first, count) = (self.extras.len() as u32, extras.len());
        self.extras.extend(extras);
        (if count == 0 { 0 } else { first }, count)
    }

    /// The place of words, 0 for none, and how many they are.
    pub(super) fn words(&mut self, words: &[u64]) -> (u32, u32) {
        let first = self.words.len() as u32;
        self.words.extend(words);
        (if words.is_empty() { 0 } else { first }, words.len() as u32)
    }

    /// Books one refused item.
    pub(super) fn reject(&mut self, tenant: u32, reason: Reason, item: u32) {
        let reason = reason as u16;
        match self.rejects.iter_mut().find(|row| row.tenant == tenant && row.reason == reason) {
            Some(row) => row.count += 1,
            None => self.rejects.push(Reject { tenant, reason, count: 1, first_item: item }),
        }
    }

    /// The bytes of the batch.
    pub(super) fn bytes(mut self, request: &Request<'_>) -> Vec<u8> {
        let principal = self.string(request.meta.principal);
        let tenant_auth = self.string(request.meta.tenant_auth);
        let sections = self.sections();
        let mut head = vec![0; HEADER_BYTES];
        let mut put = |at: usize, value: &[u8]| head[at..at + value.len()].copy_from_slice(value);
        put(header::MAGIC, &MAGIC);
        put(header::VERSION, &VERSION.to_le_bytes());
        put(header::SIGNAL, &[if request.signal == Signal::Traces { 1 } else { 2 }]);
        put(header::OBSERVED_AT_NS, &request.observed_at_ns.to_le_bytes());
        put(header::BODY_HASH, &xxhash_rust::xxh3::xxh3_128(request.body).to_le_bytes());
        put(header::BODY_BYTES, &(request.body.len() as u32).to_le_bytes());
        put(header::RECEIVED, &self.received.to_le_bytes());
        put(header::IGNORED, &self.ignored.to_le_bytes());
        put(header::WARNINGS, &self.warnings.to_le_bytes());
        put(header::PRINCIPAL, &principal.to_le_bytes());
        put(header::TENANT_AUTH, &tenant_auth.to_le_bytes());
        put(header::AUTH_SOURCE, &[request.meta.auth_source]);
        put(header::TRANSPORT, &[request.meta.transport]);
        put(header::ENCODING, &[request.meta.encoding]);
        put(header::COMPRESSION, &[request.meta.compression]);
        for (number, section) in sections.iter().enumerate() {
            let rows = (section.len() / ROW_BYTES[number]) as u32;
            put(header::COUNTS + 4 * number, &rows.to_le_bytes());
        }
        let mut bytes = head;
        for section in sections {
            bytes.extend(section);
            bytes.resize(layout::aligned(bytes.len()), 0);
        }
        bytes
    }

    /// In the order of `layout::Section`.
    fn sections(&self) -> [Vec<u8>; 10] {
        let mut ends = vec![];
        let mut end = 0_u32;
        for string in &self.strings {
            end += string.len() as u32;
            ends.extend(end.to_le_bytes());
        }
        [
            self.contexts.iter().flat_map(Context::to_bytes).collect(),
            self.evidence.iter().flat_map(Evidence::to_bytes).collect(),
            self.spans.iter().flat_map(Span::to_bytes).collect(),
            self.points.iter().flat_map(Point::to_bytes).collect(),
            self.extras.iter().flat_map(Extra::to_bytes).collect(),
            self.links.iter().flat_map(Link::to_bytes).collect(),
            self.rejects.iter().flat_map(Reject::to_bytes).collect(),
            self.words.iter().flat_map(|word| word.to_le_bytes()).collect(),
            ends,
            self.strings.concat().into_bytes(),
        ]
    }
}

fn place<T: PartialEq>(list: &mut Vec<T>, item: T) -> u32 {
    if let Some(place) = list.iter().position(|known| *known == item) {
        return place as u32;
    }
    list.push(item);
    list.len() as u32 - 1
}
