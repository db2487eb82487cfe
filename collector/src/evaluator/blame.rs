//! Who the bad events of an incident came from, and spans that show them: read from the snapshot that the tick came
//! with, and from spans that were seen before it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bailiwick_slo::attribution;
use bailiwick_slo::course::run::Sources;
use bailiwick_slo::engine::status::Status;
use bailiwick_slo::engine::windows::Effect;
use bailiwick_slo::spec::Sli;
use bailiwick_slo::time::{SLOT_SECONDS, Slot};

use super::held::bad_of_coverage;
use super::report::{Blame, DIMENSIONS, ExemplarSpan, InstanceReport, Report};
use super::sightings::{Bad, Sightings};
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{ClassCounts, SeriesId, SeriesName, SlotCounts};

/// Spans that are told.
const EXEMPLARS_MAX: usize = 10;
/// Slots that the snapshot has one by one: beyond them, whole hours outward.
const EXACT_SLOTS: u64 = 390;

/// The slots that are asked about.
type Range = (Slot, Slot);

/// What is asked: the same by all incidents of a tick. Tiers have few lengths, so answers are kept by range.
#[derive(Debug)]
pub(super) struct Around<'a> {
    snapshot: &'a Snapshot,
    sightings: &'a Sightings,
    settle_ns: u64,
    names: Vec<&'a SeriesName>,
    counts: RefCell<HashMap<Range, Rc<Vec<SlotCounts>>>>,
    classes: RefCell<HashMap<Range, Rc<Classes>>>,
}

/// By series and threshold.
type Classes = BTreeMap<(SeriesId, u64), ClassCounts>;

/// Bad events of one series, or of one tenant x module.
#[derive(Debug, Clone, Copy)]
struct Share<'a> {
    tenant: &'a str,
    module: &'a str,
    operation: Option<&'a str>,
    bad: u64,
}

/// What bad events are looked for in: of a composite each of its parts.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) sources: &'a Sources,
    pub(super) sli: &'a Sli,
    /// Ticks that corrections took out, or made good.
    pub(super) effects: Vec<Effect>,
}

/// The stretches of ticks that corrections leave.
fn counted((from, to): (u64, u64), effects: &[Effect]) -> Vec<(u64, u64)> {
    let (mut left, mut at) = (Vec::new(), from);
    for effect in effects.iter().filter(|effect| effect.from < to && effect.to > from) {
        if effect.from > at {
            left.push((at, effect.from));
        }
        at = at.max(effect.to);
    }
    if at < to {
        left.push((at, to));
    }
    left
}

/// Who the bad events of an instance came from, as of a snapshot, incident or not; of the spans that show them those that
/// the snapshot has.
#[must_use]
pub fn blame_of(snapshot: &Snapshot, report: &Report, instance: &InstanceReport, settle_ns: u64) -> Blame {
    let InstanceReport { sources, status, slo, .. } = instance;
    let bad = Bad::of(&slo.sli);
    let kinds = sources.series.iter().flat_map(|series| bad.iter().map(|bad| (*series, *bad)));
    let mut sightings = Sightings::default();
    sightings.look(snapshot, &kinds.collect::<Vec<_>>());
    let effects = report.controls.effects(&instance.key);
    Around::new(snapshot, &sightings, settle_ns).blame(status, &[Part { sources, sli: &slo.sli, effects }])
}

impl<'a> Around<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, sightings: &'a Sightings, settle_ns: u64) -> Self {
        let names = snapshot.series().collect();
        Self { snapshot, sightings, settle_ns, names, counts: RefCell::default(), classes: RefCell::default() }
    }

    /// The blame of an instance over the long window of its governing tier.
    pub(super) fn blame(&self, status: &Status, parts: &[Part<'_>]) -> Blame {
        let tier = status.governing.map(|place| &status.tiers[place]);
        let slots = tier.map_or(u64::from(Slot::PER_HOUR), |tier| tier.tier.long.seconds() / SLOT_SECONDS);
        let to = status.next;
        let from = to.saturating_sub(slots);
        let from = if slots > EXACT_SLOTS { from - from % u64::from(Slot::PER_HOUR) } else { from };
        let slot = |tick: u64| Slot(u32::try_from(tick).unwrap_or(u32::MAX));
        let shares = parts.iter().flat_map(|part| {
            let counted = counted((from, to), &part.effects);
            counted.into_iter().flat_map(|(from, to)| self.shares(part.sources, part.sli, (slot(from), slot(to))))
        });
        let shares: Vec<Share<'_>> = shares.collect();
        let by =
            |value: fn(&Share<'a>) -> &'a str| attribution::parts(shares.iter().map(|share| (value(share), share.bad)));
        let mut dimensions = vec![(DIMENSIONS[0], by(|share| share.tenant)), (DIMENSIONS[1], by(|share| share.module))];
        if shares.iter().all(|share| share.operation.is_some()) {
            dimensions.push((DIMENSIONS[2], by(|share| share.operation.unwrap_or_default())));
        }
        Blame {
            from_tick: from,
            to_tick: to,
            bad: shares.iter().map(|share| share.bad).sum(),
            by: dimensions,
            exemplars: self.exemplars(parts, (from, to)),
        }
    }

    fn shares(&self, sources: &Sources, sli: &Sli, range: Range) -> Vec<Share<'a>> {
        let of_series = |bad: &dyn Fn(SeriesId) -> u64| -> Vec<Share<'a>> {
            let share = |series: &SeriesId| {
                let name = self.names[*series as usize];
                let (tenant, module, operation) = (&*name.tenant, &*name.module, Some(&*name.operation));
                Share { tenant, module, operation, bad: bad(*series) }
            };
            sources.series.iter().map(share).collect()
        };
        match sli {
            Sli::Latency { threshold_ns, failures_are_slow } => {
                let (classes, counts) = (self.classes(range), self.counts(range));
                of_series(&|series| {
                    let slow = classes.get(&(series, *threshold_ns)).map_or(0, |of| of.slow);
                    let failures = counts[series as usize].outcomes.0[bailiwick_slo::outcome::Outcome::Failure.index()];
                    slow + if *failures_are_slow { failures } else { 0 }
                })
            }
            Sli::Quantile { metric: None, threshold, .. } => {
                let threshold_ns = threshold.units(0).and_then(|ns| u64::try_from(ns).ok()).unwrap_or(0);
                let classes = self.classes(range);
                of_series(&|series| classes.get(&(series, threshold_ns)).map_or(0, |of| of.slow))
            }
            Sli::Availability | Sli::Outcome { .. } => {
                let counts = self.counts(range);
                of_series(&|series| {
                    let counts = counts[series as usize];
                    let delta = sli.delta(&counts.outcomes, counts.spans);
                    delta.map_or(0, |delta| u64::try_from(delta.bad).unwrap_or(0))
                })
            }
            Sli::Leaks(rules) => {
                let leaked = self.snapshot.leaked(rules, range.0, range.1);
                self.of_modules(sources, |module| leaked.get(&module).map_or(0, |counts| counts[1]))
            }
            Sli::Coverage(part) => {
                let bad = bad_of_coverage(self.snapshot, part, (range.0, range.1), self.settle_ns);
                self.of_modules(sources, |module| bad.get(&module).copied().unwrap_or(0))
            }
            _ => Vec::new(),
        }
    }

    fn of_modules(&self, sources: &Sources, bad: impl Fn(u32) -> u64) -> Vec<Share<'a>> {
        let modules = (0..).zip(self.snapshot.modules()).filter(|(number, _)| sources.modules.contains(number));
        let share = |(number, module): (u32, &'a crate::aggregator::snapshot::ModuleTotals)| Share {
            tenant: &module.tenant,
            module: &module.module,
            operation: None,
            bad: bad(number),
        };
        modules.map(share).collect()
    }

    fn counts(&self, (from, to): Range) -> Rc<Vec<SlotCounts>> {
        let mut known = self.counts.borrow_mut();
        Rc::clone(known.entry((from, to)).or_insert_with(|| Rc::new(self.snapshot.counts(from, to))))
    }

    fn classes(&self, (from, to): Range) -> Rc<Classes> {
        let mut known = self.classes.borrow_mut();
        let read = || {
            let classes = self.snapshot.classes(from, to);
            Rc::new(classes.map(|(of, counts)| ((of.series, of.threshold_ns), counts)).collect())
        };
        Rc::clone(known.entry((from, to)).or_insert_with(read))
    }

    /// Bad spans of the series in the window, newest first.
    fn exemplars(&self, parts: &[Part<'_>], (from, to): (u64, u64)) -> Vec<ExemplarSpan> {
        let mut spans: Vec<ExemplarSpan> = Vec::new();
        for Part { sources, sli, effects } in parts {
            let tick = |end_ns: u64| u64::from(Slot::holding(end_ns).0);
            let inside =
                |end_ns: u64| (from..to).contains(&tick(end_ns)) && Effect::over(effects, tick(end_ns)).is_none();
            let bad = Bad::of(sli);
            let kinds = sources.series.iter().flat_map(|series| bad.iter().map(|bad| (*series, *bad)));
            spans.extend(kinds.flat_map(|(series, bad)| {
                let operation = &self.names[series as usize].operation;
                let inside = self.sightings.of(series, bad).filter(|span| inside(span.end_ns));
                inside.map(|span| ExemplarSpan { span: *span, operation: operation.clone() })
            }));
        }
        spans.sort_by_key(|exemplar| std::cmp::Reverse((exemplar.span.end_ns, exemplar.span.trace_id)));
        spans.truncate(EXEMPLARS_MAX);
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_corrections_cover_is_nobodys_fault() {
        let effect = |from, to| Effect { from, to, is_good: false };
        assert_eq!(counted((10, 20), &[]), [(10, 20)]);
        assert_eq!(counted((10, 20), &[effect(0, 5), effect(12, 14), effect(18, 30)]), [(10, 12), (14, 18)]);
        assert_eq!(counted((10, 20), &[effect(5, 25)]), []);
    }
}
