//! Metrics to their points, with a verdict for each (`ingest.md` 3, "Points", "Times").

use bailiwick_collector::observation::report::Reason;
use bailiwick_collector::observation::{IngestSettings, Rules};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets as Side;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, SummaryDataPoint, metric::Data,
};

type Verdict = Result<(), Reason>;

/// A data point as its row needs it.
#[derive(Debug, Default)]
pub(super) struct Sample<'a> {
    pub(super) attributes: &'a [KeyValue],
    pub(super) start: u64,
    pub(super) time: u64,
    /// What is wrong with it, but for its attributes and its time.
    pub(super) verdict: Option<Reason>,
    /// As rows say it: 1 gauge, 2 sum, 3 explicit and 4 exponential histogram.
    pub(super) data: u8,
    pub(super) temporality: i32,
    pub(super) monotonic: bool,
    /// Of a gauge or sum: none if there is none, or it is NaN.
    pub(super) value: Option<Value>,
    /// Of a histogram whose value is recorded.
    pub(super) histogram: Option<Buckets>,
}

/// What a histogram point holds.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) scale: i32,
    /// As rows hold them.
    pub(super) words: Vec<u64>,
}

/// How many points there are.
#[must_use]
pub fn points(sent: &ExportMetricsServiceRequest) -> usize {
    let metrics = sent.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics).flat_map(|s| &s.metrics);
    metrics.map(|metric| samples(metric, &Rules::default()).len()).sum()
}

/// Every point of a metric, in order.
pub(super) fn samples<'a>(metric: &'a Metric, rules: &Rules) -> Vec<Sample<'a>> {
    let buckets_max = rules.limits.buckets_max as usize;
    match &metric.data {
        None => vec![],
        Some(Data::Gauge(gauge)) => {
            gauge.data_points.iter().map(|point| Sample { data: 1, ..number(point, of_gauge(point)) }).collect()
        }
        Some(Data::Sum(sum)) => {
            let (temporality, monotonic) = (sum.aggregation_temporality, sum.is_monotonic);
            let sample = |point| number(point, of_sum(point, temporality, monotonic));
            let points = sum.data_points.iter();
            points.map(|point| Sample { data: 2, temporality, monotonic, ..sample(point) }).collect()
        }
        Some(Data::Histogram(histogram)) => {
            let temporality = histogram.aggregation_temporality;
            let points = histogram.data_points.iter();
            points.map(|point| Sample { temporality, ..explicit(point, buckets_max, known(temporality)) }).collect()
        }
        Some(Data::ExponentialHistogram(histogram)) => {
            let temporality = histogram.aggregation_temporality;
            let points = histogram.data_points.iter();
            points.map(|point| Sample { temporality, ..exponential(point, buckets_max, known(temporality)) }).collect()
        }
        Some(Data::Summary(summary)) => summary.data_points.iter().map(of_summary).collect(),
    }
}

fn of_summary(point: &SummaryDataPoint) -> Sample<'_> {
    Sample { attributes: &point.attributes, verdict: Some(Reason::Unsupported), ..Sample::default() }
}

fn number(point: &NumberDataPoint, verdict: Verdict) -> Sample<'_> {
    let is_number = |value: &Value| !matches!(value, Value::AsDouble(value) if value.is_nan());
    Sample {
        attributes: &point.attributes,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        verdict: verdict.err(),
        value: point.value.filter(is_number).filter(|_| recorded(point.flags)),
        ..Sample::default()
    }
}

fn explicit(point: &HistogramDataPoint, buckets_max: usize, known_temporality: bool) -> Sample<'_> {
    let bounds = point.explicit_bounds.iter().map(|bound| bound.to_bits());
    let words = bounds.chain(point.bucket_counts.iter().copied()).collect();
    let buckets = Buckets { count: point.count, sum: point.sum, scale: 0, words };
    Sample {
        attributes: &point.attributes,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        verdict: of_explicit(point, buckets_max, known_temporality).err(),
        data: 3,
        histogram: recorded(point.flags).then_some(buckets),
        ..Sample::default()
    }
}

fn exponential(point: &ExponentialHistogramDataPoint, buckets_max: usize, known_temporality: bool) -> Sample<'_> {
    let mut words = vec![point.zero_count, point.zero_threshold.to_bits()];
    for side in [&point.positive, &point.negative] {
        let (offset, counts) = side.as_ref().map_or((0, &[][..]), |side| (side.offset, &side.bucket_counts));
        words.extend([i64::from(offset) as u64, counts.len() as u64]);
        words.extend(counts);
    }
    let buckets = Buckets { count: point.count, sum: point.sum, scale: point.scale, words };
    Sample {
        attributes: &point.attributes,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        verdict: of_exponential(point, buckets_max, known_temporality).err(),
        data: 4,
        histogram: recorded(point.flags).then_some(buckets),
        ..Sample::default()
    }
}

pub(super) fn in_time(time: u64, now: u64, ingest: &IngestSettings) -> Verdict {
    let (time, now) = (i128::from(time), i128::from(now));
    if time < now - i128::from(ingest.late_accept.nanos()) {
        return Err(Reason::TooLate);
    }
    if time > now + i128::from(ingest.future_accept.nanos()) { Err(Reason::Future) } else { Ok(()) }
}

/// Delta or cumulative.
const fn known(temporality: i32) -> bool {
    matches!(temporality, 1 | 2)
}

/// The flag "no recorded value": there is no value to judge.
const fn recorded(flags: u32) -> bool {
    flags & 1 == 0
}

fn of_gauge(point: &NumberDataPoint) -> Verdict {
    match point.value {
        Some(Value::AsDouble(value)) if recorded(point.flags) && value.is_infinite() => Err(Reason::NotFinite),
        _ => Ok(()),
    }
}

fn of_sum(point: &NumberDataPoint, temporality: i32, monotonic: bool) -> Verdict {
    let value = match point.value.filter(|_| recorded(point.flags)) {
        Some(Value::AsDouble(value)) => value,
        Some(Value::AsInt(value)) => value as f64,
        None => 0.0,
    };
    if !value.is_finite() {
        return Err(Reason::NotFinite);
    }
    let negative_delta = monotonic && temporality == 1 && value < 0.0;
    if negative_delta || !known(temporality) { Err(Reason::BadSum) } else { Ok(()) }
}

fn of_explicit(point: &HistogramDataPoint, buckets_max: usize, known_temporality: bool) -> Verdict {
    let (counts, bounds) = (&point.bucket_counts, &point.explicit_bounds);
    if recorded(point.flags) {
        if !point.sum.unwrap_or(0.0).is_finite() || bounds.iter().any(|bound| !bound.is_finite()) {
            return Err(Reason::NotFinite);
        }
        let none = counts.is_empty() && bounds.is_empty();
        let fits = counts.len() == bounds.len() + 1
            && counts.len() <= buckets_max
            && bounds.windows(2).all(|pair| pair[0] < pair[1])
            && total(&[counts]) == Some(point.count);
        if !none && !fits {
            return Err(Reason::BadHistogram);
        }
    }
    if known_temporality { Ok(()) } else { Err(Reason::BadHistogram) }
}

fn of_exponential(point: &ExponentialHistogramDataPoint, buckets_max: usize, known_temporality: bool) -> Verdict {
    let empty = Side::default();
    let sides = [point.positive.as_ref().unwrap_or(&empty), point.negative.as_ref().unwrap_or(&empty)];
    let [positive, negative] = sides.map(|side| &side.bucket_counts);
    if recorded(point.flags) {
        if !point.sum.unwrap_or(0.0).is_finite() || !point.zero_threshold.is_finite() {
            return Err(Reason::NotFinite);
        }
        let indexed = sides.iter().all(|side| {
            let last = i64::from(side.offset) + (side.bucket_counts.len() as i64 - 1).max(0);
            i32::try_from(last).is_ok()
        });
        let fits = (-10..=20).contains(&point.scale)
            && indexed
            && positive.len() + negative.len() <= buckets_max
            && total(&[positive, negative, &vec![point.zero_count]]) == Some(point.count);
        if !fits {
            return Err(Reason::BadHistogram);
        }
    }
    if known_temporality { Ok(()) } else { Err(Reason::BadHistogram) }
}

/// The sum of all counts; `None` on overflow.
fn total(lists: &[&Vec<u64>]) -> Option<u64> {
    lists.iter().flat_map(|list| list.iter()).try_fold(0_u64, |sum, count| sum.checked_add(*count))
}
