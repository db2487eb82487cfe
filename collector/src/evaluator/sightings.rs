//! Bad spans that were seen lately, some of each series and outcome: a snapshot holds the latest one only, and that may
//! lie after the window that an incident speaks of.

use std::collections::{HashMap, VecDeque};

use bailiwick_slo::outcome::Outcome;

use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{Exemplar, SeriesId};

/// Spans of a series and outcome that are kept, one a snapshot, the latest.
const KEPT: usize = 16;
/// Series and outcomes that spans are kept of.
const KINDS_MAX: usize = 16_384;
/// The most bytes that they take.
pub const SIGHTINGS_BYTES_MAX: usize = KINDS_MAX * (KEPT * size_of::<Exemplar>() + 64);

/// Bad spans by series and outcome, the latest last.
#[derive(Debug, Default)]
pub(super) struct Sightings(HashMap<(SeriesId, Outcome), VecDeque<Exemplar>>);

impl Sightings {
    /// Takes the latest span of each kind, if it is another one.
    pub(super) fn look(&mut self, snapshot: &Snapshot, kinds: &[(SeriesId, Outcome)]) {
        for (series, outcome) in kinds.iter().copied() {
            let Some(span) = snapshot.exemplars(series).latest[outcome.index()] else { continue };
            if self.0.len() >= KINDS_MAX && !self.0.contains_key(&(series, outcome)) {
                continue;
            }
            let seen = self.0.entry((series, outcome)).or_default();
            if seen.back().is_some_and(|last| (last.trace_id, last.span_id) == (span.trace_id, span.span_id)) {
                continue;
            }
            if seen.len() == KEPT {
                seen.pop_front();
            }
            seen.push_back(span);
        }
    }

    /// Those of a kind.
    pub(super) fn of(&self, series: SeriesId, outcome: Outcome) -> impl Iterator<Item = &Exemplar> {
        self.0.get(&(series, outcome)).into_iter().flatten()
    }
}
