//! The platform's own request metrics: cumulative duration histograms per process, kept beside the traces as an SDK
//! does. Pure: requests in, an OTLP export out. It knows nothing of what was sent.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics,
};

use bailiwick_slo::latency::{LE_BOUNDS_NS, le_index};

use super::encode::{self, MODULE, TENANT, number, text};
use super::platform::{Conventions, Entry, ModuleClaim, Request, TenantClaim};

/// Most histograms that are kept; OpenTelemetry's default limit per metric. Beyond, requests go unmeasured and are
/// counted.
const STREAMS_MAX: usize = 2_000;

/// Request durations since the start, by process, tenant, module, route and status.
#[derive(Debug)]
pub(super) struct Meter {
    started_ns: u64,
    streams: Vec<Stream>,
    /// Requests that no histogram was left for.
    pub(super) unmeasured: u64,
}

#[derive(Debug)]
struct Stream {
    /// The first request of the stream: it stands for process, tenant, module, route and status.
    first: Request,
    count: u64,
    sum_ns: u128,
    buckets: [u64; LE_BOUNDS_NS.len() + 1],
}

impl Meter {
    /// A meter of a process that started now.
    pub(super) const fn started_at(started_ns: u64) -> Self {
        Self { started_ns, streams: Vec::new(), unmeasured: 0 }
    }

    /// Measures an HTTP request; others have no metric here.
    pub(super) fn record(&mut self, request: &Request) {
        if !matches!(request.entry, Entry::Http(..)) || request.backwards() {
            return;
        }
        let Some(stream) = self.stream(request) else {
            self.unmeasured += 1;
            return;
        };
        let duration_ns = request.ended_ns - request.started_ns;
        stream.count += 1;
        stream.sum_ns += u128::from(duration_ns);
        stream.buckets[le_index(duration_ns)] += 1;
    }

    fn stream(&mut self, request: &Request) -> Option<&mut Stream> {
        let place = self.streams.iter().position(|stream| same_stream(&stream.first, request));
        let place = place.or_else(|| {
            (self.streams.len() < STREAMS_MAX).then(|| {
                let buckets = [0; LE_BOUNDS_NS.len() + 1];
                self.streams.push(Stream { first: request.clone(), count: 0, sum_ns: 0, buckets });
                self.streams.len() - 1
            })
        })?;
        self.streams.get_mut(place)
    }

    /// Data points of an export: a service with both conventions has two for each histogram.
    pub(super) fn points(&self) -> u64 {
        let of = |stream: &Stream| 1 + u64::from(stream.first.service.conventions == Conventions::Both);
        self.streams.iter().map(of).sum()
    }

    /// All histograms as of now.
    pub(super) fn export(&self, now_ns: u64) -> ExportMetricsServiceRequest {
        let mut groups: Vec<(&Request, Vec<&Stream>)> = Vec::new();
        for stream in &self.streams {
            match groups.iter_mut().find(|(first, _)| encode::same_resource(first, &stream.first)) {
                Some((_, streams)) => streams.push(stream),
                None => groups.push((&stream.first, vec![stream])),
            }
        }
        let resource_metrics =
            groups.iter().map(|(first, streams)| self.resource_metrics(first, streams, now_ns)).collect();
        ExportMetricsServiceRequest { resource_metrics }
    }

    fn resource_metrics(&self, first: &Request, streams: &[&Stream], now_ns: u64) -> ResourceMetrics {
        let named: &[(&str, &str, bool)] = match first.service.conventions {
            Conventions::Old => &[("http.server.duration", "ms", true)],
            Conventions::New => &[("http.server.request.duration", "s", false)],
            Conventions::Both => &[("http.server.duration", "ms", true), ("http.server.request.duration", "s", false)],
        };
        let metrics = named.iter().map(|(name, unit, old)| {
            let data_points = streams.iter().map(|stream| self.point(stream, *old, now_ns)).collect();
            let aggregation_temporality = AggregationTemporality::Cumulative as i32;
            let data = Some(Data::Histogram(Histogram { data_points, aggregation_temporality }));
            Metric { name: (*name).to_owned(), unit: (*unit).to_owned(), data, ..Metric::default() }
        });
        let scope = Some(encode::scope(first.service));
        let scope_metrics = vec![ScopeMetrics { scope, metrics: metrics.collect(), ..ScopeMetrics::default() }];
        ResourceMetrics { resource: Some(encode::resource(first)), scope_metrics, ..ResourceMetrics::default() }
    }

    fn point(&self, stream: &Stream, old: bool, now_ns: u64) -> HistogramDataPoint {
        let unit_ns = if old { 1e6 } else { 1e9 };
        HistogramDataPoint {
            attributes: attributes(&stream.first, old),
            start_time_unix_nano: self.started_ns,
            time_unix_nano: now_ns,
            count: stream.count,
            sum: Some(stream.sum_ns as f64 / unit_ns),
            bucket_counts: stream.buckets.to_vec(),
            explicit_bounds: LE_BOUNDS_NS.iter().map(|bound| *bound as f64 / unit_ns).collect(),
            ..HistogramDataPoint::default()
        }
    }
}

fn same_stream(a: &Request, b: &Request) -> bool {
    let key = |request: &Request| (request.tenant, request.module, request.entry, request.topic, request.code());
    a.service == b.service && key(a) == key(b)
}

fn attributes(request: &Request, old: bool) -> Vec<KeyValue> {
    let Entry::Http(method, template) = request.entry else { return Vec::new() };
    let route = request.route(template);
    let [method_key, code_key, route_key] = if old {
        ["http.method", "http.status_code", "http.target"]
    } else {
        ["http.request.method", "http.response.status_code", "http.route"]
    };
    let mut attributes = vec![text(method_key, method), text(route_key, route)];
    attributes.extend(request.code().map(|code| number(code_key, code)));
    if request.service.tenant != TenantClaim::Resource {
        attributes.extend(request.tenant.map(|tenant| text(TENANT, tenant)));
    }
    if request.service.module == ModuleClaim::Span {
        attributes.push(text(MODULE, request.module));
    }
    attributes
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;

    use super::*;
    use crate::cli::demo::{Faults, Platform};

    fn points(export: &ExportMetricsServiceRequest, service: &str, name: &str) -> Vec<HistogramDataPoint> {
        let of = |group: &&ResourceMetrics| {
            let attributes = &group.resource.as_ref().unwrap().attributes;
            attributes.iter().any(|it| {
                it.key == "service.name"
                    && it.value.as_ref().unwrap().value == Some(Value::StringValue(service.to_owned()))
            })
        };
        let metrics = export.resource_metrics.iter().filter(of).flat_map(|group| &group.scope_metrics[0].metrics);
        metrics
            .filter(|metric| metric.name == name)
            .flat_map(|metric| match &metric.data {
                Some(Data::Histogram(histogram)) => histogram.data_points.clone(),
                other => panic!("a histogram, not {other:?}"),
            })
            .collect()
    }

    fn after(seconds: u64) -> (Meter, Vec<Request>) {
        let platform = Platform { seed: 1, rate: 10, faults: Faults::ALL, epoch_s: 1_700_000_000 };
        let requests: Vec<_> = (0..seconds).flat_map(|index| platform.second(index)).collect();
        let mut meter = Meter::started_at(platform.second_ns(0));
        requests.iter().for_each(|request| meter.record(request));
        (meter, requests)
    }

    #[test]
    fn histograms_count_every_http_request_of_a_service_since_its_start() {
        let (meter, requests) = after(60);
        let export = meter.export(1_700_000_060_000_000_000);
        let points = points(&export, "ai-stack-api", "http.server.request.duration");
        let theirs = |request: &&Request| request.service.name == "ai-stack-api" && !request.backwards();
        assert_eq!(points.iter().map(|point| point.count).sum::<u64>(), requests.iter().filter(theirs).count() as u64);
        for point in &points {
            assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
            assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
            assert!(point.start_time_unix_nano < point.time_unix_nano);
        }
        assert_eq!(meter.unmeasured, 0);
    }

    #[test]
    fn a_service_of_both_conventions_reports_one_sum_in_milliseconds_and_in_seconds() {
        let (meter, _) = after(20);
        let export = meter.export(1_700_000_020_000_000_000);
        let sum = |name| -> f64 { points(&export, "http-dup", name).iter().filter_map(|point| point.sum).sum() };
        let (millis, seconds) = (sum("http.server.duration"), sum("http.server.request.duration"));
        assert!(seconds > 0.0);
        assert!((millis / seconds - 1_000.0).abs() < 1e-6, "{millis} ms against {seconds} s");
    }

    #[test]
    fn the_number_of_points_is_what_an_export_holds() {
        let (meter, _) = after(20);
        let export = meter.export(1_700_000_020_000_000_000);
        let metrics = export.resource_metrics.iter().flat_map(|group| &group.scope_metrics[0].metrics);
        let held: usize = metrics
            .map(|metric| match &metric.data {
                Some(Data::Histogram(histogram)) => histogram.data_points.len(),
                _ => 0,
            })
            .sum();
        assert_eq!(meter.points(), held as u64);
    }
}
