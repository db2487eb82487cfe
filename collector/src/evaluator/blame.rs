//! Who the bad events of an incident came from, and spans that show them: read from the snapshot that the tick came
//! with, and from spans that were seen before it.

use bailiwick_slo::attribution;
use bailiwick_slo::engine::fleet::Member;
use bailiwick_slo::spec::Sli;
use bailiwick_slo::time::Slot;

use super::report::{Blame, ExemplarSpan};
use super::sightings::Sightings;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{SeriesId, SeriesName};

/// Spans that are told.
const EXEMPLARS_MAX: usize = 10;
/// Slots that the snapshot has one by one: beyond them, whole hours outward.
const EXACT_SLOTS: u64 = 390;

/// What is asked.
#[derive(Debug)]
pub(super) struct Around<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) sightings: &'a Sightings,
}

/// The blame of an instance over the long window of its governing tier.
pub(super) fn of(around: &Around<'_>, series: &[SeriesId], member: &Member) -> Blame {
    let snapshot = around.snapshot;
    let (status, sli) = (member.instance.status(), &member.slo.sli);
    let tier = status.governing.map(|place| &status.tiers[place]);
    let slots = tier.map_or(360, |tier| tier.tier.long.seconds() / 10);
    let to = status.next;
    let from = to.saturating_sub(slots);
    let from = if slots > EXACT_SLOTS { from - from % u64::from(Slot::PER_HOUR) } else { from };
    let slot = |tick: u64| Slot(u32::try_from(tick).unwrap_or(u32::MAX));
    let counts = snapshot.counts(slot(from), slot(to));
    let names: Vec<&SeriesName> = snapshot.series().collect();
    let bad = |series: &SeriesId| {
        let counts = counts[*series as usize];
        sli.delta(&counts.outcomes, counts.spans).map_or(0, |delta| u64::try_from(delta.bad).unwrap_or(0))
    };
    let by = |name: fn(&SeriesName) -> &str| {
        attribution::parts(series.iter().map(|series| (name(names[*series as usize]), bad(series))))
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
        exemplars: exemplars(around, series, sli, (from, to)),
    }
}

/// Bad spans of the series in the window, newest first.
fn exemplars(around: &Around<'_>, series: &[SeriesId], sli: &Sli, (from, to): (u64, u64)) -> Vec<ExemplarSpan> {
    let names: Vec<&SeriesName> = around.snapshot.series().collect();
    let inside = |end_ns: u64| (from..to).contains(&u64::from(Slot::holding(end_ns).0));
    let bad = sli.bad_outcomes();
    let kinds = series.iter().flat_map(|series| bad.iter().map(|outcome| (*series, *outcome)));
    let spans = kinds.flat_map(|(series, outcome)| {
        let operation = &names[series as usize].operation;
        let inside = around.sightings.of(series, outcome).filter(|span| inside(span.end_ns));
        inside.map(|span| ExemplarSpan { span: *span, operation: operation.clone() })
    });
    let mut spans: Vec<ExemplarSpan> = spans.collect();
    spans.sort_by_key(|exemplar| std::cmp::Reverse((exemplar.span.end_ns, exemplar.span.trace_id)));
    spans.truncate(EXEMPLARS_MAX);
    spans
}
