//! Names that say nothing, and limits that hide their quality in front.

use super::finding::Finding;
use super::source::{Source, is_word};
use super::tree::Tree;

/// What no file, folder or module is called.
const EMPTY: [&str; 7] = ["utils", "helpers", "common", "misc", "types", "manager", "handler2"];

/// Words that say nothing in the name of a type.
const EMPTY_IN_TYPES: [&str; 8] = ["Util", "Utils", "Helper", "Helpers", "Common", "Misc", "Manager", "Handler2"];

pub(super) fn places(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in tree.texts.keys() {
        let parts = path.split('/').map(|part| part.split('.').next().unwrap_or_default());
        for part in parts.filter(|part| EMPTY.contains(part)) {
            let says = format!("`{part}` names no concept: call it by what is in it");
            findings.push(Finding::new(path, 1, part, says));
        }
    }
    for source in &tree.sources {
        for at in source.places(&["mod"]) {
            let name = source.text(at + 1);
            if EMPTY.contains(&name) {
                let says = format!("module `{name}` names no concept: call it by what is in it");
                findings.push(Finding::new(&source.path, source.tokens[at].line, name, says));
            }
        }
    }
    findings
}

pub(super) fn words(tree: &Tree) -> Vec<Finding> {
    let crates = crate_names(tree);
    let mut findings = Vec::new();
    for source in &tree.sources {
        for (at, token) in source.tokens.iter().enumerate().filter(|(_, token)| is_word(&token.text)) {
            let name = &*token.text;
            let is_empty = name.to_ascii_lowercase().contains("_util") && !crates.iter().any(|known| known == name);
            let is_empty_type =
                || declares_type(source, at) && words_of(name).any(|word| EMPTY_IN_TYPES.contains(&word));
            if is_empty || is_empty_type() {
                let says = format!("`{name}` says nothing: call it by what it does");
                findings.push(Finding::new(&source.path, token.line, name, says));
            }
            if declares_limit(source, at) {
                let says = format!("`{name}` is a limit: its qualifier stands last, `…_max`");
                findings.push(Finding::new(&source.path, token.line, name, says));
            }
        }
    }
    findings
}

fn declares_type(source: &Source, at: usize) -> bool {
    ["struct", "enum", "trait", "type", "union"].contains(&source.text_before(at))
}

/// `const MAX_X`, `static MAX_X`, and `max_x: T` of a field or an argument.
fn declares_limit(source: &Source, at: usize) -> bool {
    let name = source.text(at);
    let is_constant = ["const", "static"].contains(&source.text_before(at)) && name.starts_with("MAX_");
    is_constant || name.starts_with("max_") && source.text(at + 1) == ":"
}

/// The words of a CamelCase name.
fn words_of(name: &str) -> impl Iterator<Item = &str> {
    let starts = name.char_indices().filter(|(_, letter)| letter.is_ascii_uppercase()).map(|(at, _)| at);
    let starts: Vec<usize> = starts.collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([name.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| &name[start..end])
}

/// How the dependencies of the workspace are called in code.
fn crate_names(tree: &Tree) -> Vec<String> {
    let manifest = tree.texts.get("Cargo.toml").map_or("", String::as_str);
    manifest.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_")).collect()
}

mod verdicts {
    use super::super::finding::judge;
    use super::super::tree::HOUSE;

    /// Scenario: all files, folders and modules.
    /// Guarantee: each is called by what is in it.
    #[test]
    fn places_are_called_by_what_is_in_them() {
        judge(&super::places(&HOUSE), &[]);
    }

    /// Scenario: all names in Rust files.
    /// Guarantee: no empty words; limits end in `_max`.
    #[test]
    fn names_say_something_and_limits_end_in_max() {
        judge(&super::words(&HOUSE), &[]);
    }
}
