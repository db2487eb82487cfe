//! Who the bad events of an incident came from, and spans that show them: read from the snapshot that the tick came
//! with, and from spans that were seen before it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use bailiwick_slo::attribution;
use bailiwick_slo::engine::fleet::Member;
use bailiwick_slo::spec::Sli;
use bailiwick_slo::time::{SLOT_SECONDS, Slot};

use super::report::{Blame, ExemplarSpan};
use super::sightings::Sightings;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{SeriesId, SeriesName, SlotCounts};

/// Spans that are told.
const EXEMPLARS_MAX: usize = 10;
/// Slots that the snapshot has one by one: beyond them, whole hours outward.
const EXACT_SLOTS: u64 = 390;

/// What is asked: the same by all incidents of a tick.
#[derive(Debug)]
pub(super) struct Around<'a> {
    snapshot: &'a Snapshot,
    sightings: &'a Sightings,
    names: Vec<&'a SeriesName>,
    /// By first slot: what each series counted since. Tiers have few lengths.
    counts: RefCell<HashMap<u64, Rc<Vec<SlotCounts>>>>,
}

impl<'a> Around<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, sightings: &'a Sightings) -> Self {
        Self { snapshot, sightings, names: snapshot.series().collect(), counts: RefCell::default() }
    }

    /// The blame of an instance over the long window of its governing tier.
    pub(super) fn blame(&self, series: &[SeriesId], member: &Member) -> Blame {
        let (status, sli) = (member.instance.status(), &member.slo.sli);
        let tier = status.governing.map(|place| &status.tiers[place]);
        let slots = tier.map_or(u64::from(Slot::PER_HOUR), |tier| tier.tier.long.seconds() / SLOT_SECONDS);
        let to = status.next;
        let from = to.saturating_sub(slots);
        let from = if slots > EXACT_SLOTS { from - from % u64::from(Slot::PER_HOUR) } else { from };
        let counts = self.counts(from, to);
        let bad = |series: &SeriesId| {
            let counts = counts[*series as usize];
            sli.delta(&counts.outcomes, counts.spans).map_or(0, |delta| u64::try_from(delta.bad).unwrap_or(0))
        };
        let by = |name: fn(&SeriesName) -> &str| {
            attribution::parts(series.iter().map(|series| (name(self.names[*series as usize]), bad(series))))
        };
        Blame {
            from_tick: from,
            to_tick: to,
            bad: series.iter().map(bad).sum(),
            by: vec![
                ("tenant", by(|name| &name.tenant)),
                ("module", by(|name| &name.module)),
                ("operation", by(|name| &name.operation)),
            ],
            exemplars: self.exemplars(series, sli, (from, to)),
        }
    }

    fn counts(&self, from: u64, to: u64) -> Rc<Vec<SlotCounts>> {
        let slot = |tick: u64| Slot(u32::try_from(tick).unwrap_or(u32::MAX));
        let mut known = self.counts.borrow_mut();
        Rc::clone(known.entry(from).or_insert_with(|| Rc::new(self.snapshot.counts(slot(from), slot(to)))))
    }

    /// Bad spans of the series in the window, newest first.
    fn exemplars(&self, series: &[SeriesId], sli: &Sli, (from, to): (u64, u64)) -> Vec<ExemplarSpan> {
        let inside = |end_ns: u64| (from..to).contains(&u64::from(Slot::holding(end_ns).0));
        let bad = sli.bad_outcomes();
        let kinds = series.iter().flat_map(|series| bad.iter().map(|outcome| (*series, *outcome)));
        let spans = kinds.flat_map(|(series, outcome)| {
            let operation = &self.names[series as usize].operation;
            let inside = self.sightings.of(series, outcome).filter(|span| inside(span.end_ns));
            inside.map(|span| ExemplarSpan { span: *span, operation: operation.clone() })
        });
        let mut spans: Vec<ExemplarSpan> = spans.collect();
        spans.sort_by_key(|exemplar| std::cmp::Reverse((exemplar.span.end_ns, exemplar.span.trace_id)));
        spans.truncate(EXEMPLARS_MAX);
        spans
    }
}
