//! Who the tenants are: those with an accepted item, within `series.tenants_max`. Further ones share `_overflow`.
//!
//! A tenant keeps its place for the run. Refused items never take one: anybody can send those under any name.

use std::sync::Arc;

use bailiwick_slo::conventions::{TENANT_OVERFLOW, TENANT_SYSTEM, TENANT_UNKNOWN};
use bailiwick_slo::saved;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Number of a tenant.
pub(super) type TenantId = u32;

/// The tenant of items that claim none.
pub(super) const UNKNOWN: TenantId = 0;
/// The tenant of all that no place is left for.
pub(super) const OVERFLOW: TenantId = 1;
/// The tenant of shared infrastructure.
pub(super) const SYSTEM: TenantId = 2;
/// Names that are only spoken of have numbers from here on.
const SPOKEN_OF: TenantId = 1 << 30;
/// Most of them; further ones are nobody in particular.
const SPOKEN_OF_MAX: usize = 4_096;
/// Our own names, which take no tenant's place.
const OWN: [&str; 3] = [TENANT_UNKNOWN, TENANT_OVERFLOW, TENANT_SYSTEM];

/// The directory of tenants.
#[derive(Debug)]
pub(super) struct Tenants {
    ids: HashMap<Arc<str>, TenantId, RandomState>,
    names: Vec<Arc<str>>,
    max: u32,
    /// Claimed beside another tenant, and without an accepted item: they take no place.
    spoken_of: HashMap<Arc<str>, TenantId, RandomState>,
    spoken_names: Vec<Arc<str>>,
}
saved!(struct Tenants { ids, names, max, spoken_of, spoken_names });

/// How many tenants took a place before this one; 0 for our own names.
pub(super) const fn ordinal(tenant: TenantId) -> u32 {
    tenant.saturating_sub(OWN.len() as TenantId)
}

/// What became of a tenant that asked for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It has one.
    Known(TenantId),
    /// It has one from now on.
    New(TenantId),
    /// None is left.
    Full,
}

impl Tenants {
    pub(super) fn new(max: u32) -> Self {
        let names: Vec<Arc<str>> = OWN.into_iter().map(Arc::from).collect();
        let ids = names.iter().map(Arc::clone).zip(0..).collect();
        Self { ids, names, max, spoken_of: HashMap::default(), spoken_names: Vec::new() }
    }

    /// Goes by another maximum; those that have a place keep it.
    pub(super) fn limit(&mut self, max: u32) {
        self.max = max;
    }

    /// The number of a tenant that has a place.
    pub(super) fn find(&self, name: &str) -> Option<TenantId> {
        self.ids.get(name).copied()
    }

    /// Gives a tenant with an accepted item its place.
    pub(super) fn admit(&mut self, name: &str) -> Admission {
        if let Some(id) = self.find(name) {
            return Admission::Known(id);
        }
        if self.used() >= self.max {
            return Admission::Full;
        }
        let id = self.names.len() as TenantId;
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.ids.insert(name, id);
        Admission::New(id)
    }

    /// The number of a tenant that is claimed and need not have a place.
    pub(super) fn identify(&mut self, name: &str) -> TenantId {
        if let Some(id) = self.find(name).or_else(|| self.spoken_of.get(name).copied()) {
            return id;
        }
        if self.spoken_names.len() >= SPOKEN_OF_MAX {
            return OVERFLOW;
        }
        let id = SPOKEN_OF + self.spoken_names.len() as TenantId;
        let name: Arc<str> = name.into();
        self.spoken_names.push(Arc::clone(&name));
        self.spoken_of.insert(name, id);
        id
    }

    pub(super) fn name(&self, id: TenantId) -> &Arc<str> {
        match id.checked_sub(SPOKEN_OF) {
            Some(spoken_of) => &self.spoken_names[spoken_of as usize],
            None => &self.names[id as usize],
        }
    }

    /// Numbers given, our own names among them.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Places taken.
    pub(super) fn used(&self) -> u32 {
        (self.names.len() - OWN.len()) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_in_order_and_kept() {
        let mut tenants = Tenants::new(2);
        assert_eq!((tenants.find("_unknown"), tenants.find("_overflow")), (Some(UNKNOWN), Some(OVERFLOW)));
        assert_eq!((tenants.admit("acme"), tenants.admit("globex")), (Admission::New(3), Admission::New(4)));
        assert_eq!((tenants.admit("initech"), tenants.find("initech")), (Admission::Full, None));
        assert_eq!((tenants.admit("acme"), tenants.admit("_unknown")), (Admission::Known(3), Admission::Known(0)));
        assert_eq!((&**tenants.name(4), tenants.used()), ("globex", 2));
    }

    #[test]
    fn who_is_only_spoken_of_takes_no_place() {
        let mut tenants = Tenants::new(1);
        let spoken_of = tenants.identify("globex");
        assert_eq!(tenants.identify("globex"), spoken_of);
        assert_eq!((&**tenants.name(spoken_of), tenants.used()), ("globex", 0));
        assert_eq!(tenants.admit("acme"), Admission::New(3));
        assert_eq!((tenants.identify("acme"), tenants.admit("globex")), (3, Admission::Full));
        let all: Vec<_> = (0..5_000).map(|n| tenants.identify(&format!("t{n}"))).collect();
        assert_eq!(all.iter().filter(|id| **id == OVERFLOW).count(), 5_001 - SPOKEN_OF_MAX);
    }
}
