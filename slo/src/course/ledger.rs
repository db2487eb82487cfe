//! Records that were taken, as many as fit: what a backtest reads. Where older ones had to go, what they named stays.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::control::Control;
use super::record::Record;
use crate::engine::fleet::Limits;
use crate::saved;
use crate::saved::Saved;
use crate::wire::{Read, Reader, Unreadable, Writer};

/// What a ledger begins with: name and version.
const MAGIC: &[u8] = b"bailiwick-ledger/1\n";
/// Bytes of records that are forgotten at a time.
const SEGMENT_BYTES: usize = 64 << 10;

/// Whose ledger it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What ids are made of.
    pub store_id: String,
    /// What its instances may take: a backtest that has other limits refuses others.
    pub limits: Limits,
}

/// Records one after the other.
#[derive(Debug)]
struct Segment {
    /// What is open after its first record, and after its last one.
    open: (u64, u64),
    bytes: Vec<u8>,
}

saved!(struct Segment { open, bytes });

/// The ledger.
#[derive(Debug)]
pub struct Ledger {
    origin: Origin,
    /// What forgotten records named and ordered.
    before: Record,
    segments: VecDeque<Arc<Segment>>,
    bytes: usize,
    bytes_max: usize,
    forgotten: u64,
}

/// A ledger that was written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Whose it is.
    pub origin: Origin,
    /// Records that had to go before it was written: windows begin later than those of the daemon did.
    pub forgotten: u64,
    /// The first one names what was known before those that are kept.
    pub records: Vec<Record>,
}

impl Ledger {
    /// An empty one of so many bytes at most.
    #[must_use]
    pub fn new(origin: Origin, bytes_max: usize) -> Self {
        let (before, segments) = (Record::default(), VecDeque::new());
        Self { origin, before, segments, bytes: 0, bytes_max, forgotten: 0 }
    }

    /// Takes a record in.
    pub fn push(&mut self, record: &Record) {
        let has_room = self.segments.back().is_some_and(|last| last.bytes.len() < SEGMENT_BYTES);
        if !has_room {
            self.segments.push_back(Arc::new(Segment { open: (record.open, record.open), bytes: Vec::new() }));
        }
        let last = self.segments.back_mut().expect("there is one now");
        // A reader may hold the last segment: then it is copied, 64 KiB at most.
        if Arc::get_mut(last).is_none() {
            *last = Arc::new(Segment { open: last.open, bytes: last.bytes.clone() });
        }
        let segment = Arc::get_mut(last).expect("nobody else has it");
        let length = segment.bytes.len();
        record.write(&mut segment.bytes);
        segment.open.1 = record.open;
        self.bytes += segment.bytes.len() - length;
        self.fit();
    }

    /// Writes it: what it is about, not whose it is.
    pub fn save(&self, to: &mut Writer) {
        let mut before = Vec::new();
        self.before.write(&mut before);
        before.save(to);
        self.segments.save(to);
        self.forgotten.save(to);
    }

    /// Reads what [`Self::save`] wrote; it may have other maxima now.
    ///
    /// # Errors
    /// Where the bytes are none that were saved.
    pub fn restore(origin: Origin, bytes_max: usize, from: &mut Reader<'_>) -> Read<Self> {
        let before = Record::read(&mut Reader::new(&Vec::<u8>::load(from)?))?;
        let segments = VecDeque::<Arc<Segment>>::load(from)?;
        let bytes = segments.iter().map(|segment| segment.bytes.len()).sum();
        let mut ledger = Self { origin, before, segments, bytes, bytes_max, forgotten: u64::load(from)? };
        ledger.fit();
        Ok(ledger)
    }

    /// Forgets the oldest as long as there is too much.
    fn fit(&mut self) {
        while self.bytes > self.bytes_max && self.segments.len() > 1 {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let Some(segment) = self.segments.pop_front() else { return };
        self.bytes -= segment.bytes.len();
        let Ok(records) = Record::read_all(&segment.bytes) else {
            // Nothing that can be written cannot be read; if it ever can, its names are lost and the daemon goes on.
            self.forgotten += 1;
            return;
        };
        self.forgotten = self.forgotten.saturating_add(records.len() as u64);
        records.into_iter().for_each(|record| self.before.absorb(record));
    }

    /// Bytes that it takes.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.bytes
    }

    /// Records that had to go.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// All of it as it is now: cheap to take, and written later.
    #[must_use]
    pub fn copy(&self) -> Copied {
        Copied {
            origin: self.origin.clone(),
            forgotten: self.forgotten,
            before: self.before.clone(),
            segments: self.segments.iter().cloned().collect(),
        }
    }
}

/// A ledger at one moment.
#[derive(Debug, Clone)]
pub struct Copied {
    origin: Origin,
    forgotten: u64,
    before: Record,
    segments: Vec<Arc<Segment>>,
}

impl Copied {
    /// The ticks that it can tell of: the first that is whole, and the first that is not over.
    #[must_use]
    pub fn span(&self) -> Option<(u64, u64)> {
        Some((self.segments.first()?.open.0, self.segments.last()?.open.1))
    }

    /// As bytes, for [`Written::read`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::after(MAGIC.to_vec());
        to.text(&self.origin.store_id);
        to.number(self.origin.limits.instances_max as u64);
        to.number(self.origin.limits.memory_bytes_max as u64);
        to.number(self.forgotten);
        let mut bytes = to.into_bytes();
        if !self.before.is_empty() {
            self.before.write(&mut bytes);
        }
        self.segments.iter().for_each(|segment| bytes.extend_from_slice(&segment.bytes));
        bytes
    }
}

impl Written {
    /// Reads what [`Copied::to_bytes`] wrote.
    ///
    /// # Errors
    /// Bytes that are no ledger of this version.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return Err(Unreadable { at: 0, what: "this is no ledger of version 1" });
        };
        let mut from = Reader::new(rest);
        let store_id = from.owned()?;
        let max = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let limits = Limits { instances_max: max(from.number()?), memory_bytes_max: max(from.number()?) };
        let forgotten = from.number()?;
        let records = Record::read_rest(&mut from)?;
        Ok(Self { origin: Origin { store_id, limits }, forgotten, records })
    }
}

impl Record {
    /// Keeps what a later record named and ordered; what it counted is forgotten.
    fn absorb(&mut self, later: Self) {
        (self.seq, self.open) = (later.seq, later.open);
        self.modules.extend(later.modules);
        self.series.extend(later.series);
        self.readings.extend(later.readings);
        let mut heard: BTreeMap<u32, u64> = self.heard.drain(..).collect();
        heard.extend(later.heard);
        self.heard.extend(heard);
        if later.controls.iter().any(|control| matches!(**control, Control::Define(_))) {
            // Only the latest definitions hold.
            self.controls.retain(|control| !matches!(**control, Control::Define(_)));
        }
        // What only asked, or looked after an incident of then, says nothing of later.
        let holds = |control: &Arc<Control>| {
            matches!(**control, Control::Define(_)) || control.is_correction() || control.is_silence()
        };
        self.controls.extend(later.controls.into_iter().filter(holds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::record::{Module, Requests, Series};
    use crate::outcome::OutcomeCounts;

    fn origin() -> Origin {
        Origin { store_id: "test".to_owned(), limits: Limits { instances_max: 10, memory_bytes_max: 1 << 20 } }
    }

    fn record(open: u64) -> Record {
        let name = |text: String| Arc::from(text.as_str());
        let counts = Requests { outcomes: OutcomeCounts([open, 1, 0, 0, 0]), spans: open + 1 };
        Record {
            seq: open,
            open,
            modules: vec![Module { tenant: name("acme".to_owned()), module: name(format!("m{open}")) }],
            series: vec![Series { module: 0, operation: name(format!("op{open}")) }],
            requests: (0..200).map(|series| (open - 1, series, counts)).collect(),
            controls: vec![Arc::new(Control::Define(vec![(format!("{open}.yaml"), String::new())]))],
            ..Record::default()
        }
    }

    #[test]
    fn what_was_pushed_is_read_in_its_order() {
        let mut ledger = Ledger::new(origin(), 1 << 20);
        let records: Vec<Record> = (100..110).map(record).collect();
        records.iter().for_each(|record| ledger.push(record));
        assert_eq!(ledger.copy().span(), Some((100, 109)));
        let written = Written::read(&ledger.copy().to_bytes()).expect("it was written so");
        assert_eq!(written, Written { origin: origin(), forgotten: 0, records });
    }

    #[test]
    fn what_had_to_go_leaves_its_names_and_the_latest_definitions() {
        let mut ledger = Ledger::new(origin(), 200 << 10);
        (100..600).for_each(|open| ledger.push(&record(open)));
        assert!(ledger.memory_bytes() <= 200 << 10 && ledger.forgotten() > 0);
        let written = Written::read(&ledger.copy().to_bytes()).expect("it was written so");
        assert_eq!(written.forgotten, ledger.forgotten());
        let modules: Vec<String> =
            written.records.iter().flat_map(|record| &record.modules).map(|module| module.module.to_string()).collect();
        assert_eq!(modules, (100..600).map(|open| format!("m{open}")).collect::<Vec<_>>());
        let before = &written.records[0];
        assert!(before.requests.is_empty());
        let last = Control::Define(vec![(format!("{}.yaml", before.open), String::new())]);
        assert_eq!(before.controls, [Arc::new(last)]);
    }

    #[test]
    fn a_copy_does_not_change_when_the_ledger_goes_on() {
        let mut ledger = Ledger::new(origin(), 1 << 20);
        ledger.push(&record(100));
        let copy = ledger.copy();
        ledger.push(&record(101));
        assert_eq!(Written::read(&copy.to_bytes()).expect("it was written so").records.len(), 1);
    }

    #[test]
    fn another_file_is_told_from_a_ledger() {
        let error = Written::read(b"kind: SLO").expect_err("that is none").to_string();
        assert!(error.contains("no ledger of version 1"), "{error}");
    }
}
