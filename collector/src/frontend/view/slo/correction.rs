//! Corrections as they are ordered and told: time that does not count as it was measured.

use bailiwick_slo::course::control::{Corrected, Correction, Weighed};
use bailiwick_slo::engine::corrections::Standing;
use bailiwick_slo::engine::incident::Id;
use bailiwick_slo::spec::Glob;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::number::{self, Bad};
use crate::frontend::format;
use crate::frontend::http::body::{PROSE_MAX, WORD_MAX, by, short, time, wrong};
use crate::frontend::http::problem::Problem;
use crate::frontend::view::list::Named;

/// A correction as it is ordered.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CorrectionOrder {
    /// SLOs by id: `*` any run, `?` one character; all if absent.
    #[schema(example = "*")]
    slo: Option<String>,
    /// Tenants likewise.
    #[schema(example = "acme")]
    tenant: Option<String>,
    /// Modules likewise.
    #[schema(example = "rag_hub")]
    module: Option<String>,
    /// Its begin; edges widen to minutes.
    #[schema(example = "2026-05-04T22:00:00Z")]
    starts_at: String,
    /// Its end.
    #[schema(example = "2026-05-04T23:00:00Z")]
    ends_at: String,
    /// IANA name of the zone that it recurs in; UTC if absent.
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// RRULE of RFC 5545: FREQ DAILY, WEEKLY, MONTHLY with INTERVAL, BYDAY, COUNT, UNTIL.
    #[schema(example = "FREQ=WEEKLY;BYDAY=SU")]
    recurrence: Option<String>,
    /// exclude: bad and all events leave the windows; good: what was bad counts as good.
    #[schema(example = "exclude")]
    effect: String,
    /// Why.
    #[schema(example = "planned upgrade")]
    reason: String,
    /// Where that is discussed.
    #[schema(example = "OPS-4711")]
    ticket: Option<String>,
    /// Who orders it.
    #[schema(example = "kim")]
    created_by: Option<String>,
}

/// A correction as it is told.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct CorrectionItem {
    /// 32 hexadecimal digits.
    #[schema(example = "2c26b46b68ffc68ff99b453c1d304134")]
    pub(crate) id: String,
    /// active, or revoked.
    #[schema(example = "active")]
    pub(crate) state: &'static str,
    /// Which SLOs.
    #[schema(example = "*")]
    pub(crate) slo: String,
    /// Which tenants.
    #[schema(example = "acme")]
    pub(crate) tenant: String,
    /// Which modules.
    #[schema(example = "rag_hub")]
    pub(crate) module: String,
    /// Its begin.
    #[schema(example = "2026-05-04T22:00:00.000Z")]
    pub(crate) starts_at: String,
    /// Its end.
    #[schema(example = "2026-05-04T23:00:00.000Z")]
    pub(crate) ends_at: String,
    /// The zone that it recurs in.
    #[schema(example = "Europe/Berlin")]
    pub(crate) time_zone: String,
    /// When it comes again.
    #[schema(example = "FREQ=WEEKLY;BYDAY=SU")]
    pub(crate) recurrence: Option<String>,
    /// exclude or good.
    #[schema(example = "exclude")]
    pub(crate) effect: &'static str,
    /// Why.
    #[schema(example = "planned upgrade")]
    pub(crate) reason: String,
    /// Where that is discussed.
    #[schema(example = "OPS-4711")]
    pub(crate) ticket: String,
    /// Who ordered it.
    #[schema(example = "kim")]
    pub(crate) created_by: String,
    /// When.
    #[schema(example = "2026-05-04T21:10:00.000Z")]
    pub(crate) created_at: Option<String>,
    /// Who revoked it; null: nobody.
    pub(crate) revoked_by: Option<String>,
    /// When.
    pub(crate) revoked_at: Option<String>,
    /// Instances that it was for when it came.
    #[schema(example = 1)]
    pub(crate) instances: usize,
    /// What it did to the budgets of the first hundred of them.
    pub(crate) budgets: Vec<CorrectedBudget>,
}

/// What a correction did to one budget.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct CorrectedBudget {
    /// Whose.
    #[schema(example = "acme")]
    pub(crate) tenant: String,
    /// Its module.
    #[schema(example = "rag_hub")]
    pub(crate) module: String,
    /// Its SLO.
    #[schema(example = "rag-availability")]
    pub(crate) slo: String,
    /// Without it.
    pub(crate) before: SpentBudget,
    /// With it.
    pub(crate) after: SpentBudget,
}

/// Where a budget stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct SpentBudget {
    /// Bad events, or slices.
    #[schema(example = 43)]
    pub(crate) bad: Bad,
    /// All events, or slices.
    #[schema(example = 1400)]
    pub(crate) total: u64,
    /// The share that is left, nine places.
    #[schema(example = 0.742_857_143)]
    pub(crate) remaining_ratio: f64,
}

/// A correction by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CorrectionDocument {
    /// The document's kind and version.
    #[schema(example = "bailiwick.correction/v1")]
    pub(crate) schema: &'static str,
    /// The correction.
    #[serde(flatten)]
    pub(crate) item: CorrectionItem,
}

/// A row of the list.
pub(crate) struct CorrectionRow<'a> {
    pub(crate) kept: &'a Corrected,
    id: String,
}

impl<'a> From<&'a Corrected> for CorrectionRow<'a> {
    fn from(kept: &'a Corrected) -> Self {
        Self { kept, id: kept.correction.id.to_string() }
    }
}

impl Named for CorrectionRow<'_> {
    fn names(&self) -> [&str; 4] {
        let correction = &self.kept.correction;
        [correction.tenant.as_str(), correction.module.as_str(), correction.slo.as_str(), &self.id]
    }
}

impl CorrectionOrder {
    /// The correction that is meant.
    ///
    /// # Errors
    /// `invalid` with the value that cannot be used.
    pub(crate) fn correction(self, now_ns: u64) -> Result<Correction, Problem> {
        let (starts_s, ends_s) = (time("starts_at", &self.starts_at)?, time("ends_at", &self.ends_at)?);
        if ends_s <= starts_s {
            return Err(wrong("ends_at", "it must be after starts_at"));
        }
        let is_good = match self.effect.as_str() {
            "good" => true,
            "exclude" => false,
            _ => return Err(wrong("effect", "it is exclude or good")),
        };
        if self.reason.trim().is_empty() {
            return Err(wrong("reason", "say why: those who look at the budget later will ask"));
        }
        let zone = short("time_zone", self.time_zone.unwrap_or_else(|| "UTC".to_owned()), WORD_MAX)?;
        TimeZone::get(&zone).map_err(|_| wrong("time_zone", "it is no zone like Europe/Berlin"))?;
        let rule = self.recurrence.map(|rule| short("recurrence", rule, WORD_MAX)).transpose()?;
        let recurrence = rule.map(|rule| rule.parse()).transpose();
        let recurrence = recurrence
            .map_err(|error: bailiwick_slo::course::recurrence::NotARule| wrong("recurrence", error.to_string()))?;
        let glob = |name: &str, pattern: Option<String>| {
            let pattern = short(name, pattern.unwrap_or_else(|| "*".to_owned()), WORD_MAX)?;
            Ok(Glob::new(&pattern))
        };
        let mut correction = Correction {
            id: Id([0; 16]),
            slo: glob("slo", self.slo)?,
            tenant: glob("tenant", self.tenant)?,
            module: glob("module", self.module)?,
            starts_s,
            ends_s,
            zone,
            recurrence,
            is_good,
            reason: short("reason", self.reason, PROSE_MAX)?,
            ticket: short("ticket", self.ticket.unwrap_or_default(), WORD_MAX)?,
            created_by: by("created_by", self.created_by)?,
            created_at_ns: now_ns,
        };
        correction.id = Id::of(&["correction", &format!("{correction:?}")]);
        Ok(correction)
    }
}

impl From<&Corrected> for CorrectionItem {
    fn from(kept: &Corrected) -> Self {
        let Corrected { correction, revoked, weighed, instances, effects: _ } = kept;
        let at = |seconds: i64| format::second(seconds).unwrap_or_default();
        Self {
            id: correction.id.to_string(),
            state: if revoked.is_some() { "revoked" } else { "active" },
            slo: correction.slo.to_string(),
            tenant: correction.tenant.to_string(),
            module: correction.module.to_string(),
            starts_at: at(correction.starts_s),
            ends_at: at(correction.ends_s),
            time_zone: correction.zone.clone(),
            recurrence: correction.recurrence.as_ref().map(ToString::to_string),
            effect: if correction.is_good { "good" } else { "exclude" },
            reason: correction.reason.clone(),
            ticket: correction.ticket.clone(),
            created_by: correction.created_by.clone(),
            created_at: format::instant(correction.created_at_ns),
            revoked_by: revoked.as_ref().map(|done| done.by.clone()),
            revoked_at: revoked.as_ref().and_then(|done| format::instant(done.at_ns)),
            instances: *instances,
            budgets: weighed.iter().map(CorrectedBudget::from).collect(),
        }
    }
}

impl From<&Weighed> for CorrectedBudget {
    fn from(weighed: &Weighed) -> Self {
        let key = &weighed.key;
        Self {
            tenant: key.tenant.to_string(),
            module: key.module.to_string(),
            slo: key.slo.to_string(),
            before: (&weighed.before).into(),
            after: (&weighed.after).into(),
        }
    }
}

impl From<&Standing> for SpentBudget {
    fn from(spent: &Standing) -> Self {
        Self { bad: Bad::from(&spent.bad), total: spent.total, remaining_ratio: number::ratio(&spent.remaining) }
    }
}
