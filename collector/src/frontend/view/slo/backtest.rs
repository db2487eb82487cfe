//! What came of definitions that were tried on records that are over (`bailiwick.backtest/v1`).

use bailiwick_slo::course::backtest::{Fit, IncidentOutcome, InstanceOutcome, Outcome, Stretch};
use bailiwick_slo::engine::fleet::Key;
use bailiwick_slo::time::SLOT_SECONDS;
use serde::Serialize;
use utoipa::ToSchema;

use super::number;

/// A trial.
#[derive(Debug, Serialize, ToSchema)]
pub struct BacktestDocument {
    /// The document's kind and version.
    #[schema(example = "bailiwick.backtest/v1")]
    schema: &'static str,
    /// Begin of what was evaluated.
    #[schema(example = "2026-05-03T10:05:00.000Z")]
    from: Option<String>,
    /// Its end.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    to: Option<String>,
    /// Seconds of a tick: what was recorded is as fine as it was.
    #[schema(example = "10s")]
    resolution: &'static str,
    /// It was stopped before its end: it took too long.
    #[schema(example = false)]
    cut: bool,
    /// Records that the ledger had forgotten (`slo.ledger_max`): windows begin later than the daemon's.
    #[schema(example = 0)]
    forgotten: u64,
    /// By instance, those with tenant and module in order.
    instances: Vec<BacktestInstance>,
    /// How well incidents fit what is known to have gone wrong; null where nothing was given.
    fit: Option<BacktestFit>,
    /// Incidents that the other definitions do not have; null where none were given.
    only_here: Option<Vec<BacktestIncident>>,
    /// Incidents that only the other definitions have.
    only_there: Option<Vec<BacktestIncident>>,
}

/// What came of it for one instance.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BacktestInstance {
    /// Whose it is.
    #[schema(example = "acme")]
    tenant: String,
    /// Its module.
    #[schema(example = "rag_hub")]
    module: String,
    /// Its SLO.
    #[schema(example = "rag-availability")]
    slo: String,
    /// The share of the budget that was left at the end, nine places.
    #[schema(example = 0.742_857_143)]
    remaining_ratio: Option<f64>,
    /// When tiers fired.
    tiers: Vec<BacktestTier>,
    /// Its incidents.
    incidents: Vec<BacktestIncident>,
}

/// When a tier fired.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BacktestTier {
    /// The tier.
    #[schema(example = "page/1h/5m")]
    tier: String,
    /// First and last moments; the last one is null while it goes on.
    firing: Vec<[Option<String>; 2]>,
}

/// One incident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BacktestIncident {
    /// Its id.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    id: String,
    /// Whose it is.
    #[schema(example = "acme")]
    tenant: String,
    /// Its module.
    #[schema(example = "rag_hub")]
    module: String,
    /// Its SLO.
    #[schema(example = "rag-availability")]
    slo: String,
    /// When it opened.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    opened_at: Option<String>,
    /// When it ended; null while it goes on.
    ended_at: Option<String>,
    /// As bad as it was at worst.
    #[schema(example = "page")]
    peak_level: &'static str,
    /// The share of the budget that was left when it opened, nine places.
    #[schema(example = 0.98)]
    remaining_ratio: f64,
}

/// How well incidents fit labelled stretches.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BacktestFit {
    /// Incidents that fall into a labelled stretch.
    #[schema(example = 3)]
    right: usize,
    /// All incidents.
    #[schema(example = 4)]
    incidents: usize,
    /// Labelled stretches with an incident.
    #[schema(example = 3)]
    found: usize,
    /// All labelled stretches.
    #[schema(example = 3)]
    labels: usize,
    /// By labelled stretch: seconds from its begin to the incident; null: none.
    #[schema(example = json!([120, 90, null]))]
    detection_delay_s: Vec<Option<u64>>,
}

impl BacktestDocument {
    /// A trial; `fit` where something is known to have gone wrong, `other` where it is compared.
    #[must_use]
    pub fn of(outcome: &Outcome, fit: Option<&Fit>, other: Option<&Outcome>) -> Self {
        let alone = |one: &Outcome, two: &Outcome| {
            one.without(two).iter().map(|(key, incident)| BacktestIncident::of(key, incident)).collect()
        };
        Self {
            schema: "bailiwick.backtest/v1",
            from: number::instant(outcome.ticks.0),
            to: number::instant(outcome.ticks.1),
            resolution: "10s",
            cut: outcome.is_cut,
            forgotten: outcome.forgotten,
            instances: outcome.instances.iter().map(|(key, one)| BacktestInstance::of(key, one)).collect(),
            fit: fit.map(BacktestFit::from),
            only_here: other.map(|other| alone(outcome, other)),
            only_there: other.map(|other| alone(other, outcome)),
        }
    }

    /// For people: a line for each incident, and what else there is to say.
    #[must_use]
    pub fn table(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        let moment = |at: &Option<String>| at.clone().unwrap_or_else(|| "now".to_owned());
        let _ = writeln!(text, "{} to {}, {} instances", moment(&self.from), moment(&self.to), self.instances.len());
        for instance in &self.instances {
            let left = instance.remaining_ratio.map_or_else(|| "-".to_owned(), |left| format!("{:.2} %", left * 100.0));
            let BacktestInstance { tenant, module, slo, incidents, .. } = instance;
            let _ = writeln!(text, "{tenant} / {module} / {slo}: {} incidents, {left} left", incidents.len());
            incidents.iter().for_each(|incident| incident.write(&mut text, ""));
        }
        if let Some(fit) = &self.fit {
            let BacktestFit { right, incidents, found, labels, .. } = fit;
            let _ = writeln!(text, "precision {right} of {incidents} incidents, recall {found} of {labels} labels");
            let delay =
                |delay: &Option<u64>| delay.map_or_else(|| "never".to_owned(), |seconds| format!("{seconds} s"));
            let delays: Vec<String> = fit.detection_delay_s.iter().map(delay).collect();
            let _ = writeln!(text, "detection delay: {}", delays.join(", "));
        }
        for (name, incidents) in [("only here", &self.only_here), ("only against", &self.only_there)] {
            if let Some(incidents) = incidents {
                let _ = writeln!(text, "{name}: {} incidents", incidents.len());
                incidents.iter().for_each(|incident| {
                    let whose = format!("{} / {} / {} ", incident.tenant, incident.module, incident.slo);
                    incident.write(&mut text, &whose);
                });
            }
        }
        if self.cut {
            text.push_str("stopped before its end: it took too long\n");
        }
        text
    }
}

impl BacktestIncident {
    fn of(key: &Key, incident: &IncidentOutcome) -> Self {
        let (opened_at, ended_at) = stretch(&incident.open);
        Self {
            id: incident.id.to_string(),
            tenant: key.tenant.to_string(),
            module: key.module.to_string(),
            slo: key.slo.to_string(),
            opened_at,
            ended_at,
            peak_level: incident.peak.name(),
            remaining_ratio: number::ratio(&incident.remaining),
        }
    }

    fn write(&self, text: &mut String, whose: &str) {
        use std::fmt::Write as _;
        let end = self.ended_at.as_deref().unwrap_or("(open)");
        let opened = self.opened_at.as_deref().unwrap_or("-");
        let left = self.remaining_ratio * 100.0;
        let _ = writeln!(text, "  {whose}{:<6} {opened} to {end}, {left:.2} % left when it opened", self.peak_level);
    }
}

fn stretch((from, to): &Stretch) -> (Option<String>, Option<String>) {
    (number::instant(*from), to.and_then(number::instant))
}

impl BacktestInstance {
    fn of(key: &Key, instance: &InstanceOutcome) -> Self {
        let tiers = instance.firing.iter().map(|(tier, rows)| BacktestTier {
            tier: tier.clone(),
            firing: rows.iter().map(|row| <[Option<String>; 2]>::from(stretch(row))).collect(),
        });
        Self {
            tenant: key.tenant.to_string(),
            module: key.module.to_string(),
            slo: key.slo.to_string(),
            remaining_ratio: instance.last.as_ref().map(|status| number::ratio(&status.budget.remaining)),
            tiers: tiers.collect(),
            incidents: instance.incidents.iter().map(|incident| BacktestIncident::of(key, incident)).collect(),
        }
    }
}

impl From<&Fit> for BacktestFit {
    fn from(fit: &Fit) -> Self {
        Self {
            right: fit.right.0,
            incidents: fit.right.1,
            found: fit.found.0,
            labels: fit.found.1,
            detection_delay_s: fit.delays.iter().map(|delay| delay.map(|ticks| ticks * SLOT_SECONDS)).collect(),
        }
    }
}
