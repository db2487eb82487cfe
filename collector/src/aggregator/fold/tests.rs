//! From OTLP bytes to figures, with the numbers counted independently here.

mod cardinality;
mod drive;
mod floods;
mod looked_up;
mod orders;
mod model;
mod replay;
mod kept;
mod tapped;

use bailiwick_slo::time::Window;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use proptest::prelude::*;
use prost::Message;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::aggregator::snapshot::CellKind;
use crate::aggregator::{HistogramSettings, SeriesSettings};
use crate::observation::batch::layout::HEADER_BYTES;
use crate::observation::batch::{Batch, Builder, Head, Meta};
use crate::observation::report::Reason;
use crate::observation::{Observer, Request, Rules};

const NOW: u64 = 1_700_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

/// A SERVER span of `GET route` that ended `ago_s` before NOW.
fn server(id: u64, route: &str, (status, ago_s, millis): (i64, u64, u64)) -> Span {
    let end = NOW - ago_s * SECOND;
    Span {
        trace_id: u128::from(id + 1).to_be_bytes().to_vec(),
        span_id: (id + 1).to_be_bytes().to_vec(),
        name: format!("GET {route}"),
        kind: 2,
        start_time_unix_nano: end - millis * 1_000_000,
        end_time_unix_nano: end,
        attributes: vec![
            text("http.request.method", "GET"),
            text("http.route", route),
            attribute("http.response.status_code", Value::IntValue(status)),
        ],
        ..Span::default()
    }
}

/// A request whose spans are each a trace of their own.
fn request(tenant: &str, service: &str, mut spans: Vec<Span>) -> Vec<u8> {
    static TRACES: AtomicU64 = AtomicU64::new(1);
    for span in &mut spans {
        span.trace_id = u128::from(TRACES.fetch_add(1, Ordering::Relaxed)).to_be_bytes().to_vec();
    }
    let resource =
        Resource { attributes: vec![text("service.name", service), text("tenant.id", tenant)], ..Resource::default() };
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn send(fold: &mut Aggregator, observer: &mut Observer, body: &[u8]) {
    send_at(fold, observer, (body, NOW));
}

/// Sends a request that arrives at this moment.
fn send_at(fold: &mut Aggregator, observer: &mut Observer, (body, observed_at_ns): (&[u8], u64)) {
    let request = Request {
        protobuf: body,
        body,
        signal: Signal::Traces,
        observed_at_ns,
        items_expected: None,
        meta: Meta::default(),
    };
    let observed = observer.observe(&request).expect("it is OTLP");
    let batch = Batch::check(observed.batch.bytes().to_vec()).expect("it is sound");
    fold.apply(fold.seq + 1, &batch.view());
}

fn daemon(settings: Settings) -> (Aggregator, Observer) {
    (Aggregator::new(Terms { settings, ..Terms::default() }), Observer::new(Arc::new(Rules::default())))
}

#[test]
fn requests_are_booked_by_tenant_module_operation_and_outcome() {
    let (mut fold, mut observer) = daemon(Settings::default());
    let mut spans: Vec<Span> = (0..97).map(|id| server(id, "/rag/query", (200, 60, 40))).collect();
    spans.push(server(97, "/rag/query", (404, 60, 40)));
    spans.push(server(98, "/rag/query", (503, 60, 40)));
    spans.push(Span { kind: 1, name: "GET /rag/query http send".to_owned(), ..server(99, "/rag/query", (200, 60, 1)) });
    send(&mut fold, &mut observer, &request("acme", "rag_hub", spans));
    let snapshot = fold.tick(2, NOW);

    let names: Vec<_> = snapshot.series().collect();
    assert_eq!(names.len(), 1);
    assert_eq!((&*names[0].tenant, &*names[0].module, &*names[0].operation), ("acme", "rag_hub", "GET /rag/query"));
    assert_eq!(snapshot.totals(0).outcomes.0, [97, 1, 1, 0, 0]);
    assert_eq!(snapshot.window(Window::FiveMinutes)[0].outcomes.0, [97, 1, 1, 0, 0]);
    let latency = snapshot.latency(&[0], Window::FiveMinutes).histogram;
    // 40 ms lies in the bucket 39 936 to 40 191 us.
    assert_eq!((latency.len(), latency.value_at_quantile(0.5)), (97, 40_191));
    let books = &snapshot.books()[0];
    assert_eq!((books.received, books.accepted), (100, 100));
    let module = snapshot.modules().next().expect("one module");
    assert_eq!(module.le.iter().sum::<u64>(), 97);
    assert_eq!(module.le[3], 97, "40 ms is first held by le=0.05");
}

#[test]
fn a_late_span_is_counted_in_the_slot_of_its_own_end() {
    let (mut fold, mut observer) = daemon(Settings::default());
    send(&mut fold, &mut observer, &request("acme", "chat", vec![server(1, "/a", (200, 300, 5))]));
    fold.tick(2, NOW);
    send(&mut fold, &mut observer, &request("acme", "chat", vec![server(2, "/a", (200, 300, 5))]));
    send(&mut fold, &mut observer, &request("acme", "chat", vec![server(3, "/a", (200, 599, 5))]));
    send(&mut fold, &mut observer, &request("acme", "chat", vec![server(4, "/a", (200, 601, 5))]));
    let snapshot = fold.tick(6, NOW);
    let slots: Vec<_> = snapshot.slots(0, Slot(0), Slot(u32::MAX)).iter().map(|(slot, n)| (slot.0, n.spans)).collect();
    assert_eq!(slots, [(169_999_940, 1), (169_999_970, 2)]);
    let books = &snapshot.books()[0];
    assert_eq!(
        (books.received, books.accepted, books.rejected.clone()),
        (4, 3, vec![(Cause::Known(Reason::TooLate), 1)])
    );
    assert_eq!(snapshot.totals(0).spans, 3);
}

#[test]
fn the_last_figures_hold_late_requests_too() {
    let (mut fold, mut observer) = daemon(Settings::default());
    fold.tick(1, NOW);
    send(&mut fold, &mut observer, &request("acme", "chat", vec![server(1, "/a", (200, 300, 5))]));
    assert_eq!(fold.finish().totals(0).spans, 1);
}

#[test]
fn a_snapshot_does_not_change_after_it_was_taken() {
    let (mut fold, mut observer) = daemon(Settings::default());
    send(&mut fold, &mut observer, &request("acme", "chat", vec![server(1, "/a", (200, 60, 5))]));
    let before = fold.tick(2, NOW);
    send(
        &mut fold,
        &mut observer,
        &request("acme", "chat", vec![server(2, "/b", (500, 60, 5)), server(3, "/a", (200, 60, 5))]),
    );
    fold.tick(4, NOW + 60 * SECOND);
    assert_eq!((before.series().len(), before.totals(0).spans, before.window(Window::Hour)[0].spans), (1, 1, 1));
}

#[test]
fn a_span_that_ends_before_it_starts_has_no_latency() {
    let (mut fold, mut observer) = daemon(Settings::default());
    let mut span = server(1, "/a", (200, 60, 5));
    std::mem::swap(&mut span.start_time_unix_nano, &mut span.end_time_unix_nano);
    send(&mut fold, &mut observer, &request("acme", "chat", vec![span]));
    let snapshot = fold.tick(2, NOW);
    assert_eq!(snapshot.totals(0).outcomes.0, [1, 0, 0, 0, 0]);
    assert_eq!(snapshot.latency(&[0], Window::FiveMinutes).histogram.len(), 0);
    assert_eq!(snapshot.clock_anomalies(), [("acme".into(), 1)]);
}

#[test]
fn refused_items_take_no_tenants_place() {
    let series = SeriesSettings { tenants_max: 2, ..SeriesSettings::default() };
    let (mut fold, mut observer) = daemon(Settings { series, ..Settings::default() });
    for stranger in 0..50 {
        send(&mut fold, &mut observer, &request(&format!("x{stranger}"), "chat", vec![server(1, "/a", (200, 700, 5))]));
    }
    for tenant in ["acme", "globex", "initech"] {
        send(&mut fold, &mut observer, &request(tenant, "chat", vec![server(1, "/a", (200, 60, 5))]));
        send(&mut fold, &mut observer, &request(tenant, "chat", vec![server(1, "/a", (200, 700, 5))]));
    }
    let snapshot = fold.tick(fold.seq + 1, NOW);
    let books: Vec<_> = snapshot.books().iter().map(|row| (&*row.tenant, row.received, row.accepted)).collect();
    // Two strangers have accounts of their own; the third tenant has no place, and its refusals no account either.
    let expected = [("_overflow", 48 + 1 + 1, 1), ("acme", 2, 1), ("globex", 2, 1), ("x0", 1, 0), ("x1", 1, 0)];
    assert_eq!(books, expected);
    let tenants: Vec<_> = snapshot.series().map(|series| &*series.tenant).collect();
    assert_eq!(tenants, ["acme", "globex", "_overflow"]);
    let (received, accepted): (u64, u64) =
        snapshot.books().iter().fold((0, 0), |sum, row| (sum.0 + row.received, sum.1 + row.accepted));
    assert_eq!((received, accepted), (56, 3));
}

#[test]
fn every_maximum_of_series_shows_its_use_and_what_it_refused() {
    let series = SeriesSettings {
        max: 100,
        per_tenant_max: 4,
        tenants_max: 2,
        modules_max: 2,
        operations_top: 3,
        ..SeriesSettings::default()
    };
    let (mut fold, mut observer) = daemon(Settings { series, ..Settings::default() });
    // acme: 3 + 1 series in 2 modules, then one too many of each kind; globex: 1; initech: no place.
    let sent = [
        ("acme", "chat", "/a b c d"),
        ("acme", "rag", "/a b"),
        ("acme", "new", "/a"),
        ("globex", "chat", "/a"),
        ("initech", "chat", "/a b"),
    ];
    for (tenant, module, routes) in sent {
        let spans = routes.split(' ').map(|route| server(1, route, (200, 60, 5))).collect();
        send(&mut fold, &mut observer, &request(tenant, module, spans));
    }
    let snapshot = fold.tick(fold.seq + 1, NOW);
    let shown: Vec<_> = snapshot.limits().iter().map(|l| (l.name, l.used, l.max, l.refused)).collect();
    let expected = [
        ("series.max", 5, 100, 0),
        ("series.tenants_max", 2, 2, 2),
        ("series.per_tenant_max", 4, 4, 1),
        ("series.modules_max", 2, 2, 1),
        ("series.operations_top", 3, 3, 1),
    ];
    assert_eq!(shown[..5], expected);
    assert_eq!((shown[5].0, shown[6].0), ("series.latency_thresholds", "histograms.bytes_max"));
}

#[test]
fn items_refused_for_a_reason_of_a_newer_build_count() {
    let (mut fold, _) = daemon(Settings::default());
    let mut builder = Builder::new(16, 1_000);
    let acme = builder.string(b"acme").expect("room");
    builder.reject(acme, Reason::TooLate, (0, 2));
    let head = Head { signal: 1, received: 2, ..Head::default() };
    let mut bytes = builder.finish(&head, &Meta::default()).bytes().to_vec();
    // Behind the header and the row of evidence that claims nothing: tenant, reason, count.
    let at = HEADER_BYTES + 32 + 4;
    bytes[at..at + 2].copy_from_slice(&900_u16.to_le_bytes());
    fold.apply(1, &Batch::check(bytes).expect("it is sound").view());
    let snapshot = fold.tick(2, NOW);
    let books = &snapshot.books()[0];
    assert_eq!((&*books.tenant, books.received, books.rejected.clone()), ("acme", 2, vec![(Cause::Unknown, 2)]));
    assert_eq!(Cause::Unknown.name(), "unknown");
}

#[test]
fn each_series_has_a_cell_of_successes_and_one_of_the_rest() {
    let (mut fold, mut observer) = daemon(Settings::default());
    let cancelled = |id, millis| {
        let mut span = server(id, "/a", (499, 60, millis));
        span.attributes.push(text("error.type", "context.Canceled"));
        span
    };
    let spans = vec![
        server(1, "/a", (200, 60, 40)),
        server(2, "/a", (200, 60, 40)),
        server(3, "/a", (404, 60, 7)),
        server(4, "/a", (503, 60, 1_000)),
        cancelled(5, 2_000),
        server(6, "/health", (200, 60, 1)),
    ];
    send(&mut fold, &mut observer, &request("acme", "chat", spans));
    let snapshot = fold.tick(2, NOW);
    assert_eq!(snapshot.totals(0).outcomes.0, [2, 1, 1, 1, 0]);
    assert_eq!(snapshot.totals(1).outcomes.0, [0, 0, 0, 0, 1]);
    let of = |kind| snapshot.latency_of(kind, &[0, 1], Window::FiveMinutes).histogram;
    let (success, other) = (of(CellKind::Success), of(CellKind::Other));
    // sli.md 4.1: 1 000 000 us lie in [999424, 1003519]; 7 000 us in [6976, 7007]; 40 000 us in [39936, 40191].
    assert_eq!((success.len(), success.value_at_quantile(1.0)), (2, 40_191));
    assert_eq!((other.len(), other.value_at_quantile(0.3), other.value_at_quantile(0.5)), (3, 7_007, 1_003_519));
    assert_eq!(snapshot.latency(&[0], Window::FiveMinutes).histogram.len(), 2, "`duration_ms` is of successes");
}

#[test]
fn the_first_request_of_each_service_and_tenant_is_told_once() {
    let (mut fold, mut observer) = daemon(Settings::default());
    for (tenant, service) in [("acme", "chat"), ("acme", "chat"), ("globex", "chat"), ("acme", "rag")] {
        send(&mut fold, &mut observer, &request(tenant, service, vec![server(1, "/a", (200, 5, 40))]));
    }
    let told = |snapshot: &Snapshot| {
        let lines =
            snapshot.firsts().iter().map(|first| format!("{} {} {}", first.service, first.tenant, first.module));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(told(&fold.tick(9, NOW)), ["chat acme chat", "chat globex chat", "rag acme rag"]);
    for number in 0..100 {
        let service = format!("service-{number}");
        send(&mut fold, &mut observer, &request("acme", &service, vec![server(1, "/a", (200, 5, 40))]));
    }
    assert_eq!(told(&fold.tick(200, NOW)).len(), 20);
}

#[test]
fn durations_show_as_soon_as_counts_do() {
    let (mut fold, mut observer) = daemon(Settings::default());
    let seen = |snapshot: &Snapshot| {
        let [success, ..] = snapshot.totals(0).outcomes.0;
        (success, snapshot.latency(&[0], Window::FiveMinutes).histogram.len())
    };
    // NOW is the begin of a slot: none closes at any of these ticks.
    send(&mut fold, &mut observer, &request("acme", "chat", vec![server(1, "/a", (200, 60, 40))]));
    assert_eq!(seen(&fold.tick(2, NOW + SECOND)), (1, 1));
    send(&mut fold, &mut observer, &request("acme", "chat", vec![server(2, "/a", (200, 70, 40))]));
    assert_eq!(seen(&fold.tick(4, NOW + 2 * SECOND)), (2, 2));
}

#[test]
fn durations_state_the_stretch_that_the_daemon_has_seen() {
    let (mut fold, mut observer) = daemon(Settings::default());
    send(&mut fold, &mut observer, &request("acme", "chat", vec![server(1, "/a", (200, 7, 5))]));
    let snapshot = fold.tick(2, NOW + 5 * SECOND);
    // The first request ended 7 s before the first record; NOW is the begin of a slot, so its slot began at -10 s.
    for window in [Window::FiveMinutes, Window::Hour, Window::Day] {
        let latency = snapshot.latency(&[0], window);
        assert_eq!((latency.from_ns, latency.to_ns), (NOW - 10 * SECOND, NOW + 5 * SECOND), "{window:?}");
    }
    let snapshot = fold.tick(3, NOW + 7_200 * SECOND);
    assert_eq!(snapshot.latency(&[0], Window::Day).from_ns, NOW - 10 * SECOND);
}

#[test]
fn open_cells_show_in_the_limits_and_shed_no_count() {
    let histograms = HistogramSettings { bytes_max: crate::units::ByteSize::kib(3) };
    let (mut fold, mut observer) = daemon(Settings { histograms, ..Settings::default() });
    let used = |snapshot: &Snapshot| snapshot.limits().iter().find(|l| l.name == "histograms.bytes_max").copied();
    assert_eq!(used(&fold.tick(1, NOW)).map(|limit| limit.used), Some(0));
    send(&mut fold, &mut observer, &request("acme", "chat", vec![server(1, "/a", (200, 5, 40))]));
    // No slot has closed since: the cell is open.
    assert!(used(&fold.tick(2, NOW)).is_some_and(|limit| limit.used > 0 && limit.refused == 0));
    for minute in 0..180 {
        let spans = (0..50).map(|id| server(id, &format!("/{}", id % 20), (200, 0, 1 + id * 37 % 900)));
        let mut spans: Vec<_> = spans.collect();
        for span in &mut spans {
            span.start_time_unix_nano += minute * 60 * SECOND;
            span.end_time_unix_nano += minute * 60 * SECOND;
        }
        let body = request("acme", "chat", spans);
        send_at(&mut fold, &mut observer, (&body, NOW + minute * 60 * SECOND));
        fold.tick(fold.seq + 1, NOW + minute * 60 * SECOND);
    }
    let snapshot = fold.tick(fold.seq + 1, NOW + 10_800 * SECOND);
    let limit = used(&snapshot).expect("it is listed");
    assert!(limit.used <= limit.max && limit.refused > 0, "{limit:?}");
    let [five_minutes, hours] = snapshot.cells_shed();
    assert!(five_minutes.1 > 0 && hours.1 > 0, "{five_minutes:?} {hours:?}");
    let all: u64 = snapshot.window(Window::Day).iter().map(|counts| counts.spans).sum();
    assert_eq!(all, 180 * 50 + 1);
}

#[test]
fn what_is_wanted_counts_names_with_and_without_a_series() {
    let series = SeriesSettings { operations_top: 2, ..SeriesSettings::default() };
    let (mut fold, mut observer) = daemon(Settings { series, ..Settings::default() });
    let wanted = |snapshot: &Snapshot| {
        snapshot.demand().iter().map(|(tenant, names)| format!("{tenant} {names}")).collect::<Vec<_>>()
    };
    let routes: Vec<String> = (0..12).map(|route| format!("/{route}")).collect();
    let all = || routes.iter().map(|route| server(1, route, (200, 5, 5))).collect();
    send(&mut fold, &mut observer, &request("acme", "chat", all()));
    send(&mut fold, &mut observer, &request("acme", "chat", all()));
    send(&mut fold, &mut observer, &request("globex", "chat", vec![server(1, "/a", (200, 5, 5))]));
    // 12 and 1 names: estimates of so few are exact unless two share one of 1,024 registers.
    assert_eq!(wanted(&fold.tick(4, NOW)), ["acme 12", "globex 1"]);
    let minute = |minute: u64| NOW + minute * 60 * SECOND;
    // Only a name that has a series is asked for further.
    for at in 1..60 {
        let mut span = server(at, "/0", (200, 0, 5));
        span.start_time_unix_nano += at * 60 * SECOND;
        span.end_time_unix_nano += at * 60 * SECOND;
        send_at(&mut fold, &mut observer, (&request("acme", "chat", vec![span]), minute(at)));
        fold.tick(fold.seq + 1, minute(at));
    }
    assert_eq!(wanted(&fold.tick(fold.seq + 1, minute(60))), ["acme 1", "globex 0"]);
}

proptest! {
    #[test]
    fn no_count_is_lost_under_any_limits(
        limits in (16_u32..40, 4_u32..12, 1_u32..4, 1_u32..4, 1_u32..4),
        sent in prop::collection::vec((0_u8..6, 0_u8..6, 0_u8..8, 0_u64..590), 1..120),
    ) {
        let (max, per_tenant_max, tenants_max, modules_max, operations_top) = limits;
        let series = SeriesSettings { max, per_tenant_max, tenants_max, modules_max, operations_top, ..SeriesSettings::default() };
        let (mut fold, mut observer) = daemon(Settings { series, ..Settings::default() });
        for (id, (tenant, module, route, ago_s)) in sent.iter().enumerate() {
            let mut span = server(id as u64, &format!("/{route}"), (200, *ago_s, 7));
            if *route == 0 {
                span.attributes.push(text("bailiwick.operation", "_other"));
            }
            let module = if *module == 0 { "_other".to_owned() } else { format!("m{module}") };
            send(&mut fold, &mut observer, &request(&format!("t{tenant}"), &module, vec![span]));
            if id % 16 == 0 {
                fold.tick(fold.seq + 1, NOW + id as u64 * SECOND);
            }
        }
        let snapshot = fold.tick(fold.seq + 1, NOW + 130 * SECOND);
        let all = 0..snapshot.series().len() as u32;
        let total: u64 = all.clone().map(|id| snapshot.totals(id).outcomes.total()).sum();
        prop_assert_eq!(total, sent.len() as u64);
        let slots: u64 = all.flat_map(|id| snapshot.slots(id, Slot(0), Slot(u32::MAX))).map(|(_, n)| n.spans).sum();
        prop_assert_eq!(slots, sent.len() as u64);
        let hour: u64 = snapshot.window(Window::Hour).iter().map(|counts| counts.spans).sum();
        prop_assert_eq!(hour, sent.len() as u64);
        prop_assert!(snapshot.limits()[0].used <= u64::from(max));
        // What was limited is what overflow series hold, and no two series are called the same.
        let limited: u64 = snapshot.limited().iter().map(|(_, _, count)| count).sum();
        let overflow = (0..).zip(snapshot.series()).filter(|(_, name)| name.overflow);
        prop_assert_eq!(limited, overflow.map(|(id, _)| snapshot.totals(id).spans).sum::<u64>());
        let mut names: Vec<_> =
            snapshot.series().map(|name| (&name.tenant, &name.module, &name.operation, name.entry as u8)).collect();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), snapshot.series().len());
    }
}
