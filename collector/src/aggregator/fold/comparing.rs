//! Leak rules at work: claims of one span as soon as its tenant is known, tenants of a trace when it settles.

use std::sync::Arc;

use super::Aggregator;
use super::judging::Bench;
use crate::aggregator::findings::{Hit, Kind};
use crate::aggregator::leaked::{self, Hop};
use crate::aggregator::snapshot::{Certainty, Part, Rule, Severity};
use crate::aggregator::tenants::TenantId;
use crate::aggregator::traces::chains::mark;
use crate::aggregator::traces::leaks::{self, Claims, Unverifiable};
use crate::aggregator::traces::pool::NameId;
use crate::aggregator::traces::span::{NO_TENANT, flag};

/// Modules of parent and child, and the child's operation.
type Edge = (NameId, NameId, NameId);

/// What the claims of one span amount to.
#[derive(Debug, Default)]
struct Said {
    rules: Vec<Rule>,
    severity: Option<Severity>,
    expected: TenantId,
    observed: TenantId,
    by_token: bool,
}

impl Aggregator {
    /// A finding to be noted; `by_token` says whether L3 speaks by a verified token.
    pub(super) fn hit(
        &self,
        rules: &[Rule],
        severity: Severity,
        (expected, observed): (TenantId, TenantId),
        (above, below, operation): Edge,
    ) -> Hit {
        let text = |name: NameId| Arc::from(self.index.names.text(name));
        let kind = Kind {
            rules: rules.to_vec(),
            certainty: Certainty::Suspect,
            parent_module: text(above),
            child_module: text(below),
            operation: text(operation),
            expected: self.tenant_text(expected),
            observed: self.tenant_text(observed),
        };
        Hit { kind, severity, evidence: Vec::new(), trace_id: [0; 16], at_ns: self.now_ns }
    }

    pub(super) fn note(&mut self, hit: Hit, trace_id: &[u8; 16], evidence: Vec<(&'static str, Arc<str>)>) {
        self.findings.note(Hit { trace_id: *trace_id, evidence, ..hit });
    }

    fn tenant_text(&self, tenant: TenantId) -> Arc<str> {
        if tenant == NO_TENANT { Arc::from("") } else { Arc::clone(self.tenants.name(tenant)) }
    }

    fn evidence(&self, claims: Option<&Claims>, parent: TenantId) -> Vec<(&'static str, Arc<str>)> {
        let named = claims.map(|claims| claims.named().to_vec()).unwrap_or_default();
        let data = claims.map_or(NO_TENANT, |claims| claims.data);
        let all = named.into_iter().chain([("data", data), ("parent", parent)]);
        all.filter(|(_, tenant)| *tenant != NO_TENANT)
            .map(|(field, tenant)| (field, self.tenant_text(tenant)))
            .collect()
    }

    /// L3, L4 and L8, once the tenant of a span is known and nobody who comes later can change its module.
    pub(super) fn compare_claims(&mut self, bench: &Bench, settling: bool) {
        for place in &bench.kin.order {
            let at = *place as usize;
            let (span, found) = (&bench.spans[at], &bench.found[at]);
            let is_open = found.tenant == NO_TENANT || !(found.module_fixed || settling);
            if !span.is(flag::ASIDE) || span.marks & mark::NOTED != 0 || is_open {
                continue;
            }
            let stands = bench.places[at];
            let Some(claims) = self.index.aside(stands).and_then(|aside| aside.claims.as_deref()).copied() else {
                continue;
            };
            self.index.span_mut(stands).marks |= mark::NOTED;
            if claims.data != NO_TENANT {
                self.patterns.count(claims.pattern, self.allowed.differ(claims.data, found.tenant));
                let module = self.module_id(found.tenant, found.module);
                self.add_part(span.end_ns, module, Part::HopsChecked, 1);
                self.count_hop(module, span.end_ns);
            }
            let said = self.said(&claims, found.tenant);
            if let Some(severity) = said.severity {
                let above = bench.kin.parent(*place).map_or(NameId::NONE, |parent| bench.found[parent as usize].module);
                let edge = (above, found.module, span.operation);
                let mut hit = self.hit(&said.rules, severity, (said.expected, said.observed), edge);
                hit.kind.certainty = certainty(&said.rules, said.by_token);
                let trace_id = self.index.trace(bench.trace).id;
                let evidence = self.evidence(Some(&claims), NO_TENANT);
                let (is_judged, rules) = (claims.data != NO_TENANT, &said.rules);
                self.count_leak(&hit, (found.tenant, found.module), (span.end_ns, is_judged), rules);
                self.note(hit, &trace_id, evidence);
            }
        }
    }

    fn said(&self, claims: &Claims, tenant: TenantId) -> Said {
        let allowed = &self.allowed;
        let mut said = Said { expected: NO_TENANT, observed: NO_TENANT, ..Said::default() };
        let mut fire = |rule, severity: Severity, expected, observed| {
            said.rules.push(rule);
            if said.severity.is_none_or(|worst| severity > worst) {
                (said.severity, said.expected, said.observed) = (Some(severity), expected, observed);
            }
        };
        if let Some((severity, expected, observed)) = claims.conflict(allowed) {
            fire(Rule::Conflict, severity, expected, observed);
        }
        if claims.is_data_judged && allowed.differ(claims.data, tenant) {
            fire(Rule::Data, Severity::High, tenant, claims.data);
        }
        if claims.leaves {
            fire(Rule::Egress, Severity::Medium, NO_TENANT, claims.baggage);
        }
        said.by_token = claims.is_by_token(allowed);
        said
    }

    /// L1, L2 and L6, when a trace has settled.
    pub(super) fn compare_tenants(&mut self, bench: &mut Bench) {
        let mut compared = std::mem::take(&mut bench.compared);
        let found = (&bench.spans[..], &bench.kin, &bench.found[..]);
        leaks::compare(found, &self.index.terms, &self.allowed, &mut compared);
        for place in &compared.checked {
            let at = *place as usize;
            let module = self.module_id(bench.found[at].tenant, bench.found[at].module);
            self.add_part(bench.spans[at].end_ns, module, Part::HopsChecked, 1);
            self.count_hop(module, bench.spans[at].end_ns);
        }
        for (_, reason) in &compared.unverifiable {
            self.unverifiable[*reason as usize] += 1;
        }
        compared.hits.sort_by_key(|hit| (hit.place, hit.rule));
        for group in compared.hits.chunk_by(|one, other| one.place == other.place) {
            let is_judged = compared.checked.contains(&group[0].place);
            self.note_hits(bench, group, is_judged);
        }
        bench.compared = compared;
        for place in &bench.kin.order {
            self.index.span_mut(bench.places[*place as usize]).marks |= mark::COMPARED;
        }
    }

    fn note_hits(&mut self, bench: &Bench, group: &[leaks::Hit], is_judged: bool) {
        let Some(worst) = group.iter().max_by_key(|hit| hit.severity) else { return };
        let at = worst.place as usize;
        let (span, found) = (&bench.spans[at], &bench.found[at]);
        let claims = self.index.aside(bench.places[at]).and_then(|aside| aside.claims.as_deref()).copied();
        let said = claims.map(|claims| self.said(&claims, found.tenant)).unwrap_or_default();
        let mut rules: Vec<Rule> = group.iter().map(|hit| hit.rule).chain(said.rules.iter().copied()).collect();
        rules.sort_unstable();
        rules.dedup();
        let severity = said.severity.map_or(worst.severity, |other| other.max(worst.severity));
        let above = bench.kin.parent(worst.place).map_or(NameId::NONE, |parent| bench.found[parent as usize].module);
        let edge = (above, found.module, span.operation);
        let mut hit = self.hit(&rules, severity, (worst.expected, worst.observed), edge);
        hit.kind.certainty = certainty(&rules, said.by_token);
        let trace_id = self.index.trace(bench.trace).id;
        let evidence = self.evidence(claims.as_ref(), worst.expected);
        if !said.rules.is_empty() {
            // What the span's own claims showed is part of this now.
            self.findings.take_back(&said.rules, &hit.kind, &trace_id);
        }
        self.count_leak(&hit, (found.tenant, found.module), (span.end_ns, is_judged), &rules);
        self.note(hit, &trace_id, evidence);
    }

    /// L7, low: one trace under two credentials.
    pub(super) fn note_identity(&mut self, (trace, span): (u32, u32), tenants: (TenantId, TenantId), at_ns: u64) {
        let (span, trace_id) = (*self.index.span(span), self.index.trace(trace).id);
        let edge = (NameId::NONE, span.module, span.operation);
        let hit = self.hit(&[Rule::Identity], Severity::Low, tenants, edge);
        // Between ticks the fold's clock stands still, and before the first it has none.
        let hit = Hit { at_ns: at_ns.max(self.now_ns), ..hit };
        self.note(hit, &trace_id, Vec::new());
    }

    /// Counts a finding for SLOs about leaks, if it is grave.
    fn count_leak(
        &mut self,
        hit: &Hit,
        (tenant, module): (TenantId, NameId),
        (end_ns, is_judged): (u64, bool),
        rules: &[Rule],
    ) {
        if leaked::is_grave(hit.kind.certainty, hit.severity) {
            let module = self.module_id(tenant, module);
            self.leaked.find(&Hop { module, end_ns, is_judged, rules });
        }
    }

    fn count_hop(&mut self, module: u32, end_ns: u64) {
        self.leaked.judge(module, end_ns);
        let name = Arc::clone(&self.modules.get(module).module);
        *self.hops_checked.entry(name).or_default() += 1;
    }

    /// Spans that could not be compared, by reason.
    pub(super) fn unverifiable(&self) -> Vec<(&'static str, u64)> {
        let named = Unverifiable::ALL.into_iter().map(Unverifiable::name).zip(self.unverifiable);
        named.filter(|(_, count)| *count > 0).collect()
    }
}

/// Two different rules on one span, one of them by a verified token or by the data touched.
fn certainty(rules: &[Rule], by_token: bool) -> Certainty {
    let weighs = rules.contains(&Rule::Data) || rules.contains(&Rule::Conflict) && by_token;
    if rules.len() > 1 && weighs { Certainty::Confirmed } else { Certainty::Suspect }
}
