//! The fold: batches and ticks in, figures out. No clock, no runtime; the same records give the same state.
//!
//! Rows are taken 64 at a time and in stages (names to series, counts, module sums, cells), so that the cache misses
//! of one stage overlap instead of queueing behind each other (`speed.md` 2.7).

use std::sync::Arc;

use bailiwick_slo::conventions::{EntryType, MODULE_UNKNOWN, TENANT_UNKNOWN};
use bailiwick_slo::latency;
use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::time::Slot;

use super::books::Ledger;
use super::durations::{Durations, Heat, Measured, Moment};
use super::intervals::{Counted, Intervals};
use super::names::{Asked, Bound, NO_SYMBOL, Names, Symbol};
use super::settings::Settings;
use super::snapshot::{Cause, CellKind, Limit, SeriesId, Snapshot};
use super::tenants::{self, Admission, TenantId, Tenants};
use super::totals::{Modules, Totals};
use crate::observation::Signal;
use crate::observation::batch::View;
use crate::observation::batch::layout::header;
use crate::observation::batch::row::{Evidence, Span, flag};

const STAGE_ROWS: usize = 64;
const KIND_SERVER: u8 = 2;
const KIND_CONSUMER: u8 = 5;
const NOT_ASKED: Symbol = u32::MAX - 1;

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
    /// Baggage.
    Baggage,
}

/// One request on its way through the stages.
#[derive(Debug, Clone, Copy, Default)]
struct Booking {
    series: SeriesId,
    outcome: u8,
    source: u8,
    has_duration: bool,
    duration_ns: u64,
    end_ns: u64,
}

/// Per-batch tables, reused.
#[derive(Debug, Default)]
struct Desk {
    /// Names that the batch does not spell: index from `string_count` on.
    composed: Vec<String>,
    symbols: Vec<Symbol>,
    /// Tenant by the string that names it.
    tenants: Vec<TenantId>,
    context_module: Vec<u32>,
    context_tenant: Vec<u32>,
    evidence: Vec<Evidence>,
    accepted: Vec<u32>,
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
    anomalies: std::collections::BTreeMap<Arc<str>, u64>,
    anomalies_shown: Arc<Vec<(Arc<str>, u64)>>,
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
            anomalies: std::collections::BTreeMap::new(),
            anomalies_shown: Arc::default(),
            seq: 0,
            now_ns: 0,
            begun_ns: None,
            settings,
        }
    }

    /// Applies one batch.
    pub fn apply(&mut self, seq: u64, batch: &View<'_>) {
        self.seq = seq;
        self.begun_ns.get_or_insert(batch.observed_at_ns());
        let signal = if batch.signal() == 1 { Signal::Traces } else { Signal::Metrics };
        self.open_desk(batch);
        let mut rows = batch.spans();
        let mut bookings = [Booking::default(); STAGE_ROWS];
        while rows.len() > 0 {
            let mut count = 0;
            for row in rows.by_ref().take(STAGE_ROWS) {
                if let Some(booking) = self.resolve(batch, &row) {
                    bookings[count] = booking;
                    count += 1;
                }
            }
            self.book(&bookings[..count]);
        }
        self.keep_books(batch, signal);
    }

    fn open_desk(&mut self, batch: &View<'_>) {
        let strings = batch.string_count() as u32;
        let desk = &mut self.desk;
        desk.composed.clear();
        desk.composed.push(MODULE_UNKNOWN.to_owned());
        desk.evidence.clear();
        desk.evidence.extend(batch.evidence());
        desk.context_tenant.clear();
        desk.context_module.clear();
        for context in batch.contexts() {
            desk.context_tenant.push(context.tenant_resource);
            let named = [context.module_scope, context.module_resource].into_iter().find(|module| *module != 0);
            let service = batch.string(context.service_name);
            desk.context_module.push(match named {
                Some(module) => module,
                None if service.is_empty() || service.starts_with("unknown_service") => strings,
                None if context.service_namespace == 0 => context.service_name,
                None => {
                    desk.composed.push(format!("{}/{service}", batch.string(context.service_namespace)));
                    strings + desk.composed.len() as u32 - 1
                }
            });
        }
        desk.symbols.clear();
        desk.symbols.resize(strings as usize + desk.composed.len(), NOT_ASKED);
        desk.tenants.clear();
        desk.tenants.resize(strings as usize, NOT_ASKED);
        desk.tenants[0] = tenants::UNKNOWN;
        desk.accepted.clear();
        desk.accepted.resize(strings as usize, 0);
    }

    /// The tenant that a string names. It is accepted: it gets a place if there is one.
    #[inline(never)]
    fn admit_tenant(&mut self, batch: &View<'_>, claim: u32) -> TenantId {
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

    /// The winning tenant claim (a string of the batch, 0: none) and its place in `snapshot::SOURCES`.
    #[inline]
    fn tenant(&self, auth: u32, row: &Span) -> (u32, u8) {
        let evidence = &self.desk.evidence[row.evidence as usize];
        for source in &self.sources {
            let claim = match source {
                ClaimSource::Auth => auth,
                ClaimSource::Span => evidence.tenant_span,
                ClaimSource::Resource => self.desk.context_tenant[row.context as usize],
                ClaimSource::Header => evidence.tenant_header,
                ClaimSource::Baggage => evidence.tenant_baggage,
            };
            if claim != 0 {
                return (claim, *source as u8);
            }
        }
        (0, 5)
    }

    #[inline]
    fn symbol(&mut self, batch: &View<'_>, name: u32) -> Symbol {
        let known = self.desk.symbols[name as usize];
        if known != NOT_ASKED {
            return known;
        }
        let symbol = self.names.symbol(text(batch, &self.desk.composed, name));
        self.desk.symbols[name as usize] = symbol;
        symbol
    }

    #[inline]
    fn resolve(&mut self, batch: &View<'_>, row: &Span) -> Option<Booking> {
        let (claim, source) = self.tenant(batch.header_u32(header::TENANT_AUTH), row);
        self.desk.accepted[claim as usize] += 1;
        let tenant = match self.desk.tenants[claim as usize] {
            NOT_ASKED => self.admit_tenant(batch, claim),
            tenant => tenant,
        };
        let entry = match row.kind {
            KIND_SERVER => EntryType::Server,
            KIND_CONSUMER => EntryType::Consumer,
            _ => return None,
        };
        if row.flags & flag::IGNORED_NAME != 0 {
            return None;
        }
        let named = self.desk.evidence[row.evidence as usize].module_span;
        let module = if named != 0 { named } else { self.desk.context_module[row.context as usize] };
        let asked = [module, row.operation];
        let symbols = asked.map(|name| self.symbol(batch, name));
        let series = match self.names.find(tenant, symbols, entry) {
            Some(series) => series,
            None => self.place(batch, (tenant, asked), (entry, row.end_ns)),
        };
        let has_duration = row.flags & flag::CLOCK_ANOMALY == 0;
        if !has_duration {
            let tenant: Arc<str> = Arc::clone(&self.names.directory.get(series as usize)?.tenant);
            *self.anomalies.entry(tenant).or_default() += 1;
        }
        Some(Booking {
            series,
            outcome: row.outcome,
            source,
            has_duration,
            duration_ns: row.end_ns.saturating_sub(row.start_ns),
            end_ns: row.end_ns,
        })
    }

    #[inline(never)]
    fn place(
        &mut self,
        batch: &View<'_>,
        (tenant, asked): (TenantId, [u32; 2]),
        (entry, end_ns): (EntryType, u64),
    ) -> SeriesId {
        let [module, operation] = asked.map(|name| text(batch, &self.desk.composed, name));
        let place = self.names.place(&self.tenants, &Asked { tenant, module, operation, entry, end_ns });
        self.names.count_limited(place);
        for name in asked {
            // A name may be known from now on.
            if self.desk.symbols[name as usize] == NO_SYMBOL {
                self.desk.symbols[name as usize] = NOT_ASKED;
            }
        }
        self.names.new_modules.drain(..).for_each(|new| self.modules.open(new));
        self.totals.grow(self.names.directory.len());
        place.series
    }

    fn book(&mut self, bookings: &[Booking]) {
        for booking in bookings {
            let outcome = Outcome::from_u8(booking.outcome).unwrap_or(Outcome::Failure);
            let counted = Counted { series: booking.series, outcome, requests: 1, end_ns: booking.end_ns };
            self.intervals.count(&counted, &mut |gain| self.totals.gain(gain));
        }
        for booking in bookings {
            let totals = self.modules.get_mut(self.names.module_of[booking.series as usize]);
            totals.sources[usize::from(booking.source)] += 1;
            totals.last_seen_ns = totals.last_seen_ns.max(booking.end_ns);
            if booking.measured() {
                totals.le[latency::le_index(booking.duration_ns)] += 1;
                totals.duration_sum_ns += u128::from(booking.duration_ns);
            }
        }
        for booking in bookings.iter().filter(|booking| booking.has_duration) {
            let Some(kind) = Outcome::from_u8(booking.outcome).and_then(CellKind::of) else { continue };
            let index = latency::index_of(latency::micros(booking.duration_ns));
            let Booking { series, end_ns, .. } = *booking;
            self.durations.record(&Measured { series, kind, index, requests: 1, end_ns });
        }
    }

    fn keep_books(&mut self, batch: &View<'_>, signal: Signal) {
        let (auth, ignored) = (batch.header_u32(header::TENANT_AUTH), batch.header_u32(header::IGNORED));
        if ignored > 0 {
            let tenant = match self.desk.tenants[auth as usize] {
                NOT_ASKED => self.admit_tenant(batch, auth),
                tenant => tenant,
            };
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
        if self.intervals.closed().through_ns() != through_before {
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

    fn publish(&mut self) -> Arc<Snapshot> {
        if self.anomalies_shown.iter().map(|(_, count)| count).sum::<u64>() != self.anomalies.values().sum::<u64>() {
            let rows = self.anomalies.iter().map(|(tenant, count)| (Arc::clone(tenant), *count));
            self.anomalies_shown = Arc::new(rows.collect());
        }
        let totals = self.totals.publish(self.intervals.open_gains());
        let directory = &self.names.directory;
        self.durations.limit(self.moment(), |series| Heat {
            is_spared: directory.get(series as usize).is_some_and(|name| name.overflow),
            last_seen_ns: totals.get(series as usize).map_or(0, |totals| totals.last_seen_ns),
        });
        Arc::new(Snapshot {
            seq: self.seq,
            now_ns: self.now_ns,
            data_through_ns: self.intervals.closed().through_ns(),
            directory: self.names.directory.clone(),
            totals,
            modules: self.modules.publish(),
            closed: Arc::clone(self.intervals.closed()),
            durations: Arc::clone(self.durations.shown()),
            books: self.ledger.publish(&self.tenants),
            anomalies: Arc::clone(&self.anomalies_shown),
            limited: self.names.limited(&self.tenants),
            limits: self.limits(),
            cells_shed: self.durations.shed_cells(),
        })
    }

    fn limits(&self) -> Vec<Limit> {
        let (series, fullest) = self.names.used();
        let settings = &self.settings.series;
        let of_series = [
            ("series.max", series, settings.max, Bound::Series),
            ("series.tenants_max", self.tenants.used(), settings.tenants_max, Bound::Tenants),
            ("series.per_tenant_max", fullest.series, settings.per_tenant_max, Bound::PerTenant),
            ("series.modules_max", fullest.modules, settings.modules_max, Bound::Modules),
            ("series.operations_top", fullest.operations, settings.operations_top, Bound::Operations),
        ];
        let of_series = of_series.into_iter().map(|(name, used, max, bound)| Limit {
            name,
            used: used.into(),
            max: max.into(),
            refused: self.names.refused(bound),
        });
        let cells = Limit {
            name: "histograms.bytes_max",
            used: self.durations.memory_bytes() as u64,
            max: self.settings.histograms.bytes_max.0,
            refused: self.durations.refused(),
        };
        of_series.chain([cells]).collect()
    }
}

impl Booking {
    #[inline]
    fn measured(&self) -> bool {
        self.has_duration && self.outcome == Outcome::Success as u8
    }
}

fn text<'t>(batch: &View<'t>, composed: &'t [String], name: u32) -> &'t str {
    match (name as usize).checked_sub(batch.string_count()) {
        Some(place) => &composed[place],
        None => batch.string(name),
    }
}

#[cfg(test)]
mod tests;
