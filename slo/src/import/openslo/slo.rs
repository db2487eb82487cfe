//! The body of an SLO in the words of v1.

use super::{alerts, metric};
use crate::document::{Fields, Node, Object, Set, Value, Version, Yaml};
use crate::import::map::Map;

/// An SLO and what it may refer to.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) object: &'a Object,
    pub(super) version: Version,
    pub(super) set: &'a Set<'a>,
}

/// The body, with what the map says of it.
pub(super) fn body(source: Source<'_>, map: &mut Map) -> Yaml {
    let Some(spec) = source.object.spec() else { return Yaml::Nothing };
    if !matches!(spec.value, Value::Map(_)) {
        return Yaml::of(spec);
    }
    let mut fields = Fields::new();
    for entry in spec.entries() {
        let node = &entry.node;
        match entry.key.as_str() {
            "bailiwick" => {}
            "objectives" => fields.set("objectives", objectives(node, source)),
            "alertPolicies" if !node.is_nothing() => fields.set("alertPolicies", alerts::policies(node, source.set)),
            "timeWindow" | "timeWindows" => fields.set("timeWindow", windows(node, source.version)),
            key => match metric::indicator(key, node, source) {
                Some((key, value)) => fields.set(key, value),
                None => fields.set(key, Yaml::of(node)),
            },
        }
    }
    if spec.get("timeWindow").or_else(|| spec.get("timeWindows")).is_none_or(is_empty) {
        // What is missing is read as 30 days.
        let usual = Fields::new().with("duration", Yaml::plain("30d")).with("isRolling", Yaml::plain(true));
        fields.set("timeWindow", Yaml::List(vec![usual.into()]));
    }
    if let Some(extension) = extension(source, spec, map) {
        fields.set("bailiwick", extension);
    }
    fields.into()
}

const fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::List(items) if items.is_empty())
}

/// Our extension from wherever it stands, with the module and SLI of the map.
fn extension(source: Source<'_>, spec: &Node, map: &mut Map) -> Option<Yaml> {
    let written = spec.get("bailiwick").or(source.object.annotated.as_ref());
    let mapped = map.find(&[&source.object.name]);
    if written.is_some_and(|node| !matches!(node.value, Value::Map(_))) {
        return written.map(Yaml::of);
    }
    let entries = written.map_or(&[][..], Node::entries).iter();
    let mut fields: Fields = entries.map(|entry| (entry.key.clone(), Yaml::of(&entry.node))).collect();
    let said = mapped.map(|mapped| [("module", mapped.module.clone()), ("sli", mapped.sli.clone())]);
    for (key, value) in said.into_iter().flatten() {
        if let Some(value) = value {
            fields.set(key, value);
        }
    }
    fields.some()
}

fn objectives(node: &Node, source: Source<'_>) -> Yaml {
    let Value::List(items) = &node.value else { return Yaml::of(node) };
    Yaml::List(items.iter().map(|item| objective(item, source)).collect())
}

fn objective(item: &Node, source: Source<'_>) -> Yaml {
    if !matches!(item.value, Value::Map(_)) {
        return Yaml::of(item);
    }
    let mut fields = Fields::new();
    for entry in item.entries() {
        match metric::indicator(&entry.key, &entry.node, source) {
            Some((key, value)) => fields.set(key, value),
            None => fields.set(&entry.key, Yaml::of(&entry.node)),
        }
    }
    // The slices of `v1alpha` last a minute.
    let method = source.object.spec().and_then(|spec| spec.get("budgetingMethod")).and_then(Node::text);
    if source.version == Version::V1Alpha && method.is_some_and(|method| method != "Occurrences") {
        fields.set("timeSliceWindow", Yaml::plain("1m"));
    }
    fields.into()
}

fn windows(node: &Node, version: Version) -> Yaml {
    match &node.value {
        Value::List(items) if version == Version::V1Alpha => Yaml::List(items.iter().map(counted).collect()),
        _ if version == Version::V1Alpha => counted(node),
        _ => Yaml::of(node),
    }
}

/// A window of `v1alpha`: count and unit are a duration.
fn counted(node: &Node) -> Yaml {
    let units = [
        ("Second", "s"),
        ("Minute", "m"),
        ("Hour", "h"),
        ("Day", "d"),
        ("Week", "w"),
        ("Month", "M"),
        ("Quarter", "Q"),
        ("Year", "Y"),
    ];
    let unit = node.get("unit").and_then(Node::text);
    let unit = units.iter().find(|(name, _)| Some(*name) == unit).map(|(_, unit)| *unit);
    let (Some(unit), Some(count)) = (unit, node.get("count").and_then(Node::text)) else { return Yaml::of(node) };
    let mut fields = Fields::new().with("duration", Yaml::plain(format_args!("{count}{unit}")));
    for entry in node.entries().iter().filter(|entry| !matches!(entry.key.as_str(), "count" | "unit")) {
        fields.set(&entry.key, Yaml::of(&entry.node));
    }
    fields.into()
}
