//! A Rust file as the tokens that the compiler sees: comments are gone, a string is one token, groups know their ends.
//!
//! It knows which of its tokens are test code. It judges nothing.

use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A word, a mark (`::` is one), a literal, or one end of a group.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: String,
    /// From 1.
    pub(super) line: usize,
    /// For an opening bracket the place of the closing one, otherwise its own place.
    pub(super) end: usize,
    /// How many groups it stands in.
    pub(super) depth: usize,
}

/// A function with a body.
#[derive(Debug)]
pub(super) struct Function<'s> {
    pub(super) name: &'s str,
    /// Its first line.
    pub(super) line: usize,
    /// From `fn` to the closing brace.
    pub(super) lines: usize,
}

/// A colon with another mark right behind it, until that is known to be a colon or not.
const OPEN_COLON: &str = ": ";

/// A Rust file.
#[derive(Debug)]
pub(super) struct Source {
    /// From the root of the tree.
    pub(super) path: String,
    pub(super) line_count: usize,
    pub(super) tokens: Vec<Token>,
    tests: Vec<Range<usize>>,
}

impl Source {
    /// Reads a file; `is_test` where all of it is test code.
    ///
    /// # Errors
    /// When the text is no Rust.
    pub(super) fn read(path: &str, text: &str, is_test: bool) -> Result<Self, String> {
        let stream: TokenStream = text.parse().map_err(|error| format!("failed to read {path} as Rust: {error}"))?;
        let mut tokens = Vec::new();
        flatten(stream, 0, &mut tokens);
        for lonely in tokens.iter_mut().filter(|token| token.text == OPEN_COLON) {
            ":".clone_into(&mut lonely.text);
        }
        let mut source = Self { path: path.to_owned(), line_count: text.lines().count(), tokens, tests: Vec::new() };
        source.tests = if is_test { vec![source.whole()] } else { source.test_items() };
        Ok(source)
    }

    /// The text of a token; empty behind the last one.
    pub(super) fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// The text of the token before; empty before the first one.
    pub(super) fn text_before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |before| self.text(before))
    }

    /// Whether these tokens stand at this place.
    pub(super) fn reads(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.text(at + offset) == *word)
    }

    /// Every place at which these tokens stand.
    pub(super) fn places<'s>(&'s self, words: &'s [&'s str]) -> impl Iterator<Item = usize> + 's {
        (0..self.tokens.len()).filter(|at| self.reads(*at, words))
    }

    /// Whether a token is test code.
    pub(super) fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|region| region.contains(&at))
    }

    /// The modules that are compiled for tests only and have a file of their own.
    pub(super) fn test_modules(&self) -> impl Iterator<Item = &str> {
        self.places(&["mod"]).filter(|at| self.is_test(*at) && self.text(at + 2) == ";").map(|at| self.text(at + 1))
    }

    /// All functions with a body, also those inside others and inside macros.
    pub(super) fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        self.places(&["fn"]).filter(|at| is_word(self.text(at + 1))).filter_map(|at| {
            let depth = self.tokens[at].depth;
            let body = (at..self.tokens.len())
                .take_while(|place| self.tokens[*place].depth >= depth)
                .find(|place| self.tokens[*place].depth == depth && matches!(self.text(*place), "{" | ";"))?;
            (self.text(body) == "{").then(|| Function {
                name: self.text(at + 1),
                line: self.tokens[at].line,
                lines: self.tokens[self.tokens[body].end].line - self.tokens[at].line + 1,
            })
        })
    }

    fn whole(&self) -> Range<usize> {
        0..self.tokens.len()
    }

    /// The items behind `#[cfg(test)]`.
    fn test_items(&self) -> Vec<Range<usize>> {
        let marked = self.places(&["#", "[", "cfg", "(", "test", ")", "]"]);
        marked.map(|at| at..self.item_end(at)).collect()
    }

    /// The place behind an item that begins with attributes.
    fn item_end(&self, start: usize) -> usize {
        let mut at = start;
        while self.reads(at, &["#", "["]) {
            at = self.tokens[at + 1].end + 1;
        }
        let depth = self.tokens[start].depth;
        let is_use = (at..self.tokens.len())
            .take_while(|place| self.text(*place) != ";")
            .any(|place| self.tokens[place].depth == depth && self.text(place) == "use");
        let is_last = |place: &usize| {
            let here = self.tokens[*place].depth == depth;
            here && (self.text(*place) == ";" || self.text(*place) == "{" && !is_use)
        };
        let around = (at..self.tokens.len()).find(|place| self.tokens[*place].depth < depth);
        let around = around.unwrap_or(self.tokens.len());
        (at..around).find(is_last).map_or(around, |place| self.tokens[place].end + 1)
    }
}

/// Whether a token is a name or a keyword.
pub(super) fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn flatten(stream: TokenStream, depth: usize, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                let start = tokens.len();
                push(tokens, open.to_owned(), line, depth);
                flatten(group.stream(), depth + 1, tokens);
                tokens[start].end = tokens.len();
                push(tokens, close.to_owned(), group.span_close().start().line, depth);
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' && ends_with_open_colon(tokens) => {
                let last = tokens.last_mut().expect("a colon was found there");
                "::".clone_into(&mut last.text);
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' && mark.spacing() == proc_macro2::Spacing::Joint => {
                push(tokens, OPEN_COLON.to_owned(), line, depth);
            }
            other => push(tokens, other.to_string(), line, depth),
        }
    }
}

fn ends_with_open_colon(tokens: &[Token]) -> bool {
    tokens.last().is_some_and(|token| token.text == OPEN_COLON)
}

fn push(tokens: &mut Vec<Token>, text: String, line: usize, depth: usize) {
    let end = tokens.len();
    tokens.push(Token { text, line, end, depth });
}
