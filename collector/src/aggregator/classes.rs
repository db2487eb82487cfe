//! Fast and slow requests, counted against the thresholds that SLOs name as they are booked: exact to the nanosecond,
//! never read back from a histogram (`sli.md` 1.5).

use std::sync::Arc;

use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::saved;
use bailiwick_slo::spec::{Sli, Slo};
use bailiwick_slo::weight::{Carry, Weight};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::counts::tiers::{Closed, Tiers};
use super::memory::chunked::Chunked;
use super::snapshot::{Limit, SeriesId, SeriesName};

/// Thresholds that a series counts against (`sli.md` 1.5).
const THRESHOLDS_MAX: usize = 4;
/// Series against thresholds that are counted: with a few counts in every slot of 65 minutes one takes about 4 KiB.
const NUMBERS_MAX: usize = 20_000;

/// Fields of a threshold's counts: fast and slow adjusted for sampling, fast and slow as they were seen.
pub(super) const CLASS_FIELDS: usize = 4;

/// One series against one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassOf {
    /// The series.
    pub series: SeriesId,
    /// At most this long is fast, nanoseconds.
    pub threshold_ns: u64,
}
saved!(struct ClassOf { series, threshold_ns });

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timed {
    pub(super) series: SeriesId,
    pub(super) outcome: Outcome,
    pub(super) duration_ns: u64,
    pub(super) end_ns: u64,
}

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// SLOs with a threshold.
    wanted: Vec<(Arc<Slo>, u64)>,
    /// By series: thresholds, each with the number of its counts. Of those without one there is an empty list.
    by_series: Vec<Vec<(u64, u32)>>,
    numbers: HashMap<(SeriesId, u64), u32, RandomState>,
    directory: Arc<Vec<ClassOf>>,
    counts: Tiers<CLASS_FIELDS>,
    /// What fast and slow ones of sampled series owe, by number.
    carries: HashMap<u32, [Carry; 2], RandomState>,
    /// Most thresholds that a series has, and thresholds that found no place.
    most: usize,
    refused: u64,
}
saved!(struct Classes { wanted, by_series, numbers, directory, counts, carries, most, refused });

impl Classes {
    /// Counts for these SLOs from now on. What was counted stays; a threshold that is new has no past.
    pub(super) fn watch(&mut self, slos: &[Arc<Slo>], directory: &Chunked<SeriesName>) {
        let threshold = |slo: &Slo| match &slo.sli {
            Sli::Latency { threshold_ns, .. } => Some(*threshold_ns),
            // In nanoseconds, as the reader has made it.
            Sli::Quantile { metric: None, threshold, .. } => threshold.units(0).and_then(|ns| u64::try_from(ns).ok()),
            _ => None,
        };
        self.wanted = slos.iter().filter_map(|slo| Some((Arc::clone(slo), threshold(slo)?))).collect();
        self.by_series.clear();
        self.refused = 0;
        self.grow(directory);
    }

    /// Looks at series that are new.
    pub(super) fn grow(&mut self, directory: &Chunked<SeriesName>) {
        for series in self.by_series.len()..directory.len() {
            let name = directory.get(series).expect("it is there");
            let thresholds = self.thresholds_of(name);
            let thresholds = thresholds.into_iter().filter_map(|threshold_ns| {
                let of = ClassOf { series: series as SeriesId, threshold_ns };
                let next = self.numbers.len();
                if next == NUMBERS_MAX && !self.numbers.contains_key(&(of.series, threshold_ns)) {
                    self.refused += 1;
                    return None;
                }
                let number = *self.numbers.entry((of.series, threshold_ns)).or_insert(next as u32);
                if number == next as u32 {
                    Arc::make_mut(&mut self.directory).push(of);
                }
                Some((threshold_ns, number))
            });
            let thresholds: Vec<_> = thresholds.collect();
            self.by_series.push(thresholds);
        }
    }

    fn thresholds_of(&mut self, name: &SeriesName) -> Vec<u64> {
        let is_for = |slo: &Slo| slo.matches(&name.tenant, &name.module, &name.operation);
        let mut thresholds: Vec<u64> = Vec::new();
        for (_, threshold_ns) in self.wanted.iter().filter(|(slo, _)| is_for(slo)) {
            if thresholds.contains(threshold_ns) {
            } else if thresholds.len() < THRESHOLDS_MAX {
                thresholds.push(*threshold_ns);
            } else {
                self.refused += 1;
            }
        }
        self.most = self.most.max(thresholds.len());
        thresholds
    }

    /// Whether nobody asks for any of it.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Counts a request.
    pub(super) fn count(&mut self, timed: &Timed, weight: Weight) {
        for (threshold_ns, number) in self.by_series.get(timed.series as usize).into_iter().flatten() {
            let Some(is_slow) = timed.is_slow(*threshold_ns) else { continue };
            let drawn = if weight == Weight::ONE {
                1
            } else {
                self.carries.entry(*number).or_default()[usize::from(is_slow)].draw(weight)
            };
            self.counts.add(timed.end_ns, *number, &fields(is_slow, drawn.into()));
        }
    }

    /// Takes a request out that counted `drawn` requests by its outcome. Of sampled series that may be off by less than
    /// one: classes draw by themselves.
    pub(super) fn withdraw(&mut self, timed: &Timed, drawn: u64) {
        for (threshold_ns, number) in self.by_series.get(timed.series as usize).into_iter().flatten() {
            if let Some(is_slow) = timed.is_slow(*threshold_ns) {
                self.counts.withdraw(timed.end_ns, *number, &fields(is_slow, drawn));
            }
        }
    }

    pub(super) fn close(&mut self, now_ns: u64, close_after_ns: u64) {
        self.counts.close(now_ns, close_after_ns);
    }

    pub(super) fn publish(&self) -> (Arc<Vec<ClassOf>>, Arc<Closed<CLASS_FIELDS>>) {
        (Arc::clone(&self.directory), Arc::clone(self.counts.closed()))
    }

    pub(super) fn limit(&self) -> Limit {
        let (used, max) = (self.most as u64, THRESHOLDS_MAX as u64);
        Limit { name: "series.latency_thresholds", used, max, refused: self.refused }
    }
}

impl Timed {
    /// Whether it is slow; `None`: neither fast nor slow. Users that gave up must not improve the figure.
    fn is_slow(&self, threshold_ns: u64) -> Option<bool> {
        let is_longer = self.duration_ns > threshold_ns;
        match self.outcome {
            Outcome::Success => Some(is_longer),
            Outcome::Cancelled => is_longer.then_some(true),
            Outcome::Failure | Outcome::ClientError | Outcome::Excluded => None,
        }
    }
}

fn fields(is_slow: bool, drawn: u64) -> [u64; CLASS_FIELDS] {
    if is_slow { [0, drawn, 0, 1] } else { [drawn, 0, 1, 0] }
}
