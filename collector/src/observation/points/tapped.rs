//! Which taps read a point: those of its metric whose attributes it has, equal or by pattern (`slo.md` 1.4).

use bailiwick_slo::taps::{Tap, TapNumber, Taps};

use super::add_extra;
use crate::observation::batch::row::{self, Extra, extra};
use crate::observation::items::ItemWalk;
use crate::observation::naming::write_text;
use crate::observation::scratch::Scratch;
use crate::otlp::attributes::{AnyValue, Pair, Value};

/// [`Extra::kind`] of a number.
const UNSIGNED: u8 = 0;

impl ItemWalk<'_> {
    /// Whether a tap names this metric: its points get rows then.
    pub(super) fn is_tapped(&self, metric: &[u8]) -> bool {
        !numbers(&self.scratch.taps, metric).is_empty()
    }

    /// Adds the numbers of the taps that read this point to its row.
    pub(super) fn taps_of_point(&mut self, row: &mut row::Point, metric: &[u8], pairs: &[Pair<'_>]) {
        let Scratch { taps, text, .. } = &mut *self.scratch;
        for number in numbers(taps, metric) {
            if taps.get(*number).is_some_and(|tap| has_attributes(tap, pairs, text)) {
                let said = Extra { key: extra::TAP, kind: UNSIGNED, value: u64::from(*number) };
                add_extra(self.builder, row, &said);
            }
        }
    }
}

fn numbers<'t>(taps: &'t Taps, metric: &[u8]) -> &'t [TapNumber] {
    if taps.is_empty() {
        return &[];
    }
    std::str::from_utf8(metric).map_or(&[], |metric| taps.reading(metric))
}

/// Whether a point has every attribute that a tap asks for. `written` is a buffer.
fn has_attributes(tap: &Tap, pairs: &[Pair<'_>], written: &mut Vec<u8>) -> bool {
    tap.attributes.iter().all(|(key, pattern)| {
        let mut said = pairs.iter().filter(|pair| pair.key == key.as_bytes());
        said.any(|pair| text(pair.value, written).is_some_and(|text| pattern.matches(text)))
    })
}

/// A value as text: a string, the one string of a list, or a number or truth as it is written. Else it fits no pattern.
fn text<'t>(value: AnyValue<'t>, written: &'t mut Vec<u8>) -> Option<&'t str> {
    let scalar = match value {
        AnyValue::Text(text) | AnyValue::Array { length: 1, text: Some(text) } => {
            return std::str::from_utf8(text).ok();
        }
        AnyValue::Bool(truth) => Value::Bool(truth),
        AnyValue::Int(number) => Value::Int(number),
        AnyValue::Double(number) => Value::Double(number),
        AnyValue::Unset | AnyValue::Array { .. } | AnyValue::Other(_) | AnyValue::Strindex => return None,
    };
    written.clear();
    write_text(written, scalar);
    std::str::from_utf8(written).ok()
}
