//! What a definition means as programs read it: `bailiwick.slo-explain/v1`.

use bailiwick_slo::explain::{Explanation, Section, Written};
use serde_json::{Map, Value as Json, json};

/// An explanation: sections of rows, each with its words and its numbers by name.
#[must_use]
pub fn explanation_json(told: &Explanation) -> Json {
    let section = |section: &Section| {
        let rows = section.rows.iter().map(|row| {
            let numbers = row.numbers.iter().flat_map(|number| number.written());
            let numbers = numbers.map(|(key, value)| (key, written(value)));
            json!({"label": row.label, "text": row.text, "numbers": Map::from_iter(numbers)})
        });
        json!({"name": section.name, "title": section.title, "rows": rows.collect::<Vec<_>>()})
    };
    json!({
        "schema": "bailiwick.slo-explain/v1",
        "slo": told.slo,
        "revision": told.revision,
        "sections": told.sections.iter().map(section).collect::<Vec<_>>(),
    })
}

fn written(value: Written) -> Json {
    match value {
        Written::Number(text) => serde_json::from_str(&text).unwrap_or(Json::Null),
        Written::Text(text) => Json::String(text),
        Written::Flag(flag) => Json::Bool(flag),
        Written::Nothing => Json::Null,
    }
}
