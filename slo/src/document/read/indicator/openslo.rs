//! Indicators in OpenSLO's words: threshold and ratio metrics, inline or by reference.

use super::ours::{self, COMPARISONS, OurSli};
use crate::document::finding::{Code, Findings, FixAt};
use crate::document::read::known::check_ours;
use crate::document::read::value::{decimal, flag, mapping, required, text, word};
use crate::document::read::{Kind, Scope, Version};
use crate::document::tree::{Node, Spot};
use crate::spec::Sli;

/// The `type` of a source that this daemon reads itself.
const OUR_TYPE: &str = "Bailiwick";

/// What is good of what, and how OpenSLO put it.
#[derive(Debug, Clone)]
pub(crate) struct Indicator {
    pub(crate) ours: OurSli,
    /// It is compared with the objective's `value`; a ratio is not.
    pub(crate) is_threshold: bool,
}

impl Indicator {
    /// Whether another system keeps its data.
    pub(crate) const fn is_foreign(&self) -> bool {
        matches!(self.ours.sli, Sli::Foreign(_))
    }
}

/// The keys of inline indicators and of references to them.
pub(crate) const fn keys(version: Version) -> (&'static str, &'static str) {
    if matches!(version, Version::V2Alpha) { ("sli", "sliRef") } else { ("indicator", "indicatorRef") }
}

/// Where an SLO or one of its objectives has an indicator.
pub(crate) fn place(holder: &Node, version: Version) -> Option<Spot> {
    let (inline, by_name) = keys(version);
    let keys = if version == Version::V1Alpha { [inline, "ratioMetrics"] } else { [inline, by_name] };
    keys.into_iter().find_map(|key| holder.get(key)).map(|node| node.named)
}

/// Reads the indicator of an SLO or objective.
pub(crate) fn read(holder: &Node, objective: &Node, scope: Scope<'_>, out: &mut Findings) -> Option<Indicator> {
    if scope.version == Version::V1Alpha {
        return alpha(holder, out);
    }
    let (inline, by_name) = keys(scope.version);
    match (holder.get(inline), holder.get(by_name)) {
        (Some(_), Some(reference)) => {
            out.add(Code::Indicator, reference.named, format!("`{inline}` and `{by_name}` exclude each other"));
            None
        }
        (Some(inline), None) => body(required(mapping(inline, out)?, "spec", out)?, Some(objective), scope, out),
        (None, Some(reference)) => {
            let object = scope.set.find(Kind::Sli, text(reference, out)?, reference.at, out)?;
            let version = object.what.map_or(scope.version, |(version, _)| version);
            let scope = Scope { version, ..scope };
            body(object.spec()?, Some(objective), scope, out)
        }
        (None, None) => None,
    }
}

/// Tells what is wrong with an SLI on its own.
pub(crate) fn check(spec: &Node, scope: Scope<'_>, out: &mut Findings) {
    body(spec, None, scope, out);
}

/// Tells of a threshold that is compared with nothing, and of a ratio that is compared with something.
pub(crate) fn check_comparison(indicator: &Indicator, objective: &Node, out: &mut Findings) {
    let (op, value) = (objective.get("op"), objective.get("value"));
    if !indicator.is_threshold {
        if let Some(stray) = op.or(value) {
            out.add(Code::OpIgnored, stray.named, "`op` and `value` of a ratio are ignored").help("leave them out");
        }
        return;
    }
    if let Some(op) = op {
        word(op, &COMPARISONS, Code::Syntax, out);
    }
    if let Some(value) = value {
        decimal(value, out);
    }
    // Our own indicators carry what they are compared with.
    if indicator.is_foreign() && (op.is_none() || value.is_none()) {
        let missing = if op.is_none() { "op" } else { "value" };
        out.add(Code::Indicator, objective.named, format!("a threshold metric is compared: `{missing}` is missing"));
    }
}

fn body(spec: &Node, objective: Option<&Node>, scope: Scope<'_>, out: &mut Findings) -> Option<Indicator> {
    mapping(spec, out)?;
    match (spec.get("thresholdMetric"), spec.get("ratioMetric")) {
        (Some(threshold), None) => {
            let source = Source::read(threshold, scope, out)?;
            Some(Indicator { ours: source.sli(objective, out)?, is_threshold: true })
        }
        (None, Some(ratio)) => {
            let ours = ratio_metric(ratio, objective, scope, out)?;
            Some(Indicator { ours, is_threshold: false })
        }
        _ => {
            out.add(Code::Indicator, spec.named, "exactly one of `thresholdMetric` and `ratioMetric` belongs here");
            None
        }
    }
}

fn ratio_metric(ratio: &Node, objective: Option<&Node>, scope: Scope<'_>, out: &mut Findings) -> Option<OurSli> {
    mapping(ratio, out)?;
    let parts = ["good", "bad", "total"].map(|key| ratio.get(key));
    if let Some(raw) = ratio.get("raw") {
        match ratio.get("rawType") {
            None => {
                out.add(Code::Indicator, raw.named, "`raw` needs a `rawType`: `success` or `failure`");
            }
            Some(raw_type) => {
                word(raw_type, &[("success", ()), ("failure", ())], Code::Syntax, out);
            }
        }
        if let Some(stray) = parts.into_iter().flatten().next() {
            out.add(Code::Indicator, stray.named, "`raw` excludes `good`, `bad` and `total`");
            return None;
        }
        return Source::read(raw, scope, out)?.sli(objective, out);
    }
    match ratio.get("counter") {
        None => {
            let raw = out.add(Code::CounterMissing, ratio.named, "`counter` is missing and read as true");
            raw.fix(FixAt::Below("counter"), "true");
        }
        Some(counter) => {
            flag(counter, out);
        }
    }
    let (part, total) = match parts {
        [Some(part), None, Some(total)] | [None, Some(part), Some(total)] => (part, total),
        [_, _, total] => {
            let missing = if total.is_some() { "exactly one of `good` and `bad` belongs" } else { "`total` belongs" };
            out.add(Code::Indicator, ratio.named, format!("{missing} to a ratio"));
            return None;
        }
    };
    let (part, total) = (Source::read(part, scope, out), Source::read(total, scope, out));
    if let Some(Source { is_ours: true, spec: Some(spec), .. }) = part {
        // What is good follows from the kind that stands under `total`.
        check_ours(spec, &[], out);
    }
    total?.sli(objective, out)
}

/// `v1alpha`: a threshold in the SLO, ratios in the objectives.
fn alpha(holder: &Node, out: &mut Findings) -> Option<Indicator> {
    let (metric, is_threshold) = match (holder.get("indicator"), holder.get("ratioMetrics")) {
        (Some(indicator), _) => (required(mapping(indicator, out)?, "thresholdMetric", out)?, true),
        (None, Some(ratio)) => {
            if mapping(ratio, out)?.get("incremental").or_else(|| ratio.get("counter")).is_none() {
                let raw = out.add(Code::CounterMissing, ratio.named, "`incremental` is missing and read as true");
                raw.fix(FixAt::Below("incremental"), "true");
            }
            required(ratio, "good", out);
            (required(ratio, "total", out)?, false)
        }
        (None, None) => return None,
    };
    let source = required(mapping(metric, out)?, "source", out)?;
    let source = Source { kind: text(source, out)?, at: source.at, is_ours: false, spec: None, named: metric.named };
    Some(Indicator { ours: source.sli(None, out)?, is_threshold })
}

/// Where a metric comes from.
struct Source<'a> {
    kind: &'a str,
    at: Spot,
    named: Spot,
    is_ours: bool,
    spec: Option<&'a Node>,
}

impl<'a> Source<'a> {
    fn read(metric: &'a Node, scope: Scope<'a>, out: &mut Findings) -> Option<Self> {
        mapping(metric, out)?;
        let is_v2 = scope.version == Version::V2Alpha;
        let source = if is_v2 { metric } else { required(metric, "metricSource", out)? };
        mapping(source, out)?;
        let (by_name, own) = match is_v2 {
            true => ("dataSourceRef", source.get("dataSourceSpec").and_then(|spec| spec.get("type"))),
            false => ("metricSourceRef", source.get("type")),
        };
        let reference = source.get(by_name);
        let data_source = reference.and_then(|node| scope.set.find(Kind::DataSource, text(node, out)?, node.at, out));
        let known = own.or_else(|| data_source.and_then(|object| object.spec()?.get("type")));
        let (kind, at) = match (known, reference) {
            // The place is the reference's: another file's place would not tell which metric is meant.
            (Some(node), reference) => (text(node, out)?, own.or(reference).map_or(node.at, |node| node.at)),
            (None, Some(reference)) => ("unknown", reference.at),
            (None, None) => {
                let wanted = if is_v2 { "dataSourceRef` or `dataSourceSpec" } else { "type` or `metricSourceRef" };
                out.add(Code::Missing, source.named, format!("`{wanted}` is missing"));
                return None;
            }
        };
        Some(Self { kind, at, named: source.named, is_ours: kind == OUR_TYPE, spec: source.get("spec") })
    }

    fn sli(&self, objective: Option<&Node>, out: &mut Findings) -> Option<OurSli> {
        if self.is_ours {
            let Some(spec) = self.spec else {
                out.add(Code::Missing, self.named, "`spec` is missing: `{kind: ..}`");
                return None;
            };
            return ours::read(spec, objective, out);
        }
        let message = format!("a source of type `{}` is not read by this daemon: inactive", self.kind);
        out.add(Code::Foreign, self.at, message).help("give `spec.bailiwick.sli` to have it evaluated here");
        let sli = Sli::Foreign(self.kind.to_owned());
        Some(OurSli { sli, at: self.named, threshold_at: None, components_at: Vec::new() })
    }
}
