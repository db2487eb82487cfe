//! Terms before their tiers are worked out: a document's, and what overrides lay on top of them.

use super::{EmptySlice, Expect, PolicyStep, Weighting, When};
use super::{Op, Period, Preset, Severity, Target, Terms, Tier, TimeSpan, presets};
use crate::exact::{Decimal, Fraction};
use crate::saved;

/// Terms with tiers as they are written; [`Draft::terms`] works them out for the period that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// All the rest; its tiers are empty.
    pub terms: Terms,
    /// Tiers as they are written.
    pub tiers: TierSource,
}

saved!(struct Draft { terms, tiers });

/// Tiers as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TierSource {
    /// A named set.
    Preset(Preset),
    /// One by one, in the order of the document.
    List(Vec<TierDraft>),
}

saved!(enum TierSource { 0 => Preset(preset), 1 => List(list) });

/// A tier as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierDraft {
    /// How bad it is.
    pub severity: Severity,
    /// L.
    pub long: TimeSpan,
    /// S.
    pub short: Option<TimeSpan>,
    /// f, or what gives it.
    pub rate: Rate,
    /// How it is compared.
    pub op: Op,
    /// How long it must hold.
    pub hold: TimeSpan,
}

saved!(struct TierDraft { severity, long, short, rate, op, hold });

/// What a factor is worked out from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// f itself.
    Factor(Fraction),
    /// c, the share of the budget that may go in L: `f = c P / L`.
    Consume(Fraction),
}

saved!(enum Rate { 0 => Factor(factor), 1 => Consume(share) });

/// Keys that an override sets; the rest stays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Patch {
    /// `enabled`.
    pub enabled: Option<bool>,
    /// `target`, `targetPercent`.
    pub target: Option<Target>,
    /// `timeWindow`.
    pub period: Option<Period>,
    /// `alerts.preset`, `alerts.tiers`.
    pub tiers: Option<TierSource>,
    /// `alerts.holdDown`.
    pub hold_down: Option<TimeSpan>,
    /// `alerts.repeatEvery`.
    pub repeat_every: Option<TimeSpan>,
    /// `alerts.receivers`.
    pub receivers: Option<Vec<String>>,
    /// `alerts.runbook`.
    pub runbook: Option<String>,
    /// OpenSLO's `alertWhen...`.
    pub when: Option<When>,
    /// `lowTraffic.alpha`.
    pub alpha: Option<Decimal>,
    /// `lowTraffic.applyBelow`.
    pub apply_below: Option<u64>,
    /// `lowTraffic.weighting`.
    pub weighting: Option<Weighting>,
    /// `noData.expect`.
    pub expect: Option<Expect>,
    /// `noData.after`.
    pub after: Option<TimeSpan>,
    /// `noData.floor`, a ratio.
    pub floor: Option<Decimal>,
    /// `noData.emptySlice`.
    pub empty_slice: Option<EmptySlice>,
    /// `noData.alertAfter`.
    pub alert_after: Option<TimeSpan>,
    /// `noData.severity`.
    pub no_data_severity: Option<Severity>,
    /// `forecast.window`.
    pub forecast_window: Option<TimeSpan>,
    /// `forecast.warnBefore`; `Some(None)`: null is written.
    pub warn_before: Option<Option<TimeSpan>>,
    /// `forecast.severity`.
    pub forecast_severity: Option<Severity>,
    /// `policy`.
    pub policy: Option<Vec<PolicyStep>>,
    /// `activate.events`.
    pub activate_events: Option<u64>,
    /// `ttl`.
    pub ttl: Option<TimeSpan>,
}

saved!(struct Patch {
    enabled, target, period, tiers, hold_down, repeat_every, receivers, runbook, when, alpha, apply_below, weighting,
    expect, after, floor, empty_slice, alert_after, no_data_severity, forecast_window, warn_before, forecast_severity,
    policy, activate_events, ttl,
});

impl Draft {
    /// What holds with these patches on top, the later over the earlier. Tiers that fit no number are left out; the
    /// reader has told of them.
    #[must_use]
    pub fn terms<'a>(&self, patches: impl IntoIterator<Item = &'a Patch>) -> Terms {
        let (mut terms, mut tiers) = (self.terms.clone(), &self.tiers);
        for patch in patches {
            patch.lay_on(&mut terms);
            tiers = patch.tiers.as_ref().unwrap_or(tiers);
        }
        let period_s = terms.period.nominal_seconds();
        terms.alerts.tiers = match tiers {
            TierSource::Preset(preset) => presets::tiers(*preset, period_s),
            TierSource::List(list) => list.iter().filter_map(|draft| draft.tier(period_s)).collect(),
        };
        // Pages first, then by the length of their windows: the order in which they are shown and asked.
        terms.alerts.tiers.sort_by_key(|tier| (std::cmp::Reverse(tier.severity), tier.long));
        terms
    }
}

impl TierDraft {
    /// The tier over a period of so many seconds; `None` where its factor fits no 64 bits.
    #[must_use]
    pub fn tier(&self, period_s: u64) -> Option<Tier> {
        let factor = match self.rate {
            Rate::Factor(factor) => factor,
            Rate::Consume(share) => share.times(Fraction::new(period_s, self.long.seconds().max(1)))?,
        };
        let Self { severity, long, short, op, hold, .. } = *self;
        Some(Tier { severity, long, short, factor, op, hold })
    }
}

impl Patch {
    fn lay_on(&self, terms: &mut Terms) {
        fn set<T: Clone>(place: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                place.clone_from(value);
            }
        }
        set(&mut terms.enabled, self.enabled.as_ref());
        set(&mut terms.target, self.target.as_ref());
        set(&mut terms.period, self.period.as_ref());
        let alerts = &mut terms.alerts;
        set(&mut alerts.hold_down, self.hold_down.as_ref());
        set(&mut alerts.repeat_every, self.repeat_every.as_ref());
        set(&mut alerts.receivers, self.receivers.clone().map(Some).as_ref());
        set(&mut alerts.runbook, self.runbook.clone().map(Some).as_ref());
        set(&mut alerts.when, self.when.as_ref());
        set(&mut terms.low_traffic.alpha, self.alpha.as_ref());
        set(&mut terms.low_traffic.apply_below, self.apply_below.as_ref());
        set(&mut terms.low_traffic.weighting, self.weighting.as_ref());
        let no_data = &mut terms.no_data;
        set(&mut no_data.expect, self.expect.as_ref());
        set(&mut no_data.after, self.after.as_ref());
        set(&mut no_data.floor, self.floor.as_ref());
        set(&mut no_data.empty_slice, self.empty_slice.as_ref());
        set(&mut no_data.alert_after, self.alert_after.as_ref());
        set(&mut no_data.severity, self.no_data_severity.as_ref());
        set(&mut terms.forecast.window, self.forecast_window.as_ref());
        set(&mut terms.forecast.warn_before, self.warn_before.as_ref());
        set(&mut terms.forecast.severity, self.forecast_severity.as_ref());
        set(&mut terms.policy, self.policy.as_ref());
        set(&mut terms.activate_events, self.activate_events.as_ref());
        set(&mut terms.ttl, self.ttl.as_ref());
    }
}
