//! An SLO of another tool in our words, and the document that is made of it.

use std::collections::BTreeMap;

use super::keys;
use super::tier::{TierText, tiers};
use crate::document::{ANNOTATION, Code, Document, Fields, Findings, Kind, Node, Severity, Spot, Yaml, mapping};
use crate::import::map::Map;
use crate::spec::TimeSpan;

/// A document and where what it says stands in the source.
#[derive(Debug)]
pub(crate) struct Made {
    /// What is written.
    pub(crate) document: Document,
    /// Where its name stands.
    pub(crate) at: Spot,
}

/// An SLO of another tool.
#[derive(Debug)]
pub(crate) struct Outline {
    /// Its name here.
    pub(crate) name: String,
    /// Its name there, by which a map may mean it too.
    pub(crate) source_name: String,
    /// Where that stands.
    pub(crate) at: Spot,
    /// The service; `None`: the tool names none.
    pub(crate) service: Option<String>,
    /// Labels.
    pub(crate) labels: Fields,
    /// Annotations.
    pub(crate) annotations: Fields,
    /// What it is for.
    pub(crate) description: Option<Yaml>,
    /// P.
    pub(crate) period: TimeSpan,
    /// `target` or `targetPercent`, and its value.
    pub(crate) target: (&'static str, Yaml),
    /// What is good of what in the words of OpenSLO: the body of an SLI.
    pub(crate) indicator: Yaml,
    /// `alerts` of the extension.
    pub(crate) alerts: Fields,
    /// `noData` of the extension.
    pub(crate) no_data: Fields,
}

impl Outline {
    /// The document, with what the map says of it.
    pub(crate) fn document(self, map: &mut Map, out: &mut Findings) -> Made {
        let mapped = map.find(&[&self.name, &self.source_name]);
        if let Some(mapped) = mapped.filter(|mapped| self.service.is_none() && mapped.module.is_none()) {
            let message = format!("`module` is missing, and the source names no service: `{}` is taken", self.name);
            out.add_as(Code::Missing, Severity::Warning, mapped.at, message).help("say whose requests count: `module`");
        }
        let module = mapped.and_then(|mapped| mapped.module.clone());
        let service = self.service.unwrap_or_else(|| match &module {
            Some(Yaml::Text(one) | Yaml::Plain(one)) if !one.contains(['*', '?', '!']) => one.clone(),
            _ => self.name.clone(),
        });
        let is_service = matches!(&module, Some(Yaml::Text(one) | Yaml::Plain(one)) if *one == service);
        let extension = Fields::new()
            .with_some("module", module.filter(|_| !is_service))
            .with_some("sli", mapped.and_then(|mapped| mapped.sli.clone()))
            .with_some("alerts", self.alerts.some())
            .with_some("noData", self.no_data.some());
        let window = Fields::new().with("duration", Yaml::plain(self.period)).with("isRolling", Yaml::plain(true));
        let spec = Fields::new()
            .with_some("description", self.description)
            .with("service", Yaml::text(service))
            .with("indicator", Fields::new().with("spec", self.indicator).into())
            .with("budgetingMethod", Yaml::text("Occurrences"))
            .with("timeWindow", Yaml::List(vec![window.into()]))
            .with("objectives", Yaml::List(vec![Fields::new().with(self.target.0, self.target.1).into()]))
            .with_some("bailiwick", extension.some());
        let beside =
            Fields::new().with_some("labels", self.labels.some()).with_some("annotations", self.annotations.some());
        Made { document: Document::new(Kind::Slo, &self.name, beside, spec.into()), at: self.at }
    }
}

/// A named set of tiers.
pub(crate) fn windows(name: &str, at: Spot, of: &[TierText]) -> Made {
    let spec = Fields::new().with("tiers", tiers(of.iter().cloned()));
    Made { document: Document::new(Kind::AlertWindows, name, Fields::new(), spec.into()), at }
}

/// Where the events of a ratio come from: `good` or `bad`, and `total`.
pub(crate) fn ratio(part: &str, of: Yaml, total: Yaml) -> Yaml {
    let ratio = Fields::new().with("counter", Yaml::plain(true)).with(part, of).with("total", total);
    Fields::new().with("ratioMetric", ratio.into()).into()
}

/// A ratio that somebody else worked out; `raw_type`: `success` or `failure`.
pub(crate) fn raw(raw_type: &str, of: Yaml) -> Yaml {
    let ratio = Fields::new().with("raw", of).with("rawType", Yaml::text(raw_type));
    Fields::new().with("ratioMetric", ratio.into()).into()
}

/// A source of another system, and what it is asked.
pub(crate) fn source(kind: &str, asked: Fields) -> Yaml {
    let source = Fields::new().with("type", Yaml::text(kind)).with("spec", asked.into());
    Fields::new().with("metricSource", source.into()).into()
}

/// Labels, or annotations but for our own, by name; the later ones win.
pub(crate) fn names_of<'a>(nodes: impl IntoIterator<Item = Option<&'a Node>>, out: &mut Findings) -> Fields {
    let (mut names, mut own_at) = (BTreeMap::new(), None);
    for node in nodes.into_iter().flatten().filter_map(|node| mapping(node, out)) {
        own_at = node.get(ANNOTATION).map(|own| own.named).or(own_at);
        for entry in node.entries() {
            names.insert(entry.key.clone(), Yaml::of(&entry.node));
        }
    }
    if names.remove(ANNOTATION).is_some()
        && let Some(at) = own_at
    {
        keys::dropped(ANNOTATION, "what is imported has an extension of its own", at, out);
    }
    names.into_iter().collect()
}
