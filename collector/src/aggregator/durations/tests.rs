//! What cells hold, what they say about the stretch, and what goes first when memory is short.

use bailiwick_slo::latency;
use bailiwick_slo::time::Window;
use hdrhistogram::Histogram;

use super::cells;
use super::*;
use crate::aggregator::memory::layers::Layers;
use crate::aggregator::snapshot::Latency;

/// Beginning of an hour.
const NOW: u64 = 1_700_002_800_000_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Cells with a clock; slots close at once.
struct Clocked {
    durations: Durations,
    now_ns: u64,
    begun_ns: u64,
}

impl Clocked {
    fn new(bytes_max: usize) -> Self {
        Self { durations: Durations::new(bytes_max), now_ns: NOW, begun_ns: NOW }
    }

    fn moment(&self) -> Moment {
        Moment { now_ns: self.now_ns, first_open: Slot::holding(self.now_ns), begun_ns: self.begun_ns }
    }

    /// Records a success that ended now.
    fn record(&mut self, series: SeriesId, micros: u64) {
        self.record_at(self.now_ns, series, micros);
    }

    fn record_at(&mut self, end_ns: u64, series: SeriesId, micros: u64) {
        let index = latency::index_of(micros);
        self.durations.record(&Measured { series, kind: CellKind::Success, index, requests: 1, end_ns });
    }

    /// Moves the clock; series below 10 are spared, the others are the warmer the higher.
    fn pass(&mut self, ns: u64) {
        self.now_ns += ns;
        self.durations.close(self.moment());
        let heat = |series| Heat { is_spared: series < 10, last_seen_ns: u64::from(series) };
        self.durations.limit(self.moment(), heat);
    }

    fn latency(&self, series: &[SeriesId], window: Window) -> Latency {
        let shown = self.durations.shown();
        shown.latency(CellKind::Success, series, (window, self.now_ns / SLOT_NS * SLOT_NS))
    }

    fn count(&self, series: SeriesId, window: Window) -> u64 {
        self.latency(&[series], window).histogram.len()
    }
}

/// `count` values spread over a decade from 10 ms.
fn decade(count: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |n| 10_000 + n * 90_000 / count)
}

fn native(values: impl Iterator<Item = u64>) -> Histogram<u64> {
    let mut native = cells::histogram();
    values.for_each(|value| native.record(value).expect("in range"));
    native
}

#[test]
fn a_close_writes_what_was_recorded_since_the_last_and_shares_the_rest() {
    let mut clocked = Clocked::new(1 << 30);
    for series in 0..1_000 {
        decade(20).for_each(|micros| clocked.record(series, micros));
    }
    clocked.pass(10 * SECOND);
    let before = Arc::clone(clocked.durations.shown());
    clocked.record(7, 42_000);
    clocked.pass(10 * SECOND);
    let after = clocked.durations.shown();
    let tables = |shown: &Shown| shown.layers().flat_map(|layers| layers.tables().map(std::ptr::from_ref)).collect();
    let (before, after): (Vec<_>, Vec<_>) = (tables(&before), tables(after));
    assert_eq!((before.len(), after.len()), (1, 2));
    assert_eq!(before[0], after[0], "a thousand cells are shared");
    assert!(clocked.durations.shown().layers().flat_map(Layers::tables).any(|table| table.len() == 1));
    assert_eq!((clocked.count(7, Window::FiveMinutes), clocked.count(8, Window::FiveMinutes)), (21, 20));
}

#[test]
fn how_often_cells_are_sealed_changes_no_figure() {
    let mut clocked = Clocked::new(1 << 20);
    // Wide enough for windows, so that open cells pass a quarter of 1 MiB again and again.
    for round in 0..40 {
        for series in 0..60 {
            decade(30).for_each(|micros| clocked.record(series, micros * (1 + round % 3)));
        }
        assert!(clocked.durations.open_bytes() <= (1 << 20) / 4 + 2_048, "{}", clocked.durations.open_bytes());
    }
    clocked.pass(10 * SECOND);
    let expected = native((0..40).flat_map(|round| decade(30).map(move |micros| micros * (1 + round % 3))));
    for series in 0..60 {
        let histogram = clocked.latency(&[series], Window::FiveMinutes).histogram;
        for quantile in [0.0, 0.1, 0.5, 0.9, 0.99, 1.0] {
            assert_eq!(histogram.value_at_quantile(quantile), expected.value_at_quantile(quantile));
        }
        assert_eq!(histogram.len(), 1_200);
    }
}

#[test]
fn a_full_cell_is_sealed_and_loses_nothing() {
    let mut clocked = Clocked::new(1 << 30);
    for _ in 0..3 {
        let (index, requests) = (latency::index_of(1_000), u32::MAX);
        let measured = Measured { series: 1, kind: CellKind::Other, index, requests, end_ns: clocked.now_ns };
        clocked.durations.record(&measured);
    }
    clocked.pass(10 * SECOND);
    let shown = clocked.durations.shown().latency(CellKind::Other, &[1], (Window::FiveMinutes, clocked.now_ns));
    assert_eq!(shown.histogram.len(), 3 * u64::from(u32::MAX));
    assert_eq!(clocked.count(1, Window::FiveMinutes), 0, "successes have their own cell");
}

#[test]
fn a_window_states_the_stretch_since_the_books_began() {
    let mut clocked = Clocked::new(1 << 30);
    clocked.now_ns += 7 * SECOND;
    clocked.begun_ns = clocked.now_ns;
    clocked.record(1, 1_000);
    clocked.pass(33 * SECOND);
    let stretch = |latency: Latency| (latency.from_ns, latency.to_ns);
    for window in [Window::FiveMinutes, Window::Hour, Window::Day] {
        assert_eq!(stretch(clocked.latency(&[1], window)), (NOW + 7 * SECOND, NOW + 40 * SECOND));
    }
    clocked.pass(2 * HOUR);
    assert_eq!(stretch(clocked.latency(&[1], Window::Day)).0, NOW + 7 * SECOND);
    // Two hours and 40 s after: the hour before begins in the period that begins 40 s earlier.
    assert_eq!(stretch(clocked.latency(&[1], Window::Hour)).0, NOW + HOUR);
}

#[test]
fn what_ends_ahead_is_in_the_figures_of_its_time() {
    let mut clocked = Clocked::new(1 << 30);
    clocked.record(1, 1_000);
    // As far as `ingest.future_accept` allows; more periods than may be open.
    (1..24).for_each(|ahead| clocked.record_at(NOW + ahead * 5 * MINUTE, 1, 1_000));
    clocked.pass(10 * SECOND);
    assert_eq!(clocked.count(1, Window::Day), 1);
    clocked.pass(HOUR);
    assert_eq!(clocked.count(1, Window::Day), 13);
    clocked.pass(HOUR);
    assert_eq!((clocked.count(1, Window::Day), clocked.count(1, Window::Hour)), (24, 12));
}

#[test]
fn late_durations_go_to_every_tier_that_holds_their_time() {
    let mut clocked = Clocked::new(1 << 30);
    clocked.record(1, 1_000);
    clocked.pass(3 * HOUR);
    for ago in [4 * MINUTE, 50 * MINUTE, 119 * MINUTE] {
        clocked.record_at(clocked.now_ns - ago, 1, 1_000);
    }
    clocked.pass(10 * SECOND);
    let counts = [Window::FiveMinutes, Window::Hour, Window::Day].map(|window| clocked.count(1, window));
    assert_eq!(counts, [1, 2, 4]);
}

/// Three hours of traffic of these series, a decade of latency each five minutes.
fn three_hours(clocked: &mut Clocked, series: std::ops::Range<SeriesId>) {
    for _ in 0..36 {
        for series in series.clone() {
            decade(100).for_each(|micros| clocked.record(series, micros));
        }
        clocked.pass(5 * MINUTE);
    }
}

#[test]
fn open_cells_are_within_the_budget() {
    let mut clocked = Clocked::new(1 << 30);
    assert_eq!(clocked.durations.memory_bytes(), 0);
    (0..100).for_each(|series| clocked.record(series, 1_000));
    assert!(clocked.durations.memory_bytes() >= 100 * 64, "{}", clocked.durations.memory_bytes());
}

#[test]
fn hours_leave_memory_first_the_oldest_before_the_others() {
    let mut roomy = Clocked::new(1 << 30);
    three_hours(&mut roomy, 0..20);
    let oldest = roomy.durations.kept.hours.first_key_value().expect("an hour").1;
    let half_an_hour = oldest.tables().map(CellTable::memory_bytes).sum::<usize>() / 2;
    let mut clocked = Clocked::new(roomy.durations.memory_bytes() - half_an_hour);
    three_hours(&mut clocked, 0..20);
    assert!(clocked.durations.memory_bytes() <= clocked.durations.bytes_max);
    assert!(clocked.durations.shed.hours > 0);
    assert_eq!((clocked.durations.shed.periods, clocked.durations.stopped.len()), (0, 0));
    assert_eq!(clocked.count(1, Window::Hour), roomy.count(1, Window::Hour));
    // The first hour is gone; what is left is all there is since.
    let day = clocked.latency(&[1], Window::Day);
    assert_eq!((day.from_ns, day.to_ns, day.is_kept), (NOW + HOUR, NOW + 3 * HOUR, true));
    assert_eq!(day.histogram.len(), 24 * 100);
    // What comes late for it has no place either.
    clocked.record_at(NOW + MINUTE, 1, 1_000);
    clocked.pass(10 * SECOND);
    assert_eq!(clocked.count(1, Window::Day), 24 * 100);
}

#[test]
fn then_the_coldest_series_keep_no_cells_until_there_is_room_again() {
    let mut roomy = Clocked::new(1 << 30);
    three_hours(&mut roomy, 10..40);
    let hour: usize = roomy.durations.kept.periods.values().flat_map(Layers::tables).map(CellTable::memory_bytes).sum();
    let mut clocked = Clocked::new(hour * 3 / 4);
    three_hours(&mut clocked, 10..40);
    assert!(clocked.durations.memory_bytes() <= clocked.durations.bytes_max);
    let kept: Vec<bool> = (10..40).map(|series| clocked.latency(&[series], Window::Hour).is_kept).collect();
    assert!(kept.is_sorted() && !kept[0] && kept[29], "the coldest stop: {kept:?}");
    assert_eq!(clocked.count(10, Window::Day), 0, "their old cells are gone too");
    assert_eq!(clocked.count(39, Window::Hour), 1_200, "the hottest lose nothing");
    assert!(clocked.latency(&[10, 39], Window::Hour).is_kept);
    let refused = clocked.durations.refused();
    clocked.record(10, 1_000);
    assert_eq!(clocked.durations.refused(), refused + 1);

    // Two idle hours free the memory; the series begins anew from there.
    clocked.pass(2 * HOUR);
    let resumed_ns = clocked.now_ns;
    clocked.record(10, 1_000);
    clocked.pass(MINUTE);
    let again = clocked.latency(&[10], Window::Day);
    assert_eq!((again.from_ns, again.is_kept, again.histogram.len()), (resumed_ns, true, 1));
    assert!(clocked.latency(&[39], Window::Day).from_ns < resumed_ns);
}

#[test]
fn then_spared_series_lose_a_digit_and_last_of_all_whole_periods() {
    let mut roomy = Clocked::new(1 << 30);
    three_hours(&mut roomy, 0..10);
    let hour: usize = roomy.durations.kept.periods.values().flat_map(Layers::tables).map(CellTable::memory_bytes).sum();
    let mut clocked = Clocked::new(hour * 3 / 4);
    three_hours(&mut clocked, 0..10);
    assert!(clocked.durations.memory_bytes() <= clocked.durations.bytes_max);
    assert_eq!(clocked.durations.stopped.len(), 0);
    assert!(clocked.durations.kept.layers().flat_map(Layers::tables).any(CellTable::is_folded));
    let latency = clocked.latency(&[1], Window::Hour);
    assert_eq!(latency.histogram.len(), 1_200, "no value is lost");
    let exact = native((0..12).flat_map(|_| decade(100))).value_at_quantile(0.5);
    let told = latency.histogram.value_at_quantile(0.5);
    assert!(exact <= told && told <= exact + exact / 15, "{told} for {exact}");

    let mut tiny = Clocked::new(1_000);
    three_hours(&mut tiny, 0..10);
    assert!(tiny.durations.memory_bytes() <= 1_000);
    let latency = tiny.latency(&[1], Window::Hour);
    assert_eq!((latency.histogram.len(), latency.from_ns), (0, latency.to_ns), "it says that it holds nothing");
    assert!(tiny.durations.shed_cells()[0] > 0);
}
