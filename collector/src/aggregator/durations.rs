//! Latency by time: cells of the running five minutes, sealed ones of the last hour and of the hours before.
//!
//! A duration is counted in the cell of its series in the five minutes of its end. At ticks and slot closes the cells in
//! use are sealed ([`cells`]) and begin anew, so that a close costs what was recorded since the one before,
//! and snapshots share what had been sealed already. Cells are sealed early when they grow too large: how finely the
//! seals fall changes no figure.

mod cell;
mod cells;
mod kept;
mod shed;

use std::sync::Arc;

use bailiwick_slo::kept;
use bailiwick_slo::saved::{Saved, load_roomy, save_roomy};
use bailiwick_slo::time::{SLOT_NS, Slot};
use bailiwick_slo::wire::{Read, Reader, Writer};

use super::memory::open::Open;
use super::memory::pages::Pages;
use super::snapshot::{CellKind, SeriesId};
use cell::Cell;
use cells::{CellId, CellTable, cell_id, series_of};
use kept::Shed;
pub(super) use kept::Shown;
pub(super) use shed::Heat;

/// Slots of a period: five minutes.
const PERIOD_SLOTS: u32 = 30;
const PERIOD_NS: u64 = SLOT_NS * PERIOD_SLOTS as u64;
const PERIODS_PER_HOUR: u32 = 12;
const HOURS_KEPT: u32 = 24;
/// Periods with open cells: two of the present and three that 10 min of `ingest.late_accept` reach.
const OPEN_PERIODS_MAX: usize = 5;
/// Open cells take a quarter of `histograms.bytes_max` at most before they are sealed early, within these bounds.
const OPEN_BYTES: (usize, usize) = (64 << 10, 64 << 20);
/// Cells of a page: 16 series, 1 KiB.
const PAGE_CELLS: usize = 32;

/// Cells that a list ever has room for: those of four times `series.max` series at its largest, doubled by growth.
const ROOM_MAX: usize = 160_000_000;

/// Number of a five-minute period from the epoch.
type Period = u32;

/// One duration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    pub(super) series: SeriesId,
    pub(super) kind: CellKind,
    /// Its index in the two-digit layout.
    pub(super) index: u16,
    /// Requests that it stands for.
    pub(super) requests: u32,
    pub(super) end_ns: u64,
}

/// What a seal needs to know of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The fold's clock.
    pub(super) now_ns: u64,
    /// The first slot that is not closed.
    pub(super) first_open: Slot,
    /// When the books begin.
    pub(super) begun_ns: u64,
}

#[derive(Debug, Default)]
struct OpenPeriod {
    cells: Pages<Cell, PAGE_CELLS>,
    touched: Vec<CellId>,
    /// Bytes that cells hold outside their pages.
    words_bytes: usize,
}

impl Saved for OpenPeriod {
    fn save(&self, to: &mut Writer) {
        self.cells.save(to);
        save_roomy(&self.touched, to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let cells: Pages<Cell, PAGE_CELLS> = Saved::load(from)?;
        let touched = load_roomy(ROOM_MAX, from)?;
        let words_bytes = cells.iter().map(Cell::words_bytes).sum();
        Ok(Self { cells, touched, words_bytes })
    }
}

/// Where durations are counted.
#[derive(Debug)]
pub(super) struct Durations {
    open: Open<OpenPeriod>,
    /// The period that the clock stands in; before the first tick, that of the first duration.
    present: Option<Period>,
    bytes_max: usize,
    kept: Shown,
    shown: Arc<Shown>,
    shed: Shed,
    /// Series that keep no cells, by number.
    stopped: Vec<bool>,
    /// Durations of those.
    refused: u64,
}
kept!(Durations { present, kept, shown, shed, stopped, refused; open });

impl OpenPeriod {
    /// Counts a duration. Says whether memory grew; `None`, and nothing is counted, when the cell is full.
    #[inline]
    fn add(&mut self, measured: &Measured) -> Option<bool> {
        let id = cell_id(measured.series, measured.kind);
        let cell = self.cells.get_mut(id as usize);
        let is_first = cell.is_empty();
        let grown = cell.add(measured.index, measured.requests)?;
        if is_first {
            self.touched.push(id);
        }
        self.words_bytes = self.words_bytes.saturating_add_signed(grown);
        Some(grown != 0)
    }

    /// What was recorded since the last seal, in a table; cells are empty then.
    fn seal(&mut self) -> CellTable {
        self.touched.sort_unstable();
        let cells = self.touched.iter().filter_map(|id| Some((*id, self.cells.get(*id as usize)?)));
        let table = CellTable::write(cells);
        for id in self.touched.drain(..) {
            let freed = self.cells.get_mut(id as usize).clear();
            self.words_bytes = self.words_bytes.saturating_add_signed(freed);
        }
        table
    }

    fn memory_bytes(&self) -> usize {
        self.cells.memory_bytes() + self.words_bytes + self.touched.capacity() * size_of::<CellId>()
    }
}

impl Durations {
    /// Nothing yet, and never more than `bytes_max` for long.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            open: Open::new(OPEN_PERIODS_MAX),
            present: None,
            bytes_max,
            kept: Shown::default(),
            shown: Arc::default(),
            shed: Shed::default(),
            stopped: Vec::new(),
            refused: 0,
        }
    }

    /// Counts one duration in the period of its request's end.
    #[inline]
    pub(super) fn record(&mut self, measured: &Measured) {
        if self.stopped.get(measured.series as usize) == Some(&true) {
            self.refused += 1;
            return;
        }
        let period = period_of(measured.end_ns);
        match self.open.get_mut(period).map(|open| open.add(measured)) {
            Some(Some(false)) => {}
            Some(Some(true)) => self.grown(),
            is_open => self.record_slowly(period, measured, is_open.is_some()),
        }
    }

    /// Reads a cell that will be counted in, so that it is in the cache by then.
    #[inline]
    pub(super) fn touch(&self, series: SeriesId, end_ns: u64) -> u32 {
        let open = self.open.peek(period_of(end_ns));
        open.and_then(|open| open.cells.get(cell_id(series, CellKind::Success) as usize)).map_or(0, Cell::touch)
    }

    #[inline(never)]
    fn record_slowly(&mut self, period: Period, measured: &Measured, is_full: bool) {
        let mut taken = if is_full { self.open.take(period).map(|open| (period, open)) } else { None };
        let present = *self.present.get_or_insert(period);
        loop {
            if let Some((of, mut open)) = taken {
                self.kept.add(of, open.seal(), &mut self.shed);
            }
            if let Some(open) = self.open.get_mut(period) {
                let added = open.add(measured);
                debug_assert!(added.is_some(), "an empty cell takes any number of 32 bits");
                return self.grown();
            }
            taken = self.open.open(period, present);
        }
    }

    #[inline(never)]
    fn grown(&mut self) {
        let (least, most) = OPEN_BYTES;
        if self.open_bytes() > (self.bytes_max / 4).clamp(least, most) {
            self.seal(|_| false);
        }
    }

    /// Cells that were counted in since the last seal.
    pub(super) fn in_use(&self) -> usize {
        self.open.iter().map(|(_, open)| open.touched.len()).sum()
    }

    fn open_bytes(&self) -> usize {
        self.open.iter().map(|(_, open)| open.memory_bytes()).sum()
    }

    /// Seals all open cells, and gives back the memory of periods that do not stay open.
    fn seal(&mut self, stays_open: impl Fn(Period) -> bool) {
        for (period, mut open) in self.open.take_before(u32::MAX) {
            self.kept.add(period, open.seal(), &mut self.shed);
            if stays_open(period) {
                self.open.put(period, open);
            }
        }
    }

    /// Seals and publishes all cells, and gives closed ones their place by age.
    pub(super) fn close(&mut self, moment: Moment) {
        let first_open = moment.first_open.0 / PERIOD_SLOTS;
        self.present = Some(first_open);
        let now = period_of(moment.now_ns);
        self.seal(|period| (first_open..=now).contains(&period));
        self.kept.retire(first_open);
        self.resume(moment.now_ns);
        self.publish(moment);
    }

    /// Keeps all cells within `histograms.bytes_max`. Counts are never shed.
    pub(super) fn limit(&mut self, moment: Moment, heat: impl Fn(SeriesId) -> Heat) {
        if self.memory_bytes() > self.bytes_max {
            self.seal(|_| false);
            self.shed(moment.now_ns, heat);
            self.publish(moment);
        }
    }

    fn publish(&mut self, moment: Moment) {
        self.kept.cover(moment.begun_ns, moment.now_ns);
        self.shown = Arc::new(self.kept.clone());
    }

    pub(super) fn shown(&self) -> &Arc<Shown> {
        &self.shown
    }

    /// Bytes of all cells, open ones included.
    pub(super) fn memory_bytes(&self) -> usize {
        self.open_bytes() + self.kept.memory_bytes()
    }

    /// Cells that left memory or a digit before their time: of five minutes, of an hour.
    pub(super) fn shed_cells(&self) -> [u64; 2] {
        [self.shed.periods, self.shed.hours]
    }

    /// Those cells, and durations that found none.
    pub(super) fn refused(&self) -> u64 {
        self.refused + self.shed.periods + self.shed.hours
    }
}

fn period_of(end_ns: u64) -> Period {
    Slot::holding(end_ns).0 / PERIOD_SLOTS
}

#[cfg(test)]
mod tests;
