//! What the evaluator is given: how it begins, and how its definitions are read again.

use std::sync::Arc;

use bailiwick_slo::course::control::Control;
use bailiwick_slo::document::Severity;

use super::Past;
use crate::aggregator::{Aggregator, Snapshot, Terms};
use crate::config::Settings;
use crate::evaluator::definitions::{self, DefinitionError};
use crate::evaluator::{Beginning, Feed, Report};
use crate::frontend;
use crate::observation::Rules;

/// What ids of incidents are made of, until a store has one of its own.
const STORE_ID: &str = "memory";

/// Names and texts of documents.
type Documents = Vec<(String, String)>;

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

/// The books and the evaluator as they begin: what SLO definitions ask for is counted from the first request on, and a
/// past is applied.
pub(super) fn begin(
    settings: &Settings,
    rules: &Rules,
    documents: Documents,
    past: Option<Past>,
) -> (Aggregator, Feed, Report) {
    let mut fold = Aggregator::new(Terms { taps: Arc::clone(&rules.taps), ..settings.terms() });
    if !documents.is_empty() {
        fold.order(0, Arc::new(Control::Define(documents)));
    }
    let mut feed = Feed::new(beginning(settings));
    let mut report = Report::default();
    if let Some(past) = past {
        let mut take = |snapshot: &Snapshot| {
            if let Some((next, _)) = feed.take(snapshot) {
                report = next;
            }
        };
        tokio::task::block_in_place(|| past(&mut fold, &mut take));
    }
    (fold, feed, report)
}

/// How the evaluator begins.
fn beginning(settings: &Settings) -> Beginning {
    Beginning {
        slos: None,
        store_id: STORE_ID.to_owned(),
        limits: settings.slo.limits(),
        ledger_bytes_max: settings.slo.ledger_max.bytes(),
        settle_ns: settings.aggregator.coverage.trace_age_max.nanos(),
    }
}
