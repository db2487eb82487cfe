//! The files that the thread writes to: one in use, one that is made ready meanwhile, and those that wait for a
//! checkpoint to let go of them.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::disk::{Disk, Segment, write_all};
use super::super::file::{Shared, Status};
use super::super::open::{Held, Opened, SEGMENT, SPARE};
use super::super::segment::format::{SEGMENT_HEADER_BYTES, SegmentHeader};
use super::Settings;
use crate::clock::SharedClock;

/// How often the disk's room is looked at, nanoseconds.
const LOOK_EVERY_NS: u64 = 1_000_000_000;
/// Nought that is written at once into a file that is made ready.
const FILL_BYTES: usize = 1 << 20;

/// The file in use.
#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: Box<dyn Segment>,
    salt: u64,
    at: u64,
    bytes: u64,
    last_seq: u64,
}

/// A file that will be used next. Appends to blocks that were written before need no change of the file system.
#[derive(Debug)]
struct Spare {
    path: PathBuf,
    file: Box<dyn Segment>,
    filled: u64,
    bytes: u64,
}

/// All files of a journal.
#[derive(Debug)]
pub(super) struct Segments {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    store_id: [u8; 16],
    settings: Settings,
    clock: SharedClock,
    current: Option<Current>,
    spare: Option<Spare>,
    /// Oldest first.
    full: VecDeque<Held>,
    /// When the room was looked at, by the clock.
    looked_ns: Option<u64>,
    made: u64,
}

impl Segments {
    pub(super) fn new(opened: Opened, settings: Settings, clock: SharedClock) -> Self {
        let Opened { directory, disk, store_id, held, .. } = opened;
        let (current, spare, full) = (None, None, held.into());
        Self { directory, disk, store_id, settings, clock, current, spare, full, looked_ns: None, made: 0 }
    }

    pub(super) fn salt(&self) -> u64 {
        self.current.as_ref().map_or(0, |current| current.salt)
    }

    /// Whether so many bytes fit the file in use.
    pub(super) fn has_room(&self, bytes: u64) -> bool {
        self.current.as_ref().is_some_and(|current| current.at + bytes <= current.bytes)
    }

    /// Takes another file into use if these bytes, the first of which is record `next_seq`, do not fit; `false`: the disk
    /// has no room for one.
    pub(super) fn make_room(&mut self, bytes: u64, next_seq: u64) -> io::Result<bool> {
        if self.has_room(bytes) {
            return Ok(true);
        }
        let needed = bytes + SEGMENT_HEADER_BYTES as u64;
        let spare = match self.spare.take_if(|spare| spare.bytes >= needed) {
            Some(spare) => spare,
            None => match self.make(needed.max(self.settings.segment_bytes.0)) {
                Ok(spare) => spare,
                Err(error) if is_full(&error) => return Ok(false),
                Err(error) => return Err(error),
            },
        };
        self.begin(spare, next_seq)
    }

    /// Nothing is taken until the room is looked at again.
    pub(super) fn have_no_room(&mut self, shared: &Shared) {
        self.looked_ns = Some(self.clock.now_unix_ns());
        shared.set_status(Status::DiskFull);
    }

    /// A new file with room for so many bytes.
    fn make(&mut self, bytes: u64) -> io::Result<Spare> {
        self.made += 1;
        let path = self.directory.join(format!("{}-{}{SPARE}", std::process::id(), self.made));
        let file = self.disk.create(&path)?;
        if let Err(error) = file.allocate(bytes) {
            self.disk.remove(&path)?;
            return Err(error);
        }
        Ok(Spare { path, file, filled: 0, bytes })
    }

    /// Takes a file into use; `false`: the disk has no room even for its header or its name.
    fn begin(&mut self, spare: Spare, first_seq: u64) -> io::Result<bool> {
        // Records at a weaker level may be with the operating system yet. That a segment was begun says that all before it
        // are on the disk.
        self.sync()?;
        let created_ns = self.clock.now_unix_ns();
        let header = SegmentHeader::new(self.store_id, first_seq, created_ns);
        let salt = header.salt;
        let path = self.directory.join(format!("{first_seq:020}{SEGMENT}"));
        let written = write_all(&*spare.file, &header.to_bytes(), 0)
            .and_then(|()| spare.file.sync())
            .and_then(|()| self.disk.rename(&spare.path, &path));
        match written {
            Ok(()) => {}
            // Nothing relies on this file yet.
            Err(error) if is_full(&error) => {
                self.disk.remove(&spare.path)?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        // Else a power loss could leave the records in a file that nobody finds.
        self.disk.sync_directory(&self.directory)?;
        let at = SEGMENT_HEADER_BYTES as u64;
        let begun = path.clone();
        let next = Current { path, file: spare.file, salt, at, bytes: spare.bytes, last_seq: first_seq - 1 };
        if let Some(Current { path, bytes, last_seq, .. }) = self.current.replace(next) {
            // One in which nothing could be written has given its name to this one.
            if path != begun {
                self.full.push_back(Held::written(path, bytes, last_seq));
            }
        }
        Ok(true)
    }

    /// Files with records.
    pub(super) fn count(&self) -> usize {
        self.full.len() + usize::from(self.current.is_some())
    }

    /// Writes a group; `false`: the disk had no room for it, and nothing of it counts.
    pub(super) fn write(&mut self, bytes: &[u8], last_seq: u64) -> io::Result<bool> {
        let current = self.current.as_mut().expect("room was made before");
        match write_all(&*current.file, bytes, current.at) {
            Ok(()) => {
                current.at += bytes.len() as u64;
                current.last_seq = last_seq;
                Ok(true)
            }
            // Whole records of what was refused must not be found behind the next group, or at the next start. The file
            // takes nothing more: another one is begun when there is room.
            Err(error) if is_full(&error) => {
                current.file.cut(current.at)?;
                current.file.sync()?;
                current.bytes = current.at;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.current.as_ref().map_or(Ok(()), |current| current.file.sync())
    }

    /// Between two groups: makes the next file ready, lets go of what checkpoints hold, looks at the room.
    pub(super) fn look_after(&mut self, shared: &Shared) -> io::Result<()> {
        self.prepare()?;
        self.retire(shared.retired())?;
        let now_ns = self.clock.now_unix_ns();
        if self.looked_ns.is_none_or(|looked_ns| looked_ns.abs_diff(now_ns) >= LOOK_EVERY_NS) {
            self.looked_ns = Some(now_ns);
            let free = self.disk.free_bytes(&self.directory)?;
            let used: u64 = self.full.iter().map(|held| held.bytes).sum::<u64>()
                + self.current.as_ref().map_or(0, |current| current.bytes);
            shared.set_status(match () {
                () if free < self.settings.min_free_bytes.0 => Status::DiskFull,
                () if used > self.settings.bytes_max.0 => Status::Full,
                () => Status::Writing,
            });
        }
        Ok(())
    }

    /// One step of making the next file ready, once the one in use is half full.
    fn prepare(&mut self) -> io::Result<()> {
        let Some(current) = &self.current else { return Ok(()) };
        if current.at < current.bytes / 2 {
            return Ok(());
        }
        match &mut self.spare {
            None => match self.make(self.settings.segment_bytes.0) {
                Ok(spare) => self.spare = Some(spare),
                // It is asked for again when it is needed.
                Err(error) if is_full(&error) => {}
                Err(error) => return Err(error),
            },
            Some(spare) if spare.filled < spare.bytes => {
                let bytes = (spare.bytes - spare.filled).min(FILL_BYTES as u64) as usize;
                match write_all(&*spare.file, &vec![0; bytes], spare.filled) {
                    Ok(()) => spare.filled += bytes as u64,
                    Err(error) if is_full(&error) => spare.filled = spare.bytes,
                    Err(error) => return Err(error),
                }
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Lets go of files whose records are all in a checkpoint; one of them becomes the next file.
    fn retire(&mut self, through: u64) -> io::Result<()> {
        let mut is_changed = false;
        while let Some(held) = self.full.pop_front_if(|held| held.last_seq <= through) {
            is_changed = true;
            if self.spare.is_none() && held.bytes == self.settings.segment_bytes.0 {
                self.spare = self.reuse(&held.path, held.bytes)?;
            } else {
                self.disk.remove(&held.path)?;
            }
        }
        if is_changed {
            self.disk.sync_directory(&self.directory)?;
        }
        Ok(())
    }

    /// Makes a file ready that is not needed any more; nothing: the disk has no room for what it lacks.
    fn reuse(&mut self, path: &Path, bytes: u64) -> io::Result<Option<Spare>> {
        self.made += 1;
        let name = self.directory.join(format!("{}-{}{SPARE}", std::process::id(), self.made));
        self.disk.rename(path, &name)?;
        let file = self.disk.open(&name)?;
        // A file that was cut at a start has its room again.
        match file.allocate(bytes) {
            Ok(()) => Ok(Some(Spare { path: name, file, filled: bytes, bytes })),
            Err(error) if is_full(&error) => self.disk.remove(&name).map(|()| None),
            Err(error) => Err(error),
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}
