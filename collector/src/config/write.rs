//! Settings back to YAML: the commented default file, and what is in force with where it came from.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::problem::SourceKind;
use super::written::{Entry, Meaning, Node, Scalar, Value};
use super::{load, schema};

/// Widest line of the default file.
const WIDTH: usize = 100;

/// How the default file begins. The first line tells editors where the schema is.
const HEAD: &str = "\
# yaml-language-server: $schema=schemas/config.json
#
# The settings of Bailiwick with their defaults. Every key may be left out.
# Durations: 500ms 90s 5m 1h30m 28d 4w. Sizes: 64MiB (1024), 64MB (1000).
# ${NAME} and ${NAME:-default} take values from the environment; $$ is a dollar.
# `bailiwick check` finds every mistake; `bailiwick config show --effective --origin` tells what is in force.
";

/// The commented default file.
#[must_use]
pub fn default_file() -> String {
    let schema = schema::document();
    let tree = load::defaults();
    let mut text = HEAD.to_owned();
    section(&mut text, &tree, 0, &Comments::Described(&schema));
    text
}

/// A tree as YAML, each leaf marked with its origin where that is wanted.
#[must_use]
pub fn yaml(tree: &Node, origin: bool) -> String {
    let mut text = String::new();
    section(&mut text, tree, 0, if origin { &Comments::Origin } else { &Comments::None });
    if text.is_empty() { "{}\n".to_owned() } else { text }
}

enum Comments<'schema> {
    None,
    /// `# default`, `# FILE:LINE`, `# env NAME` or `# flag` behind each leaf.
    Origin,
    /// What the schema says, above each key.
    Described(&'schema Json),
}

fn section(text: &mut String, node: &Node, depth: usize, comments: &Comments<'_>) {
    let Value::Section(entries) = &node.value else { return };
    let indent = "  ".repeat(depth);
    for Entry { key, node, .. } in entries {
        let below = match comments {
            Comments::Described(schema) => {
                let schema = &schema["properties"][key.as_str()];
                if depth == 0 {
                    text.push('\n');
                }
                for line in describe(schema, WIDTH - indent.len() - 2) {
                    let _ = writeln!(text, "{indent}# {line}");
                }
                &Comments::Described(schema)
            }
            other => other,
        };
        let key = scalar(&Scalar { text: key.clone(), quoted: true }, false);
        match &node.value {
            Value::Section(entries) if !entries.is_empty() => {
                let _ = writeln!(text, "{indent}{key}:");
                section(text, node, depth + 1, below);
            }
            _ => leaf(text, &format!("{indent}{key}:"), node, below),
        }
    }
}

fn leaf(text: &mut String, head: &str, node: &Node, comments: &Comments<'_>) {
    let origin = match comments {
        Comments::Origin => format!("  # {}", origin(node)),
        _ => String::new(),
    };
    let value = inline(node);
    match &node.value {
        Value::List(items) if head.len() + value.len() > WIDTH => {
            let _ = writeln!(text, "{head}{origin}");
            let indent = head.len() - head.trim_start().len();
            for item in items {
                let _ = writeln!(text, "{:indent$}  - {}", "", inline(item));
            }
        }
        _ => {
            let _ = writeln!(text, "{head} {value}{origin}");
        }
    }
}

/// Where a value was written.
fn origin(node: &Node) -> String {
    let source = &node.place.source;
    match source.kind {
        SourceKind::Defaults => "default".to_owned(),
        SourceKind::File => format!("{}:{}", source.name, node.place.line_column().0),
        SourceKind::Environment => source.name.clone(),
        SourceKind::Flag => "flag".to_owned(),
    }
}

fn inline(node: &Node) -> String {
    match &node.value {
        Value::Scalar(value) => scalar(value, true),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Section(entries) => {
            let entry = |entry: &Entry| {
                let key = scalar(&Scalar { text: entry.key.clone(), quoted: true }, false);
                format!("{key}: {}", inline(&entry.node))
            };
            let entries: Vec<String> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// A scalar that reads back as it is: plain where nothing else could be meant, else in quotes.
fn scalar(value: &Scalar, dollars: bool) -> String {
    let text = &value.text;
    if !value.quoted {
        // Plain ones were so in the source, or are numbers, flags and quantities.
        return match value.meaning() {
            Meaning::Nothing => "null".to_owned(),
            Meaning::Text(text) => scalar(&Scalar { text: text.to_owned(), quoted: true }, dollars),
            _ => text.clone(),
        };
    }
    let first = text.starts_with(|first: char| first.is_ascii_alphanumeric() || matches!(first, '_' | '/'));
    let safe = first
        && !text.ends_with(':')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./:".contains(&byte))
        && matches!(Scalar { text: text.clone(), quoted: false }.meaning(), Meaning::Text(_));
    // Readers of YAML 1.1 take these for flags.
    let flag = ["yes", "no", "on", "off", "y", "n", "true", "false"].contains(&text.to_ascii_lowercase().as_str());
    if safe && !flag {
        return text.clone();
    }
    let text = if dollars { text.replace('$', "$$") } else { text.clone() };
    Json::String(text).to_string()
}

/// Description, words and range of a key, wrapped.
fn describe(schema: &Json, width: usize) -> Vec<String> {
    let mut words = schema["description"].as_str().unwrap_or_default().replace('\n', " ");
    let variants = schema["oneOf"].as_array().into_iter().flatten();
    let choices: Vec<&str> = variants.filter_map(|variant| variant["const"].as_str()).collect();
    if !choices.is_empty() {
        let _ = write!(words, " One of: {}.", choices.join(", "));
    }
    if let (Some(min), Some(max)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64())
        && schema["type"] == "integer"
    {
        let _ = write!(words, " ({min} to {max})");
    }
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
