//! The fold: batches and ticks in, figures out. No clock, no runtime; the same records give the same state.

mod desk;
mod stages;
mod publish;

use std::sync::Arc;

use bailiwick_slo::conventions::TENANT_UNKNOWN;
use bailiwick_slo::time::Slot;

use super::books::Ledger;
use super::counts::intervals::Intervals;
use super::counts::totals::{Modules, Totals};
use super::durations::{Durations, Moment};
use super::names::Names;
use super::settings::Settings;
use super::snapshot::{Cause, Snapshot};
use super::tenants::Tenants;
use crate::observation::Signal;
use crate::observation::batch::View;
use crate::observation::batch::layout::header;
use desk::Desk;
use publish::{Anomalies, Firsts};
use stages::{Entry, STAGE_ROWS};

/// Latency cells in use up to which every tick seals them, so that durations show as soon as counts do: about 5 ms. More
/// are sealed when a slot closes.
const SEALED_AT_TICK_MAX: usize = 10_000;

/// Where a tenant claim may come from, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimSource {
    /// The request's credential or header.
    Auth,
    /// Span attribute.
    Span,
    /// Resource attribute.
    Resource,
    /// Captured header.
    Header,
    /// The parent's tenant.
    Inherited,
    /// Baggage.
    Baggage,
}

/// The owner of all series.
#[derive(Debug)]
pub struct Aggregator {
    settings: Settings,
    sources: Vec<ClaimSource>,
    tenants: Tenants,
    names: Names,
    intervals: Intervals,
    durations: Durations,
    ledger: Ledger,
    desk: Desk,
    modules: Modules,
    totals: Totals,
    anomalies: Anomalies,
    firsts: Firsts,
    seq: u64,
    now_ns: u64,
    /// The clock of the first record.
    begun_ns: Option<u64>,
}

impl Aggregator {
    /// Empty books. `sources` is the order in which tenant claims are asked.
    #[must_use]
    pub fn new(settings: Settings, sources: Vec<ClaimSource>) -> Self {
        Self {
            tenants: Tenants::new(settings.series.tenants_max),
            names: Names::new(settings.series.clone()),
            ledger: Ledger::new(settings.series.tenants_max),
            sources,
            intervals: Intervals::default(),
            durations: Durations::new(settings.histograms.bytes_max.bytes()),
            desk: Desk::default(),
            modules: Modules::default(),
            totals: Totals::default(),
            anomalies: Anomalies::default(),
            firsts: Firsts::default(),
            seq: 0,
            now_ns: 0,
            begun_ns: None,
            settings,
        }
    }

    /// First requests of services and tenants so far.
    #[must_use]
    pub fn firsts(&self) -> usize {
        self.firsts.count()
    }

    /// Applies one batch.
    pub fn apply(&mut self, seq: u64, batch: &View<'_>) {
        self.seq = seq;
        self.begun_ns.get_or_insert(batch.observed_at_ns());
        self.desk.open(batch);
        let mut stage = [Entry::NONE; STAGE_ROWS];
        let mut rows = batch.spans();
        while rows.len() > 0 {
            self.take(batch, rows.by_ref().take(STAGE_ROWS), &mut stage);
        }
        self.keep_books(batch);
    }

    fn keep_books(&mut self, batch: &View<'_>) {
        let signal = if batch.signal() == 1 { Signal::Traces } else { Signal::Metrics };
        let ignored = batch.header_u32(header::IGNORED);
        if ignored > 0 {
            let tenant = self.tenant(batch, batch.header_u32(header::TENANT_AUTH));
            self.ledger.accept(tenant, signal, u64::from(ignored));
        }
        let accepted = self.desk.tenants.iter().zip(&self.desk.accepted).filter(|(_, count)| **count > 0);
        accepted.for_each(|(tenant, count)| self.ledger.accept(*tenant, signal, u64::from(*count)));
        for reject in batch.rejects() {
            let name = if reject.tenant == 0 { TENANT_UNKNOWN } else { batch.string(reject.tenant) };
            let refused = (Cause::from_u16(reject.reason), u64::from(reject.count));
            self.ledger.reject(&self.tenants, name, signal, refused);
        }
    }

    /// Moves the fold's clock: closes slots, books late requests, and publishes.
    pub fn tick(&mut self, seq: u64, now_ns: u64) -> Arc<Snapshot> {
        self.seq = seq;
        // A clock that was set back must not reopen what is closed.
        self.now_ns = self.now_ns.max(now_ns);
        self.begun_ns.get_or_insert(now_ns);
        let through_before = self.intervals.closed().through_ns();
        self.close();
        let has_moved = self.intervals.closed().through_ns() != through_before;
        if has_moved || self.durations.in_use() <= SEALED_AT_TICK_MAX {
            self.durations.close(self.moment());
        }
        self.publish()
    }

    /// The last figures: requests and durations since the last tick are in too, and the clock stays where it is.
    pub fn finish(&mut self) -> Arc<Snapshot> {
        self.close();
        self.durations.close(self.moment());
        self.publish()
    }

    fn close(&mut self) {
        let close_after_ns = self.settings.close_after.nanos();
        self.intervals.close(self.now_ns, close_after_ns, |gain| self.totals.gain(gain));
    }

    fn moment(&self) -> Moment {
        let begun = [self.begun_ns, self.intervals.earliest_ns()].into_iter().flatten().min();
        Moment {
            now_ns: self.now_ns,
            first_open: Slot::holding(self.now_ns.saturating_sub(self.settings.close_after.nanos())),
            begun_ns: begun.unwrap_or(self.now_ns),
        }
    }
}

#[cfg(test)]
mod tests;
