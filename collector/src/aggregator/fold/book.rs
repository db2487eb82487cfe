//! Requests into the books, 64 at a time and one stage after the other: find their names, find their series, draw what
//! they stand for, count it by time, by module, by duration.
//!
//! A stage does one thing for all its requests, so that their cache misses overlap instead of queueing behind each other
//! (`speed.md` 2.7). Requests pass in the order in which they were decided; nothing depends on where a stage ends.

use bailiwick_slo::conventions::EntryType;
use bailiwick_slo::latency;
use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::weight::Weight;

use super::Aggregator;
use crate::aggregator::classes::Timed;
use crate::aggregator::counts::intervals::Counted;
use crate::aggregator::durations::Measured;
use crate::aggregator::names::{Asked, Place, Symbol};
use crate::aggregator::snapshot::{CellKind, Exemplar, ModuleId, Part, SeriesId};
use crate::aggregator::tenants::TenantId;
use crate::aggregator::traces::pool::NameId;
use crate::aggregator::traces::span::{self, NONE, Span};

/// Requests of a stage.
const STAGE_ROWS: usize = 64;

/// Names in overflow that are remembered until the next tick: a flood of others does not fill the memory.
const OVERFLOW_NAMES_MAX: usize = 16_384;

/// What a request is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Called {
    pub(super) tenant: TenantId,
    pub(super) module: NameId,
    pub(super) operation: NameId,
    pub(super) entry: EntryType,
}

/// One request on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Booking {
    pub(super) called: Called,
    pub(super) service: NameId,
    pub(super) outcome: Outcome,
    /// Place of its tenant's source in [`crate::aggregator::snapshot::SOURCES`].
    pub(super) source: u8,
    has_duration: bool,
    duration_ns: u64,
    pub(super) end_ns: u64,
    pub(super) weight: Weight,
    pub(super) messages: u64,
    /// Where its span stands in the index, or [`NONE`].
    pub(super) span: u32,
    pub(super) trace_id: [u8; 16],
    span_id: u64,
    /// It is known that nobody kept its span.
    is_unsampled: bool,
    symbols: [Symbol; 2],
    place: Place,
    drawn: u32,
}

impl Booking {
    /// The request that a span is, as the span itself says.
    pub(super) fn of(trace_id: &[u8; 16], span: &Span, tenant: TenantId, entry: EntryType) -> Self {
        Self {
            called: Called { tenant, module: span.module, operation: span.operation, entry },
            service: span.service,
            outcome: span.outcome(),
            source: span.source(),
            has_duration: !span.is(span::flag::ANOMALY),
            duration_ns: span.duration_ns(),
            end_ns: span.end_ns,
            weight: Weight::of_units(span.weight),
            messages: 0,
            span: NONE,
            trace_id: *trace_id,
            span_id: span.id,
            is_unsampled: span.is(span::flag::UNSAMPLED),
            symbols: [0; 2],
            place: Place { series: 0, limited: Place::OWN },
            drawn: 0,
        }
    }

    /// It stands for at least this many: others like it were not judged.
    pub(super) fn weight_at_least(&mut self, times: u64) {
        self.weight = self.weight.max(Weight::of_units(times.saturating_mul(Weight::ONE.units())));
    }

    /// What its cell counts, if it has one.
    #[inline]
    fn measured(&self) -> Option<Measured> {
        let kind = CellKind::of(self.outcome).filter(|_| self.has_duration)?;
        let index = latency::index_of(latency::micros(self.duration_ns));
        Some(Measured { series: self.place.series, kind, index, requests: self.drawn, end_ns: self.end_ns })
    }
}

impl Aggregator {
    /// Books requests, and notes with their spans what was booked.
    pub(super) fn book(&mut self, bookings: &mut [Booking]) {
        for stage in bookings.chunks_mut(STAGE_ROWS) {
            self.book_stage(stage);
        }
    }

    fn book_stage(&mut self, stage: &mut [Booking]) {
        for booking in &mut *stage {
            let Called { module, operation, .. } = booking.called;
            booking.symbols = [module, operation].map(|name| self.symbol(name));
        }
        for booking in &mut *stage {
            booking.place = match self.names.find(booking.called.tenant, booking.symbols, booking.called.entry) {
                Some(series) => Place { series, limited: Place::OWN },
                None => self.place(booking),
            };
        }
        self.touch(stage);
        for booking in &mut *stage {
            booking.drawn = self.carries.draw(booking.place.series, booking.outcome, booking.weight);
        }
        self.count_by_time(stage);
        self.count_by_module(stage);
        for measured in stage.iter().filter_map(Booking::measured) {
            self.durations.record(&measured);
        }
        self.count_by_duration(stage);
        self.count_classes(stage);
        self.keep_exemplars(stage);
        for booking in stage {
            self.count_rest(booking);
        }
    }

    #[inline]
    fn symbol(&mut self, name: NameId) -> Symbol {
        let names = &self.names;
        self.index.names.symbol(name, |text| names.symbol(text.as_bytes()))
    }

    /// Reads what will be changed. The reads wait for nothing and none of them is needed yet, so that the memory
    /// answers them together; it stands for a prefetch, which safe code cannot ask for.
    fn touch(&self, stage: &[Booking]) {
        let reads = stage.iter().map(|booking| {
            let (series, end_ns) = (booking.place.series, booking.end_ns);
            self.intervals.touch(series, end_ns) ^ self.durations.touch(series, end_ns)
        });
        std::hint::black_box(reads.fold(0, std::ops::BitXor::bitxor));
    }

    /// Where requests go that are called so and have no series of their own yet.
    #[inline(never)]
    fn place(&mut self, booking: &Booking) -> Place {
        let Called { tenant, module, operation, entry } = booking.called;
        let route = match self.overflow.get(&booking.called) {
            Some(route) => *route,
            None => {
                let [module, operation] = [module, operation].map(|name| self.index.names.text(name));
                let asked = Asked { tenant, module, operation, entry, end_ns: booking.end_ns };
                let before = self.names.directory.len();
                let route = self.names.place(&self.tenants, &asked);
                if self.names.directory.len() > before || self.overflow.len() >= OVERFLOW_NAMES_MAX {
                    // With another series, another maximum may be the one that limits the others.
                    self.overflow.clear();
                }
                if route.place.limited != Place::OWN {
                    self.overflow.insert(booking.called, route);
                }
                route
            }
        };
        self.names.count_limited(&route);
        self.open_modules(Some(booking.service));
        let series = self.names.directory.len();
        self.totals.grow(series);
        self.times.grow(series);
        self.exemplars.grow(series, self.modules.len());
        self.classes.grow(&self.names.directory);
        self.names.restarted.drain(..).for_each(|series| self.totals.restart(series));
        route.place
    }

    /// Opens the tenant x modules that are new; a request of a service is what opened them.
    pub(super) fn open_modules(&mut self, service: Option<NameId>) {
        for new in self.names.new_modules.drain(..) {
            if let Some(service) = service {
                self.firsts.note(self.index.names.text(service), &new);
            }
            self.modules.open(new);
        }
    }

    fn count_by_time(&mut self, stage: &[Booking]) {
        for booking in stage {
            let Booking { place: Place { series, .. }, outcome, end_ns, drawn, .. } = *booking;
            let counted = Counted { series, outcome, requests: drawn, end_ns };
            self.intervals.count(&counted, &mut |gain| self.totals.gain(gain));
        }
    }

    fn count_by_module(&mut self, stage: &[Booking]) {
        for booking in stage {
            let totals = self.modules.get_mut(self.names.module_of[booking.place.series as usize]);
            let drawn = u64::from(booking.drawn);
            totals.sources[usize::from(booking.source)] += drawn;
            totals.last_seen_ns = totals.last_seen_ns.max(booking.end_ns);
            if booking.has_duration && booking.outcome == Outcome::Success {
                totals.le[latency::le_index(booking.duration_ns)] += drawn;
                totals.duration_sum_ns += u128::from(booking.duration_ns) * u128::from(drawn);
            }
        }
    }

    fn count_by_duration(&mut self, stage: &[Booking]) {
        for booking in stage.iter().filter(|booking| booking.has_duration) {
            let durations = self.times.get_mut(booking.place.series);
            let is_failure = booking.outcome == Outcome::Failure;
            let totals = if is_failure { &mut durations.failures } else { &mut durations.others };
            totals.add(booking.duration_ns, booking.drawn);
        }
    }

    fn count_classes(&mut self, stage: &[Booking]) {
        if self.classes.is_idle() {
            return;
        }
        for booking in stage.iter().filter(|booking| booking.has_duration) {
            let Booking { place: Place { series, .. }, outcome, duration_ns, end_ns, weight, .. } = *booking;
            self.classes.count(&Timed { series, outcome, duration_ns, end_ns }, weight);
        }
    }

    fn keep_exemplars(&mut self, stage: &[Booking]) {
        for booking in stage.iter().filter(|booking| !booking.is_unsampled) {
            let series = booking.place.series;
            let exemplar = Exemplar {
                trace_id: booking.trace_id,
                span_id: booking.span_id.to_be_bytes(),
                duration_ns: booking.has_duration.then_some(booking.duration_ns),
                end_ns: booking.end_ns,
            };
            let module = self.names.module_of[series as usize];
            self.exemplars.note((series, module), booking.outcome, &exemplar);
        }
    }

    /// What few requests have: a weight, messages, an end before their start; and the note beside their span.
    #[inline]
    fn count_rest(&mut self, booking: &Booking) {
        let series = booking.place.series;
        if booking.span != NONE {
            let module = booking.called.module;
            self.index.names.again(module);
            let kept = self.index.span_mut(booking.span);
            (kept.place, kept.drawn, kept.found) = (series, booking.drawn, booking.called.tenant);
            kept.weight = booking.weight.units();
            kept.set_state(span::State::Entry);
            kept.set_entry(booking.called.entry);
            kept.set_source(booking.source);
            let before = std::mem::replace(&mut kept.booked, module);
            self.index.names.release(before);
        }
        let module = self.names.module_of[series as usize];
        self.count_weight(booking.end_ns, (series, module), booking.weight, |count| count);
        if booking.messages > 0 {
            self.messages.add(series, booking.end_ns, booking.messages);
        }
        if !booking.has_duration {
            self.anomalies.count(&self.tenants, booking.called.tenant);
        }
    }

    /// What a weight other than one adds to the size of samples, or (with the sign turned) takes back.
    #[inline]
    pub(super) fn count_weight(
        &mut self,
        end_ns: u64,
        (series, module): (SeriesId, ModuleId),
        weight: Weight,
        sign: impl Fn(u64) -> u64,
    ) {
        if weight == Weight::ONE {
            return;
        }
        let extra = weight.sixteenths() - Weight::ONE.sixteenths();
        let squares = weight.squared_sixteenths() - Weight::ONE.squared_sixteenths();
        self.add_part(end_ns, module, Part::Sampled, sign(1));
        self.add_part(end_ns, module, Part::ExtraWeight, sign(extra));
        self.add_part(end_ns, module, Part::ExtraWeightSquares, sign(squares));
        self.extra_weights.add(end_ns, series, &[extra, squares].map(sign));
    }
}
