//! The string table while a batch is written: each text once, found again by its bytes.
//!
//! It is asked three or four times a span, and its answer decides nothing but an index; the order of indexes is that in
//! which texts came first.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

/// Places of a new table: fits the strings of most batches.
const PLACES_MIN: usize = 1_024;
/// What is kept between batches.
const BYTES_KEPT: usize = 1 << 20;

/// Texts by index, from 1; index 0 is the absent text.
#[derive(Debug)]
pub(super) struct Strings {
    /// Where each text ends, from index 0 on, as stored.
    pub(super) ends: Vec<u8>,
    /// All texts one after the other, as stored.
    pub(super) bytes: Vec<u8>,
    /// Open addressing, linear; at most half of it is taken.
    places: Vec<Place>,
    count: u32,
    hasher: RandomState,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    hash: u32,
    /// 0: nobody stands here.
    index: u32,
    start: u32,
    length: u32,
}

impl Strings {
    pub(super) fn new() -> Self {
        let mut strings =
            Self { ends: Vec::new(), bytes: Vec::new(), places: Vec::new(), count: 0, hasher: RandomState::default() };
        strings.clear();
        strings
    }

    /// Forgets all texts. A table that grew is given back: it would have to be cleared for every batch to come.
    pub(super) fn clear(&mut self) {
        self.ends.clear();
        self.ends.extend_from_slice(&0_u32.to_le_bytes());
        self.bytes.clear();
        self.ends.shrink_to(BYTES_KEPT);
        self.bytes.shrink_to(BYTES_KEPT);
        self.count = 0;
        if self.places.len() == PLACES_MIN {
            self.places.fill(Place::default());
        } else {
            self.places = vec![Place::default(); PLACES_MIN];
        }
    }

    /// Number of texts.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    #[inline]
    pub(super) fn hash(&self, text: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        hasher.finish()
    }

    /// The index of a text, if it has one.
    #[inline]
    pub(super) fn find(&self, hash: u64, text: &[u8]) -> Option<u32> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let place = self.places[at & mask];
            if place.index == 0 {
                return None;
            }
            if place.hash == upper(hash)
                && place.length as usize == text.len()
                && same(&self.bytes[place.start as usize..][..text.len()], text)
            {
                return Some(place.index);
            }
            at += 1;
        }
    }

    /// Gives a text that has none an index.
    pub(super) fn add(&mut self, hash: u64, text: &[u8]) -> u32 {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(text);
        self.ends.extend_from_slice(&(self.bytes.len() as u32).to_le_bytes());
        self.count += 1;
        if self.places.len() < 2 * self.count as usize {
            self.grow();
        }
        let place = Place { hash: upper(hash), index: self.count, start, length: text.len() as u32 };
        put(&mut self.places, hash, place);
        self.count
    }

    #[cold]
    fn grow(&mut self) {
        let longer = vec![Place::default(); 4 * self.places.len()];
        for place in std::mem::replace(&mut self.places, longer) {
            if place.index != 0 {
                let text = &self.bytes[place.start as usize..][..place.length as usize];
                let hash = self.hash(text);
                put(&mut self.places, hash, place);
            }
        }
    }

    /// A text by its index; empty for 0.
    #[inline]
    pub(super) fn text(&self, index: u32) -> &[u8] {
        let ends = self.ends.as_chunks::<4>().0;
        let end = |index: u32| u32::from_le_bytes(ends[index as usize]) as usize;
        if index == 0 { &[] } else { &self.bytes[end(index - 1)..end(index)] }
    }
}

/// The half of a hash that the place does not tell.
#[inline]
fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn put(places: &mut [Place], hash: u64, place: Place) {
    let mask = places.len() - 1;
    let mut at = hash as usize & mask;
    while places[at].index != 0 {
        at = (at + 1) & mask;
    }
    places[at] = place;
}

/// Whether two texts of one length are equal: word by word, without a call, since most are short.
#[inline]
fn same(one: &[u8], other: &[u8]) -> bool {
    let (words, rest) = one.as_chunks::<8>();
    let (others, others_rest) = other.as_chunks::<8>();
    words.iter().zip(others).all(|(word, other)| word == other)
        && match (one.last_chunk::<8>(), other.last_chunk::<8>()) {
            (Some(last), Some(other)) => last == other,
            _ => rest == others_rest,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(strings: &mut Strings, text: &str) -> u32 {
        let hash = strings.hash(text.as_bytes());
        strings.find(hash, text.as_bytes()).unwrap_or_else(|| strings.add(hash, text.as_bytes()))
    }

    #[test]
    fn every_text_is_found_again_by_its_bytes_before_and_after_growing() {
        let mut strings = Strings::new();
        // Lengths from 1 to 40, many that differ in the last byte only.
        let text = |number: usize| format!("{}{number}", "x".repeat(number % 37));
        for round in 0..2 {
            for number in 0..3_000 {
                assert_eq!(string(&mut strings, &text(number)) as usize, number + 1, "round {round}");
            }
        }
        for number in 0..3_000 {
            assert_eq!(strings.text(number as u32 + 1), text(number).as_bytes());
        }
        assert_eq!(strings.count(), 3_000);
    }

    #[test]
    fn a_cleared_table_knows_nothing() {
        let mut strings = Strings::new();
        for number in 0..2_000 {
            string(&mut strings, &number.to_string());
        }
        strings.clear();
        let hash = strings.hash(b"7");
        assert_eq!((strings.find(hash, b"7"), strings.count(), strings.text(0)), (None, 0, &b""[..]));
        assert_eq!(string(&mut strings, "new"), 1);
    }

    #[test]
    fn texts_are_compared_to_their_last_byte() {
        for length in 0..40 {
            let text = vec![b'a'; length];
            assert!(same(&text, &text.clone()));
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'b';
                assert!(!same(&text, &other), "{length} {at}");
            }
        }
    }
}
