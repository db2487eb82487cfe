//! `slo lint`: every finding about SLO documents.

use std::path::{Path, PathBuf};

use bailiwick_slo::document::Context;

use super::findings::{self, Found};
use crate::cli::answer::{Answer, Exit};
use crate::cli::arguments::{LintArguments, Output, ProblemFormat};
use crate::evaluator::definitions;

/// Judges files, and the YAML and JSON files of folders.
pub(in crate::cli) fn lint(arguments: &LintArguments, output: Output) -> Answer {
    let mut paths = Vec::new();
    for path in &arguments.paths {
        match files_of(path) {
            Ok(files) => paths.extend(files),
            Err(error) => return Answer::failure(Exit::File, format!("failed to read {}: {error}", path.display())),
        }
    }
    let context = Context { ignores_references: arguments.no_refs, ..Context::default() };
    let loaded = match definitions::read(&paths, &context) {
        Ok(loaded) => loaded,
        Err(error) => return Answer::failure(Exit::File, error),
    };
    let found = Found::of(&loaded.findings);
    let fails = found.errors > 0 || (arguments.strict && found.warnings > 0);
    let format = if output == Output::Json { ProblemFormat::Json } else { arguments.format };
    let data = match format {
        ProblemFormat::Human => {
            let (files, slos) = (paths.len(), loaded.slos.len());
            let plural = |n: usize| if n == 1 { "" } else { "s" };
            let totals = format!("{files} file{}, {slos} SLO{}: {}\n", plural(files), plural(slos), found.words());
            format!("{}{totals}", findings::human(&loaded.findings))
        }
        ProblemFormat::Json => format!("{}\n", findings::json(&loaded.findings)),
        ProblemFormat::Github => findings::github(&loaded.findings),
    };
    Answer { data, talk: String::new(), exit: if fails { Exit::Problem } else { Exit::Done } }
}

/// A file itself; of a folder its YAML and JSON files, by name.
fn files_of(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        let is_document = path.extension().is_some_and(|kind| kind == "yaml" || kind == "yml" || kind == "json");
        if is_document && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
