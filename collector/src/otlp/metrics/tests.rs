//! Points as the specification judges them, and the walk against prost.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, metric::Data,
};
use prost::Message;

use super::PointDefect::{BadHistogram, BadSum, MissingTime, NotFinite, TooManyAttributes, Unsupported};
use super::{Metric as Walked, MetricSink, Point, PointDefect, Position, visit};
use crate::otlp::header::Header;
use crate::otlp::trace::{Halt, Keys, WalkLimits};
use crate::otlp::wire::Fault;

const LIMITS: WalkLimits = WalkLimits {
    items_max: 1_000,
    containers_max: 1_000,
    attributes_max: 4,
    links_max: 32,
    buckets_max: 6,
    groups_max: 16,
};
const AT: u64 = 1_700_000_000_000_000_000;

#[derive(Debug, Default, PartialEq)]
struct Seen(Vec<(Result<(), PointDefect>, u64, Position)>);

impl<'a> MetricSink<'a> for Seen {
    fn resource(&mut self, _: &Header<'_, 'a>) {}
    fn scope(&mut self, _: &Header<'_, 'a>) {}

    fn wants(&self, _: &Walked<'a>) -> bool {
        false
    }

    fn point(&mut self, _: &Walked<'a>, point: &mut Point<'a>, position: Position) {
        self.0.push((point.defect.map_or(Ok(()), Err), point.time_ns, position));
    }
}

fn seen(body: &[u8], limits: &WalkLimits) -> Result<Seen, Halt> {
    let mut seen = Seen::default();
    visit::<false>(body, &Keys::default(), limits, &mut seen).map(|()| seen)
}

fn request(metric: &[u8]) -> Vec<u8> {
    field(1, &field(2, &field(2, metric)))
}

/// A length-delimited field.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encoding::encode_varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}

fn verdicts_of(metric: &[u8]) -> Vec<Result<(), PointDefect>> {
    seen(&request(metric), &LIMITS).expect("sound").0.into_iter().map(|(verdict, ..)| verdict).collect()
}

fn verdict(data: Data) -> Result<(), PointDefect> {
    let [verdict] = verdicts_of(&Metric { data: Some(data), ..Default::default() }.encode_to_vec())[..] else {
        panic!("one point was sent")
    };
    verdict
}

fn number(value: Option<Value>) -> NumberDataPoint {
    NumberDataPoint { time_unix_nano: AT, value, ..Default::default() }
}

fn gauge(value: f64) -> Result<(), PointDefect> {
    verdict(Data::Gauge(Gauge { data_points: vec![number(Some(Value::AsDouble(value)))] }))
}

fn sum(value: Value, aggregation_temporality: i32, is_monotonic: bool) -> Result<(), PointDefect> {
    verdict(Data::Sum(Sum { data_points: vec![number(Some(value))], aggregation_temporality, is_monotonic }))
}

fn histogram(point: HistogramDataPoint) -> Result<(), PointDefect> {
    let point = HistogramDataPoint { time_unix_nano: AT, ..point };
    verdict(Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality: 2 }))
}

fn buckets(count: u64, counts: &[u64], bounds: &[f64]) -> Result<(), PointDefect> {
    let (bucket_counts, explicit_bounds) = (counts.to_vec(), bounds.to_vec());
    histogram(HistogramDataPoint { count, bucket_counts, explicit_bounds, ..Default::default() })
}

fn exponential(point: ExponentialHistogramDataPoint) -> Result<(), PointDefect> {
    let point = ExponentialHistogramDataPoint { time_unix_nano: AT, ..point };
    let data = ExponentialHistogram { data_points: vec![point], aggregation_temporality: 1 };
    verdict(Data::ExponentialHistogram(data))
}

fn side(offset: i32, counts: &[u64]) -> Option<Buckets> {
    Some(Buckets { offset, bucket_counts: counts.to_vec() })
}

#[test]
fn a_gauge_may_be_nan_but_not_infinite() {
    assert_eq!(gauge(1.5), Ok(()));
    assert_eq!(gauge(f64::NAN), Ok(()));
    assert_eq!(gauge(f64::INFINITY), Err(NotFinite));
    assert_eq!(gauge(f64::NEG_INFINITY), Err(NotFinite));
}

#[test]
fn a_sum_is_finite_has_a_temporality_and_its_monotonic_deltas_never_fall() {
    assert_eq!(sum(Value::AsInt(5), 1, true), Ok(()));
    assert_eq!(sum(Value::AsInt(-1), 1, true), Err(BadSum));
    assert_eq!(sum(Value::AsDouble(-0.5), 1, true), Err(BadSum));
    assert_eq!(sum(Value::AsDouble(-0.0), 1, true), Ok(()));
    assert_eq!(sum(Value::AsInt(-1), 1, false), Ok(()));
    assert_eq!(sum(Value::AsInt(-1), 2, true), Ok(()), "a cumulative that falls is the aggregator's to judge");
    assert_eq!(sum(Value::AsInt(1), 0, true), Err(BadSum));
    assert_eq!(sum(Value::AsInt(1), 3, true), Err(BadSum));
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(sum(Value::AsDouble(value), 2, false), Err(NotFinite));
    }
}

#[test]
fn a_point_without_a_time_is_refused_and_one_without_a_start_is_not() {
    let point = |time_unix_nano| NumberDataPoint { time_unix_nano, ..Default::default() };
    assert_eq!(verdict(Data::Gauge(Gauge { data_points: vec![point(0)] })), Err(MissingTime));
    assert_eq!(verdict(Data::Gauge(Gauge { data_points: vec![point(1)] })), Ok(()));
}

#[test]
fn a_point_that_says_it_has_no_value_is_not_judged_by_one() {
    let point = NumberDataPoint { flags: 1, ..number(Some(Value::AsDouble(f64::NAN))) };
    let data = Sum { data_points: vec![point], aggregation_temporality: 2, is_monotonic: true };
    assert_eq!(verdict(Data::Sum(data)), Ok(()));
    assert_eq!(histogram(HistogramDataPoint { flags: 1, count: 3, ..Default::default() }), Ok(()));
}

#[test]
fn attributes_are_counted_to_their_limit() {
    let point = |n| NumberDataPoint { attributes: vec![KeyValue::default(); n], ..number(Some(Value::AsInt(1))) };
    assert_eq!(verdict(Data::Gauge(Gauge { data_points: vec![point(4)] })), Ok(()));
    assert_eq!(verdict(Data::Gauge(Gauge { data_points: vec![point(5)] })), Err(TooManyAttributes));
}

#[test]
fn a_summary_is_unsupported_point_by_point() {
    let point = SummaryDataPoint { time_unix_nano: AT, ..Default::default() };
    let metric = Metric { data: Some(Data::Summary(Summary { data_points: vec![point; 2] })), ..Default::default() };
    assert_eq!(verdicts_of(&metric.encode_to_vec()), [Err(Unsupported); 2]);
}

#[test]
fn buckets_are_one_more_than_rising_bounds_and_add_up_to_the_count() {
    assert_eq!(buckets(6, &[1, 2, 3], &[0.5, 1.0]), Ok(()));
    assert_eq!(buckets(6, &[6], &[]), Ok(()));
    assert_eq!(buckets(6, &[], &[]), Ok(()), "no buckets: count and sum stand alone");
    assert_eq!(buckets(6, &[1, 2], &[0.5, 1.0]), Err(BadHistogram));
    assert_eq!(buckets(6, &[], &[0.5]), Err(BadHistogram));
    assert_eq!(buckets(7, &[1, 2, 3], &[0.5, 1.0]), Err(BadHistogram));
    assert_eq!(buckets(6, &[1, 2, 3], &[1.0, 1.0]), Err(BadHistogram));
    assert_eq!(buckets(6, &[1, 2, 3], &[1.0, 0.5]), Err(BadHistogram));
    assert_eq!(buckets(1, &[u64::MAX, 2], &[1.0]), Err(BadHistogram), "the sum wraps to the count");
    for bound in [f64::NAN, f64::INFINITY] {
        assert_eq!(buckets(3, &[1, 2], &[bound]), Err(NotFinite));
    }
}

#[test]
fn a_histogram_keeps_to_the_limit_of_buckets_and_has_a_finite_sum_and_a_temporality() {
    assert_eq!(buckets(0, &[0; 6], &[1.0, 2.0, 3.0, 4.0, 5.0]), Ok(()));
    assert_eq!(buckets(0, &[0; 7], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), Err(BadHistogram));
    let with_sum = |sum| histogram(HistogramDataPoint { sum: Some(sum), ..Default::default() });
    assert_eq!((with_sum(-1.0), with_sum(f64::NAN)), (Ok(()), Err(NotFinite)));
    let point = HistogramDataPoint { time_unix_nano: AT, ..Default::default() };
    let data = Histogram { data_points: vec![point], aggregation_temporality: 0 };
    assert_eq!(verdict(Data::Histogram(data)), Err(BadHistogram));
}

#[test]
fn an_exponential_histogram_adds_up_within_its_scale_and_its_indexes() {
    let sound = ExponentialHistogramDataPoint {
        count: 10,
        zero_count: 1,
        scale: 20,
        positive: side(-3, &[1, 2, 3]),
        negative: side(i32::MAX - 1, &[1, 2]),
        ..Default::default()
    };
    assert_eq!(exponential(sound.clone()), Ok(()));
    for (scale, verdict) in [(-10, Ok(())), (-11, Err(BadHistogram)), (21, Err(BadHistogram))] {
        assert_eq!(exponential(ExponentialHistogramDataPoint { scale, ..sound.clone() }), verdict, "{scale}");
    }
    let off_by_one = ExponentialHistogramDataPoint { count: 11, ..sound.clone() };
    assert_eq!(exponential(off_by_one), Err(BadHistogram));
    let past_the_end = ExponentialHistogramDataPoint { negative: side(i32::MAX, &[1, 2]), ..sound.clone() };
    assert_eq!(exponential(past_the_end), Err(BadHistogram));
    let many = ExponentialHistogramDataPoint { positive: side(0, &[1, 2, 3, 0, 0]), ..sound.clone() };
    assert_eq!(exponential(many), Err(BadHistogram));
    let zero_threshold = f64::NAN;
    assert_eq!(exponential(ExponentialHistogramDataPoint { zero_threshold, ..sound }), Err(NotFinite));
}

#[test]
fn unpacked_packed_and_mixed_lists_are_the_same() {
    let mut point = vec![];
    prost::encoding::fixed64::encode(3, &AT, &mut point);
    prost::encoding::fixed64::encode(4, &6, &mut point);
    prost::encoding::fixed64::encode(6, &1, &mut point);
    prost::encoding::fixed64::encode_packed(6, &[2, 3], &mut point);
    prost::encoding::double::encode(7, &0.5, &mut point);
    prost::encoding::double::encode_packed(7, &[1.0], &mut point);
    let mut data = field(1, &point);
    prost::encoding::uint32::encode(2, &2, &mut data);
    assert_eq!(verdicts_of(&field(9, &data)), [Ok(())]);
}

#[test]
fn of_several_kinds_of_data_the_last_wins_and_one_kind_in_a_row_is_one_message() {
    let points = |n: usize| {
        let data_points = vec![number(Some(Value::AsInt(-1))); n];
        Gauge { data_points }.encode_to_vec()
    };
    let temporality = Sum { aggregation_temporality: 1, is_monotonic: true, ..Default::default() }.encode_to_vec();
    let both = [field(7, &points(1)), field(7, &temporality), field(7, &points(2))].concat();
    assert_eq!(verdicts_of(&both), [Err(BadSum); 3]);
    assert_eq!(verdicts_of(&[field(5, &points(3)), both.clone()].concat()), [Err(BadSum); 3]);
    assert_eq!(verdicts_of(&[both, field(5, &points(4))].concat()), [Ok(()); 4]);
    let again = [field(7, &temporality), field(5, &points(1)), field(7, &points(1))].concat();
    assert_eq!(verdicts_of(&again), [Err(BadSum)], "the first sum, and its temporality, is forgotten");
}

#[test]
fn positions_count_from_zero_in_each_container() {
    let points = |n: usize| Metric {
        data: Some(Data::Gauge(Gauge { data_points: vec![number(None); n] })),
        ..Default::default()
    };
    let scope = |metrics: Vec<Metric>| ScopeMetrics { metrics, ..Default::default() };
    let resource = |scope_metrics| ResourceMetrics { scope_metrics, ..Default::default() };
    let resource_metrics = vec![
        resource(vec![scope(vec![points(1)])]),
        resource(vec![scope(vec![]), scope(vec![points(0), Metric::default(), points(2)])]),
    ];
    let body = ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
    let positions = seen(&body, &LIMITS).expect("sound").0.into_iter().map(|(.., position)| position);
    let at = |resource, scope, metric, point| Position { resource, scope, metric, point };
    assert!(positions.eq([at(0, 0, 0, 0), at(1, 1, 2, 0), at(1, 1, 2, 1)]));
}

#[test]
fn points_and_containers_are_counted_to_their_limits() {
    let body = request(
        &Metric { data: Some(Data::Gauge(Gauge { data_points: vec![number(None); 3] })), ..Default::default() }
            .encode_to_vec(),
    );
    assert!(seen(&body, &WalkLimits { items_max: 3, containers_max: 3, ..LIMITS }).is_ok());
    assert_eq!(seen(&body, &WalkLimits { items_max: 2, ..LIMITS }), Err(Halt::Items));
    assert_eq!(seen(&body, &WalkLimits { containers_max: 2, ..LIMITS }), Err(Halt::Containers));
}

#[test]
fn damage_anywhere_ends_the_walk() {
    let point = HistogramDataPoint { time_unix_nano: AT, bucket_counts: vec![1], ..Default::default() };
    let metric = Metric {
        name: "m".into(),
        data: Some(Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality: 1 })),
        ..Default::default()
    };
    let body = request(&metric.encode_to_vec());
    for cut in 1..body.len() {
        assert!(matches!(seen(&body[..cut], &LIMITS), Err(Halt::Wire(_))), "cut at {cut}");
    }
    for (bad, fault) in [
        (vec![0x08, 1], Fault::WireType),
        (request(&[0x4d, 0, 0, 0, 0]), Fault::WireType),
        (request(&field(9, &field(1, &[0x31, 0]))), Fault::Truncated),
        (request(&field(9, &field(1, &field(6, &[0; 9])))), Fault::Truncated),
        (request(&field(5, &[0x14])), Fault::Group),
        (vec![0x02], Fault::Tag),
    ] {
        let Err(Halt::Wire(error)) = seen(&bad, &LIMITS) else { panic!("{bad:x?} was accepted") };
        assert_eq!(error.fault, fault, "{bad:x?}");
    }
}
