//! A clean tree to typed [`Settings`], and the rules that each room states about its own values.

use garde::Validate;

use crate::config::problem::{Code, Problem, Severity, quote};
use crate::config::settings::Settings;
use crate::config::written::{Entry, Node, Value};

/// Reads the settings and reports what the rooms' own rules refuse, at the values concerned.
///
/// `tree` holds every key (the defaults lie under it). A value that the types refuse although its shape was right is
/// reported and replaced by its default.
#[must_use]
pub(in crate::config) fn read(tree: &Node, problems: &mut Vec<Problem>) -> Settings {
    let settings = match serde_json::from_value::<Settings>(tree.to_json()) {
        Ok(settings) => settings,
        Err(_) => without_refused(tree, problems),
    };
    if let Err(report) = settings.validate() {
        for (path, error) in report.iter() {
            let path = path.to_string();
            let place = &tree.nearest(&path).place;
            problems.push(Problem::error(Code::OutOfRange, error.message()).at(place).about(&path));
        }
    }
    settings
}

/// Finds the leaves that the types refuse by reading each alone: the shape check leaves next to nothing to find.
fn without_refused(tree: &Node, problems: &mut Vec<Problem>) -> Settings {
    let mut leaves = Vec::new();
    collect(tree, "", &mut Vec::new(), &mut leaves);
    let before = problems.len();
    let mut good = serde_json::Value::Object(serde_json::Map::new());
    for (path, node, alone) in leaves {
        let mut candidate = good.clone();
        overlay(&mut candidate, &alone);
        if serde_json::from_value::<Settings>(candidate.clone()).is_ok() {
            good = candidate;
        } else {
            let message = format!("the value of {} cannot be used", quote(&path));
            problems.push(Problem::error(Code::WrongType, message).at(&node.place).about(&path));
        }
    }
    debug_assert!(problems[before..].iter().any(|problem| problem.severity == Severity::Error));
    serde_json::from_value(good).expect("only leaves that can be read were laid over")
}

type Leaf<'tree> = (String, &'tree Node, serde_json::Value);

fn collect<'tree>(node: &'tree Node, path: &str, above: &mut Vec<&'tree str>, leaves: &mut Vec<Leaf<'tree>>) {
    match &node.value {
        Value::Section(entries) if !entries.is_empty() => {
            for Entry { key, node, .. } in entries {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                above.push(key);
                collect(node, &below, above, leaves);
                above.pop();
            }
        }
        _ => {
            let alone = above.iter().rev().fold(node.to_json(), |value, key| {
                serde_json::Value::Object([((*key).to_owned(), value)].into_iter().collect())
            });
            leaves.push((path.to_owned(), node, alone));
        }
    }
}

fn overlay(under: &mut serde_json::Value, over: &serde_json::Value) {
    match (under, over) {
        (serde_json::Value::Object(under), serde_json::Value::Object(over)) => {
            for (key, value) in over {
                overlay(under.entry(key.clone()).or_insert(serde_json::Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::problem::{Source, SourceKind};
    use crate::config::written;

    #[test]
    fn a_value_that_only_the_types_refuse_is_named_and_the_others_are_kept() {
        let text = "server: {listen: nowhere, requests_max: 7}".to_owned();
        let source = Arc::new(Source { name: "x".to_owned(), text, kind: SourceKind::File, rank: 1 });
        let tree = written::read(&source, 0).0.expect("it is a mapping");
        let mut problems = Vec::new();
        let settings = read(&tree, &mut problems);
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["server.listen"]);
        assert_eq!(settings.server.requests_max, 7);
    }
}
