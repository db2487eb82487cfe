//! Latency cells by time: open cells of the running five minutes, closed five-minute and hour tables.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bailiwick_slo::time::{SLOT_NS, Slot, Window};
use hdrhistogram::Histogram;

use super::cell::{self, Cell};
use super::snapshot::SeriesId;

/// Slots of a period: five minutes.
const PERIOD_SLOTS: u32 = 30;
const PERIODS_PER_HOUR: u32 = 12;
const HOURS_KEPT: usize = 24;

/// Number of a five-minute period from the epoch.
type Period = u32;

/// Closed cells of one interval, in the order of series numbers.
#[derive(Debug, Default)]
pub(super) struct CellTable {
    /// Series and the end of its cell in `bytes`.
    ends: Vec<(SeriesId, u32)>,
    bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct OpenPeriod {
    cells: Vec<Cell>,
    touched: Vec<SeriesId>,
}

/// Where durations of the present are counted.
#[derive(Debug, Default)]
pub(super) struct Durations {
    open: BTreeMap<Period, OpenPeriod>,
    first_open: Option<Period>,
    late: BTreeMap<(Period, SeriesId), Cell>,
    shown: Arc<Shown>,
    shed: u64,
}

/// Cells as snapshots share them.
#[derive(Debug, Default, Clone)]
pub(super) struct Shown {
    open: Vec<(Period, Arc<CellTable>)>,
    periods: VecDeque<(Period, Arc<CellTable>)>,
    hours: VecDeque<(u32, Arc<CellTable>)>,
}

impl CellTable {
    fn write<'c>(cells: impl Iterator<Item = (SeriesId, &'c Cell)>) -> Self {
        let mut table = Self::default();
        for (series, cell) in cells {
            cell.close_into(&mut table.bytes);
            table.ends.push((series, table.bytes.len() as u32));
        }
        table
    }

    fn get(&self, series: SeriesId) -> Option<&[u8]> {
        let at = self.ends.binary_search_by_key(&series, |(series, _)| *series).ok()?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].1);
        self.bytes.get(start as usize..self.ends[at].1 as usize)
    }

    /// Both tables' cells together.
    fn plus(&self, other: &Self) -> Self {
        let mut all: Vec<SeriesId> = self.ends.iter().chain(&other.ends).map(|(series, _)| *series).collect();
        all.sort_unstable();
        all.dedup();
        let mut table = Self::default();
        for series in all {
            match (self.get(series), other.get(series)) {
                (Some(one), Some(two)) => {
                    let mut sum = Cell::default();
                    cell::opened(one).chain(cell::opened(two)).for_each(|(index, count)| sum.add(index, count));
                    sum.close_into(&mut table.bytes);
                }
                (one, two) => table.bytes.extend_from_slice(one.or(two).unwrap_or_default()),
            }
            table.ends.push((series, table.bytes.len() as u32));
        }
        table
    }

    fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<(SeriesId, u32)>()
    }
}

impl OpenPeriod {
    fn table(&mut self) -> CellTable {
        self.touched.sort_unstable();
        CellTable::write(self.touched.iter().map(|series| (*series, &self.cells[*series as usize])))
    }
}

impl Durations {
    /// Counts one duration by its index, in the period of its request's end.
    #[inline]
    pub(super) fn record(&mut self, series: SeriesId, index: u16, end_ns: u64) {
        let period = Slot::holding(end_ns).0 / PERIOD_SLOTS;
        if self.first_open.is_some_and(|first| period < first) {
            self.late.entry((period, series)).or_default().record(index);
            return;
        }
        let open = self.open.entry(period).or_default();
        let place = series as usize;
        if open.cells.len() <= place {
            open.cells.resize((place + 1).next_multiple_of(1_024), Cell::default());
        }
        let cell = &mut open.cells[place];
        if cell.is_empty() {
            open.touched.push(series);
        }
        cell.record(index);
    }

    /// Publishes open cells and closes periods that ended before `first_open_slot`; keeps all closed ones within
    /// `bytes_max`, the oldest going first.
    pub(super) fn close(&mut self, first_open_slot: Slot, bytes_max: usize) {
        let first_open = first_open_slot.0 / PERIOD_SLOTS;
        let mut shown = Shown { open: Vec::new(), ..(*self.shown).clone() };
        let still_open = self.open.split_off(&first_open);
        for (period, mut open) in std::mem::replace(&mut self.open, still_open) {
            shown.add(period, open.table());
        }
        self.first_open = Some(self.first_open.map_or(first_open, |first| first.max(first_open)));
        let mut late: BTreeMap<Period, HashMap<SeriesId, Cell>> = BTreeMap::new();
        for ((period, series), cell) in std::mem::take(&mut self.late) {
            late.entry(period).or_default().insert(series, cell);
        }
        for (period, cells) in late {
            let mut cells: Vec<_> = cells.iter().map(|(series, cell)| (*series, cell)).collect();
            cells.sort_unstable_by_key(|(series, _)| *series);
            shown.add(period, CellTable::write(cells.into_iter()));
        }
        shown.retire(first_open);
        self.shed += shown.shed(bytes_max);
        shown.open = self.open.iter_mut().map(|(period, open)| (*period, Arc::new(open.table()))).collect();
        self.shown = Arc::new(shown);
    }

    pub(super) fn shown(&self) -> &Arc<Shown> {
        &self.shown
    }

    /// Closed tables that left memory before their time.
    pub(super) fn shed(&self) -> u64 {
        self.shed
    }
}

impl Shown {
    fn add(&mut self, period: Period, table: CellTable) {
        let in_hour = self.periods.front().is_some_and(|(oldest, _)| period < *oldest);
        if in_hour && let Some((_, hour)) = self.hours.iter_mut().find(|(hour, _)| *hour == period / PERIODS_PER_HOUR) {
            *hour = Arc::new(hour.plus(&table));
            return;
        }
        match self.periods.binary_search_by_key(&period, |(period, _)| *period) {
            Ok(at) => self.periods[at].1 = Arc::new(self.periods[at].1.plus(&table)),
            Err(at) => self.periods.insert(at, (period, Arc::new(table))),
        }
    }

    fn retire(&mut self, first_open: Period) {
        let oldest_kept = first_open.saturating_sub(PERIODS_PER_HOUR);
        while self.periods.front().is_some_and(|(period, _)| *period < oldest_kept) {
            let Some((period, table)) = self.periods.pop_front() else { return };
            let hour = period / PERIODS_PER_HOUR;
            match self.hours.binary_search_by_key(&hour, |(hour, _)| *hour) {
                Ok(at) => self.hours[at].1 = Arc::new(self.hours[at].1.plus(&table)),
                Err(at) => self.hours.insert(at, (hour, table)),
            }
        }
        let oldest_hour = (first_open / PERIODS_PER_HOUR).saturating_sub(HOURS_KEPT as u32);
        while self.hours.front().is_some_and(|(hour, _)| *hour < oldest_hour) {
            self.hours.pop_front();
        }
    }

    fn shed(&mut self, bytes_max: usize) -> u64 {
        let mut shed = 0;
        while self.heap_bytes() > bytes_max && (self.hours.pop_front().is_some() || self.periods.pop_front().is_some())
        {
            shed += 1;
        }
        shed
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let tables = self.open.iter().chain(&self.periods).map(|(_, table)| table);
        tables.chain(self.hours.iter().map(|(_, table)| table)).map(|table| table.heap_bytes()).sum()
    }

    /// Durations of these series over at least the window, and the stretch (start, end) that they really cover.
    pub(super) fn latency(&self, series: &[SeriesId], window: Window, through_ns: u64) -> (Histogram<u64>, u64, u64) {
        let period_ns = SLOT_NS * u64::from(PERIOD_SLOTS);
        let first = (through_ns.saturating_sub(window.seconds() * 1_000_000_000) / period_ns) as Period;
        let periods = self.open.iter().chain(&self.periods).filter(|(period, _)| *period >= first);
        let first_hour = first / PERIODS_PER_HOUR;
        let hours = self.hours.iter().filter(|(hour, _)| window == Window::Day && *hour >= first_hour);
        let mut histogram = cell::histogram();
        for (_, table) in periods.chain(hours) {
            for cell in series.iter().filter_map(|series| table.get(*series)) {
                cell::merge(&mut histogram, cell::opened(cell));
            }
        }
        let start = if window == Window::Day { u64::from(first_hour) * 12 } else { u64::from(first) };
        (histogram, start * period_ns, through_ns)
    }
}
