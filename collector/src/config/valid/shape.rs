//! What may stand where, read from the JSON schema of the settings: the one source of keys, kinds and ranges.

use serde_json::Value as Json;

/// What may stand behind a key.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::config) enum Shape {
    /// A mapping with known keys.
    Section(Vec<(String, Self)>),
    /// A mapping with names of the operator's.
    Map(Box<Self>),
    /// A sequence of so many.
    List {
        /// What its items are.
        item: Box<Self>,
        /// Fewest items.
        min: usize,
        /// Most items.
        max: usize,
    },
    /// Nothing, or the other.
    Optional(Box<Self>),
    /// One of these words.
    Choice(Vec<String>),
    /// A whole number in this range.
    Whole {
        /// Smallest.
        min: i128,
        /// Largest.
        max: i128,
    },
    /// `true` or `false`.
    Flag,
    /// A number of bytes.
    Size,
    /// A length of time.
    Duration,
    /// `IP:PORT`.
    Address,
    /// Any text.
    Text,
}

impl Shape {
    /// Reads a schema without references.
    ///
    /// # Errors
    /// The part of the schema that has no shape here; tests keep that from happening to ours.
    pub(in crate::config) fn of(schema: &Json) -> Result<Self, String> {
        if let Some(words) = choice(schema) {
            return Ok(Self::Choice(words));
        }
        let format = schema["format"].as_str().unwrap_or_default();
        match (&schema["type"], format) {
            (_, "size") => Ok(Self::Size),
            (_, "period") => Ok(Self::Duration),
            (Json::String(kind), "socket-address") if kind == "string" => Ok(Self::Address),
            (Json::String(kind), _) => Self::of_kind(kind, schema),
            (Json::Array(kinds), _) => match kinds.as_slice() {
                [Json::String(kind), Json::String(null)] if null == "null" => {
                    Ok(Self::Optional(Box::new(Self::of_kind(kind, schema)?)))
                }
                _ => Err(schema.to_string()),
            },
            _ => Err(schema.to_string()),
        }
    }

    fn of_kind(kind: &str, schema: &Json) -> Result<Self, String> {
        let count = |key: &str| schema[key].as_u64().and_then(|count| usize::try_from(count).ok());
        let number = |key: &str| schema[key].as_i64().map(i128::from);
        match (kind, &schema["properties"], &schema["additionalProperties"]) {
            ("boolean", ..) => Ok(Self::Flag),
            ("string", ..) => Ok(Self::Text),
            ("integer", ..) => Ok(Self::Whole {
                min: number("minimum").unwrap_or(i128::from(i64::MIN)),
                max: number("maximum").unwrap_or(i128::from(i64::MAX)),
            }),
            ("array", ..) => Ok(Self::List {
                item: Box::new(Self::of(&schema["items"])?),
                min: count("minItems").unwrap_or(0),
                max: count("maxItems").unwrap_or(usize::MAX),
            }),
            ("object", Json::Object(keys), _) => {
                let keys = keys.iter().map(|(key, schema)| Ok((key.clone(), Self::of(schema)?)));
                Ok(Self::Section(keys.collect::<Result<_, String>>()?))
            }
            ("object", _, values @ Json::Object(_)) => Ok(Self::Map(Box::new(Self::of(values)?))),
            _ => Err(schema.to_string()),
        }
    }

    /// The shape behind a key of this mapping.
    #[must_use]
    pub(in crate::config) fn key(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Section(keys) => keys.iter().find(|(known, _)| known == key).map(|(_, shape)| shape),
            Self::Map(values) => Some(values),
            _ => None,
        }
    }

    /// Every path to a key below this shape, with dots.
    #[must_use]
    pub(in crate::config) fn paths(&self) -> Vec<String> {
        let Self::Section(keys) = self else { return Vec::new() };
        let mut paths = Vec::new();
        for (key, shape) in keys {
            paths.push(key.clone());
            paths.extend(shape.paths().into_iter().map(|below| format!("{key}.{below}")));
        }
        paths
    }
}

fn choice(schema: &Json) -> Option<Vec<String>> {
    let word = |word: &Json| word.as_str().map(str::to_owned);
    match (&schema["enum"], &schema["oneOf"]) {
        (Json::Array(words), _) => words.iter().map(word).collect(),
        (_, Json::Array(variants)) => variants.iter().map(|variant| word(&variant["const"])).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_of_no_known_shape_is_named() {
        let error = Shape::of(&json!({"type": "object", "properties": {"x": {"type": "number"}}}));
        assert_eq!(error, Err(r#"{"type":"number"}"#.to_owned()));
    }

    #[test]
    fn ranges_words_and_optional_values_are_read() {
        let schema = json!({"type": "object", "properties": {
            "n": {"type": "integer", "minimum": 1, "maximum": 9},
            "o": {"type": ["string", "null"]},
            "w": {"oneOf": [{"const": "a"}, {"const": "b"}]},
        }});
        let shape = Shape::of(&schema).expect("all of it has a shape");
        assert_eq!(shape.key("n"), Some(&Shape::Whole { min: 1, max: 9 }));
        assert_eq!(shape.key("o"), Some(&Shape::Optional(Box::new(Shape::Text))));
        assert_eq!(shape.key("w"), Some(&Shape::Choice(vec!["a".to_owned(), "b".to_owned()])));
    }
}
