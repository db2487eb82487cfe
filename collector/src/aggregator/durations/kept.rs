//! Sealed cells by age, and what readers make of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::saved;
use bailiwick_slo::time::{SECOND_NS, Window};

use super::cells::{self, CellTable, cell_id};
use super::{HOURS_KEPT, PERIOD_NS, PERIODS_PER_HOUR, Period};
use crate::aggregator::memory::layers::Layers;
use crate::aggregator::snapshot::{CellKind, Latency, SeriesId};

/// Since when a series keeps cells, if it keeps none.
pub(super) const STOPPED: u64 = u64::MAX;

/// Sealed cells. Snapshots share copies of it, and copies their tables.
#[derive(Debug, Default, Clone)]
pub(in crate::aggregator) struct Shown {
    pub(super) periods: BTreeMap<Period, Layers<CellTable>>,
    /// By hour from the epoch.
    pub(super) hours: BTreeMap<u32, Layers<CellTable>>,
    /// Since when series keep cells that once stopped; [`STOPPED`] if they have not begun again.
    pub(super) since: Arc<BTreeMap<SeriesId, u64>>,
    /// The first period that is kept as such; earlier ones are part of an hour.
    pub(super) oldest: Period,
    /// Periods before this one have been shed; what comes late for them is shed too.
    pub(super) shed_before: Period,
    /// Nothing has been shed of the time from here on.
    pub(super) whole_since_ns: u64,
    begun_ns: u64,
    through_ns: u64,
}
saved!(struct Shown { periods, hours, since, oldest, shed_before, whole_since_ns, begun_ns, through_ns });

/// Cells that left memory or a digit before their time.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Shed {
    pub(super) periods: u64,
    pub(super) hours: u64,
}
saved!(struct Shed { periods, hours });

impl Shown {
    /// Adds sealed cells where their period stands.
    pub(super) fn add(&mut self, period: Period, table: CellTable, shed: &mut Shed) {
        if period < self.shed_before {
            shed.periods += table.len() as u64;
        } else if period < self.oldest {
            self.hours.entry(period / PERIODS_PER_HOUR).or_default().push(table);
        } else {
            self.periods.entry(period).or_default().push(table);
        }
    }

    /// Folds periods older than an hour into hours and forgets hours older than a day.
    pub(super) fn retire(&mut self, first_open: Period) {
        self.oldest = self.oldest.max(first_open.saturating_sub(PERIODS_PER_HOUR));
        while let Some(period) = self.periods.first_entry().filter(|period| *period.key() < self.oldest) {
            let (period, tables) = period.remove_entry();
            self.hours.entry(period / PERIODS_PER_HOUR).or_default().absorb(&tables);
        }
        let oldest_hour = (first_open / PERIODS_PER_HOUR).saturating_sub(HOURS_KEPT);
        while self.hours.first_entry().filter(|hour| *hour.key() < oldest_hour).map(|hour| hour.remove()).is_some() {}
        let oldest_ns = u64::from(oldest_hour * PERIODS_PER_HOUR) * PERIOD_NS;
        if self.since.values().any(|since| *since < oldest_ns) {
            // Whatever these series miss is older than all that is kept.
            Arc::make_mut(&mut self.since).retain(|_, since| *since >= oldest_ns);
        }
    }

    /// States the stretch that the cells hold.
    pub(super) fn cover(&mut self, begun_ns: u64, through_ns: u64) {
        self.begun_ns = begun_ns;
        self.through_ns = through_ns;
    }

    /// States that nothing is left of the periods before this one.
    pub(super) fn lose_before(&mut self, period: Period) {
        self.shed_before = self.shed_before.max(period);
        self.whole_since_ns = self.whole_since_ns.max(u64::from(period) * PERIOD_NS);
    }

    pub(super) fn layers(&self) -> impl Iterator<Item = &Layers<CellTable>> {
        self.periods.values().chain(self.hours.values())
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.layers().flat_map(Layers::tables).map(CellTable::memory_bytes).sum()
    }

    /// Durations of these series over at least the window that ends at `data_through_ns`.
    pub(in crate::aggregator) fn latency(
        &self,
        kind: CellKind,
        series: &[SeriesId],
        (window, data_through_ns): (Window, u64),
    ) -> Latency {
        let first = (data_through_ns.saturating_sub(window.seconds() * SECOND_NS) / PERIOD_NS) as Period;
        let is_day = window == Window::Day;
        let first_hour = first / PERIODS_PER_HOUR;
        let first = if is_day { first_hour * PERIODS_PER_HOUR } else { first };
        let mut histogram = cells::histogram();
        let ahead = self.through_ns.div_ceil(PERIOD_NS) as Period;
        let periods = self.periods.range(first..ahead.max(first)).map(|(_, tables)| tables);
        let hours = self.hours.range(first_hour..).filter(|_| is_day).map(|(_, tables)| tables);
        for table in periods.chain(hours).flat_map(Layers::tables) {
            series.iter().for_each(|series| table.add_to(&mut histogram, cell_id(*series, kind)));
        }
        let since = self.since_any_of(series);
        let begins = [u64::from(first) * PERIOD_NS, self.begun_ns, self.whole_since_ns, since.unwrap_or(STOPPED)];
        let from_ns = begins.into_iter().max().unwrap_or_default().min(self.through_ns);
        Latency { histogram, from_ns, to_ns: self.through_ns, is_kept: since.is_some() }
    }

    /// Since when any of these series keeps cells, 0 being always; `None` if none does.
    fn since_any_of(&self, series: &[SeriesId]) -> Option<u64> {
        let since = |series| self.since.get(series).copied().unwrap_or(0);
        series.iter().map(since).min().or(Some(0)).filter(|since| *since != STOPPED)
    }
}
