//! Which instances have which terms: overrides divide them, each part is a conjunction of matchers, and no instance is
//! in two parts.

use std::collections::BTreeSet;

use super::Inexpressible;
use super::matcher::{Matcher, is_name};
use crate::conventions::{TENANT_OVERFLOW, TENANT_SYSTEM, TENANT_UNKNOWN};
use crate::engine::fleet::ALL;
use crate::spec::{Glob, Globs, Patch, Slo, Terms};

/// Most parts: more would make rules that nobody reads.
const KINDS_MAX: usize = 64;

/// Instances that have the same terms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Region {
    tenant: Side,
    module: Side,
    /// What holds for them.
    pub(super) terms: Terms,
}

/// Names of tenants, or of modules.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Side {
    /// These; `is_narrowed`: the SLO has others.
    Names { names: BTreeSet<String>, is_narrowed: bool },
    /// All that pass.
    Open(Vec<Matcher>),
}

impl Region {
    /// Whether an instance is one of them.
    #[cfg(test)]
    pub(super) fn holds(&self, tenant: &str, module: &str) -> bool {
        let passes = |side: &Side, name: &str| side.matchers().iter().all(|matcher| matcher.passes(name));
        passes(&self.tenant, tenant) && passes(&self.module, module)
    }

    /// What its labels must be; empty: anything.
    pub(super) fn matchers(&self) -> Vec<String> {
        let (tenant, module) = (self.tenant.matchers(), self.module.matchers());
        let tenant = tenant.iter().map(|matcher| matcher.promql("tenant"));
        tenant.chain(module.iter().map(|matcher| matcher.promql("module"))).collect()
    }

    /// The same as a condition of a template; `None`: it always holds.
    pub(super) fn template(&self) -> Option<String> {
        let (tenant, module) = (self.tenant.matchers(), self.module.matchers());
        let tenant = tenant.iter().map(|matcher| matcher.template("tenant"));
        let tests: Vec<String> = tenant.chain(module.iter().map(|matcher| matcher.template("module"))).collect();
        (!tests.is_empty()).then(|| format!("and {}", tests.join(" ")))
    }
}

/// Divides the instances of an SLO.
pub(super) fn of(slo: &Slo) -> Result<Vec<Region>, Inexpressible> {
    let overrides: Vec<_> = slo.overrides.iter().filter(|rule| changes_rules(&rule.patch)).collect();
    let module = Side::of(&slo.selector.module, slo.selector.group_by.module);
    let tenants = tenants_of(slo, !overrides.is_empty());
    let mut parts: Vec<(Side, Side, Vec<&Patch>)> =
        tenants.into_iter().map(|tenant| (tenant, module.clone(), Vec::new())).collect();
    for rule in overrides {
        let mut next = Vec::new();
        for (tenant, module, patches) in parts {
            let (own_tenants, other_tenants) = tenant.split(&rule.tenant);
            let (own_modules, other_modules) = module.split(&rule.module);
            let (Some(own_tenants), Some(own_modules)) = (own_tenants, own_modules) else {
                next.push((tenant, module, patches));
                continue;
            };
            let others = other_modules.into_iter().map(|other| (own_tenants.clone(), other, patches.clone()));
            next.push((own_tenants.clone(), own_modules, [&*patches, &[&rule.patch]].concat()));
            next.extend(others);
            next.extend(other_tenants.into_iter().map(|other| (other, module.clone(), patches.clone())));
        }
        parts = next;
        if parts.len() > KINDS_MAX {
            return Err(Inexpressible::TooManyKinds(KINDS_MAX));
        }
    }
    let region = |(tenant, module, patches)| Region { tenant, module, terms: slo.draft.terms(patches) };
    Ok(parts.into_iter().map(region).collect())
}

/// Whether an override sets anything that rules speak of.
const fn changes_rules(patch: &Patch) -> bool {
    patch.enabled.is_some()
        || patch.target.is_some()
        || patch.period.is_some()
        || patch.tiers.is_some()
        || patch.runbook.is_some()
}

/// The tenants of an SLO. Reserved ones that it names are apart where overrides follow, since no pattern of those means
/// them.
fn tenants_of(slo: &Slo, is_divided: bool) -> Vec<Side> {
    if let (Some(owner), true) = (&slo.owner, slo.selector.group_by.tenant) {
        // Another tenant may have an SLO of this id.
        return vec![Side::Names { names: BTreeSet::from([owner.clone()]), is_narrowed: true }];
    }
    let side = Side::of(&slo.selector.tenant, slo.selector.group_by.tenant);
    let reserved = [TENANT_UNKNOWN, TENANT_OVERFLOW, TENANT_SYSTEM].into_iter();
    let named: BTreeSet<String> =
        reserved.filter(|name| slo.selector.tenant.matches(name)).map(str::to_owned).collect();
    if matches!(side, Side::Names { .. }) || named.is_empty() || !is_divided {
        return vec![side];
    }
    let patterns = named.iter().map(|name| Glob::new(name)).collect();
    vec![Side::Names { names: named, is_narrowed: true }, Side::Open(vec![Matcher::is_not(patterns)])]
}

impl Side {
    /// What an SLO selects.
    fn of(globs: &Globs, is_grouped: bool) -> Self {
        if !is_grouped {
            return Self::Names { names: BTreeSet::from([ALL.to_owned()]), is_narrowed: false };
        }
        match names(globs) {
            Some(names) => Self::Names { names, is_narrowed: false },
            None => Self::Open(Vec::new()),
        }
    }

    fn matchers(&self) -> Vec<Matcher> {
        match self {
            Self::Names { is_narrowed: false, .. } => Vec::new(),
            Self::Names { names, .. } => vec![Matcher::is(names.iter().map(|name| Glob::new(name)).collect())],
            Self::Open(matchers) => matchers.clone(),
        }
    }

    /// What of it patterns mean, and the rest.
    fn split(&self, globs: &Globs) -> (Option<Self>, Vec<Self>) {
        match self {
            Self::Names { names, is_narrowed } => {
                let (own, others): (BTreeSet<_>, BTreeSet<_>) =
                    names.iter().cloned().partition(|name| globs.matches(name));
                let is_narrowed = *is_narrowed || !own.is_empty() && !others.is_empty();
                let side = |names: BTreeSet<String>| (!names.is_empty()).then_some(Self::Names { names, is_narrowed });
                (side(own), side(others).into_iter().collect())
            }
            Self::Open(matchers) => match names(globs) {
                Some(wanted) => Self::split_by_names(matchers, wanted),
                None => Self::split_by_patterns(matchers, globs),
            },
        }
    }

    fn split_by_names(matchers: &[Matcher], wanted: BTreeSet<String>) -> (Option<Self>, Vec<Self>) {
        let passes = |name: &String| matchers.iter().all(|matcher| matcher.passes(name));
        let names: BTreeSet<String> = wanted.into_iter().filter(passes).collect();
        if names.is_empty() {
            return (None, vec![Self::Open(matchers.to_vec())]);
        }
        let patterns = names.iter().map(|name| Glob::new(name)).collect();
        let others = Matcher::all_and(matchers, Matcher::is_not(patterns));
        (Some(Self::Names { names, is_narrowed: true }), others.map(Self::Open).into_iter().collect())
    }

    fn split_by_patterns(matchers: &[Matcher], globs: &Globs) -> (Option<Self>, Vec<Self>) {
        let of = |kind: bool| globs.patterns().filter(move |(takes, _)| *takes == kind).map(|(_, glob)| glob.clone());
        let (taken, removed): (Vec<Glob>, Vec<Glob>) = (of(true).collect(), of(false).collect());
        let mut others = Vec::new();
        let mut own = matchers.to_vec();
        if !taken.is_empty() && !taken.iter().any(|glob| glob.as_str() == "*") {
            others.extend(Matcher::all_and(matchers, Matcher::is_not(taken.clone())));
            let Some(narrowed) = Matcher::all_and(matchers, Matcher::is(taken)) else {
                return (None, vec![Self::Open(matchers.to_vec())]);
            };
            own = narrowed;
        }
        let mut own = Some(own);
        if let (Some(before), false) = (own.clone(), removed.is_empty()) {
            others.extend(Matcher::all_and(&before, Matcher::is(removed.clone())));
            own = Matcher::all_and(&before, Matcher::is_not(removed));
        }
        (own.map(Self::Open), others.into_iter().map(Self::Open).collect())
    }
}

/// The names that patterns mean; `None`: they mean any number.
fn names(globs: &Globs) -> Option<BTreeSet<String>> {
    let taken: Vec<&Glob> = globs.patterns().filter(|(takes, _)| *takes).map(|(_, glob)| glob).collect();
    let is_finite = taken.iter().all(|glob| is_name(glob)) && (!taken.is_empty() || globs.patterns().next().is_none());
    let meant = taken.iter().map(|glob| glob.as_str().to_owned()).filter(|name| globs.matches(name));
    is_finite.then(|| meant.collect())
}
