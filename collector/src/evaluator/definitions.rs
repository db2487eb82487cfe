//! SLO definitions from files: the only file of this room that touches the disk. All of them or none.

use std::path::{Path, PathBuf};

use bailiwick_slo::document::{self, Context, FILE_BYTES_MAX, Finding, Loaded};

/// Most files.
const FILES_MAX: usize = 10_000;

/// Why definitions could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// A pattern makes no sense.
    #[error("`slo.files`: `{pattern}` is no pattern of files: {reason}")]
    Pattern {
        /// As it is written.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// A file could not be read.
    #[error("failed to read {}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What they say is wrong.
    #[error("the SLO definitions are invalid: {} of {} findings are errors", errors(.0), .0.len())]
    Invalid(Vec<Finding>),
}

fn errors(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.severity == document::Severity::Error).count()
}

/// The files that patterns mean, each once, by name.
///
/// # Errors
/// A pattern that is none, a folder that cannot be read, too many files.
pub fn files(patterns: &[String]) -> Result<Vec<PathBuf>, DefinitionError> {
    let mut found = Vec::new();
    for pattern in patterns {
        let bad = |reason: String| DefinitionError::Pattern { pattern: pattern.clone(), reason };
        let paths = glob::glob(pattern).map_err(|error| bad(error.msg.to_owned()))?;
        for path in paths {
            let path = path.map_err(|error| {
                let (path, reason) = (error.path().to_owned(), error.error().to_string());
                DefinitionError::File { path, reason }
            })?;
            if path.is_file() {
                found.push(path);
            }
            if found.len() > FILES_MAX {
                return Err(bad(format!("it means more than {FILES_MAX} files")));
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Reads files and judges what they say; findings are no error here.
///
/// # Errors
/// A file that cannot be read.
pub fn read(paths: &[PathBuf], context: &Context<'_>) -> Result<Loaded, DefinitionError> {
    let texts = paths.iter().map(|path| text_of(path)).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    Ok(document::load(&files, context))
}

/// The definitions of the configured files.
///
/// # Errors
/// Anything that is wrong with any of them.
pub fn load(patterns: &[String]) -> Result<Loaded, DefinitionError> {
    let loaded = read(&files(patterns)?, &Context::default())?;
    if loaded.is_valid() { Ok(loaded) } else { Err(DefinitionError::Invalid(loaded.findings)) }
}

fn text_of(path: &Path) -> Result<String, DefinitionError> {
    let failed = |reason: String| DefinitionError::File { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > FILE_BYTES_MAX as u64 {
        return Err(failed(format!("it has {size} bytes; at most {FILE_BYTES_MAX} are read")));
    }
    std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))
}
