//! The keys that both the extension and its overrides have.

use crate::document::finding::{Code, Findings};
use crate::document::read::alerts::{Tiers, read_tiers, receiver};
use crate::document::read::objective::{read_target, rolling};
use crate::document::read::value::{
    decimal, flag, list, mapping, percent, required, span, text, texts, whole, word, wrong,
};
use crate::document::read::{Kind, Set};
use crate::document::tree::{Node, Spot};
use crate::exact::Decimal;
use crate::spec::{EmptySlice, Expect, Patch, PolicyStep, Preset, Severity, TierSource, TimeSpan, Weighting};

/// Keys that are set, and where.
#[derive(Debug, Default)]
pub(crate) struct PatchAt {
    /// What they set.
    pub(crate) patch: Patch,
    /// Which they are, with their lines.
    pub(crate) sets: Vec<(String, u32)>,
    /// Where the tiers stand.
    pub(crate) tiers: Option<Tiers>,
    /// Where the target stands.
    pub(crate) target_at: Option<Spot>,
    /// Where the period stands.
    pub(crate) period_at: Option<Spot>,
}

const SEVERITIES: [(&str, Severity); 3] =
    [("page", Severity::Page), ("ticket", Severity::Ticket), ("notice", Severity::Notice)];

/// Reads them; `is_override` allows target, period and switch too.
pub(crate) fn read(node: &Node, is_override: bool, set: &Set<'_>, out: &mut Findings) -> PatchAt {
    let mut to = PatchAt::default();
    if is_override {
        to.patch.enabled = to.take(node, "", "enabled").and_then(|node| flag(node, out));
        if let Some((target, at)) = read_target(node, out) {
            to.patch.target = Some(target);
            to.target_at = Some(at);
        }
        to.take(node, "", "target");
        to.take(node, "", "targetPercent");
        if let Some(window) = to.take(node, "", "timeWindow") {
            to.patch.period = rolling(window, out);
            to.period_at = Some(window.at);
        }
    }
    let mut section = |key: &str| node.get(key).and_then(|node| mapping(node, out));
    let sections = ["alerts", "lowTraffic", "noData", "forecast", "activate"].map(&mut section);
    let [alerts, low_traffic, no_data, forecast, activate] = sections;
    if let Some(node) = alerts {
        to.alerts(node, set, out);
    }
    if let Some(node) = low_traffic {
        to.low_traffic(node, out);
    }
    if let Some(node) = no_data {
        to.no_data(node, out);
    }
    if let Some(node) = forecast {
        to.forecast(node, out);
    }
    if let Some(node) = activate {
        to.patch.activate_events = to.take(node, "activate.", "events").and_then(|node| whole(node, out));
    }
    to.patch.policy = to.take(node, "", "policy").and_then(|node| steps(node, out));
    to.patch.ttl = to.take(node, "", "ttl").and_then(|node| positive(node, out));
    to
}

impl PatchAt {
    /// The value of a key, which counts as set.
    fn take<'a>(&mut self, node: &'a Node, section: &str, key: &str) -> Option<&'a Node> {
        let value = node.get(key)?;
        self.sets.push((format!("{section}{key}"), value.at.line));
        Some(value)
    }

    fn alerts(&mut self, node: &Node, set: &Set<'_>, out: &mut Findings) {
        let preset = self.take(node, "alerts.", "preset").and_then(|node| preset(node, set, out));
        let tiers = self.take(node, "alerts.", "tiers").and_then(|node| read_tiers(node, out));
        self.tiers = tiers.or(preset);
        self.patch.tiers = self.tiers.as_ref().map(|tiers| tiers.source.clone());
        self.patch.hold_down = self.take(node, "alerts.", "holdDown").and_then(|node| span(node, out));
        self.patch.repeat_every = self.take(node, "alerts.", "repeatEvery").and_then(|node| positive(node, out));
        self.patch.receivers = self.take(node, "alerts.", "receivers").and_then(|node| {
            let names = texts(node, out)?;
            let items = if node.items().is_empty() { std::slice::from_ref(node) } else { node.items() };
            for item in items {
                if let Some(name) = item.text() {
                    receiver(name, item.at, set, out);
                }
            }
            Some(names.into_iter().map(str::to_owned).collect())
        });
        let runbook = self.take(node, "alerts.", "runbook").and_then(|node| text(node, out));
        self.patch.runbook = runbook.map(str::to_owned);
    }

    fn low_traffic(&mut self, node: &Node, out: &mut Findings) {
        let patch = "lowTraffic.";
        self.patch.alpha = self.take(node, patch, "alpha").and_then(|node| {
            let alpha = decimal(node, out)?;
            let is_chance = alpha > Decimal::ZERO && alpha < Decimal::ONE;
            if is_chance { Some(alpha) } else { wrong(node, "a chance above 0 and below 1", out) }
        });
        self.patch.apply_below = self.take(node, patch, "applyBelow").and_then(|node| whole(node, out));
        let words = [("rate", Weighting::Rate), ("volume", Weighting::Volume)];
        self.patch.weighting =
            self.take(node, patch, "weighting").and_then(|node| word(node, &words, Code::UnknownOurKey, out));
    }

    fn no_data(&mut self, node: &Node, out: &mut Findings) {
        let words = [("auto", Expect::Auto), ("traffic", Expect::Traffic), ("nothing", Expect::Nothing)];
        self.patch.expect =
            self.take(node, "noData.", "expect").and_then(|node| word(node, &words, Code::UnknownOurKey, out));
        self.patch.after = self.take(node, "noData.", "after").and_then(|node| positive(node, out));
        self.patch.floor = self.take(node, "noData.", "floor").and_then(|node| {
            let floor = percent(node, out)?;
            let is_share = floor >= Decimal::ZERO && floor <= Decimal::ONE;
            if is_share { Some(floor) } else { wrong(node, "a share from 0% to 100%", out) }
        });
        let words = [("skip", EmptySlice::Skip), ("good", EmptySlice::Good), ("bad", EmptySlice::Bad)];
        self.patch.empty_slice =
            self.take(node, "noData.", "emptySlice").and_then(|node| word(node, &words, Code::UnknownOurKey, out));
        self.patch.alert_after = self.take(node, "noData.", "alertAfter").and_then(|node| span(node, out));
        self.patch.no_data_severity =
            self.take(node, "noData.", "severity").and_then(|node| word(node, &SEVERITIES, Code::UnknownOurKey, out));
    }

    fn forecast(&mut self, node: &Node, out: &mut Findings) {
        self.patch.forecast_window = self.take(node, "forecast.", "window").and_then(|node| positive(node, out));
        // `null` is a value: it takes a warning away.
        self.patch.warn_before = match node.entry("warnBefore") {
            Some(entry) if entry.is_nothing() => {
                self.sets.push(("forecast.warnBefore".to_owned(), entry.at.line));
                Some(None)
            }
            _ => self.take(node, "forecast.", "warnBefore").and_then(|node| span(node, out)).map(Some),
        };
        self.patch.forecast_severity =
            self.take(node, "forecast.", "severity").and_then(|node| word(node, &SEVERITIES, Code::UnknownOurKey, out));
    }
}

/// A named set of tiers: one of ours, or an `AlertWindows` object.
fn preset(node: &Node, set: &Set<'_>, out: &mut Findings) -> Option<Tiers> {
    let name = text(node, out)?;
    let preset = match name {
        "standard" => Preset::Standard,
        "pyrra" => Preset::Pyrra,
        "none" => Preset::None,
        _ => {
            let windows = set.find(Kind::AlertWindows, name, node.at, out)?;
            return read_tiers(windows.spec()?.get("tiers")?, out);
        }
    };
    Some(Tiers { source: TierSource::Preset(preset), places: Vec::new(), at: node.at })
}

/// A length above 0.
fn positive(node: &Node, out: &mut Findings) -> Option<TimeSpan> {
    let length = span(node, out)?;
    if length.seconds() == 0 {
        out.add(Code::Duration, node.at, "it lasts no time");
        return None;
    }
    Some(length)
}

fn steps(node: &Node, out: &mut Findings) -> Option<Vec<PolicyStep>> {
    let mut steps = Vec::new();
    for item in list(node, out)? {
        let Some(item) = mapping(item, out) else { continue };
        let name = required(item, "name", out).and_then(|node| text(node, out));
        let below = required(item, "below", out).and_then(|node| percent(node, out));
        let severity = item.get("severity").and_then(|node| word(node, &SEVERITIES, Code::UnknownOurKey, out));
        let message = item.get("message").and_then(|node| text(node, out)).unwrap_or_default();
        if let (Some(name), Some(below)) = (name, below) {
            let severity = severity.unwrap_or(Severity::Ticket);
            steps.push(PolicyStep { name: name.to_owned(), below, severity, message: message.to_owned() });
        }
    }
    steps.sort_by_key(|step| std::cmp::Reverse(step.below));
    Some(steps)
}
