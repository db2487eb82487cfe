//! Families about what traces show: figures by tenant x module, and what belongs to no tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::coverage;
use bailiwick_slo::ratio::Ratio;
use bailiwick_slo::time::Window;

use super::catalogue::{self, Descriptor};
use super::family::{Family, Value};
use super::requests;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{ModuleTotals, Verdict};
use crate::frontend::inventory::Inventory;
use crate::frontend::scope::Scope;
use crate::frontend::view::coverage::reading;

/// Figures of tenant x modules; those without a request for a quarter of an hour are left out.
pub(crate) fn by_tenant(snapshot: &Snapshot, inventory: &Inventory, scope: &Scope) -> [Family; 2] {
    let [mut ratios, mut states] = [&catalogue::COVERAGE_RATIO, &catalogue::COVERAGE_STATE].map(Family::new);
    let is_shown =
        |module: &ModuleTotals| scope.holds(&module.tenant) && !requests::is_idle(snapshot, module.last_seen_ns);
    let rows = reading::by_tenant(snapshot, inventory, Window::FiveMinutes);
    for (row, _) in rows.iter().zip(snapshot.modules()).filter(|(_, module)| is_shown(module)) {
        let told = coverage::figures(&row.counts);
        for figure in &told.figures {
            if let Some(ratio) = figure.ratio().and_then(|ratio| ratio.as_f64()) {
                let labels = [(&row.tenant).into(), (&row.module).into(), figure.id.name().into()];
                ratios.push_marked(labels, row.overflow, Value::Number(ratio));
            }
        }
        let labels = [(&row.tenant).into(), (&row.module).into(), told.headline.state.name().into()];
        states.push_marked(labels, row.overflow, Value::Count(1));
    }
    [ratios, states]
}

/// What belongs to no tenant. Tenants are named nowhere here.
pub(crate) fn of_all(snapshot: &Snapshot) -> Vec<Family> {
    let mut families = vec![corrections(snapshot), gaps(snapshot), findings(snapshot)];
    families.push(words(&catalogue::SPAN_WEIGHTS, snapshot.weights()));
    families.push(words(&catalogue::HOPS_UNVERIFIABLE, snapshot.hops_unverifiable()));
    let mut checked = Family::new(&catalogue::HOPS_CHECKED);
    for (module, count) in snapshot.hops_checked() {
        checked.push([module.into()], Value::Count(*count));
    }
    families.push(checked);
    families.push(anonymous(snapshot));
    families.extend(verdicts(snapshot));
    families
}

fn corrections(snapshot: &Snapshot) -> Family {
    let modules: Vec<&ModuleTotals> = snapshot.modules().collect();
    let mut sums: BTreeMap<(&Arc<str>, &'static str), u64> = BTreeMap::new();
    for correction in snapshot.corrections() {
        let module = &modules[correction.module as usize].module;
        *sums.entry((module, correction.reason)).or_default() += correction.count;
    }
    let mut corrections = Family::new(&catalogue::REQUEST_CORRECTIONS);
    for ((module, reason), count) in sums {
        corrections.push([module.into(), reason.into()], Value::Count(count));
    }
    corrections
}

/// The default is the last of the sources.
fn anonymous(snapshot: &Snapshot) -> Family {
    let mut sums: BTreeMap<&Arc<str>, u64> = BTreeMap::new();
    for module in snapshot.modules() {
        *sums.entry(&module.module).or_default() += module.sources.last().copied().unwrap_or(0);
    }
    let mut anonymous = Family::new(&catalogue::ANONYMOUS);
    for (module, count) in sums.into_iter().filter(|(_, count)| *count > 0) {
        anonymous.push([module.into()], Value::Count(count));
    }
    anonymous
}

/// What metrics say of requests under way, and points that nobody uses, by tenant.
pub(crate) fn of_metrics(snapshot: &Snapshot, scope: &Scope) -> [Family; 2] {
    let modules: Vec<&ModuleTotals> = snapshot.modules().collect();
    let mut flying = Family::new(&catalogue::REQUESTS_IN_FLIGHT);
    for (id, count) in snapshot.streams().requests_in_flight() {
        let module = modules[id as usize];
        if scope.holds(&module.tenant) {
            flying.push_marked(
                [(&module.tenant).into(), (&module.module).into()],
                module.overflow,
                Value::Count(count),
            );
        }
    }
    let mut unused = Family::new(&catalogue::POINTS_UNUSED);
    for (tenant, count) in snapshot.points_unused().iter().filter(|(tenant, _)| scope.holds(tenant)) {
        unused.push([tenant.into()], Value::Count(*count));
    }
    [flying, unused]
}

fn gaps(snapshot: &Snapshot) -> Family {
    let mut gaps = Family::new(&catalogue::TRACE_GAPS);
    for (gap, module, count) in snapshot.gaps() {
        gaps.push([gap.name().into(), module.into()], Value::Count(*count));
    }
    gaps
}

fn findings(snapshot: &Snapshot) -> Family {
    let mut findings = Family::new(&catalogue::LEAK_FINDINGS);
    for found in snapshot.finding_counts() {
        let labels = [found.rule.name().into(), found.certainty.name().into(), (&found.module).into()];
        findings.push(labels, Value::Count(found.count));
    }
    findings
}

fn words(descriptor: &'static Descriptor, counts: &[(&'static str, u64)]) -> Family {
    let mut family = Family::new(descriptor);
    for (word, count) in counts {
        family.push([(*word).into()], Value::Count(*count));
    }
    family
}

fn verdicts(snapshot: &Snapshot) -> [Family; 3] {
    let told = snapshot.settled();
    let [mut settled, mut revised] = [&catalogue::TRACES_SETTLED, &catalogue::TRACES_REVISED].map(Family::new);
    let (connected, broken) = (Verdict::Connected, Verdict::Broken);
    for (to, from) in [(connected, broken), (broken, connected)] {
        settled.push([to.name().into()], Value::Count(told.first[to as usize]));
        revised.push([from.name().into(), to.name().into()], Value::Count(told.revised[to as usize]));
    }
    let mut evaluated = Family::new(&catalogue::COVERAGE_EVALUATED);
    // Before the first record nothing was judged or left out.
    let share = Ratio::of(told.evaluated_ppm.into(), 1_000_000).as_f64().filter(|_| snapshot.now_ns > 0);
    if let Some(share) = share {
        evaluated.push([], Value::Number(share));
    }
    [settled, revised, evaluated]
}
