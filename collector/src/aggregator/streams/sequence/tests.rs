//! `sli.md` 1.9: every row of its table of cases, every vector, and the laws behind them.

use bailiwick_slo::time::SECOND_NS;
use proptest::prelude::*;

use super::*;

/// `ingest.late_accept`.
const LATE_S: u64 = 600;

/// A counter's point: start, time, value.
fn counter((start, time, value): (u64, u64, i64)) -> Sample {
    let integer = point_flag::MONOTONIC | point_flag::INTEGER;
    let (start_ns, time_ns) = (start * SECOND_NS, time * SECOND_NS);
    let value = value.cast_unsigned();
    Sample::of(&Point { start_ns, time_ns, value, data: 2, temporality: 2, flags: integer, ..Point::default() }, &[])
}

fn delta(point: (u64, u64, i64)) -> Sample {
    Sample { is_delta: true, ..counter(point) }
}

/// An explicit histogram's point.
fn histogram((start, time): (u64, u64), bounds: &[f64], counts: &[u64]) -> Sample {
    let words: Vec<u64> = bounds.iter().map(|bound| bound.to_bits()).chain(counts.iter().copied()).collect();
    let count = counts.iter().sum();
    Sample { form: Form::Explicit, count, buckets: Buckets::explicit(&words), ..counter((start, time, 0)) }
}

/// Outcomes of a stream's points in the order of their arrival.
fn run(samples: impl IntoIterator<Item = Sample>) -> Vec<Outcome> {
    let mut sequence: Option<Sequence> = None;
    let outcomes = samples.into_iter().map(|sample| match &mut sequence {
        Some(sequence) => sequence.advance(&sample),
        None => {
            let (begun, outcome) = Sequence::begin(&sample, LATE_S * SECOND_NS);
            sequence = Some(begun);
            outcome
        }
    });
    outcomes.collect()
}

/// An outcome in a word: what is added over which seconds, with its marks.
fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Applied(applied) => {
            let (from, to) = (applied.over.0 / SECOND_NS, applied.over.1 / SECOND_NS);
            let marks =
                [("gap", applied.is_gap), ("reset", applied.is_reset), ("conflict", applied.is_writer_conflict)];
            let marks: String = marks.iter().filter(|(_, is_so)| *is_so).map(|(name, _)| format!(" {name}")).collect();
            format!("+{} over {from}..{to}{marks}", applied.increase.count)
        }
        Outcome::Baseline => "baseline".to_owned(),
        Outcome::Level(value) => format!("level {value}"),
        Outcome::NoData => "no data".to_owned(),
        Outcome::Dropped(reason) => reason.name().to_owned(),
    }
}

fn told(samples: impl IntoIterator<Item = Sample>) -> Vec<String> {
    run(samples).iter().map(said).collect()
}

/// "Vectors (start, time, value): cumulative (100,160,5) 5; (100,220,9) 4; (100,280,9) 0; (100,250,8) dropped;
/// (100,340,7) 7; (400,460,2) 2; (500,500,40) 0; (500,560,43) 3."
#[test]
fn the_cumulative_vector_of_the_page() {
    let points = [
        (100, 160, 5),
        (100, 220, 9),
        (100, 280, 9),
        (100, 250, 8),
        (100, 340, 7),
        (400, 460, 2),
        (500, 500, 40),
        (500, 560, 43),
    ];
    assert_eq!(
        told(points.map(counter)),
        [
            "+5 over 100..160",
            "+4 over 160..220",
            "+0 over 220..280",
            "out_of_order",
            "+7 over 280..340 reset",
            "+2 over 400..460 reset",
            "baseline",
            "+3 over 500..560",
        ]
    );
}

/// "Delta (100,160,3), (160,220,2), (280,340,4): 9, one gap; then (220,280,1): dropped."
#[test]
fn the_delta_vector_of_the_page() {
    let points = [(100, 160, 3), (160, 220, 2), (280, 340, 4), (220, 280, 1)];
    assert_eq!(
        told(points.map(delta)),
        ["+3 over 100..160", "+2 over 160..220", "+4 over 280..340 gap", "out_of_order"]
    );
}

/// "Bounds, cumulative, start 100: [0.1,1] [2,3,1] at 160, [0.1,0.5,1] [3,2,4,1] at 220: count +6, +4, second adds no
/// bucket."
#[test]
fn the_bounds_vector_of_the_page() {
    let outcomes = run([
        histogram((100, 160), &[0.1, 1.0], &[2, 3, 1]),
        histogram((100, 220), &[0.1, 0.5, 1.0], &[3, 2, 4, 1]),
        histogram((100, 280), &[0.1, 0.5, 1.0], &[3, 4, 4, 2]),
    ]);
    let added: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Applied(applied) => (applied.increase.count, applied.increase.buckets),
            other => panic!("{other:?}"),
        })
        .collect();
    let explicit =
        |bounds: &[f64], counts: &[u64]| Some(Buckets::Explicit { bounds: bounds.into(), counts: counts.into() });
    assert_eq!(added[0], (6, explicit(&[0.1, 1.0], &[2, 3, 1])));
    assert_eq!(added[1], (4, None));
    assert_eq!(added[2], (3, explicit(&[0.1, 0.5, 1.0], &[0, 2, 0, 1])), "they restarted at 220");
}

/// "cumulative, first seen | time - start <= late_accept: contributes its value; older start: baseline, 0"
#[test]
fn an_old_service_does_not_arrive_as_one_jump() {
    assert_eq!(told([(100, 700, 5)].map(counter)), ["+5 over 100..700"]);
    assert_eq!(told([(100, 701, 5), (100, 761, 8)].map(counter)), ["baseline", "+3 over 701..761"]);
}

/// "cumulative, start = time, or start 0 | unknown start: baseline, 0"
#[test]
fn an_unknown_start_is_a_baseline() {
    assert_eq!(told([(160, 160, 5), (160, 220, 8)].map(counter)), ["baseline", "+3 over 160..220"]);
    assert_eq!(
        told([(0, 160, 5), (0, 220, 8), (0, 280, 2)].map(counter)),
        ["baseline", "+3 over 160..220", "+2 over 220..280 reset"]
    );
    // In the middle of a sequence as well; and a start that becomes known says nothing about what was counted.
    assert_eq!(
        told([(100, 160, 5), (0, 220, 8), (100, 280, 9), (100, 340, 11)].map(counter)),
        ["+5 over 100..160", "baseline", "baseline", "+2 over 280..340"]
    );
    // A start after the end is no start.
    assert_eq!(told([(900, 160, 5), (900, 220, 8)].map(counter)), ["baseline", "+3 over 160..220"]);
    let unknown = Point { start_ns: 1, time_ns: 5, data: 2, flags: point_flag::UNKNOWN_START, ..Point::default() };
    assert_eq!(Sample::of(&unknown, &[]).start_ns, 0);
}

/// "cumulative, later start | reset: contributes its value; start before the last time: also writer_conflict"
#[test]
fn a_later_start_is_a_reset() {
    assert_eq!(told([(100, 160, 50), (200, 260, 3)].map(counter)), ["+50 over 100..160", "+3 over 200..260 reset"]);
    assert_eq!(
        told([(100, 160, 50), (150, 220, 60)].map(counter)),
        ["+50 over 100..160", "+60 over 160..220 reset conflict"]
    );
}

/// "cumulative, same start, lower value | reset: contributes its value"
#[test]
fn a_lower_value_is_a_reset() {
    assert_eq!(told([(100, 160, 50), (100, 220, 3)].map(counter)), ["+50 over 100..160", "+3 over 160..220 reset"]);
    let lower = [histogram((100, 160), &[1.0], &[4, 4]), histogram((100, 220), &[1.0], &[2, 1])];
    assert_eq!(told(lower), ["+8 over 100..160", "+3 over 160..220 reset"]);
}

/// "delta | start = last time, or 0: fine; later: accepted, gap counted; earlier: accepted, writer_conflict raised"
#[test]
fn deltas_follow_each_other_with_gaps_and_conflicts() {
    assert_eq!(
        told([(100, 160, 3), (0, 220, 2), (250, 280, 4), (220, 340, 1)].map(delta)),
        ["+3 over 100..160", "+2 over 160..220", "+4 over 250..280 gap", "+1 over 280..340 conflict"]
    );
    assert_eq!(told([(0, 160, 3)].map(delta)), ["+3 over 160..160"]);
    assert_eq!(told([(0, 160, -3)].map(delta)), ["+0 over 160..160"], "never a negative increase");
}

/// "start (not 0) before the sequence's first | dropped older_start, writer_conflict raised"
#[test]
fn a_start_before_the_first_of_its_sequence_is_dropped() {
    assert_eq!(told([(100, 160, 3), (90, 220, 9)].map(counter)), ["+3 over 100..160", "older_start"]);
    assert_eq!(told([(100, 160, 3), (160, 220, 1), (90, 280, 9)].map(delta)).last().expect("three"), "older_start");
    // Of the sequence that runs since the reset.
    assert_eq!(told([(100, 160, 3), (200, 220, 1), (100, 280, 9)].map(counter)).last().expect("three"), "older_start");
}

/// "time <= last time | dropped out_of_order; no negative increase ever"
#[test]
fn a_point_that_is_not_after_the_last_is_dropped() {
    assert_eq!(
        told([(100, 160, 3), (100, 160, 4), (100, 159, 2), (100, 161, 4)].map(counter)),
        ["+3 over 100..160", "out_of_order", "out_of_order", "+1 over 160..161"]
    );
}

/// "exponential, scales differ | to the lower, index >> n arithmetic; larger zero threshold wins"
#[test]
fn exponential_points_of_different_scales_are_differenced() {
    let point = |(time, scale): (u64, i16), words: &[u64], count| {
        let buckets = Buckets::exponential(words, scale);
        assert!(buckets.is_some(), "{words:?}");
        Sample { form: Form::Exponential, count, buckets, ..counter((100, time, 0)) }
    };
    let offset = (-3_i64).cast_unsigned();
    let first = point((160, 3), &[0, 0, offset, 6, 1, 2, 3, 4, 5, 6, 0, 0], 21);
    // Scale 1 offset -1 [6, 15] was there; 2 and 1 are new.
    let second = point((220, 1), &[0, 0, (-1_i64).cast_unsigned(), 2, 8, 16, 0, 0], 24);
    let outcomes = run([first, second]);
    let Outcome::Applied(applied) = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!(applied.increase.count, 3);
    assert_eq!(applied.increase.buckets, Buckets::exponential(&[0, 0, (-1_i64).cast_unsigned(), 2, 2, 1, 0, 0], 1));
}

#[test]
fn levels_are_what_they_are_and_deltas_of_them_add_up() {
    let level = |point, is_delta| Sample { form: Form::Level, is_delta, ..counter(point) };
    assert_eq!(
        told([(100, 160, 5), (100, 220, -2), (100, 220, 9)].map(|point| level(point, false))),
        ["level 5", "level -2", "out_of_order"]
    );
    assert_eq!(told([(100, 160, 5), (160, 220, -2)].map(|point| level(point, true))), ["level 5", "level 3"]);
}

#[test]
fn fractions_are_not_lost_between_points() {
    let halves = [1_u32, 2, 3, 4].map(|n| {
        let value = Number::Double(f64::from(n) * 1.5);
        Sample { value, ..counter((100, 100 + 60 * u64::from(n), 0)) }
    });
    // 1.5, 3, 4.5, 6: whole units 1, 3, 4, 6.
    let counts = run(halves).into_iter().map(|outcome| match outcome {
        Outcome::Applied(applied) => (applied.increase.count, applied.increase.value),
        other => panic!("{other:?}"),
    });
    assert_eq!(counts.collect::<Vec<_>>(), [(1, 1.5), (2, 1.5), (1, 1.5), (2, 1.5)]);
}

#[test]
fn no_delta_reaches_farther_back_than_is_spread() {
    let Outcome::Applied(applied) = &run([delta((1, 1_700_000_000, 5))])[0] else { panic!("applied") };
    assert_eq!(applied.over, (1_700_000_000 * SECOND_NS - SPREAD_NS_MAX, 1_700_000_000 * SECOND_NS));
}

/// Runs of a counter: each begins where the last one ended and grows.
fn sequences() -> impl Strategy<Value = Vec<Vec<i64>>> {
    prop::collection::vec(prop::collection::vec(0_i64..50, 1..8), 1..5)
}

fn added(outcomes: &[Outcome]) -> u64 {
    outcomes
        .iter()
        .map(|outcome| if let Outcome::Applied(applied) = outcome { applied.increase.count } else { 0 })
        .sum()
}

proptest! {
    /// Scenario: a counter with restarts, points a minute apart, in order.
    /// Guarantee: each sequence adds its last value (its first point begins at its start), and nothing is dropped.
    #[test]
    fn in_order_each_sequence_adds_last_minus_first(runs in sequences()) {
        let (mut samples, mut expected, mut now) = (Vec::new(), 0, 1_000);
        for steps in &runs {
            let (start, mut value) = (now, 0);
            for step in steps {
                (now, value) = (now + 60, value + step);
                samples.push(counter((start, now, value)));
            }
            expected += value;
        }
        let outcomes = run(samples);
        prop_assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied(_))));
        prop_assert_eq!(added(&outcomes), expected.unsigned_abs());
    }

    /// Scenario: the points of one growing counter in any order.
    /// Guarantee: what is added is the value of the latest one, never more; stretches never overlap.
    #[test]
    fn in_any_order_a_counter_adds_the_latest_value(
        steps in prop::collection::vec(0_i64..50, 1..9),
        order in prop::collection::vec(any::<u16>(), 9),
    ) {
        let mut value = 0;
        let mut points: Vec<_> = (1_u64..)
            .zip(&steps)
            .map(|(n, step)| {
                value += step;
                (1_000, 1_000 + 60 * n, value)
            })
            .collect();
        points.sort_by_key(|(_, time, _)| order[(*time / 60) as usize % order.len()]);
        let outcomes = run(points.into_iter().map(counter));
        prop_assert_eq!(added(&outcomes), value.unsigned_abs());
        let mut end = 0;
        for outcome in &outcomes {
            if let Outcome::Applied(applied) = outcome {
                prop_assert!(end <= applied.over.0 && applied.over.0 <= applied.over.1);
                end = applied.over.1;
            }
        }
    }
}
