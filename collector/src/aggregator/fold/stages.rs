//! The way of a row through the books, 64 rows at a time and one stage after the other: read it, find its names, find
//! its series, count it by time, by module, by duration.
//!
//! A stage does one thing for all its rows, so that their cache misses overlap instead of queueing behind each other
//! (`speed.md` 2.7). Rows pass in the order of the journal; nothing depends on where a batch or a stage ends.

use bailiwick_slo::conventions::EntryType;
use bailiwick_slo::latency;
use bailiwick_slo::outcome::Outcome;

use super::desk::{Called, NOT_ASKED, Unplaced};
use super::{Aggregator, ClaimSource};
use crate::aggregator::counts::intervals::Counted;
use crate::aggregator::durations::Measured;
use crate::aggregator::names::{Place, Symbol};
use crate::aggregator::snapshot::CellKind;
use crate::aggregator::tenants::{self, Admission, TenantId};
use crate::observation::batch::View;
use crate::observation::batch::layout::header;
use crate::observation::batch::row::{Span, flag};

pub(super) const STAGE_ROWS: usize = 64;
const KIND_SERVER: u8 = 2;
const KIND_CONSUMER: u8 = 5;

/// One request on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    called: Called,
    /// Row of the contexts section.
    context: u32,
    symbols: [Symbol; 2],
    place: Place,
    outcome: Outcome,
    /// Place of its tenant's source in [`crate::aggregator::snapshot::SOURCES`].
    source: u8,
    has_duration: bool,
    duration_ns: u64,
    end_ns: u64,
}

impl Entry {
    /// The place of one that was not read yet.
    pub(super) const NONE: Self = Self {
        called: Called { tenant: 0, module: 0, operation: 0, entry: EntryType::Server },
        context: 0,
        symbols: [0; 2],
        place: Place { series: 0, limited: Place::OWN },
        outcome: Outcome::Success,
        source: 0,
        has_duration: false,
        duration_ns: 0,
        end_ns: 0,
    };

    /// What its cell counts, if it has one.
    #[inline]
    fn measured(&self) -> Option<Measured> {
        let kind = CellKind::of(self.outcome).filter(|_| self.has_duration)?;
        let index = latency::index_of(latency::micros(self.duration_ns));
        Some(Measured { series: self.place.series, kind, index, requests: 1, end_ns: self.end_ns })
    }
}

impl Aggregator {
    /// Takes rows into the books.
    pub(super) fn take(&mut self, batch: &View<'_>, rows: impl Iterator<Item = Span>, stage: &mut [Entry]) {
        let mut count = 0;
        for row in rows {
            if let Some(entry) = self.read(batch, &row) {
                stage[count] = entry;
                count += 1;
            }
        }
        let entries = &mut stage[..count];
        for entry in &mut *entries {
            let Called { module, operation, .. } = entry.called;
            entry.symbols = [module, operation].map(|name| self.desk.symbol(batch, &self.names, name));
        }
        for entry in &mut *entries {
            entry.place = match self.names.find(entry.called.tenant, entry.symbols, entry.called.entry) {
                Some(series) => Place { series, limited: Place::OWN },
                None => self.place(batch, entry),
            };
        }
        self.touch(entries);
        self.book(entries);
    }

    /// Reads what will be changed. The reads wait for nothing and none of them is needed yet, so that the memory
    /// answers them together; it stands for a prefetch, which safe code cannot ask for.
    fn touch(&self, entries: &[Entry]) {
        let reads = entries.iter().map(|entry| {
            let (series, end_ns) = (entry.place.series, entry.end_ns);
            self.intervals.touch(series, end_ns) ^ self.durations.touch(series, end_ns)
        });
        std::hint::black_box(reads.fold(0, std::ops::BitXor::bitxor));
    }

    /// Reads a row; `None` if it is no request.
    #[inline]
    fn read(&mut self, batch: &View<'_>, row: &Span) -> Option<Entry> {
        let (claim, source) = self.claim(batch.header_u32(header::TENANT_AUTH), row);
        self.desk.accepted[claim as usize] += 1;
        let tenant = self.tenant(batch, claim);
        let entry = match row.kind {
            KIND_SERVER => EntryType::Server,
            KIND_CONSUMER => EntryType::Consumer,
            _ => return None,
        };
        if row.flags & flag::IGNORED_NAME != 0 {
            return None;
        }
        let module = self.desk.module(&self.desk.evidence[row.evidence as usize], row.context);
        Some(Entry {
            called: Called { tenant, module, operation: row.operation, entry },
            outcome: Outcome::from_u8(row.outcome).unwrap_or(Outcome::Failure),
            source,
            context: row.context,
            has_duration: row.flags & flag::CLOCK_ANOMALY == 0,
            duration_ns: row.end_ns.saturating_sub(row.start_ns),
            end_ns: row.end_ns,
            ..Entry::NONE
        })
    }

    /// The winning tenant claim (a string of the batch, 0: none) and its place in `snapshot::SOURCES`.
    #[inline]
    fn claim(&self, auth: u32, row: &Span) -> (u32, u8) {
        let evidence = &self.desk.evidence[row.evidence as usize];
        for source in &self.sources {
            let claim = match source {
                ClaimSource::Auth => auth,
                ClaimSource::Span => evidence.tenant_span,
                ClaimSource::Resource => self.desk.context_tenants[row.context as usize],
                ClaimSource::Header => evidence.tenant_header,
                ClaimSource::Inherited => 0,
                ClaimSource::Baggage => evidence.tenant_baggage,
            };
            if claim != 0 {
                return (claim, *source as u8);
            }
        }
        (0, 6)
    }

    /// The tenant that a string names. An item of it is accepted: it gets a place if there is one.
    #[inline]
    pub(super) fn tenant(&mut self, batch: &View<'_>, claim: u32) -> TenantId {
        match self.desk.tenants[claim as usize] {
            NOT_ASKED => self.admit(batch, claim),
            tenant => tenant,
        }
    }

    #[inline(never)]
    fn admit(&mut self, batch: &View<'_>, claim: u32) -> TenantId {
        let name = batch.string(claim);
        let tenant = match self.tenants.admit(name) {
            Admission::Known(tenant) => tenant,
            Admission::New(tenant) => {
                self.ledger.settle(name, tenant);
                tenant
            }
            Admission::Full => tenants::OVERFLOW,
        };
        self.desk.tenants[claim as usize] = tenant;
        tenant
    }

    #[inline(never)]
    fn place(&mut self, batch: &View<'_>, entry: &Entry) -> Place {
        let unplaced = Unplaced { called: entry.called, end_ns: entry.end_ns, tenants: &self.tenants };
        let place = self.desk.place(batch, &mut self.names, &unplaced);
        self.names.count_limited(place);
        for new in self.names.new_modules.drain(..) {
            self.firsts.note(batch.string(self.desk.context_services[entry.context as usize]), &new);
            self.modules.open(new);
        }
        self.totals.grow(self.names.directory.len());
        place
    }

    fn book(&mut self, entries: &[Entry]) {
        self.count_by_time(entries);
        self.count_by_module(entries);
        for measured in entries.iter().filter_map(Entry::measured) {
            self.durations.record(&measured);
        }
        for entry in entries.iter().filter(|entry| !entry.has_duration) {
            self.anomalies.count(&self.tenants, entry.called.tenant);
        }
    }

    fn count_by_time(&mut self, entries: &[Entry]) {
        for entry in entries {
            let Entry { place: Place { series, .. }, outcome, end_ns, .. } = *entry;
            let counted = Counted { series, outcome, requests: 1, end_ns };
            self.intervals.count(&counted, &mut |gain| self.totals.gain(gain));
        }
    }

    fn count_by_module(&mut self, entries: &[Entry]) {
        for entry in entries {
            let totals = self.modules.get_mut(self.names.module_of[entry.place.series as usize]);
            totals.sources[usize::from(entry.source)] += 1;
            totals.last_seen_ns = totals.last_seen_ns.max(entry.end_ns);
            if entry.has_duration && entry.outcome == Outcome::Success {
                totals.le[latency::le_index(entry.duration_ns)] += 1;
                totals.duration_sum_ns += u128::from(entry.duration_ns);
            }
        }
    }
}
