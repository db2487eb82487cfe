//! The Prometheus text format 0.0.4 (prometheus.io, "Exposition formats"). One growing string, no allocation a sample.

use std::fmt::Write as _;

use bailiwick_slo::latency::LE_NAMES;

use super::family::{Buckets, Family, Sample, Value};
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
            write_head(out, name, "", sample, None);
            push_count(out, *count);
        }
        Value::Number(number) => {
            write_head(out, name, "", sample, None);
            push_number(out, *number);
        }
        Value::Buckets(buckets) => write_buckets(out, name, sample, buckets),
    }
}

fn write_buckets(out: &mut String, name: &str, sample: &Sample<'_>, buckets: &Buckets) {
    let mut cumulative = 0_u64;
    for (le, count) in LE_NAMES.iter().copied().chain(["+Inf"]).zip(buckets.le) {
        cumulative += count;
        write_head(out, name, "_bucket", sample, Some(le));
        push_count(out, cumulative);
    }
    write_head(out, name, "_sum", sample, None);
    push_number(out, format::seconds(buckets.sum_ns));
    write_head(out, name, "_count", sample, None);
    push_count(out, cumulative);
}

fn write_head(out: &mut String, name: &str, suffix: &str, sample: &Sample<'_>, le: Option<&'static str>) {
    out.push_str(name);
    out.push_str(suffix);
    let mut separator = '{';
    for (label, value) in sample.pairs().chain(le.map(|le| ("le", le))) {
        out.push(separator);
        separator = ',';
        out.push_str(label);
        out.push_str("=\"");
        push_escaped(out, value);
        out.push('"');
    }
    if separator == ',' {
        out.push('}');
    }
    out.push(' ');
}

/// Backslash, quote and line feed are the three that the format escapes.
fn push_escaped(out: &mut String, value: &str) {
    let mut rest = value;
    while let Some(place) = rest.find(['\\', '"', '\n']) {
        out.push_str(&rest[..place]);
        out.push_str(match rest.as_bytes()[place] {
            b'\\' => "\\\\",
            b'"' => "\\\"",
            _ => "\\n",
        });
        rest = &rest[place + 1..];
    }
    out.push_str(rest);
}

fn push_count(out: &mut String, count: u64) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{count}");
}

fn push_number(out: &mut String, number: f64) {
    // The shortest digits that read back as the same number.
    let _ = writeln!(out, "{number}");
}
