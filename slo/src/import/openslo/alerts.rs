//! Alert policies, written where they were referred to, with their conditions and notification targets.

use crate::document::{Fields, Kind, Node, Set, Value, Yaml};

/// `alertPolicies` of an SLO.
pub(super) fn policies(node: &Node, set: &Set<'_>) -> Yaml {
    entries(node, (Kind::AlertPolicy, "alertPolicyRef"), set)
}

/// A list of objects of a kind, each a name (of policies), a reference, or the object itself.
fn entries(node: &Node, of: (Kind, &str), set: &Set<'_>) -> Yaml {
    match &node.value {
        Value::List(items) => Yaml::List(items.iter().map(|item| entry(item, of, set)).collect()),
        _ => Yaml::of(node),
    }
}

fn entry(item: &Node, (kind, by_name): (Kind, &str), set: &Set<'_>) -> Yaml {
    let name = match &item.value {
        Value::Scalar(_) if kind == Kind::AlertPolicy => item.text(),
        _ => item.get(by_name).and_then(Node::text),
    };
    let found = name.and_then(|name| set.get(kind, name));
    let Some(object) = found.map_or_else(|| item.get("spec").map(|_| item), |object| Some(&object.node)) else {
        return Yaml::of(item);
    };
    let mut fields = Fields::new().with("kind", Yaml::text(kind.name()));
    for entry in object.entries().iter().filter(|entry| entry.key != "apiVersion" && entry.key != by_name) {
        let value = if entry.key == "spec" && kind == Kind::AlertPolicy {
            body(&entry.node, set)
        } else {
            Yaml::of(&entry.node)
        };
        fields.set(&entry.key, value);
    }
    fields.into()
}

fn body(spec: &Node, set: &Set<'_>) -> Yaml {
    let Value::Map(parts) = &spec.value else { return Yaml::of(spec) };
    let part = |key: &str, node: &Node| match key {
        "conditions" => entries(node, (Kind::AlertCondition, "conditionRef"), set),
        "notificationTargets" => entries(node, (Kind::AlertNotificationTarget, "targetRef"), set),
        _ => Yaml::of(node),
    };
    Yaml::Map(parts.iter().map(|entry| (entry.key.clone(), part(&entry.key, &entry.node))).collect())
}
