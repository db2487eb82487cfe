//! Indicators in the words of v1, written where they were referred to.

use super::slo::Source;
use crate::document::{Fields, Kind, Node, Set, Value, Version, Yaml, indicator_keys};

/// The indicator behind a key of an SLO or objective, and its key in v1; `None` if the key is none of an indicator.
pub(super) fn indicator(key: &str, node: &Node, source: Source<'_>) -> Option<(&'static str, Yaml)> {
    let (inline, by_name) = indicator_keys(source.version);
    if source.version == Version::V1Alpha {
        return match key {
            "indicator" | "ratioMetrics" => Some(("indicator", of_alpha(key, node))),
            _ => None,
        };
    }
    if key == inline {
        return Some(("indicator", sli(node, source.version, source.set)));
    }
    if key != by_name {
        return None;
    }
    let found = node.text().and_then(|name| source.set.get(Kind::Sli, name));
    Some(match found {
        Some(object) => {
            let version = object.what.map_or(source.version, |(version, _)| version);
            ("indicator", sli(&object.node, version, source.set))
        }
        None => ("indicatorRef", Yaml::of(node)),
    })
}

/// An SLI, inline or an object: its metadata and its body.
fn sli(node: &Node, version: Version, set: &Set<'_>) -> Yaml {
    if !matches!(node.value, Value::Map(_)) {
        return Yaml::of(node);
    }
    let mut fields = Fields::new();
    for entry in node.entries().iter().filter(|entry| !matches!(entry.key.as_str(), "apiVersion" | "kind")) {
        let value = if entry.key == "spec" { body(&entry.node, version, set) } else { Yaml::of(&entry.node) };
        fields.set(&entry.key, value);
    }
    fields.into()
}

fn body(spec: &Node, version: Version, set: &Set<'_>) -> Yaml {
    let metric = |node: &Node| metric(node, version, set);
    each(spec, |key, node| match key {
        "thresholdMetric" => metric(node),
        "ratioMetric" if matches!(node.value, Value::Map(_)) => ratio(node, metric),
        _ => Yaml::of(node),
    })
}

fn ratio(node: &Node, metric: impl Fn(&Node) -> Yaml) -> Yaml {
    let parts = each(node, |key, part| match key {
        "good" | "bad" | "total" | "raw" => metric(part),
        _ => Yaml::of(part),
    });
    match parts {
        // What is missing is read as true.
        Yaml::Map(mut entries) if node.get("counter").is_none() && node.get("raw").is_none() => {
            entries.retain(|(key, _)| key != "counter");
            entries.insert(0, ("counter".to_owned(), Yaml::plain(true)));
            Yaml::Map(entries)
        }
        parts => parts,
    }
}

/// A metric, with the type of the data source that it refers to.
fn metric(node: &Node, version: Version, set: &Set<'_>) -> Yaml {
    let is_v2 = version == Version::V2Alpha;
    let source = if is_v2 { Some(node) } else { node.get("metricSource") };
    let Some(source) = source.filter(|source| matches!(source.value, Value::Map(_))) else { return Yaml::of(node) };
    let by_name = if is_v2 { "dataSourceRef" } else { "metricSourceRef" };
    let reference = source.get(by_name);
    let own = if is_v2 { source.get("dataSourceSpec").and_then(|spec| spec.get("type")) } else { source.get("type") };
    let found = || set.get(Kind::DataSource, reference?.text()?)?.spec()?.get("type");
    let mut fields = Fields::new();
    match (own.or_else(found), reference) {
        (Some(kind), _) => fields.set("type", Yaml::of(kind)),
        (None, Some(reference)) => fields.set("metricSourceRef", Yaml::of(reference)),
        (None, None) => {}
    }
    let known = [by_name, "type", "dataSourceSpec"];
    for entry in source.entries().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        fields.set(&entry.key, Yaml::of(&entry.node));
    }
    let mut all = Fields::new().with("metricSource", fields.into());
    let beside = if is_v2 { &[][..] } else { node.entries() };
    for entry in beside.iter().filter(|entry| entry.key != "metricSource") {
        all.set(&entry.key, Yaml::of(&entry.node));
    }
    all.into()
}

/// An indicator of `v1alpha`: `{thresholdMetric}`, or the ratio of an objective.
fn of_alpha(key: &str, node: &Node) -> Yaml {
    if !matches!(node.value, Value::Map(_)) {
        return Yaml::of(node);
    }
    let body: Yaml = if key == "indicator" {
        each(node, |key, part| if key == "thresholdMetric" { alpha_metric(part) } else { Yaml::of(part) })
    } else {
        let counter = node.get("incremental").or_else(|| node.get("counter"));
        let mut fields = Fields::new().with("counter", counter.map_or_else(|| Yaml::plain(true), Yaml::of));
        for entry in node.entries().iter().filter(|entry| !matches!(entry.key.as_str(), "incremental" | "counter")) {
            fields.set(&entry.key, alpha_metric(&entry.node));
        }
        Fields::new().with("ratioMetric", fields.into()).into()
    };
    Fields::new().with("spec", body).into()
}

fn alpha_metric(node: &Node) -> Yaml {
    let Some(kind) = node.get("source") else { return Yaml::of(node) };
    let asked = node.entries().iter().filter(|entry| entry.key != "source");
    let asked: Fields = asked.map(|entry| (entry.key.clone(), Yaml::of(&entry.node))).collect();
    let source = Fields::new().with("type", Yaml::of(kind)).with_some("spec", asked.some());
    Fields::new().with("metricSource", source.into()).into()
}

/// A mapping with each of its values turned into something; anything else as it is.
fn each(node: &Node, of: impl Fn(&str, &Node) -> Yaml) -> Yaml {
    match &node.value {
        Value::Map(entries) => {
            Yaml::Map(entries.iter().map(|entry| (entry.key.clone(), of(&entry.key, &entry.node))).collect())
        }
        _ => Yaml::of(node),
    }
}
