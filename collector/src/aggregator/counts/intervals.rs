//! Counts by time: open slots that requests are added to, closed slots and hours that snapshots share.
//!
//! A request is counted in the row of its series in the slot of its end, whether that slot is open, closed already or
//! far ahead. At most [`OPEN_SLOTS_MAX`] slots have rows at a time: what is farther from the present than that waits
//! as a table, a few bytes a series, and is in its slot when the slot closes. Nothing accepted is lost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};

use bailiwick_slo::kept;
use bailiwick_slo::outcome::{Outcome, OutcomeCounts};
use bailiwick_slo::saved;
use bailiwick_slo::saved::Saved;
use bailiwick_slo::time::{Slot, Window};
use bailiwick_slo::wire::{Read, Reader, Writer};

use super::table::{self, Table};
use crate::aggregator::memory::layers::Layers;
use crate::aggregator::memory::open::Open;
use crate::aggregator::memory::pages::Pages;
use crate::aggregator::snapshot::{SeriesId, SlotCounts};

/// Slots with rows: 60 s of `ingest.future_accept`, 10 s before a slot closes, and two dozen that late requests reach
/// between two ticks. A row takes 32 bytes, so that rows take 20 MiB at most with the default `series.max`.
const OPEN_SLOTS_MAX: usize = 32;
/// Closed slots in memory: 65 minutes, so that windows to 1 h have whole slots at both edges.
pub(super) const SLOTS_KEPT: usize = 390;
/// Hours in memory.
pub(super) const HOURS_KEPT: usize = 24;
/// Rows of a page: 1 KiB.
const PAGE_ROWS: usize = 32;

/// Five outcomes and spans, as [`SlotCounts::fields`].
type RequestTable = Table<6>;

/// Requests of one series in one slot. A row whose 32 bits are full makes the slot's rows a table and begins anew, so
/// that no weight can overflow it.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    outcomes: [u32; 5],
    spans: u32,
    last_end_ns: u64,
}
saved!(struct Row { outcomes, spans, last_end_ns });

/// Rows of a slot. A slot may have rows several times before it closes.
#[derive(Debug, Default)]
struct Rows {
    pages: Pages<Row, PAGE_ROWS>,
    touched: Vec<SeriesId>,
}
saved!(struct Rows { pages, touched });

/// One request, or several alike.
#[derive(Debug, Clone, Copy)]
pub(in crate::aggregator) struct Counted {
    pub(in crate::aggregator) series: SeriesId,
    pub(in crate::aggregator) outcome: Outcome,
    /// Requests, adjusted for sampling; they are one span.
    pub(in crate::aggregator) requests: u32,
    pub(in crate::aggregator) end_ns: u64,
}

/// Where requests are counted.
#[derive(Debug)]
pub(in crate::aggregator) struct Intervals {
    open: Open<Rows>,
    /// Every slot before this one is closed; before the first tick, the slot of the first request.
    first_open: Option<Slot>,
    /// Parts of slots that are not closed and have left their rows.
    waiting: BTreeMap<Slot, Layers<RequestTable>>,
    /// The earliest slot that a request ended in.
    earliest: Option<Slot>,
    closed: Arc<Closed>,
}
kept!(Intervals { first_open, waiting, earliest, closed; open });

/// Closed slots and hours. Immutable; shared by snapshots until something closes.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Closed {
    slots: VecDeque<(Slot, Arc<Layers<RequestTable>>)>,
    hours: VecDeque<(u32, Arc<Layers<RequestTable>>)>,
    /// End of the last closed slot; 0: none yet.
    through_ns: u64,
    /// What was added when it came about, by slot: of the slots that closed then, and of earlier ones.
    joined: Vec<(Slot, Layers<RequestTable>)>,
    /// How many there were before it.
    revision: u64,
    windows: [OnceLock<Vec<SlotCounts>>; 4],
}

impl Saved for Closed {
    fn save(&self, to: &mut Writer) {
        self.slots.save(to);
        self.hours.save(to);
        self.through_ns.save(to);
        self.joined.save(to);
        self.revision.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            slots: Saved::load(from)?,
            hours: Saved::load(from)?,
            through_ns: Saved::load(from)?,
            joined: Saved::load(from)?,
            revision: Saved::load(from)?,
            // Summed when somebody asks.
            windows: Default::default(),
        })
    }
}

/// What left the rows and now belongs to a series' totals.
#[derive(Debug, Clone, Copy)]
pub(in crate::aggregator) struct Gain {
    pub(in crate::aggregator) series: SeriesId,
    pub(in crate::aggregator) counts: SlotCounts,
    pub(in crate::aggregator) last_end_ns: u64,
}

impl Row {
    fn counts(&self) -> SlotCounts {
        SlotCounts { outcomes: OutcomeCounts(self.outcomes.map(u64::from)), spans: u64::from(self.spans) }
    }

    /// Adds a request; `false`, and nothing was added, when the row is full.
    #[inline]
    fn add(&mut self, counted: &Counted) -> bool {
        let count = &mut self.outcomes[counted.outcome.index()];
        let (Some(requests), Some(spans)) = (count.checked_add(counted.requests), self.spans.checked_add(1)) else {
            return false;
        };
        *count = requests;
        self.spans = spans;
        self.last_end_ns = self.last_end_ns.max(counted.end_ns);
        true
    }
}

impl Rows {
    #[inline]
    fn add(&mut self, counted: &Counted) -> bool {
        let row = self.pages.get_mut(counted.series as usize);
        if row.spans == 0 {
            self.touched.push(counted.series);
        }
        row.add(counted)
    }

    fn gains(&self) -> impl Iterator<Item = Gain> + '_ {
        self.touched.iter().filter_map(|series| {
            let row = self.pages.get(*series as usize)?;
            Some(Gain { series: *series, counts: row.counts(), last_end_ns: row.last_end_ns })
        })
    }

    /// The rows as a table, in the order of series numbers.
    fn into_table(mut self, gained: &mut impl FnMut(Gain)) -> RequestTable {
        self.touched.sort_unstable();
        let mut rows = Vec::with_capacity(self.touched.len());
        for gain in self.gains() {
            rows.push((gain.series, gain.counts.fields()));
            gained(gain);
        }
        Table::write(rows)
    }
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            open: Open::new(OPEN_SLOTS_MAX),
            first_open: None,
            waiting: BTreeMap::new(),
            earliest: None,
            closed: Arc::default(),
        }
    }
}

impl Intervals {
    /// Counts requests in the slot of their end. `gained` hears of what leaves the rows to make room.
    #[inline]
    pub(in crate::aggregator) fn count(&mut self, counted: &Counted, gained: &mut impl FnMut(Gain)) {
        let slot = Slot::holding(counted.end_ns);
        if let Some(rows) = self.open.get_mut(slot.0)
            && rows.add(counted)
        {
            return;
        }
        self.count_slowly(slot, counted, gained);
    }

    /// Reads a row that will be counted in, so that it is in the cache by then.
    #[inline]
    pub(in crate::aggregator) fn touch(&self, series: SeriesId, end_ns: u64) -> u32 {
        let rows = self.open.peek(Slot::holding(end_ns).0);
        rows.and_then(|rows| rows.pages.get(series as usize)).map_or(0, |row| row.spans)
    }

    #[inline(never)]
    fn count_slowly(&mut self, slot: Slot, counted: &Counted, gained: &mut impl FnMut(Gain)) {
        // Open, but the row is full.
        if let Some(rows) = self.open.take(slot.0) {
            self.wait(slot, rows, gained);
        }
        let present = *self.first_open.get_or_insert(slot);
        if let Some((far, rows)) = self.open.open(slot.0, present.0) {
            self.wait(Slot(far), rows, gained);
        }
        self.earliest = Some(self.earliest.map_or(slot, |earliest| earliest.min(slot)));
        let rows = self.open.get_mut(slot.0).expect("it was opened above");
        let added = rows.add(counted);
        debug_assert!(added, "an empty row takes any number of 32 bits");
    }

    /// Takes counts out of the slot that they were counted in; totals do not fall.
    pub(in crate::aggregator) fn withdraw(&mut self, series: SeriesId, end_ns: u64, counts: &SlotCounts) {
        let less = counts.fields().map(u64::wrapping_neg);
        self.waiting.entry(Slot::holding(end_ns)).or_default().push(Table::write([(series, less)]));
    }

    fn wait(&mut self, slot: Slot, rows: Rows, gained: &mut impl FnMut(Gain)) {
        self.waiting.entry(slot).or_default().push(rows.into_table(gained));
    }

    /// What each touched series counts in rows, slot by slot.
    pub(in crate::aggregator) fn open_gains(&self) -> impl Iterator<Item = Gain> + '_ {
        self.open.iter().flat_map(|(_, rows)| rows.gains())
    }

    /// Closes what ended before `now_ns - close_after_ns` and books late requests. `gained` hears of all that leaves
    /// the rows.
    pub(in crate::aggregator) fn close(&mut self, now_ns: u64, close_after_ns: u64, mut gained: impl FnMut(Gain)) {
        let first_open = Slot::holding(now_ns.saturating_sub(close_after_ns));
        for (slot, rows) in self.open.take_before(first_open.0) {
            self.wait(Slot(slot), rows, &mut gained);
        }
        let still_open = self.waiting.split_off(&first_open);
        let ended = std::mem::replace(&mut self.waiting, still_open);
        let advanced = self.closed.through_ns < first_open.start_ns();
        self.first_open = Some(first_open);
        if !advanced && ended.is_empty() {
            return;
        }
        let mut closed = Closed {
            slots: self.closed.slots.clone(),
            hours: self.closed.hours.clone(),
            through_ns: first_open.start_ns(),
            joined: Vec::new(),
            revision: self.closed.revision + 1,
            windows: Default::default(),
        };
        let oldest_kept = Slot(first_open.0.saturating_sub(SLOTS_KEPT as u32));
        for (slot, tables) in &ended {
            if *slot < oldest_kept { closed.add_to_hour(*slot, tables) } else { closed.add(*slot, tables) }
        }
        closed.joined = ended.into_iter().collect();
        closed.retire(oldest_kept, first_open.hour().saturating_sub(HOURS_KEPT as u32));
        self.closed = Arc::new(closed);
    }

    pub(in crate::aggregator) fn closed(&self) -> &Arc<Closed> {
        &self.closed
    }

    /// Start of the earliest slot that a request ended in; `None` without a request.
    pub(in crate::aggregator) fn earliest_ns(&self) -> Option<u64> {
        self.earliest.map(Slot::start_ns)
    }
}

impl Closed {
    fn add(&mut self, slot: Slot, tables: &Layers<RequestTable>) {
        match self.slots.binary_search_by_key(&slot, |(slot, _)| *slot) {
            Ok(at) => Arc::make_mut(&mut self.slots[at].1).absorb(tables),
            Err(at) => self.slots.insert(at, (slot, Arc::new(tables.clone()))),
        }
    }

    fn add_to_hour(&mut self, slot: Slot, tables: &Layers<RequestTable>) {
        match self.hours.binary_search_by_key(&slot.hour(), |(hour, _)| *hour) {
            Ok(at) => Arc::make_mut(&mut self.hours[at].1).absorb(tables),
            Err(at) => self.hours.insert(at, (slot.hour(), Arc::new(tables.clone()))),
        }
    }

    /// Folds slots before the oldest kept into hours and forgets hours before the oldest kept.
    fn retire(&mut self, oldest_slot: Slot, oldest_hour: u32) {
        while let Some((slot, tables)) = self.slots.pop_front_if(|(slot, _)| *slot < oldest_slot) {
            self.add_to_hour(slot, &tables);
        }
        while self.hours.pop_front_if(|(hour, _)| *hour < oldest_hour).is_some() {}
    }

    pub(in crate::aggregator) fn through_ns(&self) -> u64 {
        self.through_ns
    }

    /// What was added when it came about, slot by slot and series by series. Withdrawals are two's complement.
    pub(in crate::aggregator) fn joined(&self) -> impl Iterator<Item = (Slot, SeriesId, SlotCounts)> + '_ {
        self.joined.iter().flat_map(|(slot, layers)| {
            let rows = layers.tables().flat_map(Table::rows);
            rows.map(|(series, fields)| (*slot, series, SlotCounts::from_fields(fields)))
        })
    }

    /// How many there were before it.
    pub(in crate::aggregator) fn revision(&self) -> u64 {
        self.revision
    }

    /// Counts by series over a window that ends with the last closed slot. A day begins with a whole hour, so it
    /// holds up to an hour more than 24 hours.
    pub(in crate::aggregator) fn window(&self, window: Window) -> &[SlotCounts] {
        let place = Window::ALL.iter().position(|known| *known == window).unwrap_or_default();
        let end = Slot::holding(self.through_ns);
        self.windows[place].get_or_init(|| self.sum(Slot(end.0.saturating_sub(window.slots())), end))
    }

    /// Counts by series over the slots `from..to` that are closed; hours only where slots are not kept any more, so that
    /// up to an hour more than asked for may be in.
    pub(in crate::aggregator) fn sum(&self, from: Slot, to: Slot) -> Vec<SlotCounts> {
        let oldest = Slot::holding(self.through_ns).0.saturating_sub(SLOTS_KEPT as u32);
        let hours = self.hours.iter().filter(|(hour, _)| from.0 < oldest && *hour >= from.hour());
        let slots = self.slots.iter().filter(|(slot, _)| *slot >= from && *slot < to);
        let layers = hours.map(|(_, tables)| tables).chain(slots.map(|(_, tables)| tables));
        let mut sums: Vec<table::Fields<6>> = Vec::new();
        for (series, counts) in layers.flat_map(|layers| layers.tables()).flat_map(Table::rows) {
            let place = series as usize;
            if sums.len() <= place {
                sums.resize(place + 1, [0; 6]);
            }
            table::add(&mut sums[place], &counts);
        }
        sums.into_iter().map(SlotCounts::from_fields).collect()
    }

    pub(in crate::aggregator) fn slots_of(&self, series: SeriesId, from: Slot, to: Slot) -> Vec<(Slot, SlotCounts)> {
        let inside = self.slots.iter().filter(|(slot, _)| *slot >= from && *slot < to);
        let counted = inside.filter_map(|(slot, layers)| {
            let parts = layers.tables().filter_map(|table| table.get(series));
            let sum = parts.reduce(|mut sum, part| {
                table::add(&mut sum, &part);
                sum
            });
            Some((*slot, SlotCounts::from_fields(sum?)))
        });
        counted.collect()
    }
}

#[cfg(test)]
mod tests;
