//! Weights of spans (`sli.md` 1.7), from the page's sentences.

use bailiwick_collector::observation::SamplingSettings;
use bailiwick_collector::observation::batch::row::WeightSource;

use super::attributes::Scalar;

/// What a span says of sampling.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    /// In units of 2^-32; 0: none.
    pub(super) weight: u64,
    pub(super) source: u64,
    /// A valid `rv`.
    pub(super) randomness: Option<u64>,
}

/// The weight of a span with this tracestate and this value of `sampling.rate_attribute`.
pub(super) fn sampled(trace_state: &str, rate: Option<&Scalar>, settings: &SamplingSettings) -> Sampled {
    let is_space = |c: char| c == ' ' || c == '\t';
    let members = trace_state.split(',').map(|member| member.trim_matches(is_space));
    let value = members.filter_map(|member| member.split_once('=')).find(|(key, _)| *key == "ot");
    let Some((_, value)) = value else { return by_rate(rate, settings, None) };
    let Some(pairs) = pairs(value) else {
        return Sampled { source: WeightSource::Invalid as u64, ..Sampled::default() };
    };
    let of = |key: &str| pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let randomness = of("rv").filter(|rv| rv.len() == 14 && is_hex(rv));
    let randomness = randomness.and_then(|rv| u64::from_str_radix(rv, 16).ok());
    let Some(th) = of("th") else { return by_rate(rate, settings, randomness) };
    if th.is_empty() || th.len() > 14 || !is_hex(th) {
        return Sampled { source: WeightSource::Invalid as u64, randomness, weight: 0 };
    }
    let threshold = u64::from_str_radix(&format!("{th:0<14}"), 16).expect("hexadecimal digits");
    // W = ceil(2^88 / (2^56 - T))
    let kept = (1_u128 << 56) - u128::from(threshold);
    let weight = (1_u128 << 88).div_ceil(kept);
    let source = match randomness {
        Some(rv) if rv < threshold => WeightSource::Inconsistent,
        _ => WeightSource::Threshold,
    };
    capped(weight, source, settings, randomness)
}

/// "Optional `sampling.rate_attribute` (w = 1/value) without `th`."
fn by_rate(rate: Option<&Scalar>, settings: &SamplingSettings, randomness: Option<u64>) -> Sampled {
    let Some(rate) = rate else { return Sampled { randomness, ..Sampled::default() } };
    let kept = match rate {
        Scalar::Text(text) => text.parse().unwrap_or(0.0),
        Scalar::Int(number) => *number as f64,
        Scalar::Double(number) => *number,
        Scalar::Bool(_) => 0.0,
    };
    if kept.is_nan() || kept <= 0.0 || kept > 1.0 {
        return Sampled { source: WeightSource::Invalid as u64, randomness, weight: 0 };
    }
    capped((2.0_f64.powi(32) / kept).ceil() as u128, WeightSource::Attribute, settings, randomness)
}

fn capped(weight: u128, source: WeightSource, settings: &SamplingSettings, randomness: Option<u64>) -> Sampled {
    let cap = u128::from(settings.weight_max) << 32;
    let source = if weight > cap { WeightSource::Capped } else { source };
    Sampled { weight: weight.min(cap) as u64, source: source as u64, randomness }
}

fn is_hex(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// "Value <= 256 characters, `key:value` joined by `;`, keys `[a-z][a-z0-9]*` and unique, values `[A-Za-z0-9._-]*`".
fn pairs(value: &str) -> Option<Vec<(&str, &str)>> {
    if value.len() > 256 {
        return None;
    }
    let mut pairs: Vec<(&str, &str)> = vec![];
    for piece in value.split(';') {
        let (key, value) = piece.split_once(':')?;
        let starts = key.starts_with(|c: char| c.is_ascii_lowercase());
        let is_key = starts && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let is_value = value.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if !is_key || !is_value || pairs.iter().any(|(known, _)| *known == key) {
            return None;
        }
        pairs.push((key, value));
    }
    Some(pairs)
}
