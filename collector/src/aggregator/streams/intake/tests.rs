//! Points of whole platforms in, figures out: whose counts grow, what is left out, what is bounded, and that the same
//! points give the same figures.

mod drive;
mod laws;
mod tapped;

use bailiwick_slo::coverage::Denominator;
use bailiwick_slo::ratio::Ratio;

use super::*;
use crate::aggregator::streams::buckets::Buckets;
use crate::aggregator::streams::{DropReason, MetricCounts, ServiceCounts};
use drive::{ALL, Driven, MINUTE, NOW_S, Sent, counter, histogram, level};

#[test]
fn a_duration_histogram_counts_requests_and_errors_in_the_slots_of_their_stretch() {
    let mut driven = Driven::new(50_000);
    driven.send(histogram("http.server.request.duration", 120).operation("GET /a"));
    driven.send(histogram("http.server.request.duration", 6).failed().stream(2).operation("GET /a"));
    driven.close();
    let counts = driven.module(1);
    assert_eq!((counts.requests, counts.failures), ([126, 0, 0], [6, 0]));
    assert_eq!(counts.errors(Source::DurationHistogram), Some(Ratio::of(6, 126)));
    // A minute before now: 20 + 1 each slot, and the operation grew.
    let slot = Slot::holding((NOW_S - 60) * SECOND_NS);
    let shown = driven.streams.shown();
    assert_eq!(shown.modules(slot, Slot(slot.0 + 1))[&1].requests[0], 21);
    let operations: Vec<_> = shown.operations(1, 0).map(|name| name.to_string()).collect();
    assert_eq!(operations, ["GET /a"]);
    assert_eq!(shown.operations(1, NOW_S * SECOND_NS + 1).count(), 0, "it did not grow since");
    assert_eq!(shown.operations(2, 0).count(), 0);
}

#[test]
fn the_best_source_that_counts_or_lives_is_the_denominator() {
    let mut driven = Driven::new(50_000);
    driven.streams.settings.gateway_counters = vec!["gateway.requests".to_owned()];
    let denominator = |driven: &mut Driven| {
        // What lives is looked at once a slot.
        driven.pass(10);
        driven.close();
        let counts = driven.module(1);
        driven.streams.shown().denominator(1, &counts)
    };
    let of = |requests, source| Some(Denominator { requests, source });
    assert_eq!(denominator(&mut driven), None, "nothing counts");
    driven.send(counter("otel.sdk.span.started", 40).flags(point_flag::ENTERS));
    assert_eq!(denominator(&mut driven), of(40, Source::SpanStarted));
    driven.send(counter("gateway.requests", 30).stream(2));
    assert_eq!(denominator(&mut driven), of(30, Source::GatewayCounter));
    // A live histogram without a request says that there was none.
    driven.send(histogram("rpc.server.call.duration", 0).stream(3));
    assert_eq!(denominator(&mut driven), of(0, Source::DurationHistogram));
    // When it fell silent, it counted nothing and says nothing.
    driven.pass(6 * MINUTE);
    assert_eq!(denominator(&mut driven), of(30, Source::GatewayCounter));
    assert_eq!(driven.streams.shown().denominator(2, &MetricCounts::default()), None);
}

#[test]
fn spans_are_counted_by_service_and_drops_of_entries_by_module_too() {
    let mut driven = Driven::new(50_000);
    let (enters, dropped) = (point_flag::ENTERS, point_flag::ENTERS | point_flag::DROPPED);
    driven.send(counter("otel.sdk.span.started", 97).flags(enters));
    driven.send(counter("otel.sdk.span.started", 303).flags(dropped).stream(2));
    driven.send(counter("otel.sdk.span.started", 5_000).stream(3));
    driven.send(counter("otel.sdk.exporter.span.exported", 90).stream(4));
    driven.send(counter("otel.sdk.exporter.span.exported", 4).flags(point_flag::FAILED).stream(5));
    driven.send(counter("otel.sdk.processor.span.processed", 94).stream(6));
    driven.send(counter("otel.sdk.processor.span.processed", 3).flags(point_flag::FAILED).stream(7));
    driven.close();
    let counts = driven.module(1);
    assert_eq!((counts.requests, counts.declared_drops), ([0, 0, 400], 303));
    let services = driven.streams.shown().services(ALL.0, ALL.1);
    let expected =
        ServiceCounts { started: 400, dropped: 303, exported: 90, export_failed: 4, processed: 94, queue_full: 3 };
    assert_eq!(services, [("acme/shop".into(), expected)]);
}

/// "Both HTTP names from one instance within 10 min: only the new one counts."
#[test]
fn of_both_http_names_of_one_instance_only_the_new_one_counts() {
    let (old, new) = ("http.server.duration", "http.server.request.duration");
    let mut driven = Driven::new(50_000);
    // One batch, the old name first; another instance has the old name only.
    driven.batch(&[histogram(old, 60), histogram(new, 60).stream(2), histogram(old, 7).stream(3).resource(2)]);
    driven.close();
    assert_eq!(driven.module(1).requests[0], 67);
    assert_eq!(driven.streams.shown().counters().superseded, 1);
    // The new name falls silent: ten minutes later the old one counts again, what came since its last point.
    driven.pass(10 * MINUTE);
    driven.batch(&[histogram(old, 70).began(NOW_S - 60)]);
    driven.pass(MINUTE);
    driven.batch(&[histogram(old, 75).began(NOW_S - 60)]);
    driven.close();
    assert_eq!(driven.module(1).requests[0], 67 + 5);
    assert_eq!(driven.streams.shown().counters().superseded, 2);
}

/// "kind, unit or monotonicity of a name changed | dropped type_conflict"
#[test]
fn a_name_that_changes_kind_unit_or_monotonicity_is_dropped() {
    let mut driven = Driven::new(50_000);
    let name = "http.server.request.duration";
    driven.send(histogram(name, 60));
    for other in [
        Sent { data: 4, ..histogram(name, 60) },
        Sent { data: 2, ..histogram(name, 60) },
        Sent { unit: "ms", ..histogram(name, 60) },
        Sent { flags: point_flag::MONOTONIC, ..histogram(name, 60) },
    ] {
        assert_eq!(driven.send(other.stream(9)), Outcome::Dropped(DropReason::TypeConflict));
    }
    // Another resource decides for itself.
    assert!(matches!(
        driven.send(Sent { unit: "ms", ..histogram(name, 60) }.stream(8).resource(2)),
        Outcome::Applied(_)
    ));
    // And after an hour of silence it may change.
    driven.pass(61 * MINUTE);
    assert!(matches!(driven.send(Sent { unit: "ms", ..histogram(name, 5) }.stream(7)), Outcome::Applied(_)));
    driven.close();
    assert_eq!(driven.streams.shown().counters().dropped, [0, 0, 4, 0]);
}

/// "no-recorded-value flag | "no data", not zero"
#[test]
fn a_point_without_value_is_no_data_and_not_zero() {
    let mut driven = Driven::new(50_000);
    driven.send(counter("otel.sdk.exporter.span.exported", 50));
    driven.pass(MINUTE);
    let silent = counter("otel.sdk.exporter.span.exported", 0).began(NOW_S - 60).flags(point_flag::NO_VALUE);
    assert_eq!(driven.send(silent), Outcome::NoData);
    driven.pass(MINUTE);
    driven.send(counter("otel.sdk.exporter.span.exported", 52).began(NOW_S - 60));
    driven.close();
    assert_eq!(driven.streams.shown().services(ALL.0, ALL.1)[0].1.exported, 52, "no reset in between");
    driven.send(level("http.server.active_requests", 7).stream(2));
    driven.close();
    assert_eq!(driven.in_flight(), [(1, 7)]);
    driven.pass(MINUTE);
    driven.send(level("http.server.active_requests", 0).stream(2).flags(point_flag::NO_VALUE));
    driven.close();
    assert_eq!(driven.in_flight(), [], "unknown, not none");
}

#[test]
fn what_is_in_flight_is_the_sum_of_live_streams() {
    let mut driven = Driven::new(50_000);
    driven.send(level("http.server.active_requests", 7));
    driven.send(level("http.server.active_requests", 5).stream(2));
    driven.send(level("http.server.active_requests", 4).stream(3).module(2));
    driven.send(level("otel.sdk.span.live", 11).stream(4));
    driven.close();
    assert_eq!(driven.in_flight(), [(1, 12), (2, 4)]);
    assert_eq!(driven.streams.shown().live_spans().collect::<Vec<_>>(), [(1, 11)]);
    driven.pass(5 * MINUTE);
    driven.send(level("http.server.active_requests", 6));
    driven.close();
    driven.pass(10);
    driven.close();
    assert_eq!(driven.in_flight(), [(1, 6)], "the others were silent for more than five minutes");
    driven.pass(MINUTE);
    driven.send(level("http.server.active_requests", 1).stream(2));
    driven.close();
    assert_eq!(driven.in_flight(), [(1, 7)]);
}

#[test]
fn tokens_are_counted_by_direction_in_whole_units() {
    let mut driven = Driven::new(50_000);
    driven.send(histogram("gen_ai.client.token.usage", 3).sum(1_200.0));
    driven.send(histogram("gen_ai.client.token.usage", 3).sum(90.0).flags(point_flag::OUTPUT).stream(2));
    driven.send(counter("gen_ai.client.inference.usage.output_tokens", 10).stream(3));
    driven.send(counter("gen_ai.client.inference.usage.input_tokens", 100).stream(4));
    driven.close();
    assert_eq!(driven.module(1).tokens, [1_300, 100]);
    driven.pass(MINUTE);
    driven.send(histogram("gen_ai.client.token.usage", 4).sum(1_201.0).began(NOW_S - 60));
    driven.close();
    assert_eq!(driven.module(1).tokens, [1_301, 100]);
}

#[test]
fn a_window_ends_at_the_oldest_last_point_of_live_streams() {
    let mut driven = Driven::new(50_000);
    driven.send(histogram("http.server.request.duration", 1));
    driven.pass(MINUTE);
    driven.send(histogram("http.server.request.duration", 1).stream(2).resource(2));
    driven.close();
    let last = |driven: &Driven| driven.streams.shown().oldest_last_point(1, Source::DurationHistogram);
    assert_eq!(last(&driven), Some(NOW_S * SECOND_NS));
    driven.pass(4 * MINUTE + 10);
    driven.close();
    assert_eq!(last(&driven), Some((NOW_S + 60) * SECOND_NS), "the first one is not live any more");
    driven.pass(MINUTE);
    driven.close();
    assert_eq!(last(&driven), None);
    assert_eq!(driven.module(1).requests[0], 2, "what they counted stays");
}

#[test]
fn streams_have_a_maximum_and_leave_after_an_hour_of_silence() {
    let mut driven = Driven::new(16);
    for stream in 0..16 {
        driven.send(counter("otel.sdk.exporter.span.exported", 1).stream(stream));
    }
    let beyond = counter("otel.sdk.exporter.span.exported", 1).stream(99);
    assert_eq!(driven.send(beyond), Outcome::Dropped(DropReason::StreamLimit));
    driven.pass(50 * MINUTE);
    driven.send(counter("otel.sdk.exporter.span.exported", 5).stream(3).began(NOW_S - 60));
    driven.pass(11 * MINUTE);
    driven.streams.retire(driven.now_ns());
    assert_eq!(driven.streams.shown().counters().streams, 1);
    assert!(matches!(driven.send(beyond), Outcome::Applied(_)));
    // Whoever comes back after an hour is new: what it counted long ago is where it begins.
    let mut back = Driven::new(16);
    back.send(counter("otel.sdk.exporter.span.exported", 100));
    back.pass(61 * MINUTE);
    assert_eq!(back.send(counter("otel.sdk.exporter.span.exported", 900).began(NOW_S - 60)), Outcome::Baseline);
}

#[test]
fn equal_resources_of_two_tenants_are_two_streams() {
    let mut driven = Driven::new(50_000);
    driven.send(counter("otel.sdk.span.started", 500).flags(point_flag::ENTERS));
    let other = driven.send(counter("otel.sdk.span.started", 30).flags(point_flag::ENTERS).module(2));
    assert!(matches!(other, Outcome::Applied(applied) if !applied.is_reset));
    driven.close();
    assert_eq!((driven.module(1).requests[2], driven.module(2).requests[2]), (500, 30));
}

#[test]
fn buckets_are_kept_where_words_are_given() {
    let mut driven = Driven::new(50_000);
    let words = |counts: [u64; 2]| [1.0_f64.to_bits(), counts[0], counts[1]];
    let bounds = || Box::from([1.0]);
    let applied =
        |outcome: Outcome| if let Outcome::Applied(applied) = outcome { applied.increase.buckets } else { None };
    let first = driven.send_words(histogram("shop.checkout.duration", 5), &words([2, 3]));
    assert_eq!(applied(first), Some(Buckets::Explicit { bounds: bounds(), counts: [2, 3].into() }));
    driven.pass(MINUTE);
    let began = histogram("shop.checkout.duration", 9).began(NOW_S - 60);
    let second = driven.send_words(began, &words([4, 5]));
    assert_eq!(applied(second), Some(Buckets::Explicit { bounds: bounds(), counts: [2, 2].into() }));
    assert!(driven.streams.bucket_bytes > 0);
    driven.pass(61 * MINUTE);
    driven.streams.retire(driven.now_ns());
    assert_eq!(driven.streams.bucket_bytes, 0);
    driven.streams.bucket_bytes = BUCKET_BYTES_MAX;
    let third = driven.send_words(histogram("shop.checkout.duration", 5).stream(2), &words([2, 3]));
    assert_eq!((applied(third), driven.streams.shown().counters().buckets_refused), (None, 1));
}

#[test]
fn what_points_came_to_is_counted() {
    let mut driven = Driven::new(50_000);
    let name = "otel.sdk.exporter.span.exported";
    driven.send(counter(name, 50));
    driven.send(counter(name, 50));
    driven.pass(MINUTE);
    driven.send(counter(name, 3).began(NOW_S - 60));
    driven.pass(MINUTE);
    driven.send(counter(name, 3).began(NOW_S - 100));
    driven.send(Sent { is_delta: true, ..counter(name, 3) }.stream(2));
    driven.pass(MINUTE);
    driven.send(Sent { is_delta: true, ..counter(name, 3) }.stream(2).began(NOW_S + 130));
    driven.send(counter(name, 3).began(0).stream(3));
    let counters = *driven.streams.shown().counters();
    assert_eq!(counters.dropped, [1, 1, 0, 0]);
    let marks = (counters.resets, counters.writer_conflicts, counters.gaps, counters.baselines);
    assert_eq!(marks, (1, 1, 1, 1));
    assert_eq!(counters.streams, 3);
}
