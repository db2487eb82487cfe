//! A settled trace is read out: what it says about coverage, who called whom, whose tenants met.

use std::sync::Arc;

use bailiwick_slo::saved;
use bailiwick_slo::time::Slot;
use bailiwick_slo::weight::Weight;

use super::Aggregator;
use super::judging::Bench;
use crate::aggregator::graph;
use crate::aggregator::snapshot::{EdgeKind, Gap, ModuleId, PARTS, Part, Verdict};
use crate::aggregator::streams::ServiceNumber;
use crate::aggregator::tenants::{self, TenantId};
use crate::aggregator::traces::calls::{self, Linked};
use crate::aggregator::traces::chains::{self, mark};
use crate::aggregator::traces::pool::NameId;
use crate::aggregator::traces::span::{NO_TENANT, Side, Span, State, somebody};

/// Pairs of tenant x module and service that are remembered.
const MODULE_SERVICES_MAX: usize = 65_536;

/// A call that a peer shows nothing of.
pub(super) const ONE_SILENT: [u64; PARTS] = {
    let mut parts = [0; PARTS];
    parts[Part::Gaps as usize + Gap::PeerSilent as usize] = 1;
    parts
};

/// Spans of one service and slot on their way to be counted: neighbours mostly share both.
#[derive(Debug)]
pub(super) struct Attributing {
    service: NameId,
    number: ServiceNumber,
    slot: Slot,
    counts: [u64; 2],
}
saved!(struct Attributing { service, number, slot, counts });

impl Default for Attributing {
    fn default() -> Self {
        // No name has this number.
        Self { service: NameId(u32::MAX), number: 0, slot: Slot(0), counts: [0; 2] }
    }
}

impl Aggregator {
    /// Reads out the trace on the bench, which has been judged to its end and booked.
    pub(super) fn settle(&mut self, bench: &mut Bench) {
        for place in &bench.kin.order {
            let at = *place as usize;
            bench.spans[at] = *self.index.span(bench.places[at]);
        }
        self.follow_links(bench);
        let inventory = &self.inventory;
        let is_known = |peer: NameId| peer != NameId::NONE && inventory.binary_search(&peer).is_ok();
        let Bench { spans, kin, found, marks, met, chains, .. } = &mut *bench;
        let shape = chains::read((spans, kin, found), met, is_known, (marks, chains));
        for at in 0..bench.kin.order.len() {
            self.mark(bench, bench.kin.order[at]);
        }
        self.count_verdict(bench.trace, shape.verdict);
        if shape.verdict == Verdict::Connected {
            self.count_times(bench);
        }
        self.count_calls(bench);
        self.attribute(bench);
        self.compare_tenants(bench);
    }

    /// Consumers name their messages by links: whose those were, and which of the trace's own calls met a consumer.
    fn follow_links(&mut self, bench: &mut Bench) {
        bench.linked.clear();
        bench.met.clear();
        bench.met.extend(bench.spans.iter().map(|span| span.marks & mark::LINK_MET != 0));
        for place in &bench.kin.order {
            let at = *place as usize;
            let span = &bench.spans[at];
            if !span.is_consumer() || span.marks & mark::CALLED != 0 {
                continue;
            }
            for producer in self.producers(bench.places[at]) {
                let sent = *self.index.span(producer);
                let module = if sent.booked == NameId::NONE { sent.module } else { sent.booked };
                bench.linked.push(Linked { place: *place, module, end_ns: sent.end_ns });
                self.meet(producer);
            }
        }
    }

    /// Where the calling spans stand that a span's links name, as far as they are in the index.
    fn producers(&self, span: u32) -> Vec<u32> {
        let links = self.index.aside(span).map(|aside| &*aside.links).unwrap_or_default();
        let named = links.iter().filter_map(|link| {
            let trace = self.index.find(&link.trace_id)?;
            self.index.find_span(trace, u64::from_be_bytes(link.span_id))
        });
        named.filter(|named| self.index.span(*named).side() == Side::Calling).collect()
    }

    /// Lets producers know that their messages were consumed, before their own traces settle.
    pub(super) fn meet_producers(&mut self, consumer: u32) {
        for producer in self.producers(consumer) {
            self.meet(producer);
        }
    }

    /// A producer whose message was consumed in another trace.
    fn meet(&mut self, producer: u32) {
        let span = *self.index.span(producer);
        self.index.span_mut(producer).marks |= mark::LINK_MET;
        if span.marks & (mark::EDGE | mark::MET) == mark::EDGE {
            // Its trace has settled and counted it as not met.
            self.retract(producer);
            let marks = (span.marks | mark::MET | mark::LINK_MET) & !mark::PEER_SILENT;
            self.index.span_mut(producer).marks = marks;
            let module = self.stands_under(&span);
            self.parts.add(span.end_ns, module, &chains::counts(marks & mark::REVISED, span.drawn).0);
        }
    }

    /// Counts what the marks of a span stand for, in place of what was counted of it before.
    fn mark(&mut self, bench: &mut Bench, place: u32) {
        let at = place as usize;
        let (stands, marks) = (bench.places[at], bench.marks[at]);
        let (old, found, span) = (bench.spans[at].marks, bench.found[at], &bench.spans[at]);
        let stays = span.state() == State::Entry || (span.booked, span.found) == (found.module, found.tenant);
        if old & mark::REVISED == marks && stays {
            return;
        }
        self.retract(stands);
        if marks == 0 {
            return;
        }
        let tenant = somebody(found.tenant);
        if bench.spans[at].state() != State::Entry {
            let module = self.module_id(tenant, found.module);
            if bench.spans[at].place != module || bench.spans[at].booked != found.module {
                self.stand(stands, (tenant, found.module), module);
            }
        }
        self.index.span_mut(stands).marks |= marks;
        let span = *self.index.span(stands);
        let module = self.stands_under(&span);
        self.parts.add(span.end_ns, module, &chains::counts(marks, span.drawn).0);
        if marks & mark::PEER_SILENT != 0 {
            let peer = self.silent_peer(&span);
            self.parts.add(span.end_ns, peer, &ONE_SILENT);
            self.gap(bench.trace, peer, Gap::PeerSilent);
        }
        if marks & mark::GAPS != 0 {
            for gap in chains::gaps(marks & !(old & mark::GAPS)) {
                self.gap(bench.trace, module, gap);
            }
        }
        bench.spans[at] = span;
    }

    /// Notes a gap for good, with the trace that shows it.
    fn gap(&mut self, trace: u32, module: ModuleId, gap: Gap) {
        let name = Arc::clone(&self.modules.get(module).module);
        *self.gap_counts.entry((gap, name)).or_default() += 1;
        let id = self.index.trace(trace).id;
        let kept = self.gap_traces.entry((module, gap)).or_default();
        if !kept.contains(&id) {
            kept.insert(0, id);
            kept.truncate(3);
        }
    }

    /// The tenant x module that a peer who shows nothing of a call is.
    pub(super) fn silent_peer(&mut self, span: &Span) -> ModuleId {
        self.module_id(somebody(span.found), self.peer_module(span.peer))
    }

    /// Counts spans by service, and those that have a tenant and a module (C6), each once.
    fn attribute(&mut self, bench: &Bench) {
        for place in &bench.kin.order {
            let at = *place as usize;
            let (span, found) = (&bench.spans[at], &bench.found[at]);
            if span.marks & mark::COMPARED == 0 {
                let service = self.attribute_span(span, found.tenant, found.module);
                if span.state() == State::Entry {
                    self.see_service((self.stands_under(span), service));
                }
            }
        }
    }

    /// Notes that requests of a tenant x module were seen in a service.
    fn see_service(&mut self, seen: (ModuleId, ServiceNumber)) {
        if !self.module_services.contains(&seen) && self.module_services.len() < MODULE_SERVICES_MAX {
            Arc::make_mut(&mut self.module_services).insert(seen);
        }
    }

    /// Counts one span for its service; says which that is.
    pub(super) fn attribute_span(&mut self, span: &Span, tenant: TenantId, module: NameId) -> ServiceNumber {
        let slot = Slot::holding(span.end_ns);
        if self.attributing.service != span.service || self.attributing.slot != slot {
            self.attribute_gathered();
            let number = self.streams.service("", self.index.names.text(span.service));
            self.attributing = Attributing { service: span.service, number, slot, counts: [0; 2] };
        }
        let is_somebodys = tenant != tenants::UNKNOWN && tenant != NO_TENANT;
        let is_attributed = is_somebodys && module != self.unknown_module;
        self.attributing.counts[0] += 1;
        self.attributing.counts[1] += u64::from(is_attributed);
        self.attributing.number
    }

    /// Counts what was gathered for one service and slot. Names may mean others afterwards.
    pub(super) fn attribute_gathered(&mut self) {
        let Attributing { number, slot, counts, .. } = std::mem::take(&mut self.attributing);
        if counts[0] > 0 {
            self.attribution.add(slot.start_ns(), number, &counts);
        }
    }

    fn count_verdict(&mut self, trace: u32, verdict: Verdict) {
        let known = &mut self.index.trace_mut(trace).verdict;
        let before = std::mem::replace(known, 1 + verdict as u8);
        if before == 0 {
            self.settled.first[verdict as usize] += 1;
        } else if before != 1 + verdict as u8 {
            self.settled.revised[verdict as usize] += 1;
        }
    }

    fn count_times(&mut self, bench: &Bench) {
        for (place, time_us, covered_us) in chains::times(&bench.spans, &bench.kin, &bench.marks) {
            let at = place as usize;
            if bench.spans[at].marks & mark::TIMED == 0 {
                self.index.span_mut(bench.places[at]).marks |= mark::TIMED;
                let module = self.stands_under(&bench.spans[at]);
                self.add_part(bench.spans[at].end_ns, module, Part::EntryTime, time_us);
                self.add_part(bench.spans[at].end_ns, module, Part::CoveredTime, covered_us);
            }
        }
    }

    fn count_calls(&mut self, bench: &mut Bench) {
        let Bench { spans, kin, found, linked, met, calls: scratch, .. } = &mut *bench;
        calls::read((spans, kin, found), (linked, met), scratch);
        for call in &bench.calls.calls {
            let at = call.place as usize;
            let span = &bench.spans[at];
            // As it was before this settling: one span may make several calls in it.
            if span.marks & mark::CALLED != 0 {
                continue;
            }
            self.index.span_mut(bench.places[at]).marks |= mark::CALLED;
            let found = bench.found[at];
            let tenant = somebody(found.tenant);
            self.reversed_messages += u64::from(call.is_reversed);
            // A peer of the inventory is a module, whatever it is called by and whether it shows itself.
            let known = self.peers.get(&call.to).copied();
            let names = &self.index.names;
            let to = known.unwrap_or(call.to);
            let to = if to == NameId::NONE { bailiwick_slo::conventions::MODULE_UNKNOWN } else { names.text(to) };
            let called = graph::Called {
                tenant,
                from: names.text(call.from),
                to,
                kind: if known.is_some() && call.kind == EdgeKind::Peer { EdgeKind::Module } else { call.kind },
                weight: Weight::of_units(span.weight),
                is_failure: calls::is_failure(span),
                is_unmatched: bench.marks[at] & mark::PEER_SILENT != 0 && bench.marks[at] & mark::EDGE != 0,
                end_ns: span.end_ns,
                duration_ns: calls::is_timed(span).then(|| span.duration_ns()),
                queue_delay_ns: call.queue_delay_ns,
                calling_ns: call.calling_ns,
                is_answered: call.is_answered,
            };
            self.graph.count(&self.tenants, &called);
        }
    }
}
