//! Points of metrics to OTLP: histograms of which only the count matters.

use anyhow::Result;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric as OtlpMetric, ResourceMetrics, ScopeMetrics, metric,
};

use super::encode::{self, BEGIN_NS};
use crate::scenario::written::story::{Metric, Scenario};

/// The request that carries one point.
pub(in crate::scenario) fn request(scenario: &Scenario, stated: &Metric) -> Result<ExportMetricsServiceRequest> {
    let at = |moment: i64| BEGIN_NS.saturating_add_signed(moment);
    let point = HistogramDataPoint {
        attributes: encode::attributes(&stated.attributes)?,
        start_time_unix_nano: at(stated.starts.0),
        time_unix_nano: at(stated.at.0),
        count: stated.count,
        ..HistogramDataPoint::default()
    };
    let temporality = if stated.delta { AggregationTemporality::Delta } else { AggregationTemporality::Cumulative };
    let histogram = Histogram { data_points: vec![point], aggregation_temporality: temporality.into() };
    let metric = OtlpMetric {
        name: stated.name.clone(),
        unit: stated.unit.clone(),
        data: Some(metric::Data::Histogram(histogram)),
        ..OtlpMetric::default()
    };
    let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
    let service = encode::service(scenario, stated.of.as_ref())?;
    let resource = encode::resource(scenario, &service)?;
    Ok(ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }],
    })
}
