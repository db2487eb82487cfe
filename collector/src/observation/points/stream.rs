//! The identity of a stream of points (`ingest.md` 4).

use crate::observation::items::ItemWalk;
use crate::otlp::attributes::{AnyValue, Pair};
use crate::otlp::metrics::Metric;

impl ItemWalk<'_> {
    /// XXH3-128 over the resource's hash; scope, name and unit; kind, temporality and monotonicity; and each attribute,
    /// in the order of their bytes: `pairs` come in any order and go sorted.
    ///
    /// Texts have their length (u64) in front. The value of an attribute is its kind (the field number of `AnyValue`, 0
    /// unset), its scalar (u64; of a list its length) and its text (of a list that of its first element); maps and bytes
    /// count by their kind only, as nobody looks into them.
    pub(super) fn stream_id(&mut self, metric: &Metric<'_>, pairs: &mut [Pair<'_>]) -> [u8; 16] {
        pairs.sort_unstable_by(|one, other| parts(one).cmp(&parts(other)));
        let out = &mut self.scratch.text;
        out.clear();
        out.extend_from_slice(&self.around.resource.resource_hash.to_le_bytes());
        [metric.scope, metric.name, metric.unit].into_iter().for_each(|text| put_text(out, text));
        let temporality = u8::try_from(metric.temporality).unwrap_or(0);
        out.extend_from_slice(&[metric.kind as u8, temporality, u8::from(metric.is_monotonic)]);
        for pair in pairs.iter() {
            let (key, kind, scalar, text) = parts(pair);
            put_text(out, key);
            out.push(kind);
            out.extend_from_slice(&scalar.to_le_bytes());
            put_text(out, text);
        }
        twox_hash::XxHash3_128::oneshot(out).to_le_bytes()
    }
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text);
}

/// Key, kind, scalar and text.
fn parts<'a>(pair: &Pair<'a>) -> (&'a [u8], u8, u64, &'a [u8]) {
    let (kind, scalar, text) = match pair.value {
        AnyValue::Unset => (0, 0, &[][..]),
        AnyValue::Text(text) => (1, 0, text),
        AnyValue::Bool(value) => (2, u64::from(value), &[][..]),
        AnyValue::Int(value) => (3, value.cast_unsigned(), &[][..]),
        AnyValue::Double(value) => (4, value.to_bits(), &[][..]),
        AnyValue::Array { length, text } => (5, u64::from(length), text.unwrap_or_default()),
        AnyValue::Other(field) => (field, 0, &[][..]),
        AnyValue::Strindex => (8, 0, &[][..]),
    };
    (pair.key, kind, scalar, text)
}
