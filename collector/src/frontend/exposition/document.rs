//! A whole document: which families, in which format, each once.

use std::collections::HashSet;

use super::catalogue::{self, Group};
use super::family::Family;
use super::own::{self, Own};
use super::{coverage, graph, openmetrics, process, recorded, requests, slo, text};
use crate::aggregator::Snapshot;
use crate::evaluator::Report;
use crate::frontend::scope::Scope;
use crate::frontend::settings::MetricsSettings;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.0 text.
    OpenMetrics,
}

impl Format {
    /// The value of `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => text::CONTENT_TYPE,
            Self::OpenMetrics => openmetrics::CONTENT_TYPE,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Groups of families.
    pub(crate) groups: Vec<Group>,
    /// Whose figures. A narrow scope leaves out what belongs to no tenant.
    pub(crate) scope: Scope,
    /// What is shown besides.
    pub(crate) settings: MetricsSettings,
}

/// All selected families that this room holds, in the order of the catalogue.
pub(crate) fn families(snapshot: &Snapshot, report: &Report, own: &Own<'_>, selection: &Selection) -> Vec<Family> {
    let mut families = Vec::new();
    if selection.groups.contains(&Group::Requests) {
        families.extend(requests::families(snapshot, &selection.scope, selection.settings.exemplars));
        families.extend(coverage::of_metrics(snapshot, &selection.scope));
    }
    if selection.groups.contains(&Group::Coverage) {
        families.extend(coverage::by_tenant(snapshot, own.inventory, &selection.scope));
        if !selection.scope.is_narrow() {
            families.extend(coverage::of_all(snapshot));
        }
    }
    if selection.groups.contains(&Group::Slo) {
        families.extend(slo::families(report, &selection.scope));
    }
    if selection.groups.contains(&Group::Graph) && selection.settings.service_graph {
        families.extend(graph::calls(snapshot, &selection.scope));
        families.extend(graph::spans(snapshot, &selection.scope));
    }
    if selection.groups.contains(&Group::Own) {
        families.extend(own::by_tenant(snapshot, &selection.scope));
        if !selection.scope.is_narrow() {
            families.extend(own::of_daemon(snapshot, own));
            families.extend(process::families());
        }
    }
    families.sort_by_key(|family| catalogue::ALL.iter().position(|known| known.name == family.descriptor.name));
    families
}

/// Writes one document. `rendered` is the recorder's text, or empty when it is not selected.
pub(crate) fn write(format: Format, families: &[Family], rendered: &str) -> String {
    // A sample line takes about 150 bytes; growing a string of megabytes step by step would copy it a dozen times.
    let samples: usize = families.iter().map(|family| family.samples().count()).sum();
    let mut out = String::with_capacity(samples * 160 + rendered.len() + 4_096);
    let written: HashSet<&'static str> =
        families.iter().filter(|family| !family.is_empty()).map(|family| family.descriptor.name).collect();
    match format {
        Format::Text => {
            text::write(&mut out, families);
            recorded::write_text(&mut out, rendered, &written);
        }
        Format::OpenMetrics => {
            openmetrics::write(&mut out, families);
            recorded::write_openmetrics(&mut out, rendered, &written);
            out.push_str(openmetrics::EOF);
        }
    }
    out
}

#[cfg(test)]
mod tests;
