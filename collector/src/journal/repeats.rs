//! Requests that may come again (`ingest.md` 5.6): a client that heard no answer sends the same bytes once more.

use std::collections::VecDeque;
use std::sync::Arc;

use bailiwick_slo::saved;
use bailiwick_slo::saved::Saved;
use bailiwick_slo::wire::{Reader, Writer};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::Record;
use crate::observation::batch::View;
use crate::observation::batch::layout::header;

/// How long a request may come again, nanoseconds.
const WINDOW_NS: u64 = 600_000_000_000;
/// Requests that are known of one principal.
const PRINCIPAL_MAX: u32 = 100_000;
/// Requests that are known of all.
const ALL_MAX: usize = 1_000_000;
/// Principals that are known by name; others share one.
const PRINCIPALS_MAX: usize = 65_536;

/// What makes two requests the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    principal: u32,
    signal: u8,
    body_hash: [u8; 16],
    body_bytes: u32,
}
saved!(struct Key { principal, signal, body_hash, body_bytes });

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    /// Its record.
    pub(super) seq: u64,
    /// Its items that were refused.
    pub(super) rejected: u64,
}
saved!(struct First { seq, rejected });

/// The window.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    known: HashMap<Key, First, RandomState>,
    /// In the order in which they came: when, what, as which record. One that came again is passed over at its older place.
    order: VecDeque<(u64, Key, u64)>,
    principals: HashMap<Arc<str>, u32, RandomState>,
    /// Requests by principal.
    counts: Vec<u32>,
    /// The same by principal, oldest first: who has as many as there may be of one loses its own.
    own: Vec<VecDeque<(Key, u64)>>,
}

impl Repeats {
    /// What [`Self::save`] wrote; anything else is as good as nothing: a checkpoint is whole or refused as a whole.
    pub(super) fn load(bytes: &[u8]) -> Self {
        let mut repeats = Self::default();
        let mut from = Reader::new(bytes);
        let principals = Vec::<Arc<str>>::load(&mut from);
        let rows = Vec::<(u64, Key, First)>::load(&mut from);
        if let (Ok(principals), Ok(rows)) = (principals, rows) {
            for name in principals {
                let number = repeats.counts.len() as u32;
                repeats.principals.insert(name, number);
                repeats.counts.push(0);
            }
            for (at_ns, key, first) in rows {
                if (key.principal as usize) < repeats.counts.len() {
                    repeats.put(at_ns, key, first);
                }
            }
        }
        repeats
    }

    /// All that came up to a record.
    pub(super) fn save(&self, through: u64) -> Vec<u8> {
        let mut principals: Vec<(&Arc<str>, u32)> =
            self.principals.iter().map(|(name, number)| (name, *number)).collect();
        principals.sort_unstable_by_key(|(_, number)| *number);
        let rows = self.order.iter().filter(|(_, _, seq)| *seq <= through);
        let rows = rows.filter_map(|(at_ns, key, seq)| {
            let first = self.known.get(key).filter(|first| first.seq == *seq)?;
            Some((*at_ns, *key, *first))
        });
        let mut to = Writer::default();
        principals.into_iter().map(|(name, _)| Arc::clone(name)).collect::<Vec<_>>().save(&mut to);
        rows.collect::<Vec<_>>().save(&mut to);
        to.into_bytes()
    }

    /// How many are known.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// The request that this one repeats.
    pub(super) fn find(&mut self, batch: &View<'_>) -> Option<First> {
        self.forget(batch.observed_at_ns());
        let key = self.key(batch)?;
        self.known.get(&key).copied()
    }

    /// A record that was appended.
    pub(super) fn note(&mut self, record: &Record, seq: u64) {
        let (Record::Batch { batch, .. } | Record::Repeat { batch, .. }) = record else { return };
        let batch = batch.view();
        let at_ns = batch.observed_at_ns();
        // A replay forgets as the process did, which looked for each.
        self.forget(at_ns);
        if matches!(record, Record::Repeat { .. }) {
            return;
        }
        let rejected = batch.rejects().map(|reject| u64::from(reject.count)).sum();
        if let Some(key) = self.key(&batch) {
            self.put(at_ns, key, First { seq, rejected });
        }
    }

    /// Records from this one on were not appended after all.
    pub(super) fn withdraw(&mut self, from: u64) {
        while let Some((_, key, seq)) = self.order.pop_back_if(|(_, _, seq)| *seq >= from) {
            self.drop(&key, seq);
        }
    }

    fn put(&mut self, at_ns: u64, key: Key, first: First) {
        let principal = key.principal as usize;
        if self.known.insert(key, first).is_none() {
            self.counts[principal] += 1;
        }
        self.order.push_back((at_ns, key, first.seq));
        self.own.resize_with(self.counts.len(), VecDeque::new);
        self.own[principal].push_back((key, first.seq));
        while self.own[principal].len() > PRINCIPAL_MAX as usize {
            if let Some((key, seq)) = self.own[principal].pop_front() {
                self.drop(&key, seq);
            }
        }
        while self.order.len() > ALL_MAX {
            self.forget_oldest();
        }
    }

    fn forget(&mut self, now_ns: u64) {
        // What is from the future came before the clock was set back.
        let is_old = |at_ns: u64| at_ns.saturating_add(WINDOW_NS) <= now_ns || now_ns.saturating_add(WINDOW_NS) < at_ns;
        while self.order.front().is_some_and(|(at_ns, ..)| is_old(*at_ns)) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key, seq)) = self.order.pop_front() {
            self.drop(&key, seq);
        }
    }

    fn drop(&mut self, key: &Key, seq: u64) {
        if self.known.get(key).is_some_and(|first| first.seq == seq) {
            self.known.remove(key);
            self.counts[key.principal as usize] -= 1;
        }
        // Whoever is forgotten by its age is the oldest of its principal, and the youngest is withdrawn.
        if let Some(own) = self.own.get_mut(key.principal as usize) {
            own.pop_front_if(|(_, first)| *first == seq);
            own.pop_back_if(|(_, first)| *first == seq);
        }
    }

    /// An empty body is no request that could count twice.
    fn key(&mut self, batch: &View<'_>) -> Option<Key> {
        let body_bytes = batch.header_u32(header::BODY_BYTES);
        if body_bytes == 0 {
            return None;
        }
        let name = batch.string(batch.header_u32(header::PRINCIPAL));
        let principal = match self.principals.get(name) {
            Some(number) => *number,
            None => {
                let name = if self.principals.len() < PRINCIPALS_MAX { name } else { "" };
                let next = self.counts.len() as u32;
                let number = *self.principals.entry(Arc::from(name)).or_insert(next);
                if number == next {
                    self.counts.push(0);
                }
                number
            }
        };
        Some(Key { principal, signal: batch.signal(), body_hash: batch.body_hash(), body_bytes })
    }
}

#[cfg(test)]
mod tests;
