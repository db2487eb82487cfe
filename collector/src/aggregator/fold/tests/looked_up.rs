//! What snapshots offer beside counts: spans to look up, durations, messages, weights, any stretch of slots.

use super::*;
use crate::aggregator::snapshot::Exemplar;
use crate::observation::batch::row::{Context, Extra, Span as Row, extra, flag};
use bailiwick_slo::outcome::{Outcome, OutcomeCounts};

/// Spans of one operation: id, outcome, milliseconds, seconds before NOW, flags.
type Given = (u8, Outcome, u64, u64, u32);

fn seen(given: &[Given], more: impl Fn(&mut Builder, &mut Row)) -> Arc<Snapshot> {
    let mut builder = Builder::new(1_000, 100_000);
    let name = |builder: &mut Builder, text: &str| builder.string(text.as_bytes()).expect("there is room");
    let [service_name, operation] = ["chat", "say"].map(|text| name(&mut builder, text));
    let context = builder.context(&Context { service_name, ..Context::default() });
    for (id, outcome, millis, ago_s, flags) in given {
        let end_ns = NOW - ago_s * SECOND;
        let mut row = Row {
            trace_id: [*id; 16],
            span_id: [*id; 8],
            start_ns: end_ns - millis * 1_000_000,
            end_ns,
            kind: 2,
            outcome: *outcome as u8,
            flags: *flags,
            context,
            operation,
            ..Row::default()
        };
        more(&mut builder, &mut row);
        builder.span(&row);
    }
    let head = Head { signal: 1, received: given.len() as u32, observed_at_ns: NOW, ..Head::default() };
    let batch = builder.finish(&head, &Meta::default());
    let mut fold = Aggregator::new(Terms::default());
    fold.apply(1, &batch.view());
    fold.tick(2, NOW)
}

fn ids(exemplars: &[Option<Exemplar>]) -> Vec<u8> {
    exemplars.iter().map(|exemplar| exemplar.map_or(0, |exemplar| exemplar.span_id[7])).collect()
}

#[test]
fn spans_known_not_to_be_sampled_are_counted_and_never_shown() {
    let kept = flag::SAMPLED_KNOWN | flag::SAMPLED;
    let given = [
        (1, Outcome::Success, 40, 60, 0),
        (2, Outcome::Success, 40, 50, kept),
        (3, Outcome::Success, 90, 40, flag::SAMPLED_KNOWN),
        (4, Outcome::Failure, 80, 30, flag::SAMPLED_KNOWN),
        (5, Outcome::Failure, 70, 45, 0),
    ];
    let snapshot = seen(&given, |_, _| {});
    assert_eq!(snapshot.totals(0).outcomes, OutcomeCounts([3, 2, 0, 0, 0]));
    let exemplars = snapshot.exemplars(0);
    assert_eq!(ids(&exemplars.latest), [2, 5, 0, 0, 0]);
    let failure = exemplars.latest[1].expect("it is kept");
    assert_eq!((failure.trace_id, failure.duration_ns), ([5; 16], Some(70_000_000)));
    assert_eq!(failure.end_ns, NOW - 45 * SECOND);
    // NOW is 200 s into its five minutes, and all ended in them.
    assert_eq!(snapshot.slowest(0), Some(failure));
    assert_eq!(ids(&snapshot.bucket_exemplars(0)), [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn durations_of_failures_and_others_add_up_to_all_that_have_one() {
    let given = [
        (1, Outcome::Success, 40, 60, 0),
        (2, Outcome::ClientError, 40, 50, 0),
        (3, Outcome::Failure, 300, 40, 0),
        (4, Outcome::Success, 40, 30, flag::CLOCK_ANOMALY),
    ];
    let durations = seen(&given, |_, _| {}).series_durations(0);
    let placed = |place: usize, count: u64| {
        let mut le = [0; 15];
        le[place] = count;
        le
    };
    // 40 ms are in le="0.05", 300 ms in le="0.5".
    assert_eq!((durations.others.le, durations.others.sum_ns), (placed(3, 2), 80_000_000));
    assert_eq!((durations.failures.le, durations.failures.sum_ns), (placed(7, 1), 300_000_000));
}

#[test]
fn messages_and_weights_are_told_by_series_and_window() {
    let given: Vec<Given> = (1..=3).map(|id| (id, Outcome::Success, 40, 80, 0)).collect();
    let snapshot = seen(&given, |builder, row| {
        if row.span_id[0] == 2 {
            row.kind = 5;
            (row.extras, row.first_extra) =
                (1, builder.extra(&Extra { key: extra::MESSAGES, value: 17, ..Extra::default() }));
        }
        if row.span_id[0] == 3 {
            row.weight = 4 << 32;
        }
    });
    let consumer = snapshot.series().position(|name| name.entry.name() == "consumer").expect("a consumer") as u32;
    assert_eq!(snapshot.messages(Window::FiveMinutes), BTreeMap::from([(consumer, 17)]));
    assert_eq!(snapshot.message_totals(), &BTreeMap::from([(consumer, 17)]));
    // 4 is 3 above one, its square 15, in units of 2^-16.
    let server = 1 - consumer;
    assert_eq!(snapshot.extra_weights(Window::Hour), BTreeMap::from([(server, [3 << 16, 15 << 16])]));
    assert_eq!(snapshot.extra_weights(Window::Minute), BTreeMap::new(), "a minute begins 70 s before NOW");
}

#[test]
fn any_stretch_of_slots_is_counted_and_ends_before_its_end() {
    let given = [(1, Outcome::Success, 1, 60, 0), (2, Outcome::Success, 1, 50, 0), (3, Outcome::Success, 1, 40, 0)];
    let snapshot = seen(&given, |_, _| {});
    let slot = |ago_s: u64| Slot::holding(NOW - ago_s * SECOND);
    let spans = |from, to| snapshot.counts(from, to)[0].spans;
    assert_eq!((spans(slot(60), slot(40)), spans(slot(50), slot(10)), spans(slot(40), slot(40))), (2, 2, 0));
    assert_eq!(spans(slot(86_400), slot(50)), 1);
}
