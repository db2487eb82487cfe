//! Operations that grow in metrics, by tenant x module: what spans should show as well (C5).

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::kept;
use bailiwick_slo::time::SECOND_NS;

use crate::aggregator::snapshot::ModuleId;

/// Most operations of a tenant x module: five times the series that it may have by default.
const PER_MODULE_MAX: usize = 250;

/// Operations that did not grow for so long are forgotten: the longest window.
const KEPT_NS: u64 = 86_400 * SECOND_NS;

/// When each operation grew last.
pub(super) type Grown = BTreeMap<ModuleId, Arc<BTreeMap<Arc<str>, u64>>>;

/// The operations.
#[derive(Debug)]
pub(super) struct Operations {
    grown: Grown,
    /// In all.
    held: usize,
    max: usize,
    refused: u64,
    changed: bool,
    shown: Arc<Grown>,
}
kept!(Operations { grown, held, refused, changed, shown });

impl Operations {
    pub(super) fn new(max: usize) -> Self {
        Self { grown: Grown::new(), held: 0, max, refused: 0, changed: false, shown: Arc::default() }
    }

    /// An operation grew, up to this moment.
    pub(super) fn note(&mut self, module: ModuleId, operation: &str, at_ns: u64) {
        let of_module = self.grown.get(&module);
        let known = of_module.and_then(|of_module| of_module.get(operation));
        if known.is_some_and(|known| *known >= at_ns) {
            return;
        }
        if known.is_none() {
            if self.held >= self.max || of_module.is_some_and(|of_module| of_module.len() >= PER_MODULE_MAX) {
                self.refused += 1;
                return;
            }
            self.held += 1;
        }
        self.changed = true;
        let of_module = Arc::make_mut(self.grown.entry(module).or_default());
        match of_module.get_mut(operation) {
            Some(grown) => *grown = at_ns,
            None => drop(of_module.insert(operation.into(), at_ns)),
        }
    }

    /// Forgets what no window reaches.
    pub(super) fn retire(&mut self, now_ns: u64) {
        let oldest = now_ns.saturating_sub(KEPT_NS);
        for of_module in self.grown.values_mut() {
            if of_module.values().any(|grown| *grown < oldest) {
                Arc::make_mut(of_module).retain(|_, grown| *grown >= oldest);
                self.changed = true;
            }
        }
        self.grown.retain(|_, of_module| !of_module.is_empty());
        self.held = self.grown.values().map(|of_module| of_module.len()).sum();
    }

    /// Makes the operations of now those that are shown: what did not change is shared.
    pub(super) fn publish(&mut self) {
        if std::mem::take(&mut self.changed) {
            self.shown = Arc::new(self.grown.clone());
        }
    }

    pub(super) const fn shown(&self) -> &Arc<Grown> {
        &self.shown
    }

    /// Operations that had no place, once per point.
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000 * SECOND_NS;

    #[test]
    fn an_operation_is_known_until_a_day_after_it_grew() {
        let mut operations = Operations::new(100);
        operations.note(1, "GET /a", NOW);
        operations.note(1, "GET /a", NOW - 1);
        operations.note(1, "GET /b", NOW + 60 * SECOND_NS);
        operations.publish();
        let grown = Arc::clone(operations.shown());
        let rows: Vec<_> = grown[&1].iter().map(|(name, at)| (&**name, *at)).collect();
        assert_eq!(rows, [("GET /a", NOW), ("GET /b", NOW + 60 * SECOND_NS)]);
        operations.retire(NOW + KEPT_NS + 1);
        operations.publish();
        assert_eq!((operations.shown()[&1].len(), operations.held), (1, 1));
        assert_eq!(grown[&1].len(), 2, "a copy that is out does not change");
    }

    #[test]
    fn there_is_a_maximum_for_each_module_and_for_all() {
        let mut operations = Operations::new(PER_MODULE_MAX + 10);
        (0..PER_MODULE_MAX + 5).for_each(|n| operations.note(1, &format!("op {n}"), NOW));
        assert_eq!((operations.held, operations.refused()), (PER_MODULE_MAX, 5));
        (0..20).for_each(|n| operations.note(2, &format!("op {n}"), NOW));
        assert_eq!((operations.held, operations.refused()), (PER_MODULE_MAX + 10, 15));
        operations.note(1, "op 0", NOW + 1);
        assert_eq!(operations.refused(), 15, "known ones go on");
    }
}
