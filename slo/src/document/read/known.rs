//! Which keys there are. One walk over an object tells of all others: 004 in OpenSLO, 005 in our extension.

use super::value::{nearest, shortened};
use super::{Kind, Object, Version};
use crate::document::finding::{Code, Findings, FixAt};
use crate::document::tree::{Entry, Node, Value};

/// What may stand below a key.
enum Keys {
    /// Whatever: somebody else judges it.
    Any,
    /// A mapping of these, or a list of such mappings.
    Map(&'static [(&'static str, &'static Self)]),
    /// Our extension from here on.
    Ours(&'static Self),
}

use Keys::{Any, Map, Ours};

const METADATA: Keys = Map(&[("name", &Any), ("displayName", &Any), ("labels", &Any), ("annotations", &Any)]);
const METADATA_V2: Keys = Map(&[("name", &Any), ("labels", &Any), ("annotations", &Any)]);

const METRIC: Keys = Map(&[("metricSource", &Map(&[("metricSourceRef", &Any), ("type", &Any), ("spec", &Any)]))]);
const METRIC_V2: Keys = Map(&[("dataSourceRef", &Any), ("dataSourceSpec", &Any), ("spec", &Any)]);
const METRIC_ALPHA: Keys = Map(&[("source", &Any), ("queryType", &Any), ("query", &Any)]);

const SLI_SPEC: Keys = Map(&[
    ("description", &Any),
    ("thresholdMetric", &METRIC),
    (
        "ratioMetric",
        &Map(&[
            ("counter", &Any),
            ("good", &METRIC),
            ("bad", &METRIC),
            ("total", &METRIC),
            ("raw", &METRIC),
            ("rawType", &Any),
        ]),
    ),
]);
const SLI_SPEC_V2: Keys = Map(&[
    ("description", &Any),
    ("thresholdMetric", &METRIC_V2),
    (
        "ratioMetric",
        &Map(&[
            ("counter", &Any),
            ("good", &METRIC_V2),
            ("bad", &METRIC_V2),
            ("total", &METRIC_V2),
            ("raw", &METRIC_V2),
            ("rawType", &Any),
        ]),
    ),
]);
const SLI: Keys = Map(&[("metadata", &METADATA), ("spec", &SLI_SPEC)]);
const SLI_V2: Keys = Map(&[("metadata", &METADATA_V2), ("spec", &SLI_SPEC_V2)]);

const CALENDAR: Keys = Map(&[("startTime", &Any), ("timeZone", &Any)]);
const WINDOW: Keys = Map(&[("duration", &Any), ("isRolling", &Any), ("calendar", &CALENDAR)]);
const WINDOW_ALPHA: Keys = Map(&[("unit", &Any), ("count", &Any), ("isRolling", &Any), ("calendar", &CALENDAR)]);

const CONDITION_SPEC: Keys = Map(&[
    ("description", &Any),
    ("severity", &Any),
    (
        "condition",
        &Map(&[("kind", &Any), ("op", &Any), ("threshold", &Any), ("lookbackWindow", &Any), ("alertAfter", &Any)]),
    ),
]);
const TARGET_SPEC: Keys = Map(&[("description", &Any), ("target", &Any)]);
const CONDITION: Keys = Map(&[
    ("conditionRef", &Any),
    ("apiVersion", &Any),
    ("kind", &Any),
    ("metadata", &METADATA),
    ("spec", &CONDITION_SPEC),
]);
const TARGET: Keys =
    Map(&[("targetRef", &Any), ("apiVersion", &Any), ("kind", &Any), ("metadata", &METADATA), ("spec", &TARGET_SPEC)]);
const POLICY_SPEC: Keys = Map(&[
    ("description", &Any),
    ("alertWhenBreaching", &Any),
    ("alertWhenResolved", &Any),
    ("alertWhenNoData", &Any),
    ("conditions", &CONDITION),
    ("notificationTargets", &TARGET),
]);
const POLICY: Keys = Map(&[
    ("alertPolicyRef", &Any),
    ("apiVersion", &Any),
    ("kind", &Any),
    ("metadata", &METADATA),
    ("spec", &POLICY_SPEC),
]);

const OBJECTIVE: Keys = Map(&[
    ("displayName", &Any),
    ("op", &Any),
    ("value", &Any),
    ("target", &Any),
    ("targetPercent", &Any),
    ("timeSliceTarget", &Any),
    ("timeSliceWindow", &Any),
    ("indicator", &SLI),
    ("indicatorRef", &Any),
    ("compositeWeight", &Any),
]);
const OBJECTIVE_V2: Keys = Map(&[
    ("displayName", &Any),
    ("op", &Any),
    ("value", &Any),
    ("target", &Any),
    ("targetPercent", &Any),
    ("timeSliceTarget", &Any),
    ("timeSliceWindow", &Any),
    ("sli", &SLI_V2),
    ("sliRef", &Any),
    ("compositeWeight", &Any),
]);
const OBJECTIVE_ALPHA: Keys = Map(&[
    ("displayName", &Any),
    ("op", &Any),
    ("value", &Any),
    ("target", &Any),
    ("timeSliceTarget", &Any),
    (
        "ratioMetrics",
        &Map(&[("incremental", &Any), ("counter", &Any), ("good", &METRIC_ALPHA), ("total", &METRIC_ALPHA)]),
    ),
]);

const SLO_SPEC: Keys = Map(&[
    ("description", &Any),
    ("service", &Any),
    ("indicator", &SLI),
    ("indicatorRef", &Any),
    ("timeWindow", &WINDOW),
    ("budgetingMethod", &Any),
    ("objectives", &OBJECTIVE),
    ("alertPolicies", &POLICY),
    ("bailiwick", &Ours(&EXTENSION)),
]);
const SLO_SPEC_V2: Keys = Map(&[
    ("description", &Any),
    ("service", &Any),
    ("sli", &SLI_V2),
    ("sliRef", &Any),
    ("timeWindow", &WINDOW),
    ("budgetingMethod", &Any),
    ("objectives", &OBJECTIVE_V2),
    ("alertPolicies", &POLICY),
    ("bailiwick", &Ours(&EXTENSION)),
]);
const SLO_SPEC_ALPHA: Keys = Map(&[
    ("description", &Any),
    ("service", &Any),
    ("indicator", &Map(&[("thresholdMetric", &METRIC_ALPHA)])),
    ("timeWindows", &WINDOW_ALPHA),
    ("budgetingMethod", &Any),
    ("objectives", &OBJECTIVE_ALPHA),
    ("bailiwick", &Ours(&EXTENSION)),
]);

const TIERS: Keys = Map(&[
    ("severity", &Any),
    ("long", &Any),
    ("short", &Any),
    ("consume", &Any),
    ("factor", &Any),
    ("op", &Any),
    ("for", &Any),
]);
const ALERTS: Keys = Map(&[
    ("preset", &Any),
    ("tiers", &TIERS),
    ("holdDown", &Any),
    ("repeatEvery", &Any),
    ("receivers", &Any),
    ("runbook", &Any),
]);
const LOW_TRAFFIC: Keys = Map(&[("alpha", &Any), ("applyBelow", &Any), ("weighting", &Any)]);
const NO_DATA: Keys = Map(&[
    ("expect", &Any),
    ("after", &Any),
    ("floor", &Any),
    ("emptySlice", &Any),
    ("alertAfter", &Any),
    ("severity", &Any),
]);
const FORECAST: Keys = Map(&[("window", &Any), ("warnBefore", &Any), ("severity", &Any)]);
const STEP: Keys = Map(&[("name", &Any), ("below", &Any), ("severity", &Any), ("message", &Any)]);
const ACTIVATE: Keys = Map(&[("events", &Any)]);
const OVERRIDE: Keys = Map(&[
    ("tenant", &Any),
    ("module", &Any),
    ("enabled", &Any),
    ("target", &Any),
    ("targetPercent", &Any),
    ("timeWindow", &Any),
    ("alerts", &ALERTS),
    ("lowTraffic", &LOW_TRAFFIC),
    ("noData", &NO_DATA),
    ("forecast", &FORECAST),
    ("policy", &STEP),
    ("activate", &ACTIVATE),
    ("ttl", &Any),
]);
const EXTENSION: Keys = Map(&[
    ("tenant", &Any),
    ("module", &Any),
    ("operation", &Any),
    ("groupBy", &Any),
    ("sli", &Any),
    ("alerts", &ALERTS),
    ("lowTraffic", &LOW_TRAFFIC),
    ("noData", &NO_DATA),
    ("forecast", &FORECAST),
    ("policy", &STEP),
    ("activate", &ACTIVATE),
    ("ttl", &Any),
    ("instancesMax", &Any),
    ("overrides", &OVERRIDE),
]);

const fn spec_of(version: Version, kind: Kind) -> Keys {
    match (kind, version) {
        (Kind::Slo, Version::V1Alpha) => SLO_SPEC_ALPHA,
        (Kind::Slo, Version::V2Alpha) => SLO_SPEC_V2,
        (Kind::Slo, _) => SLO_SPEC,
        (Kind::Sli, Version::V2Alpha) => SLI_SPEC_V2,
        (Kind::Sli, _) => SLI_SPEC,
        (Kind::Service, _) => Map(&[("description", &Any)]),
        (Kind::DataSource, _) => Map(&[("description", &Any), ("type", &Any), ("connectionDetails", &Any)]),
        (Kind::AlertPolicy, _) => POLICY_SPEC,
        (Kind::AlertCondition, _) => CONDITION_SPEC,
        (Kind::AlertNotificationTarget, _) => TARGET_SPEC,
        (Kind::BudgetAdjustment, _) => Map(&[
            ("description", &Any),
            ("service", &Any),
            ("indicatorRef", &Any),
            ("sliRef", &Any),
            ("startTime", &Any),
            ("endTime", &Any),
            ("duration", &Any),
        ]),
        (Kind::AlertWindows, _) => Ours(&Map(&[("description", &Any), ("tiers", &TIERS)])),
    }
}

/// Tells of unknown keys of an object, and of an extension that stands in an annotation's text.
pub(crate) fn check(object: &Object, out: &mut Findings) {
    let Some((version, kind)) = object.what else { return };
    for entry in object.node.entries() {
        match entry.key.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                let keys = if version == Version::V2Alpha { METADATA_V2 } else { METADATA };
                walk(&entry.node, &keys, Code::UnknownKey, out);
            }
            "spec" => walk(&entry.node, &spec_of(version, kind), Code::UnknownKey, out),
            _ => unknown(entry, ["apiVersion", "kind", "metadata", "spec"].into_iter(), Code::UnknownKey, out),
        }
    }
    if let Some(extension) = &object.annotated {
        walk(extension, &EXTENSION, Code::UnknownOurKey, out);
    }
}

/// Tells of keys of our own object that are none of these.
pub(crate) fn check_ours(node: &Node, keys: &[&'static str], out: &mut Findings) {
    for entry in node.entries().iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
        unknown(entry, keys.iter().copied(), Code::UnknownOurKey, out);
    }
}

fn walk(node: &Node, keys: &Keys, code: Code, out: &mut Findings) {
    match (&node.value, keys) {
        (_, Ours(keys)) => walk(node, keys, Code::UnknownOurKey, out),
        (Value::List(items), _) => items.iter().for_each(|item| walk(item, keys, code, out)),
        (Value::Map(entries), Map(known)) => {
            for entry in entries {
                match known.iter().find(|(key, _)| *key == entry.key) {
                    Some((_, below)) => walk(&entry.node, below, code, out),
                    None => unknown(entry, known.iter().map(|(key, _)| *key), code, out),
                }
            }
        }
        _ => {}
    }
}

/// Tells of a key that is none of those known.
pub(crate) fn unknown(
    entry: &Entry,
    known: impl Iterator<Item = &'static str> + Clone,
    code: Code,
    out: &mut Findings,
) {
    let Entry { key, node } = entry;
    let raw = out.add(code, node.named, format!("unknown key `{}`", shortened(key)));
    match nearest(key, known.clone()) {
        Some(near) => {
            raw.help(format!("did you mean `{near}`?"));
            if let Some(text) = node.text() {
                raw.fix(FixAt::Beside(near), text);
            }
        }
        None => {
            let known: Vec<_> = known.collect();
            raw.help(match known.is_empty() {
                true => "no keys belong here".to_owned(),
                false => format!("keys that belong here: {}", known.join(", ")),
            });
        }
    }
}
