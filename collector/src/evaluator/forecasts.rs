//! When budgets end, of those that burn: a few are worked out at each tick, in turn, since that reads all that a budget's
//! window holds.

use bailiwick_slo::engine::fleet::Member;
use bailiwick_slo::engine::forecast::Forecast;
use bailiwick_slo::saved;

/// Forecasts that are worked out at a tick: about 2 ms each over a month.
const AT_TICK: usize = 16;

/// The latest forecast of each instance, by place, and the tick of it.
#[derive(Debug, Default)]
pub(super) struct Forecasts {
    known: Vec<Option<(u64, Forecast)>>,
    /// The place that comes next.
    next: usize,
}

saved!(struct Forecasts { known, next });

impl Forecasts {
    /// Works some out; those that do not burn have none.
    pub(super) fn look<'m>(&mut self, members: impl Iterator<Item = (u32, &'m Member)>, tick: u64) {
        let burning: Vec<(u32, &Member)> =
            members.filter(|(_, member)| !member.is_archived && member.instance.burns()).collect();
        let length = burning.last().map_or(0, |(place, _)| *place as usize + 1);
        let mut kept = vec![None; length];
        for (place, _) in &burning {
            kept[*place as usize] = self.known.get(*place as usize).copied().flatten();
        }
        self.known = kept;
        let begin = burning.partition_point(|(place, _)| (*place as usize) < self.next);
        for (place, member) in burning.iter().cycle().skip(begin).take(AT_TICK.min(burning.len())) {
            self.known[*place as usize] = Some((tick, member.instance.forecast()));
            self.next = *place as usize + 1;
        }
    }

    /// The forecast of an instance.
    pub(super) fn of(&self, place: u32) -> Option<(u64, Forecast)> {
        self.known.get(place as usize).copied().flatten()
    }
}
