//! Who the series are: admission within the maxima, and the overflow series that take the rest. No count is lost.
//!
//! `_other` is reserved for operations and modules: whoever claims it is given the overflow series, so that there is
//! one of each and it is marked. A request without room goes to the operation `_other` of its own module when the
//! module has a series, else to the tenant's module `_other`; a tenant without a place to `_overflow`. Overflow series
//! of known modules stand outside the maxima: each module has one kept for it, per entry type.

mod room;
mod demand;
mod heavy;
mod ranks;
mod watch;
mod rest;
mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_slo::conventions::{EntryType, OTHER};
use bailiwick_slo::{kept, saved};

use bailiwick_slo::wire::{Read, Reader};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasher;

use super::memory::chunked::Chunked;
use super::settings::SeriesSettings;
use super::snapshot::{ModuleId, SeriesId, SeriesName};
use super::tenants::{self, TenantId, Tenants};
use demand::Demand;
use ranks::{NO_RANK, RankId, Ranks};
pub(super) use room::Fullest;
use room::{Candidate, Room};
use watch::{Looks, State, Watch};

/// The number of an admitted name.
pub(super) type Symbol = u32;

/// A name that no series has.
pub(super) const NO_SYMBOL: Symbol = u32::MAX;

/// What a request is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) tenant: TenantId,
    pub(super) module: &'a str,
    pub(super) operation: &'a str,
    pub(super) entry: EntryType,
    pub(super) end_ns: u64,
}

/// Why a request goes to an overflow series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Bound {
    /// `series.tenants_max`.
    Tenants,
    /// `series.max`.
    Series,
    /// `series.per_tenant_max`.
    PerTenant,
    /// `series.modules_max`.
    Modules,
    /// `series.operations_top`.
    Operations,
    /// It is called `_other`.
    Reserved,
}
saved!(enum Bound { 0 => Tenants, 1 => Series, 2 => PerTenant, 3 => Modules, 4 => Operations, 5 => Reserved });

impl Bound {
    /// The published name, the value of the label `reason`.
    const fn name(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Series => "series",
            Self::PerTenant => "per_tenant",
            Self::Modules => "modules",
            Self::Operations => "operations",
            Self::Reserved => "reserved",
        }
    }
}

/// Where requests of one name go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) series: SeriesId,
    /// The counter of requests sent to overflow that each of them adds to, or [`Place::OWN`].
    pub(super) limited: u32,
}

impl Place {
    /// The series is its own.
    pub(super) const OWN: u32 = u32::MAX;
}

/// Where requests of one name go, and what each of them is counted in beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) place: Place,
    /// The sketch that ranks its operation, or [`NO_RANK`].
    rank: RankId,
    /// The name's number there.
    number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    module: Symbol,
    operation: Symbol,
    entry: EntryType,
}
saved!(struct Key { tenant, module, operation, entry });

#[derive(Debug, Clone, Copy)]
struct Module {
    id: ModuleId,
    operations: u32,
}
saved!(struct Module { id, operations });

/// A tenant x module that is new: its number is the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewModule {
    pub(super) tenant: Arc<str>,
    pub(super) module: Arc<str>,
    pub(super) overflow: bool,
}
saved!(struct NewModule { tenant, module, overflow });

/// The directory of series.
#[derive(Debug)]
pub(super) struct Names {
    limits: SeriesSettings,
    /// By the bytes of [`Self::texts`]: batches hold bytes that were checked when they were made.
    symbols: HashMap<Arc<[u8]>, Symbol, RandomState>,
    texts: Vec<Arc<str>>,
    hasher: RandomState,
    /// Series of their own.
    series: HashTable<(Key, SeriesId)>,
    /// Overflow series by tenant, module and type.
    others: HashMap<(TenantId, Symbol, EntryType), SeriesId, RandomState>,
    /// Per series, for the hot path: its tenant x module.
    pub(super) module_of: Vec<ModuleId>,
    pub(super) directory: Chunked<SeriesName>,
    /// Series that went to rest: their names may have them again.
    resting: HashMap<Key, SeriesId, RandomState>,
    /// Series whose totals begin again.
    pub(super) restarted: Vec<SeriesId>,
    room: Room,
    ranks: Ranks,
    /// Operations that configuration names, by module.
    named: BTreeMap<String, BTreeSet<String>>,
    modules: HashMap<(TenantId, Symbol), Module, RandomState>,
    pub(super) new_modules: Vec<NewModule>,
    limited: Vec<(TenantId, Bound, u64)>,
    limited_by: HashMap<(TenantId, Bound), u32, RandomState>,
    /// By [`SeriesId`].
    watches: Vec<Watch>,
    looks: Looks,
    /// By [`TenantId`].
    demands: Vec<Demand>,
}
// Maxima, named operations and reserves are those of today.
kept!(Names {
    texts, module_of, directory, restarted, ranks, modules, new_modules, limited, watches, looks, demands;
    room
} then list_all);

impl Names {
    /// Puts names and series into their tables.
    fn list_all(&mut self, from: &Reader<'_>) -> Read<()> {
        let series = self.directory.len();
        if series != self.watches.len() || series != self.module_of.len() {
            return from.wrong("series differ in number");
        }
        self.symbols = self.texts.iter().map(|text| text.as_bytes().into()).zip(0..).collect();
        self.limited_by = self.limited.iter().map(|(tenant, bound, _)| (*tenant, *bound)).zip(0..).collect();
        (self.series, self.others, self.resting) = Default::default();
        for series in 0..series as SeriesId {
            let Watch { key, state, .. } = self.watches[series as usize];
            match state {
                State::Own => self.list(key, series),
                State::Resting => drop(self.resting.insert(key, series)),
                State::Overflow => drop(self.others.insert((key.tenant, key.module, key.entry), series)),
            }
        }
        Ok(())
    }
}

impl Names {
    pub(super) fn new(limits: SeriesSettings) -> Self {
        Self {
            limits,
            symbols: HashMap::default(),
            texts: Vec::new(),
            hasher: RandomState::default(),
            series: HashTable::new(),
            others: HashMap::default(),
            module_of: Vec::new(),
            directory: Chunked::default(),
            resting: HashMap::default(),
            restarted: Vec::new(),
            room: Room::default(),
            ranks: Ranks::default(),
            named: BTreeMap::new(),
            modules: HashMap::default(),
            new_modules: Vec::new(),
            limited: Vec::new(),
            limited_by: HashMap::default(),
            watches: Vec::new(),
            looks: Looks::default(),
            demands: Vec::new(),
        }
    }

    /// The number of a name, or [`NO_SYMBOL`].
    pub(super) fn symbol(&self, text: &[u8]) -> Symbol {
        self.symbols.get(text).copied().unwrap_or(NO_SYMBOL)
    }

    fn intern(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.symbols.get(text.as_bytes()) {
            return *symbol;
        }
        let symbol = self.texts.len() as Symbol;
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.symbols.insert(text.into(), symbol);
        symbol
    }

    /// The series of these names, if they have one of their own: numbers compared, no text.
    #[inline]
    pub(super) fn find(
        &self,
        tenant: TenantId,
        [module, operation]: [Symbol; 2],
        entry: EntryType,
    ) -> Option<SeriesId> {
        let key = Key { tenant, module, operation, entry };
        self.series.find(hash_key(&self.hasher, &key), |(known, _)| *known == key).map(|(_, series)| *series)
    }

    /// Where requests of this name go from now on: to their own series if there is room, else to an overflow series.
    /// Nothing is counted: [`Self::count_limited`] does that, once per request.
    pub(super) fn place(&mut self, tenants: &Tenants, asked: &Asked<'_>) -> Route {
        let number = demand::number_of(asked.module, asked.operation, asked.entry);
        self.note_demand(asked.tenant, number);
        let (tenant, symbols) =
            (asked.tenant, [asked.module, asked.operation].map(|text| self.symbol(text.as_bytes())));
        if tenant == tenants::OVERFLOW {
            return self.overflow(tenants, asked, (OTHER, Bound::Tenants)).into();
        }
        if asked.module == OTHER {
            return self.overflow(tenants, asked, (OTHER, Bound::Reserved)).into();
        }
        let module = self.modules.get(&(tenant, symbols[0])).copied();
        let (own_other, is_reserved) = (if module.is_some() { asked.module } else { OTHER }, asked.operation == OTHER);
        if is_reserved && module.is_some() {
            return self.overflow(tenants, asked, (own_other, Bound::Reserved)).into();
        }
        if let Some(series) = self.find(tenant, symbols, asked.entry) {
            return Place { series, limited: Place::OWN }.into();
        }
        let key = Key { tenant, module: symbols[0], operation: symbols[1], entry: asked.entry };
        let candidate = Candidate {
            tenant,
            module,
            is_named: self.named.get(asked.module).is_some_and(|named| named.contains(asked.operation)),
            is_heavy: module.is_some_and(|module| self.ranks.is_promoted(module.id, number)),
            is_known: self.resting.contains_key(&key),
        };
        let bound = self.full(&candidate);
        if let Some(bound) = bound.filter(|bound| *bound == Bound::Series || !self.limits.dry_run) {
            let place = self.overflow(tenants, asked, (own_other, bound));
            return Route { place, rank: self.rank_in(module), number };
        }
        self.room.admit(tenant, !candidate.is_known);
        if is_reserved {
            // The module's first series is its overflow series; it takes the place that opening a module needs.
            return self.overflow(tenants, asked, (asked.module, Bound::Reserved)).into();
        }
        let series = match self.resting.remove(&key) {
            Some(series) => self.wake(series, asked.end_ns),
            None => self.add(tenants, asked, State::Own),
        };
        let would_limit = bound.map_or(Place::OWN, |bound| self.limit(tenant, bound));
        let count = self.ranks.take(self.module_of[series as usize], number);
        let watch = &mut self.watches[series as usize];
        (watch.is_named, watch.would_limit, watch.count) = (candidate.is_named, would_limit, count);
        Place { series, limited: Place::OWN }.into()
    }

    /// The sketch that counts what a full module has no series for.
    fn rank_in(&mut self, module: Option<Module>) -> RankId {
        let bounds = (self.limits.sketches_max, self.limits.operations_top);
        match module.filter(|module| module.operations >= self.limits.operations_top) {
            Some(module) => self.ranks.open(module.id, bounds),
            None => NO_RANK,
        }
    }

    /// Operations that always have series, within `series.max`.
    pub(super) fn name(&mut self, module: &str, operations: &[String]) {
        self.named.entry(module.to_owned()).or_default().extend(operations.iter().cloned());
    }

    /// The series `_other` of a tenant and module: always there, whatever the maxima say.
    fn overflow(&mut self, tenants: &Tenants, asked: &Asked<'_>, (module, bound): (&str, Bound)) -> Place {
        let asked = Asked { module, operation: OTHER, ..*asked };
        let found = self.others.get(&(asked.tenant, self.symbol(module.as_bytes()), asked.entry)).copied();
        let series = found.unwrap_or_else(|| self.add(tenants, &asked, State::Overflow));
        Place { series, limited: self.limit(asked.tenant, bound) }
    }

    /// The counter of a tenant's requests that a bound sends to overflow.
    fn limit(&mut self, tenant: TenantId, bound: Bound) -> u32 {
        let next = self.limited.len() as u32;
        let counter = *self.limited_by.entry((tenant, bound)).or_insert(next);
        if counter == next {
            self.limited.push((tenant, bound, 0));
        }
        counter
    }

    /// Counts one request that overflow takes.
    #[inline]
    pub(super) fn count_limited(&mut self, route: &Route) {
        if let Some((_, _, count)) = self.limited.get_mut(route.place.limited as usize) {
            *count += 1;
        }
        self.ranks.count(route.rank, route.number);
    }

    fn add(&mut self, tenants: &Tenants, asked: &Asked<'_>, state: State) -> SeriesId {
        let (tenant, overflow) = (asked.tenant, state == State::Overflow);
        let [module, operation] = [asked.module, asked.operation].map(|text| self.intern(text));
        let module_id = self.add_to_module(tenants, (tenant, module), overflow);
        let series = self.directory.len() as SeriesId;
        let key = Key { tenant, module, operation, entry: asked.entry };
        let number = demand::number_of(asked.module, asked.operation, asked.entry);
        self.watches.push(Watch::new(key, state, (number, asked.end_ns)));
        if overflow {
            self.others.insert((tenant, module, asked.entry), series);
        } else {
            self.list(key, series);
        }
        self.module_of.push(module_id);
        self.directory.push(SeriesName {
            tenant: Arc::clone(tenants.name(tenant)),
            module: Arc::clone(&self.texts[module as usize]),
            operation: Arc::clone(&self.texts[operation as usize]),
            entry: asked.entry,
            module_id,
            overflow,
            first_seen_ns: asked.end_ns,
            created_ns: asked.end_ns,
        });
        series
    }

    /// A series takes requests.
    fn list(&mut self, key: Key, series: SeriesId) {
        let hasher = &self.hasher;
        self.series.insert_unique(hash_key(hasher, &key), (key, series), |(key, _)| hash_key(hasher, key));
    }

    fn add_to_module(&mut self, tenants: &Tenants, module: (TenantId, Symbol), overflow: bool) -> ModuleId {
        let next = self.modules.len() as ModuleId;
        let held = self.modules.entry(module).or_insert(Module { id: next, operations: 0 });
        held.operations += u32::from(!overflow);
        let Module { id, operations } = *held;
        self.room.fullest.operations = self.room.fullest.operations.max(operations);
        if id == next {
            let name = Arc::clone(&self.texts[module.1 as usize]);
            let is_other = module.0 == tenants::OVERFLOW || &*name == OTHER;
            let tenant = Arc::clone(tenants.name(module.0));
            self.new_modules.push(NewModule { tenant, module: name, overflow: is_other });
            if !is_other {
                self.room.open_module(module.0);
            }
        }
        id
    }

    /// Requests sent to overflow by tenant and reason.
    pub(super) fn limited(&self, tenants: &Tenants) -> Vec<(Arc<str>, &'static str, u64)> {
        let shown = self.limited.iter().filter(|(_, _, count)| *count > 0);
        let mut rows: Vec<_> =
            shown.map(|(tenant, bound, count)| (Arc::clone(tenants.name(*tenant)), bound.name(), *count)).collect();
        rows.sort();
        rows
    }

    /// Series within `series.max`, and how full the fullest tenant and module are.
    pub(super) fn used(&self) -> (u32, Fullest) {
        (self.room.admitted, self.room.fullest)
    }

    /// Series that rest, by tenant.
    pub(super) fn resting(&self, tenants: &Tenants) -> Vec<(Arc<str>, u64)> {
        self.room.resting(tenants)
    }

    /// Requests that a bound sent to overflow.
    pub(super) fn refused(&self, wanted: Bound) -> u64 {
        self.limited.iter().filter(|(_, bound, _)| *bound == wanted).map(|(_, _, count)| count).sum()
    }
}

impl From<Place> for Route {
    fn from(place: Place) -> Self {
        Self { place, rank: NO_RANK, number: 0 }
    }
}

#[inline]
fn hash_key(hasher: &RandomState, key: &Key) -> u64 {
    hasher.hash_one((
        u64::from(key.tenant) << 32 | u64::from(key.module),
        u64::from(key.operation) << 8 | key.entry as u64,
    ))
}

#[cfg(test)]
mod tests;
