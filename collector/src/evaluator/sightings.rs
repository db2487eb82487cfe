//! Bad spans that were seen lately, some of each series and kind: a snapshot holds the latest one only, and that may lie
//! after the window that an incident speaks of.

use std::collections::{HashMap, VecDeque};

use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::spec::Sli;

use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{Exemplar, SeriesId};
use bailiwick_slo::saved;
use bailiwick_slo::saved::Saved;
use bailiwick_slo::wire::{Read, Reader, Writer};

/// Spans of a series and kind that are kept, one a snapshot, the latest.
const KEPT: usize = 16;
/// Series and kinds that spans are kept of.
const KINDS_MAX: usize = 16_384;
/// The most bytes that they take.
pub const SIGHTINGS_BYTES_MAX: usize = KINDS_MAX * (KEPT * size_of::<Exemplar>() + 80);

/// Which spans of a series are bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Bad {
    outcome: Outcome,
    /// And it took longer than this, nanoseconds.
    longer_than_ns: Option<u64>,
}

saved!(struct Bad { outcome, longer_than_ns });

impl Bad {
    /// The spans that are bad for an SLI; none of an SLI that is not about requests.
    pub(super) fn of(sli: &Sli) -> Vec<Self> {
        let any = |outcome| Self { outcome, longer_than_ns: None };
        let slow = |threshold_ns| {
            [Outcome::Success, Outcome::Cancelled].map(|outcome| Self { outcome, longer_than_ns: Some(threshold_ns) })
        };
        match sli {
            Sli::Latency { threshold_ns, failures_are_slow } => {
                let failures = failures_are_slow.then_some(any(Outcome::Failure));
                slow(*threshold_ns).into_iter().chain(failures).collect()
            }
            Sli::Quantile { metric: None, threshold, .. } => {
                let threshold_ns = threshold.units(0).and_then(|ns| u64::try_from(ns).ok());
                threshold_ns.into_iter().flat_map(slow).collect()
            }
            _ => sli.bad_outcomes().into_iter().map(any).collect(),
        }
    }

    fn is(self, span: &Exemplar) -> bool {
        self.longer_than_ns.is_none_or(|longest| span.duration_ns.is_some_and(|took| took > longest))
    }
}

/// Bad spans by series and kind, the latest last.
#[derive(Debug, Default)]
pub(super) struct Sightings(HashMap<(SeriesId, Bad), VecDeque<Exemplar>>);

impl Saved for Sightings {
    fn save(&self, to: &mut Writer) {
        self.0.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let seen: HashMap<_, VecDeque<Exemplar>> = Saved::load(from)?;
        if seen.len() > KINDS_MAX || seen.values().any(|spans| spans.len() > KEPT) {
            return from.wrong("more spans than are ever kept");
        }
        Ok(Self(seen))
    }
}

impl Sightings {
    /// Takes the latest span of each kind, if it is another one.
    pub(super) fn look(&mut self, snapshot: &Snapshot, kinds: &[(SeriesId, Bad)]) {
        for (series, bad) in kinds.iter().copied() {
            let seen = snapshot.exemplars(series);
            let slowest = (bad.outcome == Outcome::Success).then_some(seen.slowest).flatten();
            for span in [seen.latest[bad.outcome.index()], slowest].into_iter().flatten().filter(|span| bad.is(span)) {
                self.keep((series, bad), span);
            }
        }
    }

    fn keep(&mut self, kind: (SeriesId, Bad), span: Exemplar) {
        if self.0.len() >= KINDS_MAX && !self.0.contains_key(&kind) {
            return;
        }
        let seen = self.0.entry(kind).or_default();
        if seen.iter().any(|known| (known.trace_id, known.span_id) == (span.trace_id, span.span_id)) {
            return;
        }
        if seen.len() == KEPT {
            seen.pop_front();
        }
        seen.push_back(span);
    }

    /// Those of a kind.
    pub(super) fn of(&self, series: SeriesId, bad: Bad) -> impl Iterator<Item = &Exemplar> {
        self.0.get(&(series, bad)).into_iter().flatten()
    }
}
