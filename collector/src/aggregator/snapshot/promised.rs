//! What SLOs ask for besides requests: fast and slow ones, hops that leaked, parts of coverage, by slot.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::time::Slot;

use super::{ModuleId, Parts, Snapshot};
use crate::aggregator::classes::{CLASS_FIELDS, ClassOf};
use crate::aggregator::counts::tiers::Closed;
use crate::aggregator::leaked::LEAK_FIELDS;
use bailiwick_slo::saved;

/// The tables.
#[derive(Debug, Default, Clone)]
pub(in crate::aggregator) struct Promised {
    pub(in crate::aggregator) class_names: Arc<Vec<ClassOf>>,
    pub(in crate::aggregator) classes: Arc<Closed<CLASS_FIELDS>>,
    pub(in crate::aggregator) leak_sets: Arc<Vec<Vec<String>>>,
    pub(in crate::aggregator) leaked: Arc<Closed<LEAK_FIELDS>>,
}

/// Fast and slow requests of a series against one threshold. What was taken out is two's complement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClassCounts {
    /// Fast ones, adjusted for sampling.
    pub fast: u64,
    /// Slow ones, adjusted for sampling.
    pub slow: u64,
    /// Fast ones as they were seen.
    pub raw_fast: u64,
    /// Slow ones as they were seen.
    pub raw_slow: u64,
}

impl From<[u64; CLASS_FIELDS]> for ClassCounts {
    fn from([fast, slow, raw_fast, raw_slow]: [u64; CLASS_FIELDS]) -> Self {
        Self { fast, slow, raw_fast, raw_slow }
    }
}

/// Revisions of what joins closed slots: equal ones have joined the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Revisions {
    /// Of [`Snapshot::classes_joined`].
    pub classes: u64,
    /// Of [`Snapshot::leaked_joined`].
    pub leaked: u64,
    /// Of [`Snapshot::parts_joined`].
    pub parts: u64,
}

saved!(struct Revisions { classes, leaked, parts });

impl Snapshot {
    /// How often what joins closed slots has changed.
    #[must_use]
    pub fn revisions(&self) -> Revisions {
        Revisions {
            classes: self.promised.classes.revision(),
            leaked: self.promised.leaked.revision(),
            parts: self.traced.parts.revision(),
        }
    }

    /// Fast and slow requests that were added to closed slots when they were published last.
    pub fn classes_joined(&self) -> impl Iterator<Item = (Slot, ClassOf, ClassCounts)> + '_ {
        let names = &self.promised.class_names;
        self.promised.classes.joined().map(|(slot, number, fields)| (slot, names[number as usize], fields.into()))
    }

    /// Fast and slow requests over the closed slots `from..to` of the last 65 minutes (of older ones whole hours).
    pub fn classes(&self, from: Slot, to: Slot) -> impl Iterator<Item = (ClassOf, ClassCounts)> + '_ {
        let sums = self.promised.classes.sum(from, to).into_iter();
        sums.map(|(number, fields)| (self.promised.class_names[number as usize], fields.into()))
    }

    /// Hops that were judged when they were published last, by slot and tenant x module: the set of rules by name, hops,
    /// and those with a finding of the set that is confirmed or of high severity.
    pub fn leaked_joined(&self) -> impl Iterator<Item = (Slot, ModuleId, &[String], [u64; 2])> + '_ {
        self.promised.leaked.joined().flat_map(|(slot, module, fields)| {
            let sets = self.promised.leak_sets.iter().enumerate();
            sets.map(move |(place, rules)| (slot, module, &rules[..], [fields[0], fields[1 + place]]))
        })
    }

    /// The same over the closed slots `from..to` of the last 65 minutes (of older ones whole hours).
    #[must_use]
    pub fn leaked(&self, rules: &[String], from: Slot, to: Slot) -> BTreeMap<ModuleId, [u64; 2]> {
        let Some(place) = self.promised.leak_sets.iter().position(|set| set == rules) else { return BTreeMap::new() };
        let sums = self.promised.leaked.sum(from, to).into_iter();
        sums.map(|(module, fields)| (module, [fields[0], fields[1 + place]])).collect()
    }

    /// What coverage is made of, as it was added to closed slots when it was published last.
    pub fn parts_joined(&self) -> impl Iterator<Item = (Slot, ModuleId, Parts)> + '_ {
        self.traced.parts.joined().map(|(slot, module, fields)| (slot, module, Parts(fields)))
    }
}
