//! Settings that stand outside files: environment variables and `--set`, each a path and a value in YAML.

use std::sync::Arc;

use super::expand::Environment;
use super::syntax;
use super::tree::{Entry, Node, Scalar, Value};
use crate::config::problem::{Code, Place, Problem, Severity, Source, SourceKind};
use crate::config::valid;
use crate::config::valid::Shape;

/// What names of our environment variables begin with.
const PREFIX: &str = "BAILIWICK_";

/// Variables of the command line, which are no settings.
const COMMAND_LINE: [&str; 3] = ["BAILIWICK_CONFIG", "BAILIWICK_SERVER", "BAILIWICK_KEY_FILE"];

/// The trees of all environment variables that set something, by name, and what is wrong with the others.
#[must_use]
pub(in crate::config) fn from_environment(
    environment: &Environment,
    shape: &Shape,
    rank: usize,
) -> (Vec<Node>, Vec<Problem>) {
    let (mut nodes, mut problems) = (Vec::new(), Vec::new());
    for (name, value) in environment {
        let Some(key) = name.strip_prefix(PREFIX) else { continue };
        if COMMAND_LINE.contains(&name.as_str()) {
            continue;
        }
        let source = Arc::new(Source {
            name: format!("env {name}"),
            text: format!("{name}={value}"),
            kind: SourceKind::Environment,
            rank: rank + nodes.len(),
        });
        let nested = key.contains("__");
        if !nested && shape.key(&key.to_ascii_lowercase()).is_none() {
            if !of_kubernetes(key) {
                let path = key.to_ascii_lowercase();
                let mut problem = valid::unknown_key(shape, shape, "", &path).about(&path);
                problem.severity = Severity::Warning;
                problems.push(problem.at(&Place::new(&source, 0, name.len())));
            }
            continue;
        }
        let (node, found) = assign(&source, PREFIX.len(), name.len(), "__");
        problems.extend(found);
        nodes.extend(node);
    }
    (nodes, problems)
}

/// What Kubernetes sets for a service that is called like us.
fn of_kubernetes(key: &str) -> bool {
    key.ends_with("SERVICE_HOST") || key == "PORT" || key.starts_with("PORT_") || key.contains("_PORT")
}

/// The tree of one `--set key=value`, and what is wrong with it.
#[must_use]
pub(in crate::config) fn from_flag(text: &str, rank: usize) -> (Option<Node>, Vec<Problem>) {
    let source = Arc::new(Source { name: "--set".to_owned(), text: text.to_owned(), kind: SourceKind::Flag, rank });
    let Some(equals) = text.find('=') else {
        let problem = Problem::error(Code::YamlSyntax, "`--set` wants key=value");
        return (None, vec![problem.at(&Place::new(&source, 0, text.len()))]);
    };
    assign(&source, 0, equals, ".")
}

/// Reads `...path=value`, where the path stands from `start` to `equals`.
fn assign(source: &Arc<Source>, start: usize, equals: usize, separator: &str) -> (Option<Node>, Vec<Problem>) {
    let (value, problems) = syntax::read(source, equals + 1);
    let end = Place::new(source, equals + 1, equals + 1);
    let nothing = Value::Scalar(Scalar { text: String::new(), quoted: false });
    let value = value.unwrap_or(Node { place: end, value: nothing });
    if !problems.is_empty() {
        return (None, problems);
    }
    let mut steps = Vec::new();
    let mut at = start;
    for step in source.text[start..equals].split(separator) {
        let key = if separator == "__" { step.to_ascii_lowercase() } else { step.to_owned() };
        steps.push((key, Place::new(source, at, at + step.len())));
        at += step.len() + separator.len();
    }
    let node = steps.into_iter().rev().fold(value, |node, (key, key_place)| Node {
        place: key_place.clone(),
        value: Value::Section(vec![Entry { key, key_place, node }]),
    });
    (Some(node), problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema;

    fn environment(names: &[(&str, &str)]) -> Environment {
        names.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_variable_names_its_key_by_double_underscores() {
        let environment = environment(&[("BAILIWICK_RECEIVER__GRPC__LISTEN", "[127.0.0.1:0]")]);
        let (nodes, problems) = from_environment(&environment, schema::shape(), 1);
        assert_eq!(problems, []);
        assert_eq!(nodes[0].to_json(), serde_json::json!({"receiver": {"grpc": {"listen": ["127.0.0.1:0"]}}}));
    }

    #[test]
    fn variables_of_the_command_line_of_kubernetes_and_of_others_set_nothing() {
        let environment = environment(&[
            ("BAILIWICK_CONFIG", "/x"),
            ("BAILIWICK_SERVER", "http://127.0.0.1:4319"),
            ("BAILIWICK_SERVICE_HOST", "10.0.0.1"),
            ("BAILIWICK_OTLP_SERVICE_HOST", "10.0.0.1"),
            ("BAILIWICK_PORT", "tcp://10.0.0.1:4317"),
            ("BAILIWICK_PORT_4317_TCP_ADDR", "10.0.0.1"),
            ("BAILIWICK_SERVICE_PORT_HTTP", "4318"),
            ("HOME", "/root"),
        ]);
        assert_eq!(from_environment(&environment, schema::shape(), 1), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_stranger_among_our_variables_is_a_warning() {
        let (nodes, problems) = from_environment(&environment(&[("BAILIWICK_TELEMETRI", "x")]), schema::shape(), 1);
        assert!(nodes.is_empty());
        assert_eq!(problems[0].severity, Severity::Warning);
        assert_eq!(problems[0].label.as_deref(), Some("did you mean `telemetry`?"));
    }

    #[test]
    fn a_flag_names_its_key_by_dots_and_its_value_in_yaml() {
        let (node, problems) = from_flag("tenancy.aliases={a: acme}", 1);
        assert_eq!(problems, []);
        let node = node.expect("it was read");
        assert_eq!(node.to_json(), serde_json::json!({"tenancy": {"aliases": {"a": "acme"}}}));
        let place = &node.nearest("tenancy.aliases.a").place;
        assert_eq!(&place.source.text[place.start..place.end], "acme");
    }
}
