//! Which attribute keys are wanted: a small hash table that compares keys as words, without a call.
//!
//! Built once from the settings, asked for every attribute of every span. Most keys are not wanted, and of those most
//! have a length that no wanted key has: a bit test (`speed.md` 2.4).

/// Places of the table: at most a third is taken, so that a probe ends soon.
const PLACES: usize = 256;
/// Most keys of a table.
const KEYS_MAX: usize = PLACES / 2;

/// Which keys are wanted and the slot of each.
#[derive(Debug, Clone)]
pub struct KeyTable {
    /// Bit n: some key has n bytes (63: or more).
    lengths: u64,
    /// Number of the key that stands here, from 1; 0: none. Open addressing, linear.
    places: [u8; PLACES],
    /// By number; the first one is nobody's.
    keys: Box<[Key; KEYS_MAX]>,
    /// The whole key by number, for those that do not fit into words.
    texts: Vec<Box<[u8]>>,
    /// Of keys with several meanings: the first slot, and one that has the same value.
    shared: Vec<(u8, u8)>,
}

/// The place of a wanted key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    /// Its number.
    pub(super) slot: u8,
    /// The word of presence bits that it is in: 0 or 1.
    pub(super) word: u8,
    /// Its bit there.
    pub(super) bit: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Key {
    ends: Ends,
    middle: (u64, u64),
    length: usize,
    wanted: Wanted,
}

impl Default for KeyTable {
    fn default() -> Self {
        let keys = Box::new([Key::default(); KEYS_MAX]);
        Self { lengths: 0, places: [0; PLACES], keys, texts: vec![Box::default()], shared: Vec::new() }
    }
}

impl KeyTable {
    /// A table of keys with their slots. A key given twice has a second meaning: both slots get its value.
    ///
    /// # Panics
    /// When there are more than 127 keys.
    #[must_use]
    pub fn new<'k>(keys: impl IntoIterator<Item = (&'k str, u8)>) -> Self {
        let mut table = Self::default();
        for (text, slot) in keys {
            match table.find(text.as_bytes()) {
                None => table.add(text.as_bytes(), slot),
                Some(first) => table.shared.push((first.slot, slot)),
            }
        }
        table
    }

    fn add(&mut self, text: &[u8], slot: u8) {
        let number = self.texts.len();
        assert!(number < KEYS_MAX, "settings name fewer keys than a table holds");
        self.lengths |= 1 << length_class(text.len());
        let ends = Ends::of(text);
        let wanted = Wanted { slot, word: slot >> 6, bit: 1 << (slot & 63) };
        self.keys[number] = Key { ends, middle: middle(text), length: text.len(), wanted };
        self.texts.push(text.into());
        let mut place = ends.place(text.len());
        while self.places[usize::from(place)] != 0 {
            place = place.wrapping_add(1);
        }
        self.places[usize::from(place)] = number as u8;
    }

    /// Pairs of slots of one key: what the first one gets is the value of the second, too.
    #[inline]
    pub(super) fn shared(&self) -> &[(u8, u8)] {
        &self.shared
    }

    /// The place of a key's value, if it is wanted.
    #[inline(always)]
    pub(super) fn find(&self, key: &[u8]) -> Option<&Wanted> {
        if self.lengths >> length_class(key.len()) & 1 == 0 {
            return None;
        }
        let ends = Ends::of(key);
        let mut place = ends.place(key.len());
        loop {
            let number = usize::from(self.places[usize::from(place)]);
            if number == 0 {
                return None;
            }
            let wanted = &self.keys[number % KEYS_MAX];
            if wanted.ends.first == ends.first
                && wanted.ends.last == ends.last
                && wanted.length == key.len()
                && (key.len() <= 16 || wanted.middle == middle(key))
                && (key.len() <= 32 || *self.texts[number] == *key)
            {
                return Some(&wanted.wanted);
            }
            place = place.wrapping_add(1);
        }
    }
}

#[inline]
fn length_class(length: usize) -> usize {
    length.min(63)
}

/// First and last eight bytes of a key: all of it up to 16 bytes. Words of their own, not an array: an array would go
/// through memory to be compared as a vector.
#[derive(Debug, Clone, Copy, Default)]
struct Ends {
    first: u64,
    last: u64,
}

impl Ends {
    #[inline(always)]
    fn of(key: &[u8]) -> Self {
        match (key.first_chunk(), key.last_chunk()) {
            (Some(first), Some(last)) => Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last) },
            _ => Self { first: short(key), last: 0 },
        }
    }

    /// Where the search for a key begins.
    #[inline(always)]
    fn place(self, length: usize) -> u8 {
        // The multiplier is 2^64 over the golden ratio (Knuth): the upper bits depend on every bit below them.
        let mixed = self.first ^ self.last.rotate_left(29) ^ length as u64;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
    }
}

/// A key of less than eight bytes as a word.
#[inline]
fn short(key: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) {
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
    }
    key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The word after the first and the one before the last: with the ends all of a key of 17 to 32 bytes.
#[inline(always)]
fn middle(key: &[u8]) -> (u64, u64) {
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    if key.len() < 16 { (0, 0) } else { (word(key[8..].first_chunk()), word(key[..key.len() - 8].last_chunk())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(table: &KeyTable, key: &[u8]) -> Option<u8> {
        table.find(key).map(|wanted| wanted.slot)
    }

    /// Keys of every length up to 80 that differ in one byte from each other.
    fn neighbours(length: usize) -> Vec<String> {
        let base = "abcdefghijklmnopqrstuvwxyz".repeat(4);
        let changed = |at: usize| base[..length].chars().enumerate().map(move |(n, c)| if n == at { '#' } else { c });
        (0..length).map(|at| changed(at).collect()).collect()
    }

    #[test]
    fn every_key_is_found_and_none_of_its_neighbours() {
        for length in 0..80 {
            let base = "abcdefghijklmnopqrstuvwxyz".repeat(4);
            let table = KeyTable::new([(&base[..length], 7)]);
            assert_eq!(slot(&table, &base.as_bytes()[..length]), Some(7), "{length}");
            for other in neighbours(length) {
                assert_eq!(slot(&table, other.as_bytes()), None, "{other}");
            }
            assert_eq!(slot(&table, &base.as_bytes()[..length + 1]), None);
        }
    }

    #[test]
    fn keys_that_differ_in_a_byte_have_slots_of_their_own() {
        for length in [1, 3, 4, 7, 8, 9, 16, 17, 31, 32, 33, 64, 80] {
            let keys = neighbours(length);
            let table = KeyTable::new(keys.iter().map(String::as_str).zip(0..));
            for (number, key) in (0..).zip(&keys) {
                assert_eq!(slot(&table, key.as_bytes()), Some(number), "{key}");
            }
        }
    }

    #[test]
    fn a_full_table_still_ends_its_search() {
        let keys: Vec<String> = (1..KEYS_MAX).map(|number| format!("key {number:04}")).collect();
        let table = KeyTable::new(keys.iter().map(String::as_str).zip(1..));
        assert!((0..10_000).all(|number| {
            let wanted = (1..KEYS_MAX).contains(&number).then_some(number as u8);
            slot(&table, format!("key {number:04}").as_bytes()) == wanted
        }));
    }

    #[test]
    fn a_key_given_twice_fills_its_first_slot_and_shares_it_with_the_others() {
        let table = KeyTable::new([("tenant", 3), ("module", 4), ("tenant", 5), ("tenant", 70)]);
        assert_eq!(slot(&table, b"tenant"), Some(3));
        assert_eq!(table.shared(), [(3, 5), (3, 70)]);
    }
}
