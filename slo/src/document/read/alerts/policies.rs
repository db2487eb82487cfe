//! OpenSLO's alert policies, conditions and notification targets, inline or by reference.

use super::tiers::{TierAt, Tiers, positive};
use crate::document::finding::{Code, Findings, FixAt};
use crate::document::read::value::{decimal, flag, list, mapping, required, shortened, span, text, word};
use crate::document::read::{Kind, Set};
use crate::document::tree::{Node, Spot, Value};
use crate::spec::{Op, Preset, Rate, Severity, TierDraft, TierSource, When};

/// What the policies of an SLO say.
#[derive(Debug)]
pub(crate) struct Alerting {
    /// Their tiers; `None`: there are no policies, and the preset holds.
    pub(crate) tiers: Option<Tiers>,
    /// Who hears of it; `None`: they name nobody.
    pub(crate) receivers: Option<Vec<String>>,
    /// What is sent.
    pub(crate) when: When,
}

/// Without a policy nothing is held back: the extension says when missing data is told.
const ALWAYS: When = When { breaching: true, resolved: true, no_data: true };

/// Reads `alertPolicies` of an SLO.
pub(crate) fn read(spec: &Node, set: &Set<'_>, out: &mut Findings) -> Alerting {
    let mut alerting = Alerting { tiers: None, receivers: None, when: ALWAYS };
    let Some(written) = spec.get("alertPolicies") else { return alerting };
    let Some(items) = list(written, out) else { return alerting };
    if items.is_empty() {
        let source = TierSource::Preset(Preset::None);
        alerting.tiers = Some(Tiers { source, places: Vec::new(), at: written.named });
        return alerting;
    }
    let (mut tiers, mut places, mut receivers, mut whens) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for item in items {
        let Some(spec) = entry(item, Kind::AlertPolicy, "alertPolicyRef", set, out) else { continue };
        let policy = policy(spec, set, out);
        if let Some((tier, place)) = policy.tier {
            tiers.push(tier);
            places.push(place);
        }
        receivers.extend(policy.receivers);
        whens.push(policy.when);
    }
    alerting.tiers = Some(Tiers { source: TierSource::List(tiers), places, at: written.named });
    receivers.dedup();
    alerting.receivers = Some(receivers).filter(|receivers| !receivers.is_empty());
    // One policy that wants to be told is enough.
    let any = |of: fn(&When) -> bool| whens.is_empty() || whens.iter().any(of);
    alerting.when =
        When { breaching: any(|w| w.breaching), resolved: any(|w| w.resolved), no_data: any(|w| w.no_data) };
    alerting
}

/// Tells what is wrong with a policy on its own.
pub(crate) fn check(spec: &Node, set: &Set<'_>, out: &mut Findings) {
    policy(spec, set, out);
}

/// Tells what is wrong with a condition on its own.
pub(crate) fn check_condition(spec: &Node, out: &mut Findings) {
    condition(spec, out);
}

/// Tells what is wrong with a notification target on its own.
pub(crate) fn check_target(spec: &Node, set: &Set<'_>, out: &mut Findings) {
    target(spec, set, out);
}

struct Policy {
    tier: Option<(TierDraft, TierAt)>,
    receivers: Vec<String>,
    when: When,
}

fn policy(spec: &Node, set: &Set<'_>, out: &mut Findings) -> Policy {
    let when = when(spec, out);
    let tier = match spec.get("conditions").map(|node| (node, &node.value)) {
        Some((_, Value::List(items))) if items.len() == 1 => {
            entry(&items[0], Kind::AlertCondition, "conditionRef", set, out).and_then(|spec| condition(spec, out))
        }
        other => {
            let (at, found) = match other {
                Some((node, Value::List(items))) => (node.named, items.len()),
                Some((node, _)) => (node.named, 1),
                None => (spec.named, 0),
            };
            let message = format!("a policy has exactly one condition in its list `conditions`, this one has {found}");
            out.add(Code::Policy, at, message).help("write a policy for each condition");
            None
        }
    };
    let targets = spec.get("notificationTargets").map_or(&[][..], Node::items);
    if targets.is_empty() {
        let at = spec.entry("notificationTargets").map_or(spec.named, |node| node.named);
        out.add(Code::Policy, at, "a policy without a notification target tells nobody");
    }
    let receivers = targets.iter().filter_map(|item| {
        let spec = entry(item, Kind::AlertNotificationTarget, "targetRef", set, out)?;
        target(spec, set, out).map(str::to_owned)
    });
    let receivers = receivers.collect();
    Policy { tier, receivers, when }
}

/// The `spec` of an entry: a name (of policies), a reference, or the object itself.
fn entry<'a>(item: &'a Node, kind: Kind, by_name: &str, set: &Set<'a>, out: &mut Findings) -> Option<&'a Node> {
    let name = match &item.value {
        Value::Scalar(scalar) if !scalar.is_nothing() && kind == Kind::AlertPolicy => Some(item),
        _ => item.get(by_name),
    };
    if let Some(name) = name {
        return set.find(kind, text(name, out)?, name.at, out)?.spec();
    }
    let is_kind = item.get("kind").and_then(Node::text).is_none_or(|written| written == kind.name());
    match item.get("spec") {
        Some(spec) if is_kind => mapping(spec, out),
        _ => {
            let message = format!("neither `{by_name}` nor an inline {}", kind.name());
            out.add(Code::Policy, item.at, message);
            None
        }
    }
}

fn when(spec: &Node, out: &mut Findings) -> When {
    let mut missing = Vec::new();
    let mut of = |key: &'static str, default: bool| {
        if let Some(node) = spec.get(key) {
            return flag(node, out).unwrap_or(default);
        }
        missing.push(format!("`{key}` is read as {default}"));
        default
    };
    let when = When {
        breaching: of("alertWhenBreaching", true),
        resolved: of("alertWhenResolved", true),
        no_data: of("alertWhenNoData", false),
    };
    if !missing.is_empty() {
        out.add(Code::WhenMissing, spec.named, missing.join(", "));
    }
    when
}

fn condition(spec: &Node, out: &mut Findings) -> Option<(TierDraft, TierAt)> {
    let severity = required(spec, "severity", out).and_then(|node| text(node, out)).map(|word| {
        match word.to_ascii_lowercase().as_str() {
            "page" | "critical" | "sev1" | "p1" => Severity::Page,
            _ => Severity::Ticket,
        }
    });
    let node = mapping(required(spec, "condition", out)?, out)?;
    if let Some(kind) = required(node, "kind", out)
        && kind.text() != Some("burnrate")
    {
        let found = shortened(kind.text().unwrap_or_default());
        out.add(Code::Kind, kind.at, format!("unknown kind of condition `{found}`")).fix(FixAt::Here, "burnrate");
    }
    let op = op(node, out);
    let factor_at = required(node, "threshold", out);
    let factor = factor_at.and_then(|node| decimal(node, out).and_then(|number| positive(number, node, out)));
    let long_at = required(node, "lookbackWindow", out);
    let long = long_at.and_then(|node| span(node, out));
    let hold_at = node.get("alertAfter");
    let hold = hold_at.and_then(|node| span(node, out)).unwrap_or_default();
    let place = TierAt {
        at: node.named,
        rate: factor_at?.at,
        long: long_at?.at,
        short: None,
        hold: hold_at.map(|node| node.at),
        is_ours: false,
    };
    let rate = Rate::Factor(factor?);
    Some((TierDraft { severity: severity?, long: long?, short: None, rate, op, hold }, place))
}

fn op(condition: &Node, out: &mut Findings) -> Op {
    let Some(node) = condition.get("op") else {
        let raw = out.add(Code::BurnOp, condition.named, "`op` is missing and read as `gt`");
        raw.fix(FixAt::Below("op"), "gt");
        return Op::Gt;
    };
    let words = [("gt", (Op::Gt, true)), ("gte", (Op::Gte, true)), ("lt", (Op::Gt, false)), ("lte", (Op::Gte, false))];
    let Some((op, is_over)) = word(node, &words, Code::Syntax, out) else { return Op::Gt };
    if !is_over {
        let message = format!("a burn below its threshold is healthy: read as `{}`", op.name());
        out.add(Code::BurnOp, node.at, message).fix(FixAt::Here, op.name());
    }
    op
}

fn target<'a>(spec: &'a Node, set: &Set<'_>, out: &mut Findings) -> Option<&'a str> {
    let node = required(spec, "target", out)?;
    let name = text(node, out)?;
    receiver(name, node.at, set, out);
    Some(name)
}

/// Tells of a receiver that nobody knows.
pub(crate) fn receiver(name: &str, at: Spot, set: &Set<'_>, out: &mut Findings) {
    if let Some((known, near)) = set.unknown_receiver(name) {
        let raw = out.add(Code::Receiver, at, format!("unknown receiver `{}`", shortened(name)));
        match near {
            Some(near) => raw.help(format!("did you mean `{near}`?")).fix(FixAt::Here, near),
            None => raw.help(format!("known receivers: {known}")),
        };
    }
}
