//! Rows of a batch on their way into the index: whose they are, what they say, who else is said to own them.

use bailiwick_slo::conventions::EntryType;
use bailiwick_slo::saved;
use bailiwick_slo::weight::{ONE, Weight};

use super::book::Booking;
use super::desk::NOT_ASKED;
use super::{Aggregator, ClaimSource};
use crate::aggregator::snapshot::Part;
use crate::aggregator::tenants::{self, Admission, TenantId};
use crate::aggregator::traces::index::{Arrival, Aside, Evicted, Taken};
use crate::aggregator::traces::span::{self, NO_TENANT, Span, somebody};
use crate::observation::batch::View;
use crate::observation::batch::layout::header;
use crate::observation::batch::row::{self, Evidence, WeightSource, extra, flag};

const KIND_SERVER: u8 = 2;
const KIND_CLIENT: u8 = 3;
const KIND_PRODUCER: u8 = 4;
const KIND_CONSUMER: u8 = 5;

/// The tenant claim of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    /// String, 0: none.
    pub(super) string: u32,
    /// Place of its source in `SOURCES`.
    source: u8,
    /// It stands after the parent's tenant.
    is_later: bool,
}

impl Aggregator {
    /// Takes one row in.
    #[inline]
    pub(super) fn arrive(&mut self, batch: &View<'_>, row: &row::Span) {
        let evidence = self.desk.evidence[row.evidence as usize];
        let claim = self.claim(batch, &evidence, row.context);
        self.desk.accepted[claim.string as usize] += 1;
        let mut span = self.read(batch, row, &evidence);
        span.tenant = if claim.string == 0 { NO_TENANT } else { self.tenant(batch, claim.string) };
        span.set_source(claim.source);
        span.flags |= if claim.is_later { span::flag::LATER_TENANT } else { 0 };
        let extras = if row.extras == 0 { Extras::default() } else { Extras::read(batch, row) };
        span.flags |= extras.flags;
        self.weights.count(row.weight, extras.weight_source);
        if self.index.is_off() {
            return self.unjudged(&row.trace_id, &span, extras.messages);
        }
        self.index.retain(&span);
        let arrival = Arrival {
            trace_id: row.trace_id,
            randomness: extras.randomness,
            at_ns: batch.observed_at_ns().max(self.now_ns),
            owner: somebody(span.tenant),
            span,
        };
        match self.index.insert(&arrival) {
            Taken::Evicted => self.index.owe(&arrival, extras.messages),
            Taken::Indexed { span, trace } => self.keep_aside(batch, row, (span, trace), extras.messages),
            Taken::Unjudged => {
                self.unjudged(&row.trace_id, &span, extras.messages);
                self.index.release(&span);
            }
        }
    }

    /// The winning claim of those that an item itself makes.
    #[inline]
    pub(super) fn claim(&self, batch: &View<'_>, evidence: &Evidence, context: u32) -> Claim {
        let mut is_later = false;
        for source in &self.sources {
            let string = match source {
                ClaimSource::Auth => batch.header_u32(header::TENANT_AUTH),
                ClaimSource::Span => evidence.tenant_span,
                ClaimSource::Resource => self.desk.around[context as usize].tenant,
                ClaimSource::Header => evidence.tenant_header,
                ClaimSource::Inherited => {
                    is_later = true;
                    continue;
                }
                ClaimSource::Baggage => evidence.tenant_baggage,
            };
            if string != 0 {
                return Claim { string, source: *source as u8, is_later };
            }
        }
        Claim { string: 0, source: 6, is_later: false }
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
                self.allowed.renumber(&mut self.tenants);
                tenant
            }
            Admission::Full => tenants::OVERFLOW,
        };
        self.desk.tenants[claim as usize] = tenant;
        tenant
    }

    #[inline]
    fn read(&mut self, batch: &View<'_>, row: &row::Span, evidence: &Evidence) -> Span {
        let around = self.desk.around[row.context as usize];
        let pool = &mut self.index.names;
        let is_calling = matches!(row.kind, KIND_CLIENT | KIND_PRODUCER);
        let operation = self.desk.name(batch, pool, row.operation);
        let own = evidence.module_span != 0;
        let module = if own { self.desk.name(batch, pool, evidence.module_span) } else { around.module };
        let peer = if is_calling { self.desk.name(batch, pool, row.peer) } else { Span::EMPTY.peer };
        let mut flags = u32::from(row.kind) | u32::from(row.outcome) << span::flag::OUTCOME_AT;
        for (said, kept) in [
            (flag::REMOTE_KNOWN, span::flag::REMOTE_KNOWN),
            (flag::REMOTE, span::flag::REMOTE),
            (flag::IGNORED_NAME, span::flag::IGNORED),
            (flag::RECEIVE, span::flag::RECEIVE),
            (flag::BOUNDARY, span::flag::BOUNDARY),
            (flag::CLOCK_ANOMALY, span::flag::ANOMALY),
        ] {
            flags |= if row.flags & said != 0 { kept } else { 0 };
        }
        if row.flags & (flag::SAMPLED_KNOWN | flag::SAMPLED) == flag::SAMPLED_KNOWN {
            flags |= span::flag::UNSAMPLED;
        }
        flags |= if own || around.is_own_module { span::flag::OWN_MODULE } else { 0 };
        if self.uncompared.binary_search(&operation).is_ok() {
            flags |= span::flag::UNCOMPARED;
        }
        Span {
            id: u64::from_be_bytes(row.span_id),
            parent: u64::from_be_bytes(row.parent_id),
            start_ns: row.start_ns,
            end_ns: row.end_ns,
            weight: if row.weight == 0 { ONE } else { Weight::of_units(row.weight).units() },
            resource: around.resource,
            operation,
            module,
            peer,
            service: around.service,
            flags,
            ..Span::EMPTY
        }
    }

    /// Keeps what else there is to know of an indexed span: links, messages, and claims that may not agree.
    #[inline]
    fn keep_aside(&mut self, batch: &View<'_>, row: &row::Span, (span, trace): (u32, u32), messages: u64) {
        let claims = self.claims_of(batch, row, (span, trace));
        if row.links > 0 || messages > 0 || claims.is_some() {
            let links = batch.links_of(row.first_link, row.links).collect();
            self.index.keep_aside(span, Aside { links, messages, claims: claims.map(Box::new) });
        }
    }

    /// A span whose trace is not judged: SERVER and CONSUMER spans count by themselves, others are counted as unjudged.
    fn unjudged(&mut self, trace_id: &[u8; 16], span: &Span, messages: u64) {
        let tenant = somebody(span.tenant);
        self.attribute_span(span, tenant, span.module);
        let entry = match span.kind() as u8 {
            _ if span.is(span::flag::IGNORED) => return,
            KIND_SERVER => EntryType::Server,
            KIND_CONSUMER => EntryType::Consumer,
            KIND_CLIENT | KIND_PRODUCER => return,
            _ => {
                let module = self.module_id(tenant, span.module);
                self.add_part(span.end_ns, module, Part::Unjudged, 1);
                return;
            }
        };
        let mut booking = Booking::of(trace_id, span, tenant, entry);
        booking.messages = messages;
        self.bookings.push(booking);
    }

    /// Books what spans of traces are owed that had to leave the index.
    pub(super) fn book_evicted(&mut self) {
        let evicted = std::mem::take(&mut self.index.evicted);
        for Evicted { trace_id, span, messages } in &evicted {
            self.unjudged(trace_id, span, *messages);
        }
        self.book_waiting();
        evicted.iter().for_each(|owed| self.index.release(&owed.span));
    }
}

/// What extras say, as far as the fold asks.
#[derive(Debug, Default)]
struct Extras {
    randomness: Option<u64>,
    messages: u64,
    weight_source: Option<u64>,
    /// Bits of the span's flags.
    flags: u32,
}

impl Extras {
    #[inline(never)]
    fn read(batch: &View<'_>, row: &row::Span) -> Self {
        let mut read = Self::default();
        for said in batch.extras_of(row.first_extra, row.extras.into()) {
            match said.key {
                extra::RANDOMNESS => read.randomness = Some(said.value & ((1 << 56) - 1)),
                extra::MESSAGES => read.messages = said.value,
                extra::WEIGHT_SOURCE => read.weight_source = Some(said.value),
                extra::PEER_KIND => read.flags |= ((said.value & 3) as u32) << span::flag::PEER_AT,
                // It speaks for several tenants, none of whom is its parent's business.
                extra::TENANT_SET => read.flags |= span::flag::UNCOMPARED,
                _ => {}
            }
        }
        read
    }
}

/// Spans by where their weight comes from.
#[derive(Debug, Default)]
pub(super) struct WeightCounts([u64; WEIGHT_SOURCES.len()]);
saved!(struct WeightCounts { 0 });

const WEIGHT_SOURCES: [(WeightSource, &str); 6] = [
    (WeightSource::None, "none"),
    (WeightSource::Threshold, "th"),
    (WeightSource::Attribute, "attribute"),
    (WeightSource::Invalid, "invalid"),
    (WeightSource::Capped, "capped"),
    (WeightSource::Inconsistent, "inconsistent"),
];

impl WeightCounts {
    /// A row states a source where it is neither of the two usual ones.
    #[inline]
    fn count(&mut self, weight: u64, stated: Option<u64>) {
        let usual = if weight == 0 { WeightSource::None } else { WeightSource::Threshold } as u64;
        let place = stated.unwrap_or(usual) as usize;
        self.0[place.min(WEIGHT_SOURCES.len() - 1)] += 1;
    }

    /// Sources with their published names, those that occurred.
    pub(super) fn published(&self) -> Vec<(&'static str, u64)> {
        let named = WEIGHT_SOURCES.iter().zip(self.0).map(|((_, name), count)| (*name, count));
        named.filter(|(_, count)| *count > 0).collect()
    }
}
