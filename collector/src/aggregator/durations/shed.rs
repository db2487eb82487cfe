//! What leaves memory when cells are over their budget (`sli.md` 4.3), in this order: closed cells older than an hour,
//! the oldest first; all cells of the series whose latest request is the longest ago; one of the two digits of closed
//! cells; and if that is still too much, whole periods, the oldest first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cells::CellTable;
use super::kept::STOPPED;
use super::{Durations, PERIODS_PER_HOUR, series_of};
use crate::aggregator::memory::layers::Layers;
use crate::aggregator::snapshot::SeriesId;

/// How dear a series' cells are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::aggregator) struct Heat {
    /// It keeps its cells whatever happens to others: it stands for many series, or an SLO names it.
    pub(in crate::aggregator) is_spared: bool,
    /// When its latest request ended.
    pub(in crate::aggregator) last_seen_ns: u64,
}

impl Durations {
    /// Brings sealed cells within the budget.
    pub(super) fn shed(&mut self, now_ns: u64, heat: impl Fn(SeriesId) -> Heat) {
        while self.is_over()
            && let Some((hour, tables)) = self.kept.hours.pop_first()
        {
            // The hour's last periods may still be kept as such.
            self.kept.lose_before(((hour + 1) * PERIODS_PER_HOUR).min(self.kept.oldest));
            self.shed.hours += cells_in(&tables);
        }
        if self.is_over() {
            self.stop_coldest(heat);
        }
        if self.is_over() {
            self.fold();
        }
        while self.is_over()
            && let Some((period, tables)) = self.kept.periods.pop_first()
        {
            let present = super::period_of(now_ns);
            self.kept.lose_before((period + 1).min(present));
            if period >= present {
                self.kept.whole_since_ns = self.kept.whole_since_ns.max(now_ns);
            }
            self.shed.periods += cells_in(&tables);
        }
    }

    fn is_over(&self) -> bool {
        self.kept.memory_bytes() > self.bytes_max
    }

    /// The coldest series keep no cells from now on, until an eighth of the budget is free: less would make this a
    /// task of every tick.
    fn stop_coldest(&mut self, heat: impl Fn(SeriesId) -> Heat) {
        let mut held: BTreeMap<SeriesId, usize> = BTreeMap::new();
        for (cell, bytes) in self.kept.layers().flat_map(Layers::tables).flat_map(CellTable::sizes) {
            *held.entry(series_of(cell)).or_default() += bytes;
        }
        let mut coldest: Vec<_> = held.iter().map(|(series, bytes)| (heat(*series), *series, *bytes)).collect();
        coldest.retain(|(heat, ..)| !heat.is_spared);
        coldest.sort_unstable();
        let mut excess = self.kept.memory_bytes().saturating_sub(self.bytes_max - self.bytes_max / 8);
        let mut gone = BTreeSet::new();
        for (_, series, bytes) in coldest {
            if excess == 0 {
                break;
            }
            excess = excess.saturating_sub(bytes);
            gone.insert(series);
        }
        self.stop(&gone);
    }

    fn stop(&mut self, gone: &BTreeSet<SeriesId>) {
        let since = Arc::make_mut(&mut self.kept.since);
        for series in gone {
            let place = *series as usize;
            if self.stopped.len() <= place {
                self.stopped.resize(place + 1, false);
            }
            self.stopped[place] = true;
            since.insert(*series, STOPPED);
        }
        let before: u64 = self.kept.layers().map(cells_in).sum();
        for layers in self.kept.periods.values_mut() {
            *layers = rewritten(layers, |table| table.without(|series| gone.contains(&series)));
        }
        self.shed.periods += before - self.kept.layers().map(cells_in).sum::<u64>();
    }

    /// Closed cells lose a digit, the oldest first.
    fn fold(&mut self) {
        let periods: Vec<_> = self.kept.periods.keys().copied().collect();
        for period in periods {
            if !self.is_over() {
                return;
            }
            let Some(layers) = self.kept.periods.get_mut(&period) else { continue };
            let fine = layers.tables().filter(|table| !table.is_folded());
            self.shed.periods += fine.map(|table| table.len() as u64).sum::<u64>();
            *layers = rewritten(layers, CellTable::folded);
        }
    }

    /// Series that had to stop keep cells again once half of the budget is free.
    pub(super) fn resume(&mut self, now_ns: u64) {
        if !self.stopped.is_empty() && self.memory_bytes() <= self.bytes_max / 2 {
            self.stopped = Vec::new();
            let since = Arc::make_mut(&mut self.kept.since).values_mut();
            since.filter(|since| **since == STOPPED).for_each(|since| *since = now_ns);
        }
    }
}

fn cells_in(layers: &Layers<CellTable>) -> u64 {
    layers.tables().map(|table| table.len() as u64).sum()
}

fn rewritten(layers: &Layers<CellTable>, rewrite: impl Fn(&CellTable) -> CellTable) -> Layers<CellTable> {
    let mut fresh = Layers::default();
    layers.tables().for_each(|table| fresh.push(rewrite(table)));
    fresh
}
