//! Which keys a tool has. One walk over an object tells of those that nobody knows, and of those that have no
//! counterpart here: both are 004, the latter as a note.

use crate::document::{Code, Findings, Node, Severity, Spot, Value, unknown};

/// What may stand below a key.
pub(crate) enum Keys {
    /// Whatever: its reader judges it.
    Any,
    /// A mapping of these, or a list of such mappings.
    Map(&'static [(&'static str, &'static Self)]),
    /// Nothing that could be taken over, and why.
    Dropped(&'static str),
}

use Keys::{Any, Dropped, Map};

const CLUSTER: Keys = Dropped("it is the cluster's own");

/// `metadata` of Kubernetes objects.
pub(crate) const METADATA: Keys = Map(&[
    ("name", &Any),
    ("labels", &Any),
    ("annotations", &Any),
    ("namespace", &Dropped("whose requests count is said by tenants and modules")),
    ("uid", &CLUSTER),
    ("resourceVersion", &CLUSTER),
    ("creationTimestamp", &CLUSTER),
    ("generation", &CLUSTER),
    ("managedFields", &CLUSTER),
    ("ownerReferences", &CLUSTER),
    ("finalizers", &CLUSTER),
]);

/// The result that a cluster writes into an object.
pub(crate) const STATUS: Keys = CLUSTER;

/// Tells of all keys that are not read.
pub(crate) fn check(node: &Node, keys: &Keys, out: &mut Findings) {
    match (&node.value, keys) {
        (Value::List(items), Map(_)) => items.iter().for_each(|item| check(item, keys, out)),
        (Value::Map(entries), Map(known)) => {
            for entry in entries {
                match known.iter().find(|(key, _)| *key == entry.key) {
                    Some((key, Dropped(why))) => dropped(key, why, entry.node.named, out),
                    Some((_, below)) => check(&entry.node, below, out),
                    None => unknown(entry, known.iter().map(|(key, _)| *key), Code::UnknownKey, out),
                }
            }
        }
        _ => {}
    }
}

/// Tells of something that is known but not taken over.
pub(crate) fn dropped(what: &str, why: &str, at: Spot, out: &mut Findings) {
    note(Code::UnknownKey, at, format!("`{what}` is not taken over: {why}"), out);
}

/// Tells of something that its author may want to know.
pub(crate) fn note(code: Code, at: Spot, message: impl Into<String>, out: &mut Findings) {
    out.add_as(code, Severity::Note, at, message);
}
