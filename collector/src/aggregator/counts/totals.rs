//! What series and modules counted since the daemon began, and the copies of it that snapshots share. A publication
//! costs what changed since the one before.

use bailiwick_slo::saved;

use super::intervals::Gain;
use crate::aggregator::memory::chunked::Chunked;
use crate::aggregator::memory::marks::Marks;
use crate::aggregator::names::NewModule;
use crate::aggregator::snapshot::{ModuleTotals, SOURCES, SeriesTotals};

/// Totals of series: what has left the rows of open slots, and, as shown, what still stands there too.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Totals {
    settled: Vec<SeriesTotals>,
    /// Series whose settled totals are not shown yet, or are shown with what rows held.
    changed: Marks,
    shown: Chunked<SeriesTotals>,
}
saved!(struct Totals { settled, changed, shown });

impl Totals {
    /// Makes room for series up to this number.
    pub(in crate::aggregator) fn grow(&mut self, length: usize) {
        self.settled.resize(length, SeriesTotals::default());
        self.changed.grow(length);
    }

    /// A series begins again at 0: none of its requests stands in a row any more.
    pub(in crate::aggregator) fn restart(&mut self, series: u32) {
        self.settled[series as usize] = SeriesTotals::default();
        self.changed.mark(series);
    }

    /// Adds what left the rows.
    pub(in crate::aggregator) fn gain(&mut self, gain: Gain) {
        add(&mut self.settled[gain.series as usize], &gain);
        self.changed.mark(gain.series);
    }

    /// Totals as they were published last.
    pub(in crate::aggregator) fn shown(&self) -> &Chunked<SeriesTotals> {
        &self.shown
    }

    /// All totals, those in `open` rows included.
    pub(in crate::aggregator) fn publish(&mut self, open: impl Iterator<Item = Gain>) -> Chunked<SeriesTotals> {
        self.shown.grow(self.settled.len());
        let (settled, shown) = (&self.settled, &mut self.shown);
        self.changed.take(|series| *shown.get_mut(series as usize) = settled[series as usize]);
        for gain in open {
            add(shown.get_mut(gain.series as usize), &gain);
            // Rows are added anew each time: the next publication starts from the settled totals.
            self.changed.mark(gain.series);
        }
        shown.clone()
    }
}

fn add(totals: &mut SeriesTotals, gain: &Gain) {
    totals.outcomes += gain.counts.outcomes;
    totals.spans += gain.counts.spans;
    totals.last_seen_ns = totals.last_seen_ns.max(gain.last_end_ns);
}

/// Totals of modules.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Modules {
    totals: Vec<ModuleTotals>,
    changed: Marks,
    shown: Chunked<ModuleTotals>,
}
saved!(struct Modules { totals, changed, shown });

impl Modules {
    /// Opens the module with the next number.
    pub(in crate::aggregator) fn open(&mut self, new: NewModule) {
        self.totals.push(ModuleTotals {
            tenant: new.tenant,
            module: new.module,
            overflow: new.overflow,
            le: [0; 15],
            duration_sum_ns: 0,
            sources: [0; SOURCES.len()],
            last_seen_ns: 0,
        });
        self.changed.grow(self.totals.len());
        self.changed.mark(self.totals.len() as u32 - 1);
    }

    /// A module's totals.
    pub(in crate::aggregator) fn get(&self, module: u32) -> &ModuleTotals {
        &self.totals[module as usize]
    }

    /// A module's totals, to be changed.
    #[inline]
    pub(in crate::aggregator) fn get_mut(&mut self, module: u32) -> &mut ModuleTotals {
        self.changed.mark(module);
        &mut self.totals[module as usize]
    }

    /// How many there are.
    pub(in crate::aggregator) fn len(&self) -> usize {
        self.totals.len()
    }

    /// All totals.
    pub(in crate::aggregator) fn publish(&mut self) -> Chunked<ModuleTotals> {
        let (totals, shown) = (&self.totals, &mut self.shown);
        // The others were shown before; new ones come in the order of their numbers here.
        for new in &totals[shown.len()..] {
            shown.push(new.clone());
        }
        self.changed.take(|module| *shown.get_mut(module as usize) = totals[module as usize].clone());
        shown.clone()
    }
}
