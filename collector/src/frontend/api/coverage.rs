//! How much of what happened the traces show: `/v1/coverage`.

use axum::extract::State as Shared;
use axum::response::Response;

use super::alternatives;
use super::query::ListQuery;
use crate::frontend::http::answer;
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::Problem;
use crate::frontend::state::State;
use crate::frontend::view::coverage::breaks::{Breaks, Caller};
use crate::frontend::view::coverage::item::CoverageItem;
use crate::frontend::view::coverage::reading;
use crate::frontend::view::list::{self, List};

/// Trace coverage by tenant and module
///
/// The headline compares entry spans with requests as something counted them that does not go through tracing; without
/// such a count it is unmeasured, never 100 %. Windows end before the traces that may still wait for spans. Unless
/// tenants are asked for, items without a tenant tell of all tenants of a module together, those of declared modules
/// included that were never seen.
#[utoipa::path(
    get,
    path = "/v1/coverage",
    tag = "traces",
    params(
        ("tenant" = Option<String>, Query, description = "Only this tenant", example = "acme"),
        ("module" = Option<String>, Query, description = "Only this module", example = "rag_hub"),
        ("window" = Option<String>, Query, description = "5m, 1h or 1d; 5m if absent", example = "1h"),
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("q" = Option<String>, Query, description = "A part of tenant or module, in any case", example = "rag"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "A page of modules", body = List<CoverageItem>),
        alternatives::OfLists,
    )
)]
pub(crate) async fn coverage(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let query = ListQuery::of_judged(&asked)?;
    let reader = state.clone();
    answer::figures(&state, &asked, move |snapshot| {
        let (inventory, window) = (reader.inventory(), query.window);
        let mut rows = reading::by_tenant(snapshot, inventory, window);
        if !query.filter.scope.is_narrow() {
            rows.extend(reading::by_module(snapshot, inventory, window));
        }
        rows.retain(|row| query.filter.keeps(row));
        let page = list::page(rows, |_| 0, &query.cut);
        let breaks = Breaks { traces: snapshot.gap_traces(), callers: Caller::unanswered(snapshot, window) };
        let items = page.map(|row| CoverageItem::of(&row, window, &breaks));
        List::new("bailiwick.coverage/v1", Some(window), snapshot.data_through_ns, items).into()
    })
    .await
}
