//! OpenMetrics 1.0.0 text. Unlike 0.0.4 it names counters' families without `_total`, tells units, writes bounds as
//! floats, and shows exemplars: spans to look up, named by trace and span id alone.
//!
//! Written here: the crate that the specification names cannot take exemplars of buckets that were counted elsewhere.

use std::fmt::Write as _;

use bailiwick_slo::latency::LE_NAMES;

use super::catalogue::{Descriptor, Kind, unit_of};
use super::family::{Buckets, Family, Sample, Value};
use super::line::{push_count, push_number, write_head};
use crate::aggregator::snapshot::Exemplar;
use crate::frontend::format;

/// The content type of this format.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The line that ends a document.
pub(crate) const EOF: &str = "# EOF\n";

/// Bounds as OpenMetrics wants them: `1.0`, not `1`.
const LE_FLOATS: [&str; LE_NAMES.len()] =
    ["0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0", "7.5", "10.0"];

/// Writes these families, without [`EOF`]; those without a sample are left out whole.
pub(crate) fn write(out: &mut String, families: &[Family]) {
    for family in families.iter().filter(|family| !family.is_empty()) {
        let descriptor = family.descriptor;
        let name = family_name(descriptor);
        for (word, text) in [
            ("HELP", Some(descriptor.help)),
            ("TYPE", Some(descriptor.kind.name())),
            ("UNIT", unit_of(descriptor.name)),
        ] {
            for part in text.iter().flat_map(|text| ["# ", word, " ", name, " ", *text, "\n"]) {
                out.push_str(part);
            }
        }
        for sample in family.samples() {
            write_sample(out, descriptor, &sample);
        }
    }
}

/// `_total` is the sample's, not the family's.
fn family_name(descriptor: &Descriptor) -> &'static str {
    match descriptor.kind {
        Kind::Counter => descriptor.name.strip_suffix("_total").unwrap_or(descriptor.name),
        Kind::Gauge | Kind::Histogram => descriptor.name,
    }
}

fn write_sample(out: &mut String, descriptor: &Descriptor, sample: &Sample<'_>) {
    match sample.value {
        Value::Count(count) => {
            write_head(out, (descriptor.name, ""), sample, None);
            push_count(out, *count);
            if let Some(exemplar) = sample.exemplar {
                // It is one of those that were counted.
                write_exemplar(out, exemplar, 1.0);
            }
        }
        Value::Number(number) => {
            write_head(out, (descriptor.name, ""), sample, None);
            push_number(out, *number);
        }
        Value::Buckets(buckets) => write_buckets(out, descriptor.name, sample, buckets),
    }
    out.push('\n');
}

fn write_buckets(out: &mut String, name: &str, sample: &Sample<'_>, buckets: &Buckets) {
    let mut cumulative = 0_u64;
    let bounds = LE_FLOATS.iter().copied().chain(["+Inf"]);
    for ((le, count), exemplar) in bounds.zip(buckets.le).zip(&buckets.exemplars) {
        cumulative += count;
        write_head(out, (name, "_bucket"), sample, Some(le));
        push_count(out, cumulative);
        let timed = exemplar.as_ref().and_then(|exemplar| Some((exemplar, exemplar.duration_ns?)));
        if let Some((exemplar, duration_ns)) = timed {
            write_exemplar(out, exemplar, format::seconds(duration_ns.into()));
        }
        out.push('\n');
    }
    write_head(out, (name, "_sum"), sample, None);
    push_number(out, format::seconds(buckets.sum_ns));
    out.push('\n');
    write_head(out, (name, "_count"), sample, None);
    push_count(out, cumulative);
}

fn write_exemplar(out: &mut String, exemplar: &Exemplar, value: f64) {
    let Exemplar { trace_id, span_id, end_ns, .. } = exemplar;
    let (seconds, millis) = (end_ns / 1_000_000_000, end_ns / 1_000_000 % 1_000);
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        " # {{trace_id=\"{:032x}\",span_id=\"{:016x}\"}} {value} {seconds}.{millis:03}",
        u128::from_be_bytes(*trace_id),
        u64::from_be_bytes(*span_id),
    );
}

#[cfg(test)]
mod tests {
    use bailiwick_slo::latency::LE_BOUNDS_NS;

    use super::*;

    #[test]
    fn bounds_read_as_floats_and_mean_the_same() {
        for (text, bound) in LE_FLOATS.iter().zip(LE_BOUNDS_NS) {
            assert!(text.contains('.'), "{text}");
            let read: f64 = text.parse().expect("a number");
            assert!((read - format::seconds(bound.into())).abs() < 1e-12, "{text}");
        }
    }
}
