//! The store: rows in key spaces, changed by batches that are whole or not there (`ingest.md` 6). fjall keeps them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

/// Bytes of blocks that are kept in memory for reads.
const CACHE_BYTES: u64 = 16 << 20;
/// Bytes of fjall's own log before it is brought into tables; its least.
const LOG_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a key space in memory before they become a table.
const MEMTABLE_BYTES_MAX: u64 = 16 << 20;

/// What a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Space {
    /// What holds for the store as a whole, by name.
    Meta = 0,
    /// The rooms' state: part, number of the chunk.
    Checkpoint = 1,
    /// Time ranges that the journal lost: their begin.
    Incomplete = 2,
    /// Messages to receivers.
    Outbox = 3,
    /// Receivers that operators defined, by name.
    Receivers = 4,
}

/// All spaces with the names of their key spaces.
const SPACES: [(Space, &str); 5] = [
    (Space::Meta, "meta"),
    (Space::Checkpoint, "checkpoint"),
    (Space::Incomplete, "incomplete"),
    (Space::Outbox, "outbox"),
    (Space::Receivers, "receivers"),
];

/// One change: a value put in the place of whatever was there, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where.
    pub space: Space,
    /// Key; integers in it are big-endian, so that rows lie in their order.
    pub key: Vec<u8>,
    /// `None`: the row goes.
    pub value: Option<Vec<u8>>,
}

/// Key and value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Why the store cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What is there cannot be read.
    #[error("failed to open the store {}: {reason}; restore the data directory from a backup, or move `store` and `journal` away to begin anew", path.display())]
    Open {
        /// Its folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is another directory's.
    #[error("the store {} belongs to another data directory: restore the data directory as a whole", .0.display())]
    Foreign(PathBuf),
    /// Reading or writing failed; it is not tried again.
    #[error("failed to {what} the store: {reason}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

/// The store. Cloning shares it.
#[derive(Clone)]
pub struct Store {
    database: Database,
    spaces: [Keyspace; SPACES.len()],
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store of a data directory, and makes it if it is not there.
    ///
    /// # Errors
    /// When it is damaged beyond what fjall repairs, or another directory's.
    pub fn open(path: &Path, store_id: [u8; 16]) -> Result<Self, StoreError> {
        let unopened = |reason: String| StoreError::Open { path: path.to_owned(), reason };
        // fjall's assertions speak of files that no fjall wrote: a reason as good as its errors.
        let opened = catch_unwind(AssertUnwindSafe(|| Self::try_open(path)));
        let store = match opened {
            Ok(Ok(store)) => store,
            Ok(Err(error)) => return Err(unopened(error.to_string())),
            Err(_) => return Err(unopened("its files contradict each other".to_owned())),
        };
        match store.get(Space::Meta, b"store_id")? {
            Some(known) if known == store_id => {}
            Some(_) => return Err(StoreError::Foreign(path.to_owned())),
            // The journal is younger than its store: this one was made anew because what was there is lost.
            None if has_journal(path) => return Err(unopened("its rows are lost, and there is a journal".to_owned())),
            None => {
                let row = Row { space: Space::Meta, key: b"store_id".to_vec(), value: Some(store_id.to_vec()) };
                store.commit(vec![row])?;
            }
        }
        Ok(store)
    }

    fn try_open(path: &Path) -> fjall::Result<Self> {
        let database = Database::builder(path)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(LOG_BYTES_MAX)
            .worker_threads(1)
            .open()?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES_MAX);
        let space = |index: usize| database.keyspace(SPACES[index].1, options);
        let spaces = [space(0)?, space(1)?, space(2)?, space(3)?, space(4)?];
        Ok(Self { database, spaces })
    }

    /// Changes all these rows or none; they are on the disk when it returns.
    ///
    /// # Errors
    /// When the disk fails. What was committed before is there; nothing more may be written.
    pub fn commit(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        self.change(rows, Some(PersistMode::SyncAll))
    }

    fn change(&self, rows: Vec<Row>, durability: Option<PersistMode>) -> Result<(), StoreError> {
        let mut batch = self.database.batch().durability(durability);
        for Row { space, key, value } in rows {
            let keyspace = &self.spaces[space as usize];
            match value {
                Some(value) => batch.insert(keyspace, key, value),
                None => batch.remove(keyspace, key),
            }
        }
        batch.commit().map_err(|error| failed("write", &error))
    }

    /// Changes rows that nothing refers to yet: they are on the disk when the next [`Self::commit`] returns.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn prepare(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        self.change(rows, None)
    }

    /// The value of a row.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.spaces[space as usize].get(key).map_err(|error| failed("read", &error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// How many rows of a space have a key that begins so.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub fn count(&self, space: Space, prefix: &[u8]) -> Result<usize, StoreError> {
        let mut rows = self.spaces[space as usize].prefix(prefix);
        rows.try_fold(0, |count, row| row.key().map(|_| count + 1).map_err(|error| failed("read", &error)))
    }

    /// All rows of a space whose key begins so, in the order of keys.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub fn scan(&self, space: Space, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        let rows = self.spaces[space as usize].prefix(prefix).map(|row| {
            let (key, value) = row.into_inner().map_err(|error| failed("read", &error))?;
            Ok((key.to_vec(), value.to_vec()))
        });
        rows.collect()
    }
}

/// Whether the data directory of this store has records.
fn has_journal(path: &Path) -> bool {
    let journal = path.parent().map(|directory| directory.join("journal"));
    journal.and_then(|journal| std::fs::read_dir(journal).ok()).is_some_and(|mut files| files.next().is_some())
}

fn failed(what: &'static str, error: &fjall::Error) -> StoreError {
    StoreError::Io { what, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("bailiwick-store-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        path
    }

    fn row(space: Space, key: &[u8], value: Option<&[u8]>) -> Row {
        Row { space, key: key.to_vec(), value: value.map(<[u8]>::to_vec) }
    }

    #[test]
    fn rows_are_there_after_the_store_was_closed() {
        let path = folder("kept");
        let store = Store::open(&path, [1; 16]).expect("a new one");
        let rows = vec![row(Space::Outbox, b"a1", Some(b"x")), row(Space::Outbox, b"a2", Some(b"y"))];
        store.commit(rows).expect("a disk");
        store.commit(vec![row(Space::Outbox, b"a1", None), row(Space::Outbox, b"b", Some(b"z"))]).expect("a disk");
        drop(store);
        let store = Store::open(&path, [1; 16]).expect("it was closed");
        assert_eq!(store.scan(Space::Outbox, b"a").expect("rows"), [(b"a2".to_vec(), b"y".to_vec())]);
        assert_eq!(store.get(Space::Meta, b"b").expect("a read"), None, "spaces do not share keys");
        drop(store);
        std::fs::remove_dir_all(path).expect("it is there");
    }

    #[test]
    fn an_empty_store_beside_a_journal_is_refused() {
        let home = folder("empty");
        std::fs::create_dir_all(home.join("journal")).expect("a folder");
        drop(Store::open(&home.join("store"), [1; 16]).expect("nothing was written yet"));
        std::fs::write(home.join("journal/00000000000000000001.seg"), "x").expect("a file");
        drop(Store::open(&home.join("store"), [1; 16]).expect("it is the one that was made first"));
        std::fs::remove_dir_all(home.join("store")).expect("it is there");
        let refused = Store::open(&home.join("store"), [1; 16]).expect_err("what the journal stands on is lost");
        assert!(refused.to_string().contains("its rows are lost"), "{refused}");
        std::fs::remove_dir_all(home).expect("it is there");
    }

    #[test]
    fn the_store_of_another_directory_is_refused() {
        let path = folder("foreign");
        drop(Store::open(&path, [1; 16]).expect("a new one"));
        assert!(matches!(Store::open(&path, [2; 16]), Err(StoreError::Foreign(_))));
        std::fs::remove_dir_all(path).expect("it is there");
    }
}
