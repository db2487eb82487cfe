//! The machine's disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::FallocateFlags;
use rustix::io::retry_on_intr;

use super::{Disk, Segment};

/// The machine's disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

#[derive(Debug)]
struct RealSegment(File);

impl Segment for RealSegment {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn read_all(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&self.0).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        // Unlike what the standard library calls, these two may be interrupted.
        let allocated = retry_on_intr(|| rustix::fs::fallocate(&self.0, FallocateFlags::empty(), 0, bytes));
        match allocated {
            Ok(()) => Ok(()),
            // A file system that cannot promise room gives it when it is written.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => self.0.set_len(bytes),
            Err(error) => Err(error.into()),
        }
    }

    fn cut(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// Makes a directory, and its name safe: else a power loss could take it with all that was synced in it.
fn make(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    directory.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Segment>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Box::new(RealSegment(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Segment>> {
        Ok(Box::new(RealSegment(OpenOptions::new().read(true).write(true).open(path)?)))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        make(directory)?;
        let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn copy(&self, path: &Path, directory: &Path) -> io::Result<()> {
        make(directory)?;
        let copy = directory.join(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        fs::copy(path, &copy)?;
        // What was copied is changed next.
        File::open(copy)?.sync_all()?;
        self.sync_directory(directory)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }

    fn free_bytes(&self, directory: &Path) -> io::Result<u64> {
        let status = retry_on_intr(|| rustix::fs::statvfs(directory))?;
        Ok(status.f_bavail.saturating_mul(status.f_frsize))
    }
}
