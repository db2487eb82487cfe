//! The course as bytes and back again, so that only the records after it have to be taken once more.

use std::sync::Arc;

use super::{Course, Definitions, Sources};
use crate::course::control::Controls;
use crate::course::ledger::Origin;
use crate::engine::fleet::Fleet;
use crate::engine::windows::Grid;
use crate::saved::Saved;
use crate::wire::{Read, Reader, Writer};

impl Course {
    /// Writes all that follows from the records that were taken.
    pub fn save(&self, to: &mut Writer) {
        let Self { grid: _, fleet, takes_definitions: _, modules, series, readings, places, sources, .. } = self;
        let Self { controls, next, seq, changes, owed, damaged, .. } = self;
        fleet.save(to);
        modules.save(to);
        series.save(to);
        readings.save(to);
        places.save(to);
        sources.save(to);
        controls.save(to);
        (*next, *seq).save(to);
        (*changes, *damaged).save(to);
        owed.save(to);
    }

    /// Reads what [`Self::save`] wrote of the same store and grid. Definitions that are given take the place of those that
    /// were saved; what that ends is told with the next record. Limits are today's: who is there stays.
    ///
    /// # Errors
    /// Where the bytes are none that were saved.
    pub fn restore(definitions: Definitions, origin: &Origin, grid: Grid, from: &mut Reader<'_>) -> Read<Self> {
        let (given, takes_definitions) = match definitions {
            Definitions::Recorded => (None, true),
            Definitions::Given(slos) => (Some(slos), false),
        };
        let fleet = Fleet::restore(&origin.store_id, grid, origin.limits, from)?;
        let (modules, series, readings) = Saved::load(from)?;
        let (places, sources) = Saved::load(from)?;
        let controls = Arc::<Controls>::load(from)?;
        let (next, seq) = Saved::load(from)?;
        let (changes, damaged) = Saved::load(from)?;
        let owed = Saved::load(from)?;
        let mut course = Self {
            grid,
            fleet,
            takes_definitions,
            modules,
            series,
            readings,
            places,
            sources,
            controls: Arc::clone(&controls),
            next,
            seq,
            changes,
            owed,
            damaged,
        };
        if !course.is_whole() {
            return from.wrong("the course names what it does not know");
        }
        course.fleet.know_corrections(move |key| controls.effects(key));
        if let Some(slos) = given.filter(|slos| !course.fleet.slos().iter().map(|slo| &**slo).eq(slos)) {
            let events = course.redefine(slos);
            course.owed.extend(events);
        }
        Ok(course)
    }

    /// Whether every number in it is one of something.
    fn is_whole(&self) -> bool {
        let (members, modules, series) = (self.fleet.members().len(), self.modules.len(), self.series.len());
        let are = |places: &[u32]| places.iter().all(|place| (*place as usize) < members);
        let are_known = |sources: &Arc<Sources>| {
            let last = |numbers: Option<&u32>, of: usize| numbers.is_none_or(|number| (*number as usize) < of);
            last(sources.modules.last(), modules) && last(sources.series.last(), series)
        };
        self.next == self.fleet.next()
            && self.places.len() == series
            && self.places.iter().flatten().all(|places| are(places))
            && self.modules.iter().flat_map(|module| module.places.values()).all(|places| are(places))
            && self.sources.len() <= members
            && self.sources.iter().all(are_known)
            && self.owed.iter().all(|(place, _)| are(&[*place]))
    }
}
