//! The JSON schema of the configuration file (2020-12), from the settings' own types and comments.

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value as Json, json};

use super::settings::Settings;
use super::valid::Shape;

/// What types cannot say about a key: its format, and an example where the default shows none.
/// `[]` is the item of a list.
const MARKS: [(&str, &str, Option<&str>); 6] = [
    ("receiver.grpc.listen.[]", "socket-address", Some("127.0.0.1:4317")),
    ("receiver.http.listen.[]", "socket-address", Some("127.0.0.1:4318")),
    ("server.listen", "socket-address", None),
    ("server.external_url", "uri", Some("https://bailiwick.example.com")),
    ("server.allowed_hosts.[]", "hostname", Some("bailiwick.example.com")),
    ("telemetry.otlp_endpoint", "uri", Some("http://127.0.0.1:14317")),
];

/// Examples of mappings with names of the operator's.
fn map_examples() -> [(&'static str, Json); 3] {
    [
        ("tenancy.aliases", json!({"4711": "acme"})),
        ("modules.aliases", json!({"rag-hub": "rag_hub"})),
        ("modules.failing_4xx", json!({"rag_hub": [408, 429]})),
    ]
}

/// The schema as a document without references, so that no name of a Rust type shows.
#[must_use]
pub fn document() -> Json {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = Settings::json_schema(&mut settings.into_generator());
    let mut schema = schema.to_value();
    for (path, format, example) in MARKS {
        let key = find(&mut schema, path);
        key["format"] = format.into();
        if let Some(example) = example {
            key["examples"] = json!([example]);
        }
    }
    for (path, example) in map_examples() {
        find(&mut schema, path)["examples"] = json!([example]);
    }
    finish(&mut schema);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Configuration of Bailiwick".into();
    schema
}

/// The committed form: pretty-printed, one line end at the end.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", document())
}

/// What may stand where.
#[must_use]
pub(super) fn shape() -> &'static Shape {
    static SHAPE: LazyLock<Shape> =
        LazyLock::new(|| Shape::of(&document()).expect("the schema of our own settings has a shape; a test reads it"));
    &SHAPE
}

fn find<'schema>(schema: &'schema mut Json, path: &str) -> &'schema mut Json {
    path.split('.').fold(schema, |schema, step| match step {
        "[]" => &mut schema["items"],
        key => &mut schema["properties"][key],
    })
}

/// Gives each key its default as example where it has no better one, and takes out the widths of our integers.
fn finish(schema: &mut Json) {
    if schema.get("format").and_then(Json::as_str).is_some_and(|format| format.starts_with("uint")) {
        schema.as_object_mut().map(|schema| schema.remove("format"));
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(inner).filter(|inner| inner.is_object()) {
            finish(inner);
        }
    }
    for key in schema.get_mut("properties").and_then(Json::as_object_mut).into_iter().flat_map(|keys| keys.values_mut())
    {
        finish(key);
        if key.get("examples").is_none() {
            key["examples"] = json!([key["default"].clone()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_description_a_default_and_an_example() {
        fn visit(schema: &Json, path: &str) {
            let Some(keys) = schema.get("properties").and_then(Json::as_object) else { return };
            for (key, schema) in keys {
                let path = format!("{path}.{key}");
                assert!(
                    schema["description"].as_str().is_some_and(|text| !text.is_empty()),
                    "{path} has no description"
                );
                assert!(schema.get("default").is_some(), "{path} has no default");
                assert!(schema["examples"][0] != Json::Null, "{path} has no example");
                visit(schema, &path);
            }
        }
        visit(&document(), "");
    }

    #[test]
    fn marks_stand_on_keys_that_exist() {
        let plain = shape();
        for (path, ..) in MARKS {
            let key = path.trim_end_matches(".[]");
            assert!(plain.paths().iter().any(|known| known == key), "{path}");
        }
    }

    #[test]
    fn no_rust_name_shows() {
        let text = text();
        for name in ["ServerSettings", "RequestSettings", "ByteSize", "Period", "uint32", "$ref", "$defs"] {
            assert!(!text.contains(name), "{name}");
        }
    }

    #[test]
    fn the_committed_schema_is_the_code_s() {
        let committed = include_str!("../../schemas/config.json");
        assert!(committed == text(), "run: bailiwick config schema > collector/schemas/config.json");
    }
}
