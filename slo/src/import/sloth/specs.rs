//! Sloth's SLOs.

use super::windows::Chosen;
use super::words::Words;
use crate::document::{Code, Fields, Findings, Node, Yaml, flag, list, mapping, required, target_of_percent, text};
use crate::import::outline::keys;
use crate::import::outline::tier::{preset, tiers};
use crate::import::outline::{Outline, names_of, ratio, raw, source};
use crate::spec::Severity;

/// The annotations that say what to do, as people call them.
const RUNBOOKS: [&str; 2] = ["runbook", "runbook_url"];

/// The SLOs of an object.
pub(super) fn read(root: &Node, words: &Words, chosen: &Chosen, out: &mut Findings) -> Vec<Outline> {
    keys::check(root, words.keys, out);
    let body = match words.body {
        Some(key) => required(root, key, out).and_then(|body| mapping(body, out)),
        None => Some(root),
    };
    let Some(body) = body else { return Vec::new() };
    let service = required(body, "service", out).and_then(|node| text(node, out));
    let Some(slos) = required(body, "slos", out).and_then(|node| list(node, out)) else { return Vec::new() };
    let metadata = root.get("metadata");
    let of = |key: &str| metadata.and_then(|metadata| metadata.get(key));
    let mut outlines = Vec::new();
    for slo in slos {
        let Some(slo) = mapping(slo, out) else { continue };
        let labels = names_of([of("labels"), body.get("labels"), slo.get("labels")], out);
        let annotations = names_of([of("annotations")], out);
        if let Some(outline) = one(slo, service, (words, chosen), out) {
            outlines.push(Outline { labels, annotations, ..outline });
        }
    }
    outlines
}

fn one(slo: &Node, service: Option<&str>, how: (&Words, &Chosen), out: &mut Findings) -> Option<Outline> {
    let (words, chosen) = how;
    let name = required(slo, "name", out).and_then(|node| Some((text(node, out)?, node.at)));
    let objective = required(slo, "objective", out)
        .filter(|node| target_of_percent(node, out).is_some())
        .map(|node| Yaml::plain(node.text().unwrap_or_default()));
    let indicator = required(slo, "sli", out).and_then(|node| indicator(mapping(node, out)?, words, out));
    let alerts = alerts(slo.get("alerting"), words, chosen, out);
    let ((name, at), service) = (name?, service?);
    Some(Outline {
        name: format!("{service}-{name}"),
        source_name: name.to_owned(),
        at,
        service: Some(service.to_owned()),
        labels: Fields::new(),
        annotations: Fields::new(),
        description: slo.get("description").map(Yaml::of),
        period: chosen.period,
        target: ("targetPercent", objective?),
        indicator: indicator?,
        alerts,
        no_data: Fields::new(),
    })
}

/// Exactly one of events, a ratio, and a plugin.
fn indicator(node: &Node, words: &Words, out: &mut Findings) -> Option<Yaml> {
    let mut query = |of: &Node, key: &str| {
        let node = required(of, key, out)?;
        text(node, out)?;
        Some(source("Prometheus", Fields::new().with("query", Yaml::of(node))))
    };
    match (node.get("events"), node.get("raw"), node.get("plugin")) {
        (Some(events), None, None) => {
            let (bad, total) = (query(events, words.error_query), query(events, words.total_query));
            Some(ratio("bad", bad?, total?))
        }
        (None, Some(of), None) => Some(raw("failure", query(of, words.error_ratio_query)?)),
        (None, None, Some(plugin)) => {
            let id = required(plugin, "id", out)?;
            text(id, out)?;
            let asked = Fields::new().with("plugin", Yaml::of(id));
            Some(raw("failure", source("Sloth", asked.with_some("options", plugin.get("options").map(Yaml::of)))))
        }
        _ => {
            out.add(Code::Indicator, node.named, "exactly one of `events`, `raw` and `plugin` belongs here");
            None
        }
    }
}

fn alerts(alerting: Option<&Node>, words: &Words, chosen: &Chosen, out: &mut Findings) -> Fields {
    let alert = |key: &str| alerting.and_then(|alerting| alerting.get(key));
    let (page, ticket) = (alert(words.page_alert), alert(words.ticket_alert));
    let mut is_off = |alert: Option<&Node>| {
        let switch = alert.and_then(|alert| alert.get("disable"));
        switch.and_then(|node| flag(node, out)).unwrap_or(false)
    };
    let (no_page, no_ticket) = (is_off(page), is_off(ticket));
    let of = |severity: Severity| chosen.tiers.iter().filter(move |tier| tier.severity == severity).cloned();
    let alerts = match (no_page, no_ticket) {
        (false, false) => preset(&chosen.preset),
        (true, true) => preset("none"),
        (true, false) => Fields::new().with("tiers", tiers(of(Severity::Ticket))),
        (false, true) => Fields::new().with("tiers", tiers(of(Severity::Page))),
    };
    alerts.with_some("runbook", runbook([alerting, page, ticket], out))
}

/// The first runbook; every other annotation is told of.
fn runbook(holders: [Option<&Node>; 3], out: &mut Findings) -> Option<Yaml> {
    let mut found = None;
    for entry in holders.into_iter().flatten().filter_map(|node| node.get("annotations")).flat_map(Node::entries) {
        if RUNBOOKS.contains(&entry.key.as_str()) && found.is_none() && entry.node.text().is_some() {
            found = Some(Yaml::of(&entry.node));
        } else {
            keys::dropped(&entry.key, "an incident has a text and a runbook of its own", entry.node.named, out);
        }
    }
    found
}
