//! Names of spans that are in the index: each text once, counted by who uses it, gone some time after the last user.
//!
//! Series have names of their own (`names`), admitted within maxima; here stands whatever live spans are called, so
//! that a million names that never become series last no longer than the spans that bear them. A name that nobody uses
//! may come back with the next batch: the last [`IDLE_MAX`] of them stay.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use bailiwick_slo::saved;
use bailiwick_slo::saved::Saved;
use bailiwick_slo::wire::{Read, Reader, Writer};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::aggregator::names::{NO_SYMBOL, Symbol};

/// Number of a name, as long as somebody uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::aggregator) struct NameId(pub(in crate::aggregator) u32);
saved!(struct NameId { 0 });

impl NameId {
    /// No name.
    pub(in crate::aggregator) const NONE: Self = Self(0);
}

#[derive(Debug)]
struct Entry {
    text: Box<str>,
    uses: u32,
    /// It stands among the idle ones, used again since or not.
    is_idle: bool,
    /// Its number among the names of series, as far as it was asked.
    symbol: Symbol,
}
saved!(struct Entry { text, uses, is_idle, symbol });

/// The names.
#[derive(Debug)]
pub(in crate::aggregator) struct Pool {
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// Names that nobody used at some time, the one that came first in front.
    idle: VecDeque<u32>,
    by_text: HashTable<u32>,
    hasher: RandomState,
    text_bytes: usize,
}

impl Saved for Pool {
    fn save(&self, to: &mut Writer) {
        self.entries.save(to);
        self.free.save(to);
        self.idle.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let mut pool = Self {
            entries: Saved::load(from)?,
            free: Saved::load(from)?,
            idle: Saved::load(from)?,
            by_text: HashTable::new(),
            hasher: RandomState::default(),
            text_bytes: 0,
        };
        let (entries, hasher) = (&pool.entries, &pool.hasher);
        for (number, entry) in (0..).zip(entries).filter(|(_, entry)| !entry.text.is_empty()) {
            pool.text_bytes += entry.text.len();
            let hash = |number: &u32| hasher.hash_one(&*entries[*number as usize].text);
            pool.by_text.insert_unique(hash(&number), number, hash);
        }
        Ok(pool)
    }
}

/// Names kept that nobody uses.
const IDLE_MAX: usize = 4_096;

/// What a name takes beside its text: its entry, its place in the table.
const ENTRY_BYTES: usize = size_of::<Entry>() + 8;

impl Default for Pool {
    fn default() -> Self {
        // Number 0 is no name.
        let none = Entry { text: Box::default(), uses: 1, is_idle: false, symbol: NO_SYMBOL };
        Self {
            entries: vec![none],
            free: Vec::new(),
            idle: VecDeque::new(),
            by_text: HashTable::new(),
            hasher: RandomState::default(),
            text_bytes: 0,
        }
    }
}

impl Pool {
    /// The number of a text, used once more.
    pub(in crate::aggregator) fn take(&mut self, text: &str) -> NameId {
        if text.is_empty() {
            return NameId::NONE;
        }
        let hash = self.hasher.hash_one(text);
        let entries = &mut self.entries;
        if let Some(number) = self.by_text.find(hash, |number| *entries[*number as usize].text == *text) {
            entries[*number as usize].uses += 1;
            return NameId(*number);
        }
        self.text_bytes += text.len();
        let entry = Entry { text: text.into(), uses: 1, is_idle: false, symbol: NO_SYMBOL };
        let number = match self.free.pop() {
            Some(number) => {
                self.entries[number as usize] = entry;
                number
            }
            None => {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
        };
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.by_text.insert_unique(hash, number, |number| hasher.hash_one(&*entries[*number as usize].text));
        NameId(number)
    }

    /// Uses a name once more.
    #[inline]
    pub(in crate::aggregator) fn again(&mut self, name: NameId) -> NameId {
        if name != NameId::NONE {
            self.entries[name.0 as usize].uses += 1;
        }
        name
    }

    /// Uses a name once less.
    pub(in crate::aggregator) fn release(&mut self, name: NameId) {
        if name == NameId::NONE {
            return;
        }
        let entry = &mut self.entries[name.0 as usize];
        entry.uses -= 1;
        if entry.uses == 0 && !std::mem::replace(&mut entry.is_idle, true) {
            self.idle.push_back(name.0);
            if self.idle.len() > IDLE_MAX {
                self.forget_one();
            }
        }
    }

    /// Forgets the name that has been idle longest, unless it is used again.
    fn forget_one(&mut self) {
        let Some(number) = self.idle.pop_front() else { return };
        let entry = &mut self.entries[number as usize];
        entry.is_idle = false;
        if entry.uses > 0 {
            return;
        }
        let text = std::mem::take(&mut entry.text);
        self.text_bytes -= text.len();
        if let Ok(place) = self.by_text.find_entry(self.hasher.hash_one(&*text), |known| *known == number) {
            place.remove();
        }
        self.free.push(number);
    }

    /// The text of a name in use; empty for none.
    #[inline]
    pub(in crate::aggregator) fn text(&self, name: NameId) -> &str {
        &self.entries[name.0 as usize].text
    }

    /// The number of a name among those of series, asked for until it has one.
    #[inline]
    pub(in crate::aggregator) fn symbol(&mut self, name: NameId, ask: impl FnOnce(&str) -> Symbol) -> Symbol {
        let entry = &mut self.entries[name.0 as usize];
        if entry.symbol == NO_SYMBOL {
            entry.symbol = ask(&entry.text);
        }
        entry.symbol
    }

    /// The number of a text that somebody uses.
    #[cfg(test)]
    pub(in crate::aggregator) fn find(&self, text: &str) -> Option<NameId> {
        let found =
            self.by_text.find(self.hasher.hash_one(text), |number| *self.entries[*number as usize].text == *text);
        found.map(|number| NameId(*number))
    }

    /// Bytes of names in use.
    pub(in crate::aggregator) fn memory_bytes(&self) -> usize {
        self.text_bytes + (self.entries.len() - self.free.len()) * ENTRY_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lives_as_long_as_it_is_used_and_a_while_longer() {
        let mut pool = Pool::default();
        let (one, same, other) = (pool.take("GET /a"), pool.take("GET /a"), pool.take("GET /b"));
        assert_eq!((one, pool.text(one), pool.text(other)), (same, "GET /a", "GET /b"));
        pool.release(one);
        assert_eq!(pool.find("GET /a"), Some(same));
        pool.release(same);
        assert_eq!(pool.take("GET /a"), one, "it is back before it was forgotten");
        pool.release(one);
        for number in 0..IDLE_MAX {
            let name = pool.take(&number.to_string());
            pool.release(name);
        }
        assert_eq!((pool.find("GET /a"), pool.find("GET /b")), (None, Some(other)));
        assert_eq!(pool.find("0").map(|name| pool.text(name)), Some("0"));
    }

    #[test]
    fn a_hundred_thousand_names_leave_little_behind() {
        let mut pool = Pool::default();
        for round in 0..100 {
            let names: Vec<_> = (0..1_000).map(|n| pool.take(&format!("{round} {n}"))).collect();
            names.into_iter().for_each(|name| pool.release(name));
        }
        assert_eq!(pool.by_text.len(), IDLE_MAX);
        assert!(pool.entries.len() <= IDLE_MAX + 1_001, "{}", pool.entries.len());
    }

    #[test]
    fn no_name_is_nobodys() {
        let mut pool = Pool::default();
        let none = pool.take("");
        assert_eq!((none, pool.again(none), pool.text(none)), (NameId::NONE, NameId::NONE, ""));
        pool.release(none);
        pool.release(none);
        assert_eq!(pool.text(NameId::NONE), "");
    }
}
