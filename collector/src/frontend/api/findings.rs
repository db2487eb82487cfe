//! Tenants that met where they should not: `/v1/findings`.

use axum::extract::State as Shared;
use axum::response::Response;

use super::alternatives;
use super::query::{self, ListQuery};
use crate::frontend::http::answer;
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::Problem;
use crate::frontend::state::State;
use crate::frontend::view::finding::FindingItem;
use crate::frontend::view::list::{self, List};

/// Suspected and confirmed leaks between tenants
///
/// The latest first. Where tenants are asked for, only findings of theirs are listed, and every other tenant in them
/// reads `another tenant`.
#[utoipa::path(
    get,
    path = "/v1/findings",
    tag = "traces",
    params(
        ("tenant" = Option<String>, Query, description = "Only findings of this tenant, as it may see them",
            example = "acme"),
        ("module" = Option<String>, Query, description = "Only findings on spans of this module", example = "rag_hub"),
        ("operation" = Option<String>, Query, description = "Only findings on this operation",
            example = "POST /rag/query"),
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("q" = Option<String>, Query, description = "A part of a name, rule, verdict or severity, in any case",
            example = "confirmed"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "A page of findings", body = List<FindingItem>),
        alternatives::OfLists,
    )
)]
pub(crate) async fn findings(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let mut query = ListQuery::read(&asked, query::FINDINGS)?;
    // A finding has two sides: what may be seen of it is decided there, not by one name.
    let scope = std::mem::take(&mut query.filter.scope);
    answer::figures(&state, &asked, move |snapshot| {
        let seen = snapshot.findings().iter().filter_map(|finding| FindingItem::seen_by(&scope, finding));
        let items: Vec<FindingItem> = seen.filter(|item| query.filter.keeps(item)).collect();
        let page = list::page(items, FindingItem::rank, &query.cut);
        List::new("bailiwick.findings/v1", None, snapshot.data_through_ns, page).into()
    })
    .await
}
