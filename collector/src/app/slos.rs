//! What the evaluator is given: how it begins, and how its definitions are read again.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bailiwick_slo::document::Context;
use bailiwick_slo::taps::Taps;

use crate::config::Settings;
use crate::evaluator::{self, Beginning};
use crate::frontend;

/// What ids of incidents are made of, until a store has one of its own.
const STORE_ID: &str = "memory";

/// Names and texts of documents.
type Documents = Vec<(String, String)>;

/// Reads the configured SLO definitions, now and later again; where none are configured, `promises` hold.
pub(super) fn definitions(settings: &Settings, promises: Documents) -> frontend::DefinitionsReader {
    let patterns = settings.slo.files.clone();
    Arc::new(move || match patterns.is_empty() {
        true => Ok(promises.clone()),
        false => evaluator::definitions::load(&patterns),
    })
}

/// Lets observers go by the taps of these documents too, appended to those that they know: to be called after the fold
/// has got the documents, so that it knows every number that a point carries.
pub(super) fn observe(taps: &ArcSwap<Taps>, documents: &[(String, String)]) {
    let slos = evaluator::definitions::judge(documents, &Context::default()).slos;
    let mut more = (**taps.load()).clone();
    // The fold and the evaluator append the same, or as little: more than there may be are refused.
    if more.add(&slos).is_ok() {
        taps.store(Arc::new(more));
    }
}

/// How the evaluator begins.
pub(super) fn beginning(settings: &Settings) -> Beginning {
    Beginning {
        slos: None,
        store_id: STORE_ID.to_owned(),
        limits: settings.slo.limits(),
        ledger_bytes_max: settings.slo.ledger_max.bytes(),
        settle_ns: settings.aggregator.coverage.trace_age_max.nanos(),
    }
}
