//! What the settings say of modules: what should be seen, and where spans are taken from. Figures of what is missing
//! are made of it.

use std::collections::BTreeMap;

pub use bailiwick_slo::coverage::Position;
use bailiwick_slo::time::SECOND_NS;

/// What is known besides what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Declared modules by name.
    pub modules: BTreeMap<String, DeclaredModule>,
    /// Where spans of a service are taken from, where it is not before any sampling.
    pub positions: BTreeMap<String, Position>,
    /// How long a trace may take until it has been judged, nanoseconds.
    pub settle_ns: u64,
    /// How long late spans are taken, nanoseconds.
    pub late_accept_ns: u64,
}

/// What is declared of a module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeclaredModule {
    /// It should be seen even when nothing counts its requests.
    pub expected: bool,
    /// Whether its absence counts at all.
    pub required: bool,
    /// Operations that should be seen.
    pub operations: Vec<String>,
}

impl Default for Inventory {
    fn default() -> Self {
        Self {
            modules: BTreeMap::new(),
            positions: BTreeMap::new(),
            settle_ns: 120 * SECOND_NS,
            late_accept_ns: 600 * SECOND_NS,
        }
    }
}

impl Inventory {
    /// Where the spans of a module are taken from: as those of the service that it is named for (`sli.md` 1.2 e).
    pub(crate) fn position(&self, module: &str) -> Position {
        let service = module.rsplit_once('/').map_or(module, |(_, service)| service);
        let known = self.positions.get(module).or_else(|| self.positions.get(service));
        known.copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_sampled_as_its_service_with_or_without_namespace() {
        let positions = BTreeMap::from([("chat".to_owned(), Position::PostTail)]);
        let inventory = Inventory { positions, ..Inventory::default() };
        assert_eq!(inventory.position("chat"), Position::PostTail);
        assert_eq!(inventory.position("shop/chat"), Position::PostTail);
        assert_eq!(inventory.position("rag"), Position::PreSampling);
    }
}
