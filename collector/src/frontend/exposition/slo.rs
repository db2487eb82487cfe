//! Families about SLOs: what is promised, what was kept of it, how fast budgets burn, what is open. What is empty or
//! unmeasured has no sample.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::engine::status::Observed;
use bailiwick_slo::engine::tiers::{Phase, Unit};
use bailiwick_slo::engine::truth::Value as Known;
use bailiwick_slo::exact::{Fraction, Quotient};
use bailiwick_slo::spec::{Severity, Sli, TimeSpan};
use bailiwick_slo::time::SLOT_SECONDS;

use super::catalogue;
use super::family::{Family, Label, Value};
use crate::evaluator::{InstanceReport, Report};
use crate::frontend::scope::Scope;

/// The worst first.
const SEVERITIES: [Severity; 3] = [Severity::Page, Severity::Ticket, Severity::Notice];

/// All families of a report that this scope may see.
pub(crate) fn families(report: &Report, scope: &Scope) -> Vec<Family> {
    let own: Vec<&InstanceReport> = report.instances.iter().filter(|one| scope.holds(&one.key.tenant)).collect();
    let mut families = Vec::new();
    families.extend(promises(&own));
    families.push(events(&own));
    families.extend(budgets(&own));
    families.extend(burns(&own));
    families.extend(states(&own));
    families.push(incidents(report, &own, scope));
    families.push(incident_events(report, scope));
    families
}

/// Tenant, module, SLO.
fn names(one: &InstanceReport) -> [Label; 3] {
    [(&one.key.tenant).into(), (&one.key.module).into(), (&one.key.slo).into()]
}

/// The name of a window.
fn window(seconds: u64) -> Label {
    Label::Shared(Arc::from(TimeSpan(seconds).to_string()))
}

/// What is promised, and how much of it was kept.
fn promises(own: &[&InstanceReport]) -> [Family; 4] {
    let [mut info, mut objective, mut sli, mut measured] =
        [&catalogue::SLO_INFO, &catalogue::SLO_OBJECTIVE, &catalogue::SLO_SLI, &catalogue::SLO_MEASURED]
            .map(Family::new);
    for one in own {
        let period = || window(one.terms.period.nominal_seconds());
        let revision = Label::Shared(Arc::from(&*one.slo.revision));
        let [tenant, module, slo] = names(one);
        info.push([tenant, module, slo, period(), one.slo.method.name().into(), revision], Value::Count(1));
        objective.push(names(one), Value::Number(one.terms.target.ratio().as_f64()));
        let observed = &one.status.period;
        if let Some(ratio) = observed.ratio().filter(|_| observed.value == Known::Measured) {
            let [tenant, module, slo] = names(one);
            sli.push([tenant, module, slo, period()], Value::Number(ratio.as_f64()));
        }
        if let Some(ratio) = observed.measured_ratio() {
            measured.push(names(one), Value::Number(ratio.as_f64()));
        }
    }
    [info, objective, sli, measured]
}

/// Events since birth. Composites have none of their own.
fn events(own: &[&InstanceReport]) -> Family {
    let mut events = Family::new(&catalogue::SLO_EVENTS);
    for one in own.iter().filter(|one| !matches!(one.slo.sli, Sli::Composite(_))) {
        let (good, bad) = one.status.counted;
        for (result, count) in [("good", good), ("bad", bad)] {
            let [tenant, module, slo] = names(one);
            events.push([tenant, module, slo, result.into()], Value::Count(count));
        }
    }
    events
}

/// What happened to incidents.
fn incident_events(report: &Report, scope: &Scope) -> Family {
    let mut events = Family::new(&catalogue::INCIDENT_EVENTS);
    for ((tenant, event), count) in report.happened.iter().filter(|((tenant, _), _)| scope.holds(tenant)) {
        events.push([tenant.into(), (*event).into()], Value::Count(*count));
    }
    events
}

/// What may be bad, and was: of instances that were asked anything at all.
fn budgets(own: &[&InstanceReport]) -> [Family; 3] {
    let [mut remaining, mut events, mut exhaustion] =
        [&catalogue::SLO_BUDGET_REMAINING, &catalogue::SLO_BUDGET_EVENTS, &catalogue::SLO_EXHAUSTION].map(Family::new);
    for one in own.iter().filter(|one| one.status.period.sums.total > 0) {
        let budget = &one.status.budget;
        remaining.push(names(one), Value::Number(budget.remaining.as_f64()));
        if let Some(ends_in) = &one.status.ends_in {
            exhaustion.push(names(one), Value::Number(ends_in.as_f64()));
        }
        for (part, count) in [("allowed", budget.allowed.as_f64()), ("spent", bad(&one.status.period))] {
            let [tenant, module, slo] = names(one);
            events.push([tenant, module, slo, part.into()], Value::Number(count));
        }
    }
    [remaining, events, exhaustion]
}

/// Bad events, or slices.
fn bad(observed: &Observed) -> f64 {
    let unit = match observed.unit {
        Unit::Whole => 1,
        Unit::Fraction => 1 << 64,
    };
    Quotient::of(observed.sums.bad, unit).map_or(0.0, |bad| bad.as_f64())
}

/// Burn rates of the windows of tiers, each once, and the rates that tiers fire above.
fn burns(own: &[&InstanceReport]) -> [Family; 2] {
    let [mut rates, mut thresholds] = [&catalogue::SLO_BURN_RATE, &catalogue::SLO_BURN_THRESHOLD].map(Family::new);
    for one in own {
        let mut windows: BTreeMap<u64, &Observed> = BTreeMap::new();
        // Two tiers of a severity may share a window: the lower rate is the one that fires first.
        let mut factors: BTreeMap<(Severity, u64), Fraction> = BTreeMap::new();
        for status in &one.status.tiers {
            let tier = &status.tier;
            let short = tier.short.zip(status.short.as_ref());
            for (length, observed) in [(tier.long, &status.long)].into_iter().chain(short) {
                windows.insert(length.seconds(), observed);
                let factor = factors.entry((tier.severity, length.seconds())).or_insert(tier.factor);
                *factor = tier.factor.min(*factor);
            }
        }
        for (seconds, observed) in windows {
            if let Some(burn) = observed.burn.filter(|_| observed.value == Known::Measured) {
                let [tenant, module, slo] = names(one);
                rates.push([tenant, module, slo, window(seconds)], Value::Number(burn.as_f64()));
            }
        }
        for ((severity, seconds), factor) in factors.into_iter().rev() {
            let [tenant, module, slo] = names(one);
            let labels = [tenant, module, slo, severity.name().into(), window(seconds)];
            thresholds.push(labels, Value::Number(factor.as_f64()));
        }
    }
    [rates, thresholds]
}

/// Where instances stand.
fn states(own: &[&InstanceReport]) -> [Family; 3] {
    let [mut states, mut firing, mut evaluated] =
        [&catalogue::SLO_STATE, &catalogue::SLO_ALERT_FIRING, &catalogue::SLO_EVALUATED].map(Family::new);
    for one in own {
        let [tenant, module, slo] = names(one);
        states.push([tenant, module, slo, one.status.state.name().into()], Value::Count(1));
        for severity in SEVERITIES {
            let mut tiers = one.status.tiers.iter().filter(|tier| tier.tier.severity == severity).peekable();
            if tiers.peek().is_some() {
                let fires = tiers.any(|tier| tier.phase == Phase::Firing);
                let [tenant, module, slo] = names(one);
                firing.push([tenant, module, slo, severity.name().into()], Value::Count(u64::from(fires)));
            }
        }
        evaluated.push(names(one), Value::Count(one.status.next * SLOT_SECONDS));
    }
    [states, firing, evaluated]
}

/// Open incidents of tenants that have an instance, also those without one.
fn incidents(report: &Report, own: &[&InstanceReport], scope: &Scope) -> Family {
    let mut counts: BTreeMap<&Arc<str>, [u64; SEVERITIES.len()]> = BTreeMap::new();
    for one in own {
        counts.entry(&one.key.tenant).or_default();
    }
    for one in report.incidents.iter().filter(|one| one.is_open() && scope.holds(&one.key.tenant)) {
        let place = SEVERITIES.iter().position(|severity| *severity == one.incident.level);
        counts.entry(&one.key.tenant).or_default()[place.unwrap_or(0)] += 1;
    }
    let mut open = Family::new(&catalogue::INCIDENTS_OPEN);
    for (tenant, counts) in counts {
        for (severity, count) in SEVERITIES.iter().zip(counts) {
            open.push([tenant.into(), severity.name().into()], Value::Count(count));
        }
    }
    open
}
