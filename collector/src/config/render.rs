//! Problems as people and programs read them: with the line they stand in, as JSON, as annotations of a pull request.

use std::fmt;
use std::fmt::Write as _;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use serde_json::{Value as Json, json};

use super::problem::{Place, Problem, Severity, count};

/// Most problems that are shown: who has more will not read them.
pub const SHOWN_MAX: usize = 100;

/// Most bytes of a line that are shown before and after the place.
const BEFORE_MAX: usize = 60;
const AFTER_MAX: usize = 120;

/// How much a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Colours and line drawing.
    Terminal,
    /// Plain characters.
    Plain,
}

/// Problems with the lines that they stand in.
#[must_use]
pub fn human(problems: &[Problem], look: Look) -> String {
    let mut text = String::new();
    for problem in problems.iter().take(SHOWN_MAX) {
        text.push_str(&one(problem, look));
        text.push('\n');
    }
    if problems.len() > SHOWN_MAX {
        let _ = writeln!(text, "... and {} more problems", problems.len() - SHOWN_MAX);
    }
    text
}

/// `2 errors, 1 warning`.
#[must_use]
pub fn totals(errors: usize, warnings: usize) -> String {
    let counted = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"))
}

/// The document `bailiwick.check/v1`.
#[must_use]
pub fn json(problems: &[Problem]) -> Json {
    let (errors, warnings) = count(problems);
    let shown: Vec<Json> = problems.iter().take(SHOWN_MAX).map(json_one).collect();
    json!({"schema": "bailiwick.check/v1", "problems": shown, "errors": errors, "warnings": warnings})
}

fn json_one(problem: &Problem) -> Json {
    let (line, column) = problem.place.as_ref().map_or((None, None), |place| {
        let (line, column) = place.line_column();
        (Some(line), Some(column))
    });
    json!({
        "code": problem.code.name(),
        "severity": problem.severity.name(),
        "file": problem.place.as_ref().map(|place| place.source.name.as_str()),
        "line": line,
        "column": column,
        "path": problem.path,
        "message": problem.message,
        "help": help(problem),
    })
}

/// The label and the help in one line, for forms without a drawing.
fn help(problem: &Problem) -> Option<String> {
    match (&problem.label, &problem.help) {
        (Some(label), Some(help)) => Some(format!("{label} {help}")),
        (label, help) => label.clone().or_else(|| help.clone()),
    }
}

/// Workflow commands that GitHub shows beside the lines of a pull request.
#[must_use]
pub fn github(problems: &[Problem]) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut text = String::new();
    for problem in problems.iter().take(SHOWN_MAX) {
        let at = problem.place.as_ref().map_or_else(String::new, |place| {
            let (line, column) = place.line_column();
            format!("file={},line={line},col={column},", property(&place.source.name))
        });
        let message = match help(problem) {
            Some(help) => format!("{}\n{help}", problem.message),
            None => problem.message.clone(),
        };
        let _ = writeln!(
            text,
            "::{} {at}title={}::{}",
            problem.severity.name(),
            property(problem.code.name()),
            data(&message)
        );
    }
    text
}

fn one(problem: &Problem, look: Look) -> String {
    let handler = GraphicalReportHandler::new_themed(theme(look, problem))
        .with_links(false)
        .with_context_lines(0)
        .with_width(120)
        .without_syntax_highlighting();
    // Plainly, the word stands behind the mark, which takes one line less.
    let label = problem.label.as_deref();
    let (drawn_label, joined_label) = if look == Look::Plain { (None, label) } else { (label, None) };
    let mut drawn = String::new();
    let line = problem.place.as_ref().and_then(Line::of);
    let diagnostic = Drawn { problem, label: drawn_label, line };
    // Writing to a string does not fail; should drawing fail, the words alone must do.
    if handler.render_report(&mut drawn, &diagnostic).is_err() {
        drawn = format!("{}[{}]: {}\n", problem.severity.name(), problem.code.name(), problem.message);
    }
    let mut text = String::new();
    for line in drawn.trim_start().lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        text.push_str(line);
        if let (Some(label), true) = (joined_label, line.ends_with('^')) {
            let _ = write!(text, " {label}");
        }
        text.push('\n');
    }
    text
}

/// The line of a place, as far as it is shown.
#[derive(Debug)]
struct Line {
    name: String,
    text: String,
    /// Where `text` begins in the source.
    offset: usize,
    /// Both from 0.
    number: usize,
    column: usize,
    /// The marked bytes, in the source.
    marked: SourceSpan,
}

impl Line {
    /// None for a file that could not be read.
    fn of(place: &Place) -> Option<Self> {
        let source = &place.source.text;
        if source.is_empty() {
            return None;
        }
        let line_start = source[..place.start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[place.start..].find('\n').map_or(source.len(), |at| place.start + at);
        let from = source.ceil_char_boundary(line_start.max(place.start.saturating_sub(BEFORE_MAX)));
        let to = source.floor_char_boundary(line_end.min(place.start + AFTER_MAX));
        // What a file holds must not steer the terminal.
        let visible = |c: char| if c.is_control() && c != '\t' { "?".repeat(c.len_utf8()) } else { c.to_string() };
        let (line, column) = place.line_column();
        let end = place.end.clamp(place.start, to);
        Some(Self {
            name: place.source.name.clone(),
            text: source[from..to].chars().map(visible).collect(),
            offset: from,
            number: line - 1,
            column: column - 1,
            marked: (place.start, end - place.start).into(),
        })
    }
}

impl SourceCode for Line {
    /// Always the whole line: there is nothing else to show.
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let span = (self.offset, self.text.len()).into();
        let contents =
            MietteSpanContents::new_named(self.name.clone(), self.text.as_bytes(), span, self.number, self.column, 1);
        Ok(Box::new(contents))
    }
}

/// The frame is left out, so that lines can be copied; severity and code stand where the cross would.
fn theme(look: Look, problem: &Problem) -> GraphicalTheme {
    let head = |severity: Severity| format!("{}[{}]:", severity.name(), problem.code.name());
    let plain = ThemeCharacters {
        hbar: ' ',
        vbar: '|',
        vbar_break: ':',
        ltop: ' ',
        lbot: ' ',
        underbar: '^',
        underline: '^',
        error: head(Severity::Error),
        warning: head(Severity::Warning),
        ..ThemeCharacters::ascii()
    };
    match look {
        Look::Plain => GraphicalTheme { characters: plain, styles: ThemeStyles::none() },
        Look::Terminal => GraphicalTheme {
            characters: ThemeCharacters {
                error: head(Severity::Error),
                warning: head(Severity::Warning),
                ..ThemeCharacters::unicode()
            },
            styles: ThemeStyles::ansi(),
        },
    }
}

/// A problem in the form that miette draws.
#[derive(Debug)]
struct Drawn<'problem> {
    problem: &'problem Problem,
    label: Option<&'problem str>,
    line: Option<Line>,
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.line.as_ref().map(|line| line as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let marked = self.line.as_ref()?.marked;
        let label = LabeledSpan::new_with_span(self.label.map(str::to_owned), marked);
        Some(Box::new(std::iter::once(label)))
    }
}
