//! What the settings say of modules, as the frontend asks for it.

use crate::config::Settings;
use crate::frontend::{DeclaredModule, Inventory, Position};
use crate::observation;

/// The inventory of these settings.
pub(super) fn inventory(settings: &Settings) -> Inventory {
    let modules = settings.modules.declared.iter().map(|(name, declared)| {
        let operations = declared.operations.clone();
        (name.clone(), DeclaredModule { expected: declared.expected, required: declared.required, operations })
    });
    let positions = settings.aggregator.sampling.position.iter().map(|(service, position)| {
        let position = match position {
            observation::Position::PreSampling => Position::PreSampling,
            observation::Position::PostHead => Position::PostHead,
            observation::Position::PostTail => Position::PostTail,
        };
        (service.clone(), position)
    });
    Inventory {
        modules: modules.collect(),
        positions: positions.collect(),
        settle_ns: settings.aggregator.coverage.trace_age_max.nanos(),
        late_accept_ns: settings.ingest.late_accept.nanos(),
    }
}
