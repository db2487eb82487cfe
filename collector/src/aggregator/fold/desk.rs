//! What a batch's strings mean: tables over its string numbers, filled as rows ask and reused by the next batch. A
//! string is hashed once per batch, however many rows name it, and tables that are large enough allocate nothing.

use bailiwick_slo::conventions::MODULE_UNKNOWN;

use crate::aggregator::tenants::{self, TenantId};
use crate::aggregator::traces::pool::{NameId, Pool};
use crate::observation::batch::View;
use crate::observation::batch::row::{Context, Evidence};

/// A string that no row has asked for yet.
pub(super) const NOT_ASKED: TenantId = u32::MAX - 1;
const NO_NAME: NameId = NameId(u32::MAX);

/// What a context stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// Module of items that name none themselves.
    pub(super) module: NameId,
    /// The scope names it (`sli.md` 1.2 b).
    pub(super) is_own_module: bool,
    pub(super) service: NameId,
    /// String of its tenant, 0 none.
    pub(super) tenant: u32,
    pub(super) resource: u32,
}

/// The tables.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// By string: its name among live spans. Each is used once by the desk until the batch is done.
    names: Vec<NameId>,
    taken: Vec<NameId>,
    /// Tenant by the string that names it.
    pub(super) tenants: Vec<TenantId>,
    /// Accepted items by the string that names their tenant.
    pub(super) accepted: Vec<u32>,
    pub(super) around: Vec<Around>,
    pub(super) evidence: Vec<Evidence>,
    composed: String,
}

impl Desk {
    /// Makes the tables of a batch.
    pub(super) fn open(&mut self, batch: &View<'_>, pool: &mut Pool) {
        let strings = batch.string_count();
        self.names.clear();
        self.names.resize(strings, NO_NAME);
        self.tenants.clear();
        self.tenants.resize(strings, NOT_ASKED);
        self.tenants[0] = tenants::UNKNOWN;
        self.accepted.clear();
        self.accepted.resize(strings, 0);
        self.evidence.clear();
        self.evidence.extend(batch.evidence());
        self.around.clear();
        for context in batch.contexts() {
            let around = self.read(batch, pool, &context);
            self.around.push(around);
        }
    }

    /// Gives the names back that the batch's strings stand for.
    pub(super) fn close(&mut self, pool: &mut Pool) {
        self.taken.drain(..).for_each(|name| pool.release(name));
    }

    fn read(&mut self, batch: &View<'_>, pool: &mut Pool, context: &Context) -> Around {
        // Resources of one trace are told apart by 32 bits of their hash: a chance of 2^-32 that a span takes the
        // module of a parent in another process.
        let resource = (context.resource_hash ^ context.resource_hash >> 32) as u32;
        let service = self.service_of(batch, pool, context);
        Around {
            module: self.module_of(batch, pool, context, service),
            is_own_module: context.module_scope != 0,
            service,
            tenant: context.tenant_resource,
            resource,
        }
    }

    /// The module of items that name none themselves (`sli.md` 1.2 b, d to f).
    fn module_of(&mut self, batch: &View<'_>, pool: &mut Pool, context: &Context, service: NameId) -> NameId {
        let name = batch.string(context.service_name);
        match [context.module_scope, context.module_resource].into_iter().find(|module| *module != 0) {
            Some(module) => self.name(batch, pool, module),
            None if name.is_empty() || name.starts_with("unknown_service") => self.keep(pool, MODULE_UNKNOWN),
            None => service,
        }
    }

    /// `service.namespace/service.name`, or `service.name`.
    fn service_of(&mut self, batch: &View<'_>, pool: &mut Pool, context: &Context) -> NameId {
        if context.service_namespace == 0 || context.service_name == 0 {
            return self.name(batch, pool, context.service_name);
        }
        let mut composed = std::mem::take(&mut self.composed);
        composed.clear();
        composed.extend([batch.string(context.service_namespace), "/", batch.string(context.service_name)]);
        let name = self.keep(pool, &composed);
        self.composed = composed;
        name
    }

    fn keep(&mut self, pool: &mut Pool, text: &str) -> NameId {
        let name = pool.take(text);
        self.taken.push(name);
        name
    }

    /// The name that a string is.
    #[inline]
    pub(super) fn name(&mut self, batch: &View<'_>, pool: &mut Pool, string: u32) -> NameId {
        let known = self.names[string as usize];
        if known != NO_NAME {
            return known;
        }
        let name = self.keep(pool, batch.string(string));
        self.names[string as usize] = name;
        name
    }
}
