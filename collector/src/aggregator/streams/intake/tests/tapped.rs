//! What taps count of points: the cases of `sli.md` 1.9 and the kinds of `slo.md` 1.4, slot by slot.

use bailiwick_slo::exact::Decimal;
use bailiwick_slo::spec::Compared;
use bailiwick_slo::taps::{Reads, Tap, Taps};
use bailiwick_slo::time::{SECOND_NS, Slot};

use super::drive::{Driven, MINUTE, NOW_S, Sent, counter, histogram, level};
use crate::aggregator::snapshot::ModuleId;
use crate::aggregator::streams::{TapCounters, TapCounts, TappedName};
use crate::observation::batch::row::point_flag;

const METRIC: &str = "shop.orders";

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn below(threshold: &str) -> Reads {
    Reads::Buckets { threshold: decimal(threshold) }
}

fn compared(op: Compared, value: &str) -> Reads {
    Reads::Points { op, value: decimal(value) }
}

/// Streams that these taps read, by number.
fn driven(reads: &[Reads]) -> Driven {
    let mut taps = Taps::default();
    let tap = |reads: &Reads| Tap { metric: METRIC.to_owned(), attributes: Vec::new(), reads: *reads };
    taps.append(reads.iter().map(tap)).expect("few");
    let mut driven = Driven::new(50_000);
    driven.streams.set_taps(&taps);
    driven
}

fn orders(value: i64) -> Sent {
    counter(METRIC, value).taps(&[0])
}

fn counts(part: u64, of: u64, unknown: u64) -> TapCounts {
    TapCounts { part, of, unknown }
}

/// What joined closed slots, as tap, module, seconds from [`NOW_S`] at which the slot begins, and counts.
fn joined(driven: &Driven) -> Vec<(u16, ModuleId, i64, TapCounts)> {
    let shown = driven.streams.shown();
    let names: Vec<TappedName> = shown.tapped().copied().collect();
    let row = |(slot, number, counts): (Slot, u32, TapCounts)| {
        let TappedName { tap, module } = names[number as usize];
        let begins_s = (slot.start_ns() / SECOND_NS).cast_signed() - NOW_S.cast_signed();
        (tap, module, begins_s, counts)
    };
    shown.tapped_joined().map(row).collect()
}

/// All that joined since slots were closed last, of the first tap and module 1.
fn sum(driven: &mut Driven) -> TapCounts {
    driven.close();
    let own = joined(driven).into_iter().filter(|(tap, module, ..)| (*tap, *module) == (0, 1));
    own.fold(TapCounts::default(), |sum, (.., more)| {
        counts(sum.part + more.part, sum.of + more.of, sum.unknown + more.unknown)
    })
}

fn taps(driven: &Driven) -> TapCounters {
    driven.streams.shown().counters().taps
}

#[test]
fn an_increase_is_spread_over_the_slots_of_its_stretch() {
    let mut driven = driven(&[Reads::Increase]);
    driven.send(orders(60));
    driven.close();
    let expected: Vec<_> = (-6..0).map(|slot| (0, 1, 10 * slot, counts(10, 0, 0))).collect();
    assert_eq!(joined(&driven), expected);
    assert_eq!(driven.module(1).requests, [0; 3], "no metric of requests");
    // Nothing joined since, and the next point adds to slots that are closed already.
    let revision = driven.streams.shown().tapped_revision();
    driven.pass(10);
    driven.send(orders(67).began(NOW_S - 60));
    driven.close();
    assert_eq!(joined(&driven), [(0, 1, 0, counts(7, 0, 0))]);
    assert!(driven.streams.shown().tapped_revision() > revision);
}

/// "Vectors (start, time, value): cumulative (100,160,5) 5; (100,220,9) 4; (100,280,9) 0; (100,250,8) dropped;
/// (100,340,7) 7"
#[test]
fn cumulative_counters_are_differenced_and_resets_contribute_their_value() {
    let mut driven = driven(&[Reads::Increase]);
    let began = NOW_S - 60;
    let mut next = |pass: u64, value| {
        driven.pass(pass);
        driven.send(orders(value).began(began));
        sum(&mut driven).part
    };
    assert_eq!([next(0, 5), next(60, 9), next(60, 9)], [5, 4, 0]);
    assert_eq!(next(60, 7), 7);
}

/// "Delta (100,160,3), (160,220,2), (280,340,4): 9, one gap; then (220,280,1): dropped."
#[test]
fn deltas_are_taken_as_they_are() {
    let mut driven = driven(&[Reads::Increase]);
    let delta = |value, from: u64| Sent { is_delta: true, ..orders(value).began(NOW_S + from - 60) };
    driven.send(delta(3, 0));
    driven.pass(MINUTE);
    driven.send(delta(2, 60));
    driven.pass(2 * MINUTE);
    driven.send(delta(4, 180));
    driven.send(delta(1, 120));
    assert_eq!(sum(&mut driven).part, 9);
    assert_eq!(driven.streams.shown().counters().gaps, 1);
}

#[test]
fn an_old_service_does_not_arrive_as_one_jump_and_is_known_all_the_same() {
    let mut driven = driven(&[Reads::Increase]);
    driven.send(orders(1_000_000).began(NOW_S - 86_400));
    assert_eq!(sum(&mut driven), TapCounts::default());
    assert_eq!(driven.streams.shown().tapped().copied().collect::<Vec<_>>(), [TappedName { tap: 0, module: 1 }]);
    driven.pass(MINUTE);
    driven.send(orders(1_000_002).began(NOW_S - 86_400));
    assert_eq!(sum(&mut driven).part, 2);
}

#[test]
fn the_values_of_a_histogram_are_an_increase_too() {
    let mut driven = driven(&[Reads::Increase]);
    driven.send(histogram(METRIC, 12).taps(&[0]));
    assert_eq!(sum(&mut driven), counts(12, 0, 0));
}

/// Two points of a cumulative histogram of bounds 0.1, 0.5 and 1: what is new in the second is 1, 2, 3 and 4.
fn grown(threshold: &str) -> TapCounts {
    let mut driven = driven(&[below(threshold)]);
    let words = |counts: [u64; 4]| {
        let bounds = [0.1_f64, 0.5, 1.0].map(f64::to_bits);
        [&bounds[..], &counts[..]].concat()
    };
    let sent = |count| histogram(METRIC, count).taps(&[0]).began(NOW_S - 60);
    driven.send_words(sent(100), &words([10, 20, 30, 40]));
    driven.close();
    driven.pass(MINUTE);
    driven.send_words(sent(110), &words([11, 22, 33, 44]));
    sum(&mut driven)
}

#[test]
fn buckets_wholly_at_or_below_the_threshold_count_and_the_one_that_holds_it_is_unknown() {
    assert_eq!(grown("0.5"), counts(3, 10, 0), "a bound is told exactly");
    assert_eq!(grown("0.1"), counts(1, 10, 0), "as a double is nearest to its text");
    assert_eq!(grown("1"), counts(6, 10, 0));
    assert_eq!(grown("0.25"), counts(1, 10, 2), "between 1 and 3");
    assert_eq!(grown("0.05"), counts(0, 10, 1));
    assert_eq!(grown("7"), counts(6, 10, 4), "the last bucket has no end");
}

#[test]
fn no_slot_has_more_below_the_threshold_than_in_all() {
    let mut driven = driven(&[below("1")]);
    let words = [1.0_f64.to_bits(), 2, 1];
    driven.send_words(histogram(METRIC, 3).taps(&[0]), &words);
    driven.close();
    // floor(2 k / 6) and floor(k / 6): the two below stand in slots 3 and 6, the one above in slot 6.
    assert_eq!(joined(&driven), [(0, 1, -40, counts(1, 1, 0)), (0, 1, -10, counts(1, 2, 0))]);
}

/// "Bounds, cumulative, start 100: [0.1,1] [2,3,1] at 160, [0.1,0.5,1] [3,2,4,1] at 220: count +6, +4, second adds no
/// bucket."
#[test]
fn an_increase_that_no_bucket_tells_of_is_left_out_and_counted() {
    let mut driven = driven(&[below("1")]);
    let sent = |count| histogram(METRIC, count).taps(&[0]).began(NOW_S - 60);
    driven.send_words(sent(6), &[0.1_f64.to_bits(), 1.0_f64.to_bits(), 2, 3, 1]);
    assert_eq!(sum(&mut driven), counts(5, 6, 0));
    driven.pass(MINUTE);
    driven.send_words(sent(10), &[0.1_f64.to_bits(), 0.5_f64.to_bits(), 1.0_f64.to_bits(), 3, 2, 4, 1]);
    assert_eq!(sum(&mut driven), TapCounts::default());
    assert_eq!(taps(&driven), TapCounters { without_buckets: 1, ..TapCounters::default() });
    // From there on the new bounds are compared: 1 more in each bucket.
    driven.pass(MINUTE);
    driven.send_words(sent(14), &[0.1_f64.to_bits(), 0.5_f64.to_bits(), 1.0_f64.to_bits(), 4, 3, 5, 2]);
    assert_eq!(sum(&mut driven), counts(3, 4, 0));
}

#[test]
fn exponential_buckets_count_the_same_way() {
    // Scale 0: one value each in (1, 2], (2, 4], (4, 8], two up to zero, three in [-2, -1).
    let words = [2, 0, 0, 3, 1, 1, 1, 0, 1, 3];
    let part = |threshold: &str| {
        let mut driven = driven(&[below(threshold)]);
        let sent = Sent { data: 4, ..histogram(METRIC, 8).taps(&[0]) };
        driven.send_words(sent, &words);
        sum(&mut driven)
    };
    assert_eq!(part("4"), counts(7, 8, 0));
    assert_eq!(part("3"), counts(6, 8, 1));
    assert_eq!(part("0.5"), counts(5, 8, 0), "of (1, 2] nothing is below");
    assert_eq!(part("-1.5"), counts(0, 8, 3));
}

#[test]
fn points_of_a_gauge_are_compared_one_by_one_in_the_slot_of_their_time() {
    let all = [
        compared(Compared::Lt, "0.3"),
        compared(Compared::Lte, "0.3"),
        compared(Compared::Gt, "0.3"),
        compared(Compared::Gte, "0.3"),
    ];
    let mut driven = driven(&all);
    let gauge = |value: f64| Sent { data: 1, flags: 0, value: value.to_bits(), ..level(METRIC, 0).taps(&[0, 1, 2, 3]) };
    driven.send(gauge(0.2));
    driven.pass(3);
    driven.send(gauge(0.3));
    driven.pass(3);
    driven.send(gauge(0.4));
    // Not after the last one: dropped, and not compared.
    driven.send(gauge(0.1));
    driven.pass(10);
    driven.close();
    let expected = [1, 2, 1, 2].map(|part| counts(part, 3, 0));
    let seen: Vec<_> =
        joined(&driven).into_iter().map(|(tap, module, at, counts)| ((tap, module, at), counts)).collect();
    assert_eq!(seen, (0..).map(|tap| (tap, 1, 0)).zip(expected).collect::<Vec<_>>());
}

#[test]
fn whole_numbers_and_up_down_counters_are_levels_too() {
    let mut driven = driven(&[compared(Compared::Lte, "100")]);
    for (value, stream) in [(100, 1), (101, 2), (-7, 3)] {
        driven.send(level(METRIC, value).taps(&[0]).stream(stream));
    }
    driven.pass(10);
    assert_eq!(sum(&mut driven), counts(2, 3, 0));
}

#[test]
fn ratios_are_summed_in_their_units_and_kept_between_0_and_1() {
    let mut driven = driven(&[Reads::Level { is_failure: true }]);
    for (place, value) in [0.25, 0.125, 1.5, -3.0].into_iter().enumerate() {
        let sent = Sent { data: 1, flags: 0, value: f64::to_bits(value), ..level(METRIC, 0) };
        driven.send(sent.taps(&[0]).stream(place as u8));
    }
    driven.pass(10);
    assert_eq!(sum(&mut driven), counts(25_000_000 + 12_500_000 + 100_000_000, 4, 0));
    assert_eq!(taps(&driven).out_of_range, 2);
}

#[test]
fn a_point_without_value_counts_nowhere() {
    let mut driven = driven(&[compared(Compared::Gte, "0")]);
    driven.send(level(METRIC, 0).taps(&[0]).flags(point_flag::NO_VALUE));
    driven.pass(10);
    assert_eq!(sum(&mut driven), TapCounts::default());
}

#[test]
fn tenants_and_modules_are_kept_apart() {
    let mut driven = driven(&[Reads::Increase]);
    driven.send(orders(6));
    driven.send(orders(12).module(2));
    driven.close();
    let of = |module| joined(&driven).iter().filter(|row| row.1 == module).map(|row| row.3.part).sum::<u64>();
    assert_eq!((of(1), of(2)), (6, 12));
}

#[test]
fn what_a_tap_cannot_read_or_nobody_knows_is_counted_as_such() {
    let mut driven =
        driven(&[Reads::Increase, below("1"), compared(Compared::Lt, "1"), Reads::Level { is_failure: false }]);
    driven.send(orders(6).taps(&[0, 1, 2, 3, 4, u16::MAX]));
    driven.send(level("shop.level", 6).taps(&[0, 1]).stream(2));
    driven.send(histogram("shop.duration", 6).taps(&[2, 3]).stream(3));
    driven.close();
    assert_eq!(taps(&driven), TapCounters { unknown: 2, unfit: 3 + 2 + 2, ..TapCounters::default() });
    assert_eq!(driven.streams.shown().tapped().count(), 1, "only what was read");
}

#[test]
fn a_tap_that_comes_later_counts_from_then_on() {
    let mut driven = Driven::new(50_000);
    driven.send(orders(6));
    assert_eq!(taps(&driven).unknown, 1);
    let mut known = Taps::default();
    let tap = Tap { metric: METRIC.to_owned(), attributes: Vec::new(), reads: Reads::Increase };
    known.append([tap]).expect("one");
    driven.streams.set_taps(&known);
    driven.pass(MINUTE);
    driven.send(orders(11).began(NOW_S - 60));
    assert_eq!((sum(&mut driven).part, taps(&driven).unknown), (5, 1));
}

#[test]
fn pairs_have_a_maximum_and_what_it_refused_is_told() {
    let mut driven = driven(&[Reads::Increase]);
    for module in 0..10_003 {
        driven.send(orders(1).module(module));
    }
    let [_, limit] = driven.streams.limits();
    assert_eq!((limit.name, limit.used, limit.max, limit.refused), ("metrics.tapped_max", 10_000, 10_000, 3));
}

#[test]
fn every_point_is_heard_of() {
    let mut driven = Driven::new(50_000);
    let heard = |driven: &Driven| driven.streams.shown().heard().iter().copied().collect::<Vec<_>>();
    driven.batch(&[counter("process.cpu.time", 1).module(2)]);
    let before = driven.streams.shown();
    driven.pass(7);
    // Not after the last one: it counts nowhere, and somebody is there all the same.
    driven.batch(&[counter("process.cpu.time", 1).module(2).flags(point_flag::NO_VALUE), orders(1)]);
    let now = (NOW_S + 7) * SECOND_NS;
    assert_eq!(heard(&driven), [0, now, now]);
    assert_eq!(before.heard().iter().copied().collect::<Vec<_>>(), [0, 0, NOW_S * SECOND_NS], "what was shown stays");
}
