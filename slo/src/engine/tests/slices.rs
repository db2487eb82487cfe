//! Slices of SLIs that are no shares of events (`slo.md` 1.4), and slices that are judged anew (2.9).

use super::*;
use crate::engine::windows::Effect;
use crate::spec::Amount;

fn amount(metric: &str) -> Amount {
    Amount { metric: metric.to_owned(), attributes: Vec::new() }
}

/// SLI and shortfall over slices of a minute, each brought by its first tick.
fn read(sli: Sli, method: Method, slices: &[(i64, i64)]) -> (String, String) {
    let mut slo = promise();
    (slo.sli, slo.method) = (sli, method);
    let mut run = Run::new(slo);
    for counts in slices {
        run.ticks(1, *counts, Source::Alive);
        run.ticks(5, (0, 0), Source::Alive);
    }
    let period = run.fleet.members()[0].instance.status().period;
    (period.ratio().map(|ratio| ratio.to_string()).unwrap_or_default(), period.bad().to_string())
}

const SLICE: TimeSpan = TimeSpan(60);

#[test]
fn a_slice_is_good_whose_quantile_is_at_most_the_threshold() {
    // q = 0.99: of 200 points 198 must be at or below the threshold; of 100, 99; of 99 all, since 98/99 < 0.99.
    let quantile = || Sli::Quantile { metric: None, q: decimal("0.99"), threshold: decimal("250000000") };
    let slices = [(2, 200), (3, 200), (1, 100), (1, 99), (0, 99), (0, 0)];
    let timeslices = |target: &str| Method::Timeslices { slice: SLICE, target: decimal(target) };
    let expected = ("0.6".to_owned(), "2".to_owned());
    // Its own target of a slice asks nothing more of a slice that is 1 or 0.
    for method in [timeslices("0.5"), timeslices("1"), Method::RatioTimeslices { slice: SLICE }] {
        assert_eq!(read(quantile(), method, &slices), expected, "{method:?}");
    }
}

#[test]
fn a_ratio_is_brought_in_units_of_its_eighth_decimal() {
    // Values 0.95, 0.5 and, of two points in one slice, 1 and 0.98: mean 0.99.
    let ratio = || Sli::Ratio { metric: amount("ready"), is_failure: false };
    let slices = [(5_000_000, 100_000_000), (50_000_000, 100_000_000), (2_000_000, 200_000_000)];
    let timeslices = Method::Timeslices { slice: SLICE, target: decimal("0.95") };
    assert_eq!(read(ratio(), timeslices, &slices), ("0.666666667".to_owned(), "1".to_owned()));
    // (0.95 + 0.5 + 0.99) / 3 = 2.44 / 3.
    let method = Method::RatioTimeslices { slice: SLICE };
    assert_eq!(read(ratio(), method, &slices), ("0.813333333".to_owned(), "0.56".to_owned()));
}

#[test]
fn a_late_event_makes_a_slice_before_birth_count_and_silence_there_does_not() {
    let counts = |empty: EmptySlice| {
        let mut slo = promise();
        slo.method = Method::Timeslices { slice: SLICE, target: decimal("0.95") };
        slo.draft.terms.no_data.empty_slice = empty;
        let mut run = Run::new(slo);
        run.ticks(6, (0, 1), Source::Alive);
        // Two slices before the first tick, of which one hears of a good event and of one that is taken back.
        for total in [5, 1, -1] {
            run.fleet.bring(0, START - 12, Delta { bad: 0, total, raw_bad: 0, raw_total: total });
        }
        run.ticks(6, (0, 1), Source::Alive);
        let sums = run.fleet.members()[0].instance.status().period.sums;
        (sums.bad, sums.total)
    };
    assert_eq!([EmptySlice::Skip, EmptySlice::Good, EmptySlice::Bad].map(counts), [(0, 3); 3]);
}

/// Bad slices with their fractions, slices, and ticks of the period under these corrections.
fn under(run: &mut Run, effects: &[Effect]) -> (String, u64, u32) {
    run.fleet.correct(0, Effect::joined(effects));
    let period = run.fleet.members()[0].instance.status().period;
    (period.bad().to_string(), period.sums.total, period.sums.ticks)
}

fn figures(bad: &str, total: u64, ticks: u32) -> (String, u64, u32) {
    (bad.to_owned(), total, ticks)
}

#[test]
fn a_part_of_a_slice_is_corrected_half_a_day_later_and_the_correction_taken_back() {
    let mut slo = promise();
    slo.method = Method::RatioTimeslices { slice: TimeSpan(300) };
    let mut run = Run::new(slo);
    // Of a slice of five minutes the first one is bad: 600 of 3,000. 144 good slices follow.
    run.ticks(6, (100, 100), Source::Alive);
    run.ticks(24 + 144 * 30, (0, 100), Source::Alive);
    let minutes = |from: u64, to: u64, is_good| Effect { from: START + 6 * from, to: START + 6 * to, is_good };
    assert_eq!(under(&mut run, &[]), figures("0.2", 145, 4_350));
    assert_eq!(under(&mut run, &[minutes(0, 1, false)]), figures("0", 145, 4_344));
    assert_eq!(under(&mut run, &[minutes(0, 1, true)]), figures("0", 145, 4_350));
    // 600 of 1,800, and of the 600 that are left.
    assert_eq!(under(&mut run, &[minutes(1, 3, false)]), figures("0.333333333", 145, 4_338));
    assert_eq!(under(&mut run, &[minutes(1, 5, false), minutes(2, 3, true)]), figures("1", 145, 4_326));
    assert_eq!(under(&mut run, &[minutes(0, 5, false)]), figures("0", 144, 4_320));
    assert_eq!(under(&mut run, &[]), figures("0.2", 145, 4_350));
}

#[test]
fn silence_that_a_correction_calls_good_is_no_bad_slice() {
    let mut slo = promise();
    slo.method = Method::Timeslices { slice: TimeSpan(120), target: decimal("0.95") };
    slo.draft.terms.no_data.empty_slice = EmptySlice::Bad;
    let mut run = Run::new(slo);
    run.ticks(12, (0, 100), Source::Alive);
    run.ticks(12, (0, 0), Source::Alive);
    let good = |to: u64| Effect { from: START + 12, to: START + to, is_good: true };
    assert_eq!(under(&mut run, &[]), figures("1", 2, 24));
    assert_eq!(under(&mut run, &[good(18)]), figures("1", 2, 24), "a half is nobody's word");
    assert_eq!(under(&mut run, &[good(24)]), figures("0", 2, 24));
}

#[test]
fn slices_are_judged_anew_as_far_as_history_is_kept_within_its_bytes() {
    let mut slo = promise();
    // No whole number of these goes into a block of cells: some slice is cut where history begins.
    slo.method = Method::RatioTimeslices { slice: TimeSpan(420) };
    let mut run = Run::new(slo.clone());
    let limits = Limits { instances_max: 1, memory_bytes_max: 60_000 };
    run.fleet = Fleet::new(vec![slo], Grid::LIVE, "store", limits);
    run.fleet.places_of(("acme", "rag_hub", "GET /a"), START);
    for tick in 0..20_000 {
        // Counts that pack badly.
        let total = 1 + tick * 7_919 % 100_003;
        run.ticks(1, (total / 2, total), Source::Alive);
    }
    assert!(run.fleet.refused().shed > 0 && run.fleet.memory_bytes() <= 60_000);
    let all = Effect { from: 0, to: START + 20_000, is_good: false };
    let before = under(&mut run, &[]);
    assert!(before.1 > 60);
    assert_eq!(under(&mut run, &[Effect { is_good: true, ..all }]), figures("0", before.1, before.2));
    assert_eq!(under(&mut run, &[all]), figures("0", 0, 0));
    assert_eq!(under(&mut run, &[]), before);
}

/// Slices of a minute in hours that begin half a minute after the hour.
fn at_half_minutes() -> Slo {
    let mut slo = promise();
    slo.method = Method::RatioTimeslices { slice: SLICE };
    slo.draft.terms.period = Period::Calendar(crate::spec::Calendar {
        start: "2026-01-01T00:00:30".parse().expect("a time"),
        count: 1,
        unit: crate::spec::CalendarUnit::Hour,
        zone: jiff::tz::TimeZone::UTC,
    });
    slo
}

#[test]
fn corrections_on_whole_minutes_cut_slices_that_begin_at_half_ones() {
    let mut run = Run::new(at_half_minutes());
    // The second minute is bad: half of each of two slices of the hour that begins with tick 3; ten end with tick 63.
    run.ticks(6, (0, 1), Source::Alive);
    run.ticks(6, (1, 1), Source::Alive);
    run.ticks(51, (0, 1), Source::Alive);
    let minute = |number: u64| Effect { from: START + 6 * number, to: START + 6 * number + 6, is_good: false };
    assert_eq!(under(&mut run, &[]), figures("1", 10, 60));
    assert_eq!(under(&mut run, &[minute(1)]), figures("0", 10, 54));
    // What is left of the second of them is bad.
    assert_eq!(under(&mut run, &[minute(2)]), figures("1.5", 10, 54));
}

#[test]
fn what_slices_on_whole_minutes_counted_can_be_corrected_after_they_begin_at_half_ones() {
    let mut slo = at_half_minutes();
    slo.draft.terms.period = promise().draft.terms.period;
    let mut run = Run::new(slo);
    run.ticks(6, (0, 1), Source::Alive);
    run.ticks(6, (1, 1), Source::Alive);
    run.ticks(49, (0, 1), Source::Alive);
    run.fleet.redefine(vec![at_half_minutes()]);
    let minute = Effect { from: START + 6, to: START + 12, is_good: false };
    // The hour began with tick 3, within a slice that ended in it.
    assert_eq!(under(&mut run, &[]), figures("1", 10, 58));
    assert_eq!(under(&mut run, &[minute]), figures("0", 9, 52));
    // The slice of ticks 60 to 62 is cut, the next one is whole.
    run.ticks(8, (1, 1), Source::Alive);
    assert_eq!(under(&mut run, &[minute]), figures("1.666666667", 11, 60));
}
