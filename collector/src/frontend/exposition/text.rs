//! The Prometheus text format 0.0.4 (prometheus.io, "Exposition formats"). One growing string, no allocation a sample.
//! It knows no exemplars.

use bailiwick_slo::latency::LE_NAMES;

use super::family::{Buckets, Family, Sample, Value};
use super::line::{push_count, push_number, write_head};
use crate::frontend::format;

/// The content type of this format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes these families; those without a sample are left out whole.
pub(crate) fn write(out: &mut String, families: &[Family]) {
    for family in families.iter().filter(|family| !family.is_empty()) {
        let descriptor = family.descriptor;
        for (word, text) in [("HELP", descriptor.help), ("TYPE", descriptor.kind.name())] {
            for part in ["# ", word, " ", descriptor.name, " ", text, "\n"] {
                out.push_str(part);
            }
        }
        for sample in family.samples() {
            write_sample(out, descriptor.name, &sample);
        }
    }
}

fn write_sample(out: &mut String, name: &str, sample: &Sample<'_>) {
    match sample.value {
        Value::Count(count) => {
            write_head(out, (name, ""), sample, None);
            push_count(out, *count);
        }
        Value::Number(number) => {
            write_head(out, (name, ""), sample, None);
            push_number(out, *number);
        }
        Value::Buckets(buckets) => write_buckets(out, name, sample, buckets),
    }
    out.push('\n');
}

fn write_buckets(out: &mut String, name: &str, sample: &Sample<'_>, buckets: &Buckets) {
    let mut cumulative = 0_u64;
    for (le, count) in LE_NAMES.iter().copied().chain(["+Inf"]).zip(buckets.le) {
        cumulative += count;
        write_head(out, (name, "_bucket"), sample, Some(le));
        push_count(out, cumulative);
        out.push('\n');
    }
    write_head(out, (name, "_sum"), sample, None);
    push_number(out, format::seconds(buckets.sum_ns));
    out.push('\n');
    write_head(out, (name, "_count"), sample, None);
    push_count(out, cumulative);
}
