//! What went wrong with SLOs: `/v1/incidents` and one of them.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use bailiwick_slo::spec::Severity;

use super::alternatives;
use super::query::{self, ListQuery};
use crate::frontend::http::answer::{self, Page};
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::{Code, Problem};
use crate::frontend::state::State;
use crate::frontend::view::list::{self, List};
use crate::frontend::view::slo::incident::{self, IncidentDocument, IncidentItem, IncidentRow};

const LEVELS: [&str; 3] = [Severity::Page.name(), Severity::Ticket.name(), Severity::Notice.name()];

/// What is asked for besides tenant, module and a part of a name.
struct Wanted {
    slo: Option<String>,
    state: Option<String>,
    level: Option<String>,
}

impl Wanted {
    fn read(asked: &Asked) -> Result<Self, Problem> {
        let state = query::word(asked, "state", &["open", "resolved"])?;
        Ok(Self { slo: asked.get("slo").map(str::to_owned), state, level: query::word(asked, "level", &LEVELS)? })
    }

    fn holds(&self, row: &IncidentRow<'_>) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        is(&self.slo, &row.report.key.slo)
            && is(&self.state, row.state())
            && is(&self.level, row.report.incident.level.name())
    }
}

/// Incidents of SLOs
///
/// One for all that is wrong with an instance. Open ones first, of each the latest first.
#[utoipa::path(
    get,
    path = "/v1/incidents",
    tag = "slos",
    params(
        ("tenant" = Option<String>, Query, description = "Only this tenant", example = "acme"),
        ("module" = Option<String>, Query, description = "Only this module", example = "rag_hub"),
        ("slo" = Option<String>, Query, description = "Only of the SLO of this id", example = "rag-availability"),
        ("state" = Option<String>, Query, description = "open or resolved", example = "open"),
        ("level" = Option<String>, Query, description = "page, ticket or notice", example = "page"),
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("q" = Option<String>, Query, description = "A part of tenant, module, SLO or id, in any case",
            example = "rag"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "A page of incidents", body = List<IncidentItem>),
        alternatives::OfLists,
    )
)]
pub(crate) async fn incidents(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let query = ListQuery::read(&asked, query::INCIDENTS)?;
    let wanted = Wanted::read(&asked)?;
    let now_ns = state.now_ns();
    answer::reported(&state, &asked, state.report(), move |report| {
        let rows = report.incidents.iter().map(|incident| IncidentRow::from(&**incident));
        let rows: Vec<IncidentRow<'_>> = rows.filter(|row| query.filter.keeps(row) && wanted.holds(row)).collect();
        let page = list::page(rows, IncidentRow::rank, &query.cut);
        let standing = incident::standing(report, now_ns);
        let items = page.map(|row| IncidentItem::of(report, row.report, &standing));
        List::new("bailiwick.incidents/v1", None, report.data_through_ns, items).into()
    })
    .await
}

/// One incident
///
/// What happened, who the bad events came from, and spans to look up.
#[utoipa::path(
    get,
    path = "/v1/incidents/{id}",
    tag = "slos",
    params(
        ("id" = String, Path, description = "32 hexadecimal digits", example = "9f86d081884c7d659a2feaa0c55ad015"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "The incident", body = IncidentDocument),
        alternatives::OfOne,
    )
)]
pub(crate) async fn incident(
    Shared(state): Shared<State>,
    path: Result<Path<String>, PathRejection>,
    asked: Asked,
) -> Result<Response, Problem> {
    asked.only(&[])?;
    let (report, scope) = (state.report(), asked.scope());
    // All are looked at, whosever they are: a foreign one takes the time of an unknown one.
    let place = path.ok().and_then(|Path(id)| {
        let own = report.incidents.iter().map(|one| scope.holds(&one.key.tenant) & (one.incident.id.to_string() == id));
        own.enumerate().fold(None, |found, (place, is_it)| if is_it { Some(place) } else { found })
    });
    let place =
        place.ok_or_else(|| Problem::new(Code::NotFound, "there is no such incident; GET /v1/incidents lists them"))?;
    let now_ns = state.now_ns();
    answer::reported(&state, &asked, report, move |report| {
        let item = IncidentItem::of(report, &report.incidents[place], &incident::standing(report, now_ns));
        Page { body: IncidentDocument { schema: "bailiwick.incident/v1", item }, next_cursor: None }
    })
    .await
}
