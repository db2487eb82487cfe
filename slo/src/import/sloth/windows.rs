//! Sloth's catalogue of windows: `AlertWindows`, one for each period.

use crate::document::{Code, Findings, Node, Spot, Yaml, decimal, mapping, required};
use crate::exact::Decimal;
use crate::import::outline::duration::span;
use crate::import::outline::keys::{self, Keys, Keys::Any, Keys::Map};
use crate::import::outline::tier::TierText;
use crate::import::outline::{Made, windows};
use crate::spec::{Severity, TimeSpan};

const DAY: u64 = 86_400;
/// What sloth takes where nobody says more (`--default-slo-period`).
const USUAL: TimeSpan = TimeSpan(30 * DAY);
/// The periods that it has windows of its own for (`internal/alert/windows`).
const OWN: [TimeSpan; 2] = [USUAL, TimeSpan(28 * DAY)];

const WINDOW: Keys = Map(&[("errorBudgetPercent", &Any), ("shortWindow", &Any), ("longWindow", &Any)]);
const PAIR: Keys = Map(&[("quick", &WINDOW), ("slow", &WINDOW)]);
const KEYS: Keys = Map(&[
    ("apiVersion", &Any),
    ("kind", &Any),
    ("spec", &Map(&[("sloPeriod", &Any), ("page", &PAIR), ("ticket", &PAIR)])),
]);

/// All windows that were given.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    sets: Vec<Chosen>,
}

/// The period and the tiers of SLOs.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// P.
    pub(super) period: TimeSpan,
    /// The name of their set: one of ours, or that of a document.
    pub(super) preset: String,
    /// Each of them.
    pub(super) tiers: Vec<TierText>,
}

impl Catalogue {
    /// Adds an object and answers its document.
    pub(super) fn add(&mut self, root: &Node, out: &mut Findings) -> Option<Made> {
        keys::check(root, &KEYS, out);
        let spec = mapping(required(root, "spec", out)?, out)?;
        let mut tiers = Vec::new();
        for (group, severity) in [("page", Severity::Page), ("ticket", Severity::Ticket)] {
            let Some(pair) = required(spec, group, out).and_then(|pair| mapping(pair, out)) else { continue };
            for speed in ["quick", "slow"] {
                let window = required(pair, speed, out).and_then(|window| mapping(window, out));
                tiers.extend(window.and_then(|window| tier(window, severity, out)));
            }
        }
        let at = required(spec, "sloPeriod", out)?;
        let period = span(at, out)?;
        let preset = format!("sloth-{period}");
        let made = windows(&preset, at.at, &tiers);
        if self.sets.iter().all(|set| set.period != period) {
            self.sets.push(Chosen { period, preset, tiers });
        }
        Some(made)
    }

    /// The windows that hold for SLOs, as sloth chooses them: a catalogue replaces its own.
    pub(super) fn choose(self, period: Option<TimeSpan>, roots: &[Node], out: &mut Findings) -> Chosen {
        let wanted = match (period, &*self.sets) {
            (Some(period), _) => period,
            (None, [only]) => only.period,
            (None, _) => USUAL,
        };
        if let Some(set) = self.sets.iter().find(|set| set.period == wanted) {
            return set.clone();
        }
        if !self.sets.is_empty() || !OWN.contains(&wanted) {
            let at = roots.first().map_or_else(Spot::default, |root| root.at);
            let raw = out.add(Code::Unresolved, at, format!("sloth has no windows for a period of {wanted} here"));
            raw.help(format!("give AlertWindows with `sloPeriod: {wanted}`, or another period"));
        }
        own(wanted)
    }
}

/// Sloth's own windows: 2, 5, 10 and 10 % of the budget.
fn own(period: TimeSpan) -> Chosen {
    let tier = |(severity, long, short, percent): (Severity, u64, u64, i64)| TierText {
        severity,
        long: TimeSpan(long),
        short: Some(TimeSpan(short)),
        rate: ("consume", share(Decimal::new(percent, 0))),
        hold: TimeSpan(0),
    };
    let rows = [
        (Severity::Page, 3_600, 300, 2),
        (Severity::Page, 21_600, 1_800, 5),
        (Severity::Ticket, DAY, 7_200, 10),
        (Severity::Ticket, 3 * DAY, 21_600, 10),
    ];
    Chosen { period, preset: "standard".to_owned(), tiers: rows.into_iter().map(tier).collect() }
}

fn tier(window: &Node, severity: Severity, out: &mut Findings) -> Option<TierText> {
    let percent = required(window, "errorBudgetPercent", out).and_then(|node| decimal(node, out));
    let short = required(window, "shortWindow", out).and_then(|node| span(node, out));
    let long = required(window, "longWindow", out).and_then(|node| span(node, out));
    Some(TierText { severity, long: long?, short: Some(short?), rate: ("consume", share(percent?)), hold: TimeSpan(0) })
}

fn share(percent: Decimal) -> Yaml {
    Yaml::plain(format_args!("{percent}%"))
}
