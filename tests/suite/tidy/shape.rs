//! How large files and functions are, how a file opens, and what a `mod.rs` holds.

use super::finding::Finding;
use super::source::{Source, is_word};
use super::tree::Tree;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Files that must stay smaller than others.
const SMALL: [(&str, usize); 2] = [("collector/src/main.rs", 80), ("collector/src/app.rs", 250)];

pub(super) fn sizes(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        let lines_max = SMALL.iter().find(|(path, _)| *path == source.path).map_or(FILE_LINES_MAX, |small| small.1);
        if source.line_count > lines_max {
            let says = format!(
                "{} lines, at most {lines_max}: move tests to a file, then split by concept",
                source.line_count
            );
            findings.push(Finding::new(&source.path, lines_max + 1, "file", says));
        }
        for function in source.functions().filter(|function| function.lines > FUNCTION_LINES_MAX) {
            let (name, lines) = (function.name, function.lines);
            let says = format!("`{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}: name its parts");
            findings.push(Finding::new(&source.path, function.line, name, says));
        }
    }
    findings
}

pub(super) fn openings(tree: &Tree) -> Vec<Finding> {
    let silent = tree.texts.iter().filter(|(path, text)| path.ends_with(".rs") && !text.starts_with("//!"));
    let says = "does not open with `//!`: say what the file is for (of tests: what they prove)";
    silent.map(|(path, _)| Finding::new(path, 1, "opening", says)).collect()
}

pub(super) fn doors(tree: &Tree) -> Vec<Finding> {
    let doors = tree.sources.iter().filter(|source| source.path.ends_with("/mod.rs"));
    doors.flat_map(door).collect()
}

/// Logic in a `mod.rs`: free functions, and behaviour of types that are not the folder's public ones.
fn door(source: &Source) -> Vec<Finding> {
    let outside = |at: &usize| source.tokens[*at].depth == 0 && !source.is_test(*at);
    let mut findings = Vec::new();
    for at in source.places(&["fn"]).filter(outside) {
        let name = source.text(at + 1);
        let says = format!("`{name}` stands in a mod.rs: move it to a file of its folder");
        findings.push(Finding::new(&source.path, source.tokens[at].line, name, says));
    }
    for at in source.places(&["impl"]).filter(outside) {
        let subject = subject(source, at);
        let is_declared = |kind| source.places(&["pub", kind, subject]).any(|_| true);
        if !["struct", "enum", "trait", "type"].into_iter().any(is_declared) {
            let says = format!(
                "`impl {subject}` stands in a mod.rs that does not publish it: move it to a file of its folder"
            );
            findings.push(Finding::new(&source.path, source.tokens[at].line, subject, says));
        }
    }
    findings
}

/// The type that an `impl` is about: the last segment of the path before `<`, `where` or the body.
fn subject(source: &Source, at: usize) -> &str {
    let body = (at..source.tokens.len()).find(|place| source.text(*place) == "{").unwrap_or(at);
    let start = (at..body)
        .find(|place| source.text(*place) == "for")
        .map_or_else(|| behind_generics(source, at + 1), |place| place + 1);
    let path = (start..body).take_while(|place| is_word(source.text(*place)) || source.text(*place) == "::");
    path.filter(|place| is_word(source.text(*place))).last().map_or("", |place| source.text(place))
}

fn behind_generics(source: &Source, at: usize) -> usize {
    let mut open = 0_usize;
    for place in at..source.tokens.len() {
        match source.text(place) {
            "<" => open += 1,
            ">" => open = open.saturating_sub(1),
            _ if open == 0 => return place,
            _ => {}
        }
    }
    at
}

mod verdicts {
    use super::super::finding::judge;
    use super::super::tree::HOUSE;

    /// Scenario: every Rust file and every function, tests included.
    /// Guarantee: none is larger than the house allows.
    #[test]
    fn files_and_functions_stay_small() {
        judge(&super::sizes(&HOUSE), &[]);
    }

    /// Scenario: the first line of every Rust file.
    /// Guarantee: it says what the file is for.
    #[test]
    fn every_file_says_what_it_is_for() {
        judge(&super::openings(&HOUSE), &[]);
    }

    /// Scenario: every mod.rs outside of tests.
    /// Guarantee: it is a list of modules and the folder's public types.
    #[test]
    fn a_mod_file_holds_no_logic() {
        judge(&super::doors(&HOUSE), &[]);
    }
}
