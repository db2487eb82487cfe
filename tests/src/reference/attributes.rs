//! Attributes as far as they are used (`ingest.md` 3, "Values used", "Items").

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use xxhash_rust::xxh3::Xxh3;

/// A used value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Text(String),
    Int(i64),
    Bool(bool),
    Double(f64),
}

impl Scalar {
    /// int, bool and double count as text.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
            Self::Double(number) => number.to_string(),
        }
    }

    /// A whole number from 0: as int, as double up to 2^53, as text.
    pub(super) fn count(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Int(number) => (*number).try_into().ok(),
            Self::Double(number) => {
                let is_whole = number.fract() == 0.0 && *number >= 0.0 && *number <= 2.0_f64.powi(53);
                is_whole.then_some(*number as u64)
            }
            Self::Bool(_) => None,
        }
    }

    pub(super) fn is_text(&self, text: &str) -> bool {
        matches!(self, Self::Text(mine) if mine == text)
    }
}

/// The used values of one carrier, and what was odd about them.
#[derive(Debug, Default)]
pub(super) struct Used {
    values: BTreeMap<String, Scalar>,
    pub(super) shape: bool,
    pub(super) duplicate: bool,
    pub(super) strindex: bool,
}

impl Used {
    /// Reads attributes; keys for which `used` is false are passed over.
    pub(super) fn read(attributes: &[KeyValue], used: impl Fn(&str) -> bool) -> Self {
        let mut read = Self::default();
        let mut seen: Vec<&str> = vec![];
        for attribute in attributes {
            read.strindex |= attribute.key_strindex != 0;
            let key = attribute.key.as_str();
            if !used(key) {
                continue;
            }
            if seen.contains(&key) {
                read.duplicate = true;
                continue;
            }
            seen.push(key);
            match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Value::StringValueStrindex(_)) => read.strindex = true,
                value => match scalar(value) {
                    // "An empty attribute value is absent."
                    Some(Scalar::Text(text)) if text.is_empty() => {}
                    Some(scalar) => drop(read.values.insert(key.to_owned(), scalar)),
                    None => read.shape = true,
                },
            }
        }
        read
    }

    pub(super) fn get(&self, key: &str) -> Option<&Scalar> {
        self.values.get(key)
    }

    /// The first of these keys that has a value, and its place from 1.
    pub(super) fn first<K: AsRef<str>>(&self, keys: &[K]) -> Option<(u8, &Scalar)> {
        keys.iter().zip(1..).find_map(|(key, place)| Some((place, self.get(key.as_ref())?)))
    }
}

/// string; int, bool, double; an array of exactly one string.
fn scalar(value: Option<&Value>) -> Option<Scalar> {
    match value? {
        Value::StringValue(text) => Some(Scalar::Text(text.clone())),
        Value::IntValue(number) => Some(Scalar::Int(*number)),
        Value::BoolValue(truth) => Some(Scalar::Bool(*truth)),
        Value::DoubleValue(number) => Some(Scalar::Double(*number)),
        Value::ArrayValue(array) => match &array.values[..] {
            [AnyValue { value: Some(Value::StringValue(text)) }] => Some(Scalar::Text(text.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// Identity of a resource: the sum, for each attribute, of XXH3-64 over length and bytes of the key, bytes of a text,
/// kind of the value (its field number, 0 unset), and its scalar or the length of its text.
pub(super) fn resource_hash(attributes: &[KeyValue]) -> u64 {
    attributes.iter().map(attribute_hash).fold(0, u64::wrapping_add)
}

fn attribute_hash(attribute: &KeyValue) -> u64 {
    let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
    let (text, kind, scalar) = match value {
        None => ("", 0_u8, 0),
        Some(Value::StringValue(text)) => (text.as_str(), 1, text.len() as u64),
        Some(Value::BoolValue(truth)) => ("", 2, u64::from(*truth)),
        Some(Value::IntValue(number)) => ("", 3, *number as u64),
        Some(Value::DoubleValue(number)) => ("", 4, number.to_bits()),
        Some(Value::ArrayValue(_)) => ("", 5, 0),
        Some(Value::KvlistValue(_)) => ("", 6, 0),
        Some(Value::BytesValue(_)) => ("", 7, 0),
        Some(Value::StringValueStrindex(_)) => ("", 8, 0),
    };
    let mut hash = Xxh3::new();
    hash.update(&(attribute.key.len() as u64).to_le_bytes());
    hash.update(attribute.key.as_bytes());
    hash.update(text.as_bytes());
    hash.update(&[kind]);
    hash.update(&scalar.to_le_bytes());
    hash.digest()
}
