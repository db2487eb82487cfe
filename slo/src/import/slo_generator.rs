//! Google's slo-generator. A step of its error budget policy alerts when `(1 - SLI) / (1 - goal)` over one window is
//! above its threshold (`slo_generator/report.py`): a tier without a short window. It rounds that burn to one decimal
//! first, which is not done here.
//!
//! Its SLOs have no period of their own: here it is the longest window of the policy.

use std::collections::BTreeMap;

use super::map::Map;
use super::outline::keys::{self, Keys, Keys::Any, Keys::Dropped, Keys::Map as Mapping, METADATA};
use super::outline::tier::{TierText, preset, tiers};
use super::outline::{Made, Outline, names_of, raw, source};
use crate::document::{
    Code, Fields, Findings, Node, Yaml, decimal, flag, list, mapping, nearest, required, shortened, target_of_ratio,
    text, whole,
};
use crate::spec::{Severity, TimeSpan};

/// What holds where no policy says more.
const PERIOD: TimeSpan = TimeSpan(30 * 86_400);
/// The policy of SLOs that name none.
const USUAL: &str = "default";

const ELSEWHERE: Keys = Dropped("it says where figures come from or go to");
const KEYS: Keys = Mapping(&[
    ("apiVersion", &Any),
    ("kind", &Any),
    ("metadata", &METADATA),
    (
        "spec",
        &Mapping(&[
            ("description", &Any),
            ("goal", &Any),
            ("backend", &Any),
            ("method", &Any),
            ("service_level_indicator", &Any),
            ("error_budget_policy", &Any),
            ("exporters", &ELSEWHERE),
            ("frequency", &Dropped("SLOs are evaluated all the time")),
        ]),
    ),
]);
const SHARED: Keys = Mapping(&[
    ("error_budget_policies", &Any),
    ("backends", &ELSEWHERE),
    ("exporters", &ELSEWHERE),
    ("default_exporters", &ELSEWHERE),
]);
const MESSAGE: Keys = Dropped("a tier has no text; `alerts.runbook` and `policy` have");
const STEP: Keys = Mapping(&[
    ("name", &Dropped("a tier is named by its windows")),
    ("window", &Any),
    ("burn_rate_threshold", &Any),
    ("alert", &Any),
    ("message_alert", &MESSAGE),
    ("message_ok", &MESSAGE),
]);

/// An error budget policy.
struct Policy {
    tiers: Vec<TierText>,
    period: TimeSpan,
}

/// Documents from the objects of all texts.
pub(super) fn read(roots: &[Node], map: &mut Map, out: &mut Findings) -> Vec<Made> {
    let (mut policies, mut slos) = (BTreeMap::new(), Vec::new());
    for root in roots {
        if let Some(of) = root.get("error_budget_policies") {
            keys::check(root, &SHARED, out);
            read_policies(of, &mut policies, out);
        } else if is_slo(root, out) {
            keys::check(root, &KEYS, out);
            slos.push(root);
        }
    }
    let outlines = slos.into_iter().filter_map(|root| one(root, &policies, out));
    let outlines: Vec<_> = outlines.collect();
    outlines.into_iter().map(|outline| outline.document(map, out)).collect()
}

fn is_slo(root: &Node, out: &mut Findings) -> bool {
    let known = [("apiVersion", "sre.google.com/v2"), ("kind", "ServiceLevelObjective")];
    let text = |key: &str| root.get(key).and_then(Node::text);
    let Some((key, wanted)) = known.into_iter().find(|(key, name)| text(key) != Some(name)) else { return true };
    let at = root.get(key).map_or(root.at, |node| node.at);
    let found = shortened(text(key).unwrap_or("nothing"));
    let raw = out.add(Code::Kind, at, format!("`{key}: {found}` is not of slo-generator's version 2"));
    raw.help(match root.get("slo_name") {
        Some(_) => "a file of version 1: run `slo-generator migrate` on it".to_owned(),
        None => format!("an SLO has `{wanted}`, a shared configuration has `error_budget_policies`"),
    });
    false
}

fn read_policies(of: &Node, policies: &mut BTreeMap<String, Policy>, out: &mut Findings) {
    mapping(of, out);
    for entry in of.entries() {
        let Some(policy) = mapping(&entry.node, out) else { continue };
        keys::check(policy, &Mapping(&[("steps", &STEP)]), out);
        let steps = required(policy, "steps", out).and_then(|steps| list(steps, out)).unwrap_or_default();
        let tiers: Vec<_> = steps.iter().filter_map(|step| tier(mapping(step, out)?, out)).collect();
        let period = tiers.iter().map(|tier| tier.long).max().unwrap_or(PERIOD);
        if policies.insert(entry.key.clone(), Policy { tiers, period }).is_some() {
            let message = format!("a second error budget policy `{}`", shortened(&entry.key));
            out.add(Code::Duplicate, entry.node.named, message).help("give each its own name");
        }
    }
}

fn tier(step: &Node, out: &mut Findings) -> Option<TierText> {
    let factor = required(step, "burn_rate_threshold", out).and_then(|node| decimal(node, out));
    let long = required(step, "window", out).and_then(|node| whole(node, out));
    // To alert is to notify somebody urgently.
    let is_urgent = step.get("alert").and_then(|node| flag(node, out)).unwrap_or(false);
    Some(TierText {
        severity: if is_urgent { Severity::Page } else { Severity::Ticket },
        long: TimeSpan(long?),
        short: None,
        rate: ("factor", Yaml::plain(factor?)),
        hold: TimeSpan(0),
    })
}

fn one(root: &Node, policies: &BTreeMap<String, Policy>, out: &mut Findings) -> Option<Outline> {
    let metadata = required(root, "metadata", out).and_then(|node| mapping(node, out));
    let name = metadata.and_then(|node| required(node, "name", out)).and_then(|node| Some((text(node, out)?, node.at)));
    let spec = mapping(required(root, "spec", out)?, out)?;
    let target = required(spec, "goal", out).and_then(|node| target_of_ratio(node, out));
    let indicator = indicator(spec, out);
    let policy = policy(spec, policies, out);
    let (name, at) = name?;
    if let Some(Policy { period, .. }) = policy {
        let message = format!("an SLO of slo-generator has no period: {period}, the longest window of its policy");
        keys::note(Code::Windows, at, message, out);
    }
    let of = |key: &str| metadata.and_then(|metadata| metadata.get(key));
    let label = |key: &str| of("labels").and_then(|labels| labels.get(key)).and_then(Node::text);
    Some(Outline {
        name: name.to_owned(),
        source_name: name.to_owned(),
        at,
        service: label("service_name").or_else(|| label("service")).map(str::to_owned),
        labels: names_of([of("labels")], out),
        annotations: names_of([of("annotations")], out),
        description: spec.get("description").map(Yaml::of),
        period: policy.map_or(PERIOD, |policy| policy.period),
        target: ("target", Yaml::plain(target?.ratio())),
        indicator: indicator?,
        alerts: policy.map_or_else(
            || preset("standard"),
            |policy| Fields::new().with("tiers", tiers(policy.tiers.iter().cloned())),
        ),
        no_data: Fields::new(),
    })
}

/// What a backend is asked, whole: each has words of its own.
fn indicator(spec: &Node, out: &mut Findings) -> Option<Yaml> {
    let backend = required(spec, "backend", out).and_then(|node| text(node, out));
    let method = required(spec, "method", out).and_then(|node| text(node, out));
    let of = required(spec, "service_level_indicator", out).and_then(|node| mapping(node, out));
    let asked = Fields::new().with("method", Yaml::text(method?)).with("indicator", Yaml::of(of?));
    Some(raw("success", source(backend?, asked)))
}

fn policy<'a>(spec: &Node, policies: &'a BTreeMap<String, Policy>, out: &mut Findings) -> Option<&'a Policy> {
    let named = spec.get("error_budget_policy");
    let name = named.map_or(Some(USUAL), |node| text(node, out))?;
    let found = policies.get(name);
    if found.is_none() {
        let at = named.map_or(spec.named, |node| node.at);
        let message =
            format!("there is no error budget policy `{}`: the standard preset over {PERIOD}", shortened(name));
        // Nobody asked for a policy, and none was given.
        if named.is_none() && policies.is_empty() {
            keys::note(Code::Unresolved, at, message, out);
            return None;
        }
        let raw = out.add(Code::Unresolved, at, message);
        match nearest(name, policies.keys().map(String::as_str)) {
            Some(near) => raw.help(format!("did you mean `{near}`?")),
            None => raw.help("give the shared configuration that has it in `error_budget_policies`"),
        };
    }
    found
}
