//! What metrics say, as requests and the rows that must come of them.

mod tapped;

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, metric::Data,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::observation::batch::Meta;
use crate::observation::batch::layout::header;
use crate::observation::batch::row::{Evidence, Extra, NO_CODE, Point, extra, point_flag};
use crate::observation::report::Reason;
use crate::observation::{Observed, Observer, Request, Rules, Signal};
use crate::tenancy::OnConflict;

const NOW_NS: u64 = 1_700_000_000_000_000_000;
const START_NS: u64 = NOW_NS - 60_000_000_000;
const SERVER_DURATION: &str = "http.server.request.duration";

fn pair(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, text: &str) -> KeyValue {
    pair(key, any_value::Value::StringValue(text.to_owned()))
}

fn texts(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    pairs.iter().map(|(key, value)| text(key, value)).collect()
}

fn named(name: &str, data: Data) -> Metric {
    Metric { name: name.to_owned(), unit: "s".to_owned(), data: Some(data), ..Metric::default() }
}

/// A cumulative counter of 5.
fn sum(name: &str, attributes: Vec<KeyValue>) -> Metric {
    let point = NumberDataPoint {
        attributes,
        start_time_unix_nano: START_NS,
        time_unix_nano: NOW_NS,
        value: Some(Value::AsInt(5)),
        ..NumberDataPoint::default()
    };
    named(name, Data::Sum(Sum { data_points: vec![point], aggregation_temporality: 2, is_monotonic: true }))
}

fn observe_as(rules: Rules, tenant_auth: &str, resource: Vec<KeyValue>, metrics: Vec<Metric>) -> Observed {
    let scope = InstrumentationScope { name: "asgi".to_owned(), ..InstrumentationScope::default() };
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, ..ScopeMetrics::default() }];
    let resource = Some(Resource { attributes: resource, ..Resource::default() });
    let resource_metrics = vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }];
    let body = &ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
    let meta = Meta { tenant_auth, ..Meta::default() };
    let request =
        Request { protobuf: body, body, signal: Signal::Metrics, observed_at_ns: NOW_NS, items_expected: None, meta };
    Observer::new(Arc::new(rules)).observe(&request).expect("it is OTLP")
}

fn observe(metric: Metric) -> Observed {
    observe_as(Rules::default(), "", vec![text("service.name", "cart")], vec![metric])
}

fn only(observed: &Observed) -> Point {
    let points: Vec<Point> = observed.batch.view().points().collect();
    let [point] = points[..] else { panic!("one point was sent: {:?}", observed.report) };
    point
}

fn string(observed: &Observed, index: u32) -> String {
    observed.batch.view().string(index).to_owned()
}

/// The row of a counter of SERVER requests with these attributes.
fn of_request(pairs: &[(&str, &str)]) -> (Observed, Point) {
    let observed = observe(sum(SERVER_DURATION, texts(pairs)));
    let point = only(&observed);
    (observed, point)
}

#[test]
fn a_counter_says_what_it_counts_and_where_it_comes_from() {
    let attributes = texts(&[("http.request.method", "GET"), ("http.route", "/cart"), ("tenant.id", "acme")]);
    let observed = observe(sum("http.server.active_requests", attributes));
    let point = only(&observed);
    assert_eq!((point.start_ns, point.time_ns, point.value), (START_NS, NOW_NS, 5));
    assert_eq!((point.data, point.temporality, point.code, point.words), (2, 2, NO_CODE, 0));
    assert_eq!(point.flags, point_flag::MONOTONIC | point_flag::INTEGER);
    let names = [point.metric, point.unit, point.operation].map(|index| string(&observed, index));
    assert_eq!(names, ["http.server.active_requests", "s", "GET /cart"]);
    let view = observed.batch.view();
    let evidence: Vec<Evidence> = view.evidence().collect();
    assert_eq!(view.string(evidence[point.evidence as usize].tenant_span), "acme");
    let context = view.contexts().nth(point.context as usize).expect("its context");
    assert_eq!([context.service_name, context.scope_name].map(|index| view.string(index)), ["cart", "asgi"]);
}

#[test]
fn a_path_of_the_old_conventions_names_no_operation_and_stands_by_for_those_who_know_the_routes() {
    let (observed, point) =
        of_request(&[("http.method", "GET"), ("http.target", "/cart"), ("http.status_code", "404")]);
    assert_eq!((point.operation, point.code, point.outcome), (0, 404, 2));
    let extras: Vec<Extra> = observed.batch.view().extras_of(point.first_extra, point.extras).collect();
    let [Extra { key: extra::TARGET, kind: 3, value }] = extras[..] else { panic!("{extras:?}") };
    assert_eq!(string(&observed, value as u32), "GET /cart");
    let (observed, point) =
        of_request(&[("http.method", "GET"), ("http.route", "/cart"), ("http.target", "/cart?x=1")]);
    assert_eq!((string(&observed, point.operation), point.extras), ("GET /cart".to_owned(), 0));
}

#[test]
fn points_have_the_outcome_of_the_requests_that_they_count() {
    for (attributes, outcome, flags) in [
        (&[("http.response.status_code", "200")][..], 0, 0),
        (&[("http.response.status_code", "503")], 1, 0),
        (&[("http.response.status_code", "429")], 2, 0),
        (&[("http.response.status_code", "499")], 3, 0),
        (&[("rpc.grpc.status_code", "UNAVAILABLE")], 1, point_flag::GRPC_CODE),
        (&[("error.type", "ValueError")], 1, point_flag::FAILED),
        (&[("error.type", "CANCELLED")], 3, point_flag::FAILED),
    ] {
        let (_, point) = of_request(attributes);
        let flags = flags | point_flag::MONOTONIC | point_flag::INTEGER;
        assert_eq!((point.outcome, point.flags), (outcome, flags), "{attributes:?}");
    }
}

#[test]
fn sdks_say_which_spans_enter_and_which_were_dropped() {
    const ENTERS: u16 = point_flag::ENTERS;
    for (origin, result, flags) in [
        ("none", "RECORD_AND_SAMPLE", ENTERS),
        ("remote", "DROP", ENTERS | point_flag::DROPPED),
        ("local", "DROP", point_flag::DROPPED),
    ] {
        let attributes = texts(&[("otel.span.parent.origin", origin), ("otel.span.sampling_result", result)]);
        let point = only(&observe(sum("otel.sdk.span.started", attributes)));
        assert_eq!(point.flags, flags | point_flag::MONOTONIC | point_flag::INTEGER, "{origin}");
    }
}

#[test]
fn output_tokens_are_told_by_their_type_or_by_the_name_of_their_metric() {
    let output = |name: &str, kind: &str| {
        only(&observe(sum(name, texts(&[("gen_ai.token.type", kind)])))).flags & point_flag::OUTPUT != 0
    };
    assert!(output("gen_ai.client.token.usage", "output") && !output("gen_ai.client.token.usage", "input"));
    assert!(output("gen_ai.client.inference.usage.output_tokens", ""));
    assert!(!output("gen_ai.client.inference.usage.input_tokens", ""));
}

#[test]
fn histograms_bring_their_buckets() {
    let point = HistogramDataPoint {
        time_unix_nano: NOW_NS,
        count: 6,
        sum: Some(1.25),
        bucket_counts: vec![1, 2, 3],
        explicit_bounds: vec![0.1, 0.5],
        ..HistogramDataPoint::default()
    };
    let data = Histogram { data_points: vec![point], aggregation_temporality: 1 };
    let observed = observe(named(SERVER_DURATION, Data::Histogram(data)));
    let point = only(&observed);
    assert_eq!((point.data, point.count, f64::from_bits(point.value)), (3, 6, 1.25));
    assert_eq!(point.flags, point_flag::HAS_SUM | point_flag::UNKNOWN_START);
    let words: Vec<u64> = observed.batch.view().words_of(point.first_word, point.words).collect();
    assert_eq!(words, [0.1_f64.to_bits(), 0.5_f64.to_bits(), 1, 2, 3]);
}

#[test]
fn exponential_histograms_bring_both_sides() {
    let point = ExponentialHistogramDataPoint {
        start_time_unix_nano: START_NS,
        time_unix_nano: NOW_NS,
        count: 7,
        scale: -2,
        zero_count: 1,
        zero_threshold: 0.5,
        positive: Some(Buckets { offset: -3, bucket_counts: vec![1, 2] }),
        negative: Some(Buckets { offset: 4, bucket_counts: vec![3] }),
        ..ExponentialHistogramDataPoint::default()
    };
    let data = ExponentialHistogram { data_points: vec![point], aggregation_temporality: 1 };
    let observed = observe(named("rpc.server.duration", Data::ExponentialHistogram(data)));
    let point = only(&observed);
    assert_eq!((point.data, point.count, point.scale, point.flags), (4, 7, -2, 0));
    let words: Vec<u64> = observed.batch.view().words_of(point.first_word, point.words).collect();
    assert_eq!(words, [1, 0.5_f64.to_bits(), (-3_i64).cast_unsigned(), 2, 1, 2, 4, 1, 3]);
}

#[test]
fn a_point_without_a_value_says_so() {
    let gauge = |value: Option<Value>, flags: u32| {
        let point = NumberDataPoint { time_unix_nano: NOW_NS, value, flags, ..NumberDataPoint::default() };
        let point = only(&observe(named("system.memory.usage", Data::Gauge(Gauge { data_points: vec![point] }))));
        (point.value, point.flags & point_flag::NO_VALUE != 0)
    };
    assert_eq!(gauge(Some(Value::AsDouble(0.5)), 0), (0.5_f64.to_bits(), false));
    assert_eq!(gauge(Some(Value::AsDouble(f64::NAN)), 0), (0, true));
    assert_eq!(gauge(Some(Value::AsInt(3)), 1), (0, true));
    assert_eq!(gauge(None, 0), (0, true));
}

#[test]
fn a_stream_is_known_by_all_its_attributes_in_any_order_and_by_nothing_else() {
    let id = |metric: Metric| only(&observe(metric)).stream_id;
    let ab = texts(&[("a", "x"), ("b", "y"), ("c", "z")]);
    let base = id(sum(SERVER_DURATION, ab.clone()));
    let mut turned = ab.clone();
    turned.rotate_left(1);
    assert_eq!(id(sum(SERVER_DURATION, turned)), base);
    let mut later = sum(SERVER_DURATION, ab.clone());
    if let Some(Data::Sum(sum)) = &mut later.data {
        sum.data_points[0].value = Some(Value::AsDouble(7.5));
        sum.data_points[0].start_time_unix_nano += 1;
    }
    assert_eq!(id(later.clone()), base, "value and start are not the stream's");
    if let Some(Data::Sum(sum)) = &mut later.data {
        sum.is_monotonic = false;
    }
    let mut delta = sum(SERVER_DURATION, ab.clone());
    if let Some(Data::Sum(sum)) = &mut delta.data {
        sum.aggregation_temporality = 1;
    }
    let unit = Metric { unit: "ms".to_owned(), ..sum(SERVER_DURATION, ab.clone()) };
    let number = [ab[0].clone(), ab[1].clone(), pair("c", any_value::Value::IntValue(7))];
    let text_of_number = [ab[0].clone(), ab[1].clone(), text("c", "7")];
    let mut others = [
        later,
        delta,
        unit,
        sum("http.server.duration", ab.clone()),
        sum(SERVER_DURATION, texts(&[("a", "x"), ("b", "y")])),
        sum(SERVER_DURATION, texts(&[("a", "xb"), ("b", "y"), ("c", "z")])),
        sum(SERVER_DURATION, texts(&[("a", "x"), ("b", "y"), ("c", "z"), ("d", "")])),
        sum(SERVER_DURATION, number.to_vec()),
        sum(SERVER_DURATION, text_of_number.to_vec()),
    ]
    .map(id)
    .to_vec();
    let resource = vec![text("service.name", "cart"), text("service.instance.id", "2")];
    others.push(only(&observe_as(Rules::default(), "", resource, vec![sum(SERVER_DURATION, ab)])).stream_id);
    others.push(base);
    others.sort_unstable();
    others.dedup();
    assert_eq!(others.len(), 11, "each is another stream");
}

#[test]
fn a_configured_counter_has_rows_and_an_unknown_one_is_accepted_without() {
    let rules = Rules { gateway_counters: vec!["envoy_cluster_upstream_rq".to_owned()], ..Rules::default() };
    let metrics = vec![sum("envoy_cluster_upstream_rq", vec![]), sum("cart.items", texts(&[("tenant.id", "acme")]))];
    let observed = observe_as(rules, "", vec![], metrics);
    assert_eq!(string(&observed, only(&observed).metric), "envoy_cluster_upstream_rq");
    assert_eq!((observed.report.accepted, observed.report.ignored), (2, 1));
    assert_eq!(observed.batch.view().header_u32(header::IGNORED), 1);
}

/// Tenant, reason and count of every refusal.
fn refused(observed: &Observed) -> Vec<(String, Reason, u32)> {
    let view = observed.batch.view();
    let row = view.rejects().map(|row| {
        let reason = Reason::from_u16(row.reason).expect("a reason");
        (view.string(row.tenant).to_owned(), reason, row.count)
    });
    row.collect()
}

#[test]
fn refused_points_are_booked_under_the_tenant_that_they_claim() {
    let late = |attributes: Vec<KeyValue>| {
        let mut metric = sum("cart.items", attributes);
        if let Some(Data::Sum(sum)) = &mut metric.data {
            sum.data_points[0].time_unix_nano = NOW_NS - 601_000_000_000;
        }
        metric
    };
    let metrics = vec![late(texts(&[("tenant.id", "globex")])), late(vec![])];
    let observed = observe_as(Rules::default(), "", vec![text("tenant.id", "acme")], metrics.clone());
    let by = |tenant: &str, count: u32| (tenant.to_owned(), Reason::TooLate, count);
    assert_eq!(refused(&observed), [by("globex", 1), by("acme", 1)]);
    let observed = observe_as(Rules::default(), "initech", vec![], metrics);
    assert_eq!(refused(&observed), [by("initech", 2)]);
}

#[test]
fn points_are_held_to_their_credential_as_spans_are() {
    let of_globex = || vec![sum(SERVER_DURATION, texts(&[("tenant.id", "globex")]))];
    let mut rules = Rules::default();
    let observed = observe_as(rules.clone(), "acme", vec![], of_globex());
    assert_eq!((observed.report.accepted, observed.report.warning_bits()), (1, 0b10), "counted, and a warning");
    rules.tenancy.on_conflict = OnConflict::Reject;
    let observed = observe_as(rules, "acme", vec![], of_globex());
    assert_eq!(refused(&observed), [("acme".to_owned(), Reason::TenantMismatch, 1)]);
    let reserved = vec![sum(SERVER_DURATION, texts(&[("tenant.id", "_system")]))];
    let observed = observe_as(Rules::default(), "", vec![], reserved);
    assert_eq!(refused(&observed), [(String::new(), Reason::InvalidTenant, 1)]);
    let mut rules = Rules::default();
    rules.tenancy.required = true;
    let observed = observe_as(rules, "", vec![], vec![sum(SERVER_DURATION, vec![])]);
    assert_eq!(refused(&observed), [(String::new(), Reason::NoTenant, 1)]);
}
