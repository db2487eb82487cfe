//! Pyrra. Its burn rates are our preset `pyrra` (`slo.md` 2.4): windows that scale with the period, factors 14, 7, 2,
//! 1.
//!
//! Its absent alert fires when a metric is gone for `14 x (1 - target) x long_1 + for_1`, rounded to minutes
//! (`AbsentDuration` in its `slo/slo.go`): our `noData.alertAfter`. That is asked of a heartbeat here, not of a metric.

use super::map::Map;
use super::outline::duration::span;
use super::outline::keys::{self, Keys, Keys::Any, Keys::Dropped, Keys::Map as Mapping, METADATA, STATUS};
use super::outline::tier::{TierText, preset, severity, tiers};
use super::outline::{Made, Outline, names_of, ratio, raw, source};
use crate::document::{
    Code, Fields, Findings, Node, Yaml, flag, mapping, required, shortened, target_of_percent, text,
};
use crate::spec::{Preset, Severity, Target, TimeSpan, preset_tiers};

const GROUPING: Keys = Dropped("instances are made by tenant and module");
const METRIC: Keys = Mapping(&[("metric", &Any)]);
const NAME: Keys = Dropped("an incident is named by its SLO");
const THANOS: Keys = Dropped("it is Thanos' own");

const KEYS: Keys = Mapping(&[
    ("apiVersion", &Any),
    ("kind", &Any),
    ("metadata", &METADATA),
    ("status", &STATUS),
    (
        "spec",
        &Mapping(&[
            ("description", &Any),
            ("target", &Any),
            ("window", &Any),
            (
                "indicator",
                &Mapping(&[
                    (
                        "ratio",
                        &Mapping(&[
                            ("errors", &METRIC),
                            ("success", &METRIC),
                            ("total", &METRIC),
                            ("grouping", &GROUPING),
                        ]),
                    ),
                    ("latency", &Mapping(&[("success", &METRIC), ("total", &METRIC), ("grouping", &GROUPING)])),
                    ("latencyNative", &Mapping(&[("latency", &Any), ("total", &METRIC), ("grouping", &GROUPING)])),
                    ("bool_gauge", &Mapping(&[("metric", &Any), ("grouping", &GROUPING)])),
                ]),
            ),
            (
                "alerting",
                &Mapping(&[
                    ("disabled", &Any),
                    ("burnrates", &Any),
                    ("absent", &Any),
                    ("severities", &SEVERITIES),
                    ("burnRateType", &Any),
                    ("name", &NAME),
                    ("absentName", &NAME),
                ]),
            ),
            ("partial_response_strategy", &THANOS),
            ("rulenamespace", &Dropped("nothing is recorded by rules here")),
        ]),
    ),
]);
const SEVERITIES: Keys =
    Mapping(&[("absent", &Any), ("fastBurn", &Any), ("mediumBurn", &Any), ("slowBurn", &Any), ("longTermBurn", &Any)]);
/// The tiers in the order of the preset.
const BURNS: [&str; 4] = ["fastBurn", "mediumBurn", "slowBurn", "longTermBurn"];

/// Documents from the objects of all texts.
pub(super) fn read(roots: &[Node], map: &mut Map, out: &mut Findings) -> Vec<Made> {
    let mut made = Vec::new();
    for root in roots {
        let known = [("apiVersion", "pyrra.dev/v1alpha1"), ("kind", "ServiceLevelObjective")];
        if let Some((key, wanted)) =
            known.into_iter().find(|(key, name)| root.get(key).and_then(Node::text) != Some(name))
        {
            let at = root.get(key).map_or(root.at, |node| node.at);
            let found = shortened(root.get(key).and_then(Node::text).unwrap_or("nothing"));
            out.add(Code::Kind, at, format!("`{key}: {found}` is not of Pyrra")).help(format!("it has `{wanted}`"));
            continue;
        }
        keys::check(root, &KEYS, out);
        let outline = one(root, out);
        made.extend(outline.map(|outline| outline.document(map, out)));
    }
    made
}

fn one(root: &Node, out: &mut Findings) -> Option<Outline> {
    let metadata = required(root, "metadata", out).and_then(|node| mapping(node, out));
    let name = metadata.and_then(|node| required(node, "name", out)).and_then(|node| Some((text(node, out)?, node.at)));
    let spec = mapping(required(root, "spec", out)?, out)?;
    let written = required(spec, "target", out);
    let target = written.and_then(|node| target_of_percent(node, out));
    let period = required(spec, "window", out).and_then(|node| span(node, out));
    let indicator = required(spec, "indicator", out).and_then(|node| indicator(mapping(node, out)?, out));
    let ((name, at), target, period) = (name?, target?, period?);
    let alerting = spec.get("alerting");
    let of = |key: &str| metadata.and_then(|metadata| metadata.get(key));
    Some(Outline {
        name: name.to_owned(),
        source_name: name.to_owned(),
        at,
        service: None,
        labels: names_of([of("labels")], out),
        annotations: names_of([of("annotations")], out),
        description: spec.get("description").map(Yaml::of),
        period,
        target: ("targetPercent", Yaml::plain(target.percent())),
        indicator: indicator?,
        alerts: alerts(alerting, period, out),
        no_data: no_data(alerting, target, period, out),
    })
}

fn query(holder: &Node, key: &str, out: &mut Findings) -> Option<Yaml> {
    let metric = required(mapping(required(holder, key, out)?, out)?, "metric", out)?;
    text(metric, out)?;
    Some(Yaml::of(metric))
}

fn asked(query: Yaml) -> Yaml {
    source("Prometheus", Fields::new().with("query", query))
}

/// Exactly one of four kinds.
fn indicator(node: &Node, out: &mut Findings) -> Option<Yaml> {
    let kinds = ["ratio", "latency", "latencyNative", "bool_gauge"];
    let mut found = kinds.into_iter().filter_map(|kind| Some((kind, node.get(kind)?)));
    let (Some((kind, of)), None) = (found.next(), found.next()) else {
        out.add(Code::Indicator, node.named, format!("exactly one of {} belongs here", kinds.join(", ")));
        return None;
    };
    mapping(of, out)?;
    match kind {
        "ratio" => ratio_of(of, out),
        "latency" => {
            let (good, total) = (query(of, "success", out), query(of, "total", out));
            Some(ratio("good", asked(good?), asked(total?)))
        }
        "latencyNative" => {
            let (total, latency) = (query(of, "total", out), required(of, "latency", out));
            let (total, latency) = (total?, Yaml::of(latency?));
            let good = Fields::new().with("query", total.clone()).with("latency", latency);
            Some(ratio("good", source("Prometheus", good), asked(total)))
        }
        _ => {
            let metric = required(of, "metric", out)?;
            text(metric, out)?;
            // Its points are 0 or 1: their mean is the ratio of success.
            Some(raw("success", asked(Yaml::of(metric))))
        }
    }
}

/// Two of errors, success and total; the third follows.
fn ratio_of(of: &Node, out: &mut Findings) -> Option<Yaml> {
    let part = if of.get("errors").is_some() { ("errors", "bad") } else { ("success", "good") };
    let (first, second) = match (of.get("total"), of.get("success")) {
        (None, Some(_)) if part.0 == "errors" => (query(of, "errors", out)?, query(of, "success", out)?),
        (Some(_), Some(success)) if part.0 == "errors" => {
            out.add(Code::Indicator, success.named, "two of `errors`, `success` and `total` say it all");
            return None;
        }
        _ => {
            let (part_query, total) = (query(of, part.0, out), query(of, "total", out));
            return Some(ratio(part.1, asked(part_query?), asked(total?)));
        }
    };
    let all = Fields::new().with("errors", first.clone()).with("success", second);
    Some(ratio("bad", asked(first), source("Prometheus", all)))
}

fn alerts(alerting: Option<&Node>, period: TimeSpan, out: &mut Findings) -> Fields {
    let get = |key: &str| alerting.and_then(|alerting| alerting.get(key));
    if let Some(kind) = get("burnRateType").filter(|kind| kind.text() != Some("static")) {
        let raw =
            out.add(Code::UnknownKey, kind.at, "burn rates that follow the traffic are read as Pyrra's static ones");
        raw.help("see `lowTraffic.weighting: volume`");
    }
    let disabled = get("disabled").and_then(|node| flag(node, out)).unwrap_or(false);
    let burns = get("burnrates").and_then(|node| flag(node, out)).unwrap_or(true);
    if disabled || !burns {
        return preset("none");
    }
    let of_preset = preset_tiers(Preset::Pyrra, period.seconds());
    let mut own = Vec::new();
    for (tier, key) in of_preset.iter().zip(BURNS) {
        let word = get("severities").and_then(|severities| severities.get(key));
        own.push(TierText { severity: word.map_or(tier.severity, |node| level(node, out)), ..TierText::of(tier) });
    }
    let is_usual = own.iter().zip(&of_preset).all(|(own, usual)| own.severity == usual.severity);
    if is_usual { preset("pyrra") } else { Fields::new().with("tiers", tiers(own)) }
}

/// A severity of theirs as one of ours; tells of words that say more than that.
fn level(node: &Node, out: &mut Findings) -> Severity {
    let word = node.text().unwrap_or_default();
    let level = severity(word);
    if !["page", "critical", "ticket", "warning"].contains(&word) {
        let message = format!("severity `{}` is read as {}", shortened(word), level.name());
        keys::note(Code::UnknownKey, node.at, message, out);
    }
    level
}

fn no_data(alerting: Option<&Node>, target: Target, period: TimeSpan, out: &mut Findings) -> Fields {
    let get = |key: &str| alerting.and_then(|alerting| alerting.get(key));
    let absent = get("absent");
    if absent.and_then(|node| flag(node, out)) == Some(false) {
        let at = absent.map_or_else(Default::default, |node| node.at);
        let message = "missing data is always told of here: as a notice, the least that there is";
        keys::note(Code::UnknownKey, at, message, out);
        return Fields::new().with("severity", Yaml::text(Severity::Notice.name()));
    }
    let after = absent_after(target, period).map(Yaml::plain);
    let severity = get("severities").and_then(|severities| severities.get("absent"));
    let severity = severity.map_or(Severity::Page, |node| level(node, out));
    Fields::new().with_some("alertAfter", after).with("severity", Yaml::text(severity.name()))
}

/// How long a metric must be gone: as long as the fastest tier takes when everything fails, in whole minutes, half up,
/// at least one (`slo.md` 2.4).
fn absent_after(target: Target, period: TimeSpan) -> Option<TimeSpan> {
    const ONE: u128 = 100_000_000;
    let tiers = preset_tiers(Preset::Pyrra, period.seconds());
    let fastest = tiers.first()?;
    let below = u128::from(fastest.factor.denominator()) * ONE;
    let burnt = u128::from(fastest.factor.numerator()) * u128::from(target.beta()) * u128::from(fastest.long.seconds());
    let seconds = burnt + u128::from(fastest.hold.seconds()) * below;
    let minutes = (2 * seconds + 60 * below) / (2 * 60 * below);
    u64::try_from(minutes.max(1)).ok().map(|minutes| TimeSpan(60 * minutes))
}
