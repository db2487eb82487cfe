//! Indicators against methods, tiers, buckets and each other: 025 to 028, 050.

use std::collections::{BTreeSet, HashMap};

use super::overrides::covers;
use crate::document::Context;
use crate::document::compile::Compiled;
use crate::document::finding::{Code, Findings};
use crate::spec::{Method, Sli};

/// Latency thresholds that a series can count against (`sli.md` 1.6).
const THRESHOLDS_MAX: usize = 4;

pub(super) fn judge(one: &Compiled, context: &Context<'_>, out: &mut Findings) {
    let Compiled { slo, at } = one;
    let needs_slices = matches!(slo.sli, Sli::Quantile { .. } | Sli::Ratio { .. });
    if needs_slices && slo.method == Method::Occurrences {
        let raw = out.add(Code::PerSlice, at.method, "this indicator is one figure a slice: it has no occurrences");
        raw.help("use Timeslices or RatioTimeslices");
    }
    if matches!(slo.sli, Sli::Composite(_)) {
        out.add(Code::NotRules, at.sli, "a composite cannot be written as Prometheus rules");
    } else if slo.method != Method::Occurrences {
        out.add(Code::NotRules, at.method, format!("{} cannot be written as Prometheus rules", slo.method.name()));
    }
    judge_slices(one, out);
    if let (Sli::Histogram { metric, threshold }, Some(at), Some(bounds)) = (&slo.sli, at.threshold, context.bounds)
        && let Some(bounds) = bounds.get(&metric.metric)
        && !bounds.contains(threshold)
    {
        let below = bounds.iter().rev().find(|bound| *bound < threshold);
        let above = bounds.iter().find(|bound| *bound > threshold);
        let written = |bound: Option<&crate::exact::Decimal>| bound.map_or("none".to_owned(), ToString::to_string);
        let message = format!("{threshold} is no bucket bound of `{}`", metric.metric);
        let raw = out.add(Code::OffBound, at, message);
        raw.help(format!("the bounds beside it: {} and {}", written(below), written(above)));
    }
}

/// Slices that are too coarse for a short window: 026.
fn judge_slices(one: &Compiled, out: &mut Findings) {
    let (Method::Timeslices { slice, .. } | Method::RatioTimeslices { slice }) = one.slo.method else { return };
    let tiers = one.slo.draft.terms([]).alerts.tiers;
    let shortest = tiers.iter().filter_map(|tier| tier.short).min();
    if let Some(short) = shortest.filter(|short| slice.seconds().saturating_mul(5) > short.seconds()) {
        let message = format!("slices of {slice} are longer than a fifth of the short window {short}");
        out.add(Code::SliceLong, one.at.slice.unwrap_or(one.at.method), message);
    }
}

/// More latency thresholds than a series has places: 028. Told where it is certain, at the first one too many.
pub(super) fn judge_thresholds(compiled: &[Compiled], out: &mut Findings) {
    // By the one module that an SLO is for; `None`: by a pattern.
    let mut known: HashMap<Option<&str>, Vec<(&Compiled, u64)>> = HashMap::new();
    for one in compiled {
        let Sli::Latency { threshold_ns, .. } = one.slo.sli else { continue };
        let module = one.slo.selector.module.single();
        let by_pattern = known.get(&None).filter(|_| module.is_some());
        let before = known.get(&module).into_iter().chain(by_pattern).flatten();
        if is_one_too_many(one, threshold_ns, before) {
            let message = format!("more than {THRESHOLDS_MAX} latency thresholds on one series");
            let raw = out.add(Code::Thresholds, one.at.threshold.unwrap_or(one.at.sli), message);
            raw.help("use a threshold that another SLO of this module has");
        }
        known.entry(module).or_default().push((one, threshold_ns));
    }
}

/// Whether all places of a series of this SLO are taken by other thresholds of those before it.
fn is_one_too_many<'a>(one: &Compiled, own_ns: u64, before: impl Iterator<Item = &'a (&'a Compiled, u64)>) -> bool {
    let selector = &one.slo.selector;
    let mut seen = BTreeSet::new();
    for (other, threshold_ns) in before {
        let outer = &other.slo.selector;
        let covers_all = covers(&outer.module, &selector.module)
            && covers(&outer.tenant, &selector.tenant)
            && covers(&outer.operation, &selector.operation);
        if !covers_all {
            continue;
        }
        if *threshold_ns == own_ns {
            return false;
        }
        seen.insert(*threshold_ns);
        if seen.len() == THRESHOLDS_MAX {
            return true;
        }
    }
    false
}
