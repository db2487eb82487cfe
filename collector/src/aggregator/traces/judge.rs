//! What each span of a trace is: its module, its tenant, and whether it is a request (`sli.md` 1.1 to 1.3).
//!
//! The verdict on a span depends on the spans that are here and on nothing else, so whatever order they came in leads to
//! the same end. A missing parent is waited for until the trace settles; what was decided then is judged again when it
//! comes after all, and the fold corrects what it booked.

use bailiwick_slo::conventions::EntryType;

use super::kin::{Kin, MISSING, ROOT};
use super::pool::NameId;
use super::span::{NO_TENANT, Origin, Side, Span, State, flag};
use crate::aggregator::tenants::{self, TenantId};

/// Place of inherited tenants in `SOURCES`.
const INHERITED: u8 = 4;
/// Place of the default tenant in `SOURCES`.
const DEFAULT: u8 = 6;

/// What judging goes by besides the spans.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Terms {
    /// Modules that serve all tenants, sorted.
    pub(in crate::aggregator) shared: Vec<NameId>,
    /// Modules that must have a tenant, sorted.
    pub(in crate::aggregator) tenant_required: Vec<NameId>,
    /// Whether tenants are inherited at all.
    pub(in crate::aggregator) inherits: bool,
    /// `requests.nested: all`.
    pub(in crate::aggregator) counts_nested: bool,
    /// `requests.uncertain: count`.
    pub(in crate::aggregator) counts_uncertain: bool,
    /// `requests.receive`.
    pub(in crate::aggregator) counts_receive: bool,
}

impl Terms {
    #[inline]
    pub(in crate::aggregator) fn is_shared(&self, module: NameId) -> bool {
        !self.shared.is_empty() && self.shared.binary_search(&module).is_ok()
    }
}

/// What a span is, as far as it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) enum Ruling {
    /// It needs somebody who is not here yet.
    Wait,
    /// No request.
    Other,
    /// A request.
    Entry(EntryType),
    /// Inside another request of its module.
    Nested,
    /// Perhaps a request.
    Uncertain,
}

/// Whether whoever is called from a span, in its module, is part of a request that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Request,
    Nothing,
    /// It depends on a span that is not here yet.
    Open,
}

/// What was found of one span.
#[derive(Debug, Clone, Copy)]
pub(in crate::aggregator) struct Found {
    pub(in crate::aggregator) module: NameId,
    /// Nobody who comes later can change the module.
    pub(in crate::aggregator) module_fixed: bool,
    /// [`NO_TENANT`]: not known yet.
    pub(in crate::aggregator) tenant: TenantId,
    /// Place of its source in `SOURCES`.
    pub(in crate::aggregator) source: u8,
    /// The tenant came over a remote edge.
    pub(in crate::aggregator) over_remote: bool,
    pub(in crate::aggregator) ruling: Ruling,
    within: Within,
}

/// A span whose state changes.
#[derive(Debug, Clone, Copy)]
pub(in crate::aggregator) struct Turn {
    pub(in crate::aggregator) place: u32,
    pub(in crate::aggregator) found: Found,
}

/// Judges the spans of a trace. `found` is filled by place (of repeats it says nothing), `turns` with the spans whose
/// state is to change, parents before children.
pub(in crate::aggregator) fn judge(
    spans: &[Span],
    kin: &Kin,
    (terms, settling): (&Terms, bool),
    (found, turns): (&mut Vec<Found>, &mut Vec<Turn>),
) {
    found.clear();
    found.resize(spans.len(), Found::UNSEEN);
    turns.clear();
    let served = if terms.counts_receive { receivers_with_consumers(spans, kin) } else { Vec::new() };
    for place in &kin.order {
        let mut case = Case { spans, kin, terms, settling, found, place: *place };
        let mut verdict = case.judge();
        let span = &spans[*place as usize];
        if settling && terms.counts_receive && span.is_client() && span.is(flag::RECEIVE) && !served.contains(place) {
            verdict.ruling = Ruling::Entry(EntryType::Consumer);
        }
        case.found[*place as usize] = verdict;
        if is_turn(span, &verdict) {
            turns.push(Turn { place: *place, found: verdict });
        }
    }
}

fn receivers_with_consumers(spans: &[Span], kin: &Kin) -> Vec<u32> {
    let consumers = kin.order.iter().filter(|place| spans[**place as usize].is_consumer());
    consumers.filter_map(|place| kin.parent(*place)).collect()
}

fn is_turn(span: &Span, found: &Found) -> bool {
    match (span.state(), found.ruling) {
        (_, Ruling::Wait) => false,
        (State::Entry, Ruling::Entry(entry)) => entry != span.entry() || found.module != span.booked,
        (State::Other, Ruling::Other) => false,
        (State::Nested, Ruling::Nested) | (State::Uncertain, Ruling::Uncertain) => found.module != span.booked,
        _ => true,
    }
}

impl Found {
    const UNSEEN: Self = Self {
        module: NameId::NONE,
        module_fixed: false,
        tenant: NO_TENANT,
        source: DEFAULT,
        over_remote: false,
        ruling: Ruling::Wait,
        within: Within::Open,
    };
}

/// One span beside its ancestors, who have been judged.
struct Case<'c> {
    spans: &'c [Span],
    kin: &'c Kin,
    terms: &'c Terms,
    settling: bool,
    found: &'c mut Vec<Found>,
    place: u32,
}

impl Case<'_> {
    fn span(&self) -> &Span {
        &self.spans[self.place as usize]
    }

    fn parent(&self) -> Option<(&Span, &Found)> {
        let parent = self.kin.parent(self.place)? as usize;
        Some((&self.spans[parent], &self.found[parent]))
    }

    fn is_root(&self) -> bool {
        self.kin.parents[self.place as usize] == ROOT
    }

    fn is_orphan(&self) -> bool {
        self.kin.parents[self.place as usize] == MISSING
    }

    fn judge(&mut self) -> Found {
        let (module, module_fixed) = self.module();
        let mut found = Found { module, module_fixed, ..Found::UNSEEN };
        self.find_tenant(&mut found);
        let candidate = self.rule(&found);
        found.within = self.within(candidate, &found);
        let waits = matches!(candidate, Ruling::Entry(_)) && found.tenant == NO_TENANT;
        found.ruling = if waits { Ruling::Wait } else { candidate };
        found
    }

    /// Rules (a) to (f): its own, else a local parent's, else its resource's.
    fn module(&self) -> (NameId, bool) {
        let span = self.span();
        if span.is(flag::OWN_MODULE) || self.is_root() || span.origin() == Origin::Remote {
            return (span.module, true);
        }
        match self.parent() {
            Some((parent, found)) if parent.resource == span.resource => (found.module, found.module_fixed),
            Some(_) => (span.module, true),
            None => (span.module, self.settling),
        }
    }

    fn find_tenant(&self, found: &mut Found) {
        let span = self.span();
        if span.state() == State::Entry && span.found != NO_TENANT {
            // A booked request never changes tenant, and its children go with it.
            (found.tenant, found.source) = (span.found, span.source());
        } else if span.explicit().is_some() {
            (found.tenant, found.source) = (span.tenant, span.source());
        } else {
            (found.tenant, found.source) =
                if span.tenant == NO_TENANT { (tenants::UNKNOWN, DEFAULT) } else { (span.tenant, span.source()) };
            if self.terms.inherits && !self.is_root() {
                self.inherit(found);
            }
        }
    }

    /// The parent's tenant, unless its module serves all tenants or has none itself.
    fn inherit(&self, found: &mut Found) {
        let span = self.span();
        match self.parent() {
            Some((_, above)) if self.terms.is_shared(above.module) => {}
            Some((_, above)) if above.tenant == tenants::UNKNOWN => {}
            Some((parent, above)) => {
                let is_remote = match span.origin() {
                    Origin::Remote => true,
                    Origin::Local => false,
                    Origin::Unknown => parent.resource != span.resource,
                };
                found.over_remote = is_remote;
                (found.tenant, found.source) = (above.tenant, INHERITED);
            }
            None if self.settling => {}
            None => found.tenant = NO_TENANT,
        }
    }

    fn rule(&self, found: &Found) -> Ruling {
        let span = self.span();
        match span.side() {
            _ if span.is(flag::IGNORED) => Ruling::Other,
            Side::Calling => Ruling::Other,
            Side::Serving => self.rule_serving(found),
            Side::Inside => self.rule_inside(found),
        }
    }

    /// E1, E1n, E1l, E1u.
    fn rule_serving(&self, found: &Found) -> Ruling {
        let span = self.span();
        let entry = Ruling::Entry(if span.is_consumer() { EntryType::Consumer } else { EntryType::Server });
        if self.is_root() || span.origin() == Origin::Remote {
            return entry;
        }
        if self.is_orphan() {
            return if self.settling || span.origin() == Origin::Unknown { entry } else { Ruling::Wait };
        }
        match self.enclosed(found) {
            Within::Request if self.terms.counts_nested => entry,
            Within::Request => Ruling::Nested,
            Within::Open if !self.settling => Ruling::Wait,
            Within::Open | Within::Nothing => entry,
        }
    }

    /// E2, E2m, E2r, E2x.
    fn rule_inside(&self, found: &Found) -> Ruling {
        let Some((_, above)) = self.parent() else {
            return match (self.is_root(), self.settling, self.span().origin()) {
                (true, _, _) => Ruling::Entry(EntryType::Job),
                (_, false, _) => Ruling::Wait,
                (_, _, Origin::Remote) => Ruling::Entry(EntryType::ModuleCall),
                _ if self.terms.counts_uncertain => Ruling::Entry(EntryType::ModuleCall),
                _ => Ruling::Uncertain,
            };
        };
        if !(found.module_fixed && above.module_fixed || self.settling) {
            Ruling::Wait
        } else if above.module != found.module {
            Ruling::Entry(EntryType::ModuleCall)
        } else {
            Ruling::Other
        }
    }

    /// Whether the span is inside a request of its own module.
    fn enclosed(&self, found: &Found) -> Within {
        match self.parent() {
            Some((_, above)) if !(self.settling || found.module_fixed && above.module_fixed) => Within::Open,
            Some((_, above)) if above.module == found.module => above.within,
            Some(_) => Within::Nothing,
            None if self.is_orphan() && !self.settling => Within::Open,
            None => Within::Nothing,
        }
    }

    /// Whether what it calls in its own module is inside a request.
    fn within(&self, candidate: Ruling, found: &Found) -> Within {
        match (self.span().side(), candidate) {
            (Side::Serving, _) | (Side::Inside, Ruling::Entry(_)) => Within::Request,
            (Side::Calling, _) => Within::Nothing,
            (Side::Inside, Ruling::Wait) => Within::Open,
            (Side::Inside, _) => self.enclosed(found),
        }
    }
}

#[cfg(test)]
mod tests;
