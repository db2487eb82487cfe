//! What few spans have: a weight, counts of messages and tokens, further tenants.

use super::super::batch::row::{self, Extra, WeightSource, extra};
use super::super::slots;
use super::super::tracestate::{self, Rate};
use super::SpanWalk;
use crate::otlp::attributes::{Slots, Value};

impl SpanWalk<'_> {
    /// Writes all extras of a span, in one run. For spans that are known to get a row.
    pub(super) fn extras(&mut self, row: &mut row::Span, trace_state: &[u8], attributes: &Slots<'_>) {
        self.weight(row, trace_state, attributes);
    }

    fn add(&mut self, row: &mut row::Span, key: u16, value: u64) {
        let place = self.builder.extra(&Extra { key, kind: 0, value });
        if row.extras == 0 {
            row.first_extra = place;
        }
        row.extras += 1;
    }

    fn weight(&mut self, row: &mut row::Span, trace_state: &[u8], attributes: &Slots<'_>) {
        let entry = tracestate::read(trace_state);
        let rate = attributes.get(slots::RATE).map_or(Rate::None, |value| Rate::Stated(number(value)));
        let (weight, source) = entry.weigh(rate, self.rules.sampling.weight_max);
        row.weight = weight;
        if let Some(randomness) = entry.randomness {
            self.add(row, extra::RANDOMNESS, randomness);
        }
        // A reader derives these two from the weight: rows stay small.
        if !matches!(source, WeightSource::None | WeightSource::Threshold) {
            self.add(row, extra::WEIGHT_SOURCE, source as u64);
        }
    }
}

/// A value as a number; NaN for what is none.
fn number(value: Value<'_>) -> f64 {
    match value {
        Value::Double(number) => number,
        Value::Int(number) => number as f64,
        Value::Text(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN),
        Value::Bool(_) => f64::NAN,
    }
}
