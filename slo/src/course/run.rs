//! The course itself: the owner of all instances and orders. Records go in, events come out; a daemon and a backtest do
//! nothing else.

mod kept;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::control::Controls;
use super::delta;
use super::ledger::Origin;
use super::record::{Module, Reading, Record, Series};
use crate::document::{self, Context};
use crate::engine::fleet::{Fleet, Key, Member};
use crate::engine::incident::Event;
use crate::engine::sums::Source;
use crate::engine::windows::Grid;
use crate::saved;
use crate::spec::Slo;

/// Ticks that may close at once without a pause: whoever writes the records was busy, and there all the time.
const BUSY_TICKS_MAX: u64 = 6;
/// A module whose latest metric point is older has no heartbeat (`slo.md` 2.3: 24 h).
const HEARTBEAT_SECONDS: u64 = 86_400;

/// Which definitions hold.
#[derive(Debug, Clone)]
pub enum Definitions {
    /// Those of the records.
    Recorded,
    /// These, whatever the records say.
    Given(Vec<Slo>),
}

/// What is known of a tenant x module.
#[derive(Debug)]
struct KnownModule {
    name: Module,
    /// When its latest metric point arrived.
    heard: Option<u64>,
    /// The latest tick that it had requests in.
    asked: u64,
    /// Instances by reading that has counted something here.
    places: BTreeMap<u32, Vec<u32>>,
}

saved!(struct KnownModule { name, heard, asked, places });

/// What an instance is made of.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Series, by number.
    pub series: BTreeSet<u32>,
    /// Tenants x modules, by number.
    pub modules: BTreeSet<u32>,
}

saved!(struct Sources { series, modules });

/// The course.
#[derive(Debug)]
pub struct Course {
    grid: Grid,
    pub(super) fleet: Fleet,
    takes_definitions: bool,
    modules: Vec<KnownModule>,
    series: Vec<Series>,
    readings: Vec<Reading>,
    /// Instances by series; `None`: they are looked for anew.
    places: Vec<Option<Vec<u32>>>,
    /// By instance.
    sources: Vec<Arc<Sources>>,
    pub(super) controls: Arc<Controls>,
    next: Option<u64>,
    seq: u64,
    /// How often what instances are made of has changed.
    changes: u64,
    /// What happened when it was restored under other definitions: told with the next record that moves anything.
    owed: Vec<(u32, Event)>,
    /// Records that named what nobody introduced, or ordered what makes no sense.
    damaged: u64,
}

impl Course {
    /// Nothing was counted so far.
    #[must_use]
    pub fn new(definitions: Definitions, origin: &Origin, grid: Grid) -> Self {
        let (slos, takes_definitions) = match definitions {
            Definitions::Recorded => (Vec::new(), true),
            Definitions::Given(slos) => (slos, false),
        };
        Self {
            grid,
            fleet: Fleet::new(slos, grid, &origin.store_id, origin.limits),
            takes_definitions,
            modules: Vec::new(),
            series: Vec::new(),
            readings: Vec::new(),
            places: Vec::new(),
            sources: Vec::new(),
            controls: Arc::default(),
            next: None,
            seq: 0,
            changes: 0,
            owed: Vec::new(),
            damaged: 0,
        }
    }

    /// All instances.
    #[must_use]
    pub const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// What an instance is made of.
    #[must_use]
    pub fn sources(&self, place: u32) -> Option<&Arc<Sources>> {
        self.sources.get(place as usize)
    }

    /// What operators ordered.
    #[must_use]
    pub const fn controls(&self) -> &Arc<Controls> {
        &self.controls
    }

    /// How time is cut.
    #[must_use]
    pub const fn grid(&self) -> Grid {
        self.grid
    }

    /// The number of the record that was taken last.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// How often what instances are made of has changed.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// Things in records that could not be used.
    #[must_use]
    pub const fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Takes the next record; says what happened, by instance.
    pub fn take(&mut self, record: &Record) -> Vec<(u32, Event)> {
        self.seq = record.seq;
        let first = self.next.unwrap_or(record.open.saturating_sub(1));
        let moves = record.open > first || !record.controls.is_empty();
        let mut events = if moves { std::mem::take(&mut self.owed) } else { Vec::new() };
        for control in &record.controls {
            events.extend(self.order(control, first));
        }
        self.learn(record);
        self.count(record, first);
        let next = self.next.unwrap_or(record.open.saturating_sub(1));
        if record.open > next {
            self.next = Some(record.open);
            // Ticks that are left out were a pause, and the fleet takes them for gaps.
            let first = if record.open - next <= BUSY_TICKS_MAX { next } else { record.open - 1 };
            for tick in first..record.open {
                events.extend(self.close(tick));
            }
        }
        events
    }

    fn learn(&mut self, record: &Record) {
        let known = |name: &Module| KnownModule { name: name.clone(), heard: None, asked: 0, places: BTreeMap::new() };
        self.modules.extend(record.modules.iter().map(known));
        for series in &record.series {
            self.places.push(None);
            self.series.push(series.clone());
        }
        self.readings.extend(record.readings.iter().cloned());
        for (module, tick) in &record.heard {
            match self.modules.get_mut(*module as usize) {
                Some(module) => module.heard = module.heard.max(Some(*tick)),
                None => self.damaged += 1,
            }
        }
    }

    fn count(&mut self, record: &Record, first: u64) {
        for (tick, series, requests) in &record.requests {
            let module = self.series.get(*series as usize).map(|series| series.module as usize);
            if let Some(module) = module.and_then(|module| self.modules.get_mut(module)) {
                module.asked = module.asked.max(*tick);
            }
            for place in self.places_of_series(*series, first) {
                if let Some(delta) = delta::of_requests(&self.fleet.members()[place as usize].slo.sli, requests) {
                    self.fleet.bring(place, *tick, delta);
                }
            }
        }
        for (tick, series, classes) in &record.latency {
            for place in self.places_of_series(*series, first) {
                if let Some(delta) = delta::of_classes(&self.fleet.members()[place as usize].slo.sli, classes) {
                    self.fleet.bring(place, *tick, delta);
                }
            }
        }
        for (tick, module, reading, tally) in &record.tallies {
            for place in self.places_of_reading(*module, *reading, first) {
                let sli = &self.fleet.members()[place as usize].slo.sli;
                if let Some(delta) = delta::of_tally(sli, &self.readings[*reading as usize], tally) {
                    self.fleet.bring(place, *tick, delta);
                }
            }
        }
    }

    /// Instances that a series is part of.
    fn places_of_series(&mut self, number: u32, first: u64) -> Vec<u32> {
        let Some(known) = self.places.get(number as usize) else {
            self.damaged += 1;
            return Vec::new();
        };
        if let Some(places) = known {
            return places.clone();
        }
        let Series { module, operation } = self.series[number as usize].clone();
        let Some(name) = self.modules.get(module as usize).map(|module| module.name.clone()) else {
            self.damaged += 1;
            self.places[number as usize] = Some(Vec::new());
            return Vec::new();
        };
        let places = self.fleet.places_where((&name.tenant, &name.module), first, |slo| {
            delta::reads_requests(&slo.sli) && slo.matches(&name.tenant, &name.module, &operation)
        });
        self.know(&places, Some(number), module);
        self.places[number as usize] = Some(places.clone());
        places
    }

    /// Instances that a reading of a tenant x module is part of.
    fn places_of_reading(&mut self, module: u32, reading: u32, first: u64) -> Vec<u32> {
        let (Some(known), Some(what)) = (self.modules.get(module as usize), self.readings.get(reading as usize)) else {
            self.damaged += 1;
            return Vec::new();
        };
        if let Some(places) = known.places.get(&reading) {
            return places.clone();
        }
        let Module { tenant, module: name } = known.name.clone();
        let places = self.fleet.places_where((&tenant, &name), first, |slo| {
            Reading::of(&slo.sli).contains(what) && slo.is_of(&tenant, &name)
        });
        self.know(&places, None, module);
        self.modules[module as usize].places.insert(reading, places.clone());
        places
    }

    /// Notes what instances are made of.
    fn know(&mut self, places: &[u32], series: Option<u32>, module: u32) {
        self.changes += 1;
        self.sources.resize(self.fleet.members().len(), Arc::default());
        for place in places {
            let sources = Arc::make_mut(&mut self.sources[*place as usize]);
            sources.modules.insert(module);
            sources.series.extend(series);
        }
    }

    fn close(&mut self, tick: u64) -> Vec<(u32, Event)> {
        self.expire_acks(tick);
        let (modules, sources, grid) = (&self.modules, &self.sources, self.grid);
        self.fleet.close(tick, |place, member| {
            let made_of = sources.get(place as usize).map(|sources| &sources.modules);
            let of = || made_of.into_iter().flatten().map(|module| &modules[*module as usize]);
            let heard = of().filter_map(|module| module.heard).max();
            let asked = of().map(|module| module.asked).max();
            alive(member, (heard, asked.unwrap_or(0)), tick, grid)
        })
    }

    /// Takes other definitions over; documents that are not valid change nothing.
    pub(super) fn define(&mut self, documents: &[(String, String)]) -> Vec<(u32, Event)> {
        if !self.takes_definitions {
            return Vec::new();
        }
        let files: Vec<(&str, &str)> = documents.iter().map(|(name, text)| (&**name, &**text)).collect();
        let loaded = document::load(&files, &Context::default());
        if !loaded.is_valid() {
            self.damaged += 1;
            return Vec::new();
        }
        self.redefine(loaded.slos)
    }

    fn redefine(&mut self, slos: Vec<Slo>) -> Vec<(u32, Event)> {
        let events = self.fleet.redefine(slos);
        self.places.iter_mut().for_each(|places| *places = None);
        self.sources.iter_mut().for_each(|sources| *sources = Arc::default());
        // Instances that stay go on hearing of what they are made of; new ones rest until something counts for them.
        let first = self.next.unwrap_or_default();
        (0..self.series.len() as u32).for_each(|series| drop(self.places_of_series(series, first)));
        for module in 0..self.modules.len() {
            let readings: Vec<u32> = std::mem::take(&mut self.modules[module].places).into_keys().collect();
            readings.into_iter().for_each(|reading| drop(self.places_of_reading(module as u32, reading, first)));
        }
        events
    }

    /// Instances by number, those that are there.
    pub fn members(&self) -> impl Iterator<Item = (u32, &Member)> {
        (0..).zip(self.fleet.members()).filter(|(_, member)| !member.is_gone)
    }

    /// The key of an instance.
    #[must_use]
    pub fn key(&self, place: u32) -> &Key {
        &self.fleet.members()[place as usize].key
    }

    /// Series by number: their tenant, module and operation.
    pub fn series(&self) -> impl Iterator<Item = (&Module, &Arc<str>)> {
        self.series.iter().filter_map(|series| {
            let module = self.modules.get(series.module as usize)?;
            Some((&module.name, &series.operation))
        })
    }
}

/// What is known of an instance's source in a tick: a heartbeat holds while anything at all is heard (`slo.md` 2.3).
fn alive(member: &Member, (heard, asked): (Option<u64>, u64), tick: u64, grid: Grid) -> Source {
    let Some(heard) = heard.filter(|heard| tick.saturating_sub(*heard) <= grid.ticks(HEARTBEAT_SECONDS)) else {
        return Source::Silent;
    };
    let latest = heard.max(asked).max(member.instance.heard());
    let after = grid.ticks(member.instance.terms().no_data.after.seconds());
    if tick.saturating_sub(latest) < after { Source::Alive } else { Source::Dead }
}

/// Names by number, for those who count by name.
#[derive(Debug, Default)]
pub struct Numbers<T: Ord>(BTreeMap<T, u32>);

impl<T: Ord> Numbers<T> {
    /// The number of a name, and whether it is a new one.
    pub fn of(&mut self, name: T) -> (u32, bool) {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        match self.0.entry(name) {
            std::collections::btree_map::Entry::Occupied(known) => (*known.get(), false),
            std::collections::btree_map::Entry::Vacant(free) => (*free.insert(next), true),
        }
    }
}
