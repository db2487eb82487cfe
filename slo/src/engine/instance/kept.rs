//! An instance as bytes and back again: what is read is one that ticks could have made, or nothing.

use super::Instance;
use crate::engine::counting::Counting;
use crate::engine::windows::Windows;
use crate::saved::Saved;
use crate::spec::{Period, Terms};
use crate::wire::{Read, Reader, Writer};

impl Saved for Instance {
    fn save(&self, to: &mut Writer) {
        self.terms.save(to);
        self.counting.save(to);
        self.windows.save(to);
        self.slices.save(to);
        self.tiers.save(to);
        (self.period, self.forecast_window, self.own_windows).save(to);
        (self.calendar, self.born, self.heard, self.missed).save(to);
        (self.seen, self.seen_bad, self.counted).save(to);
        (self.source, self.gap_ticks).save(to);
        self.steps.save(to);
        self.incidents.save(to);
        self.is_corrected.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (terms, counting, windows) = (Terms::load(from)?, Counting::load(from)?, Windows::load(from)?);
        let (slices, tiers) = (Saved::load(from)?, Saved::load(from)?);
        let (period, forecast_window, own_windows) = Saved::load(from)?;
        let (calendar, born, heard, missed) = Saved::load(from)?;
        let (seen, seen_bad, counted) = Saved::load(from)?;
        let (source, gap_ticks) = Saved::load(from)?;
        let (steps, incidents, is_corrected) = (Saved::load(from)?, Saved::load(from)?, bool::load(from)?);
        let instance = Self {
            terms,
            counting,
            grid: windows.grid(),
            windows,
            slices,
            tiers,
            period,
            calendar,
            forecast_window,
            born,
            seen,
            seen_bad,
            counted,
            heard,
            missed,
            source,
            own_windows,
            gap_ticks,
            steps,
            incidents,
            is_corrected,
        };
        if instance.is_whole() { Ok(instance) } else { from.wrong("an instance does not fit its terms") }
    }
}

/// Most tiers, and steps of a policy: they have numbers of a byte, and one is for those that are gone.
const PLACES_MAX: usize = 254;

impl Instance {
    /// Whether its parts fit each other, so that none asks for what another does not have.
    fn is_whole(&self) -> bool {
        let (windows, next) = (self.windows.len(), self.windows.next());
        let rule = self.counting.rule(self.grid, &self.terms.no_data);
        let is_sliced = match (&self.slices, rule) {
            (None, None) => !self.windows.counts_verdicts(),
            (Some(slices), Some(rule)) => self.windows.counts_verdicts() && slices.is_of(rule, next, self.grid),
            _ => false,
        };
        let tiers = &self.terms.alerts.tiers;
        let are_tiers = tiers.iter().eq(self.tiers.iter().map(|tier| &tier.tier));
        let are_placed = self.tiers.iter().all(|tier| tier.long < windows && tier.short.is_none_or(|at| at < windows));
        let is_calendar = match (&self.terms.period, self.calendar) {
            (Period::Rolling(_), calendar) => calendar.is_none(),
            (Period::Calendar(_), calendar) => calendar.is_none_or(|(from, to)| from < to && from <= next),
        };
        is_sliced
            && are_tiers
            && are_placed
            && is_calendar
            && self.period.max(self.forecast_window) < windows
            && self.own_windows <= windows
            && self.steps.len() == self.terms.policy.len()
            && self.steps.len().max(self.tiers.len()) <= PLACES_MAX
            && self.incidents.current.as_ref().is_none_or(|incident| incident.is_over_by(next))
            && self.born <= next
    }
}
