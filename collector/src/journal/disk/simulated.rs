//! A disk in memory that loses power and fails: what was not synced is lost, torn or kept, in any order.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, Segment};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The device has an error; half of a write is made.
    Broken,
    /// There is no room; half of a write is made.
    NoRoom,
    /// A write is interrupted; other calls are never (the standard library goes on with them).
    Interrupted,
    /// A write is half made, and says so.
    Short,
    /// The power is lost: this call and all after it fail.
    PowerLoss,
}

/// Something that may or may not have reached the disk.
#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Clone)]
enum Naming {
    Put(PathBuf, u64),
    Moved(PathBuf, PathBuf, u64),
    Removed(PathBuf, u64),
}

#[derive(Debug, Default, Clone)]
struct File {
    /// As the process sees it.
    bytes: Vec<u8>,
    /// As it was at its last sync.
    synced: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Debug, Default, Clone)]
struct State {
    files: BTreeMap<u64, File>,
    names: BTreeMap<PathBuf, u64>,
    synced_names: BTreeMap<PathBuf, u64>,
    namings: Vec<Naming>,
    made: u64,
    calls: u64,
    fault: Option<(u64, Fault)>,
    /// The call that failed.
    failed: Option<&'static str>,
    capacity: Option<u64>,
}

/// The disk; clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct SimulatedSegment {
    disk: SimulatedDisk,
    file: u64,
}

/// Random numbers (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }
}

impl SimulatedDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call with this number from now on (0 is the next) fails, and no other unless the power is lost.
    pub(crate) fn fail(&self, after: u64, fault: Fault) {
        let mut state = self.state();
        state.fault = Some((state.calls + after, fault));
        state.failed = None;
    }

    /// No call fails any more.
    pub(crate) fn mend(&self) {
        self.state().fault = None;
    }

    /// The call that failed, if one did.
    pub(crate) fn failed(&self) -> Option<&'static str> {
        self.state().failed
    }

    /// Bytes of all files together that fit.
    pub(crate) fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Bytes of all files together.
    pub(crate) fn used(&self) -> u64 {
        self.state().used()
    }

    /// Another disk with the same on it.
    pub(crate) fn as_it_is(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    /// The power is lost and comes back: what was not synced is there, or not, or in part.
    pub(crate) fn power_cut(&self, seed: u64) {
        let mut state = self.state();
        let mut dice = Dice(seed);
        // Of a hundred sectors and names so many are kept.
        let kept = [0, 10, 50, 90, 100][dice.below(5) as usize];
        let mut names = state.synced_names.clone();
        for naming in std::mem::take(&mut state.namings) {
            if dice.below(100) < kept {
                naming.apply(&mut names);
            }
        }
        for file in state.files.values_mut() {
            let sector = if dice.below(2) == 0 { 512 } else { 4_096 };
            for change in std::mem::take(&mut file.changes) {
                change.tear(&mut file.synced, sector, || dice.below(100) < kept);
            }
            file.bytes.clone_from(&file.synced);
        }
        state.files.retain(|file, _| names.values().any(|named| named == file));
        state.names.clone_from(&names);
        state.synced_names = names;
        state.fault = None;
    }

    /// Names and bytes of all files of a directory.
    pub(crate) fn files(&self, directory: &Path) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let inside = state.names.iter().filter(|(path, _)| path.parent() == Some(directory));
        inside.map(|(path, file)| (name_of(path), state.files[file].bytes.clone())).collect()
    }

    /// Puts a file there, safe on the disk.
    pub(crate) fn put(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = self.state();
        state.made += 1;
        let file = state.made;
        state.files.insert(file, File { bytes: bytes.clone(), synced: bytes, changes: Vec::new() });
        state.names.insert(path.to_owned(), file);
        state.synced_names.insert(path.to_owned(), file);
    }

    fn call(&self, what: &'static str) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        match state.fault_of(what) {
            Some(fault @ (Fault::Broken | Fault::PowerLoss | Fault::NoRoom)) => Err(fault.error()),
            _ => Ok(state),
        }
    }
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Self::NoRoom => io::ErrorKind::StorageFull.into(),
            Self::Interrupted => io::ErrorKind::Interrupted.into(),
            _ => io::Error::from_raw_os_error(5),
        }
    }
}

impl State {
    fn fault_of(&mut self, what: &'static str) -> Option<Fault> {
        let call = self.calls;
        self.calls += 1;
        let is_now = |at: u64, fault| if fault == Fault::PowerLoss { call >= at } else { call == at };
        let (_, fault) = self.fault.filter(|(at, fault)| is_now(*at, *fault))?;
        self.failed.get_or_insert(what);
        Some(fault)
    }

    fn used(&self) -> u64 {
        self.names.values().map(|file| self.files[file].bytes.len() as u64).sum()
    }

    fn has_room(&self, more: u64) -> io::Result<()> {
        let full = self.capacity.is_some_and(|capacity| self.used() + more > capacity);
        if full { Err(Fault::NoRoom.error()) } else { Ok(()) }
    }

    fn change(&mut self, file: u64, change: Change) {
        let file = self.files.get_mut(&file).expect("an open file is there");
        change.clone().tear(&mut file.bytes, usize::MAX, || true);
        file.changes.push(change);
    }

    fn name(&mut self, naming: Naming) {
        naming.clone().apply(&mut self.names);
        self.namings.push(naming);
    }

    fn find(&self, path: &Path) -> io::Result<u64> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Change {
    /// Makes it in each sector that is kept.
    fn tear(self, bytes: &mut Vec<u8>, sector: usize, mut is_kept: impl FnMut() -> bool) {
        match self {
            Self::Length(length) => {
                if is_kept() {
                    bytes.resize(length, 0);
                }
            }
            Self::Write(mut at, written) => {
                let mut rest = &written[..];
                while !rest.is_empty() {
                    let (now, later) = rest.split_at(rest.len().min(sector - at % sector));
                    if is_kept() {
                        bytes.resize(bytes.len().max(at + now.len()), 0);
                        bytes[at..at + now.len()].copy_from_slice(now);
                    }
                    (at, rest) = (at + now.len(), later);
                }
            }
        }
    }
}

impl Naming {
    fn apply(self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            Self::Put(path, file) => drop(names.insert(path, file)),
            Self::Moved(from, to, file) => {
                Self::Removed(from, file).apply(names);
                names.insert(to, file);
            }
            Self::Removed(path, file) => {
                if names.get(&path) == Some(&file) {
                    names.remove(&path);
                }
            }
        }
    }
}

impl Segment for SimulatedSegment {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        let fault = state.fault_of("write");
        let at = offset as usize;
        let wanted = if fault.is_some() { bytes.len() / 2 } else { bytes.len() };
        let more = (at + wanted).saturating_sub(state.files[&self.file].bytes.len());
        state.has_room(more as u64)?;
        if fault != Some(Fault::Interrupted) {
            state.change(self.file, Change::Write(at, bytes[..wanted].to_vec()));
        }
        match fault {
            None | Some(Fault::Short) if wanted > 0 => Ok(wanted),
            None | Some(Fault::Short) => Err(Fault::Interrupted.error()),
            Some(fault) => Err(fault.error()),
        }
    }

    fn read_all(&self) -> io::Result<Vec<u8>> {
        Ok(self.disk.call("read")?.files[&self.file].bytes.clone())
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.disk.call("allocate")?;
        let more = bytes.saturating_sub(state.files[&self.file].bytes.len() as u64);
        state.has_room(more)?;
        if more > 0 {
            state.change(self.file, Change::Length(bytes as usize));
        }
        Ok(())
    }

    fn cut(&self, bytes: u64) -> io::Result<()> {
        self.disk.call("cut")?.change(self.file, Change::Length(bytes as usize));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.call("sync")?;
        let file = state.files.get_mut(&self.file).expect("an open file is there");
        file.changes.clear();
        file.synced.clone_from(&file.bytes);
        Ok(())
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Segment>> {
        let mut state = self.call("create")?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.made += 1;
        let file = state.made;
        state.files.insert(file, File::default());
        state.name(Naming::Put(path.to_owned(), file));
        Ok(Box::new(SimulatedSegment { disk: self.clone(), file }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Segment>> {
        let file = self.call("open")?.find(path)?;
        Ok(Box::new(SimulatedSegment { disk: self.clone(), file }))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let state = self.call("list")?;
        Ok(state.names.keys().filter(|path| path.parent() == Some(directory)).map(|path| name_of(path)).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.call("rename")?;
        let file = state.find(from)?;
        state.name(Naming::Moved(from.to_owned(), to.to_owned(), file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.call("remove")?;
        let file = state.find(path)?;
        state.name(Naming::Removed(path.to_owned(), file));
        Ok(())
    }

    fn copy(&self, path: &Path, directory: &Path) -> io::Result<()> {
        let state = self.call("copy")?;
        let bytes = state.files[&state.find(path)?].bytes.clone();
        drop(state);
        self.put(&directory.join(name_of(path)), bytes);
        Ok(())
    }

    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        let mut state = self.call("sync_directory")?;
        state.namings.clear();
        state.synced_names = state.names.clone();
        Ok(())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        let state = self.call("free_bytes")?;
        Ok(state.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(state.used())))
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
