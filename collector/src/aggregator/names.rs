//! Who the series are: admission within the maxima, and the overflow series that take the rest. No count is lost.

use std::sync::Arc;

use bailiwick_slo::conventions::{EntryType, OTHER};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasher;

use super::chunked::Chunked;
use super::settings::SeriesSettings;
use super::snapshot::{ModuleId, SeriesId, SeriesName};
use super::tenants::{self, TenantId, Tenants};

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    tenant: TenantId,
    module: Symbol,
    operation: Symbol,
    entry: EntryType,
}

#[derive(Debug, Default, Clone, Copy)]
struct Tenant {
    series: u32,
    modules: u32,
}

/// A tenant x module that is new: its number is the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewModule {
    pub(super) tenant: Arc<str>,
    pub(super) module: Arc<str>,
    pub(super) overflow: bool,
}

/// The directory of series.
#[derive(Debug)]
pub(super) struct Names {
    limits: SeriesSettings,
    symbols: HashMap<Arc<str>, Symbol, RandomState>,
    texts: Vec<Arc<str>>,
    hasher: RandomState,
    series: HashTable<(Key, SeriesId)>,
    /// Per series, for the hot path: its tenant x module.
    pub(super) module_of: Vec<ModuleId>,
    pub(super) directory: Chunked<SeriesName>,
    /// By [`TenantId`].
    tenants: Vec<Tenant>,
    modules: HashMap<(TenantId, Symbol), (ModuleId, u32), RandomState>,
    pub(super) new_modules: Vec<NewModule>,
    admitted: u32,
    limited: HashMap<(TenantId, &'static str), u64, RandomState>,
}

impl Names {
    pub(super) fn new(limits: SeriesSettings) -> Self {
        Self {
            limits,
            symbols: HashMap::default(),
            texts: Vec::new(),
            hasher: RandomState::default(),
            series: HashTable::new(),
            module_of: Vec::new(),
            directory: Chunked::default(),
            tenants: Vec::new(),
            modules: HashMap::default(),
            new_modules: Vec::new(),
            admitted: 0,
            limited: HashMap::default(),
        }
    }

    /// The number of a name, or [`NO_SYMBOL`].
    pub(super) fn symbol(&self, text: &str) -> Symbol {
        self.symbols.get(text).copied().unwrap_or(NO_SYMBOL)
    }

    fn intern(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.symbols.get(text) {
            return *symbol;
        }
        let symbol = self.texts.len() as Symbol;
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.symbols.insert(text, symbol);
        symbol
    }

    /// The series of these names, if it was admitted: three numbers compared, no text.
    #[inline]
    pub(super) fn find(
        &self,
        tenant: TenantId,
        [module, operation]: [Symbol; 2],
        entry: EntryType,
    ) -> Option<SeriesId> {
        let key = Key { tenant, module, operation, entry };
        self.series.find(self.hash(&key), |(known, _)| *known == key).map(|(_, series)| *series)
    }

    #[inline]
    fn hash(&self, key: &Key) -> u64 {
        hash_key(&self.hasher, key)
    }

    /// The series that a request goes to: its own if there is room, else an overflow series, which is counted.
    pub(super) fn admit(&mut self, tenants: &Tenants, asked: &Asked<'_>) -> SeriesId {
        let tenant = asked.tenant;
        if tenant == tenants::OVERFLOW {
            self.limit(tenant, "tenants");
            return self.overflow_series(tenants, asked, OTHER);
        }
        let symbols = [self.symbol(asked.module), self.symbol(asked.operation)];
        if let Some(series) = self.find(tenant, symbols, asked.entry) {
            return series;
        }
        if self.admitted >= self.limits.max {
            self.limit(tenant, "series");
            return self.overflow_series(tenants, asked, OTHER);
        }
        let known_module = self.modules.get(&(tenant, symbols[0])).copied();
        let held = self.held(tenant);
        if known_module.is_none() && held.modules >= self.limits.modules_max {
            self.limit(tenant, "modules");
            return self.overflow_series(tenants, asked, OTHER);
        }
        if held.series >= self.limits.per_tenant_max {
            self.limit(tenant, "per_tenant");
            return self.overflow_series(tenants, asked, asked.module);
        }
        if known_module.is_some_and(|(_, operations)| operations >= self.limits.operations_top) {
            self.limit(tenant, "operations");
            return self.overflow_series(tenants, asked, asked.module);
        }
        self.admitted += 1;
        self.held_mut(tenant).series += 1;
        self.add(tenants, asked, false)
    }

    fn held(&self, tenant: TenantId) -> Tenant {
        self.tenants.get(tenant as usize).copied().unwrap_or_default()
    }

    fn held_mut(&mut self, tenant: TenantId) -> &mut Tenant {
        let place = tenant as usize;
        if self.tenants.len() <= place {
            self.tenants.resize(place + 1, Tenant::default());
        }
        &mut self.tenants[place]
    }

    fn limit(&mut self, tenant: TenantId, reason: &'static str) {
        *self.limited.entry((tenant, reason)).or_default() += 1;
    }

    /// The series `_other` of a tenant and module: always there, whatever the maxima say.
    fn overflow_series(&mut self, tenants: &Tenants, asked: &Asked<'_>, module: &str) -> SeriesId {
        let asked = Asked { module, operation: OTHER, ..*asked };
        let symbols = [self.symbol(module), self.symbol(OTHER)];
        self.find(asked.tenant, symbols, asked.entry).unwrap_or_else(|| self.add(tenants, &asked, true))
    }

    fn add(&mut self, tenants: &Tenants, asked: &Asked<'_>, overflow: bool) -> SeriesId {
        let tenant = asked.tenant;
        let [module, operation] = [asked.module, asked.operation].map(|text| self.intern(text));
        let module_id = self.add_to_module(tenants, (tenant, module), overflow);
        let key = Key { tenant, module, operation, entry: asked.entry };
        let series = self.directory.len() as SeriesId;
        let hasher = &self.hasher;
        let hash = hash_key(hasher, &key);
        self.series.insert_unique(hash, (key, series), |(key, _)| hash_key(hasher, key));
        self.module_of.push(module_id);
        self.directory.push(SeriesName {
            tenant: Arc::clone(tenants.name(tenant)),
            module: Arc::clone(&self.texts[module as usize]),
            operation: Arc::clone(&self.texts[operation as usize]),
            entry: asked.entry,
            module_id,
            overflow,
            first_seen_ns: asked.end_ns,
        });
        series
    }

    fn add_to_module(&mut self, tenants: &Tenants, module: (TenantId, Symbol), overflow: bool) -> ModuleId {
        let next = self.modules.len() as ModuleId;
        let (id, operations) = self.modules.entry(module).or_insert((next, 0));
        *operations += u32::from(!overflow);
        let id = *id;
        if id == next {
            let name = Arc::clone(&self.texts[module.1 as usize]);
            let is_other = module.0 == tenants::OVERFLOW || &*name == OTHER;
            let tenant = Arc::clone(tenants.name(module.0));
            self.new_modules.push(NewModule { tenant, module: name, overflow: is_other });
            self.held_mut(module.0).modules += u32::from(!is_other);
        }
        id
    }

    /// Requests sent to overflow by tenant and reason.
    pub(super) fn limited(&self, tenants: &Tenants) -> Vec<(Arc<str>, &'static str, u64)> {
        let mut rows: Vec<_> = self
            .limited
            .iter()
            .map(|((tenant, reason), count)| (Arc::clone(tenants.name(*tenant)), *reason, *count))
            .collect();
        rows.sort();
        rows
    }

    /// Series admitted.
    pub(super) fn used(&self) -> u32 {
        self.admitted
    }
}

#[inline]
fn hash_key(hasher: &RandomState, key: &Key) -> u64 {
    hasher.hash_one((
        u64::from(key.tenant) << 32 | u64::from(key.module),
        u64::from(key.operation) << 8 | key.entry as u64,
    ))
}
