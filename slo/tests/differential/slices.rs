//! Slices of time, judged anew from the ticks that they hold (`slo.md` 2.3).

use bailiwick_slo::spec::{EmptySlice, Method};

use crate::model::{Counted, Kept, Known, Model, Q, fraction};

/// What a slice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slice {
    /// It does not count.
    Skipped,
    /// So many bad events of so many; without events good or bad as a whole.
    Judged(u128, u64),
}

/// What the slices counted whose last tick is one of these: a slice counts when it is over.
pub(crate) fn counted(model: &Model, ticks: (u64, u64)) -> Counted {
    let (mut bad_sum, mut total_sum) = (0, 0);
    each(model, ticks, |bad, total| {
        total_sum += 1;
        bad_sum += match model.method {
            Method::Timeslices { target, .. } => {
                let good = u128::from(total) - bad;
                let (above, below) = (target.mantissa().unsigned_abs(), 10_u128.pow(target.scale().into()));
                u128::from(good * below < u128::from(above) * u128::from(total))
            }
            _ => (bad << 64_u8) / u128::from(total),
        };
    });
    Counted { bad: bad_sum, total: total_sum, ..model.events(ticks) }
}

/// The sum of shortfalls without any rounding.
pub(crate) fn exact(model: &Model, ticks: (u64, u64)) -> Q {
    let mut sum = fraction(0, 1);
    each(model, ticks, |bad, total| sum += fraction(bad, total));
    sum
}

/// Bad and all events of each slice that counts.
fn each(model: &Model, (from, to): (u64, u64), mut take: impl FnMut(u128, u64)) {
    let mut tick = begin(model, from);
    while tick < to {
        let end = end(model, tick);
        if end <= to
            && let Slice::Judged(bad, total) = judge(model, (tick, end))
        {
            take(bad, total);
        }
        tick = end;
    }
}

/// Ticks of a slice.
fn length(model: &Model) -> u64 {
    match model.method {
        Method::Timeslices { slice, .. } | Method::RatioTimeslices { slice } => slice.seconds() / model.grid.tick_s,
        Method::Occurrences => unreachable!("events have no slices"),
    }
}

/// The first tick of the slice that holds a tick: on the UTC grid, or on the begin of its calendar window.
fn begin(model: &Model, tick: u64) -> u64 {
    let origin = model.calendar_of(tick).map_or(0, |(from, _)| from);
    origin + (tick - origin) / length(model) * length(model)
}

/// The first tick after the slice that begins with a tick: a calendar window cuts its last one.
fn end(model: &Model, begin: u64) -> u64 {
    let end = begin + length(model);
    model.calendar_of(begin).map_or(end, |(_, to)| end.min(to))
}

/// A slice is read like a window: where too much of it is unknown it is a gap, else without events it is empty.
fn judge(model: &Model, (from, to): (u64, u64)) -> Slice {
    let events = model.events((from, to));
    let has = |kept: Kept| (from..to).any(|tick| model.cell(tick).is_lived && model.kept(tick) == kept);
    let (has_all, has_good) = (has(Kept::All), has(Kept::Good));
    if !has_all && !has_good && events.total == 0 {
        return Slice::Skipped;
    }
    match (model.known(&events), model.terms.no_data.empty_slice) {
        (Known::Measured, _) => Slice::Judged(events.bad, events.total),
        (Known::Unmeasured, _) if events.gaps > 0 => Slice::Skipped,
        (_, EmptySlice::Skip) => Slice::Skipped,
        (_, EmptySlice::Good) => Slice::Judged(0, 1),
        // A correction that says `good` leaves nothing bad, silence neither.
        (_, EmptySlice::Bad) => Slice::Judged((has_all || !has_good).into(), 1),
    }
}
