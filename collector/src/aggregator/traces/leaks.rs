//! Tenants that meet where they should not, in the spans of one settled trace (`sli.md` 3.1: L1, L2, L6), and the claims
//! of one span that differ (L3, L4, L8). A parent that is missing is no verdict, never "clean".

use bailiwick_slo::saved;

use super::judge::{Found, Terms};
use super::kin::{Kin, MISSING, ROOT};
use super::pool::NameId;
use super::span::{NO_TENANT, Origin, Span, flag};
use crate::aggregator::snapshot::{Rule, Severity};
use crate::aggregator::tenants::{self, TenantId, Tenants};

/// What operators allow.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Allowed {
    /// Calls that may change the tenant: calling, called module.
    pub(in crate::aggregator) edges: Vec<(NameId, NameId)>,
    /// Tenants of which one may act for the other, in the numbers that they have now.
    pub(in crate::aggregator) related: Vec<(TenantId, TenantId)>,
    /// Their names.
    pub(in crate::aggregator) related_names: Vec<(String, String)>,
}

impl Allowed {
    /// A tenant has another number from now on.
    pub(in crate::aggregator) fn renumber(&mut self, tenants: &mut Tenants) {
        let named = self.related_names.iter();
        self.related = named.map(|(above, below)| (tenants.identify(above), tenants.identify(below))).collect();
    }

    /// Whether these two are different tenants that have no business with each other.
    #[inline]
    pub(in crate::aggregator) fn differ(&self, one: TenantId, other: TenantId) -> bool {
        one != other
            && is_somebody(one)
            && is_somebody(other)
            && !self
                .related
                .iter()
                .any(|(above, below)| (*above, *below) == (one, other) || (*above, *below) == (other, one))
    }
}

fn is_somebody(tenant: TenantId) -> bool {
    !matches!(tenant, tenants::UNKNOWN | tenants::OVERFLOW | tenants::SYSTEM | NO_TENANT)
}

/// A rule that fired on a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) struct Hit {
    pub(in crate::aggregator) place: u32,
    pub(in crate::aggregator) rule: Rule,
    pub(in crate::aggregator) severity: Severity,
    /// The tenant that should have been there, or [`NO_TENANT`].
    pub(in crate::aggregator) expected: TenantId,
    pub(in crate::aggregator) observed: TenantId,
}

/// Why a span's tenant could not be compared with its parent's: what that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(in crate::aggregator) enum Unverifiable {
    Missing = 0,
    Unsampled = 1,
    WithoutTenant = 2,
}

impl Unverifiable {
    pub(in crate::aggregator) const ALL: [Self; 3] = [Self::Missing, Self::Unsampled, Self::WithoutTenant];

    /// The published name, the value of the label `reason`.
    pub(in crate::aggregator) const fn name(self) -> &'static str {
        match self {
            Self::Missing => "parent_missing",
            Self::Unsampled => "parent_unsampled",
            Self::WithoutTenant => "parent_without_tenant",
        }
    }
}

/// What comparing a trace found.
#[derive(Debug, Default)]
pub(in crate::aggregator) struct Compared {
    pub(in crate::aggregator) hits: Vec<Hit>,
    /// Spans whose explicit tenant was compared with their parent's.
    pub(in crate::aggregator) checked: Vec<u32>,
    pub(in crate::aggregator) unverifiable: Vec<(u32, Unverifiable)>,
    above: Vec<Above>,
    /// By place: the span at the top of its chain.
    top: Vec<u32>,
    /// Top, explicit tenant and place.
    tops: Vec<(u32, TenantId, u32)>,
    flips: Vec<Hit>,
    skips: Vec<Hit>,
}

/// Explicit tenants on the way up from a span: the nearest, and the nearest that differs from it.
#[derive(Debug, Clone, Copy)]
struct Above {
    nearest: TenantId,
    /// The nearest is the span's own or its parent's.
    is_next: bool,
    other: TenantId,
}

const NOBODY: Above = Above { nearest: NO_TENANT, is_next: false, other: NO_TENANT };

/// Compares the tenants of a trace.
pub(in crate::aggregator) fn compare(
    (spans, kin, found): (&[Span], &Kin, &[Found]),
    terms: &Terms,
    allowed: &Allowed,
    out: &mut Compared,
) {
    out.clear(spans.len());
    for place in &kin.order {
        let at = *place as usize;
        let (span, parent) = (&spans[at], kin.parent(*place));
        out.top[at] = parent.map_or(*place, |parent| out.top[parent as usize]);
        let is_shared = terms.is_shared(found[at].module);
        let mut mine = if is_shared { NOBODY } else { parent.map_or(NOBODY, |parent| out.above[parent as usize]) };
        mine.is_next = false;
        let explicit = span.explicit().filter(|tenant| is_somebody(*tenant) && !is_shared);
        if let Some(tenant) = explicit.filter(|_| !span.is(flag::UNCOMPARED)) {
            let before = parent.map(|parent| out.above[parent as usize]).unwrap_or(NOBODY);
            if allowed.differ(tenant, before.nearest) {
                let hit =
                    |rule, severity| Hit { place: *place, rule, severity, expected: before.nearest, observed: tenant };
                if tenant == before.other {
                    out.flips.push(hit(Rule::Flip, Severity::High));
                }
                if !before.is_next {
                    out.skips.push(hit(Rule::Trace, Severity::Low));
                }
            }
            out.tops.push((out.top[at], tenant, *place));
        }
        if let Some(tenant) = explicit {
            let other = if mine.nearest == tenant { mine.other } else { mine.nearest };
            mine = Above { nearest: tenant, is_next: true, other };
        }
        out.above[at] = mine;
        if explicit.is_some() && !span.is(flag::UNCOMPARED) && span.marks & super::chains::mark::COMPARED == 0 {
            compare_with_parent((spans, kin, found), (terms, allowed), *place, out);
        }
    }
    if out.hits.is_empty() {
        let hit = out.skips.first().copied().or_else(|| strangers((spans, kin), allowed, &out.tops));
        out.hits.extend(hit);
    }
    out.hits.append(&mut out.flips);
    out.hits.retain(|hit| spans[hit.place as usize].marks & super::chains::mark::COMPARED == 0);
}

impl Compared {
    fn clear(&mut self, spans: usize) {
        let Self { hits, checked, unverifiable, above, top, tops, flips, skips } = self;
        hits.clear();
        checked.clear();
        unverifiable.clear();
        above.clear();
        above.resize(spans, NOBODY);
        top.clear();
        top.resize(spans, 0);
        tops.clear();
        flips.clear();
        skips.clear();
    }
}

/// L1.
fn compare_with_parent(
    (spans, kin, found): (&[Span], &Kin, &[Found]),
    (terms, allowed): (&Terms, &Allowed),
    place: u32,
    out: &mut Compared,
) {
    let span = &spans[place as usize];
    let Some(parent) = kin.parent(place) else {
        if kin.parents[place as usize] == MISSING {
            let is_unsampled = span.is(flag::UNSAMPLED);
            let reason = if is_unsampled { Unverifiable::Unsampled } else { Unverifiable::Missing };
            out.unverifiable.push((place, reason));
        }
        return;
    };
    let (above, modules) = (&spans[parent as usize], [parent, place].map(|place| found[place as usize].module));
    let (Some(expected), Some(observed)) = (above.explicit().filter(|tenant| is_somebody(*tenant)), span.explicit())
    else {
        out.unverifiable.push((place, Unverifiable::WithoutTenant));
        return;
    };
    if modules.iter().any(|module| terms.is_shared(*module)) {
        return;
    }
    out.checked.push(place);
    if allowed.differ(expected, observed) && !allowed.edges.contains(&(modules[0], modules[1])) {
        let is_local =
            span.origin() == Origin::Local || span.origin() == Origin::Unknown && above.resource == span.resource;
        let severity = if is_local { Severity::High } else { Severity::Medium };
        out.hits.push(Hit { place, rule: Rule::Edge, severity, expected, observed });
    }
}

/// L2 between parts of a trace that nothing connects: an outside context that was sent to several tenants. Children of
/// one span that is here, or of one that never came in their own process, are siblings, who never fire alone.
fn strangers((spans, kin): (&[Span], &Kin), allowed: &Allowed, tops: &[(u32, TenantId, u32)]) -> Option<Hit> {
    let is_entered = |top: u32| kin.parents[top as usize] == ROOT || spans[top as usize].origin() == Origin::Remote;
    let mut entered = tops.iter().filter(|(top, ..)| is_entered(*top));
    let (first_top, expected, _) = *entered.next()?;
    let (_, observed, place) =
        *entered.find(|(top, tenant, _)| *top != first_top && allowed.differ(expected, *tenant))?;
    Some(Hit { place, rule: Rule::Trace, severity: Severity::Low, expected, observed })
}

/// All tenants that one span is said to belong to; [`NO_TENANT`]: not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) struct Claims {
    pub(in crate::aggregator) auth: TenantId,
    pub(in crate::aggregator) token: TenantId,
    pub(in crate::aggregator) span: TenantId,
    pub(in crate::aggregator) resource: TenantId,
    pub(in crate::aggregator) header: TenantId,
    pub(in crate::aggregator) baggage: TenantId,
    pub(in crate::aggregator) data: TenantId,
    /// Number of the pattern that read it.
    pub(in crate::aggregator) pattern: u64,
    /// What that pattern reads is a finding.
    pub(in crate::aggregator) is_data_judged: bool,
    /// Its token speaks of another tenant than the span is booked under, by hash.
    pub(in crate::aggregator) token_differs: bool,
    /// It hands its baggage to a peer outside the inventory.
    pub(in crate::aggregator) leaves: bool,
}
saved!(struct Claims {
    auth, token, span, resource, header, baggage, data, pattern, is_data_judged, token_differs, leaves
});

impl Claims {
    /// In the order in which they are believed.
    pub(in crate::aggregator) fn named(&self) -> [(&'static str, TenantId); 6] {
        [
            ("token", self.token),
            ("auth", self.auth),
            ("span", self.span),
            ("resource", self.resource),
            ("header", self.header),
            ("baggage", self.baggage),
        ]
    }

    /// L3: two of them differ.
    pub(in crate::aggregator) fn conflict(&self, allowed: &Allowed) -> Option<(Severity, TenantId, TenantId)> {
        let said = self.named();
        for (at, (field, expected)) in said.iter().enumerate() {
            for (other, observed) in &said[at + 1..] {
                if allowed.differ(*expected, *observed) {
                    let is_verified = matches!(*field, "token" | "auth") && *other == "span";
                    let severity = if is_verified { Severity::High } else { Severity::Medium };
                    return Some((severity, *expected, *observed));
                }
            }
        }
        let observed = said[1..].iter().map(|(_, tenant)| *tenant).find(|tenant| *tenant != NO_TENANT);
        self.token_differs.then_some((Severity::High, NO_TENANT, observed.unwrap_or(NO_TENANT)))
    }

    /// Whether the token is one of the two.
    pub(in crate::aggregator) fn is_by_token(&self, allowed: &Allowed) -> bool {
        self.token_differs || self.named()[1..].iter().any(|(_, tenant)| allowed.differ(self.token, *tenant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Claims = Claims {
        auth: NO_TENANT,
        token: NO_TENANT,
        span: NO_TENANT,
        resource: NO_TENANT,
        header: NO_TENANT,
        baggage: NO_TENANT,
        data: NO_TENANT,
        pattern: 0,
        is_data_judged: false,
        token_differs: false,
        leaves: false,
    };

    #[test]
    fn claims_that_differ_are_a_conflict_and_verified_ones_weigh_more() {
        let allowed = Allowed { related: vec![(8, 9)], ..Allowed::default() };
        let conflict = |claims: Claims| claims.conflict(&allowed);
        assert_eq!(conflict(Claims { span: 5, resource: 5, baggage: 5, ..NOTHING }), None);
        assert_eq!(conflict(Claims { span: 5, resource: 6, ..NOTHING }), Some((Severity::Medium, 5, 6)));
        assert_eq!(conflict(Claims { token: 5, span: 6, ..NOTHING }), Some((Severity::High, 5, 6)));
        assert_eq!(conflict(Claims { auth: 5, span: 6, ..NOTHING }), Some((Severity::High, 5, 6)));
        assert_eq!(conflict(Claims { auth: 5, header: 6, ..NOTHING }), Some((Severity::Medium, 5, 6)));
        assert_eq!(conflict(Claims { span: 8, resource: 9, ..NOTHING }), None, "one acts for the other");
        assert_eq!(conflict(Claims { span: 5, resource: tenants::OVERFLOW, ..NOTHING }), None, "nobody in particular");
        assert!(Claims { token: 5, header: 6, ..NOTHING }.is_by_token(&allowed));
        assert!(!Claims { auth: 5, header: 6, ..NOTHING }.is_by_token(&allowed));
    }
}
