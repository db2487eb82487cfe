//! Counts by time: open slots that requests are added to, closed slots and hours that snapshots share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};

use bailiwick_slo::outcome::{Outcome, OutcomeCounts};
use bailiwick_slo::time::{Slot, Window};

use super::snapshot::{SeriesId, SlotCounts};
use super::table::Table;

/// Closed slots in memory: 65 minutes, so that windows to 1 h have whole slots at both edges.
const SLOTS_KEPT: usize = 390;
/// Hours in memory.
const HOURS_KEPT: usize = 24;

/// Requests of one series in one open slot. 32 bits hold 400 million requests a second.
#[derive(Debug, Clone, Copy, Default)]
struct OpenRow {
    outcomes: [u32; 5],
    spans: u32,
    last_end_ns: u64,
}

#[derive(Debug, Default)]
struct OpenSlot {
    rows: Vec<OpenRow>,
    touched: Vec<SeriesId>,
}

/// Where requests of the present are counted.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    open: BTreeMap<Slot, OpenSlot>,
    /// Every slot before this one is closed.
    first_open: Option<Slot>,
    late: BTreeMap<(Slot, SeriesId), (SlotCounts, u64)>,
    closed: Arc<Closed>,
}

/// Closed slots and hours. Immutable; shared by snapshots until something closes.
#[derive(Debug, Default)]
pub(super) struct Closed {
    slots: VecDeque<(Slot, Arc<Table>)>,
    hours: VecDeque<(u32, Arc<Table>)>,
    /// End of the last closed slot; 0: none yet.
    through_ns: u64,
    windows: [OnceLock<Vec<SlotCounts>>; 4],
}

/// What a tick adds to a series' totals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gain {
    pub(super) series: SeriesId,
    pub(super) counts: SlotCounts,
    pub(super) last_end_ns: u64,
}

impl OpenRow {
    fn counts(&self) -> SlotCounts {
        SlotCounts { outcomes: OutcomeCounts(self.outcomes.map(u64::from)), spans: u64::from(self.spans) }
    }
}

impl Intervals {
    /// Counts one request in the slot of its end.
    #[inline]
    pub(super) fn count(&mut self, series: SeriesId, outcome: Outcome, end_ns: u64) {
        let slot = Slot::holding(end_ns);
        if self.first_open.is_some_and(|first| slot < first) {
            let (counts, last) = self.late.entry((slot, series)).or_default();
            counts.outcomes.add(outcome, 1);
            counts.spans += 1;
            *last = (*last).max(end_ns);
            return;
        }
        let open = self.open.entry(slot).or_default();
        let place = series as usize;
        if open.rows.len() <= place {
            // Room for what is coming, so that a growing directory does not grow every slot row by row.
            open.rows.resize((place + 1).next_multiple_of(1_024), OpenRow::default());
        }
        let row = &mut open.rows[place];
        if row.spans == 0 {
            open.touched.push(series);
        }
        row.outcomes[outcome.index()] += 1;
        row.spans += 1;
        row.last_end_ns = row.last_end_ns.max(end_ns);
    }

    /// What each touched series counts in slots that are still open, slot by slot.
    pub(super) fn open_gains(&self) -> impl Iterator<Item = Gain> + '_ {
        self.open.values().flat_map(|open| {
            open.touched.iter().map(|series| {
                let row = open.rows[*series as usize];
                Gain { series: *series, counts: row.counts(), last_end_ns: row.last_end_ns }
            })
        })
    }

    /// Closes what ended before `now_ns - close_after_ns` and books late requests. Calls `gained` once for all that
    /// has now left the open slots.
    pub(super) fn close(&mut self, now_ns: u64, close_after_ns: u64, mut gained: impl FnMut(Gain)) {
        let first_open = Slot::holding(now_ns.saturating_sub(close_after_ns));
        let advanced = self.first_open.is_none_or(|first| first < first_open);
        if !advanced && self.late.is_empty() {
            return;
        }
        let mut closed = Closed {
            slots: self.closed.slots.clone(),
            hours: self.closed.hours.clone(),
            through_ns: self.closed.through_ns.max(first_open.start_ns()),
            windows: Default::default(),
        };
        if advanced {
            let still_open = self.open.split_off(&first_open);
            for (slot, mut open) in std::mem::replace(&mut self.open, still_open) {
                open.touched.sort_unstable();
                let rows = || open.touched.iter().map(|series| (*series, open.rows[*series as usize]));
                closed.slots.push_back((slot, Arc::new(Table::write(rows().map(|(s, row)| (s, row.counts()))))));
                rows().for_each(|(series, row)| {
                    gained(Gain { series, counts: row.counts(), last_end_ns: row.last_end_ns });
                });
            }
            self.first_open = Some(first_open);
        }
        self.book_late(&mut closed, &mut gained);
        closed.retire(first_open);
        self.closed = Arc::new(closed);
    }

    fn book_late(&mut self, closed: &mut Closed, gained: &mut impl FnMut(Gain)) {
        let mut late = std::mem::take(&mut self.late).into_iter().peekable();
        while let Some(((slot, _), _)) = late.peek() {
            let slot = *slot;
            let rows = std::iter::from_fn(|| late.next_if(|((of, _), _)| *of == slot));
            let rows: Vec<_> = rows.map(|((_, series), (counts, last))| (series, counts, last)).collect();
            for (series, counts, last_end_ns) in &rows {
                gained(Gain { series: *series, counts: *counts, last_end_ns: *last_end_ns });
            }
            closed.add(slot, rows.iter().map(|(series, counts, _)| (*series, *counts)));
        }
    }

    pub(super) fn closed(&self) -> &Arc<Closed> {
        &self.closed
    }
}

impl Closed {
    /// Adds rows to the interval that holds their slot.
    fn add(&mut self, slot: Slot, rows: impl Iterator<Item = (SeriesId, SlotCounts)>) {
        let in_hour = self.slots.front().is_some_and(|(oldest, _)| slot < *oldest);
        if in_hour && let Some((_, table)) = self.hours.iter_mut().find(|(hour, _)| *hour == slot.hour()) {
            *table = Arc::new(table.plus(rows));
            return;
        }
        match self.slots.binary_search_by_key(&slot, |(slot, _)| *slot) {
            Ok(at) => self.slots[at].1 = Arc::new(self.slots[at].1.plus(rows)),
            Err(at) => self.slots.insert(at, (slot, Arc::new(Table::write(rows)))),
        }
    }

    /// Folds slots older than 65 minutes into hours and forgets hours older than a day.
    fn retire(&mut self, first_open: Slot) {
        let oldest_kept = Slot(first_open.0.saturating_sub(SLOTS_KEPT as u32));
        while self.slots.front().is_some_and(|(slot, _)| *slot < oldest_kept) {
            let Some((slot, table)) = self.slots.pop_front() else { return };
            match self.hours.binary_search_by_key(&slot.hour(), |(hour, _)| *hour) {
                Ok(at) => self.hours[at].1 = Arc::new(self.hours[at].1.plus(table.rows())),
                Err(at) => self.hours.insert(at, (slot.hour(), table)),
            }
        }
        let oldest_hour = first_open.hour().saturating_sub(HOURS_KEPT as u32);
        while self.hours.front().is_some_and(|(hour, _)| *hour < oldest_hour) {
            self.hours.pop_front();
        }
    }

    pub(super) fn through_ns(&self) -> u64 {
        self.through_ns
    }

    /// Counts by series over a window that ends with the last closed slot. A day begins with a whole hour, so it
    /// holds up to an hour more than 24 hours.
    pub(super) fn window(&self, window: Window) -> &[SlotCounts] {
        let place = Window::ALL.iter().position(|known| *known == window).unwrap_or_default();
        self.windows[place].get_or_init(|| self.sum(window))
    }

    fn sum(&self, window: Window) -> Vec<SlotCounts> {
        let end = Slot::holding(self.through_ns);
        let first = Slot(end.0.saturating_sub(window.slots()));
        let hours = self.hours.iter().filter(|(hour, _)| window == Window::Day && *hour >= first.hour());
        let slots = self.slots.iter().filter(|(slot, _)| *slot >= first);
        let tables = hours.map(|(_, table)| table).chain(slots.map(|(_, table)| table));
        let mut sums: Vec<SlotCounts> = Vec::new();
        for (series, counts) in tables.flat_map(|table| table.rows()) {
            let place = series as usize;
            if sums.len() <= place {
                sums.resize(place + 1, SlotCounts::default());
            }
            sums[place].add(&counts);
        }
        sums
    }

    pub(super) fn slots_of(&self, series: SeriesId, from: Slot, to: Slot) -> Vec<(Slot, SlotCounts)> {
        let inside = self.slots.iter().filter(|(slot, _)| *slot >= from && *slot < to);
        inside.filter_map(|(slot, table)| Some((*slot, table.get(series)?))).collect()
    }
}
