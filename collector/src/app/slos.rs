//! What the evaluator is given: how it begins, and how its definitions are read again.

use std::sync::Arc;

use bailiwick_slo::course::control::Control;
use bailiwick_slo::document::Severity;
use bailiwick_slo::wire::{Reader, Unreadable};

use super::ground::Ground;
use super::{Past, StartError};
use crate::aggregator::{Aggregator, Snapshot, Terms};
use crate::config::Settings;
use crate::evaluator::definitions::{self, DefinitionError};
use crate::evaluator::{Beginning, Feed, Report};
use crate::frontend;
use crate::history::Checkpoint;
use crate::observation::Rules;

/// Names and texts of documents.
pub(super) type Documents = Vec<(String, String)>;

/// Most errors that an answer tells of.
const TOLD_MAX: usize = 10;

/// Reads the configured SLO definitions, now and later again; where none are configured, `promises` hold.
pub(super) fn definitions(
    settings: &Settings,
    promises: Documents,
) -> impl Fn() -> Result<Documents, DefinitionError> + Send + Sync + use<> {
    let patterns = settings.slo.files.clone();
    move || match patterns.is_empty() {
        true => Ok(promises.clone()),
        false => definitions::load(&patterns),
    }
}

/// The same for those who read them again, with errors as they are told.
pub(super) fn told(
    definitions: impl Fn() -> Result<Documents, DefinitionError> + Send + Sync + 'static,
) -> frontend::DefinitionsReader {
    Arc::new(move || {
        definitions().map_err(|error| match &error {
            DefinitionError::Invalid(findings) => {
                let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
                let told = errors.take(TOLD_MAX).map(|one| format!("{}:{}: {}", one.file, one.line, one.message));
                format!("{error}: {}", told.collect::<Vec<_>>().join("; "))
            }
            _ => error.to_string(),
        })
    })
}

/// The books and the evaluator as they begin: from a checkpoint, or empty; a past is applied. Without a journal what SLO
/// definitions ask for is counted from the first request on; with one, definitions are given as an order.
pub(super) fn begin(
    settings: &Settings,
    rules: &Rules,
    ground: &Ground,
    (documents, past): (&Documents, Option<Past>),
) -> Result<(Aggregator, Feed, Report), StartError> {
    let terms = Terms { taps: Arc::clone(&rules.taps), ..settings.terms() };
    let beginning = beginning(settings, ground.store_id());
    if let Ground::Disk(disk) = ground {
        return match &disk.checkpoint {
            Some(checkpoint) => restored(checkpoint, terms, beginning),
            None => Ok((Aggregator::new(terms), Feed::new(beginning), Report::default())),
        };
    }
    let mut fold = Aggregator::new(terms);
    if !documents.is_empty() {
        fold.order(0, Arc::new(Control::Define(documents.clone())));
    }
    let mut feed = Feed::new(beginning);
    let mut report = Report::default();
    if let Some(past) = past {
        let mut take = |snapshot: &Snapshot| {
            if let Some((next, _)) = feed.take(snapshot) {
                report = next;
            }
        };
        tokio::task::block_in_place(|| past(&mut fold, &mut take));
    }
    Ok((fold, feed, report))
}

fn restored(
    checkpoint: &Checkpoint,
    terms: Terms,
    beginning: Beginning,
) -> Result<(Aggregator, Feed, Report), StartError> {
    let damaged = |room: &str, error: Unreadable| {
        StartError::Data(format!(
            "the checkpoint of the {room} cannot be read ({error}): start the version that wrote it, restore the data \
             directory from a backup, or move `store` and `journal` away to begin anew"
        ))
    };
    let fold = Aggregator::restore(terms, &mut Reader::new(&checkpoint.fold));
    let fold = fold.map_err(|error| damaged("aggregator", error))?;
    let feed = Feed::restore(beginning, &mut Reader::new(&checkpoint.feed));
    let feed = feed.map_err(|error| damaged("evaluator", error))?;
    let report = feed.report();
    Ok((fold, feed, report))
}

/// How the evaluator begins.
fn beginning(settings: &Settings, store_id: String) -> Beginning {
    Beginning {
        slos: None,
        store_id,
        limits: settings.slo.limits(),
        ledger_bytes_max: settings.slo.ledger_max.bytes(),
        settle_ns: settings.aggregator.coverage.trace_age_max.nanos(),
    }
}
