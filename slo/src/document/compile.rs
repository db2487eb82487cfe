//! From an SLO document to compiled SLOs: one for each objective, and one for all of them where each has an indicator of
//! its own.

use std::collections::BTreeMap;

use super::Context;
use super::finding::{Code, Findings};
use super::read::{Alerting, Extension, Indicator, Object, Objective, RuleAt, Scope, Tiers};
use super::read::{read_alerts, read_extension, read_objectives, read_period, text};
use super::revision;
use super::tree::{Node, Spot, Value};
use crate::exact::Decimal;
use crate::spec::{
    Component, Draft, Globs, Override, Period, Preset, Selector, Sli, Slo, Target, Terms, TierSource, WhenUnmeasured,
};

/// An SLO and where its parts stand.
#[derive(Debug)]
pub(super) struct Compiled {
    /// What it is.
    pub(super) slo: Slo,
    /// Where its parts stand.
    pub(super) at: Places,
}

/// Where the parts of an SLO stand.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) target: Spot,
    pub(super) method: Spot,
    pub(super) slice: Option<Spot>,
    pub(super) sli: Spot,
    pub(super) threshold: Option<Spot>,
    /// Of the components of a composite.
    pub(super) components: Vec<Spot>,
    /// The tiers that hold without overrides, where they were written.
    pub(super) tiers: Option<Tiers>,
    pub(super) tenant: Option<Spot>,
    pub(super) instances: Option<Spot>,
    pub(super) rules: Vec<RulePlaces>,
    /// Where the extension is in the object.
    pub(super) extension: &'static str,
    /// Its target is not its author's: it is the composite of several objectives.
    pub(super) is_made: bool,
}

/// Where the parts of an override stand.
#[derive(Debug)]
pub(super) struct RulePlaces {
    pub(super) at: Spot,
    pub(super) tenant: Option<Spot>,
    pub(super) target: Option<Spot>,
    pub(super) period: Option<Spot>,
    pub(super) tiers: Option<Tiers>,
    /// Its place in the list.
    pub(super) index: usize,
}

/// What all objectives of a document share.
struct Shared<'a> {
    object: &'a Object,
    spec: &'a Node,
    service: String,
    extension: Extension,
    alerting: Alerting,
    period: Period,
    revision: String,
    owner: Option<String>,
}

/// Compiles the objectives of an SLO document.
pub(super) fn compile(object: &Object, scope: Scope<'_>, context: &Context<'_>, out: &mut Findings) -> Vec<Compiled> {
    let Some(spec) = object.spec() else { return Vec::new() };
    if !matches!(spec.value, Value::Map(_)) {
        out.add(Code::Syntax, spec.at, format!("a mapping belongs here, not {}", spec.shape()));
        return Vec::new();
    }
    let extension = read_extension(spec, object.annotated.as_ref(), scope.set, out);
    let service = match spec.get("service") {
        Some(node) => text(node, out).unwrap_or_default().to_owned(),
        None => {
            out.add(Code::Missing, spec.named, "`service` is missing");
            String::new()
        }
    };
    let (period, _) = read_period(spec, scope.version, out);
    let alerting = read_alerts(spec, scope.set, out);
    let objectives = read_objectives(spec, extension.sli.is_some(), scope, out);
    let owner = context.owner.map(str::to_owned);
    let revision = revision::of(object, scope.set);
    let shared = Shared { object, spec, service, extension, alerting, period, revision, owner };
    shared.compile(objectives, out)
}

impl Shared<'_> {
    fn compile(&self, objectives: Vec<Objective>, out: &mut Findings) -> Vec<Compiled> {
        let several = objectives.len() > 1;
        let is_split = several && self.extension.sli.is_none() && objectives.iter().all(|one| one.is_own);
        let mut compiled = Vec::new();
        let mut parts = Vec::new();
        let mut slugs = BTreeMap::new();
        for objective in objectives {
            let id =
                if several { format!("{}:{}", self.object.name, objective.slug) } else { self.object.name.clone() };
            if let Some(line) = slugs.insert(objective.slug.clone(), objective.name_at.line) {
                let raw = out.add(Code::Duplicate, objective.name_at, format!("a second objective `{id}`"));
                raw.help(format!("the first is in line {line}; give each its own `displayName`"));
                continue;
            }
            let (weight, at) = (objective.weight, objective.at);
            // An SLO without a name cannot be told from others.
            let Some(one) = self.one(objective, id, is_split).filter(|one| !one.slo.id.starts_with(':')) else {
                continue;
            };
            if !one.slo.id.is_empty() {
                parts.push((one.slo.id.clone(), weight, at, one.slo.draft.terms.target));
                compiled.push(one);
            }
        }
        if is_split && let Some(whole) = self.whole(&compiled, &parts) {
            compiled.push(whole);
        }
        compiled
    }

    fn one(&self, objective: Objective, id: String, is_part: bool) -> Option<Compiled> {
        let Objective { target, method, indicator, .. } = objective;
        let ours = match &self.extension.sli {
            Some(ours) => ours.clone()?,
            None => indicator.map(|Indicator { ours, .. }| ours)?,
        };
        let (target, target_at) = target?;
        let method_at = self.spec.get("budgetingMethod")?.at;
        let display_name = match (objective.display_name.as_str(), self.display_name()) {
            ("", name) => name.to_owned(),
            (objective, "") => objective.to_owned(),
            // Two names that say which of several objectives it is.
            (objective, name) => format!("{name}: {objective}"),
        };
        let at = Places {
            target: target_at,
            method: method_at,
            slice: objective.slice_at,
            sli: ours.at,
            threshold: ours.threshold_at,
            components: ours.components_at,
            tiers: if is_part { None } else { self.tiers() },
            tenant: self.extension.tenant.1,
            instances: self.extension.instances_max.1,
            rules: self.extension.overrides.iter().map(rule_places).collect(),
            extension: self.extension.path,
            is_made: false,
        };
        let mut draft = self.draft(target);
        if is_part {
            // The composite of all alerts for them.
            draft.tiers = TierSource::Preset(Preset::None);
        }
        Some(Compiled { slo: self.slo(id, display_name, ours.sli, method?, draft), at })
    }

    /// The composite of objectives that have indicators of their own.
    fn whole(&self, compiled: &[Compiled], parts: &[(String, Decimal, Spot, Target)]) -> Option<Compiled> {
        let first = compiled.first()?;
        // Burn and budget of a composite are sums over its parts; the lowest of their targets is the widest budget,
        // with which no tier is taken for reachable that is not.
        let target = parts.iter().map(|(_, _, _, target)| *target).min()?;
        let components = parts.iter().map(|(slo, weight, _, _)| Component {
            slo: slo.clone(),
            module: None,
            weight: *weight,
            when_unmeasured: WhenUnmeasured::Freeze,
        });
        let sli = Sli::Composite(components.collect());
        let id = self.object.name.clone();
        let slo = self.slo(id, self.display_name().to_owned(), sli, first.slo.method, self.draft(target));
        let at = Places {
            target: first.at.target,
            method: first.at.method,
            slice: first.at.slice,
            sli: self.spec.get("objectives")?.named,
            threshold: None,
            components: parts.iter().map(|(_, _, at, _)| *at).collect(),
            tiers: self.tiers(),
            tenant: self.extension.tenant.1,
            instances: self.extension.instances_max.1,
            rules: self.extension.overrides.iter().map(rule_places).collect(),
            extension: self.extension.path,
            is_made: true,
        };
        Some(Compiled { slo, at })
    }

    fn slo(&self, id: String, display_name: String, sli: Sli, method: crate::spec::Method, draft: Draft) -> Slo {
        let Extension { tenant, module, operation, group_by, instances_max, overrides, .. } = &self.extension;
        let selector = Selector {
            tenant: tenant.0.clone(),
            module: module.clone().unwrap_or_else(|| Globs::new([self.service.as_str()])),
            operation: operation.clone(),
            group_by: *group_by,
        };
        Slo {
            id,
            display_name,
            description: self.spec.get("description").and_then(Node::text).unwrap_or_default().to_owned(),
            service: self.service.clone(),
            labels: labels(self.object),
            selector,
            sli,
            method,
            draft,
            overrides: overrides.iter().map(rule).collect(),
            instances_max: instances_max.0,
            owner: self.owner.clone(),
            revision: self.revision.clone(),
        }
    }

    fn display_name(&self) -> &str {
        self.object.metadata().and_then(|node| node.get("displayName")).and_then(Node::text).unwrap_or_default()
    }

    /// The tiers of the extension outrank those of policies.
    fn tiers(&self) -> Option<Tiers> {
        self.extension.base.tiers.clone().or_else(|| self.alerting.tiers.clone())
    }

    fn draft(&self, target: Target) -> Draft {
        let tiers = self.tiers().map_or(TierSource::Preset(Preset::Standard), |tiers| tiers.source);
        let mut terms = Terms::usual(target, self.period.clone());
        terms.alerts.receivers.clone_from(&self.alerting.receivers);
        terms.alerts.when = self.alerting.when;
        let plain = Draft { terms, tiers: TierSource::Preset(Preset::None) };
        let mut terms = plain.terms([&self.extension.base.patch]);
        terms.alerts.tiers = Vec::new();
        Draft { terms, tiers }
    }
}

fn rule(rule: &RuleAt) -> Override {
    Override {
        tenant: rule.tenant.clone(),
        module: rule.module.clone(),
        sets: rule.set.sets.clone(),
        patch: rule.set.patch.clone(),
    }
}

fn rule_places(rule: &RuleAt) -> RulePlaces {
    RulePlaces {
        at: rule.at,
        tenant: rule.tenant_at,
        target: rule.set.target_at,
        period: rule.set.period_at,
        tiers: rule.set.tiers.clone(),
        index: rule.index,
    }
}

/// Labels; several values of one are written with commas.
fn labels(object: &Object) -> BTreeMap<String, String> {
    let Some(labels) = object.metadata().and_then(|node| node.get("labels")) else { return BTreeMap::new() };
    let of = |node: &Node| match &node.value {
        Value::List(items) => items.iter().filter_map(Node::text).collect::<Vec<_>>().join(","),
        _ => node.text().unwrap_or_default().to_owned(),
    };
    labels.entries().iter().map(|entry| (entry.key.clone(), of(&entry.node))).collect()
}
