//! What is wrong with a configuration, and where: values only, shown by [`super::render`].
//!
//! Bad input is data here: nothing in this room stops at the first problem.

use std::sync::Arc;

/// A text that settings were read from.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// How it is named to the operator: a path, `env NAME` or `--set`.
    pub name: String,
    /// Its text, as problems quote it.
    pub text: String,
    /// What it is.
    pub kind: SourceKind,
    /// Its place in the order of precedence; later ones win.
    pub rank: usize,
}

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// The values built in.
    Defaults,
    /// A file.
    File,
    /// An environment variable.
    Environment,
    /// A `--set` on the command line.
    Flag,
}

/// A stretch of a source: byte offsets, end exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// First byte.
    pub start: usize,
    /// Byte behind the last.
    pub end: usize,
}

impl Place {
    /// A stretch of `source`, kept inside its text and on character boundaries.
    #[must_use]
    pub fn new(source: &Arc<Source>, start: usize, end: usize) -> Self {
        let start = source.text.floor_char_boundary(start);
        let end = source.text.floor_char_boundary(end).max(start);
        Self { source: Arc::clone(source), start, end }
    }

    /// Line and column of its first character, both from 1; columns count characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let before = &self.source.text[..self.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The daemon does not start.
    Error,
    /// The daemon starts; `check --strict` fails.
    Warning,
}

impl Severity {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What kind of problem it is: the stable word that scripts and documents use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Not YAML, or YAML that settings do not use (aliases, tags, a second document).
    YamlSyntax,
    /// A tab where YAML wants spaces.
    YamlTab,
    /// A key stands twice in one mapping.
    DuplicateKey,
    /// A key that means nothing.
    UnknownKey,
    /// Text where a number belongs, and the like.
    WrongType,
    /// Not a duration.
    BadDuration,
    /// Not a size.
    BadSize,
    /// Not an address or URL.
    BadAddress,
    /// Not a tenant id.
    BadTenantId,
    /// Outside the values that make sense.
    OutOfRange,
    /// A listener that would serve strangers without authentication.
    UnsafeListen,
    /// `${NAME}` without a value.
    EnvUnset,
    /// A file that cannot be read.
    FileMissing,
    /// A name stands twice where it may stand once.
    DuplicateName,
    /// Two values that do not go together.
    Conflict,
}

impl Code {
    /// The published word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::YamlSyntax => "yaml_syntax",
            Self::YamlTab => "yaml_tab",
            Self::DuplicateKey => "duplicate_key",
            Self::UnknownKey => "unknown_key",
            Self::WrongType => "wrong_type",
            Self::BadDuration => "bad_duration",
            Self::BadSize => "bad_size",
            Self::BadAddress => "bad_address",
            Self::BadTenantId => "bad_tenant_id",
            Self::OutOfRange => "out_of_range",
            Self::UnsafeListen => "unsafe_listen",
            Self::EnvUnset => "env_unset",
            Self::FileMissing => "file_missing",
            Self::DuplicateName => "duplicate_name",
            Self::Conflict => "conflict",
        }
    }
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands; none for a file that could not be read.
    pub place: Option<Place>,
    /// The key's path, as in `server.listen`; empty for the whole file.
    pub path: String,
    /// What is wrong, with keys and values as written.
    pub message: String,
    /// A word at the place itself.
    pub label: Option<String>,
    /// What would be right.
    pub help: Option<String>,
}

impl Problem {
    /// An error.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            place: None,
            path: String::new(),
            message: message.into(),
            label: None,
            help: None,
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// The same about a key.
    #[must_use]
    pub fn about(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// The same with a word at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same with what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Longest quotation in a message.
const QUOTE_CHARS_MAX: usize = 60;

/// A key or value as written, between backticks, cut where it is long and without control characters.
#[must_use]
pub(super) fn quote(text: &str) -> String {
    let mut shown: String =
        text.chars().take(QUOTE_CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(QUOTE_CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// How many of these are errors, and how many warnings.
#[must_use]
pub fn count(problems: &[Problem]) -> (usize, usize) {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    (errors, problems.len() - errors)
}

/// Puts problems in the order in which an operator reads: source by source, from top to bottom.
pub(super) fn sort(problems: &mut [Problem]) {
    problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.source.rank, place.start)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let text = "a: 1\né: ü\n".to_owned();
        let at = text.find('ü').expect("the text holds it");
        let source = Arc::new(Source { name: "x".to_owned(), text, kind: SourceKind::File, rank: 0 });
        assert_eq!(Place::new(&source, at, at + 1).line_column(), (2, 4));
        assert_eq!(Place::new(&source, 0, 1).line_column(), (1, 1));
        assert_eq!(Place::new(&source, 999, 9_999).line_column(), (3, 1));
    }
}
