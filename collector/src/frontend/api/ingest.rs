//! What was received and what became of it: `/v1/ingest`.

use axum::extract::State as Shared;
use axum::response::Response;

use super::alternatives;
use super::query::{self, ListQuery};
use crate::frontend::http::answer;
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::Problem;
use crate::frontend::state::State;
use crate::frontend::view::ingest::BookItem;
use crate::frontend::view::list::{self, List};

/// Books of ingest by tenant and signal
///
/// Since the daemon began: received = accepted + duplicates + rejected, for every tenant and signal, always.
#[utoipa::path(
    get,
    path = "/v1/ingest",
    tag = "ingest",
    params(
        ("tenant" = Option<String>, Query, description = "Only this tenant", example = "acme"),
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("q" = Option<String>, Query, description = "A part of tenant or signal, in any case", example = "traces"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "A page of books", body = List<BookItem>),
        alternatives::OfLists,
    )
)]
pub(crate) async fn ingest(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let query = ListQuery::read(&asked, query::INGEST)?;
    answer::figures(&state, &asked, move |snapshot| {
        let mut items: Vec<BookItem> = snapshot.books().iter().map(BookItem::from).collect();
        items.retain(|item| query.filter.keeps(item));
        let page = list::page(items, |_| 0, &query.cut);
        List::new("bailiwick.ingest/v1", None, snapshot.data_through_ns, page).into()
    })
    .await
}
