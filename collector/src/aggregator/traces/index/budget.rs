//! How much of the index is used, by whom, and what gives way when it is too much.

use bailiwick_slo::saved;

use super::{Evicted, Index, Trace};
use crate::aggregator::memory::slab::Slab;
use crate::aggregator::tenants::TenantId;
use crate::aggregator::traces::pool::NameId;
use crate::aggregator::traces::span::{Side, Span, State};

/// What a trace takes beside its spans: itself, its place in the table, its place among those that are due.
const TRACE_BYTES: usize = size_of::<Trace>() + 8 + 24;

/// What is used.
#[derive(Debug, Default)]
pub(super) struct Use {
    /// Spans by the tenant whose budget they are part of.
    by_tenant: Vec<u64>,
    pub(super) live_traces: usize,
    pub(super) settled_traces: usize,
    settled_spans: usize,
    pub(super) asides_bytes: usize,
    /// Most spans that a trace had.
    fullest_trace: u32,
    /// Spans that found their trace full.
    pub(super) oversized: u64,
    /// Spans of traces outside the sample.
    pub(super) unjudged: u64,
    /// When the latest of the settled traces that had to leave early had settled.
    pub(super) forgotten_ns: u64,
}
saved!(struct Use {
    by_tenant, live_traces, settled_traces, settled_spans, asides_bytes, fullest_trace, oversized, unjudged, forgotten_ns
});

impl Use {
    fn spans_of(&mut self, tenant: TenantId) -> &mut u64 {
        let place = tenant as usize;
        if self.by_tenant.len() <= place {
            self.by_tenant.resize(place + 1, 0);
        }
        &mut self.by_tenant[place]
    }

    pub(super) fn opened(&mut self) {
        self.live_traces += 1;
    }

    /// A span of a tenant came to a trace that has so many now.
    pub(super) fn came(&mut self, owner: TenantId, of_trace: u32) {
        *self.spans_of(owner) += 1;
        self.fullest_trace = self.fullest_trace.max(of_trace);
    }

    pub(super) fn left(&mut self, owner: TenantId, spans: u32, is_settled: bool) {
        *self.spans_of(owner) -= u64::from(spans);
        if is_settled {
            self.settled_spans -= spans as usize;
        }
    }

    pub(super) fn closed(&mut self, owner: TenantId, spans: u32, is_settled: bool) {
        self.left(owner, spans, is_settled);
        if is_settled { self.settled_traces -= 1 } else { self.live_traces -= 1 }
    }

    pub(super) fn settled(&mut self, spans: u32) {
        self.live_traces -= 1;
        self.settled_traces += 1;
        self.settled_spans += spans as usize;
    }

    pub(super) fn reopened(&mut self, spans: u32) {
        self.live_traces += 1;
        self.settled_traces -= 1;
        self.settled_spans -= spans as usize;
    }
}

/// The index in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) struct Usage {
    pub(in crate::aggregator) bytes: usize,
    pub(in crate::aggregator) bytes_max: usize,
    pub(in crate::aggregator) live_traces: usize,
    pub(in crate::aggregator) traces_live_max: usize,
    /// Spans that were not judged for want of room.
    pub(in crate::aggregator) unjudged: u64,
    /// Most spans that a trace had.
    pub(in crate::aggregator) fullest_trace: u32,
    /// Spans beyond `coverage.trace_spans_max`.
    pub(in crate::aggregator) oversized: u64,
    /// Repeats of spans that came later than this are recognised; 0: all within `ingest.late_accept`.
    pub(in crate::aggregator) forgotten_ns: u64,
}

impl Index {
    /// Bytes that spans, traces and names take.
    #[inline]
    pub(in crate::aggregator) fn memory_bytes(&self) -> usize {
        spans_bytes(&self.spans) + self.traces.len() * TRACE_BYTES + self.names.memory_bytes() + self.usage.asides_bytes
    }

    fn settled_bytes(&self) -> usize {
        self.usage.settled_spans * size_of::<Span>() + self.usage.settled_traces * TRACE_BYTES
    }

    /// Brings settled traces within half of the budget.
    pub(in crate::aggregator) fn trim(&mut self) {
        while self.settled_bytes() > self.limits.bytes_max / 2 && self.expire_one() {}
    }

    /// Makes room: settled traces go first, down to a quarter of the budget; then the sample of whoever uses most is
    /// halved until a tenth of the budget is free.
    pub(super) fn relieve(&mut self) {
        while self.settled_bytes() > self.limits.bytes_max / 4 && self.expire_one() {}
        let is_free = |index: &Self| {
            index.memory_bytes() <= index.limits.bytes_max / 10 * 9
                && index.usage.live_traces <= index.limits.traces_live_max / 10 * 9
        };
        while !is_free(self) {
            if self.expire_one() && is_free(self) {
                return;
            }
            let most = self.usage.by_tenant.iter().zip(0..).max_by_key(|(spans, tenant)| (**spans, u32::MAX - tenant));
            let Some((_, tenant)) = most else { return };
            if !self.sample.halve(tenant) {
                return;
            }
            self.evict(tenant);
        }
    }

    /// Takes out a tenant's live traces outside of its sample; what of them is not booked yet is owed.
    fn evict(&mut self, tenant: TenantId) {
        let mut places: Vec<u32> = self.by_id.iter().copied().collect();
        places.retain(|place| {
            let trace = self.traces.get(*place);
            trace.owner == tenant && !self.sample.holds(tenant, trace.randomness)
        });
        // The table's order is random; the books' must not be.
        places.sort_unstable_by_key(|place| self.traces.get(*place).turn);
        let (mut spans, mut at) = (Vec::new(), Vec::new());
        for place in places {
            self.load(place, &mut spans, &mut at);
            let trace_id = self.traces.get(place).id;
            for (span, at) in spans.iter().zip(&at) {
                if span.state() != State::Waiting || span.side() == Side::Calling {
                    continue;
                }
                let owed = Span { booked: NameId::NONE, ..*span };
                self.retain(&owed);
                let messages = self.aside(*at).map_or(0, |aside| aside.messages);
                self.evicted.push(Evicted { trace_id, span: owed, messages });
            }
            self.usage.unjudged += spans.len() as u64;
            self.free_trace(place);
        }
    }

    pub(in crate::aggregator) fn usage(&self) -> Usage {
        Usage {
            bytes: self.memory_bytes(),
            bytes_max: self.limits.bytes_max,
            live_traces: self.usage.live_traces,
            traces_live_max: self.limits.traces_live_max,
            unjudged: self.usage.unjudged,
            fullest_trace: self.usage.fullest_trace,
            oversized: self.usage.oversized,
            forgotten_ns: self.usage.forgotten_ns,
        }
    }
}

fn spans_bytes(spans: &Slab<Span>) -> usize {
    // Beside each span: its place among the free ones, some day.
    spans.len() * (size_of::<Span>() + 4)
}
