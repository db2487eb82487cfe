//! Messages of batches that were processed, by series (`messages_total`).

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::saved;

use super::tiers::{Closed, Tiers};
use crate::aggregator::snapshot::SeriesId;

/// The counts, since the daemon began and by time.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Messages {
    totals: BTreeMap<SeriesId, u64>,
    shown: Arc<BTreeMap<SeriesId, u64>>,
    tiers: Tiers<1>,
    has_changed: bool,
}
saved!(struct Messages { totals, shown, tiers, has_changed });

impl Messages {
    pub(in crate::aggregator) fn add(&mut self, series: SeriesId, end_ns: u64, messages: u64) {
        *self.totals.entry(series).or_default() += messages;
        self.tiers.add(end_ns, series, &[messages]);
        self.has_changed = true;
    }

    pub(in crate::aggregator) fn close(&mut self, now_ns: u64, close_after_ns: u64) {
        self.tiers.close(now_ns, close_after_ns);
    }

    /// Totals by series, and the closed slots.
    pub(in crate::aggregator) fn publish(&mut self) -> (Arc<BTreeMap<SeriesId, u64>>, Arc<Closed<1>>) {
        if std::mem::take(&mut self.has_changed) {
            self.shown = Arc::new(self.totals.clone());
        }
        (Arc::clone(&self.shown), Arc::clone(self.tiers.closed()))
    }
}
