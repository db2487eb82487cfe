//! What a batch's strings mean: tables over its string numbers, filled as rows ask and reused by the next batch. A
//! string is hashed once per batch, however many rows name it, and tables that are large enough allocate nothing.

use bailiwick_slo::conventions::{EntryType, MODULE_UNKNOWN};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::aggregator::names::{Asked, NO_SYMBOL, Names, Place, Symbol};
use crate::aggregator::tenants::{self, TenantId};
use crate::observation::batch::View;
use crate::observation::batch::row::{Context, Evidence};

/// A string that no row has asked for yet.
pub(super) const NOT_ASKED: Symbol = u32::MAX - 1;

/// What one request is called, by strings of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Called {
    pub(super) tenant: TenantId,
    pub(super) module: u32,
    pub(super) operation: u32,
    pub(super) entry: EntryType,
}

/// The tables.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Module names that the batch does not spell, by string numbers from `string_count` on; the first few are in use.
    composed: Vec<String>,
    composed_len: usize,
    /// By string, spelled or composed.
    symbols: Vec<Symbol>,
    /// Tenant by the string that names it.
    pub(super) tenants: Vec<TenantId>,
    /// Accepted items by the string that names their tenant.
    pub(super) accepted: Vec<u32>,
    /// By context: the string of its module.
    context_modules: Vec<u32>,
    /// By context: the string of its tenant, 0 none.
    pub(super) context_tenants: Vec<u32>,
    /// By context: the string of its service, 0 none.
    pub(super) context_services: Vec<u32>,
    pub(super) evidence: Vec<Evidence>,
    /// Names whose requests go to overflow: they would be looked up in vain for every row.
    overflow: HashMap<Called, Place, RandomState>,
}

impl Desk {
    /// Makes the tables of a batch.
    pub(super) fn open(&mut self, batch: &View<'_>) {
        let strings = batch.string_count();
        self.composed_len = 0;
        self.compose([MODULE_UNKNOWN]);
        self.context_tenants.clear();
        self.context_modules.clear();
        self.context_services.clear();
        for context in batch.contexts() {
            self.context_tenants.push(context.tenant_resource);
            self.context_services.push(context.service_name);
            let module = self.module_of(batch, &context);
            self.context_modules.push(module);
        }
        self.evidence.clear();
        self.evidence.extend(batch.evidence());
        self.symbols.clear();
        self.symbols.resize(strings + self.composed_len, NOT_ASKED);
        self.tenants.clear();
        self.tenants.resize(strings, NOT_ASKED);
        self.tenants[0] = tenants::UNKNOWN;
        self.accepted.clear();
        self.accepted.resize(strings, 0);
        self.overflow.clear();
    }

    /// The module of items that name none themselves (`sli.md` 1.2 b, d to f).
    fn module_of(&mut self, batch: &View<'_>, context: &Context) -> u32 {
        let strings = batch.string_count() as u32;
        let service = batch.string(context.service_name);
        match [context.module_scope, context.module_resource].into_iter().find(|module| *module != 0) {
            Some(module) => module,
            None if service.is_empty() || service.starts_with("unknown_service") => strings,
            None if context.service_namespace == 0 => context.service_name,
            None => strings + self.compose([batch.string(context.service_namespace), "/", service]),
        }
    }

    fn compose<const PARTS: usize>(&mut self, parts: [&str; PARTS]) -> u32 {
        let place = self.composed_len;
        self.composed_len += 1;
        if self.composed.len() < self.composed_len {
            self.composed.push(String::new());
        }
        self.composed[place].clear();
        parts.iter().for_each(|part| self.composed[place].push_str(part));
        place as u32
    }

    fn text<'t>(&'t self, batch: &View<'t>, name: u32) -> &'t str {
        match (name as usize).checked_sub(batch.string_count()) {
            Some(place) => &self.composed[place],
            None => batch.string(name),
        }
    }

    /// The module that an item names, or its context does.
    #[inline]
    pub(super) fn module(&self, evidence: &Evidence, context: u32) -> u32 {
        if evidence.module_span != 0 { evidence.module_span } else { self.context_modules[context as usize] }
    }

    /// The symbol of a string.
    #[inline]
    pub(super) fn symbol(&mut self, batch: &View<'_>, names: &Names, name: u32) -> Symbol {
        let known = self.symbols[name as usize];
        if known != NOT_ASKED {
            return known;
        }
        let symbol = names.symbol(match (name as usize).checked_sub(batch.string_count()) {
            Some(place) => self.composed[place].as_bytes(),
            None => batch.string_bytes(name),
        });
        self.symbols[name as usize] = symbol;
        symbol
    }

    /// Where requests go that are called so and have no series of their own yet.
    pub(super) fn place(&mut self, batch: &View<'_>, names: &mut Names, found: &Unplaced<'_>) -> Place {
        let Called { tenant, module, operation, entry } = found.called;
        if let Some(place) = self.overflow.get(&found.called) {
            return *place;
        }
        let texts = [module, operation].map(|name| self.text(batch, name));
        let asked = Asked { tenant, module: texts[0], operation: texts[1], entry, end_ns: found.end_ns };
        let before = names.directory.len();
        let place = names.place(found.tenants, &asked);
        if names.directory.len() > before {
            // With another series, another maximum may be the one that limits the others.
            self.overflow.clear();
        }
        if place.limited != Place::OWN {
            self.overflow.insert(found.called, place);
        }
        for name in [module, operation] {
            // A name may be known from now on.
            if self.symbols[name as usize] == NO_SYMBOL {
                self.symbols[name as usize] = NOT_ASKED;
            }
        }
        place
    }
}

/// A request without a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unplaced<'a> {
    pub(super) called: Called,
    pub(super) end_ns: u64,
    pub(super) tenants: &'a tenants::Tenants,
}
