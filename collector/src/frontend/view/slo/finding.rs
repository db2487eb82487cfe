//! Findings about SLO documents as programs read them: `bailiwick.check/v1`.

use bailiwick_slo::document::{Finding, Severity};
use serde::Serialize;
use utoipa::ToSchema;

/// Most findings that are shown.
const SHOWN_MAX: usize = 100;

/// All findings about some documents.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckDocument {
    /// The document's kind and version.
    #[schema(example = "bailiwick.check/v1")]
    schema: &'static str,
    /// The first hundred.
    problems: Vec<CheckProblem>,
    /// How many are errors.
    #[schema(example = 1)]
    errors: usize,
    /// How many are warnings.
    #[schema(example = 0)]
    warnings: usize,
    /// How many are notes.
    #[schema(example = 0)]
    notes: usize,
}

/// One finding.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckProblem {
    /// Its code.
    #[schema(example = "SLO010")]
    code: String,
    /// error, warning or note.
    #[schema(example = "error")]
    severity: &'static str,
    /// The document.
    #[schema(example = "rag.yaml")]
    file: String,
    /// Where, from 1.
    #[schema(example = 12)]
    line: u32,
    /// Where, from 1.
    #[schema(example = 15)]
    column: u32,
    /// Where, by keys.
    #[schema(example = "spec.objectives[0].target")]
    path: String,
    /// What is wrong.
    #[schema(example = "a target is below 1: 99.9 is a percentage")]
    message: String,
    /// What to do.
    #[schema(example = "write targetPercent: 99.9")]
    help: String,
    /// The edit that cures it, where one does.
    fix: Option<CheckFix>,
}

/// An edit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckFix {
    /// Which value.
    #[schema(example = "spec.objectives[0].targetPercent")]
    path: String,
    /// What it should be.
    #[schema(example = "99.9")]
    value: String,
}

impl From<&[Finding]> for CheckDocument {
    fn from(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self {
            schema: "bailiwick.check/v1",
            problems: findings.iter().take(SHOWN_MAX).map(CheckProblem::from).collect(),
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
        }
    }
}

impl From<&Finding> for CheckProblem {
    fn from(finding: &Finding) -> Self {
        let fix = finding.fix.as_ref().map(|fix| CheckFix { path: fix.path.clone(), value: fix.value.clone() });
        Self {
            code: finding.code.to_string(),
            severity: finding.severity.name(),
            file: finding.file.clone(),
            line: finding.line,
            column: finding.column,
            path: finding.path.clone(),
            message: finding.message.clone(),
            help: finding.help.clone(),
            fix,
        }
    }
}
