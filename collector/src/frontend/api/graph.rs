//! Who calls whom: `/v1/graph`.

use axum::extract::State as Shared;
use axum::response::Response;

use super::alternatives;
use super::query::ListQuery;
use crate::aggregator::snapshot::EdgeName;
use crate::frontend::http::answer;
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::Problem;
use crate::frontend::state::State;
use crate::frontend::view::graph::{self, GraphItem};
use crate::frontend::view::list::{self, Filter, List};

/// The service graph of each tenant
///
/// Calls between modules and to peers, counted when their trace has been judged.
#[utoipa::path(
    get,
    path = "/v1/graph",
    tag = "traces",
    params(
        ("tenant" = Option<String>, Query, description = "Only this tenant", example = "acme"),
        ("module" = Option<String>, Query, description = "Only calls from or to this module", example = "rag_hub"),
        ("window" = Option<String>, Query, description = "5m, 1h or 1d; 5m if absent", example = "1h"),
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("q" = Option<String>, Query, description = "A part of the name of either end, in any case", example = "rag"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "A page of tenants", body = List<GraphItem>),
        alternatives::OfLists,
    )
)]
pub(crate) async fn graph(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let query = ListQuery::of_judged(&asked)?;
    answer::figures(&state, &asked, move |snapshot| {
        let items = graph::graphs(snapshot, query.window, |name| keeps(&query.filter, name));
        let page = list::page(items, |_| 0, &query.cut);
        List::new("bailiwick.graph/v1", Some(query.window), snapshot.data_through_ns, page).into()
    })
    .await
}

/// Either end of a call may be what is asked for.
fn keeps(filter: &Filter, name: &EdgeName) -> bool {
    let ends = [&*name.from, &*name.to];
    filter.scope.holds(&name.tenant)
        && filter.module.as_deref().is_none_or(|module| ends.contains(&module))
        && filter.part.as_deref().is_none_or(|part| ends.iter().any(|end| end.to_lowercase().contains(part)))
}
