//! What sample lines look like in both text formats: name, labels, numbers.

use std::fmt::Write as _;

use super::family::Sample;

/// Writes a name with the labels of a sample, and a space.
pub(super) fn write_head(out: &mut String, (name, suffix): (&str, &str), sample: &Sample<'_>, le: Option<&str>) {
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

/// Backslash, quote and line feed are the three that both formats escape.
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

/// Writes a count.
pub(super) fn push_count(out: &mut String, count: u64) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{count}");
}

/// Writes a number with the shortest digits that read back as the same number.
pub(super) fn push_number(out: &mut String, number: f64) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{number}");
}
