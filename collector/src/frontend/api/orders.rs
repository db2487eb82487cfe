//! What operators order: corrections, silences, and what becomes of incidents. Each order is a record of the journal, and
//! is answered when it has been carried out.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bailiwick_slo::course::control::{Ack, CORRECTIONS_MAX, Control, Corrected, Done, SILENCES_MAX};
use bailiwick_slo::engine::incident::Id;
use serde::Deserialize;
use utoipa::ToSchema;

use super::alternatives;
use super::query::{self, ListQuery};
use crate::frontend::http::answer;
use crate::frontend::http::asked::Asked;
use crate::frontend::http::body::{self, Body, PROSE_MAX, json, short, wrong};
use crate::frontend::http::problem::{Code, Problem};
use crate::frontend::state::State;
use crate::frontend::view::list::{self, List, Named};
use crate::frontend::view::slo::correction::{CorrectionDocument, CorrectionItem, CorrectionOrder, CorrectionRow};
use crate::frontend::view::slo::incident::{self, IncidentDocument, IncidentItem};
use crate::frontend::view::slo::silence::{SilenceDocument, SilenceItem, SilenceOrder, SilenceRow};

/// Parameters of `POST /v1/corrections`.
const CORRECT: [&str; 1] = ["dry_run"];

type InPath = Result<Path<String>, PathRejection>;

/// Corrections of budgets
///
/// Time that does not count as it was measured. Revoked ones stay listed. The latest first.
#[utoipa::path(
    get,
    path = "/v1/corrections",
    tag = "slos",
    params(
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("q" = Option<String>, Query, description = "A part of tenant, module, SLO or id, in any case", example = "rag"),
    ),
    responses((status = 200, description = "A page of corrections", body = List<CorrectionItem>), alternatives::OfLists)
)]
pub(crate) async fn corrections(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let query = ListQuery::read(&asked, query::LIST)?;
    answer::reported(&state, &asked, state.report(), move |report| {
        let rows = report.controls.corrections.iter().map(CorrectionRow::from);
        let rows: Vec<CorrectionRow<'_>> = rows.filter(|row| query.filter.keeps(row)).collect();
        let page = list::page(rows, |row| u64::MAX - row.kept.correction.created_at_ns, &query.cut);
        let items = page.map(|row| CorrectionItem::from(row.kept));
        List::new("bailiwick.corrections/v1", None, report.data_through_ns, items).into()
    })
    .await
}

/// Correct budgets
///
/// Open incidents of the instances freeze while it is active, and nothing opens. The answer has the budgets before and
/// after; `dry_run` only tells them.
#[utoipa::path(
    post,
    path = "/v1/corrections",
    tag = "slos",
    params(("dry_run" = Option<bool>, Query, description = "Only tell what it would do", example = true)),
    request_body = CorrectionOrder,
    responses(
        (status = 200, description = "What it would do", body = CorrectionDocument),
        (status = 201, description = "It holds", body = CorrectionDocument),
        alternatives::OfOrders,
    )
)]
pub(crate) async fn correct(Shared(state): Shared<State>, asked: Asked, Body(body): Body) -> Result<Response, Problem> {
    asked.only(&CORRECT)?;
    let is_dry = query::word(&asked, "dry_run", &["true", "false"])?.as_deref() == Some("true");
    let correction = json::<CorrectionOrder>(&body)?.correction(state.now_ns())?;
    let scope = asked.scope();
    let (tenant, pattern) = (correction.tenant.as_str(), ['*', '?']);
    if scope.is_narrow() && (tenant.contains(pattern) || !scope.holds(tenant)) {
        return Err(wrong("tenant", "it must be one of those that X-Scope-OrgID names, by its whole name"));
    }
    if !is_dry && state.report().controls.corrections.len() >= CORRECTIONS_MAX {
        return Err(Problem::new(Code::LimitExceeded, format!("there are {CORRECTIONS_MAX} corrections already")));
    }
    let id = correction.id;
    let order = if is_dry { Control::Try(correction) } else { Control::Correct(correction) };
    state.orders().give(order).await?;
    let report = state.report();
    let kept = if is_dry { &report.controls.tried } else { &report.controls.corrections };
    corrected(kept, id, if is_dry { StatusCode::OK } else { StatusCode::CREATED })
}

/// Revoke a correction
///
/// Budgets are what they were without it from the next tick on; what was sent is not taken back.
#[utoipa::path(
    post,
    path = "/v1/corrections/{id}/revoke",
    tag = "slos",
    params(("id" = String, Path, description = "32 hexadecimal digits", example = "2c26b46b68ffc68ff99b453c1d304134")),
    request_body = ByOrder,
    responses((status = 200, description = "It does not hold any more", body = CorrectionDocument), alternatives::OfOrders)
)]
pub(crate) async fn revoke(
    Shared(state): Shared<State>,
    path: InPath,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Problem> {
    asked.only(&[])?;
    let missing = || Problem::new(Code::NotFound, "there is no such correction; GET /v1/corrections lists them");
    let id = id_of(path).ok_or_else(missing)?;
    let scope = asked.scope();
    let is_it = |kept: &Corrected| kept.correction.id == id && scope.holds(kept.correction.tenant.as_str());
    if !state.report().controls.corrections.iter().any(is_it) {
        return Err(missing());
    }
    let by = json::<ByOrder>(&body)?.by()?;
    state.orders().give(Control::Revoke(Done { id, by, at_ns: state.now_ns() })).await?;
    corrected(&state.report().controls.corrections, id, StatusCode::OK)
}

fn corrected(kept: &[Corrected], id: Id, status: StatusCode) -> Result<Response, Problem> {
    let kept = kept.iter().rev().find(|kept| kept.correction.id == id);
    let kept = kept.ok_or_else(|| Problem::new(Code::LimitExceeded, "there is no place for another correction"))?;
    let body = CorrectionDocument { schema: "bailiwick.correction/v1", item: CorrectionItem::from(kept) };
    Ok(told(status, &body))
}

fn told(status: StatusCode, body: &impl serde::Serialize) -> Response {
    let text = serde_json::to_string(body).expect("views always become JSON");
    (status, answer::live(text, answer::JSON)).into_response()
}

fn id_of(path: InPath) -> Option<Id> {
    let Path(text) = path.ok()?;
    let digits = text.as_bytes();
    let is_id =
        digits.len() == 32 && digits.iter().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(digit));
    let mut id = [0; 16];
    for (place, byte) in id.iter_mut().enumerate().filter(|_| is_id) {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    is_id.then_some(Id(id))
}

/// Who orders it.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ByOrder {
    /// Who.
    #[schema(example = "kim")]
    by: Option<String>,
}

impl ByOrder {
    fn by(self) -> Result<String, Problem> {
        body::by("by", self.by)
    }
}

/// Silences
///
/// Messages that are not sent for a while. Those that ended stay listed. The latest first.
#[utoipa::path(
    get,
    path = "/v1/silences",
    tag = "slos",
    params(
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("q" = Option<String>, Query, description = "A part of tenant or id, in any case", example = "acme"),
    ),
    responses((status = 200, description = "A page of silences", body = List<SilenceItem>), alternatives::OfLists)
)]
pub(crate) async fn silences(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let query = ListQuery::read(&asked, query::LIST)?;
    let now_ns = state.now_ns();
    answer::reported(&state, &asked, state.report(), move |report| {
        let rows = report.controls.silences.iter().map(SilenceRow::from);
        let rows: Vec<SilenceRow<'_>> = rows.filter(|row| query.filter.keeps(row)).collect();
        let page = list::page(rows, |row| u64::MAX - row.kept.silence.created_at_ns, &query.cut);
        let items = page.map(|row| SilenceItem::of(row.kept, now_ns));
        List::new("bailiwick.silences/v1", None, report.data_through_ns, items).into()
    })
    .await
}

/// Silence incidents
///
/// It stops messages, not incidents: an incident that is still open at its end is sent then.
#[utoipa::path(
    post,
    path = "/v1/silences",
    tag = "slos",
    request_body = SilenceOrder,
    responses((status = 201, description = "It holds", body = SilenceDocument), alternatives::OfOrders)
)]
pub(crate) async fn silence(Shared(state): Shared<State>, asked: Asked, Body(body): Body) -> Result<Response, Problem> {
    asked.only(&[])?;
    let order = json::<SilenceOrder>(&body)?;
    if !order.is_within(&asked.scope()) {
        return Err(wrong("matchers", "one must be `tenant`, equal to one of those that X-Scope-OrgID names"));
    }
    let silence = order.silence(state.now_ns())?;
    if state.report().controls.silences.len() >= SILENCES_MAX {
        return Err(Problem::new(Code::LimitExceeded, format!("there are {SILENCES_MAX} silences already")));
    }
    let id = silence.id;
    state.orders().give(Control::Silence(silence)).await?;
    silenced(&state, id, StatusCode::CREATED)
}

/// End a silence
///
/// It stays listed.
#[utoipa::path(
    delete,
    path = "/v1/silences/{id}",
    tag = "slos",
    params(("id" = String, Path, description = "32 hexadecimal digits", example = "2c26b46b68ffc68ff99b453c1d304134")),
    responses((status = 200, description = "It is over", body = SilenceDocument), alternatives::OfOrders)
)]
pub(crate) async fn end_silence(Shared(state): Shared<State>, path: InPath, asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    let missing = || Problem::new(Code::NotFound, "there is no such silence; GET /v1/silences lists them");
    let id = id_of(path).ok_or_else(missing)?;
    let (report, scope) = (state.report(), asked.scope());
    let is_it = |row: SilenceRow<'_>| row.kept.silence.id == id && scope.holds(row.names()[0]);
    if !report.controls.silences.iter().map(SilenceRow::from).any(is_it) {
        return Err(missing());
    }
    let done = Done { id, by: "anonymous".to_owned(), at_ns: state.now_ns() };
    state.orders().give(Control::EndSilence(done)).await?;
    silenced(&state, id, StatusCode::OK)
}

fn silenced(state: &State, id: Id, status: StatusCode) -> Result<Response, Problem> {
    let report = state.report();
    let kept = report.controls.silences.iter().find(|kept| kept.silence.id == id);
    let kept = kept.ok_or_else(|| Problem::new(Code::LimitExceeded, "there is no place for another silence"))?;
    let item = SilenceItem::of(kept, state.now_ns());
    Ok(told(status, &SilenceDocument { schema: "bailiwick.silence/v1", item }))
}

/// Who looks after an incident.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AckOrder {
    /// Who.
    #[schema(example = "kim")]
    by: Option<String>,
    /// What they say.
    #[schema(example = "rolling back")]
    note: Option<String>,
    /// Until when; to the end of the incident if absent.
    #[schema(example = "2026-05-04T23:00:00Z")]
    until: Option<String>,
}

/// Acknowledge an incident
///
/// It is not said again; that it gets worse still is.
#[utoipa::path(
    post,
    path = "/v1/incidents/{id}/ack",
    tag = "slos",
    params(("id" = String, Path, description = "32 hexadecimal digits", example = "9f86d081884c7d659a2feaa0c55ad015")),
    request_body = AckOrder,
    responses((status = 200, description = "The incident", body = IncidentDocument), alternatives::OfOrders)
)]
pub(crate) async fn ack(
    Shared(state): Shared<State>,
    path: InPath,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Problem> {
    let incident = open_incident(&state, path, &asked)?;
    let AckOrder { by, note, until } = json(&body)?;
    let until_s = until.map(|text| body::time("until", &text)).transpose()?;
    let now_s = i64::try_from(state.now_ns() / 1_000_000_000).unwrap_or(i64::MAX);
    if until_s.is_some_and(|until| until <= now_s) {
        return Err(wrong("until", "it must be in the future"));
    }
    let control = Control::Acknowledge(Ack {
        incident,
        by: body::by("by", by)?,
        note: short("note", note.unwrap_or_default(), PROSE_MAX)?,
        at_ns: state.now_ns(),
        until_s,
    });
    carried_out(&state, incident, control).await
}

/// Take an acknowledgement back
///
/// The incident is said again every `repeatEvery`.
#[utoipa::path(
    post,
    path = "/v1/incidents/{id}/unack",
    tag = "slos",
    params(("id" = String, Path, description = "32 hexadecimal digits", example = "9f86d081884c7d659a2feaa0c55ad015")),
    request_body = ByOrder,
    responses((status = 200, description = "The incident", body = IncidentDocument), alternatives::OfOrders)
)]
pub(crate) async fn unack(
    Shared(state): Shared<State>,
    path: InPath,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Problem> {
    let id = open_incident(&state, path, &asked)?;
    let done = Done { id, by: json::<ByOrder>(&body)?.by()?, at_ns: state.now_ns() };
    carried_out(&state, id, Control::Unacknowledge(done)).await
}

/// Close an incident
///
/// If its cause holds, it opens again with the next tick.
#[utoipa::path(
    post,
    path = "/v1/incidents/{id}/close",
    tag = "slos",
    params(("id" = String, Path, description = "32 hexadecimal digits", example = "9f86d081884c7d659a2feaa0c55ad015")),
    request_body = ByOrder,
    responses((status = 200, description = "The incident", body = IncidentDocument), alternatives::OfOrders)
)]
pub(crate) async fn close(
    Shared(state): Shared<State>,
    path: InPath,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Problem> {
    let id = open_incident(&state, path, &asked)?;
    let done = Done { id, by: json::<ByOrder>(&body)?.by()?, at_ns: state.now_ns() };
    carried_out(&state, id, Control::Close(done)).await
}

/// The incident that a path names, which must be open.
fn open_incident(state: &State, path: InPath, asked: &Asked) -> Result<Id, Problem> {
    asked.only(&[])?;
    let missing = || Problem::new(Code::NotFound, "there is no such open incident; GET /v1/incidents lists them");
    let (id, scope) = (id_of(path).ok_or_else(missing)?, asked.scope());
    let report = state.report();
    let mut own = report.incidents.iter().filter(|one| one.is_open() && scope.holds(&one.key.tenant));
    own.find(|one| one.incident.id == id).map(|_| id).ok_or_else(missing)
}

async fn carried_out(state: &State, id: Id, control: Control) -> Result<Response, Problem> {
    state.orders().give(control).await?;
    let report = state.report();
    let known = report.incidents.iter().find(|one| one.incident.id == id);
    let known = known.ok_or_else(|| Problem::new(Code::NotFound, "the incident is not kept any more"))?;
    let item = IncidentItem::of(&report, known, &incident::standing(&report, state.now_ns()));
    Ok(told(StatusCode::OK, &IncidentDocument { schema: "bailiwick.incident/v1", item }))
}
