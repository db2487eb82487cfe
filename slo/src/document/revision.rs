//! Revisions: another meaning is another revision, another layout is not.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::read::{Kind, Object, Set};
use super::tree::{Node, Value, canonical};

/// Hex digits that are kept.
const DIGITS: usize = 8;

/// Which kind each key refers to.
const REFERENCES: [(&str, Kind); 8] = [
    ("indicatorRef", Kind::Sli),
    ("sliRef", Kind::Sli),
    ("alertPolicyRef", Kind::AlertPolicy),
    ("conditionRef", Kind::AlertCondition),
    ("targetRef", Kind::AlertNotificationTarget),
    ("metricSourceRef", Kind::DataSource),
    ("dataSourceRef", Kind::DataSource),
    ("preset", Kind::AlertWindows),
];

/// The first 8 hex digits of the SHA-256 of an object and of all that it refers to.
pub(super) fn of(object: &Object, set: &Set<'_>) -> String {
    let mut hash = Sha256::new();
    hash.update(canonical(&object.node));
    if let Some(extension) = &object.annotated {
        hash.update(canonical(extension));
    }
    let mut seen = BTreeSet::new();
    let mut next = names(object);
    while let Some((kind, name)) = next.pop_first() {
        let Some(found) = set.get(kind, &name) else { continue };
        if seen.insert((kind, name)) {
            next.extend(names(found));
        }
    }
    for (kind, name) in seen {
        if let Some(found) = set.get(kind, &name) {
            hash.update(canonical(&found.node));
        }
    }
    let bytes = hash.finalize();
    bytes.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

fn names(object: &Object) -> BTreeSet<(Kind, String)> {
    let mut names = BTreeSet::new();
    gather(&object.node, &mut names);
    if let Some(extension) = &object.annotated {
        gather(extension, &mut names);
    }
    names
}

fn gather(node: &Node, names: &mut BTreeSet<(Kind, String)>) {
    match &node.value {
        Value::Scalar(_) => {}
        Value::List(items) => items.iter().for_each(|item| gather(item, names)),
        Value::Map(entries) => {
            for entry in entries {
                let kind = REFERENCES.iter().find(|(key, _)| *key == entry.key).map(|(_, kind)| *kind);
                if let (Some(kind), Some(name)) = (kind, entry.node.text()) {
                    names.insert((kind, name.to_owned()));
                }
                if entry.key == "alertPolicies" {
                    let policies = entry.node.items().iter().filter_map(Node::text);
                    names.extend(policies.map(|name| (Kind::AlertPolicy, name.to_owned())));
                }
                gather(&entry.node, names);
            }
        }
    }
}
