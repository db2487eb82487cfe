//! The fractions of requests that counters of sampled series owe (`sli.md` 1.7), and messages of batches.

use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::saved;
use bailiwick_slo::weight::{Carry, Weight};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::snapshot::SeriesId;

/// Carries of series that had a weighted span, one for each outcome.
#[derive(Debug, Default)]
pub(super) struct Carries(HashMap<SeriesId, [Carry; 5], RandomState>);
saved!(struct Carries { 0 });

impl Carries {
    /// The whole requests that a span adds to its series' counter.
    #[inline]
    pub(super) fn draw(&mut self, series: SeriesId, outcome: Outcome, weight: Weight) -> u32 {
        // A weight of one draws one, whatever is owed.
        if weight == Weight::ONE {
            return 1;
        }
        self.0.entry(series).or_default()[outcome.index()].draw(weight)
    }
}
