//! `${NAME}` and `${NAME:-default}` in values; `$$` is a dollar. A variable that is not set is an error.

use std::collections::BTreeMap;

use super::tree::{Entry, Node, Value};
use crate::config::problem::{Code, Problem, quote};

/// The process environment, as an argument.
pub type Environment = BTreeMap<String, String>;

/// Replaces references in every value below `node`; values with a bad one are left out and reported.
#[must_use]
pub(in crate::config) fn expand(node: Node, environment: &Environment, problems: &mut Vec<Problem>) -> Option<Node> {
    let Node { place, value } = node;
    let value = match value {
        Value::Scalar(mut scalar) => {
            if scalar.text.contains('$') {
                match replace(&scalar.text, environment) {
                    Ok(text) => scalar.text = text,
                    Err(message) => {
                        let problem = Problem::error(Code::EnvUnset, message).at(&place);
                        problems.push(problem.help("set it, write `${NAME:-default}`, or `$$` for a dollar"));
                        return None;
                    }
                }
            }
            Value::Scalar(scalar)
        }
        Value::List(items) => {
            let count = items.len();
            let items: Vec<Node> = items.into_iter().filter_map(|item| expand(item, environment, problems)).collect();
            if items.len() < count {
                return None;
            }
            Value::List(items)
        }
        Value::Section(entries) => Value::Section(
            entries
                .into_iter()
                .filter_map(|Entry { key, key_place, node }| {
                    expand(node, environment, problems).map(|node| Entry { key, key_place, node })
                })
                .collect(),
        ),
    };
    Some(Node { place, value })
}

fn replace(text: &str, environment: &Environment) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(body) = rest.strip_prefix('{') {
            let end = body.find('}').ok_or_else(|| format!("{} has no closing brace", quote(&format!("${rest}"))))?;
            out.push_str(&resolve(&body[..end], environment)?);
            rest = &body[end + 1..];
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn resolve(reference: &str, environment: &Environment) -> Result<String, String> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let mut bytes = name.bytes();
    let first_is_letter = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if !first_is_letter || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(format!("{} names no environment variable", quote(&format!("${{{reference}}}"))));
    }
    match (environment.get(name).filter(|value| !(value.is_empty() && default.is_some())), default) {
        (Some(value), _) => Ok(value.clone()),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(format!("environment variable {} is not set", quote(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        [("HOST", "127.0.0.1"), ("EMPTY", "")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn references_take_the_variable_or_the_default() {
        let expand = |text| replace(text, &environment());
        assert_eq!(expand("${HOST}:1").as_deref(), Ok("127.0.0.1:1"));
        assert_eq!(expand("${NONE:-x}${HOST:-y}").as_deref(), Ok("x127.0.0.1"));
        assert_eq!(
            expand("${EMPTY:-x}${EMPTY}").as_deref(),
            Ok("x"),
            "as in a shell, `:-` also replaces an empty value"
        );
        assert_eq!(expand("$$HOST $$${HOST} 5$").as_deref(), Ok("$HOST $127.0.0.1 5$"));
    }

    #[test]
    fn what_a_variable_holds_is_not_expanded_again() {
        let environment = Environment::from([("A".to_owned(), "${A}${A}".to_owned())]);
        assert_eq!(replace("${A}", &environment).as_deref(), Ok("${A}${A}"));
    }

    #[test]
    fn an_unset_variable_an_open_brace_and_a_strange_name_are_errors() {
        for text in ["${NONE}", "${HOST", "${}", "${1A}", "${A B}"] {
            assert!(replace(text, &environment()).is_err(), "{text}");
        }
    }
}
