//! The examples that OTLP publishes (`opentelemetry-proto/examples/{trace,metrics}.json`).

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, exponential_histogram_data_point::Buckets, metric::Data,
    number_data_point::Value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::{metrics, traces};

const TRACE: &str = r#"{
  "resourceSpans": [
    {
      "resource": {
        "attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]
      },
      "scopeSpans": [
        {
          "scope": {
            "name": "my.library",
            "version": "1.0.0",
            "attributes": [{"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]
          },
          "spans": [
            {
              "traceId": "5B8EFFF798038103D269B633813FC60C",
              "spanId": "EEE19B7EC3C1B174",
              "parentSpanId": "EEE19B7EC3C1B173",
              "name": "I'm a server span",
              "startTimeUnixNano": "1544712660000000000",
              "endTimeUnixNano": "1544712661000000000",
              "kind": 2,
              "attributes": [{"key": "my.span.attr", "value": {"stringValue": "some value"}}]
            }
          ]
        }
      ]
    }
  ]
}"#;

const METRICS: &str = r#"{
  "resourceMetrics": [
    {
      "resource": {
        "attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]
      },
      "scopeMetrics": [
        {
          "scope": {
            "name": "my.library",
            "version": "1.0.0",
            "attributes": [{"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]
          },
          "metrics": [
            {
              "name": "my.counter",
              "unit": "1",
              "description": "I am a Counter",
              "sum": {
                "aggregationTemporality": 1,
                "isMonotonic": true,
                "dataPoints": [
                  {
                    "asDouble": 5,
                    "startTimeUnixNano": "1544712660300000000",
                    "timeUnixNano": "1544712660300000000",
                    "attributes": [{"key": "my.counter.attr", "value": {"stringValue": "some value"}}]
                  }
                ]
              }
            },
            {
              "name": "my.gauge",
              "unit": "1",
              "description": "I am a Gauge",
              "gauge": {
                "dataPoints": [
                  {
                    "asDouble": 10,
                    "timeUnixNano": "1544712660300000000",
                    "attributes": [{"key": "my.gauge.attr", "value": {"stringValue": "some value"}}]
                  }
                ]
              }
            },
            {
              "name": "my.histogram",
              "unit": "1",
              "description": "I am a Histogram",
              "histogram": {
                "aggregationTemporality": 1,
                "dataPoints": [
                  {
                    "startTimeUnixNano": "1544712660300000000",
                    "timeUnixNano": "1544712660300000000",
                    "count": 2,
                    "sum": 2,
                    "bucketCounts": [1, 1],
                    "explicitBounds": [1],
                    "min": 0,
                    "max": 2,
                    "attributes": [{"key": "my.histogram.attr", "value": {"stringValue": "some value"}}]
                  }
                ]
              }
            },
            {
              "name": "my.exponential.histogram",
              "unit": "1",
              "description": "I am an Exponential Histogram",
              "exponentialHistogram": {
                "aggregationTemporality": 1,
                "dataPoints": [
                  {
                    "startTimeUnixNano": "1544712660300000000",
                    "timeUnixNano": "1544712660300000000",
                    "count": 3,
                    "sum": 10,
                    "scale": 0,
                    "zeroCount": 1,
                    "positive": {"offset": 1, "bucketCounts": [0, 2]},
                    "min": 0,
                    "max": 5,
                    "zeroThreshold": 0,
                    "attributes": [{"key": "my.exponential.histogram.attr", "value": {"stringValue": "some value"}}]
                  }
                ]
              }
            }
          ]
        }
      ]
    }
  ]
}"#;

const AT: u64 = 1_544_712_660_300_000_000;

fn text(key: &str, value: &str) -> Vec<KeyValue> {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.into())) });
    vec![KeyValue { key: key.into(), value, ..Default::default() }]
}

fn resource() -> Option<Resource> {
    Some(Resource { attributes: text("service.name", "my.service"), ..Default::default() })
}

fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope {
        name: "my.library".into(),
        version: "1.0.0".into(),
        attributes: text("my.scope.attribute", "some scope attribute"),
        ..Default::default()
    })
}

#[test]
fn the_published_trace_is_the_request_that_it_describes() {
    let span = Span {
        trace_id: vec![0x5b, 0x8e, 0xff, 0xf7, 0x98, 3, 0x81, 3, 0xd2, 0x69, 0xb6, 0x33, 0x81, 0x3f, 0xc6, 0x0c],
        span_id: vec![0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0x74],
        parent_span_id: vec![0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0x73],
        name: "I'm a server span".into(),
        kind: 2,
        start_time_unix_nano: 1_544_712_660_000_000_000,
        end_time_unix_nano: 1_544_712_661_000_000_000,
        attributes: text("my.span.attr", "some value"),
        ..Default::default()
    };
    let scope_spans = vec![ScopeSpans { scope: scope(), spans: vec![span], ..Default::default() }];
    let resource_spans = vec![ResourceSpans { resource: resource(), scope_spans, ..Default::default() }];
    assert_eq!(traces(TRACE), ExportTraceServiceRequest { resource_spans });
}

fn number(name: &str, value: f64, start_time_unix_nano: u64) -> NumberDataPoint {
    NumberDataPoint {
        attributes: text(name, "some value"),
        start_time_unix_nano,
        time_unix_nano: AT,
        value: Some(Value::AsDouble(value)),
        ..Default::default()
    }
}

fn histogram() -> Histogram {
    let point = HistogramDataPoint {
        attributes: text("my.histogram.attr", "some value"),
        start_time_unix_nano: AT,
        time_unix_nano: AT,
        count: 2,
        sum: Some(2.0),
        bucket_counts: vec![1, 1],
        explicit_bounds: vec![1.0],
        min: Some(0.0),
        max: Some(2.0),
        ..Default::default()
    };
    Histogram { data_points: vec![point], aggregation_temporality: 1 }
}

fn exponential_histogram() -> ExponentialHistogram {
    let point = ExponentialHistogramDataPoint {
        attributes: text("my.exponential.histogram.attr", "some value"),
        start_time_unix_nano: AT,
        time_unix_nano: AT,
        count: 3,
        sum: Some(10.0),
        zero_count: 1,
        positive: Some(Buckets { offset: 1, bucket_counts: vec![0, 2] }),
        min: Some(0.0),
        max: Some(5.0),
        ..Default::default()
    };
    ExponentialHistogram { data_points: vec![point], aggregation_temporality: 1 }
}

#[test]
fn the_published_metrics_are_the_request_that_they_describe() {
    let counter =
        Sum { data_points: vec![number("my.counter.attr", 5.0, AT)], aggregation_temporality: 1, is_monotonic: true };
    let metric = |name: &str, description: &str, data| Metric {
        name: name.into(),
        description: description.into(),
        unit: "1".into(),
        data: Some(data),
        ..Default::default()
    };
    let metrics_sent = vec![
        metric("my.counter", "I am a Counter", Data::Sum(counter)),
        metric("my.gauge", "I am a Gauge", Data::Gauge(Gauge { data_points: vec![number("my.gauge.attr", 10.0, 0)] })),
        metric("my.histogram", "I am a Histogram", Data::Histogram(histogram())),
        metric(
            "my.exponential.histogram",
            "I am an Exponential Histogram",
            Data::ExponentialHistogram(exponential_histogram()),
        ),
    ];
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics: metrics_sent, ..Default::default() }];
    let resource_metrics = vec![ResourceMetrics { resource: resource(), scope_metrics, ..Default::default() }];
    assert_eq!(metrics(METRICS), ExportMetricsServiceRequest { resource_metrics });
}
