//! Overrides: 042 and 043; instances and traffic: 040 and 044.

use crate::document::Context;
use crate::document::compile::Compiled;
use crate::document::finding::{Code, Findings};
use crate::document::tree::Spot;
use crate::spec::{Globs, Override, Slo};

/// Whether all that `inner` can match is matched by `outer`, as far as it is certain.
pub(super) fn covers(outer: &Globs, inner: &Globs) -> bool {
    match inner.single() {
        Some(name) => outer.matches(name),
        None => outer == inner || outer.is_all(),
    }
}

/// Whether all instances of one override are instances of the other.
pub(super) fn covers_rule(outer: &Override, inner: &Override) -> bool {
    covers(&outer.tenant, &inner.tenant) && covers(&outer.module, &inner.module)
}

pub(super) fn judge(one: &Compiled, context: &Context<'_>, out: &mut Findings) {
    let Compiled { slo, at } = one;
    for (index, rule) in slo.overrides.iter().enumerate() {
        let Some(place) = at.rules.get(index) else { continue };
        if !can_match(slo, rule, context) {
            let raw = out.add(Code::Override, place.at, "this override matches nothing");
            raw.help("its tenant or module is not one of the SLO's");
        } else if rule.sets.is_empty() {
            out.add(Code::Override, place.at, "this override sets nothing");
        } else if let Some(later) = shadow(slo, index) {
            let line = at.rules.get(later).map_or(0, |place| place.at.line);
            let message = format!("a later override, in line {line}, sets all of this for the same instances");
            out.add(Code::Override, place.at, message).help("later overrides win: put the narrower one last");
        }
        if let (Some(owner), Some(tenant)) = (context.owner, place.tenant) {
            judge_tenant(&rule.tenant, tenant, owner, out);
        }
    }
    if let (Some(owner), Some(tenant)) = (context.owner, at.tenant) {
        judge_tenant(&slo.selector.tenant, tenant, owner, out);
    }
    judge_instances(one, context, out);
    if let Some(total) = context.traffic.and_then(|traffic| traffic.get(&slo.id))
        && u128::from(slo.draft.terms.target.beta()) * u128::from(*total) < 100_000_000
    {
        let message = format!("{total} events in a period: a single bad one is more than the budget");
        out.add(Code::LittleTraffic, at.target, message)
            .help("lower the target, lengthen the period, or sum instances");
    }
}

/// A document of a tenant may say `*`, which means that tenant, or its name.
fn judge_tenant(tenant: &Globs, at: Spot, owner: &str, out: &mut Findings) {
    if !tenant.is_all() && tenant.single() != Some(owner) {
        let message = format!("a document of tenant `{owner}` reaches that tenant only");
        out.add(Code::OtherTenant, at, message);
    }
}

fn can_match(slo: &Slo, rule: &Override, context: &Context<'_>) -> bool {
    let is_apart = |own: &Globs, rule: &Globs| match (own.single(), rule.single()) {
        (_, Some(name)) => !own.matches(name),
        (Some(name), None) => !rule.matches(name),
        (None, None) => false,
    };
    if is_apart(&slo.selector.tenant, &rule.tenant) || is_apart(&slo.selector.module, &rule.module) {
        return false;
    }
    let Some(known) = context.instances else { return true };
    let is_own =
        |tenant: &str, module: &str| slo.selector.tenant.matches(tenant) && slo.selector.module.matches(module);
    let mut own = known.iter().filter(|(tenant, module)| is_own(tenant, module)).peekable();
    // Before the first instance nothing can be said.
    own.peek().is_none() || own.any(|(tenant, module)| rule.tenant.matches(tenant) && rule.module.matches(module))
}

/// A later override that sets all keys of this one wherever this one matches.
fn shadow(slo: &Slo, index: usize) -> Option<usize> {
    let rule = &slo.overrides[index];
    let key = |key: &str| if key == "targetPercent" { "target".to_owned() } else { key.to_owned() };
    let sets_all = |later: &Override| {
        rule.sets.iter().all(|(wanted, _)| later.sets.iter().any(|(given, _)| key(given) == key(wanted)))
    };
    let later = slo.overrides.iter().enumerate().skip(index + 1);
    later.filter(|(_, later)| sets_all(later) && covers_rule(later, rule)).map(|(place, _)| place).next()
}

fn judge_instances(one: &Compiled, context: &Context<'_>, out: &mut Findings) {
    let Compiled { slo, at } = one;
    let Some(known) = context.instances else { return };
    let mut own: Vec<_> = known
        .iter()
        .filter(|(tenant, module)| slo.selector.tenant.matches(tenant) && slo.selector.module.matches(module))
        .map(|(tenant, module)| {
            let by = slo.selector.group_by;
            (if by.tenant { *tenant } else { "" }, if by.module { *module } else { "" })
        })
        .collect();
    own.sort_unstable();
    own.dedup();
    if own.len() > usize::try_from(slo.instances_max).unwrap_or(usize::MAX) {
        let message = format!("{} instances are known; {} are allowed", own.len(), slo.instances_max);
        out.add(Code::Instances, at.instances.unwrap_or(at.sli), message).help("raise `instancesMax`");
    }
}
