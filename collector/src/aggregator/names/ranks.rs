//! Which operations of a full module have series of their own: those with the most requests (`sli.md` 5).
//!
//! Requests without a series are counted in the sketch of their module. At looks, operations with and without a series
//! are ranked together: who comes in among the first K has a series from its next request on, who was behind 2 K for a
//! quarter of an hour has none any more. Of sketches only the sure counts rank ([`super::heavy`]).

use std::cmp::Reverse;

use bailiwick_slo::saved;
use bailiwick_slo::time::SECOND_NS;

use super::Names;
use super::heavy::Sketch;
use super::watch::Watch;
use crate::aggregator::snapshot::{ModuleId, SeriesId};

/// Counters of a sketch for each operation that may have a series.
const COUNTERS: usize = 4;
/// How long an operation must rank behind 2 K to lose its series.
const BEHIND_NS: u64 = 15 * 60 * SECOND_NS;
/// Counts are halved so often: what was long ago weighs less.
const HALVED_NS: u64 = 5 * 60 * SECOND_NS;

/// Number of a sketch.
pub(super) type RankId = u32;

/// A module without a sketch, a request that is in none.
pub(super) const NO_RANK: RankId = RankId::MAX;

/// The operations of a module that have no series.
#[derive(Debug)]
struct Rank {
    module: ModuleId,
    sketch: Sketch,
    /// Operations that may have a series, sorted.
    promoted: Vec<u64>,
}
saved!(struct Rank { module, sketch, promoted });

/// All sketches.
#[derive(Debug, Default)]
pub(super) struct Ranks {
    ranks: Vec<Option<Rank>>,
    free: Vec<RankId>,
    /// By [`ModuleId`].
    by_module: Vec<RankId>,
    /// Halvings since the epoch.
    halved: Option<u64>,
}
saved!(struct Ranks { ranks, free, by_module, halved });

impl Ranks {
    fn of(&self, module: ModuleId) -> RankId {
        self.by_module.get(module as usize).copied().unwrap_or(NO_RANK)
    }

    /// The sketch of a module, begun if there may be another one.
    pub(super) fn open(&mut self, module: ModuleId, (sketches_max, operations_top): (u32, u32)) -> RankId {
        let known = self.of(module);
        if known != NO_RANK || self.used() >= sketches_max {
            return known;
        }
        let sketch = Sketch::new(operations_top as usize * COUNTERS);
        let rank = Some(Rank { module, sketch, promoted: Vec::new() });
        let id = match self.free.pop() {
            Some(id) => {
                self.ranks[id as usize] = rank;
                id
            }
            None => {
                self.ranks.push(rank);
                self.ranks.len() as RankId - 1
            }
        };
        if self.by_module.len() <= module as usize {
            self.by_module.resize(module as usize + 1, NO_RANK);
        }
        self.by_module[module as usize] = id;
        id
    }

    /// Sketches there are.
    pub(super) fn used(&self) -> u32 {
        (self.ranks.len() - self.free.len()) as u32
    }

    /// Counters of all sketches.
    #[cfg(test)]
    pub(super) fn counters(&self) -> usize {
        self.ranks.iter().flatten().map(|rank| rank.sketch.counters().len()).sum()
    }

    /// Counts a request that has no series.
    #[inline]
    pub(super) fn count(&mut self, rank: RankId, number: u64) {
        if let Some(Some(rank)) = self.ranks.get_mut(rank as usize) {
            rank.sketch.add(number);
        }
    }

    /// Whether an operation ranks among those that have series.
    pub(super) fn is_promoted(&self, module: ModuleId, number: u64) -> bool {
        let rank = self.ranks.get(self.of(module) as usize).and_then(Option::as_ref);
        rank.is_some_and(|rank| rank.promoted.binary_search(&number).is_ok())
    }

    /// An operation has its series: what was surely counted of it before.
    pub(super) fn take(&mut self, module: ModuleId, number: u64) -> u64 {
        let id = self.of(module) as usize;
        self.ranks.get_mut(id).and_then(Option::as_mut).map_or(0, |rank| rank.sketch.take(number))
    }

    /// Halvings that are due.
    fn due(&mut self, now_ns: u64) -> u32 {
        let halved = now_ns / HALVED_NS;
        let before = self.halved.replace(halved).unwrap_or(halved);
        (halved - before).min(u64::from(u64::BITS)) as u32
    }

    /// Halves all counts; a sketch that counts nothing any more is free for another module.
    fn halve(&mut self, times: u32) {
        for (slot, id) in self.ranks.iter_mut().zip(0..) {
            let Some(rank) = slot else { continue };
            rank.sketch.halve(times);
            if rank.sketch.counters().is_empty() {
                self.by_module[rank.module as usize] = NO_RANK;
                self.free.push(id);
                *slot = None;
            }
        }
    }
}

/// An operation in the ranking: its count, its number, and its series if it has one.
type Ranked = (Reverse<u64>, u64, Option<SeriesId>);

impl Names {
    /// Ranks the operations of full modules: who may have a series, and who loses its own.
    pub(super) fn rank(&mut self, now_ns: u64) {
        let times = self.ranks.due(now_ns);
        if times > 0 {
            self.watches.iter_mut().for_each(|watch| watch.halve(times));
            self.ranks.halve(times);
        }
        if self.ranks.used() == 0 {
            return;
        }
        let mut ranked: Vec<Vec<Ranked>> = vec![Vec::new(); self.ranks.ranks.len()];
        for ((watch, module), series) in self.watches.iter_mut().zip(&self.module_of).zip(0..) {
            match ranked.get_mut(self.ranks.of(*module) as usize) {
                Some(ranked) if watch.is_own() => ranked.push((Reverse(watch.count), watch.number, Some(series))),
                _ => watch.behind_since_ns = None,
            }
        }
        let top = self.limits.operations_top as usize;
        let mut demoted = Vec::new();
        for (rank, mut ranked) in self.ranks.ranks.iter_mut().zip(ranked) {
            let Some(rank) = rank else { continue };
            let counters = rank.sketch.counters().iter();
            ranked.extend(counters.map(|counter| (Reverse(counter.sure), counter.number, None)));
            ranked.sort_unstable();
            let promoted = ranked.iter().take(top).filter(|(.., series)| series.is_none());
            rank.promoted = promoted.map(|(_, number, _)| *number).collect();
            rank.promoted.sort_unstable();
            for (place, (.., series)) in ranked.iter().enumerate() {
                let Some(series) = *series else { continue };
                if self.watches[series as usize].is_demoted((place >= 2 * top).then_some(now_ns)) {
                    demoted.push(series);
                }
            }
        }
        demoted.into_iter().for_each(|series| self.rest(series));
    }
}

impl Watch {
    fn halve(&mut self, times: u32) {
        self.count = self.count.checked_shr(times).unwrap_or_default();
    }

    /// Whether it loses its series: it ranks behind 2 K, as it did ever since it had time to change that.
    fn is_demoted(&mut self, behind_ns: Option<u64>) -> bool {
        let Some(now_ns) = behind_ns.filter(|_| !self.is_named) else {
            self.behind_since_ns = None;
            return false;
        };
        now_ns - *self.behind_since_ns.get_or_insert(now_ns) >= BEHIND_NS
    }
}
