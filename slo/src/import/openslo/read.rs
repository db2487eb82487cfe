//! From OpenSLO's objects to documents.

use super::slo;
use crate::document::{
    ANNOTATION, Code, Context, Document, Fields, Findings, Kind, Node, Object, Set, Severity, Yaml, check_objects,
    shortened,
};
use crate::import::map::Map;
use crate::import::outline::Made;
use crate::import::outline::keys;

/// Documents from the objects of all texts.
pub(crate) fn read(objects: &[Object], files: &[&str], map: &mut Map, out: &mut Findings) -> Vec<Made> {
    let (context, mut found) = (Context::default(), Findings::default());
    check_objects(objects, files, &context, &mut found);
    // What is inactive shows when the map is known.
    out.take_all(found, |code| code != Code::Foreign);
    let set = Set::new(objects, files, &context, &mut Findings::default());
    objects.iter().filter_map(|object| one(object, &set, map, out)).collect()
}

fn one(object: &Object, set: &Set<'_>, map: &mut Map, out: &mut Findings) -> Option<Made> {
    let ((version, kind), spec) = (object.what?, object.spec());
    if object.name.is_empty() {
        return None;
    }
    tell_connections(&object.node, out);
    let spec = match kind {
        Kind::Slo => slo::body(slo::Source { object, version, set }, map),
        Kind::AlertWindows => Yaml::of(spec?),
        Kind::BudgetAdjustment => {
            let message = format!("the adjustment `{}` is not taken over", shortened(&object.name));
            out.add_as(Code::UnknownKey, Severity::Warning, object.name_at, message).help("record it as a correction");
            return None;
        }
        Kind::Service => {
            let why = "an SLO names its service, and nothing else is said of it here";
            keys::dropped(&format!("Service {}", shortened(&object.name)), why, object.name_at, out);
            return None;
        }
        Kind::Sli | Kind::DataSource | Kind::AlertPolicy | Kind::AlertCondition | Kind::AlertNotificationTarget => {
            let what = format!("{} {}", kind.name(), shortened(&object.name));
            keys::dropped(&what, "it is written into the SLOs that refer to it", object.name_at, out);
            return None;
        }
    };
    Some(Made { document: Document::new(kind, &object.name, beside(object), spec), at: object.name_at })
}

/// Tells of sources that say how they are reached: an SLO only names their type.
fn tell_connections(node: &Node, out: &mut Findings) {
    for entry in node.entries() {
        if entry.key == "dataSourceSpec" {
            for stray in entry.node.entries().iter().filter(|entry| entry.key != "type") {
                keys::dropped(&stray.key, "a source of another system is not asked here", stray.node.named, out);
            }
        }
        tell_connections(&entry.node, out);
    }
    node.items().iter().for_each(|item| tell_connections(item, out));
}

/// What belongs to `metadata` beside the name, without the extension that goes to the body.
fn beside(object: &Object) -> Fields {
    let entries = object.metadata().map_or(&[][..], Node::entries);
    let of = |key: &str, node: &Node| match key {
        "annotations" => {
            let others = node.entries().iter().filter(|entry| entry.key != ANNOTATION);
            others.map(|entry| (entry.key.clone(), Yaml::of(&entry.node))).collect::<Fields>().some()
        }
        _ => Some(Yaml::of(node)),
    };
    let fields = entries.iter().filter(|entry| entry.key != "name");
    fields.filter_map(|entry| Some((entry.key.clone(), of(&entry.key, &entry.node)?))).collect()
}
