//! `ExportMetricsServiceRequest` to a verdict for each point, and to its batch (`ingest.md` 3, "Points", "Times").

use bailiwick_collector::observation::report::Reason;
use bailiwick_collector::observation::{IngestSettings, Request, Rules};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, metric::Data,
};

use super::table::Table;

type Verdict = Result<(), Reason>;

/// The batch of a request that was decoded from `request.protobuf`: what was refused, and how many points were not.
#[must_use]
pub fn batch_of_metrics(sent: &ExportMetricsServiceRequest, rules: &Rules, request: &Request<'_>) -> Vec<u8> {
    let mut table = Table::new();
    let tenant = table.string(request.meta.tenant_auth);
    for verdict in verdicts(sent, rules, request.observed_at_ns) {
        match verdict {
            Ok(()) => table.ignored += 1,
            Err(reason) => table.reject(tenant, reason, table.received),
        }
        table.received += 1;
    }
    table.bytes(request)
}

/// How many points there are.
#[must_use]
pub fn points(sent: &ExportMetricsServiceRequest) -> usize {
    verdicts(sent, &Rules::default(), 0).len()
}

/// What becomes of each point, in the order of the request.
fn verdicts(sent: &ExportMetricsServiceRequest, rules: &Rules, observed_at_ns: u64) -> Vec<Verdict> {
    let metrics = sent.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics).flat_map(|s| &s.metrics);
    let mut verdicts = vec![];
    for metric in metrics {
        verdicts.extend(metric.data.iter().flat_map(|data| of_data(data, rules, observed_at_ns)));
    }
    verdicts
}

fn of_data(data: &Data, rules: &Rules, now: u64) -> Vec<Verdict> {
    let judged = |time: u64, attributes: usize, value: Verdict| {
        if attributes > rules.limits.attributes_max as usize {
            return Err(Reason::TooManyAttributes);
        }
        if time == 0 {
            return Err(Reason::MissingTime);
        }
        value.and_then(|()| in_time(time, now, &rules.ingest))
    };
    let buckets_max = rules.limits.buckets_max as usize;
    match data {
        Data::Gauge(gauge) => gauge
            .data_points
            .iter()
            .map(|point| judged(point.time_unix_nano, point.attributes.len(), of_gauge(point)))
            .collect(),
        Data::Sum(sum) => {
            let (temporality, monotonic) = (sum.aggregation_temporality, sum.is_monotonic);
            let judge = |point: &NumberDataPoint| {
                judged(point.time_unix_nano, point.attributes.len(), of_sum(point, temporality, monotonic))
            };
            sum.data_points.iter().map(judge).collect()
        }
        Data::Histogram(histogram) => {
            let judge = |point: &HistogramDataPoint| {
                let value = of_explicit(point, buckets_max, known(histogram.aggregation_temporality));
                judged(point.time_unix_nano, point.attributes.len(), value)
            };
            histogram.data_points.iter().map(judge).collect()
        }
        Data::ExponentialHistogram(histogram) => {
            let judge = |point: &ExponentialHistogramDataPoint| {
                let value = of_exponential(point, buckets_max, known(histogram.aggregation_temporality));
                judged(point.time_unix_nano, point.attributes.len(), value)
            };
            histogram.data_points.iter().map(judge).collect()
        }
        Data::Summary(summary) => summary.data_points.iter().map(|_| Err(Reason::Unsupported)).collect(),
    }
}

fn in_time(time: u64, now: u64, ingest: &IngestSettings) -> Verdict {
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
    let empty = Buckets::default();
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
