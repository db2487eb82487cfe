//! Room for series: what tenants and modules hold, what is kept for tenants with a reserve, and which maximum leaves no
//! room for one more.

use std::sync::Arc;

use bailiwick_slo::saved;
use bailiwick_slo::saved::{Kept, Saved};
use bailiwick_slo::wire::{Read, Reader, Writer};

use super::{Bound, Module, Names};
use crate::aggregator::snapshot::ModuleId;
use crate::aggregator::tenants::{self, TenantId, Tenants};

/// Series ever given for each place of `series.max`: numbers are not used again, since windows and histories are kept by
/// them, and what comes and goes must not fill the memory.
const GIVEN_MAX: u32 = 4;

/// What a tenant holds.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Held {
    pub(super) series: u32,
    pub(super) modules: u32,
    /// Series that are kept for it.
    reserve: u32,
    /// Series without a place, whose numbers and counts stay.
    resting: u32,
}
saved!(struct Held { series, modules, reserve, resting });

/// How full the fullest is, of what each tenant or module has a maximum for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) struct Fullest {
    /// Series of a tenant.
    pub(in crate::aggregator) series: u32,
    /// Modules of a tenant.
    pub(in crate::aggregator) modules: u32,
    /// Operations of a module of a tenant.
    pub(in crate::aggregator) operations: u32,
}
saved!(struct Fullest { series, modules, operations });

/// Who asks for a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) tenant: TenantId,
    /// Its module, if it is open.
    pub(super) module: Option<Module>,
    /// Configuration names its operation: only `series.max` holds for it.
    pub(super) is_named: bool,
    /// It ranks among the operations with the most requests.
    pub(super) is_heavy: bool,
    /// It had a series before, with a number that is still its own.
    pub(super) is_known: bool,
}

/// All places.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// By [`TenantId`].
    held: Vec<Held>,
    /// Series within `series.max`.
    pub(super) admitted: u32,
    /// Of what is kept for tenants, what they do not hold.
    unclaimed: u32,
    /// Numbers given to series within `series.max`, now or before.
    given: u32,
    pub(super) fullest: Fullest,
    /// Something was given back: the fullest may be another.
    pub(super) has_shrunk: bool,
}

impl Kept for Room {
    fn save(&self, to: &mut Writer) {
        self.held.save(to);
        [self.admitted, self.given].save(to);
        self.fullest.save(to);
        self.has_shrunk.save(to);
    }

    /// Places are kept for those of today's settings, as many as these say.
    fn restore(&mut self, from: &mut Reader<'_>) -> Read<()> {
        let today = std::mem::replace(&mut self.held, Saved::load(from)?);
        [self.admitted, self.given] = Saved::load(from)?;
        (self.fullest, self.has_shrunk) = Saved::load(from)?;
        self.held.iter_mut().for_each(|held| held.reserve = 0);
        for (tenant, held) in (0..).zip(today).filter(|(_, held)| held.reserve > 0) {
            self.of_mut(tenant).reserve = held.reserve;
        }
        self.unclaimed = self.held.iter().map(|held| held.reserve.saturating_sub(held.series)).sum();
        Ok(())
    }
}

impl Room {
    pub(super) fn of(&self, tenant: TenantId) -> Held {
        self.held.get(tenant as usize).copied().unwrap_or_default()
    }

    fn of_mut(&mut self, tenant: TenantId) -> &mut Held {
        let place = tenant as usize;
        if self.held.len() <= place {
            self.held.resize(place + 1, Held::default());
        }
        &mut self.held[place]
    }

    /// A tenant takes the place of a series; `is_new`: with a number of its own.
    pub(super) fn admit(&mut self, tenant: TenantId, is_new: bool) {
        let held = self.of_mut(tenant);
        let is_reserved = held.series < held.reserve;
        held.series += 1;
        held.resting -= u32::from(!is_new);
        let series = held.series;
        self.admitted += 1;
        self.given += u32::from(is_new);
        self.unclaimed -= u32::from(is_reserved);
        self.fullest.series = self.fullest.series.max(series);
    }

    /// A tenant gives the place of a series back.
    pub(super) fn release(&mut self, tenant: TenantId) {
        let held = self.of_mut(tenant);
        held.series -= 1;
        held.resting += 1;
        let is_reserved = held.series < held.reserve;
        self.admitted -= 1;
        self.unclaimed += u32::from(is_reserved);
        self.has_shrunk = true;
    }

    pub(super) fn open_module(&mut self, tenant: TenantId) {
        let held = self.of_mut(tenant);
        held.modules += 1;
        let modules = held.modules;
        self.fullest.modules = self.fullest.modules.max(modules);
    }

    /// Series without a place, by tenant, those that have some.
    pub(super) fn resting(&self, tenants: &Tenants) -> Vec<(Arc<str>, u64)> {
        let some = (0..).zip(&self.held).filter(|(_, held)| held.resting > 0);
        some.map(|(tenant, held)| (Arc::clone(tenants.name(tenant)), u64::from(held.resting))).collect()
    }

    fn has_place(&self, candidate: &Candidate, series_max: u32) -> bool {
        let held = self.of(candidate.tenant);
        let is_reserved = held.series < held.reserve;
        let has_number = candidate.is_known || self.given < series_max.saturating_mul(GIVEN_MAX);
        has_number && (is_reserved || self.admitted + self.unclaimed < series_max)
    }
}

impl Names {
    /// Keeps places for a tenant.
    pub(in crate::aggregator) fn reserve(&mut self, tenant: TenantId) {
        let reserve = self.limits.reserve();
        let held = self.room.of_mut(tenant);
        let before = std::mem::replace(&mut held.reserve, reserve);
        self.room.unclaimed += reserve - before;
    }

    /// Which maximum leaves no room for a new series. In a dry run the other maxima than `series.max` are only told.
    pub(super) fn full(&self, candidate: &Candidate) -> Option<Bound> {
        let Candidate { tenant, module, is_named, is_heavy, .. } = *candidate;
        let (held, top) = (self.room.of(tenant), self.limits.operations_top);
        // Twice as many: who came in by rank does not wait until those whom it outranked have gone.
        let operations_max = if is_heavy { top.saturating_mul(2) } else { top };
        if !self.room.has_place(candidate, self.limits.max) {
            Some(Bound::Series)
        } else if is_named {
            None
        } else if tenants::ordinal(tenant) >= self.limits.tenants_max {
            Some(Bound::Tenants)
        } else if module.is_none() && held.modules >= self.limits.modules_max {
            Some(Bound::Modules)
        } else if held.series >= self.limits.per_tenant_max {
            Some(Bound::PerTenant)
        } else if module.is_some_and(|module| module.operations >= operations_max) {
            Some(Bound::Operations)
        } else {
            None
        }
    }

    /// Whether a tenant may open one more module that has no request.
    pub(super) fn has_room_for_module(&self, tenant: TenantId) -> bool {
        match self.limits.dry_run {
            true => (self.modules.len() as ModuleId) < self.limits.max,
            false => self.room.of(tenant).modules < self.limits.modules_max,
        }
    }

    /// Finds the fullest again after something was given back.
    pub(super) fn measure(&mut self) {
        if std::mem::take(&mut self.room.has_shrunk) {
            let operations = self.modules.values().map(|module| module.operations).max();
            let series = self.room.held.iter().map(|held| held.series).max();
            self.room.fullest.operations = operations.unwrap_or_default();
            self.room.fullest.series = series.unwrap_or_default();
        }
    }
}

/// How much the directory holds, for those who check that it is bounded.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub(in crate::aggregator) struct Sizes {
    pub(in crate::aggregator) series: usize,
    pub(in crate::aggregator) texts: usize,
    pub(in crate::aggregator) sketches: usize,
    pub(in crate::aggregator) counters: usize,
}

#[cfg(test)]
impl Names {
    pub(in crate::aggregator) fn sizes(&self) -> Sizes {
        Sizes {
            series: self.directory.len(),
            texts: self.texts.len(),
            sketches: self.ranks.used() as usize,
            counters: self.ranks.counters(),
        }
    }
}
