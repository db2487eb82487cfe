//! The rooms' state as of one record, in the store (`ingest.md` 5.7): each part in chunks, of which only those are
//! written that changed, in one of two places, and one row that says which record it is of, where the chunks are and what
//! they must come to. The row alone makes them the checkpoint.

use std::collections::HashMap;

use bailiwick_slo::saved;
use bailiwick_slo::saved::Saved;
use bailiwick_slo::wire::{Reader, Writer};
use twox_hash::XxHash3_128;

use super::store::{Row, Space, Store, StoreError};

/// Bytes of a chunk.
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that are written at once: so many are in memory twice.
const CHUNKS_AT_ONCE: usize = 16;
/// Aggregator, evaluator, journal.
const PARTS: usize = 3;
/// The layout of the row that describes it.
const LAYOUT: u16 = 1;
/// Its key.
const HEAD: &[u8] = b"checkpoint";

/// The state of the rooms before, after the record with this number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last record that is in.
    pub applied_seq: u64,
    /// The aggregator's ([`crate::aggregator::Aggregator::save`]).
    pub fold: Vec<u8>,
    /// The evaluator's.
    pub feed: Vec<u8>,
    /// The journal's window of repeats.
    pub repeats: Vec<u8>,
}

/// What the row says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    layout: u16,
    applied_seq: u64,
    /// Which of the two places its chunks are in.
    place: u16,
    parts: Vec<PartOf>,
}
saved!(struct Head { layout, applied_seq, place, parts });

#[derive(Debug, Clone, PartialEq, Eq)]
struct PartOf {
    bytes: u64,
    digest: u128,
}
saved!(struct PartOf { bytes, digest });

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its rows are not what was written.
    #[error(
        "the checkpoint is damaged ({0}): restore the data directory from a backup, or move `store` and `journal` away to begin anew"
    )]
    Damaged(&'static str),
    /// Another version wrote it.
    #[error("the checkpoint has layout {0}; this binary reads {LAYOUT}: start the version that wrote it")]
    Newer(u16),
}

/// Writes checkpoints, in turn into two places: the one before is whole until the next one is.
#[derive(Debug, Default)]
pub struct Checkpoints {
    /// Where the next one goes.
    place: u16,
    /// What each chunk is known to hold, by place, part and number; whatever else is there another process wrote.
    written: HashMap<(u16, u16, u32), u128>,
    /// Chunks of each part, by place.
    counts: [[u32; PARTS]; 2],
}

impl Checkpoints {
    /// Goes on after what a store holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(store: &Store) -> Result<Self, StoreError> {
        let head = store.get(Space::Meta, HEAD)?.and_then(|bytes| Head::load(&mut Reader::new(&bytes)).ok());
        let mut checkpoints = Self { place: head.map_or(0, |head| 1 - head.place.min(1)), ..Self::default() };
        for (place, counts) in (0..).zip(&mut checkpoints.counts) {
            for (part, count) in (0..).zip(counts) {
                let chunks = store.count(Space::Checkpoint, &prefix(part, place))?;
                *count = u32::try_from(chunks).unwrap_or(u32::MAX);
            }
        }
        Ok(checkpoints)
    }

    /// Brings the store to this checkpoint; `rows` become true with it. Chunks go first, some at a time, so that memory
    /// holds few of them twice; the row that makes them the checkpoint goes last, in one batch with the others.
    ///
    /// # Errors
    /// As [`Store::commit`]: the checkpoint before is whole yet.
    pub fn write(&mut self, store: &Store, checkpoint: &Checkpoint, mut rows: Vec<Row>) -> Result<(), StoreError> {
        let place = self.place;
        let (mut waiting, mut parts) = (Vec::new(), Vec::new());
        for (part, bytes) in (0_u16..).zip([&checkpoint.fold, &checkpoint.feed, &checkpoint.repeats]) {
            let mut chunks = 0;
            for chunk in bytes.chunks(CHUNK_BYTES) {
                let digest = XxHash3_128::oneshot(chunk);
                if self.written.insert((place, part, chunks), digest) != Some(digest) {
                    let (key, value) = (key((part, place), chunks), Some(chunk.to_vec()));
                    waiting.push(Row { space: Space::Checkpoint, key, value });
                }
                chunks += 1;
                if waiting.len() >= CHUNKS_AT_ONCE {
                    store.prepare(std::mem::take(&mut waiting))?;
                }
            }
            let count = &mut self.counts[usize::from(place)][usize::from(part)];
            for chunk in chunks..std::mem::replace(count, chunks) {
                self.written.remove(&(place, part, chunk));
                waiting.push(Row { space: Space::Checkpoint, key: key((part, place), chunk), value: None });
            }
            parts.push(PartOf { bytes: bytes.len() as u64, digest: XxHash3_128::oneshot(bytes) });
        }
        store.prepare(waiting)?;
        let mut to = Writer::default();
        Head { layout: LAYOUT, applied_seq: checkpoint.applied_seq, place, parts }.save(&mut to);
        rows.push(Row { space: Space::Meta, key: HEAD.to_vec(), value: Some(to.into_bytes()) });
        store.commit(rows)?;
        self.place = 1 - place;
        Ok(())
    }
}

impl Checkpoint {
    /// The checkpoint of a store; `None`: none was written.
    ///
    /// # Errors
    /// When it is not what was written.
    pub fn read(store: &Store) -> Result<Option<Self>, CheckpointError> {
        let Some(bytes) = store.get(Space::Meta, HEAD)? else { return Ok(None) };
        let layout = u16::load(&mut Reader::new(&bytes)).map_err(|_| CheckpointError::Damaged("its head"))?;
        if layout != LAYOUT {
            return Err(CheckpointError::Newer(layout));
        }
        let head = Head::load(&mut Reader::new(&bytes)).map_err(|_| CheckpointError::Damaged("its head"))?;
        let mut parts = Vec::new();
        for (part, of) in (0_u16..).zip(&head.parts) {
            parts.push(read_part(store, (part, head.place), of)?);
        }
        let Ok([fold, feed, repeats]) = <[Vec<u8>; PARTS]>::try_from(parts) else {
            return Err(CheckpointError::Damaged("its head"));
        };
        Ok(Some(Self { applied_seq: head.applied_seq, fold, feed, repeats }))
    }
}

fn read_part(store: &Store, of_part: (u16, u16), of: &PartOf) -> Result<Vec<u8>, CheckpointError> {
    let mut bytes = Vec::new();
    for chunk in 0..of.bytes.div_ceil(CHUNK_BYTES as u64) {
        let chunk = u32::try_from(chunk).map_err(|_| CheckpointError::Damaged("its head"))?;
        let value = store.get(Space::Checkpoint, &key(of_part, chunk))?;
        bytes.extend(value.ok_or(CheckpointError::Damaged("a chunk is missing"))?);
    }
    let is_whole = bytes.len() as u64 == of.bytes && XxHash3_128::oneshot(&bytes) == of.digest;
    if is_whole { Ok(bytes) } else { Err(CheckpointError::Damaged("its chunks are not those that were written")) }
}

/// Part, place, chunk.
fn key((part, place): (u16, u16), chunk: u32) -> Vec<u8> {
    [&prefix(part, place)[..], &chunk.to_be_bytes()].concat()
}

fn prefix(part: u16, place: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (part.to_be_bytes(), place.to_be_bytes());
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(name: &str) -> (Store, std::path::PathBuf) {
        let path = std::env::temp_dir().join(format!("bailiwick-checkpoint-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        (Store::open(&path, [3; 16]).expect("a new one"), path)
    }

    #[test]
    fn a_checkpoint_takes_the_place_of_the_one_before() {
        let (store, path) = store("place");
        assert_eq!(Checkpoint::read(&store).expect("a store"), None);
        let mut checkpoints = Checkpoints::of(&store).expect("a store");
        let large: Vec<u8> = (0..3 * CHUNK_BYTES + 5).map(|at| (at % 251) as u8).collect();
        let first = Checkpoint { applied_seq: 9, fold: large, feed: vec![1], repeats: Vec::new() };
        checkpoints.write(&store, &first, Vec::new()).expect("a disk");
        assert_eq!(Checkpoint::read(&store).expect("it is whole"), Some(first.clone()));

        let mut changed = first.clone();
        changed.applied_seq = 10;
        changed.fold[CHUNK_BYTES] ^= 1;
        let row = Row { space: Space::Outbox, key: b"a".to_vec(), value: Some(b"x".to_vec()) };
        checkpoints.write(&store, &changed, vec![row]).expect("a disk");
        assert_eq!(Checkpoint::read(&store).expect("it is whole"), Some(changed));
        assert_eq!(store.get(Space::Outbox, b"a").expect("a read"), Some(b"x".to_vec()), "what comes with it is there");

        // Another process knows how many chunks there are, and nothing else.
        let mut checkpoints = Checkpoints::of(&store).expect("a store");
        let small = Checkpoint { applied_seq: 11, fold: vec![5; 10], feed: Vec::new(), repeats: vec![6] };
        for applied_seq in 11..=12 {
            let small = Checkpoint { applied_seq, ..small.clone() };
            checkpoints.write(&store, &small, Vec::new()).expect("a disk");
            assert_eq!(Checkpoint::read(&store).expect("it is whole"), Some(small));
        }
        assert_eq!(store.count(Space::Checkpoint, &[]).expect("rows"), 4, "nothing is left of the large ones");
        drop(store);
        std::fs::remove_dir_all(path).expect("it is there");
    }

    #[test]
    fn one_that_was_not_finished_leaves_the_one_before() {
        let (store, path) = store("unfinished");
        let mut checkpoints = Checkpoints::of(&store).expect("a store");
        let whole = Checkpoint { applied_seq: 9, fold: vec![4; 100], feed: vec![1], repeats: Vec::new() };
        checkpoints.write(&store, &whole, Vec::new()).expect("a disk");
        // The chunks of the next one are there, and the row that makes them a checkpoint is not.
        let chunk = Row { space: Space::Checkpoint, key: key((0, 1), 0), value: Some(vec![7; 100]) };
        store.prepare(vec![chunk]).expect("a disk");
        assert_eq!(Checkpoint::read(&store).expect("it is whole"), Some(whole.clone()));
        let mut checkpoints = Checkpoints::of(&store).expect("a store");
        let next = Checkpoint { applied_seq: 10, ..whole };
        checkpoints.write(&store, &next, Vec::new()).expect("a disk");
        assert_eq!(Checkpoint::read(&store).expect("it is whole"), Some(next));
        drop(store);
        std::fs::remove_dir_all(path).expect("it is there");
    }

    #[test]
    fn rows_that_were_not_written_together_are_refused() {
        let (store, path) = store("torn");
        let mut checkpoints = Checkpoints::of(&store).expect("a store");
        let whole = Checkpoint { applied_seq: 9, fold: vec![4; 100], feed: vec![1], repeats: Vec::new() };
        checkpoints.write(&store, &whole, Vec::new()).expect("a disk");
        let put = |value: Option<Vec<u8>>| {
            store.commit(vec![Row { space: Space::Checkpoint, key: key((0, 0), 0), value }]).expect("a disk");
            Checkpoint::read(&store).expect_err("it is not whole").to_string()
        };
        assert!(put(Some(vec![4; 99])).contains("not those that were written"));
        assert!(put(None).contains("a chunk is missing"));
        drop(store);
        std::fs::remove_dir_all(path).expect("it is there");
    }
}
