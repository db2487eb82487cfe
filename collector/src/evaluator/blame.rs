//! Who the bad events of an incident came from, and spans that show them: read from the snapshot that the tick came
//! with.

use bailiwick_slo::attribution;
use bailiwick_slo::engine::fleet::Member;
use bailiwick_slo::spec::Sli;
use bailiwick_slo::time::Slot;

use super::report::{Blame, ExemplarSpan};
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{SeriesId, SeriesName};

/// Spans that are told.
const EXEMPLARS_MAX: usize = 10;
/// Slots that the snapshot has one by one: beyond them, whole hours outward.
const EXACT_SLOTS: u64 = 390;

/// The blame of an instance over the long window of its governing tier.
pub(super) fn of(snapshot: &Snapshot, series: &[SeriesId], member: &Member) -> Blame {
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
        exemplars: exemplars(snapshot, series, sli, (from, to)),
    }
}

/// The latest bad spans of each series in the window, newest first.
fn exemplars(snapshot: &Snapshot, series: &[SeriesId], sli: &Sli, (from, to): (u64, u64)) -> Vec<ExemplarSpan> {
    let names: Vec<&SeriesName> = snapshot.series().collect();
    let bad = sli.bad_outcomes();
    let inside = |end_ns: u64| (from..to).contains(&u64::from(Slot::holding(end_ns).0));
    let spans = series.iter().flat_map(|series| {
        let latest = snapshot.exemplars(*series).latest;
        let operation = &names[*series as usize].operation;
        let bad = bad.iter().filter_map(move |outcome| latest[outcome.index()].filter(|span| inside(span.end_ns)));
        bad.map(|span| ExemplarSpan { span, operation: operation.clone() })
    });
    let mut spans: Vec<ExemplarSpan> = spans.collect();
    spans.sort_by_key(|exemplar| std::cmp::Reverse((exemplar.span.end_ns, exemplar.span.trace_id)));
    spans.truncate(EXEMPLARS_MAX);
    spans
}
