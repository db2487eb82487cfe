//! Immutable tables on top of each other whose sum is what counts. Adding a table costs what it holds, not what is
//! there already: a table is merged into the one below only when that one is at most twice as large, so each row is
//! rewritten a logarithmic number of times and readers look into a handful of tables. Copies share them.

use std::sync::Arc;

use bailiwick_slo::saved;
use bailiwick_slo::saved::Saved;

/// Tables that can be added.
pub(in crate::aggregator) trait Merge {
    /// Tables are not merged beyond this: their offsets have 32 bits.
    const WEIGHT_MAX: usize = 1 << 30;
    /// Its size, in whatever rewriting it costs.
    fn weight(&self) -> usize;
    /// Both together.
    fn merged(&self, other: &Self) -> Self;
}

/// The tables, the large ones below.
#[derive(Debug)]
pub(in crate::aggregator) struct Layers<T>(Vec<Arc<T>>);
saved!(struct [T: Saved + Send + Sync + 'static] Layers<T> { 0 });

impl<T> Default for Layers<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Clone for Layers<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Merge> Layers<T> {
    /// Adds a table; an empty one leaves no trace.
    pub(in crate::aggregator) fn push(&mut self, table: T) {
        if table.weight() > 0 {
            self.put(Arc::new(table));
        }
    }

    /// Adds all tables of others.
    pub(in crate::aggregator) fn absorb(&mut self, others: &Self) {
        others.0.iter().for_each(|table| self.put(Arc::clone(table)));
    }

    fn put(&mut self, mut table: Arc<T>) {
        let fits = |below: &T, table: &T| {
            below.weight() <= 2 * table.weight() && below.weight() + table.weight() <= T::WEIGHT_MAX
        };
        while let Some(below) = self.0.pop_if(|below| fits(below, &table)) {
            table = Arc::new(below.merged(&table));
        }
        self.0.push(table);
    }

    /// The tables, from below.
    pub(in crate::aggregator) fn tables(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|table| &**table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum and how often its parts were rewritten.
    struct Sum(usize, usize);

    impl Merge for Sum {
        const WEIGHT_MAX: usize = 5_000;
        fn weight(&self) -> usize {
            self.0
        }
        fn merged(&self, other: &Self) -> Self {
            Self(self.0 + other.0, self.1 + other.1 + self.0 + other.0)
        }
    }

    #[test]
    fn the_sum_stays_and_rewriting_stays_logarithmic() {
        let mut layers = Layers::default();
        (0..1_000).for_each(|_| layers.push(Sum(1, 0)));
        layers.push(Sum(0, 0));
        assert_eq!(layers.tables().map(|sum| sum.0).sum::<usize>(), 1_000);
        assert!(layers.tables().count() <= 10);
        let rewritten: usize = layers.tables().map(|sum| sum.1).sum();
        assert!(rewritten <= 1_000 * 11, "{rewritten}: rewriting all at each step would be 500,000");
    }

    #[test]
    fn no_table_outgrows_its_offsets() {
        let mut layers = Layers::default();
        (0..100).for_each(|_| layers.push(Sum(900, 0)));
        assert!(layers.tables().all(|sum| sum.0 <= 5_000));
        assert_eq!(layers.tables().map(|sum| sum.0).sum::<usize>(), 90_000);
    }

    #[test]
    fn a_small_addition_leaves_the_large_table_shared() {
        let mut layers = Layers::default();
        layers.push(Sum(1_000, 0));
        let before = layers.clone();
        layers.push(Sum(3, 0));
        assert!(Arc::ptr_eq(&before.0[0], &layers.0[0]));
        assert_eq!((before.tables().count(), layers.tables().count()), (1, 2));
    }
}
