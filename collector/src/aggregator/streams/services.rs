//! Services that report about their own telemetry, by number. There are few; what comes beyond the maximum shares one.

use std::sync::Arc;

use bailiwick_slo::conventions::{MODULE_UNKNOWN, OTHER};
use bailiwick_slo::kept;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::aggregator::memory::chunked::Chunked;

/// Number of a service: its place in the names.
pub(in crate::aggregator) type ServiceNumber = u32;

/// Most services, the shared ones not counted.
const SERVICES_MAX: usize = 4_096;

/// What comes beyond the maximum.
const OVERFLOW: ServiceNumber = 0;
/// Services without a name, or with the SDK's own.
const UNKNOWN: ServiceNumber = 1;

/// The directory.
#[derive(Debug)]
pub(super) struct Services {
    numbers: HashMap<Arc<str>, ServiceNumber, RandomState>,
    names: Chunked<Arc<str>>,
    refused: u64,
    max: usize,
}
kept!(Services { numbers, names, refused });

impl Default for Services {
    fn default() -> Self {
        Self::new(SERVICES_MAX)
    }
}

impl Services {
    fn new(max: usize) -> Self {
        let mut names = Chunked::default();
        [OTHER, MODULE_UNKNOWN].into_iter().for_each(|name| names.push(name.into()));
        Self { numbers: HashMap::default(), names, refused: 0, max }
    }

    /// The number of a service, called `namespace/name`, or `name` without a namespace (`sli.md` 1.2).
    pub(super) fn number(&mut self, namespace: &str, name: &str) -> ServiceNumber {
        if name.is_empty() || name.starts_with("unknown_service") {
            return UNKNOWN;
        }
        // Spans ask for theirs one by one: those of a known service must not allocate.
        if namespace.is_empty()
            && let Some(number) = self.numbers.get(name)
        {
            return *number;
        }
        let full: Arc<str> = if namespace.is_empty() { name.into() } else { format!("{namespace}/{name}").into() };
        if let Some(number) = self.numbers.get(&full) {
            return *number;
        }
        if self.numbers.len() >= self.max {
            self.refused += 1;
            return OVERFLOW;
        }
        let number = self.names.len() as ServiceNumber;
        self.names.push(Arc::clone(&full));
        self.numbers.insert(full, number);
        number
    }

    pub(super) const fn names(&self) -> &Chunked<Arc<str>> {
        &self.names
    }

    /// Questions that the maximum sent to the shared number.
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_keeps_its_number_and_the_last_ones_share_one() {
        let mut services = Services::new(2);
        let shop = services.number("acme", "shop");
        let bare = services.number("", "shop");
        assert_ne!(shop, bare);
        assert_eq!(services.number("acme", "shop"), shop);
        assert_eq!((services.number("", "third"), services.number("", "fourth")), (OVERFLOW, OVERFLOW));
        assert_eq!(services.refused(), 2);
        assert_eq!([services.number("", ""), services.number("acme", "unknown_service:python")], [UNKNOWN; 2]);
        let names: Vec<_> = services.names().iter().map(|name| &**name).collect();
        assert_eq!(names, ["_other", "_unknown", "acme/shop", "shop"]);
    }
}
