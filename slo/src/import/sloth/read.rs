//! From sloth's objects to documents.

use super::{specs, windows, words};
use crate::document::{Code, Findings, Node, shortened};
use crate::import::map::Map;
use crate::import::outline::Made;
use crate::spec::TimeSpan;

/// Documents from the objects of all texts.
pub(crate) fn read(roots: &[Node], period: Option<TimeSpan>, map: &mut Map, out: &mut Findings) -> Vec<Made> {
    let (mut made, mut catalogue, mut found) = (Vec::new(), windows::Catalogue::default(), Vec::new());
    for root in roots {
        match kind(root, out) {
            Some(What::Windows) => made.extend(catalogue.add(root, out)),
            Some(What::Spec(words)) => found.push((root, words)),
            None => {}
        }
    }
    let chosen = catalogue.choose(period, roots, out);
    for (root, words) in found {
        let outlines = specs::read(root, words, &chosen, out);
        made.extend(outlines.into_iter().map(|outline| outline.document(map, out)));
    }
    made
}

enum What {
    Spec(&'static words::Words),
    Windows,
}

fn kind(root: &Node, out: &mut Findings) -> Option<What> {
    let text = |key: &str| root.get(key).and_then(Node::text);
    let (version, at) = match (text("version"), text("apiVersion")) {
        (Some("prometheus/v1"), _) => return Some(What::Spec(&words::PLAIN)),
        (Some(other), None) => (other, root.get("version")),
        (_, Some("sloth.slok.dev/v1")) => match text("kind") {
            Some("PrometheusServiceLevel") => return Some(What::Spec(&words::CLUSTER)),
            Some("AlertWindows") => return Some(What::Windows),
            other => {
                let at = root.get("kind").map_or(root.at, |node| node.at);
                let found = shortened(other.unwrap_or("nothing"));
                let raw = out.add(Code::Kind, at, format!("sloth.slok.dev/v1 has no kind `{found}`"));
                raw.help("its kinds: PrometheusServiceLevel, AlertWindows");
                return None;
            }
        },
        (None, Some(other)) => (other, root.get("apiVersion")),
        (None, None) => ("nothing", None),
        (Some(_), Some(other)) => (other, root.get("apiVersion")),
    };
    let at = at.map_or(root.at, |node| node.at);
    let raw = out.add(Code::Kind, at, format!("`{}` is no version of sloth", shortened(version)));
    raw.help(match version.starts_with("openslo") {
        true => "import it as openslo",
        false => "known ones: `version: prometheus/v1`, `apiVersion: sloth.slok.dev/v1`",
    });
    None
}
