//! Findings as people and programs read them.

use std::fmt::Write as _;

use bailiwick_slo::document::{Finding, Severity};

use serde_json::Value as Json;

use crate::frontend::CheckDocument;

/// Most findings that are shown.
const SHOWN_MAX: usize = 100;

/// How many findings there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::cli) struct Found {
    /// Errors.
    pub(in crate::cli) errors: usize,
    /// Warnings.
    pub(in crate::cli) warnings: usize,
    /// Notes.
    pub(in crate::cli) notes: usize,
}

impl Found {
    /// Counts findings.
    pub(in crate::cli) fn of(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self { errors: count(Severity::Error), warnings: count(Severity::Warning), notes: count(Severity::Note) }
    }

    /// `2 errors, 1 warning, 0 notes`.
    pub(in crate::cli) fn words(self) -> String {
        let counted = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        [counted(self.errors, "error"), counted(self.warnings, "warning"), counted(self.notes, "note")].join(", ")
    }
}

/// One line each, `file:line:column: severity[code]: message`, with what to do below.
pub(in crate::cli) fn human(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings.iter().take(SHOWN_MAX) {
        let Finding { code, severity, file, line, column, path, message, help, fix } = finding;
        let _ = writeln!(text, "{file}:{line}:{column}: {}[{code}]: {message}", severity.name());
        if !path.is_empty() {
            let _ = writeln!(text, "  at: {path}");
        }
        if !help.is_empty() {
            let _ = writeln!(text, "  help: {help}");
        }
        if let Some(fix) = fix {
            let _ = writeln!(text, "  fix: {}: {}", fix.path, fix.value);
        }
    }
    if findings.len() > SHOWN_MAX {
        let _ = writeln!(text, "... and {} more findings", findings.len() - SHOWN_MAX);
    }
    text
}

/// The document `bailiwick.check/v1`.
pub(super) fn json(findings: &[Finding]) -> String {
    serde_json::to_string_pretty(&CheckDocument::from(findings)).expect("views always become JSON")
}

/// The problems of that document, for one that has others too.
pub(in crate::cli) fn problems_json(findings: &[Finding]) -> Vec<Json> {
    let document = serde_json::to_value(CheckDocument::from(findings)).expect("views always become JSON");
    document["problems"].as_array().cloned().unwrap_or_default()
}

/// Workflow commands that GitHub shows beside the lines of a pull request.
pub(in crate::cli) fn github(findings: &[Finding]) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut text = String::new();
    for finding in findings.iter().take(SHOWN_MAX) {
        let kind = if finding.severity == Severity::Note { "notice" } else { finding.severity.name() };
        let (file, line, column) = (property(&finding.file), finding.line, finding.column);
        let help = if finding.help.is_empty() { String::new() } else { format!("\n{}", finding.help) };
        let message = data(&format!("{}{help}", finding.message));
        let _ = writeln!(text, "::{kind} file={file},line={line},col={column},title={}::{message}", finding.code);
    }
    text
}
