//! The index itself: spans by trace, when a trace settles and when it is forgotten, and how much of it there may be.
//!
//! Spans of a trace are a chain in the order in which they came. A settled trace stays for `ingest.late_accept`, so that
//! late spans find their kin and repeats are recognised; beyond half of the budget the oldest settled ones go first. A
//! budget that is spent halves the sample of the tenant that uses most ([`super::sample`]).

mod budget;
mod clock;

use std::hash::BuildHasher;

use bailiwick_slo::{kept, saved};

use bailiwick_slo::wire::{Read, Reader};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};

use super::judge::Terms;
use super::leaks::Claims;
use super::pool::Pool;
use super::sample::Sample;
use super::span::{NONE, Span, flag};
use crate::aggregator::memory::slab::Slab;
use crate::aggregator::settings::CoverageSettings;
use crate::aggregator::tenants::TenantId;
use crate::observation::batch::row::Link;
use budget::Use;
use clock::Due;

/// Maxima and spans of time, in bytes, pieces and nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(in crate::aggregator) struct Limits {
    bytes_max: usize,
    traces_live_max: usize,
    trace_spans_max: u32,
    idle_ns: u64,
    age_ns: u64,
    keep_ns: u64,
}

impl Limits {
    /// From the settings; settled traces are kept as long as late spans are taken.
    pub(in crate::aggregator) fn new(settings: &CoverageSettings, late_accept_ns: u64) -> Self {
        Self {
            bytes_max: settings.index_bytes_max.bytes(),
            traces_live_max: settings.traces_live_max as usize,
            trace_spans_max: settings.trace_spans_max,
            idle_ns: settings.trace_idle.nanos(),
            age_ns: settings.trace_age_max.nanos(),
            keep_ns: late_accept_ns,
        }
    }
}

/// One trace.
#[derive(Debug, Clone)]
pub(in crate::aggregator) struct Trace {
    pub(in crate::aggregator) id: [u8; 16],
    first: u32,
    last: u32,
    pub(in crate::aggregator) spans: u32,
    /// The tenant whose budget it is part of: that of its first span.
    owner: TenantId,
    randomness: u64,
    first_at_ns: u64,
    last_at_ns: u64,
    /// The tenant of the first credential that spoke of it, [`super::span::NO_TENANT`]: none.
    pub(in crate::aggregator) auth: TenantId,
    /// Tells it from the one that had its place before, and from itself before it was reopened.
    turn: u32,
    is_dirty: bool,
    /// It is not waiting to settle.
    is_settled: bool,
    /// What it was found to be when it settled; 0: not yet, else 1 + verdict.
    pub(in crate::aggregator) verdict: u8,
    is_free: bool,
}
saved!(struct Trace {
    id, first, last, spans, owner, randomness, first_at_ns, last_at_ns, auth, turn, is_dirty, is_settled, verdict, is_free
});

/// A trace, as long as its turn lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) struct TraceRef {
    pub(in crate::aggregator) place: u32,
    turn: u32,
}
saved!(struct TraceRef { place, turn });

/// A span on its way in.
#[derive(Debug, Clone, Copy)]
pub(in crate::aggregator) struct Arrival {
    pub(in crate::aggregator) trace_id: [u8; 16],
    /// `rv`, if the span states one.
    pub(in crate::aggregator) randomness: Option<u64>,
    pub(in crate::aggregator) at_ns: u64,
    /// The tenant that its budget is.
    pub(in crate::aggregator) owner: TenantId,
    pub(in crate::aggregator) span: Span,
}

/// What became of a span that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) enum Taken {
    /// It stands at this place, in this trace.
    Indexed { span: u32, trace: u32 },
    /// Its trace is not judged, or has too many spans.
    Unjudged,
    /// It made the index too full, and its trace was among those that went; see [`Index::owe`].
    Evicted,
}

/// What few spans have.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Aside {
    pub(in crate::aggregator) links: Box<[Link]>,
    /// Messages of a batch.
    pub(in crate::aggregator) messages: u64,
    /// Tenants that it is said to belong to, where they may not agree.
    pub(in crate::aggregator) claims: Option<Box<Claims>>,
}
saved!(struct Aside { links, messages, claims });

impl Aside {
    fn memory_bytes(&self) -> usize {
        let claims = if self.claims.is_some() { size_of::<Claims>() } else { 0 };
        size_of::<Self>() + 8 + size_of_val(&*self.links) + claims
    }
}

/// A span that had to leave before it was judged: it is owed to the books.
#[derive(Debug)]
pub(in crate::aggregator) struct Evicted {
    pub(in crate::aggregator) trace_id: [u8; 16],
    pub(in crate::aggregator) span: Span,
    /// Messages of a batch.
    pub(in crate::aggregator) messages: u64,
}

/// The index.
#[derive(Debug)]
pub(in crate::aggregator) struct Index {
    pub(in crate::aggregator) limits: Limits,
    pub(in crate::aggregator) terms: Terms,
    pub(in crate::aggregator) names: Pool,
    pub(in crate::aggregator) sample: Sample,
    spans: Slab<Span>,
    traces: Slab<Trace>,
    by_id: HashTable<u32>,
    hasher: RandomState,
    /// What few spans have, by the span's place.
    asides: HashMap<u32, Aside, RandomState>,
    dirty: Vec<TraceRef>,
    due: Due,
    usage: Use,
    turns: u32,
    /// Spans of traces that had to leave before they were judged.
    pub(in crate::aggregator) evicted: Vec<Evicted>,
}
// But for names and limits; between two records nothing is owed to the books.
kept!(Index { sample, spans, traces, asides, dirty, due, usage, turns } then list);

impl Index {
    /// Puts the traces into their table.
    fn list(&mut self, _: &Reader<'_>) -> Read<()> {
        let (traces, hasher) = (&self.traces, &self.hasher);
        let hash = |place: &u32| hasher.hash_one(traces.get(*place).id);
        self.by_id = HashTable::with_capacity(traces.len());
        for place in (0..traces.given()).filter(|place| !traces.get(*place).is_free) {
            self.by_id.insert_unique(hash(&place), place, hash);
        }
        Ok(())
    }
}

impl Index {
    pub(in crate::aggregator) fn new(limits: Limits) -> Self {
        Self {
            limits,
            terms: Terms::default(),
            names: Pool::default(),
            sample: Sample::default(),
            spans: Slab::default(),
            traces: Slab::default(),
            by_id: HashTable::new(),
            hasher: RandomState::default(),
            asides: HashMap::default(),
            dirty: Vec::new(),
            due: Due::default(),
            usage: Use::default(),
            turns: 0,
            evicted: Vec::new(),
        }
    }

    /// Whether there is no index: every span is by itself.
    #[inline]
    pub(in crate::aggregator) fn is_off(&self) -> bool {
        self.limits.bytes_max == 0
    }

    /// Takes a span in, whose names are used already ([`Self::retain`]); an unjudged one's are the caller's to give back.
    #[inline]
    pub(in crate::aggregator) fn insert(&mut self, arrival: &Arrival) -> Taken {
        let hash = self.hasher.hash_one(arrival.trace_id);
        let traces = &self.traces;
        let found = self.by_id.find(hash, |trace| traces.get(*trace).id == arrival.trace_id).copied();
        let place = match found {
            Some(place) if self.traces.get(place).spans >= self.limits.trace_spans_max => {
                self.usage.oversized += 1;
                return Taken::Unjudged;
            }
            Some(place) => place,
            None => match self.open(hash, arrival) {
                Some(place) => place,
                None => return Taken::Unjudged,
            },
        };
        let span = self.append(place, arrival);
        if self.memory_bytes() > self.limits.bytes_max || self.usage.live_traces > self.limits.traces_live_max {
            self.relieve();
            if self.traces.get(place).is_free || self.traces.get(place).id != arrival.trace_id {
                return Taken::Evicted;
            }
        }
        Taken::Indexed { span, trace: place }
    }

    fn open(&mut self, hash: u64, arrival: &Arrival) -> Option<u32> {
        let randomness = arrival.randomness.unwrap_or_else(|| Sample::randomness(&arrival.trace_id));
        if !self.sample.holds(arrival.owner, randomness) {
            self.usage.unjudged += 1;
            return None;
        }
        self.turns = self.turns.wrapping_add(1);
        let place = self.traces.put(Trace {
            id: arrival.trace_id,
            first: NONE,
            last: NONE,
            spans: 0,
            owner: arrival.owner,
            randomness,
            first_at_ns: arrival.at_ns,
            last_at_ns: arrival.at_ns,
            auth: super::span::NO_TENANT,
            turn: self.turns,
            is_dirty: false,
            is_settled: false,
            verdict: 0,
            is_free: false,
        });
        let (traces, hasher) = (&self.traces, &self.hasher);
        self.by_id.insert_unique(hash, place, |trace| hasher.hash_one(traces.get(*trace).id));
        self.usage.opened();
        self.due.add(TraceRef { place, turn: self.turns }, arrival.at_ns + self.limits.idle_ns);
        Some(place)
    }

    fn append(&mut self, place: u32, arrival: &Arrival) -> u32 {
        let span = self.spans.put(Span { next: NONE, ..arrival.span });
        let trace = self.traces.get_mut(place);
        if trace.is_settled {
            self.turns = self.turns.wrapping_add(1);
            trace.turn = self.turns;
            trace.is_settled = false;
            trace.is_dirty = false;
            trace.first_at_ns = arrival.at_ns;
            self.usage.reopened(trace.spans);
            self.due.add(TraceRef { place, turn: trace.turn }, arrival.at_ns + self.limits.idle_ns);
        }
        trace.spans += 1;
        trace.last_at_ns = trace.last_at_ns.max(arrival.at_ns);
        self.usage.came(trace.owner, trace.spans);
        let (last, turn) = (std::mem::replace(&mut trace.last, span), trace.turn);
        if !std::mem::replace(&mut trace.is_dirty, true) {
            self.dirty.push(TraceRef { place, turn });
        }
        if last == NONE {
            self.traces.get_mut(place).first = span;
        } else {
            self.spans.get_mut(last).next = span;
        }
        span
    }

    /// Notes the messages of a span that went as it came.
    pub(in crate::aggregator) fn owe(&mut self, arrival: &Arrival, messages: u64) {
        let mut evicted = self.evicted.iter_mut().rev();
        let owed = evicted.find(|owed| owed.trace_id == arrival.trace_id && owed.span.id == arrival.span.id);
        if let Some(owed) = owed {
            owed.messages = messages;
        }
    }

    /// Keeps what a span has beside its record.
    pub(in crate::aggregator) fn keep_aside(&mut self, span: u32, aside: Aside) {
        self.usage.asides_bytes += aside.memory_bytes();
        self.spans.get_mut(span).flags |= flag::ASIDE;
        self.asides.insert(span, aside);
    }

    /// What a span has beside its record.
    #[inline]
    pub(in crate::aggregator) fn aside(&self, span: u32) -> Option<&Aside> {
        if self.spans.get(span).is(flag::ASIDE) { self.asides.get(&span) } else { None }
    }

    pub(in crate::aggregator) fn trace(&self, place: u32) -> &Trace {
        self.traces.get(place)
    }

    pub(in crate::aggregator) fn trace_mut(&mut self, place: u32) -> &mut Trace {
        self.traces.get_mut(place)
    }

    /// The trace with this id.
    pub(in crate::aggregator) fn find(&self, id: &[u8; 16]) -> Option<u32> {
        self.by_id.find(self.hasher.hash_one(id), |trace| self.traces.get(*trace).id == *id).copied()
    }

    pub(in crate::aggregator) fn span(&self, place: u32) -> &Span {
        self.spans.get(place)
    }

    #[inline]
    pub(in crate::aggregator) fn span_mut(&mut self, place: u32) -> &mut Span {
        self.spans.get_mut(place)
    }

    /// Copies the spans of a trace, in the order in which they came, and says where they stand.
    pub(in crate::aggregator) fn load(&self, trace: u32, spans: &mut Vec<Span>, places: &mut Vec<u32>) {
        spans.clear();
        places.clear();
        let mut next = self.traces.get(trace).first;
        while next != NONE {
            let span = self.spans.get(next);
            places.push(next);
            spans.push(*span);
            next = span.next;
        }
    }

    /// Where the span with this id stands in a trace, the first that came with it.
    pub(in crate::aggregator) fn find_span(&self, trace: u32, id: u64) -> Option<u32> {
        let mut next = self.traces.get(trace).first;
        while next != NONE {
            let span = self.spans.get(next);
            if span.id == id {
                return Some(next);
            }
            next = span.next;
        }
        None
    }

    /// Takes spans out of a trace; `leaving` are places in the order of the chain.
    pub(in crate::aggregator) fn take_out(&mut self, trace: u32, leaving: &[u32]) {
        let mut leaving = leaving.iter().copied().peekable();
        let (mut before, mut next) = (NONE, self.traces.get(trace).first);
        while next != NONE {
            let after = self.spans.get(next).next;
            if leaving.peek() == Some(&next) {
                leaving.next();
                match before {
                    NONE => self.traces.get_mut(trace).first = after,
                    before => self.spans.get_mut(before).next = after,
                }
                self.traces.get_mut(trace).spans -= 1;
                let owner = self.traces.get(trace).owner;
                self.usage.left(owner, 1, false);
                self.free_span(next);
            } else {
                before = next;
            }
            next = after;
        }
        self.traces.get_mut(trace).last = before;
    }

    /// Uses the names of a span, from its arrival on.
    #[inline]
    pub(in crate::aggregator) fn retain(&mut self, span: &Span) {
        for name in [span.operation, span.module, span.peer, span.service] {
            self.names.again(name);
        }
    }

    /// Gives back the names of a span.
    pub(in crate::aggregator) fn release(&mut self, span: &Span) {
        for name in [span.operation, span.module, span.booked, span.peer, span.service] {
            self.names.release(name);
        }
    }

    fn free_span(&mut self, place: u32) {
        let span = *self.spans.get(place);
        self.release(&span);
        if span.is(flag::ASIDE)
            && let Some(aside) = self.asides.remove(&place)
        {
            self.usage.asides_bytes -= aside.memory_bytes();
        }
        self.spans.free(place);
    }

    /// Forgets a trace and its spans.
    fn free_trace(&mut self, place: u32) {
        let trace = self.traces.get(place).clone();
        let mut next = trace.first;
        while next != NONE {
            let after = self.spans.get(next).next;
            self.free_span(next);
            next = after;
        }
        self.usage.closed(trace.owner, trace.spans, trace.is_settled);
        let hash = self.hasher.hash_one(trace.id);
        if let Ok(entry) = self.by_id.find_entry(hash, |known| *known == place) {
            entry.remove();
        }
        let freed = self.traces.get_mut(place);
        freed.is_free = true;
        freed.first = NONE;
        self.traces.free(place);
    }

    fn is_current(&self, trace: TraceRef) -> bool {
        let known = self.traces.get(trace.place);
        !known.is_free && known.turn == trace.turn
    }

    /// Traces that spans came for since this was asked last, in the order of their first such span.
    pub(in crate::aggregator) fn take_dirty(&mut self) -> Vec<u32> {
        let dirty = std::mem::take(&mut self.dirty);
        let mut places = Vec::with_capacity(dirty.len());
        for trace in dirty {
            if self.is_current(trace) && std::mem::take(&mut self.traces.get_mut(trace.place).is_dirty) {
                places.push(trace.place);
            }
        }
        places
    }

    /// What a judged trace stands for while not all traces of its tenant are judged.
    pub(in crate::aggregator) fn weight_of(&self, trace: u32) -> u64 {
        self.sample.weight(self.traces.get(trace).owner)
    }
}
