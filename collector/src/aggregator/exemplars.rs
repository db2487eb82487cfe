//! Spans that can be looked up, for those who look at a figure and ask which requests it is made of (`sli.md` 1.8).
//!
//! Tables by number of series and module: as many as those may be, and no allocation where a number is known. Spans
//! known not to be sampled never come here: nobody could open them.

use bailiwick_slo::latency;
use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::saved;

use super::memory::chunked::Chunked;
use super::memory::marks::Marks;
use super::snapshot::{Exemplar, ModuleId, SeriesExemplars, SeriesId, Traced};

/// Of each `le` bucket the latest success.
type Buckets = [Option<Exemplar>; 15];

/// The exemplars.
#[derive(Debug, Default)]
pub(super) struct Exemplars {
    series: Vec<SeriesExemplars>,
    buckets: Vec<Buckets>,
    changed: Marks,
    changed_buckets: Marks,
    shown: Chunked<SeriesExemplars>,
    shown_buckets: Chunked<Buckets>,
}
saved!(struct Exemplars { series, buckets, changed, changed_buckets, shown, shown_buckets });

impl Exemplars {
    /// Makes room for as many series and modules.
    pub(super) fn grow(&mut self, series: usize, modules: usize) {
        self.series.resize(series, SeriesExemplars::default());
        self.changed.grow(series);
        self.buckets.resize(modules, Buckets::default());
        self.changed_buckets.grow(modules);
    }

    /// Notes one request of a series.
    #[inline]
    pub(super) fn note(&mut self, (series, module): (SeriesId, ModuleId), outcome: Outcome, exemplar: &Exemplar) {
        let kept = &mut self.series[series as usize];
        self.changed.mark(series);
        replace_older(&mut kept.latest[outcome.index()], exemplar);
        let Some(duration_ns) = exemplar.duration_ns else { return };
        if outcome != Outcome::Excluded {
            let is_slower = kept.slowest.is_none_or(|slowest| {
                let (then, now) = (slowest.five_minutes(), exemplar.five_minutes());
                now > then || now == then && exemplar.duration_ns > slowest.duration_ns
            });
            if is_slower {
                kept.slowest = Some(*exemplar);
            }
        }
        if outcome == Outcome::Success {
            self.changed_buckets.mark(module);
            replace_older(&mut self.buckets[module as usize][latency::le_index(duration_ns)], exemplar);
        }
    }

    /// Shows what changed.
    pub(super) fn publish(&mut self, traced: &mut Traced) {
        let (series, shown) = (&self.series, &mut self.shown);
        shown.grow(series.len());
        self.changed.take(|number| *shown.get_mut(number as usize) = series[number as usize]);
        let (buckets, shown_buckets) = (&self.buckets, &mut self.shown_buckets);
        shown_buckets.grow(buckets.len());
        self.changed_buckets.take(|number| *shown_buckets.get_mut(number as usize) = buckets[number as usize]);
        (traced.series_exemplars, traced.bucket_exemplars) = (shown.clone(), shown_buckets.clone());
    }
}

/// The later end stays; of two alike the one that came last.
#[inline]
fn replace_older(kept: &mut Option<Exemplar>, exemplar: &Exemplar) {
    if kept.is_none_or(|kept| kept.end_ns <= exemplar.end_ns) {
        *kept = Some(*exemplar);
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_slo::time::SECOND_NS;

    use super::*;

    /// The begin of five minutes: 1,700,000,100 is a multiple of 300.
    const BEGIN: u64 = 1_700_000_100 * SECOND_NS;

    fn exemplar(id: u8, millis: u64, end_s: u64) -> Exemplar {
        let duration_ns = Some(millis * 1_000_000);
        Exemplar { trace_id: [id; 16], span_id: [id; 8], duration_ns, end_ns: BEGIN + end_s * SECOND_NS }
    }

    fn noted(requests: &[(Outcome, Exemplar)]) -> Traced {
        let mut exemplars = Exemplars::default();
        exemplars.grow(1, 1);
        for (outcome, exemplar) in requests {
            exemplars.note((0, 0), *outcome, exemplar);
        }
        let mut traced = Traced::default();
        exemplars.publish(&mut traced);
        traced
    }

    fn ids(exemplars: &[Option<Exemplar>]) -> Vec<u8> {
        exemplars.iter().map(|exemplar| exemplar.map_or(0, |exemplar| exemplar.span_id[0])).collect()
    }

    #[test]
    fn each_outcome_keeps_its_latest_end_whatever_comes_after_it() {
        let traced = noted(&[
            (Outcome::Success, exemplar(1, 5, 10)),
            (Outcome::Failure, exemplar(2, 5, 11)),
            (Outcome::Success, exemplar(3, 5, 12)),
            (Outcome::Success, exemplar(4, 5, 9)),
            (Outcome::Excluded, exemplar(5, 5, 1)),
        ]);
        let kept = traced.series_exemplars.get(0).expect("it was noted");
        assert_eq!(ids(&kept.latest), [3, 2, 0, 0, 5]);
    }

    #[test]
    fn the_slowest_stands_until_the_next_five_minutes_begin() {
        let slowest = |requests: &[(Outcome, Exemplar)]| {
            noted(requests).series_exemplars.get(0).and_then(|kept| kept.slowest).map(|slowest| slowest.span_id[0])
        };
        let first = [(Outcome::Success, exemplar(1, 900, 1)), (Outcome::Failure, exemplar(2, 950, 299))];
        assert_eq!(slowest(&first), Some(2));
        let then =
            [first[0], first[1], (Outcome::Success, exemplar(3, 10, 300)), (Outcome::Success, exemplar(4, 990, 2))];
        assert_eq!(slowest(&then), Some(3), "a late span of the minutes before does not count");
        assert_eq!(slowest(&[(Outcome::Excluded, exemplar(5, 10, 1))]), None);
    }

    #[test]
    fn buckets_hold_successes_with_a_duration() {
        let without = Exemplar { duration_ns: None, ..exemplar(9, 0, 90) };
        let traced = noted(&[
            (Outcome::Success, exemplar(1, 5, 1)),
            (Outcome::Success, exemplar(2, 30, 2)),
            (Outcome::Failure, exemplar(3, 30, 3)),
            (Outcome::Success, exemplar(4, 60_000, 4)),
            (Outcome::Success, without),
        ]);
        // 5 ms are in le="0.005", 30 ms in 0.05, a minute in +Inf.
        let buckets = traced.bucket_exemplars.get(0).expect("it was noted");
        assert_eq!(ids(buckets), [1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4]);
    }
}
