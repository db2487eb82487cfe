//! OpenMetrics 1.0.0 text. The writer is `prometheus-client`; this file only hands it the families of a snapshot.

use std::fmt;

use bailiwick_slo::latency::LE_BOUNDS_NS;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder};
use prometheus_client::encoding::{NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::catalogue::{Descriptor, Kind, unit_of};
use super::family::{Buckets, Family, Sample, Value};
use crate::frontend::format;

/// The content type of this format.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The line that ends a document.
pub(crate) const EOF: &str = "# EOF\n";

#[derive(Debug)]
struct Families(Vec<Family>);

/// Writes these families, without [`EOF`].
///
/// # Errors
/// None in practice: the encoder only fails when its sink does, and a string never does.
pub(crate) fn write(out: &mut String, families: Vec<Family>) -> fmt::Result {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Families(families)));
    text::encode_registry(out, &registry)
}

/// The name that the encoder completes: without `_total` and without the unit.
fn stem(descriptor: &Descriptor) -> &'static str {
    let name = match descriptor.kind {
        Kind::Counter => descriptor.name.strip_suffix("_total").unwrap_or(descriptor.name),
        Kind::Gauge | Kind::Histogram => descriptor.name,
    };
    match unit_of(name) {
        Some(unit) => &name[..name.len() - unit.len() - 1],
        None => name,
    }
}

fn unit(descriptor: &Descriptor) -> Option<Unit> {
    unit_of(descriptor.name).map(|name| match name {
        "seconds" => Unit::Seconds,
        "bytes" => Unit::Bytes,
        other => Unit::Other(other.to_owned()),
    })
}

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in self.0.iter().filter(|family| !family.is_empty()) {
            let descriptor = family.descriptor;
            let unit = unit(descriptor);
            let kind = match descriptor.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let mut metric = encoder.encode_descriptor(stem(descriptor), descriptor.help, unit.as_ref(), kind)?;
            for sample in family.samples() {
                if sample.labels.is_empty() {
                    write_value(&mut metric, descriptor.kind, sample.value)?;
                } else {
                    write_value(&mut metric.encode_family(&sample)?, descriptor.kind, sample.value)?;
                }
            }
        }
        Ok(())
    }
}

fn write_value(metric: &mut MetricEncoder<'_>, kind: Kind, value: &Value) -> fmt::Result {
    match (kind, value) {
        (Kind::Counter, Value::Count(count)) => metric.encode_counter::<NoLabelSet, u64, u64>(count, None),
        (Kind::Counter, Value::Number(number)) => metric.encode_counter::<NoLabelSet, f64, f64>(number, None),
        (_, Value::Count(count)) => metric.encode_gauge(count),
        (_, Value::Number(number)) => metric.encode_gauge(number),
        (_, Value::Buckets(buckets)) => write_buckets(metric, buckets),
    }
}

fn write_buckets(metric: &mut MetricEncoder<'_>, buckets: &Buckets) -> fmt::Result {
    let mut bounds = [(f64::INFINITY, 0_u64); 15];
    for (place, count) in buckets.le.iter().enumerate() {
        let upper = LE_BOUNDS_NS.get(place).map_or(f64::INFINITY, |bound| format::seconds(u128::from(*bound)));
        bounds[place] = (upper, *count);
    }
    let count = buckets.le.iter().sum();
    metric.encode_histogram::<NoLabelSet>(format::seconds(buckets.sum_ns), count, &bounds, None)
}

impl EncodeLabelSet for Sample<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for pair in self.pairs() {
            pair.encode(encoder.encode_label())?;
        }
        Ok(())
    }
}
