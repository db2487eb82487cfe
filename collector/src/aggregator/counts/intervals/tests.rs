//! Counts land in the slot of their own end, whatever the order and the distance.

use super::*;

const SLOT_NS: u64 = bailiwick_slo::time::SLOT_NS;
/// The slot that the clock stands in, at the beginning of an hour.
const NOW: u32 = 170_000_280;

/// Intervals and what they said has left the rows.
#[derive(Default)]
struct Books {
    intervals: Intervals,
    gained: u64,
}

impl Books {
    fn count(&mut self, series: SeriesId, slot: u32) {
        self.weigh(series, slot, 1);
    }

    fn weigh(&mut self, series: SeriesId, slot: u32, requests: u32) {
        let end_ns = u64::from(slot) * SLOT_NS + 5;
        let counted = Counted { series, outcome: Outcome::Success, requests, end_ns };
        self.intervals.count(&counted, &mut |gain| self.gained += gain.counts.spans);
    }

    /// Moves the clock to the begin of a slot; the slot before closes.
    fn tick(&mut self, slot: u32) {
        self.intervals.close(u64::from(slot) * SLOT_NS, 0, |gain| self.gained += gain.counts.spans);
    }

    /// Slots of a series with their requests.
    fn slots(&self, series: SeriesId) -> Vec<(u32, u64)> {
        let slots = self.intervals.closed().slots_of(series, Slot(0), Slot(u32::MAX));
        slots.iter().map(|(slot, counts)| (slot.0, counts.outcomes.total())).collect()
    }

    fn open_spans(&self) -> u64 {
        self.intervals.open_gains().map(|gain| gain.counts.spans).sum()
    }
}

#[test]
fn slots_far_ahead_wait_without_rows_and_close_in_their_time() {
    let mut books = Books::default();
    books.tick(NOW);
    // Two hours ahead, as `ingest.future_accept` allows, twice over, and one of the present in between.
    for slot in (NOW..NOW + 720).chain([NOW]).chain((NOW..NOW + 720).rev()) {
        books.count(7, slot);
        assert!(books.intervals.open.iter().count() <= OPEN_SLOTS_MAX);
    }
    let rows: Vec<u32> = books.intervals.open.iter().map(|(slot, _)| slot).collect();
    assert!(rows.contains(&NOW), "the present keeps its rows");
    assert_eq!(books.open_spans() + books.gained, 1_441, "what left the rows is counted once");
    books.tick(NOW + 1);
    assert_eq!(books.slots(7), [(NOW, 3)]);
    books.tick(NOW + 360);
    assert_eq!(books.slots(7)[1..], (NOW + 1..NOW + 360).map(|slot| (slot, 2)).collect::<Vec<_>>());
    assert_eq!(books.intervals.closed().window(Window::Hour)[7].spans, 721);
    books.tick(NOW + 721);
    assert_eq!((books.gained, books.open_spans()), (1_441, 0));
    assert_eq!(books.intervals.closed().window(Window::Day)[7].spans, 1_441);
}

#[test]
fn a_full_row_begins_anew_and_loses_nothing() {
    let mut books = Books::default();
    for _ in 0..3 {
        books.weigh(1, NOW, u32::MAX);
        books.weigh(2, NOW, 1);
    }
    books.tick(NOW + 1);
    assert_eq!(books.slots(1), [(NOW, 3 * u64::from(u32::MAX))]);
    assert_eq!(books.slots(2), [(NOW, 3)]);
    assert_eq!((books.gained, books.open_spans()), (6, 0));
}

#[test]
fn a_late_request_of_the_last_hour_stays_in_its_slot_after_an_idle_time() {
    let mut books = Books::default();
    // At 12:20 the slots of 11:00 to 11:15 have become part of an hour; nothing else happened until 12:15.
    books.count(1, NOW);
    books.tick(NOW + 1);
    books.count(1, NOW + 450);
    books.tick(NOW + 480);
    assert_eq!(books.slots(1), [(NOW + 450, 1)]);
    books.count(1, NOW + 200);
    books.tick(NOW + 480);
    assert_eq!(books.slots(1), [(NOW + 200, 1), (NOW + 450, 1)]);
    assert_eq!(books.intervals.closed().window(Window::Hour)[1].spans, 2);
    assert_eq!(books.intervals.closed().window(Window::Day)[1].spans, 3);
}

#[test]
fn what_was_booked_before_the_hours_of_memory_is_an_hour() {
    let mut books = Books::default();
    books.tick(NOW);
    for slot in [NOW - 1, NOW - 391, NOW - 700] {
        books.count(3, slot);
    }
    books.tick(NOW);
    assert_eq!(books.slots(3), [(NOW - 1, 1)]);
    assert_eq!(books.intervals.closed().window(Window::Day)[3].spans, 3);
    assert_eq!(books.intervals.earliest_ns(), Some(u64::from(NOW - 700) * SLOT_NS));
}
