//! Metric requests.

use opentelemetry_proto::tonic::metrics::v1::exemplar::Value as ExemplarValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, SummaryDataPoint,
};

use super::{Members, Printer};

impl Printer {
    pub(super) fn resource_metrics(&mut self, of: &ResourceMetrics) -> String {
        let mut members: Members = vec![];
        if let Some(resource) = &of.resource {
            members.push(("resource", self.resource(resource)));
        }
        members.push(("scopeMetrics", self.array(&of.scope_metrics, Self::scope_metrics)));
        members.push(("schemaUrl", self.text(&of.schema_url)));
        self.object(members)
    }

    fn scope_metrics(&mut self, of: &ScopeMetrics) -> String {
        let mut members: Members = vec![];
        if let Some(scope) = &of.scope {
            members.push(("scope", self.scope(scope)));
        }
        members.push(("metrics", self.array(&of.metrics, Self::metric)));
        members.push(("schemaUrl", self.text(&of.schema_url)));
        self.object(members)
    }

    fn metric(&mut self, of: &Metric) -> String {
        let mut members = vec![
            ("name", self.text(&of.name)),
            ("description", self.text(&of.description)),
            ("unit", self.text(&of.unit)),
            ("metadata", self.array(&of.metadata, Self::key_value)),
        ];
        if let Some(data) = &of.data {
            members.push(self.data(data));
        }
        self.object(members)
    }

    fn data(&mut self, of: &Data) -> (&'static str, String) {
        let temporality = |temporality: i32| ("aggregationTemporality", temporality.to_string());
        let (name, members) = match of {
            Data::Gauge(of) => ("gauge", vec![("dataPoints", self.array(&of.data_points, Self::number))]),
            Data::Sum(of) => {
                let points = ("dataPoints", self.array(&of.data_points, Self::number));
                let monotonic = ("isMonotonic", of.is_monotonic.to_string());
                ("sum", vec![points, temporality(of.aggregation_temporality), monotonic])
            }
            Data::Histogram(of) => {
                let points = ("dataPoints", self.array(&of.data_points, Self::histogram));
                ("histogram", vec![points, temporality(of.aggregation_temporality)])
            }
            Data::ExponentialHistogram(of) => {
                let points = ("dataPoints", self.array(&of.data_points, Self::exponential));
                ("exponentialHistogram", vec![points, temporality(of.aggregation_temporality)])
            }
            Data::Summary(of) => ("summary", vec![("dataPoints", self.array(&of.data_points, Self::summary))]),
        };
        (name, self.object(members))
    }

    fn times(&mut self, start: u64, time: u64) -> Members {
        vec![("startTimeUnixNano", self.long(start.into())), ("timeUnixNano", self.long(time.into()))]
    }

    fn number(&mut self, of: &NumberDataPoint) -> String {
        let mut members = self.times(of.start_time_unix_nano, of.time_unix_nano);
        members.push(("attributes", self.array(&of.attributes, Self::key_value)));
        members.push(("exemplars", self.array(&of.exemplars, Self::exemplar)));
        members.push(("flags", of.flags.to_string()));
        match of.value {
            Some(Value::AsDouble(number)) => members.push(("asDouble", self.double(number))),
            Some(Value::AsInt(number)) => members.push(("asInt", self.long(number.into()))),
            None => {}
        }
        self.object(members)
    }

    fn histogram(&mut self, of: &HistogramDataPoint) -> String {
        let mut members = self.times(of.start_time_unix_nano, of.time_unix_nano);
        members.push(("attributes", self.array(&of.attributes, Self::key_value)));
        members.push(("count", self.long(of.count.into())));
        members.push(("bucketCounts", self.array(&of.bucket_counts, |own, count| own.long((*count).into()))));
        members.push(("explicitBounds", self.array(&of.explicit_bounds, |own, bound| own.double(*bound))));
        members.push(("exemplars", self.array(&of.exemplars, Self::exemplar)));
        members.push(("flags", of.flags.to_string()));
        for (name, number) in [("sum", of.sum), ("min", of.min), ("max", of.max)] {
            members.extend(number.map(|number| (name, self.double(number))));
        }
        self.object(members)
    }

    fn exponential(&mut self, of: &ExponentialHistogramDataPoint) -> String {
        let mut members = self.times(of.start_time_unix_nano, of.time_unix_nano);
        members.push(("attributes", self.array(&of.attributes, Self::key_value)));
        members.push(("count", self.long(of.count.into())));
        members.push(("scale", of.scale.to_string()));
        members.push(("zeroCount", self.long(of.zero_count.into())));
        members.push(("zeroThreshold", self.double(of.zero_threshold)));
        members.push(("flags", of.flags.to_string()));
        for (name, side) in [("positive", &of.positive), ("negative", &of.negative)] {
            members.extend(side.as_ref().map(|side| (name, self.buckets(side))));
        }
        for (name, number) in [("sum", of.sum), ("min", of.min), ("max", of.max)] {
            members.extend(number.map(|number| (name, self.double(number))));
        }
        self.object(members)
    }

    fn buckets(&mut self, of: &Buckets) -> String {
        let counts = self.array(&of.bucket_counts, |own, count| own.long((*count).into()));
        self.object(vec![("offset", of.offset.to_string()), ("bucketCounts", counts)])
    }

    fn summary(&mut self, of: &SummaryDataPoint) -> String {
        let mut members = self.times(of.start_time_unix_nano, of.time_unix_nano);
        members.push(("count", self.long(of.count.into())));
        members.push(("sum", self.double(of.sum)));
        members.push(("attributes", self.array(&of.attributes, Self::key_value)));
        members.push(("quantileValues", self.array(&of.quantile_values, Self::quantile)));
        members.push(("flags", of.flags.to_string()));
        self.object(members)
    }

    fn quantile(&mut self, of: &ValueAtQuantile) -> String {
        let members = vec![("quantile", self.double(of.quantile)), ("value", self.double(of.value))];
        self.object(members)
    }

    fn exemplar(&mut self, of: &Exemplar) -> String {
        let mut members = vec![
            ("timeUnixNano", self.long(of.time_unix_nano.into())),
            ("spanId", self.hex(&of.span_id)),
            ("traceId", self.hex(&of.trace_id)),
            ("filteredAttributes", self.array(&of.filtered_attributes, Self::key_value)),
        ];
        match of.value {
            Some(ExemplarValue::AsDouble(number)) => members.push(("asDouble", self.double(number))),
            Some(ExemplarValue::AsInt(number)) => members.push(("asInt", self.long(number.into()))),
            None => {}
        }
        self.object(members)
    }
}
