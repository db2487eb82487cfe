//! Indicators in our own words (`slo.md` 1.4): `{kind: latency, threshold: 250ms}`.

use crate::coverage;
use crate::document::finding::{Code, Findings};
use crate::document::read::known::check_ours;
use crate::document::read::value::{decimal, flag, list, mapping, nanoseconds, required, text, word, wrong};
use crate::document::tree::{Node, Spot, Value};
use crate::exact::Decimal;
use crate::outcome::Outcome;
use crate::spec::{Amount, Compared, Component, Glob, Sli, WhenUnmeasured};

/// Which keys each kind has beside `kind`.
const KINDS: [(&str, &[&str]); 11] = [
    ("availability", &["kind"]),
    ("outcome", &["kind", "good", "total"]),
    ("latency", &["kind", "threshold", "failures"]),
    ("leaks", &["kind", "rules"]),
    ("coverage", &["kind", "part"]),
    ("counter", &["kind", "good", "bad", "total"]),
    ("gauge", &["kind", "metric", "attributes", "op", "value"]),
    ("histogram", &["kind", "metric", "attributes", "threshold"]),
    ("quantile", &["kind", "metric", "attributes", "latency", "q", "threshold"]),
    ("ratio", &["kind", "metric", "attributes", "rawType"]),
    ("composite", &["kind", "components"]),
];

const LEAK_RULES: [&str; 10] = ["L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L10"];

/// The comparisons of OpenSLO.
pub(crate) const COMPARISONS: [(&str, Compared); 4] =
    [("lt", Compared::Lt), ("lte", Compared::Lte), ("gt", Compared::Gt), ("gte", Compared::Gte)];

/// An indicator and where its parts stand.
#[derive(Debug, Clone)]
pub(crate) struct OurSli {
    pub(crate) sli: Sli,
    /// Where it begins.
    pub(crate) at: Spot,
    /// Where its threshold stands.
    pub(crate) threshold_at: Option<Spot>,
    /// Where each component of a composite stands.
    pub(crate) components_at: Vec<Spot>,
}

/// Reads `{kind: .., ..}`. `op` and `value` of a gauge may come from the objective; without one it is an SLI on its own.
pub(crate) fn read(node: &Node, objective: Option<&Node>, out: &mut Findings) -> Option<OurSli> {
    mapping(node, out)?;
    let kind = required(node, "kind", out)?;
    let (name, keys) = word(kind, &KINDS.map(|(name, keys)| (name, (name, keys))), Code::UnknownOurKey, out)?;
    check_ours(node, keys, out);
    let mut ours = OurSli { sli: Sli::Availability, at: node.named, threshold_at: None, components_at: Vec::new() };
    ours.threshold_at = node.get("threshold").map(|node| node.at);
    ours.sli = match name {
        "outcome" => outcomes(node, out)?,
        "latency" => latency(node, out)?,
        "leaks" => leaks(node, out)?,
        "coverage" => {
            let parts = coverage::Id::ALL.map(|id| (id.name(), id.name()));
            let part = word(required(node, "part", out)?, &parts, Code::UnknownOurKey, out)?;
            Sli::Coverage(part.to_owned())
        }
        "counter" => counter(node, out)?,
        "gauge" => gauge(node, objective, out)?,
        "histogram" => {
            let metric = amount(node, out);
            let threshold = decimal(required(node, "threshold", out)?, out)?;
            Sli::Histogram { metric: metric?, threshold }
        }
        "quantile" => quantile(node, out)?,
        "ratio" => ratio(node, out)?,
        "composite" => composite(node, &mut ours.components_at, out)?,
        _ => Sli::Availability,
    };
    Some(ours)
}

fn outcomes(node: &Node, out: &mut Findings) -> Option<Sli> {
    let words = Outcome::ALL.map(|outcome| (outcome.name(), outcome));
    let mut of = |key: &str| -> Option<Vec<Outcome>> {
        let value = required(node, key, out)?;
        let one = std::slice::from_ref(value);
        let items = if let Value::List(items) = &value.value { items } else { one };
        let mut outcomes: Vec<_> =
            items.iter().filter_map(|item| word(item, &words, Code::UnknownOurKey, out)).collect();
        outcomes.sort_unstable();
        outcomes.dedup();
        if outcomes.is_empty() && items.is_empty() {
            out.add(Code::Missing, value.named, format!("`{key}` names no outcome"));
        }
        Some(outcomes).filter(|outcomes| !outcomes.is_empty())
    };
    let (good, total) = (of("good"), of("total"));
    let (good, total) = (good?, total?);
    if let Some(stray) = good.iter().find(|outcome| !total.contains(outcome)) {
        let at = node.get("good").map_or(node.at, |node| node.at);
        out.add(Code::Indicator, at, format!("`{}` is good but not in `total`", stray.name()));
    }
    Some(Sli::Outcome { good, total })
}

fn latency(node: &Node, out: &mut Findings) -> Option<Sli> {
    let words = [("ignore", false), ("slow", true)];
    let failures_are_slow =
        node.get("failures").and_then(|node| word(node, &words, Code::UnknownOurKey, out)).unwrap_or(false);
    let threshold_ns = nanoseconds(required(node, "threshold", out)?, out)?;
    Some(Sli::Latency { threshold_ns, failures_are_slow })
}

fn leaks(node: &Node, out: &mut Findings) -> Option<Sli> {
    let Some(rules) = node.get("rules") else { return Some(Sli::Leaks(LEAK_RULES.map(str::to_owned).into())) };
    let one = std::slice::from_ref(rules);
    let items = if let Value::List(items) = &rules.value { items } else { one };
    let words = LEAK_RULES.map(|rule| (rule, rule));
    let rules: Vec<_> =
        items.iter().filter_map(|item| word(item, &words, Code::UnknownOurKey, out)).map(str::to_owned).collect();
    (!rules.is_empty()).then_some(Sli::Leaks(rules))
}

fn counter(node: &Node, out: &mut Findings) -> Option<Sli> {
    let total = required(node, "total", out).and_then(|node| amount(node, out));
    let (part, part_is_bad) = match (node.get("good"), node.get("bad")) {
        (Some(good), None) => (amount(good, out)?, false),
        (None, Some(bad)) => (amount(bad, out)?, true),
        _ => {
            out.add(Code::Indicator, node.named, "exactly one of `good` and `bad` belongs beside `total`");
            return None;
        }
    };
    Some(Sli::Counter { part, part_is_bad, total: total? })
}

fn gauge(node: &Node, objective: Option<&Node>, out: &mut Findings) -> Option<Sli> {
    let metric = amount(node, out);
    let get = |key: &str| node.get(key).or_else(|| objective.and_then(|objective| objective.get(key)));
    let (Some(op), Some(value)) = (get("op"), get("value")) else {
        // An SLI on its own may leave them to the objectives of its SLOs.
        objective?;
        out.add(Code::Indicator, node.named, "a gauge is compared with something: `op` and `value` belong to it");
        return None;
    };
    let (op, value) = (word(op, &COMPARISONS, Code::Syntax, out), decimal(value, out));
    Some(Sli::Gauge { metric: metric?, op: op?, value: value? })
}

fn quantile(node: &Node, out: &mut Findings) -> Option<Sli> {
    let is_latency = node.get("latency").and_then(|node| flag(node, out)).unwrap_or(false);
    if is_latency == node.get("metric").is_some() {
        out.add(Code::Indicator, node.named, "exactly one of `metric` and `latency: true` belongs to a quantile");
        return None;
    }
    let metric = if is_latency { None } else { Some(amount(node, out)?) };
    let threshold = required(node, "threshold", out).and_then(|node| match is_latency {
        true => nanoseconds(node, out).and_then(|ns| i64::try_from(ns).ok()).map(|ns| Decimal::new(ns, 0)),
        false => decimal(node, out),
    });
    let at = required(node, "q", out)?;
    let q = decimal(at, out).filter(|q| *q > Decimal::ZERO && *q < Decimal::ONE);
    let q = q.or_else(|| wrong(at, "a quantile above 0 and below 1", out))?;
    Some(Sli::Quantile { metric, q, threshold: threshold? })
}

fn ratio(node: &Node, out: &mut Findings) -> Option<Sli> {
    let metric = amount(node, out);
    let Some(raw_type) = node.get("rawType") else {
        out.add(Code::Indicator, node.named, "`rawType` says whether the ratio is of success or failure");
        return None;
    };
    let is_failure = word(raw_type, &[("success", false), ("failure", true)], Code::UnknownOurKey, out)?;
    Some(Sli::Ratio { metric: metric?, is_failure })
}

fn amount(node: &Node, out: &mut Findings) -> Option<Amount> {
    mapping(node, out)?;
    let metric = text(required(node, "metric", out)?, out)?.to_owned();
    let attributes = match node.get("attributes") {
        Some(attributes) => mapping(attributes, out)?.entries(),
        None => &[],
    };
    let attributes = attributes.iter().filter_map(|entry| {
        let pattern = text(&entry.node, out)?;
        Some((entry.key.clone(), Glob::new(pattern)))
    });
    Some(Amount { metric, attributes: attributes.collect() })
}

fn composite(node: &Node, places: &mut Vec<Spot>, out: &mut Findings) -> Option<Sli> {
    let items = list(required(node, "components", out)?, out)?;
    let mut components = Vec::new();
    for item in items {
        if let Some(component) = mapping(item, out).and_then(|item| component(item, out)) {
            components.push(component);
            places.push(item.get("slo").unwrap_or(item).at);
        }
    }
    if items.is_empty() {
        out.add(Code::Missing, node.named, "a composite without components");
    }
    (!components.is_empty()).then_some(Sli::Composite(components))
}

fn component(node: &Node, out: &mut Findings) -> Option<Component> {
    check_ours(node, &["slo", "module", "weight", "whenUnmeasured"], out);
    let slo = text(required(node, "slo", out)?, out)?.to_owned();
    let module = node.get("module").and_then(|node| text(node, out)).map(str::to_owned);
    let weight = match node.get("weight") {
        Some(weight) => weight_of(weight, out)?,
        None => Decimal::ONE,
    };
    let words = [
        ("freeze", WhenUnmeasured::Freeze),
        ("ignore", WhenUnmeasured::Ignore),
        ("good", WhenUnmeasured::Good),
        ("bad", WhenUnmeasured::Bad),
    ];
    let when = node.get("whenUnmeasured").and_then(|node| word(node, &words, Code::UnknownOurKey, out));
    Some(Component { slo, module, weight, when_unmeasured: when.unwrap_or(WhenUnmeasured::Freeze) })
}

/// A weight above 0.
pub(crate) fn weight_of(node: &Node, out: &mut Findings) -> Option<Decimal> {
    let weight = decimal(node, out)?;
    if weight <= Decimal::ZERO {
        out.add(Code::Composite, node.at, format!("a weight of {weight} does not weigh"));
        return None;
    }
    Some(weight)
}
