//! Bounds of the daemon: `/v1/limits`.

use axum::extract::State as Shared;
use axum::response::Response;

use super::alternatives;
use super::query::{self, ListQuery};
use crate::frontend::http::answer;
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::Problem;
use crate::frontend::scope::Scope;
use crate::frontend::state::State;
use crate::frontend::view::limit::LimitItem;
use crate::frontend::view::list::{self, List};

/// Use and maximum of every bounded thing
///
/// Queues, tables, caches and bodies: what is in use, what may be, what the bound refused.
#[utoipa::path(
    get,
    path = "/v1/limits",
    tag = "ingest",
    params(
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("q" = Option<String>, Query, description = "A part of the name, in any case", example = "series"),
    ),
    responses(
        (status = 200, description = "A page of limits", body = List<LimitItem>),
        alternatives::OfLists,
    )
)]
pub(crate) async fn limits(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let mut query = ListQuery::read(&asked, query::LIST)?;
    // Limits belong to no tenant: a narrowed scope does not hide them.
    query.filter.scope = Scope::default();
    let snapshot = state.snapshot();
    let limits = state.limits(&snapshot).into_iter();
    let mut items: Vec<LimitItem> = limits.map(|limit| LimitItem::of(limit, &snapshot)).collect();
    items.retain(|item| query.filter.keeps(item));
    let page = list::page(items, |_| 0, &query.cut);
    let body = List::new("bailiwick.limits/v1", None, snapshot.data_through_ns, page);
    // Use changes between records, so the validator is of the content, not of the snapshot.
    let mut response = answer::json_document(&asked, &body)?;
    if let Some(cursor) = &body.next_cursor {
        answer::link_next(&mut response, &asked, cursor);
    }
    Ok(response)
}
