//! `slo backtest`: definitions tried on what a daemon recorded, by the daemon's own engine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bailiwick_slo::course::backtest::{self, Fit, Outcome, Trial};
use bailiwick_slo::course::ledger::Written;
use bailiwick_slo::course::run::Definitions;
use bailiwick_slo::document::Context;
use bailiwick_slo::time::SLOT_SECONDS;
use jiff::Timestamp;

use super::findings;
use crate::cli::answer::{Answer, Exit};
use crate::cli::arguments::{BacktestArguments, Output};
use crate::cli::ask;
use crate::evaluator::definitions;
use crate::frontend::BacktestDocument;

/// Tries definitions; without files those that were recorded.
pub(in crate::cli) fn backtest(arguments: &BacktestArguments, server: &str, output: Output) -> Answer {
    match trial(arguments, server) {
        Ok((outcome, other, fit)) => {
            if let Some((slo, what)) = outcome.unrecorded.first() {
                let reason =
                    format!("SLO `{slo}` asks for {what}, which was not recorded: a daemon counts what its SLOs name");
                return Answer::failure(Exit::Insufficient, reason);
            }
            if outcome.instances.is_empty() {
                return Answer::failure(
                    Exit::Insufficient,
                    "the ledger has nothing for these definitions in that time",
                );
            }
            let talk = reserve(&outcome);
            let data = match (arguments.alert_log, output) {
                (true, _) => outcome.log,
                (false, Output::Json) => json(&outcome, fit.as_ref(), other.as_ref()),
                (false, Output::Table | Output::Yaml) => {
                    BacktestDocument::of(&outcome, fit.as_ref(), other.as_ref()).table()
                }
            };
            Answer { data, talk, exit: Exit::Done }
        }
        Err(answer) => answer,
    }
}

/// What keeps the outcome from being all that there was.
fn reserve(outcome: &Outcome) -> String {
    let mut talk = String::new();
    if outcome.damaged > 0 {
        let _ = writeln!(talk, "bailiwick: {} things in the ledger could not be used", outcome.damaged);
    }
    if outcome.forgotten > 0 {
        let forgotten = outcome.forgotten;
        let _ = writeln!(
            talk,
            "bailiwick: the ledger begins later than the daemon: it had to forget {forgotten} records (`slo.ledger_max`)"
        );
    }
    talk
}

fn json(outcome: &Outcome, fit: Option<&Fit>, other: Option<&Outcome>) -> String {
    let document = BacktestDocument::of(outcome, fit, other);
    format!("{}\n", serde_json::to_string_pretty(&document).expect("views always become JSON"))
}

fn trial(arguments: &BacktestArguments, server: &str) -> Result<(Outcome, Option<Outcome>, Option<Fit>), Answer> {
    let bytes = match &arguments.ledger {
        Some(path) => read(path)?,
        None => ask::get(server, "/v1/slos/ledger")?,
    };
    let written = Written::read(&bytes)
        .map_err(|error| Answer::failure(Exit::File, format!("the ledger cannot be read: {error}")))?;
    let (from, to) =
        (tick(arguments.from.as_deref())?.unwrap_or(0), tick(arguments.to.as_deref())?.unwrap_or(u64::MAX));
    if from >= to {
        return Err(Answer::failure(Exit::Usage, "`--from` must be before `--to`"));
    }
    let tried = |files: &[PathBuf]| -> Result<Outcome, Answer> {
        let definitions = definitions_of(files)?;
        Ok(backtest::run(Trial { written: &written, definitions, from, to }, || true))
    };
    let outcome = tried(&arguments.files)?;
    let other = arguments.against.as_ref().map(|file| tried(std::slice::from_ref(file))).transpose()?;
    let labels = arguments.labels.as_ref().map(|path| labels(path)).transpose()?;
    let fit = labels.map(|labels| outcome.fit(&labels));
    Ok((outcome, other, fit))
}

fn definitions_of(files: &[PathBuf]) -> Result<Definitions, Answer> {
    if files.is_empty() {
        return Ok(Definitions::Recorded);
    }
    let loaded = definitions::read(files, &Context::default()).map_err(|error| Answer::failure(Exit::File, error))?;
    if !loaded.is_valid() {
        return Err(Answer { data: String::new(), talk: findings::human(&loaded.findings), exit: Exit::Problem });
    }
    Ok(Definitions::Given(loaded.slos))
}

fn read(path: &Path) -> Result<Vec<u8>, Answer> {
    std::fs::read(path)
        .map_err(|error| Answer::failure(Exit::File, format!("failed to read {}: {error}", path.display())))
}

/// The tick of a time: RFC 3339, or seconds since 1970.
fn tick(text: Option<&str>) -> Result<Option<u64>, Answer> {
    let Some(text) = text else { return Ok(None) };
    let tick = tick_of(text).ok_or_else(|| {
        Answer::failure(Exit::Usage, format!("`{text}` is no time like 2026-05-04T10:05:00Z, nor seconds since 1970"))
    })?;
    Ok(Some(tick))
}

fn tick_of(text: &str) -> Option<u64> {
    let seconds = text.parse::<i64>().ok().or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_second));
    u64::try_from(seconds?).ok().map(|seconds| seconds / SLOT_SECONDS)
}

/// Lines `start,end` of times; a first line of words is skipped.
fn labels(path: &Path) -> Result<Vec<(u64, u64)>, Answer> {
    let text = String::from_utf8(read(path)?).unwrap_or_default();
    let mut labels = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let ends = line.split_once(',').map(|(from, to)| (tick_of(from.trim()), tick_of(to.trim())));
        match ends {
            Some((Some(from), Some(to))) if from < to => labels.push((from, to)),
            _ if number == 1 && line.trim() == "start,end" => {}
            _ => {
                let reason = format!("{}:{number}: `{line}` is no `start,end` of two times", path.display());
                return Err(Answer::failure(Exit::Usage, reason));
            }
        }
    }
    Ok(labels)
}
