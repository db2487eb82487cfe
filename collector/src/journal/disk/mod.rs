//! The disk as the journal sees it: few operations, so that a test can have one that loses, tears and fails.

mod real;
mod whole;
#[cfg(test)]
pub(super) mod simulated;

use std::fmt::Debug;
use std::io;
use std::path::Path;

pub use real::RealDisk;
pub use whole::write_all;

/// A file of a journal.
pub trait Segment: Send + Debug {
    /// Writes some of the bytes at an offset; how many.
    ///
    /// # Errors
    /// As the disk says.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// All of its bytes.
    ///
    /// # Errors
    /// As the disk says.
    fn read_all(&self) -> io::Result<Vec<u8>>;

    /// Makes sure that there is room for as many bytes, which are nought until they are written.
    ///
    /// # Errors
    /// No room.
    fn allocate(&self, bytes: u64) -> io::Result<()>;

    /// Cuts it.
    ///
    /// # Errors
    /// As the disk says.
    fn cut(&self, bytes: u64) -> io::Result<()>;

    /// What was written is on the disk when it returns.
    ///
    /// # Errors
    /// As the disk says; after it, nobody knows what is there.
    fn sync(&self) -> io::Result<()>;
}

/// Where files are. Paths are those of the machine.
pub trait Disk: Send + Sync + Debug {
    /// A new file; one of that name must not be there.
    ///
    /// # Errors
    /// As the disk says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Segment>>;

    /// A file that is there.
    ///
    /// # Errors
    /// As the disk says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn Segment>>;

    /// Names of the files of a directory; none: it is made.
    ///
    /// # Errors
    /// As the disk says.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// Gives a file another name.
    ///
    /// # Errors
    /// As the disk says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the disk says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Copies a file into a directory, which is made if it is not there.
    ///
    /// # Errors
    /// As the disk says.
    fn copy(&self, path: &Path, directory: &Path) -> io::Result<()>;

    /// Names in a directory are on the disk when it returns.
    ///
    /// # Errors
    /// As the disk says.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    /// Bytes that may still be written.
    ///
    /// # Errors
    /// As the disk says.
    fn free_bytes(&self, directory: &Path) -> io::Result<u64>;
}
