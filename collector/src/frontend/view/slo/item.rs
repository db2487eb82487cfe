//! An instance of an SLO as it is told: state, SLI, budget, tiers.

use std::collections::HashMap;

use bailiwick_slo::engine::fleet::Key;
use bailiwick_slo::engine::forecast::Forecast;
use bailiwick_slo::engine::status::Status;
use bailiwick_slo::engine::truth::Value;
use bailiwick_slo::spec::{Override, Period, Terms};
use bailiwick_slo::time::{SECOND_NS, SLOT_SECONDS};
use serde::Serialize;
use utoipa::ToSchema;

use super::number::{self, Bad};
use super::tier::SloTier;
use crate::evaluator::{IncidentReport, InstanceReport, Report};
use crate::frontend::format;
use crate::frontend::view::figure::FigureState;
use crate::frontend::view::list::Named;

/// An instance: an SLO of one tenant and module. `_all`: of all of them together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SloItem {
    /// The id of the SLO.
    #[schema(example = "rag-availability")]
    pub(crate) slo: String,
    /// Its tenant.
    #[schema(example = "acme")]
    pub(crate) tenant: String,
    /// Its module.
    #[schema(example = "rag_hub")]
    pub(crate) module: String,
    /// The first that holds of no_data, maintenance, frozen, insufficient, exhausted, critical, increasing, recovering,
    /// acceptable.
    #[schema(example = "critical")]
    pub(crate) state: &'static str,
    /// How bad its open incident is: page, ticket, notice; none without one.
    #[schema(example = "page")]
    pub(crate) level: &'static str,
    /// Which text of the definition is in force.
    #[schema(example = "1f3a9c02")]
    pub(crate) revision: String,
    /// Which text of the definition its windows began with.
    #[schema(example = "1f3a9c02")]
    pub(crate) generation: String,
    /// Begin of its first slot.
    #[schema(example = "2026-05-01T00:00:00.000Z")]
    pub(crate) born_at: Option<String>,
    /// Windows end here.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) evaluated_at: Option<String>,
    /// End of the last closed slot.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) data_through: Option<String>,
    /// Occurrences, Timeslices or RatioTimeslices.
    #[schema(example = "Occurrences")]
    pub(crate) method: &'static str,
    /// The share of good events that is promised, exactly.
    #[schema(example = "0.999")]
    pub(crate) target: String,
    /// The window of the budget.
    pub(crate) period: SloPeriod,
    /// What that window counted.
    pub(crate) sli: SliFigure,
    /// What may be bad in it, and was.
    pub(crate) budget: SloBudget,
    /// When the budget ends, if the latest rates go on; null: never, or not worked out yet.
    pub(crate) forecast: Option<SloForecast>,
    /// Its tiers, pages first, shortest windows first.
    pub(crate) tiers: Vec<SloTier>,
    /// The lowest step of the budget policy that is reached.
    #[schema(example = "freeze")]
    pub(crate) policy_step: Option<String>,
    /// Corrections that are for it, by id, and were not revoked.
    #[schema(example = json!([]))]
    pub(crate) corrections: Vec<String>,
    /// Overrides that hold for it, in their order.
    pub(crate) overrides: Vec<SloOverride>,
    /// The id of its open incident.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    pub(crate) incident: Option<String>,
}

/// An instance by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SloDocument {
    /// The document's kind and version.
    #[schema(example = "bailiwick.slo/v1")]
    pub(crate) schema: &'static str,
    /// The instance.
    #[serde(flatten)]
    pub(crate) item: SloItem,
    /// The same promise by each method, where `?method=all` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) methods: Option<Vec<MethodFigures>>,
}

/// The window of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SloPeriod {
    /// rolling or calendar.
    #[schema(example = "rolling")]
    pub(crate) kind: &'static str,
    /// Its start.
    #[schema(example = "2026-04-04T10:05:00.000Z")]
    pub(crate) from: Option<String>,
    /// Its end: of a calendar window it is yet to come.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) to: Option<String>,
    /// Its length.
    #[schema(example = 2_592_000)]
    pub(crate) seconds: u64,
}

/// What the window of the budget counted.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SliFigure {
    /// `unmeasured` where too much of it is missing, `empty` where nothing was asked.
    pub(crate) state: FigureState,
    /// Good by all, nine places; null when not measured.
    #[schema(example = 0.999_742_857)]
    pub(crate) value_ratio: Option<f64>,
    /// Bad events, or bad slices.
    #[schema(example = 360)]
    pub(crate) bad: Bad,
    /// All events, or slices.
    #[schema(example = 1_400_000)]
    pub(crate) total: u64,
    /// The share of the window that is no gap; null before its first slot.
    #[schema(example = 1.0)]
    pub(crate) measured_ratio: Option<f64>,
}

/// What may be bad, and was.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SloBudget {
    /// Bad events, or slices, that the target leaves, nine places.
    #[schema(example = "1400")]
    pub(crate) allowed: String,
    /// Bad events, or bad slices.
    #[schema(example = 360)]
    pub(crate) bad: Bad,
    /// The share that is left, nine places: negative when overspent, 1 when nothing was asked.
    #[schema(example = 0.742_857_143)]
    pub(crate) remaining_ratio: f64,
    /// Less than one bad event is allowed.
    #[schema(example = false)]
    pub(crate) low_traffic: bool,
}

/// When a budget ends, if the latest rates go on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SloForecast {
    /// When this was worked out.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) evaluated_at: Option<String>,
    /// Seconds from then on as if nothing left the window, three places; null: never.
    #[schema(example = 64_800.0)]
    pub(crate) constant_s: Option<f64>,
    /// While old events leave the window: within the period, or null.
    pub(crate) rolling: Option<SloRolling>,
}

/// The minute at which a budget is spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SloRolling {
    /// If chance is against it; null: not within the period.
    #[schema(example = "2026-05-05T02:11:00.000Z")]
    pub(crate) earliest_at: Option<String>,
    /// If the rates stay as they are; null: not within the period.
    #[schema(example = "2026-05-05T04:05:00.000Z")]
    pub(crate) expected_at: Option<String>,
    /// If chance is for it; null: not within the period.
    #[schema(example = "2026-05-05T07:40:00.000Z")]
    pub(crate) latest_at: Option<String>,
}

/// An override that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SloOverride {
    /// Its tenants, as they are written.
    #[schema(example = "acme")]
    pub(crate) tenant: String,
    /// Its modules, as they are written.
    #[schema(example = "*")]
    pub(crate) module: String,
    /// Keys that it sets.
    #[schema(example = json!(["targetPercent"]))]
    pub(crate) sets: Vec<String>,
    /// The line of the document that it begins to set them in.
    #[schema(example = 24)]
    pub(crate) line: Option<u32>,
}

impl From<&(u64, Forecast)> for SloForecast {
    fn from((tick, forecast): &(u64, Forecast)) -> Self {
        let now_s = tick * SLOT_SECONDS;
        let at = |seconds: Option<u64>| seconds.and_then(|seconds| format::instant((now_s + seconds) * SECOND_NS));
        let Forecast { constant, rolling, earliest, latest } = forecast;
        let any = rolling.or(*earliest).or(*latest);
        Self {
            evaluated_at: number::instant(*tick),
            constant_s: constant.as_ref().map(|seconds| seconds.rounded(3) as f64 / 1_000.0),
            rolling: any.map(|_| SloRolling {
                earliest_at: at(*earliest),
                expected_at: at(*rolling),
                latest_at: at(*latest),
            }),
        }
    }
}

impl From<&Override> for SloOverride {
    fn from(rule: &Override) -> Self {
        Self {
            tenant: rule.tenant.to_string(),
            module: rule.module.to_string(),
            sets: rule.sets.iter().map(|(key, _)| key.clone()).collect(),
            line: rule.sets.first().map(|(_, line)| *line),
        }
    }
}

fn corrections(report: &Report, key: &Key) -> Vec<String> {
    let kept = report.controls.corrections.iter().filter(|kept| kept.revoked.is_none());
    kept.filter(|kept| kept.correction.is_for(key)).map(|kept| kept.correction.id.to_string()).collect()
}

/// One promise by another method.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct MethodFigures {
    /// Occurrences, Timeslices or RatioTimeslices.
    #[schema(example = "Timeslices")]
    pub(crate) method: &'static str,
    /// What the window of the budget counted.
    pub(crate) sli: SliFigure,
    /// The budget.
    pub(crate) budget: SloBudget,
}

/// Open incidents by whose they are.
pub(crate) struct Open<'a>(HashMap<&'a Key, &'a IncidentReport>);

impl<'a> Open<'a> {
    /// Those of a report.
    pub(crate) fn of(report: &'a Report) -> Self {
        let open = report.incidents.iter().filter(|incident| incident.is_open());
        Self(open.map(|incident| (&incident.key, &**incident)).collect())
    }
}

impl Named for &InstanceReport {
    fn names(&self) -> [&str; 4] {
        [&self.key.tenant, &self.key.module, &self.key.slo, ""]
    }
}

/// The least budget first, billionths of a budget apart.
pub(crate) fn rank(instance: &InstanceReport) -> u64 {
    let remaining = instance.status.budget.remaining.rounded(9);
    // From what is overspent without end up to all.
    let above_worst = remaining.max(i128::from(i64::MIN)) - i128::from(i64::MIN);
    u64::try_from(above_worst).unwrap_or(u64::MAX)
}

impl SloItem {
    /// An instance of a report.
    pub(crate) fn of(report: &Report, open: &Open<'_>, instance: &InstanceReport) -> Self {
        let InstanceReport { key, slo, terms, status, incident, .. } = instance;
        Self {
            slo: key.slo.to_string(),
            tenant: key.tenant.to_string(),
            module: key.module.to_string(),
            state: status.state.name(),
            level: open.0.get(key).map_or("none", |report| report.incident.level.name()),
            revision: slo.revision.clone(),
            generation: instance.generation.to_string(),
            born_at: number::instant(status.born),
            evaluated_at: number::instant(status.next),
            data_through: format::instant(report.data_through_ns),
            method: slo.method.name(),
            target: terms.target.to_string(),
            period: SloPeriod::of(terms, status),
            sli: SliFigure::from(status),
            budget: SloBudget::from(status),
            forecast: instance.forecast.as_ref().map(SloForecast::from),
            corrections: corrections(report, key),
            overrides: slo.overrides_of(&key.tenant, &key.module).map(SloOverride::from).collect(),
            tiers: status.tiers.iter().map(|tier| SloTier::of(tier, terms.target, &slo.sli)).collect(),
            policy_step: status.policy_step.clone(),
            incident: incident.clone(),
        }
    }
}

impl SloPeriod {
    fn of(terms: &Terms, status: &Status) -> Self {
        let (from, to) = status.period_ticks;
        let (kind, seconds) = match &terms.period {
            // Its left edge lies on a minute, so that the window may be up to 50 s longer than what is promised.
            Period::Rolling(length) => ("rolling", length.seconds()),
            Period::Calendar(_) => ("calendar", to.saturating_sub(from) * SLOT_SECONDS),
        };
        Self { kind, from: number::instant(from), to: number::instant(to), seconds }
    }
}

impl From<&Status> for SliFigure {
    fn from(status: &Status) -> Self {
        let period = &status.period;
        let ratio = period.ratio().filter(|_| period.value == Value::Measured);
        Self {
            state: period.value.into(),
            value_ratio: ratio.as_ref().map(number::ratio),
            bad: period.into(),
            total: period.sums.total,
            measured_ratio: period.measured_ratio().as_ref().map(number::ratio),
        }
    }
}

impl From<&Status> for SloBudget {
    fn from(status: &Status) -> Self {
        Self {
            allowed: status.budget.allowed.to_string(),
            bad: (&status.period).into(),
            remaining_ratio: number::ratio(&status.budget.remaining),
            low_traffic: status.budget.is_low_traffic,
        }
    }
}
