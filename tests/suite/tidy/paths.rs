//! The paths that a file names, in full: `use` trees are unfolded, `super` and imported names are followed.

use std::collections::BTreeMap;

use super::source::{Source, is_word};

/// A path with `crate` or the name of another crate in front.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) is_test: bool,
}

/// All paths of a file, in the order of their lines.
pub(super) fn named(source: &Source) -> Vec<Named> {
    let mut reader = Reader { source, known: BTreeMap::new(), found: Vec::new() };
    let uses: Vec<usize> = reader.uses().collect();
    reader.local_modules();
    for at in &uses {
        reader.tree(at + 1, &[], *at);
    }
    reader.bodies();
    reader.found.sort_by_key(|named| named.line);
    reader.found
}

/// Where a file stands: `crate`, room, modules.
fn file_module(path: &str) -> Vec<String> {
    let inside = path.split_once("src/").map_or(path, |(_, inside)| inside).trim_end_matches(".rs");
    let modules = inside.split('/').filter(|part| !["mod", "lib", "main"].contains(part));
    std::iter::once("crate").chain(modules).map(str::to_owned).collect()
}

struct Reader<'s> {
    source: &'s Source,
    /// Names that stand for longer paths: imports and modules of this file.
    known: BTreeMap<String, Vec<String>>,
    found: Vec<Named>,
}

impl Reader<'_> {
    fn uses(&self) -> impl Iterator<Item = usize> {
        self.source.places(&["use"]).filter(|at| self.source.text(at + 1) != "<")
    }

    /// The module in which a token stands.
    fn module_at(&self, at: usize) -> Vec<String> {
        let mut module = file_module(&self.source.path);
        for start in self.source.places(&["mod"]).take_while(|start| *start < at) {
            if self.source.text(start + 2) == "{" && at < self.source.tokens[start + 2].end {
                module.push(self.source.text(start + 1).to_owned());
            }
        }
        module
    }

    fn local_modules(&mut self) {
        for at in self.source.places(&["mod"]) {
            let name = self.source.text(at + 1);
            if is_word(name) {
                let mut path = self.module_at(at);
                path.push(name.to_owned());
                self.known.insert(name.to_owned(), path);
            }
        }
    }

    /// One branch of a `use` tree from this token on; returns the place behind it.
    fn tree(&mut self, mut at: usize, before: &[String], start: usize) -> usize {
        let mut path = before.to_vec();
        loop {
            match self.source.text(at) {
                "::" => at += 1,
                "{" => {
                    let end = self.source.tokens[at].end;
                    let mut inner = at + 1;
                    while inner < end {
                        inner = self.tree(inner, &path, start) + 1;
                    }
                    return end + 1;
                }
                "*" => {
                    path.push("*".to_owned());
                    self.note(start, at, &path);
                    return at + 1;
                }
                "self" if !path.is_empty() => at += 1,
                word if is_word(word) && word != "as" => {
                    path.push(word.to_owned());
                    at += 1;
                }
                _ => break,
            }
        }
        let name = if self.source.text(at) == "as" {
            at += 2;
            self.source.text(at - 1).to_owned()
        } else {
            path.last().cloned().unwrap_or_default()
        };
        let full = self.note(start, at.saturating_sub(1), &path);
        if full.last() != Some(&name) || full.len() > 1 {
            self.known.entry(name).or_insert(full);
        }
        at
    }

    /// Every path outside of `use`.
    fn bodies(&mut self) {
        let uses: Vec<_> = self.uses().map(|at| at..self.statement_end(at)).collect();
        let mut at = 0;
        while at < self.source.tokens.len() {
            if let Some(statement) = uses.iter().find(|statement| statement.contains(&at)) {
                at = statement.end;
                continue;
            }
            let is_head = is_word(self.source.text(at)) && self.source.text(at + 1) == "::";
            if !is_head || matches!(self.source.text_before(at), "::" | ".") {
                at += 1;
                continue;
            }
            let start = at;
            let mut path = vec![self.source.text(at).to_owned()];
            while self.source.text(at + 1) == "::" && is_word(self.source.text(at + 2)) {
                at += 2;
                path.push(self.source.text(at).to_owned());
            }
            self.note(start, start, &path);
            at += 1;
        }
    }

    fn statement_end(&self, at: usize) -> usize {
        (at..self.source.tokens.len()).find(|place| self.source.text(*place) == ";").unwrap_or(at)
    }

    /// Notes a path that was written at `at` in a statement that began at `start`; returns it in full.
    fn note(&mut self, start: usize, at: usize, path: &[String]) -> Vec<String> {
        let full = self.full(start, path);
        if full.first().is_some_and(|head| head != "Self") {
            let line = self.source.tokens[at].line;
            self.found.push(Named { path: full.join("::"), line, is_test: self.source.is_test(start) });
        }
        full
    }

    fn full(&self, at: usize, path: &[String]) -> Vec<String> {
        let (head, rest) = path.split_first().expect("a path has a head");
        let mut full = match head.as_str() {
            "crate" => vec!["crate".to_owned()],
            "self" | "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let mut module = self.module_at(at);
                module.truncate(module.len().saturating_sub(ups));
                module.extend(path[ups.max(1)..].iter().cloned());
                return module;
            }
            name => self.known.get(name).cloned().unwrap_or_else(|| vec![name.to_owned()]),
        };
        full.extend(rest.iter().cloned());
        full
    }
}
