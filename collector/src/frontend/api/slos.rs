//! Instances of SLOs: `/v1/slos` and one of them.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as Shared};
use axum::response::Response;

use super::query::{self, ListQuery};
use super::{alternatives, instance};
use crate::evaluator::InstanceReport;
use crate::frontend::http::answer::{self, Page};
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::Problem;
use crate::frontend::state::State;
use crate::frontend::view::list::{self, List};
use crate::frontend::view::slo::item::{self, Open, SloDocument, SloItem};

/// Parameters of one instance.
const ONE: [&str; 1] = ["method"];

/// SLOs by tenant and module, with budget and state
///
/// One item for each instance: an SLO of one tenant and module. The one with the least budget left comes first.
#[utoipa::path(
    get,
    path = "/v1/slos",
    tag = "slos",
    params(
        ("tenant" = Option<String>, Query, description = "Only this tenant", example = "acme"),
        ("module" = Option<String>, Query, description = "Only this module", example = "rag_hub"),
        ("slo" = Option<String>, Query, description = "Only the SLO of this id", example = "rag-availability"),
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("q" = Option<String>, Query, description = "A part of tenant, module or SLO, in any case", example = "rag"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "A page of instances", body = List<SloItem>),
        alternatives::OfLists,
    )
)]
pub(crate) async fn slos(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let query = ListQuery::read(&asked, query::SLOS)?;
    let slo = asked.get("slo").map(str::to_owned);
    answer::reported(&state, &asked, state.report(), move |report| {
        let mut rows: Vec<&InstanceReport> = report.instances.iter().collect();
        rows.retain(|row| query.filter.keeps(row) && slo.as_deref().is_none_or(|slo| slo == &*row.key.slo));
        let page = list::page(rows, |row| item::rank(row), &query.cut);
        let open = Open::of(report);
        let items = page.map(|row| SloItem::of(report, &open, row));
        List::new("bailiwick.slos/v1", None, report.data_through_ns, items).into()
    })
    .await
}

/// One SLO of one tenant and module
///
/// Its state, its budget and what each of its tiers sees. Ids are percent-encoded.
#[utoipa::path(
    get,
    path = "/v1/slos/{tenant}/{module}/{slo}",
    tag = "slos",
    params(
        ("tenant" = String, Path, description = "The tenant, or `_all`", example = "acme"),
        ("module" = String, Path, description = "The module, or `_all`", example = "rag_hub"),
        ("slo" = String, Path, description = "The id of the SLO", example = "rag-availability"),
        ("method" = Option<String>, Query, description = "`all`: the three methods side by side, over the ledger",
            example = "all"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "The instance", body = SloDocument),
        alternatives::OfOne,
    )
)]
pub(crate) async fn slo(
    Shared(state): Shared<State>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    asked: Asked,
) -> Result<Response, Problem> {
    asked.only(&ONE)?;
    let all_methods = query::word(&asked, "method", &["all"])?.is_some();
    let (report, place) = instance::named(&state, path, &asked)?;
    answer::reported(&state, &asked, report, move |report| {
        let item = SloItem::of(report, &Open::of(report), &report.instances[place]);
        let methods = all_methods.then(|| instance::by_all_methods(report, &report.instances[place]));
        Page { body: SloDocument { schema: "bailiwick.slo/v1", item, methods }, next_cursor: None }
    })
    .await
}
