//! What is there at the start (`ingest.md` 5.5): segments are read, a torn tail is cut, damage is set aside and told,
//! and records that no checkpoint holds are handed out again in their order.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Sequenced;
use super::disk::{Disk, write_all};
use super::repeats::Repeats;
use super::segment::format::{FIRST_SEQ_MAX, HeaderFault, RecordHeader, SEGMENT_HEADER_BYTES, SegmentHeader};
use super::segment::payload::{self, Unusable};
use super::segment::scan::{self, Found};

/// Names of segments end so.
pub(super) const SEGMENT: &str = ".seg";
/// Names of files that wait to become segments end so.
pub(super) const SPARE: &str = ".spare";
/// What was lost may have ended this long after the next record, nanoseconds: `ingest.future_accept`'s default.
const AFTER_NS: u64 = 60_000_000_000;

/// What opening needs.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Where segments are.
    pub directory: PathBuf,
    /// Where damaged ones are copied to.
    pub quarantine: PathBuf,
    /// The data directory's id.
    pub store_id: [u8; 16],
    /// Records up to this one are in the checkpoint.
    pub applied_seq: u64,
    /// What the checkpoint knows of requests that may come again.
    pub repeats: Vec<u8>,
    /// What was lost may have ended this long before the record before, nanoseconds (`ingest.late_accept`).
    pub late_accept_ns: u64,
    /// The disk.
    pub disk: Arc<dyn Disk>,
}

/// Why a journal cannot be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk fails.
    #[error("failed to {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file of another data directory.
    #[error("{} belongs to another data directory: remove it, or restore the data directory as a whole", .0.display())]
    Foreign(PathBuf),
    /// A file of a newer version.
    #[error("{} has version {version}; this binary reads up to 1: start the version that wrote it, or a newer one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u16,
    },
}

/// Records that had been acknowledged and are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// What was lost ended at or after this, Unix nanoseconds.
    pub from_ns: u64,
    /// And before this.
    pub to_ns: u64,
    /// Numbers of the records.
    pub seqs: (u64, u64),
    /// The file that they were in, as far as that is known.
    pub segment: String,
}

/// A segment that is no longer written to.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) last_seq: u64,
    records: Vec<Found>,
}

impl Held {
    /// One that this process has written: nobody replays it.
    pub(super) const fn written(path: PathBuf, bytes: u64, last_seq: u64) -> Self {
        Self { path, bytes, last_seq, records: Vec::new() }
    }
}

/// A journal that was read, before anything is written to it.
#[derive(Debug)]
pub struct Opened {
    pub(super) directory: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) store_id: [u8; 16],
    pub(super) held: Vec<Held>,
    pub(super) next_seq: u64,
    /// Shared from the start: a checkpoint that is written while records are replayed holds it too.
    pub(super) repeats: Arc<Mutex<Repeats>>,
    quarantine: PathBuf,
    late_accept_ns: u64,
    applied_seq: u64,
    /// Tails that were cut: 0 or 1.
    pub torn: u64,
    /// What was promised and is lost.
    pub damaged: Vec<Damaged>,
}

/// A segment as it was read.
struct Read {
    path: PathBuf,
    bytes: u64,
    records: Vec<Found>,
    /// A record was begun at its end and is not whole.
    is_torn: bool,
    /// Nothing in it can be told from what a reused file held before.
    is_unreadable: bool,
    /// The number of its first record, by its header or its name.
    first_seq: u64,
    /// Its header is whole: all records before it were on the disk when it was written.
    is_begun: bool,
}

/// Reads a journal, and mends what can be mended.
///
/// # Errors
/// When the disk fails, or a file is another's or newer.
pub fn open(opening: Opening) -> Result<Opened, OpenError> {
    let Opening { directory, quarantine, store_id, applied_seq, repeats, late_accept_ns, disk } = opening;
    let segments = read_segments(&*disk, &directory, store_id)?;
    let (kept, lost) = judge(&segments, applied_seq);
    let begun = begun_after(&segments);
    let torn = u64::from(is_torn_after(&segments, kept));
    let mut damaged = lost.iter().map(|lost| lost.told(&segments, late_accept_ns)).collect::<Vec<_>>();
    for lost in &lost {
        set_aside(&*disk, &segments, lost, &quarantine)?;
    }
    for read in segments.iter().filter(|read| read.is_unreadable) {
        disk.copy(&read.path, &quarantine).map_err(|source| failed("copy", &read.path, source))?;
        // A header was on the disk before its file had the name: without one, whatever was in it is lost.
        if read.first_seq > kept.max(applied_seq) && read.first_seq <= FIRST_SEQ_MAX {
            damaged.push(told_of_end(&segments, read, late_accept_ns));
        }
    }
    if begun > kept.max(applied_seq) {
        damaged.push(told_of_rest(&segments, (kept.max(applied_seq) + 1, begun), late_accept_ns));
    }
    let mut opened = Opened {
        directory,
        disk,
        store_id,
        held: Vec::new(),
        next_seq: kept.max(applied_seq).max(begun) + 1,
        repeats: Arc::new(Mutex::new(Repeats::load(&repeats))),
        quarantine,
        late_accept_ns,
        applied_seq,
        torn,
        damaged,
    };
    if !opened.damaged.is_empty() {
        // What proves the promise may be cut below: were the power to fail then, the next start would take what was kept
        // for unpromised.
        opened.prove()?;
    }
    for read in segments {
        opened.keep(read, kept)?;
    }
    let directory = &opened.directory;
    opened.disk.sync_directory(directory).map_err(|source| failed("sync", directory, source))?;
    Ok(opened)
}

impl Opened {
    /// Records that are not in the checkpoint, in order; `take` says whether to go on.
    ///
    /// # Errors
    /// When the disk fails, or a record is of a newer version.
    pub fn replay(&mut self, mut take: impl FnMut(Sequenced) -> bool) -> Result<(), OpenError> {
        let applied_seq = self.applied_seq;
        for segment in self.held.iter().filter(|segment| segment.last_seq > applied_seq) {
            let path = &segment.path;
            let file = self.disk.open(path).map_err(|source| failed("open", path, source))?;
            let bytes = file.read_all().map_err(|source| failed("read", path, source))?;
            for found in segment.records.iter().filter(|found| found.seq > applied_seq && found.end() <= bytes.len()) {
                let seq = found.seq;
                let record = match payload::read(found.kind, found.payload(&bytes)) {
                    Ok(record) => record,
                    Err(Unusable::Newer(version)) => return Err(OpenError::Newer { path: path.clone(), version }),
                    Err(Unusable::Damaged) => {
                        self.disk.copy(path, &self.quarantine).map_err(|source| failed("copy", path, source))?;
                        let from_ns = found.at_ns.map_or(0, |at_ns| at_ns.saturating_sub(self.late_accept_ns));
                        let to_ns = found.at_ns.map_or(u64::MAX, |at_ns| at_ns.saturating_add(AFTER_NS));
                        self.damaged.push(Damaged { from_ns, to_ns, seqs: (seq, seq), segment: name_of(path) });
                        continue;
                    }
                };
                self.repeats.lock().unwrap_or_else(PoisonError::into_inner).note(&record, seq);
                if !take(Sequenced { seq, record }) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Begins the segment of the next record: that it is there says that all before it was promised.
    fn prove(&self) -> Result<(), OpenError> {
        let (path, new) = (self.next_path(), self.directory.join(format!("proof{SPARE}")));
        let header = SegmentHeader::new(self.store_id, self.next_seq, 0);
        let file = self.disk.create(&new).map_err(|source| failed("create", &new, source))?;
        let written = write_all(&*file, &header.to_bytes(), 0).and_then(|()| file.sync());
        let named = written.and_then(|()| self.disk.rename(&new, &path));
        let synced = named.and_then(|()| self.disk.sync_directory(&self.directory));
        synced.map_err(|source| failed("write", &path, source))
    }

    /// The segment that the next record begins.
    fn next_path(&self) -> PathBuf {
        self.directory.join(format!("{:020}{SEGMENT}", self.next_seq))
    }

    /// Keeps a segment's records up to `last`, or removes it with none.
    fn keep(&mut self, mut read: Read, last: u64) -> Result<(), OpenError> {
        let path = read.path.clone();
        if !self.damaged.is_empty() && path == self.next_path() {
            // The proof has its name; the writer gives it to the segment that it begins.
            return Ok(());
        }
        let before = read.records.len();
        read.records.retain(|found| found.seq <= last);
        let Some(end) = read.records.last().map(Found::end) else {
            return self.disk.remove(&path).map_err(|source| failed("remove", &path, source));
        };
        let file = self.disk.open(&path).map_err(|source| failed("open", &path, source))?;
        if read.is_torn || before != read.records.len() {
            // Else a later start could take what was cut for promised.
            file.cut(end as u64).map_err(|source| failed("cut", &path, source))?;
            read.bytes = end as u64;
        }
        // What the last process left to the operating system is on the disk before anything relies on it.
        file.sync().map_err(|source| failed("sync", &path, source))?;
        let last_seq = read.records.last().map_or(0, |found| found.seq);
        self.held.push(Held { path, bytes: read.bytes, last_seq, records: read.records });
        Ok(())
    }
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { what, path: path.to_owned(), source }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read_segments(disk: &dyn Disk, directory: &Path, store_id: [u8; 16]) -> Result<Vec<Read>, OpenError> {
    let mut names = disk.list(directory).map_err(|source| failed("list", directory, source))?;
    names.sort_unstable();
    let mut segments: Vec<Read> = Vec::new();
    for name in names {
        let path = directory.join(&name);
        if name.ends_with(SPARE) {
            disk.remove(&path).map_err(|source| failed("remove", &path, source))?;
            continue;
        }
        if !name.ends_with(SEGMENT) {
            continue;
        }
        let file = disk.open(&path).map_err(|source| failed("open", &path, source))?;
        let bytes = file.read_all().map_err(|source| failed("read", &path, source))?;
        segments.push(read_segment(path, &bytes, store_id)?);
    }
    segments.sort_by_key(|read| read.first_seq);
    // A copy of a segment under another name brings nothing new.
    let mut last = 0;
    for read in &mut segments {
        read.records.retain(|found| found.seq > last);
        last = read.records.last().map_or(last, |found| found.seq);
    }
    Ok(segments)
}

fn read_segment(path: PathBuf, bytes: &[u8], store_id: [u8; 16]) -> Result<Read, OpenError> {
    let header = match SegmentHeader::read(bytes) {
        Ok(header) if header.store_id != store_id => return Err(OpenError::Foreign(path)),
        Ok(header) => Some(header),
        Err(HeaderFault::Newer(version)) => return Err(OpenError::Newer { path, version }),
        Err(HeaderFault::Damaged) => None,
    };
    let named = name_of(&path).trim_end_matches(SEGMENT).parse().unwrap_or(u64::MAX);
    let (first_seq, records) = match header {
        Some(header) => (header.first_seq, scan::records(bytes, header.salt, header.first_seq)),
        None if named > FIRST_SEQ_MAX => (named, Vec::new()),
        None => {
            let guesses = SegmentHeader::guesses(bytes, store_id, named);
            let records = guesses.iter().map(|guess| scan::records(bytes, guess.salt, named));
            (named, records.max_by_key(Vec::len).unwrap_or_default())
        }
    };
    let is_unreadable = header.is_none() && records.is_empty();
    let (next, end) = records.last().map_or((first_seq, SEGMENT_HEADER_BYTES), |found| (found.seq + 1, found.end()));
    let is_torn = bytes.get(end..).and_then(RecordHeader::read).is_some_and(|header| header.seq == next);
    let (is_torn, is_begun) = (is_torn && !is_unreadable, header.is_some());
    Ok(Read { path, bytes: bytes.len() as u64, records, is_torn, is_unreadable, first_seq, is_begun })
}

/// Whether records were begun after the last one to keep.
fn is_torn_after(segments: &[Read], kept: u64) -> bool {
    let is_longer = segments.iter().flat_map(|read| read.records.last()).any(|found| found.seq > kept);
    is_longer || segments.iter().rev().find(|read| !read.is_unreadable).is_some_and(|read| read.is_torn)
}

/// The last record that was on the disk when a segment was begun.
fn begun_after(segments: &[Read]) -> u64 {
    let begun = segments.iter().filter(|read| read.is_begun && read.first_seq <= FIRST_SEQ_MAX);
    begun.map(|read| read.first_seq.saturating_sub(1)).max().unwrap_or_default()
}

/// Records that are missing between two that are there, with the places of those in the segments.
struct Lost {
    first: u64,
    last: u64,
    before: Option<(usize, Found)>,
    after: (usize, Found),
}

/// The last record to keep, and what is lost before it. A record that is missing was promised if a later one knew it on
/// the disk, or if a later segment was begun: all before it was on the disk by then. Otherwise nobody heard of it, nor of
/// those after it.
fn judge(segments: &[Read], applied_seq: u64) -> (u64, Vec<Lost>) {
    let all: Vec<(usize, Found)> =
        segments.iter().enumerate().flat_map(|(at, read)| read.records.iter().map(move |found| (at, *found))).collect();
    let mut promised = vec![begun_after(segments); all.len() + 1];
    for (at, (_, found)) in all.iter().enumerate().rev() {
        promised[at] = promised[at + 1].max(found.durable_seq);
    }
    let (mut last, mut lost, mut before) = (0, Vec::new(), None);
    for (at, (segment, found)) in all.iter().enumerate() {
        let missing = applied_seq.max(last) + 1;
        if found.seq > missing {
            if promised[at] < missing {
                break;
            }
            lost.push(Lost { first: missing, last: found.seq - 1, before, after: (*segment, *found) });
        }
        last = found.seq;
        before = Some((*segment, *found));
    }
    (last, lost)
}

impl Lost {
    fn told(&self, segments: &[Read], late_accept_ns: u64) -> Damaged {
        let all = || segments.iter().flat_map(|read| &read.records);
        let timed = |found: &&Found| found.at_ns.is_some();
        let before = all().take_while(|found| found.seq < self.first).filter(timed).last();
        let after = all().skip_while(|found| found.seq <= self.last).find(timed);
        let from_ns = before.and_then(|found| found.at_ns).unwrap_or_default().saturating_sub(late_accept_ns);
        let to_ns = after.and_then(|found| found.at_ns).map_or(u64::MAX, |at_ns| at_ns.saturating_add(AFTER_NS));
        let segment = self.before.unwrap_or(self.after).0;
        Damaged { from_ns, to_ns, seqs: (self.first, self.last), segment: name_of(&segments[segment].path) }
    }
}

/// A file at the end of which nothing can be read: nobody knows how many records it had, or until when.
fn told_of_end(segments: &[Read], read: &Read, late_accept_ns: u64) -> Damaged {
    let last = Damaged { segment: name_of(&read.path), ..told_of_rest(segments, (0, 0), late_accept_ns) };
    Damaged { seqs: (read.first_seq, read.first_seq), ..last }
}

/// Records that were there when a later file was begun, in which nothing was written: nobody knows until when they were.
fn told_of_rest(segments: &[Read], seqs: (u64, u64), late_accept_ns: u64) -> Damaged {
    let before = segments.iter().flat_map(|read| &read.records).filter_map(|found| found.at_ns).next_back();
    let from_ns = before.unwrap_or_default().saturating_sub(late_accept_ns);
    let last = segments.iter().rev().find(|read| !read.records.is_empty());
    let segment = last.map(|read| name_of(&read.path)).unwrap_or_default();
    Damaged { from_ns, to_ns: u64::MAX, seqs, segment }
}

/// Copies the files that a loss may be in.
fn set_aside(disk: &dyn Disk, segments: &[Read], lost: &Lost, quarantine: &Path) -> Result<(), OpenError> {
    let (from, to) = (lost.before.map_or(0, |(at, _)| at), lost.after.0);
    for (at, read) in segments.iter().enumerate() {
        // All that cannot be read are copied anyway.
        if (at == from || at == to) && !read.is_unreadable {
            disk.copy(&read.path, quarantine).map_err(|source| failed("copy", &read.path, source))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
