//! An incident as it is told: what happened, in words and as events; who the bad events came from; spans to look up.

use std::collections::BTreeMap;

use bailiwick_slo::attribution::Part;
use bailiwick_slo::course::control::Ack;
use bailiwick_slo::engine::incident::{Cause, Event};
use bailiwick_slo::engine::text::Told;
use bailiwick_slo::engine::tiers::Phase;
use bailiwick_slo::spec::Terms;
use bailiwick_slo::time::SECOND_NS;
use serde::Serialize;
use utoipa::ToSchema;

use super::number;
use crate::evaluator::{Blame, ExemplarSpan, IncidentReport, Report, Standing};
use crate::frontend::format;
use crate::frontend::view::list::Named;

/// Events are named after what they are about.
const EVENT_PREFIX: &str = "slo.alert.";

/// An incident of an instance: one for all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct IncidentItem {
    /// 32 hexadecimal digits.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015")]
    pub(crate) id: String,
    /// The id of its SLO.
    #[schema(example = "rag-availability")]
    pub(crate) slo: String,
    /// Its tenant; `_all`: all of them together.
    #[schema(example = "acme")]
    pub(crate) tenant: String,
    /// Its module; `_all`: all of them together.
    #[schema(example = "rag_hub")]
    pub(crate) module: String,
    /// open or resolved.
    #[schema(example = "open")]
    pub(crate) state: &'static str,
    /// page, ticket or notice; of a resolved one, as it was at the end.
    #[schema(example = "page")]
    pub(crate) level: &'static str,
    /// As bad as it was at worst.
    #[schema(example = "page")]
    pub(crate) peak_level: &'static str,
    /// What it is or was about, the worst first: a tier (`page/1h/5m`), a step of the budget policy (`policy/freeze`),
    /// `nodata`, `forecast`.
    #[schema(example = json!(["page/1h/5m", "ticket/1d/2h"]))]
    pub(crate) causes: Vec<String>,
    /// When it began.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) opened_at: Option<String>,
    /// When it ended: the first moment that was clear.
    #[schema(example = "2026-05-04T10:27:00.000Z")]
    pub(crate) ended_at: Option<String>,
    /// Why: recovered, no_traffic, correction, slo_changed, slo_deleted, expired, closed.
    #[schema(example = "recovered")]
    pub(crate) reason: Option<&'static str>,
    /// How often it began again.
    #[schema(example = 0)]
    pub(crate) reopened: u32,
    /// Somebody looks after it; null: nobody.
    pub(crate) ack: Option<IncidentAck>,
    /// The silence that it falls under now, by id.
    #[schema(example = "2c26b46b68ffc68ff99b453c1d304134")]
    pub(crate) silenced_by: Option<String>,
    /// Corrections that are for its instance, by id, and were not revoked.
    #[schema(example = json!([]))]
    pub(crate) corrections: Vec<String>,
    /// Who the bad events came from.
    pub(crate) attribution: Attribution,
    /// Spans that show them, the newest first, at most ten.
    pub(crate) exemplars: Vec<IncidentExemplar>,
    /// All that in two to four sentences.
    #[schema(
        example = "acme / rag_hub is failing its availability promise: 43 of 1,400 requests failed in the last 1 h \
        (3.07 %); 0.1 % is allowed. At this rate the 30 d budget ends in 18 h; 62 % of it is left. Most from POST \
        /rag/query (81.4 %)."
    )]
    pub(crate) text: String,
    /// What happened, the oldest first.
    pub(crate) events: Vec<IncidentEvent>,
}

/// An incident by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentDocument {
    /// The document's kind and version.
    #[schema(example = "bailiwick.incident/v1")]
    pub(crate) schema: &'static str,
    /// The incident.
    #[serde(flatten)]
    pub(crate) item: IncidentItem,
}

/// That somebody looks after an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct IncidentAck {
    /// Who.
    #[schema(example = "kim")]
    pub(crate) by: String,
    /// Since when.
    #[schema(example = "2026-05-04T10:09:00.000Z")]
    pub(crate) at: Option<String>,
    /// What they say.
    #[schema(example = "rolling back")]
    pub(crate) note: String,
    /// Until when; null: until it ends.
    #[schema(example = "2026-05-04T23:00:00.000Z")]
    pub(crate) until: Option<String>,
}

/// Who the bad events of a stretch of time came from.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Attribution {
    /// Its start.
    #[schema(example = "2026-05-04T09:05:00.000Z")]
    pub(crate) from: Option<String>,
    /// Its end.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) to: Option<String>,
    /// Bad events in it.
    #[schema(example = 43)]
    pub(crate) bad: u64,
    /// By dimension (tenant, module, operation) the values with the most and `_other`. Counts of a dimension add up to
    /// `bad`, shares to 1.
    #[schema(example = json!({"operation": [
        {"value": "POST /rag/query", "bad": 35, "share_ratio": 0.814},
        {"value": "GET /rag/documents", "bad": 8, "share_ratio": 0.186}]}))]
    pub(crate) by: BTreeMap<&'static str, Vec<AttributionPart>>,
}

/// The bad events of one value.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct AttributionPart {
    /// The value.
    #[schema(example = "POST /rag/query")]
    pub(crate) value: String,
    /// Its bad events.
    #[schema(example = 35)]
    pub(crate) bad: u64,
    /// Its share of them, three places.
    #[schema(example = 0.814)]
    pub(crate) share_ratio: f64,
}

/// A bad span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct IncidentExemplar {
    /// Its trace.
    #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
    pub(crate) trace_id: String,
    /// Itself.
    #[schema(example = "00f067aa0ba902b7")]
    pub(crate) span_id: String,
    /// When it ended.
    #[schema(example = "2026-05-04T10:04:58.120Z")]
    pub(crate) at: Option<String>,
    /// How long it took; null when its clock makes no sense.
    #[schema(example = 30_000_120_000_u64)]
    pub(crate) duration_ns: Option<u64>,
    /// What it did.
    #[schema(example = "POST /rag/query")]
    pub(crate) operation: String,
}

/// Something that happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct IncidentEvent {
    /// 32 hexadecimal digits.
    #[schema(example = "60303ae22b998861bce3b28f33eec1be")]
    pub(crate) id: String,
    /// slo.alert.firing, .escalated, .deescalated, .nodata, .forecast, .acknowledged or .resolved.
    #[schema(example = "slo.alert.firing")]
    pub(crate) r#type: String,
    /// When.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    pub(crate) at: Option<String>,
    /// How bad it was then.
    #[schema(example = "page")]
    pub(crate) level: &'static str,
    /// The worst cause then, named as in `causes`.
    #[schema(example = "page/1h/5m")]
    pub(crate) cause: String,
}

/// A row of the list.
#[derive(Debug)]
pub(crate) struct IncidentRow<'a> {
    /// What is known of it.
    pub(crate) report: &'a IncidentReport,
    id: String,
}

impl<'a> From<&'a IncidentReport> for IncidentRow<'a> {
    fn from(report: &'a IncidentReport) -> Self {
        Self { report, id: report.incident.id.to_string() }
    }
}

impl Named for IncidentRow<'_> {
    fn names(&self) -> [&str; 4] {
        let key = &self.report.key;
        [&key.tenant, &key.module, &key.slo, &self.id]
    }
}

impl IncidentRow<'_> {
    /// open or resolved.
    pub(crate) fn state(&self) -> &'static str {
        state(self.report)
    }

    /// Open ones first, of each the latest.
    pub(crate) fn rank(&self) -> u64 {
        const RESOLVED: u64 = 1 << 63;
        let age = (RESOLVED - 1).saturating_sub(self.report.incident.opened);
        if self.report.is_open() { age } else { RESOLVED + age }
    }
}

impl IncidentItem {
    /// An incident of a report, and which of the silences that stand it falls under.
    pub(crate) fn of(all: &Report, report: &IncidentReport, standing: &Standing<'_>) -> Self {
        let now = all.evaluated_tick;
        let IncidentReport { key, slo, incident, status, blame } = report;
        let terms = slo.terms_of(&key.tenant, &key.module);
        let cause = |cause: Cause| cause_name(report, &terms, cause);
        let told = Told { key, slo, terms: &terms, incident, status, by: &blame.by, now };
        Self {
            id: incident.id.to_string(),
            slo: key.slo.to_string(),
            tenant: key.tenant.to_string(),
            module: key.module.to_string(),
            state: state(report),
            level: incident.level.name(),
            peak_level: incident.peak.name(),
            causes: causes(report).into_iter().map(cause).collect(),
            opened_at: number::instant(incident.opened),
            ended_at: incident.ended.and_then(|(ended, _)| number::instant(ended)),
            reason: incident.ended.map(|(_, reason)| reason.name()),
            reopened: incident.reopened,
            ack: all.controls.ack(incident.id).filter(|_| incident.acknowledged).map(IncidentAck::from),
            silenced_by: silence(report, standing),
            corrections: corrections(all, report),
            attribution: blame.into(),
            exemplars: blame.exemplars.iter().map(IncidentExemplar::from).collect(),
            text: told.text(),
            events: incident.events.iter().map(|event| IncidentEvent::of(event, cause(event.cause))).collect(),
        }
    }
}

fn state(report: &IncidentReport) -> &'static str {
    if report.is_open() { "open" } else { "resolved" }
}

/// The worst cause, other tiers that fire, and what it was about before, each once.
fn causes(report: &IncidentReport) -> Vec<Cause> {
    let IncidentReport { incident, status, .. } = report;
    let firing = (0..).zip(&status.tiers).filter(|(_, tier)| tier.phase == Phase::Firing);
    let firing = firing.map(|(place, _)| Cause::Tier(place));
    let earlier = incident.events.iter().rev().map(|event| event.cause);
    let mut causes = Vec::new();
    for cause in [incident.cause].into_iter().chain(firing).chain(earlier) {
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    causes
}

/// `page/1h/5m`, `policy/freeze`, `nodata`, `forecast`.
fn cause_name(report: &IncidentReport, terms: &Terms, cause: Cause) -> String {
    let name = match cause {
        Cause::Tier(place) => report.status.tiers.get(usize::from(place)).map(|tier| tier.tier.name()),
        Cause::Policy(place) => {
            let step = terms.policy.get(usize::from(place));
            step.map(|step| format!("{}/{}", cause.name(), step.name))
        }
        Cause::NoData | Cause::Forecast => None,
    };
    name.unwrap_or_else(|| cause.name().to_owned())
}

impl From<&Ack> for IncidentAck {
    fn from(ack: &Ack) -> Self {
        Self {
            by: ack.by.clone(),
            at: format::instant(ack.at_ns),
            note: ack.note.clone(),
            until: ack.until_s.and_then(format::second),
        }
    }
}

/// The silences of now, nanoseconds since the Unix epoch.
pub(crate) fn standing(all: &Report, now_ns: u64) -> Standing<'_> {
    Standing::at(&all.controls, i64::try_from(now_ns / SECOND_NS).unwrap_or(i64::MAX))
}

/// The silence that an open incident falls under.
fn silence(report: &IncidentReport, standing: &Standing<'_>) -> Option<String> {
    let asked = report.is_open().then(|| standing.over(&report.key, report.incident.level));
    asked.flatten().map(|id| id.to_string())
}

fn corrections(all: &Report, report: &IncidentReport) -> Vec<String> {
    let kept = all.controls.corrections.iter().filter(|kept| kept.revoked.is_none());
    kept.filter(|kept| kept.correction.is_for(&report.key)).map(|kept| kept.correction.id.to_string()).collect()
}

impl From<&Blame> for Attribution {
    fn from(blame: &Blame) -> Self {
        let by = blame.by.iter().map(|(name, parts)| (*name, parts.iter().map(AttributionPart::from).collect()));
        Self {
            from: number::instant(blame.from_tick),
            to: number::instant(blame.to_tick),
            bad: blame.bad,
            by: by.collect(),
        }
    }
}

impl From<&Part> for AttributionPart {
    #[expect(clippy::cast_precision_loss, reason = "a share is at most 1,000 thousandths")]
    fn from(part: &Part) -> Self {
        Self { value: part.value.clone(), bad: part.bad, share_ratio: part.share as f64 / 1_000.0 }
    }
}

impl From<&ExemplarSpan> for IncidentExemplar {
    fn from(exemplar: &ExemplarSpan) -> Self {
        let span = &exemplar.span;
        Self {
            trace_id: format::hex(&span.trace_id),
            span_id: format::hex(&span.span_id),
            at: format::instant(span.end_ns),
            duration_ns: span.duration_ns,
            operation: exemplar.operation.to_string(),
        }
    }
}

impl IncidentEvent {
    fn of(event: &Event, cause: String) -> Self {
        Self {
            id: event.id.to_string(),
            r#type: format!("{EVENT_PREFIX}{}", event.kind.name()),
            at: number::instant(event.at),
            level: event.level.name(),
            cause,
        }
    }
}
