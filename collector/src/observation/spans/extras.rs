//! What few spans have: a weight, counts of messages and tokens, further tenants.

use super::super::batch::row::{self, Extra, WeightSource, extra, flag};
use super::super::items::ItemWalk;
use super::super::slots;
use super::super::tracestate::{self, Rate};
use crate::otlp::attributes::{Slots, Value};

/// [`Extra::kind`] of a string.
const STRING: u8 = 3;

impl ItemWalk<'_> {
    /// Writes all extras of a span, in one run. For spans that are known to get a row.
    pub(super) fn extras(&mut self, row: &mut row::Span, trace_state: &[u8], attributes: &Slots<'_>) {
        self.weight(row, trace_state, attributes);
        let counts = [
            (extra::MESSAGES, attributes.get(slots::MESSAGES)),
            (extra::TOKENS_INPUT, attributes.first_of(slots::TOKENS_INPUT, 2).map(|(_, value)| value)),
            (extra::TOKENS_OUTPUT, attributes.first_of(slots::TOKENS_OUTPUT, 2).map(|(_, value)| value)),
        ];
        for (key, value) in counts {
            let Some(value) = value else { continue };
            match count(value) {
                Some(count) => self.add_number(row, key, count),
                None => row.flags |= flag::ATTRIBUTE_SHAPE,
            }
        }
        if attributes.get(slots::TENANT_SET).is_some() {
            for place in 0..self.scratch.tenant_set.len() {
                let tenant = u64::from(self.scratch.tenant_set[place]);
                self.add(row, Extra { key: extra::TENANT_SET, kind: STRING, value: tenant });
            }
        }
    }

    pub(super) fn add_number(&mut self, row: &mut row::Span, key: u16, value: u64) {
        self.add(row, Extra { key, kind: 0, value });
    }

    fn add(&mut self, row: &mut row::Span, extra: Extra) {
        let place = self.builder.extra(&extra);
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
            self.add_number(row, extra::RANDOMNESS, randomness);
        }
        // A reader derives these two from the weight: rows stay small.
        if !matches!(source, WeightSource::None | WeightSource::Threshold) {
            self.add_number(row, extra::WEIGHT_SOURCE, source as u64);
        }
    }
}

/// A value as a count: a whole number from 0, also as double (up to 2^53, where doubles stop being exact) or text.
fn count(value: Value<'_>) -> Option<u64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Int(number) => u64::try_from(number).ok(),
        Value::Double(number) => {
            (number.fract() == 0.0 && (0.0..=EXACT_MAX).contains(&number)).then_some(number as u64)
        }
        Value::Text(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
        Value::Bool(_) => None,
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
