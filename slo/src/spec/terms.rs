//! What an override may change: target, period, and who is told of what when.

use super::{Period, Severity, Target, Tier, TimeSpan};
use crate::exact::Decimal;
use crate::saved;

/// The terms of an SLO, or of some of its instances.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Off: no instances.
    pub enabled: bool,
    /// T.
    pub target: Target,
    /// P.
    pub period: Period,
    /// Tiers, and who hears of them.
    pub alerts: Alerts,
    /// When too few events are no proof.
    pub low_traffic: LowTraffic,
    /// What silence means.
    pub no_data: NoData,
    /// What is told of the future.
    pub forecast: Forecast,
    /// What is done when the budget is low, highest step first.
    pub policy: Vec<PolicyStep>,
    /// `insufficient`, and no alerts, until so many events were seen.
    pub activate_events: u64,
    /// Without traffic for so long an instance is archived.
    pub ttl: TimeSpan,
}

saved!(struct Terms {
    enabled, target, period, alerts, low_traffic, no_data, forecast, policy, activate_events, ttl,
});

impl Terms {
    /// What holds where nothing else is written (`slo.md` 1.3), without tiers.
    #[must_use]
    pub fn usual(target: Target, period: Period) -> Self {
        Self {
            enabled: true,
            target,
            period,
            alerts: Alerts {
                tiers: Vec::new(),
                hold_down: TimeSpan(120),
                repeat_every: TimeSpan(4 * 3_600),
                receivers: None,
                runbook: None,
                when: When { breaching: true, resolved: true, no_data: true },
            },
            low_traffic: LowTraffic { alpha: Decimal::new(1, 2), apply_below: 30, weighting: Weighting::Rate },
            no_data: NoData {
                expect: Expect::Auto,
                after: TimeSpan(300),
                floor: Decimal::new(9, 1),
                empty_slice: EmptySlice::Skip,
                alert_after: TimeSpan(600),
                severity: Severity::Ticket,
            },
            forecast: Forecast { window: TimeSpan(6 * 3_600), warn_before: None, severity: Severity::Notice },
            policy: Vec::new(),
            activate_events: 1,
            ttl: TimeSpan(7 * 86_400),
        }
    }
}

/// Tiers, and who hears of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// Tiers, pages first, shortest windows first.
    pub tiers: Vec<Tier>,
    /// A level falls when the cause has been lower for so long.
    pub hold_down: TimeSpan,
    /// Until somebody acknowledges, it is said again this often.
    pub repeat_every: TimeSpan,
    /// Receivers by name; `None`: the tenant's, else the configuration's.
    pub receivers: Option<Vec<String>>,
    /// Where it says what to do.
    pub runbook: Option<String>,
    /// What is sent; the rest is recorded only.
    pub when: When,
}

saved!(struct Alerts { tiers, hold_down, repeat_every, receivers, runbook, when });

/// Which events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// Openings and escalations.
    pub breaching: bool,
    /// Resolves.
    pub resolved: bool,
    /// Missing data.
    pub no_data: bool,
}

saved!(struct When { breaching, resolved, no_data });

/// When too few events are no proof (`slo.md` 2.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowTraffic {
    /// Significance: a tier starts only if chance is less likely than this.
    pub alpha: Decimal,
    /// Asked only while fewer bad events than this would be expected at the threshold.
    pub apply_below: u64,
    /// Whether a small share of the budget holds a tier back.
    pub weighting: Weighting,
}

saved!(struct LowTraffic { alpha, apply_below, weighting });

/// Whether a small share of the budget holds a tier back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// It is told only.
    Rate,
    /// It does.
    Volume,
}

saved!(enum Weighting { 0 => Rate, 1 => Volume });

/// What silence means (`slo.md` 2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoData {
    /// What silence is taken for.
    pub expect: Expect,
    /// Silence this long is one.
    pub after: TimeSpan,
    /// Share of a window that must be measured.
    pub floor: Decimal,
    /// What a slice without events is.
    pub empty_slice: EmptySlice,
    /// A gap this long is an alert.
    pub alert_after: TimeSpan,
    /// How bad that is.
    pub severity: Severity,
}

saved!(struct NoData { expect, after, floor, empty_slice, alert_after, severity });

/// What silence is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// A gap if the module otherwise sends metric points, else nothing.
    Auto,
    /// A gap.
    Traffic,
    /// No requests.
    Nothing,
}

saved!(enum Expect { 0 => Auto, 1 => Traffic, 2 => Nothing });

/// What a slice without events is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptySlice {
    /// It does not count.
    Skip,
    /// Good.
    Good,
    /// Bad.
    Bad,
}

saved!(enum EmptySlice { 0 => Skip, 1 => Good, 2 => Bad });

/// What is told of the future.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The rates of the last so long go on.
    pub window: TimeSpan,
    /// Told when the budget is expected to end within so long.
    pub warn_before: Option<TimeSpan>,
    /// How bad that is.
    pub severity: Severity,
}

saved!(struct Forecast { window, warn_before, severity });

/// What is done when the budget is low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyStep {
    /// Its name.
    pub name: String,
    /// It fires when less of the budget is left: a ratio, 0 or less too.
    pub below: Decimal,
    /// How bad that is.
    pub severity: Severity,
    /// What to do.
    pub message: String,
}

saved!(struct PolicyStep { name, below, severity, message });
