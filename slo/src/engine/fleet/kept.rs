//! A fleet as bytes and back again. Who has which place, how many there are and what corrections do follows from the rest.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Fleet, Key, Limits, Member};
use crate::engine::corrections::Corrections;
use crate::engine::counting::Counting;
use crate::engine::windows::{Effect, Grid};
use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};

impl Fleet {
    /// Writes it, all but what corrections do: their owner tells that again, see [`Fleet::know_corrections`].
    pub(crate) fn save(&self, to: &mut Writer) {
        let Self { grid, store_id, limits: _, slos, members, by_key: _, composites, counts: _, .. } = self;
        let Self { refused, next, corrections: _, is_redefined, bytes, .. } = self;
        grid.save(to);
        store_id.save(to);
        slos.save(to);
        members.save(to);
        composites.save(to);
        refused.save(to);
        next.save(to);
        is_redefined.save(to);
        bytes.save(to);
    }

    /// Reads what [`Fleet::save`] wrote of the same store, whose instances may take so much from now on.
    pub(crate) fn restore(store_id: &str, grid: Grid, limits: Limits, from: &mut Reader<'_>) -> Read<Self> {
        if Grid::load(from)? != grid {
            return from.wrong("time is cut in another way");
        }
        if String::load(from)? != store_id {
            return from.wrong("these are the instances of another store");
        }
        let mut fleet = Self::new(Vec::new(), grid, store_id, limits);
        fleet.slos = Saved::load(from)?;
        fleet.members = Saved::load(from)?;
        fleet.composites = Saved::load(from)?;
        fleet.refused = Saved::load(from)?;
        fleet.next = Saved::load(from)?;
        fleet.is_redefined = bool::load(from)?;
        fleet.bytes = Saved::load(from)?;
        for (place, member) in (0..).zip(&fleet.members) {
            if fleet.by_key.insert(member.key.clone(), place).is_some() {
                return from.wrong("two instances are the same one");
            }
        }
        fleet.count_members();
        let is_place = |place: &u32| (*place as usize) < fleet.members.len();
        let is_whole =
            fleet.members.iter().all(|member| member.is_whole(&fleet)) && fleet.composites.iter().all(is_place);
        if is_whole { Ok(fleet) } else { from.wrong("an instance does not fit the others") }
    }

    /// How many each SLO has of those that are there.
    pub(in crate::engine) fn count_members(&mut self) {
        let mut counts: HashMap<Arc<str>, u32> = HashMap::new();
        for member in self.members.iter().filter(|member| !member.is_gone) {
            *counts.entry(Arc::clone(&member.key.slo)).or_default() += 1;
        }
        self.counts = counts;
    }

    /// Lets it know what corrections do that it has counted with before.
    pub(crate) fn know_corrections(&mut self, effects_of: impl Fn(&Key) -> Vec<Effect> + Send + Sync + 'static) {
        self.corrections = Corrections::new(effects_of);
        for member in self.members.iter_mut().filter(|member| !member.is_gone) {
            member.instance.windows.know_effects(self.corrections.of(&member.key));
        }
    }
}

impl Member {
    /// Whether it may be one of a fleet.
    fn is_whole(&self, fleet: &Fleet) -> bool {
        let next = self.instance.next();
        let is_in_time = fleet.next.is_none_or(|of_all| if self.is_archived { next <= of_all } else { next == of_all });
        let are_parts = self.parts.iter().all(|part| {
            let Some(place) = part.place else { return true };
            let windows = fleet.members.get(place as usize).map(|member| member.instance.windows.len());
            windows.is_some_and(|windows| part.windows.iter().all(|window| *window < windows))
        });
        is_in_time
            && are_parts
            && self.instance.grid == fleet.grid
            && self.instance.counting == Counting::of(&self.slo)
            && self.pending.is_sorted_by(|(one, _), (next, _)| one < next)
    }
}
