//! Modules of tenants that have spans and perhaps no request: what is counted about them needs a number too.

use bailiwick_slo::conventions::OTHER;

use super::Names;
use crate::aggregator::snapshot::ModuleId;
use crate::aggregator::tenants::{self, TenantId, Tenants};

impl Names {
    /// The number of a tenant x module, which is opened if there is room; else that of the tenant's module `_other`.
    pub(in crate::aggregator) fn module(&mut self, tenants: &Tenants, (tenant, name): (TenantId, &str)) -> ModuleId {
        let name = if tenant == tenants::OVERFLOW { OTHER } else { name };
        if let Some(module) = self.modules.get(&(tenant, self.symbol(name.as_bytes()))) {
            return module.id;
        }
        if name != OTHER && !self.has_room_for_module(tenant) {
            return self.module(tenants, (tenant, OTHER));
        }
        let symbol = self.intern(name);
        // No operation of its own comes with it.
        self.add_to_module(tenants, (tenant, symbol), true)
    }
}
