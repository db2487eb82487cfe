//! SLO definitions from files: the only file of this room that touches the disk. All of them or none.

use std::path::{Path, PathBuf};

use bailiwick_slo::document::{self, Context, FILE_BYTES_MAX, Finding, Loaded};
use bailiwick_slo::spec::{Sli, Slo};

use bailiwick_slo::course::record::LEAK_SETS_MAX;
use bailiwick_slo::taps::Taps;

use super::held::FIGURES;

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
    /// They are valid, and this version does not evaluate them: no promise is taken that nobody watches.
    #[error("not evaluated by this version: {}", .0.join(", "))]
    Unwatched(Vec<String>),
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

/// Names and texts of files.
///
/// # Errors
/// A file that cannot be read.
pub fn texts(paths: &[PathBuf]) -> Result<Vec<(String, String)>, DefinitionError> {
    paths.iter().map(|path| Ok((path.display().to_string(), text_of(path)?))).collect()
}

/// Reads files and judges what they say; findings are no error here.
///
/// # Errors
/// A file that cannot be read.
pub fn read(paths: &[PathBuf], context: &Context<'_>) -> Result<Loaded, DefinitionError> {
    Ok(judge(&texts(paths)?, context))
}

/// Judges documents by name and text; findings are no error here.
#[must_use]
pub fn judge(documents: &[(String, String)], context: &Context<'_>) -> Loaded {
    let files: Vec<(&str, &str)> = documents.iter().map(|(name, text)| (&**name, &**text)).collect();
    document::load(&files, context)
}

/// The documents of the configured files, which are valid and are all evaluated.
///
/// # Errors
/// Anything that is wrong with any of them.
pub fn load(patterns: &[String]) -> Result<Vec<(String, String)>, DefinitionError> {
    let documents = texts(&files(patterns)?)?;
    watched(&documents)?;
    Ok(documents)
}

/// Whether documents are valid and everything that they promise is evaluated; what they define.
///
/// # Errors
/// What is wrong with them, or what nobody would watch.
pub fn watched(documents: &[(String, String)]) -> Result<Loaded, DefinitionError> {
    let loaded = judge(documents, &Context::default());
    if !loaded.is_valid() {
        return Err(DefinitionError::Invalid(loaded.findings));
    }
    let of_slos = loaded.slos.iter().filter_map(|slo| Some(format!("SLO `{}` ({})", slo.id, why_unwatched(slo)?)));
    let mut unwatched: Vec<String> = of_slos.collect();
    let adjustments = loaded.adjustments.iter().filter(|adjustment| adjustment.indicator.is_some());
    unwatched.extend(adjustments.map(|adjustment| format!("BudgetAdjustment `{}` of one indicator", adjustment.name)));
    if let Err(error) = Taps::of(&loaded.slos) {
        unwatched.push(error.to_string());
    }
    let sets = loaded.slos.iter().filter_map(|slo| if let Sli::Leaks(rules) = &slo.sli { Some(rules) } else { None });
    let sets = sets.collect::<std::collections::BTreeSet<_>>().len();
    if sets > LEAK_SETS_MAX {
        unwatched.push(format!("{sets} different sets of leak rules, at most {LEAK_SETS_MAX} are"));
    }
    if unwatched.is_empty() { Ok(loaded) } else { Err(DefinitionError::Unwatched(unwatched)) }
}

/// Why nobody would watch it. A source of another system is inactive, as its note says.
fn why_unwatched(slo: &Slo) -> Option<String> {
    match &slo.sli {
        Sli::Availability | Sli::Outcome { .. } | Sli::Latency { .. } | Sli::Leaks(_) | Sli::Foreign(_) => None,
        Sli::Quantile { .. } | Sli::Composite(_) => None,
        Sli::Coverage(part) => {
            let names = FIGURES.map(|figure| figure.name());
            (!names.contains(&&**part)).then(|| format!("coverage {part}: of the figures, {} are", names.join(", ")))
        }
        Sli::Counter { .. } | Sli::Gauge { .. } | Sli::Histogram { .. } | Sli::Ratio { .. } => None,
    }
}

fn text_of(path: &Path) -> Result<String, DefinitionError> {
    let failed = |reason: String| DefinitionError::File { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > FILE_BYTES_MAX as u64 {
        return Err(failed(format!("it has {size} bytes; at most {FILE_BYTES_MAX} are read")));
    }
    std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own with these files.
    fn folder(name: &str, files: &[(&str, &str)]) -> (PathBuf, Vec<String>) {
        let folder = std::env::temp_dir().join(format!("bailiwick-definitions-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("a file");
        }
        let pattern = folder.join("*.yaml").display().to_string();
        (folder, vec![pattern])
    }

    fn slo(name: &str, sli: &str) -> String {
        format!(
            "apiVersion: bailiwick/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: rag\n  \
             budgetingMethod: Occurrences\n  timeWindow: [{{duration: 30d, isRolling: true}}]\n  \
             objectives: [{{targetPercent: 99.9}}]\n  bailiwick: {{sli: {sli}}}\n"
        )
    }

    #[test]
    fn all_files_of_a_pattern_are_taken_or_none() {
        let (good, other) = (
            slo("good", "{kind: availability}"),
            slo("other", "{kind: outcome, good: [success], total: [success, failure]}"),
        );
        let (place, patterns) = folder("taken", &[("a.yaml", &good), ("b.yaml", &other), ("c.txt", "{")]);
        let documents = load(&patterns).expect("they are valid");
        let loaded = watched(&documents).expect("they are valid");
        assert_eq!(loaded.slos.iter().map(|slo| &*slo.id).collect::<Vec<_>>(), ["good", "other"]);
        std::fs::write(place.join("bad.yaml"), "kind: [").expect("a file");
        assert!(matches!(load(&patterns), Err(DefinitionError::Invalid(_))));
        std::fs::remove_dir_all(place).expect("it is there");
    }

    #[test]
    fn a_promise_that_nobody_would_watch_is_not_taken() {
        let delivery = slo("sent", "{kind: coverage, part: C7}");
        let (place, patterns) = folder("unwatched", &[("a.yaml", &delivery)]);
        let error = load(&patterns).expect_err("C7 is not evaluated").to_string();
        assert!(error.contains("SLO `sent` (coverage C7") && error.contains("TC, C2, C3"), "{error}");
        std::fs::remove_dir_all(place).expect("it is there");
    }

    #[test]
    fn a_pattern_that_is_none_is_told_as_it_is_written() {
        let error = load(&["a/***".to_owned()]).expect_err("it is no pattern").to_string();
        assert!(error.contains("`a/***`"), "{error}");
        assert!(load(&[]).expect("nothing is configured").is_empty());
    }
}
