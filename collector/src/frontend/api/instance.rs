//! More about one instance of an SLO: what its definition means, who spent its budget, what it looked like before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use bailiwick_slo::course::backtest::{self, Trial};
use bailiwick_slo::course::ledger::Written;
use bailiwick_slo::course::run::Definitions;
use bailiwick_slo::engine::fleet::{ALL, Key};
use bailiwick_slo::exact::Decimal;
use bailiwick_slo::explain::{self, Asked as Explained};
use bailiwick_slo::spec::{Method, Sli, Slo, TimeSpan};
use bailiwick_slo::time::SLOT_SECONDS;
use serde::Serialize;
use utoipa::ToSchema;

use super::alternatives;
use super::history::tick;
use crate::evaluator::{InstanceReport, Report, blame_of};
use crate::frontend::http::answer::{self, Page};
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::{Code, Problem};
use crate::frontend::state::State;
use crate::frontend::view::slo::correction::CorrectionItem;
use crate::frontend::view::slo::explanation::explanation_json;
use crate::frontend::view::slo::incident::{Attribution, IncidentExemplar};
use crate::frontend::view::slo::item::{MethodFigures, SliFigure, SloBudget};
use crate::frontend::view::slo::number;

/// Parameters of `/history`.
const HISTORY: [&str; 3] = ["from", "to", "step"];
/// Most points of a history.
const POINTS_MAX: u64 = 11_000;
/// How long a history may take.
const HISTORY_MAX: Duration = Duration::from_secs(60);
/// Slices that an SLO of events is compared by.
const SLICE: TimeSpan = TimeSpan(60);

type InPath = Result<Path<(String, String, String)>, PathRejection>;

/// The report and the place in it of the instance that a path names.
pub(super) fn named(state: &State, path: InPath, asked: &Asked) -> Result<(Arc<Report>, usize), Problem> {
    let report = state.report();
    // A foreign tenant is not looked for: the answer and its time are those of an unknown one.
    let place = path.ok().filter(|Path((tenant, ..))| asked.scope().holds(tenant)).and_then(|Path(ids)| {
        let names =
            |one: &InstanceReport| *one.key.tenant == *ids.0 && *one.key.module == *ids.1 && *one.key.slo == *ids.2;
        report.instances.iter().position(names)
    });
    let place = place.ok_or_else(|| Problem::new(Code::NotFound, "there is no such SLO; GET /v1/slos lists them"))?;
    Ok((report, place))
}

/// What an SLO means for one tenant and module
///
/// In words and exact numbers: what is promised, when who is told, what silence means, and which override set what.
#[utoipa::path(
    get,
    path = "/v1/slos/{tenant}/{module}/{slo}/explain",
    tag = "slos",
    params(
        ("tenant" = String, Path, description = "The tenant, or `_all`", example = "acme"),
        ("module" = String, Path, description = "The module, or `_all`", example = "rag_hub"),
        ("slo" = String, Path, description = "The id of the SLO", example = "rag-availability"),
    ),
    responses((status = 200, description = "Sections of rows", body = Object), alternatives::OfOne)
)]
pub(crate) async fn explain(Shared(state): Shared<State>, path: InPath, asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    let (report, place) = named(&state, path, &asked)?;
    answer::reported(&state, &asked, report, move |report| {
        let InstanceReport { key, slo, terms, status, .. } = &report.instances[place];
        let (from, to) = status.period_ticks;
        let period_s = Some(to.saturating_sub(from) * SLOT_SECONDS).filter(|_| status.is_calendar);
        let asked = Explained { pace: None, remaining: None, instance: Some((&key.tenant, &key.module)), period_s };
        let told = explain::explain(slo, terms, &asked);
        let body =
            told.map_or_else(|error| serde_json::json!({"detail": error.to_string()}), |told| explanation_json(&told));
        Page { body, next_cursor: None }
    })
    .await
}

/// Who spent a budget.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttributionDocument {
    /// The document's kind and version.
    #[schema(example = "bailiwick.slo-attribution/v1")]
    schema: &'static str,
    /// Over the long window of the governing tier; of an instance where none fires over an hour.
    #[serde(flatten)]
    attribution: Attribution,
    /// Spans that show them, the newest first, at most ten.
    exemplars: Vec<IncidentExemplar>,
}

/// Who spent the budget
///
/// Bad events by tenant, module and operation, each adding up to all of them, and spans to look up.
#[utoipa::path(
    get,
    path = "/v1/slos/{tenant}/{module}/{slo}/attribution",
    tag = "slos",
    params(
        ("tenant" = String, Path, description = "The tenant, or `_all`", example = "acme"),
        ("module" = String, Path, description = "The module, or `_all`", example = "rag_hub"),
        ("slo" = String, Path, description = "The id of the SLO", example = "rag-availability"),
    ),
    responses((status = 200, description = "Parts that add up", body = AttributionDocument), alternatives::OfOne)
)]
pub(crate) async fn attribution(Shared(state): Shared<State>, path: InPath, asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    let (report, place) = named(&state, path, &asked)?;
    let (snapshot, settle_ns) = (state.snapshot(), state.inventory().settle_ns);
    answer::reported(&state, &asked, report, move |report| {
        let instance = &report.instances[place];
        // An open incident keeps more spans than a snapshot has.
        let open = report.incidents.iter().find(|one| one.is_open() && one.key == instance.key);
        let blame = open.map_or_else(|| blame_of(&snapshot, report, instance, settle_ns), |open| open.blame.clone());
        let exemplars = blame.exemplars.iter().map(IncidentExemplar::from).collect();
        let schema = "bailiwick.slo-attribution/v1";
        Page { body: AttributionDocument { schema, attribution: (&blame).into(), exemplars }, next_cursor: None }
    })
    .await
}

/// Corrections of one instance.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CorrectionsDocument {
    /// The document's kind and version.
    #[schema(example = "bailiwick.slo-corrections/v1")]
    schema: &'static str,
    /// Those that are or were for it, the oldest first.
    items: Vec<CorrectionItem>,
}

/// Corrections of one instance
///
/// Revoked ones among them.
#[utoipa::path(
    get,
    path = "/v1/slos/{tenant}/{module}/{slo}/corrections",
    tag = "slos",
    params(
        ("tenant" = String, Path, description = "The tenant, or `_all`", example = "acme"),
        ("module" = String, Path, description = "The module, or `_all`", example = "rag_hub"),
        ("slo" = String, Path, description = "The id of the SLO", example = "rag-availability"),
    ),
    responses((status = 200, description = "The corrections", body = CorrectionsDocument), alternatives::OfOne)
)]
pub(crate) async fn corrections(Shared(state): Shared<State>, path: InPath, asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    let (report, place) = named(&state, path, &asked)?;
    answer::reported(&state, &asked, report, move |report| {
        let key = &report.instances[place].key;
        let kept = report.controls.corrections.iter().filter(|kept| kept.correction.is_for(key));
        let own = |item: CorrectionItem| {
            let budgets = item.budgets.into_iter().filter(|budget| {
                *budget.tenant == *key.tenant && *budget.module == *key.module && *budget.slo == *key.slo
            });
            CorrectionItem { budgets: budgets.collect(), ..item }
        };
        let items = kept.map(|kept| own(CorrectionItem::from(kept))).collect();
        Page { body: CorrectionsDocument { schema: "bailiwick.slo-corrections/v1", items }, next_cursor: None }
    })
    .await
}

/// What an instance looked like.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryDocument {
    /// The document's kind and version.
    #[schema(example = "bailiwick.slo-history/v1")]
    schema: &'static str,
    /// Moments, the oldest first, as far as the ledger reaches.
    items: Vec<HistoryPoint>,
}

/// What an instance looked like at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryPoint {
    /// Windows ended here.
    #[schema(example = "2026-05-04T10:05:00.000Z")]
    at: Option<String>,
    /// Its state.
    #[schema(example = "acceptable")]
    state: &'static str,
    /// What the window of the budget counted.
    sli: SliFigure,
    /// The budget.
    budget: SloBudget,
}

/// What an instance looked like
///
/// From the ledger: as far back as it reaches, by the definitions that held then.
#[utoipa::path(
    get,
    path = "/v1/slos/{tenant}/{module}/{slo}/history",
    tag = "slos",
    params(
        ("tenant" = String, Path, description = "The tenant, or `_all`", example = "acme"),
        ("module" = String, Path, description = "The module, or `_all`", example = "rag_hub"),
        ("slo" = String, Path, description = "The id of the SLO", example = "rag-availability"),
        ("from" = Option<String>, Query, description = "The first moment", example = "2026-05-04T09:00:00Z"),
        ("to" = Option<String>, Query, description = "The last one", example = "2026-05-04T10:00:00Z"),
        ("step" = Option<u32>, Query, description = "Seconds between moments: 60 if absent, 10 at least", example = 60),
    ),
    responses((status = 200, description = "Moments", body = HistoryDocument), alternatives::OfOne)
)]
pub(crate) async fn history(Shared(state): Shared<State>, path: InPath, asked: Asked) -> Result<Response, Problem> {
    asked.only(&HISTORY)?;
    let (from, to) = (tick(&asked, "from")?.unwrap_or(0), tick(&asked, "to")?.unwrap_or(u64::MAX));
    let step = asked.get("step").map_or(Ok(60), str::parse::<u64>);
    let step = step.ok().filter(|step| *step >= SLOT_SECONDS);
    let step = step.ok_or_else(|| Problem::parameter(Code::BadRequest, "step", "it is seconds, 10 at least"))?;
    if from >= to {
        return Err(Problem::parameter(Code::BadRequest, "from", "it must be before `to`"));
    }
    let (report, place) = named(&state, path, &asked)?;
    let span = report.ledger.as_ref().and_then(|ledger| ledger.span()).unwrap_or_default();
    let every = step / SLOT_SECONDS;
    if (to.min(span.1).saturating_sub(from.max(span.0))) / every > POINTS_MAX {
        let detail = format!("that is more than {POINTS_MAX} moments: ask for less, or for a longer step");
        return Err(Problem::parameter(Code::LimitExceeded, "step", detail));
    }
    answer::reported(&state, &asked, report, move |report| {
        let key = &report.instances[place].key;
        let definitions = Definitions::Recorded;
        let samples = tried(report, definitions, (from, to), (key, every));
        let items = samples.iter().map(|(at, status)| HistoryPoint {
            at: number::instant(*at),
            state: status.state.name(),
            sli: status.into(),
            budget: status.into(),
        });
        Page { body: HistoryDocument { schema: "bailiwick.slo-history/v1", items: items.collect() }, next_cursor: None }
    })
    .await
}

type Samples = Vec<(u64, bailiwick_slo::engine::status::Status)>;

fn tried(report: &Report, definitions: Definitions, (from, to): (u64, u64), (key, every): (&Key, u64)) -> Samples {
    let written = report.ledger.as_ref().and_then(|ledger| Written::read(&ledger.to_bytes()).ok());
    let until = Instant::now() + HISTORY_MAX;
    let samples = written.map(|written| {
        let trial = Trial { written: &written, definitions, from, to };
        backtest::samples(trial, key, every, || Instant::now() < until)
    });
    samples.unwrap_or_default()
}

/// An instance by all three methods, over what the ledger holds. Slices are a minute where the SLO has none, and good by
/// its target. SLIs that are one figure a slice have no occurrences.
pub(super) fn by_all_methods(report: &Report, instance: &InstanceReport) -> Vec<MethodFigures> {
    let InstanceReport { key, slo, terms, .. } = instance;
    let target = Decimal::new(100_000_000 - i64::try_from(terms.target.beta()).unwrap_or(0), 8);
    let (slice, target) = match slo.method {
        Method::Occurrences => (SLICE, target),
        Method::Timeslices { slice, target } => (slice, target),
        Method::RatioTimeslices { slice } => (slice, target),
    };
    let methods = [Method::Occurrences, Method::Timeslices { slice, target }, Method::RatioTimeslices { slice }];
    let has_events = !matches!(slo.sli, Sli::Quantile { .. } | Sli::Ratio { .. } | Sli::Composite(_));
    let figures = methods.into_iter().filter(|method| has_events || *method != Method::Occurrences);
    let figures = figures.filter(|_| !matches!(slo.sli, Sli::Composite(_))).filter_map(|method| {
        let mut other = Slo::clone(slo);
        other.method = method;
        other.owner = (*key.tenant != *ALL).then(|| key.tenant.to_string());
        let samples = tried(report, Definitions::Given(vec![other]), (0, u64::MAX), (key, 1));
        let (_, status) = samples.last()?;
        Some(MethodFigures { method: method.name(), sli: status.into(), budget: status.into() })
    });
    figures.collect()
}
