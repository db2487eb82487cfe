//! At ticks: traces that spans came for are judged, and what is decided is booked, counted, or taken out again.

use bailiwick_slo::outcome::{Outcome, OutcomeCounts};
use bailiwick_slo::weight::Weight;

use super::Aggregator;
use super::book::Booking;
use super::settling::ONE_SILENT;
use crate::aggregator::classes::Timed;
use crate::aggregator::leaked::Hop;
use crate::aggregator::snapshot::{ModuleId, Part, Rule, Severity, SlotCounts};
use crate::aggregator::tenants::{self, TenantId};
use crate::aggregator::traces::calls::{self, Linked};
use crate::aggregator::traces::chains::{self, mark};
use crate::aggregator::traces::judge::{self, Found, Ruling, Turn};
use crate::aggregator::traces::kin::Kin;
use crate::aggregator::traces::leaks;
use crate::aggregator::traces::pool::NameId;
use crate::aggregator::traces::span::{NO_TENANT, NONE, Side, Span, State, flag, somebody};

/// One trace under judgement, in buffers that are reused.
#[derive(Debug, Default)]
pub(super) struct Bench {
    pub(super) trace: u32,
    pub(super) spans: Vec<Span>,
    /// Where they stand in the index.
    pub(super) places: Vec<u32>,
    pub(super) kin: Kin,
    pub(super) found: Vec<Found>,
    turns: Vec<Turn>,
    pub(super) marks: Vec<u32>,
    /// Messages of other traces that the trace's spans consumed.
    pub(super) linked: Vec<Linked>,
    /// By place: its message was consumed in another trace.
    pub(super) met: Vec<bool>,
    pub(super) chains: chains::Scratch,
    pub(super) calls: calls::Scratch,
    pub(super) compared: leaks::Compared,
}

/// Requests of several traces that are booked together.
const BOOKED_TOGETHER: usize = 256;

impl Aggregator {
    /// Judges all traces that spans came for.
    pub(super) fn judge_touched(&mut self) {
        let mut bench = std::mem::take(&mut self.bench);
        for trace in self.index.take_dirty() {
            self.judge(&mut bench, (trace, false));
            if self.bookings.len() >= BOOKED_TOGETHER {
                self.book_waiting();
            }
        }
        self.book_waiting();
        self.bench = bench;
    }

    /// Settles the traces that are due, or all of them at the end.
    pub(super) fn settle_due(&mut self, everything: bool) {
        let mut bench = std::mem::take(&mut self.bench);
        for trace in self.index.take_settling(self.now_ns, everything) {
            self.judge(&mut bench, (trace, true));
            self.book_waiting();
            self.settle(&mut bench);
            self.index.settle(trace, self.now_ns);
        }
        self.bench = bench;
    }

    pub(super) fn book_waiting(&mut self) {
        let mut bookings = std::mem::take(&mut self.bookings);
        self.book(&mut bookings);
        bookings.clear();
        self.bookings = bookings;
    }

    fn judge(&mut self, bench: &mut Bench, (trace, settling): (u32, bool)) {
        bench.trace = trace;
        self.index.load(trace, &mut bench.spans, &mut bench.places);
        bench.kin.read(&bench.spans);
        self.leave_out_repeats(bench);
        let Bench { spans, kin, found, turns, .. } = &mut *bench;
        judge::judge(spans, kin, (&self.index.terms, settling), (found, turns));
        for at in 0..bench.turns.len() {
            let turn = bench.turns[at];
            self.turn(bench, &turn);
        }
        self.compare_repeats(bench);
        self.compare_claims(bench, settling);
    }

    /// A repeated span moves from accepted to duplicates; the first one counts, whatever the others say.
    fn leave_out_repeats(&mut self, bench: &Bench) {
        if bench.kin.repeats.is_empty() {
            return;
        }
        bench
            .kin
            .repeats
            .iter()
            .for_each(|(_, place)| self.ledger.repeat(somebody(bench.spans[*place as usize].tenant)));
        let leaving: Vec<u32> = bench.kin.repeats.iter().map(|(_, place)| bench.places[*place as usize]).collect();
        self.index.take_out(bench.trace, &leaving);
    }

    /// L7: a span that came once more under another tenant's credential.
    fn compare_repeats(&mut self, bench: &Bench) {
        const BY_AUTH: u8 = 0;
        for (first, place) in &bench.kin.repeats {
            let (kept, repeat) = (&bench.spans[*first as usize], &bench.spans[*place as usize]);
            if kept.source() == BY_AUTH && repeat.source() == BY_AUTH && kept.tenant != repeat.tenant {
                let modules = (NameId::NONE, kept.module, kept.operation);
                let trace_id = self.index.trace(bench.trace).id;
                let (tenants, rules) = ((kept.tenant, repeat.tenant), [Rule::Identity]);
                let (found, end_ns) = (bench.found[*first as usize], kept.end_ns);
                let hit = self.hit(&rules, Severity::High, tenants, modules);
                self.note(hit, &trace_id, Vec::new());
                let module = self.module_id(somebody(found.tenant), found.module);
                self.leaked.find(&Hop { module, end_ns, is_judged: false, rules: &rules });
            }
        }
    }

    /// Lets a span become what it was found to be.
    fn turn(&mut self, bench: &mut Bench, turn: &Turn) {
        let at = turn.place as usize;
        let (place, span) = (bench.places[at], bench.spans[at]);
        self.retract(place);
        match span.state() {
            State::Entry => self.withdraw(&span, turn.found.ruling),
            State::Nested => self.take_part(span.end_ns, span.place, Part::Nested),
            State::Uncertain => self.take_part(span.end_ns, span.place, Part::Uncertain),
            State::Waiting | State::Other => {}
        }
        match turn.found.ruling {
            Ruling::Entry(entry) => {
                let trace_id = self.index.trace(bench.trace).id;
                let tenant = turn.found.tenant;
                let mut booking = Booking::of(&trace_id, &span, tenant, entry);
                booking.called.module = turn.found.module;
                booking.source = turn.found.source;
                booking.span = place;
                // Of a request that is booked anew its messages were counted.
                if span.state() != State::Entry {
                    booking.messages = self.index.aside(place).map_or(0, |aside| aside.messages);
                }
                if span.side() == Side::Inside {
                    booking.weight_at_least(self.index.weight_of(bench.trace));
                }
                self.bookings.push(booking);
                if span.is_consumer() {
                    self.meet_producers(place);
                }
                self.miss_tenant(bench, turn);
                // What is booked is noted when it is; until then nobody must book it again.
                self.index.span_mut(place).set_state(State::Entry);
            }
            Ruling::Nested => self.count_apart(place, &turn.found, (State::Nested, Some(Part::Nested))),
            Ruling::Uncertain => self.count_apart(place, &turn.found, (State::Uncertain, Some(Part::Uncertain))),
            Ruling::Other | Ruling::Wait => self.count_apart(place, &turn.found, (State::Other, None)),
        }
    }

    /// Counts a span that is no request under its tenant x module.
    fn count_apart(&mut self, place: u32, found: &Found, (state, part): (State, Option<Part>)) {
        let tenant = somebody(found.tenant);
        let module = part.map(|_| self.module_id(tenant, found.module));
        self.index.span_mut(place).set_state(state);
        if let (Some(part), Some(module)) = (part, module) {
            self.stand(place, (tenant, found.module), module);
            let end_ns = self.index.span(place).end_ns;
            self.add_part(end_ns, module, part, 1);
        }
    }

    /// Notes where a span is counted that is no request.
    pub(super) fn stand(&mut self, place: u32, (tenant, name): (TenantId, NameId), module: ModuleId) {
        self.index.names.again(name);
        let span = self.index.span_mut(place);
        (span.place, span.found) = (module, tenant);
        let before = std::mem::replace(&mut span.booked, name);
        self.index.names.release(before);
    }

    /// Takes a request out of its own slot; what was exported stays.
    fn withdraw(&mut self, span: &Span, ruling: Ruling) {
        if span.place == NONE {
            return;
        }
        let reason = match ruling {
            Ruling::Nested => "nested_late",
            Ruling::Entry(_) => "module_late",
            _ => "parent_late",
        };
        let mut outcomes = OutcomeCounts::default();
        outcomes.add(span.outcome(), span.drawn.into());
        self.intervals.withdraw(span.place, span.end_ns, &SlotCounts { outcomes, spans: 1 });
        if !span.is(flag::ANOMALY) {
            let (outcome, duration_ns) = (span.outcome(), span.duration_ns());
            let timed = Timed { series: span.place, outcome, duration_ns, end_ns: span.end_ns };
            self.classes.withdraw(&timed, span.drawn.into());
        }
        let module_id = self.names.module_of[span.place as usize];
        self.count_weight(span.end_ns, (span.place, module_id), Weight::of_units(span.weight), u64::wrapping_neg);
        *self.corrections.entry((module_id, reason)).or_default() += u64::from(span.drawn);
    }

    /// Takes back what was counted of a span when its trace settled before.
    pub(super) fn retract(&mut self, place: u32) {
        let span = *self.index.span(place);
        let old = span.marks & mark::REVISED;
        if old == 0 {
            return;
        }
        let module = self.stands_under(&span);
        self.parts.withdraw(span.end_ns, module, &chains::counts(old, span.drawn).0);
        if old & mark::PEER_SILENT != 0 {
            let peer = self.silent_peer(&span);
            self.parts.withdraw(span.end_ns, peer, &ONE_SILENT);
        }
        self.index.span_mut(place).marks &= !mark::REVISED;
    }

    /// The tenant x module that a span is counted under.
    pub(super) fn stands_under(&self, span: &Span) -> ModuleId {
        if span.state() == State::Entry { self.names.module_of[span.place as usize] } else { span.place }
    }

    /// L5: a request without tenant where one must be, or whose tenant was lost on the way.
    fn miss_tenant(&mut self, bench: &Bench, turn: &Turn) {
        let Found { module, tenant, over_remote, .. } = turn.found;
        let span = &bench.spans[turn.place as usize];
        if span.outcome() == Outcome::Excluded || self.index.terms.tenant_required.binary_search(&module).is_err() {
            return;
        }
        let severity = match (tenant, over_remote) {
            (tenants::UNKNOWN, _) => Severity::Low,
            (_, true) => Severity::Medium,
            _ => return,
        };
        let above = bench.kin.parent(turn.place).map_or(NameId::NONE, |parent| bench.found[parent as usize].module);
        let expected = if tenant == tenants::UNKNOWN { NO_TENANT } else { tenant };
        let hit = self.hit(&[Rule::Missing], severity, (expected, NO_TENANT), (above, module, span.operation));
        let trace_id = self.index.trace(bench.trace).id;
        self.note(hit, &trace_id, Vec::new());
    }
}
