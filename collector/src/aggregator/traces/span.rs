//! A span as the index keeps it: what judging needs, and what became of it.

use bailiwick_slo::conventions::EntryType;
use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::saved;

use super::pool::NameId;
use crate::aggregator::tenants::{self, TenantId};

/// No span, no series.
pub(in crate::aggregator) const NONE: u32 = u32::MAX;
/// No tenant is claimed.
pub(in crate::aggregator) const NO_TENANT: TenantId = TenantId::MAX;

/// Whose books take what has this tenant.
#[inline]
pub(in crate::aggregator) fn somebody(tenant: TenantId) -> TenantId {
    if tenant == NO_TENANT { tenants::UNKNOWN } else { tenant }
}

/// What a span says and what was decided about it, as bits of [`Span::flags`].
pub(in crate::aggregator) mod flag {
    /// OTLP kind, three bits.
    pub(in crate::aggregator) const KIND: u32 = 7;
    /// It says whether its parent is remote.
    pub(in crate::aggregator) const REMOTE_KNOWN: u32 = 1 << 3;
    /// Its parent is remote.
    pub(in crate::aggregator) const REMOTE: u32 = 1 << 4;
    /// It is known not to be sampled.
    pub(in crate::aggregator) const UNSAMPLED: u32 = 1 << 5;
    /// Rule E0: never a request.
    pub(in crate::aggregator) const IGNORED: u32 = 1 << 6;
    /// It receives messages.
    pub(in crate::aggregator) const RECEIVE: u32 = 1 << 7;
    /// A chain may begin here.
    pub(in crate::aggregator) const BOUNDARY: u32 = 1 << 8;
    /// It ends before it starts.
    pub(in crate::aggregator) const ANOMALY: u32 = 1 << 9;
    /// Its module is its own (`sli.md` 1.2 a, b), not its resource's.
    pub(in crate::aggregator) const OWN_MODULE: u32 = 1 << 10;
    /// Its tenant is never compared with its parent's.
    pub(in crate::aggregator) const UNCOMPARED: u32 = 1 << 14;
    /// It has links, messages or claims that are kept beside it.
    pub(in crate::aggregator) const ASIDE: u32 = 1 << 15;
    /// Outcome, three bits from here.
    pub(in crate::aggregator) const OUTCOME_AT: u32 = 16;
    /// Kind of peer, two bits from here: 0 none, 1 database, 2 messaging, 3 generative AI.
    pub(in crate::aggregator) const PEER_AT: u32 = 19;
    /// Place of the tenant's source in `SOURCES`, three bits from here.
    pub(in crate::aggregator) const SOURCE_AT: u32 = 21;
    /// State, three bits from here.
    pub(in crate::aggregator) const STATE_AT: u32 = 24;
    /// Entry type, two bits from here.
    pub(in crate::aggregator) const ENTRY_AT: u32 = 27;
    /// Its tenant is claimed by what stands after the parent's tenant (baggage).
    pub(in crate::aggregator) const LATER_TENANT: u32 = 1 << 30;
}

/// OTLP's span kinds, as far as rules speak of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) enum Side {
    /// SERVER or CONSUMER.
    Serving,
    /// INTERNAL or UNSPECIFIED.
    Inside,
    /// CLIENT or PRODUCER.
    Calling,
}

/// Where a span says that its parent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) enum Origin {
    /// In the same process.
    Local,
    /// In another one.
    Remote,
    /// It does not say.
    Unknown,
}

/// What a span was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::aggregator) enum State {
    /// Not known yet.
    Waiting = 0,
    /// No request.
    Other = 1,
    /// A request, booked.
    Entry = 2,
    /// Inside another request of its module.
    Nested = 3,
    /// Perhaps a request: its parent never came.
    Uncertain = 4,
}

const STATES: [State; 5] = [State::Waiting, State::Other, State::Entry, State::Nested, State::Uncertain];

/// One span of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) struct Span {
    pub(in crate::aggregator) id: u64,
    /// 0: none.
    pub(in crate::aggregator) parent: u64,
    pub(in crate::aggregator) start_ns: u64,
    pub(in crate::aggregator) end_ns: u64,
    /// In units of 2^-32, at least one request.
    pub(in crate::aggregator) weight: u64,
    /// The next span of its trace, in the order in which they came; of a free place, the next free one.
    pub(in crate::aggregator) next: u32,
    /// Which resource it is of, within its trace: equal for equal resources.
    pub(in crate::aggregator) resource: u32,
    pub(in crate::aggregator) operation: NameId,
    /// As the span or its resource names it.
    pub(in crate::aggregator) module: NameId,
    /// The module that it was booked or counted under; none before.
    pub(in crate::aggregator) booked: NameId,
    pub(in crate::aggregator) peer: NameId,
    pub(in crate::aggregator) service: NameId,
    /// The first of its claims, or [`NO_TENANT`]; [`flag::LATER_TENANT`] says that the parent's tenant comes before it.
    pub(in crate::aggregator) tenant: TenantId,
    /// Of an entry its series, of others the tenant x module that they are counted under; [`NONE`] before.
    pub(in crate::aggregator) place: u32,
    /// Requests that were booked for it.
    pub(in crate::aggregator) drawn: u32,
    /// Bits of [`flag`].
    pub(in crate::aggregator) flags: u32,
    /// What was counted about it when its trace settled: bits of [`super::chains::mark`].
    pub(in crate::aggregator) marks: u32,
    /// The tenant that it was booked under or found to have.
    pub(in crate::aggregator) found: TenantId,
}
saved!(struct Span {
    id, parent, start_ns, end_ns, weight, next, resource, operation, module, booked, peer, service, tenant, place, drawn, flags, marks, found
});

impl Span {
    /// A span that says nothing.
    pub(in crate::aggregator) const EMPTY: Self = Self {
        id: 0,
        parent: 0,
        start_ns: 0,
        end_ns: 0,
        weight: bailiwick_slo::weight::ONE,
        next: NONE,
        resource: 0,
        operation: NameId::NONE,
        module: NameId::NONE,
        booked: NameId::NONE,
        peer: NameId::NONE,
        service: NameId::NONE,
        tenant: NO_TENANT,
        place: NONE,
        drawn: 0,
        flags: 0,
        marks: 0,
        found: NO_TENANT,
    };

    #[inline]
    pub(in crate::aggregator) fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    #[inline]
    pub(in crate::aggregator) fn kind(&self) -> u32 {
        self.flags & flag::KIND
    }

    pub(in crate::aggregator) fn is_consumer(&self) -> bool {
        self.kind() == 5
    }

    pub(in crate::aggregator) fn is_client(&self) -> bool {
        self.kind() == 3
    }

    pub(in crate::aggregator) fn is_producer(&self) -> bool {
        self.kind() == 4
    }

    #[inline]
    pub(in crate::aggregator) fn side(&self) -> Side {
        match self.kind() {
            2 | 5 => Side::Serving,
            3 | 4 => Side::Calling,
            _ => Side::Inside,
        }
    }

    #[inline]
    pub(in crate::aggregator) fn origin(&self) -> Origin {
        match self.flags & (flag::REMOTE_KNOWN | flag::REMOTE) {
            flag::REMOTE_KNOWN => Origin::Local,
            0 => Origin::Unknown,
            _ => Origin::Remote,
        }
    }

    pub(in crate::aggregator) fn outcome(&self) -> Outcome {
        Outcome::from_u8((self.flags >> flag::OUTCOME_AT & 7) as u8).unwrap_or(Outcome::Failure)
    }

    pub(in crate::aggregator) fn peer_kind(&self) -> u32 {
        self.flags >> flag::PEER_AT & 3
    }

    /// Place of its tenant's source in `SOURCES`.
    pub(in crate::aggregator) fn source(&self) -> u8 {
        (self.flags >> flag::SOURCE_AT & 7) as u8
    }

    pub(in crate::aggregator) fn set_source(&mut self, source: u8) {
        self.flags = self.flags & !(7 << flag::SOURCE_AT) | u32::from(source) << flag::SOURCE_AT;
    }

    pub(in crate::aggregator) fn state(&self) -> State {
        STATES[(self.flags >> flag::STATE_AT & 7) as usize % STATES.len()]
    }

    pub(in crate::aggregator) fn set_state(&mut self, state: State) {
        self.flags = self.flags & !(7 << flag::STATE_AT) | (state as u32) << flag::STATE_AT;
    }

    pub(in crate::aggregator) fn entry(&self) -> EntryType {
        EntryType::ALL[(self.flags >> flag::ENTRY_AT & 3) as usize]
    }

    pub(in crate::aggregator) fn set_entry(&mut self, entry: EntryType) {
        self.flags = self.flags & !(3 << flag::ENTRY_AT) | (entry as u32) << flag::ENTRY_AT;
    }

    /// The tenant that stands before the parent's: explicit, in the words of `sli.md` 1.1.
    #[inline]
    pub(in crate::aggregator) fn explicit(&self) -> Option<TenantId> {
        (self.tenant != NO_TENANT && !self.is(flag::LATER_TENANT)).then_some(self.tenant)
    }

    /// Nanoseconds; 0 when it ends before it starts.
    pub(in crate::aggregator) fn duration_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_takes_two_cache_lines_at_most() {
        assert!(size_of::<Span>() <= 104, "{}", size_of::<Span>());
    }

    #[test]
    fn small_fields_do_not_touch_each_other() {
        let mut span =
            Span { flags: 5 | flag::REMOTE_KNOWN | 3 << flag::OUTCOME_AT | 2 << flag::PEER_AT, ..Span::EMPTY };
        for state in STATES {
            for entry in EntryType::ALL {
                span.set_state(state);
                span.set_entry(entry);
                span.set_source(6);
                assert_eq!((span.state(), span.entry(), span.source()), (state, entry, 6));
                assert_eq!((span.kind(), span.origin(), span.peer_kind()), (5, Origin::Local, 2));
                assert_eq!(span.outcome(), Outcome::Cancelled);
            }
        }
    }
}
