//! `rules export`: SLOs as Prometheus rules, a file each.

use std::fmt::Write as _;
use std::path::PathBuf;

use bailiwick_slo::document::{Context, Loaded};
use bailiwick_slo::rules;
use bailiwick_slo::spec::Slo;
use serde_json::{Value as Json, json};

use super::{findings, sources};
use crate::cli::answer::{Answer, Exit};
use crate::cli::arguments::{ExportArguments, ExportKind, Output, RulesArguments};
use crate::config::Request;
use crate::evaluator::definitions;

/// Writes what can be written; SLOs that cannot are told on stderr, as `slo lint` warns of them (050).
pub(in crate::cli) fn export(arguments: &RulesArguments, request: &Request, output: Output) -> Answer {
    if !arguments.independent {
        let reason = "rules over the daemon's own figures are not written by this version: give `--independent`";
        return Answer::failure(Exit::Usage, reason);
    }
    let loaded = match load(arguments, request) {
        Ok(loaded) => loaded,
        Err(answer) => return answer,
    };
    if !loaded.is_valid() {
        return Answer { data: String::new(), talk: findings::human(&loaded.findings), exit: Exit::Problem };
    }
    if let Err(error) = std::fs::create_dir_all(&arguments.dir) {
        let folder = arguments.dir.display();
        return Answer::failure(Exit::File, format!("failed to make the folder {folder}: {error}"));
    }
    let mut talk = String::new();
    let mut written = Vec::new();
    for slo in &loaded.slos {
        match write(arguments, slo) {
            Ok(Ok(path)) => written.push((slo.id.as_str(), path)),
            Ok(Err(reason)) => {
                let _ = writeln!(talk, "bailiwick: SLO `{}` has no rules: {reason}", slo.id);
            }
            Err(reason) => return Answer::failure(Exit::File, reason),
        }
    }
    let data = match output {
        Output::Json => {
            let one = |(slo, path): &(&str, PathBuf)| json!({"slo": slo, "file": path.display().to_string()});
            format!("{:#}\n", Json::Array(written.iter().map(one).collect()))
        }
        Output::Table | Output::Yaml => written.iter().map(|(_, path)| format!("{}\n", path.display())).collect(),
    };
    Answer { data, talk, exit: Exit::Done }
}

/// `slo export`: the same rules under the name of what they are for.
pub(in crate::cli) fn export_as(arguments: &ExportArguments, request: &Request, output: Output) -> Answer {
    let ExportArguments { kind: ExportKind::PrometheusRules, dir, files } = arguments.clone();
    export(&RulesArguments { independent: true, dir, files }, request, output)
}

/// The files that are named, each SLO judged by itself; without any those of the configuration, as `serve` reads them.
fn load(arguments: &RulesArguments, request: &Request) -> Result<Loaded, Answer> {
    if arguments.files.is_empty() {
        return sources::configured(request);
    }
    let context = Context { ignores_references: true, ..Context::default() };
    definitions::read(&arguments.files, &context).map_err(|error| Answer::failure(Exit::File, error))
}

/// Where the rules of an SLO went, or why it has none, or why they could not be written.
fn write(arguments: &RulesArguments, slo: &Slo) -> Result<Result<PathBuf, rules::Inexpressible>, String> {
    let file = match rules::of(slo) {
        Ok(file) => file,
        Err(reason) => return Ok(Err(reason)),
    };
    let path = arguments.dir.join(file.name);
    std::fs::write(&path, file.text).map_err(|error| format!("failed to write {}: {error}", path.display()))?;
    Ok(Ok(path))
}
