//! Requests by series, module and tenant: `/v1/series`, `/v1/modules`, `/v1/tenants`.

use axum::extract::State as Shared;
use axum::response::Response;
use serde::Serialize;

use super::alternatives;
use super::query::{self, ListQuery};
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::Part;
use crate::frontend::http::answer::{self, Page};
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::Problem;
use crate::frontend::state::State;
use crate::frontend::view::item::{self, Judged, ModuleItem, SeriesItem, TenantItem, Told};
use crate::frontend::view::list::{self, List};
use crate::frontend::view::row::{self, Level, Row};

/// Requests by tenant, module and operation
///
/// One item per series: counts over the window by outcome, availability, durations. With `step=10s` each item lists its
/// closed slots. Counts are integers and add up; ratios are exact decimals.
#[utoipa::path(
    get,
    path = "/v1/series",
    tag = "requests",
    params(
        ("tenant" = Option<String>, Query, description = "Only this tenant", example = "acme"),
        ("module" = Option<String>, Query, description = "Only this module", example = "rag_hub"),
        ("operation" = Option<String>, Query, description = "Only this operation", example = "POST /rag/query"),
        ("type" = Option<String>, Query, description = "Only this entry type: server, consumer, job or module_call",
            example = "server"),
        ("window" = Option<String>, Query, description = "1m, 5m, 1h or 1d; 5m if absent. It ends at `data_through`",
            example = "5m"),
        ("step" = Option<String>, Query, description = "10s: also list the closed slots", example = "10s"),
        ("from" = Option<String>, Query, description = "With `step`: first moment, RFC 3339 or unix seconds",
            example = "2026-05-04T10:00:00Z"),
        ("to" = Option<String>, Query, description = "With `step`: moment after the last, RFC 3339 or unix seconds",
            example = "2026-05-04T10:05:00Z"),
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most, 100 with `step`",
            example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("sort" = Option<String>, Query, description = "name, requests, failures, success_ratio or last_seen_at; `-` \
            before it turns it round (not name)", example = "-failures"),
        ("q" = Option<String>, Query, description = "A part of any name, in any case", example = "rag"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "A page of series", body = List<SeriesItem>),
        alternatives::OfSeries,
    )
)]
pub(crate) async fn series(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let query = ListQuery::read(&asked, query::SERIES)?;
    let reader = state.clone();
    answer::figures(&state, &asked, move |snapshot| {
        let told = told(snapshot, &reader, &query);
        listed(&told, &query, ("bailiwick.series/v1", Level::Series), |row| SeriesItem {
            tenant: row.names.tenant.to_string(),
            module: row.names.module.to_string(),
            operation: row.names.operation.to_string(),
            r#type: row.names.entry,
            figures: told.figures(row),
            exemplars: told.exemplars(row.series[0]),
            slots: query.slots.map(|stretch| {
                let (from, to) = stretch.slots(query.window, snapshot.data_through_ns);
                let slots = row.series.iter().flat_map(|series| snapshot.slots(*series, from, to));
                slots.map(item::slot).collect()
            }),
        })
    })
    .await
}

/// Requests by tenant and module
///
/// The series of each module of each tenant, added up.
#[utoipa::path(
    get,
    path = "/v1/modules",
    tag = "requests",
    params(
        ("tenant" = Option<String>, Query, description = "Only this tenant", example = "acme"),
        ("module" = Option<String>, Query, description = "Only this module", example = "rag_hub"),
        ("window" = Option<String>, Query, description = "1m, 5m, 1h or 1d; 5m if absent", example = "1h"),
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("sort" = Option<String>, Query, description = "name, requests, failures, success_ratio or last_seen_at; `-` \
            before it turns it round (not name)", example = "success_ratio"),
        ("q" = Option<String>, Query, description = "A part of any name, in any case", example = "rag"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "A page of modules", body = List<ModuleItem>),
        alternatives::OfLists,
    )
)]
pub(crate) async fn modules(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let query = ListQuery::read(&asked, query::MODULES)?;
    let reader = state.clone();
    answer::figures(&state, &asked, move |snapshot| {
        let (told, judged) = (told(snapshot, &reader, &query), Judged::read(snapshot, query.window));
        listed(&told, &query, ("bailiwick.modules/v1", Level::Module), |row| ModuleItem {
            tenant: row.names.tenant.to_string(),
            module: row.names.module.to_string(),
            figures: told.figures(row),
            tenant_sources: told.sources(row),
            series: row.series.len(),
            nested: judged.part(row, Part::Nested),
            uncertain: judged.part(row, Part::Uncertain),
            unjudged: judged.part(row, Part::Unjudged),
            corrections: judged.corrections(row),
        })
    })
    .await
}

/// Requests by tenant
///
/// All series of each tenant, added up.
#[utoipa::path(
    get,
    path = "/v1/tenants",
    tag = "requests",
    params(
        ("tenant" = Option<String>, Query, description = "Only this tenant", example = "acme"),
        ("window" = Option<String>, Query, description = "1m, 5m, 1h or 1d; 5m if absent", example = "1d"),
        ("limit" = Option<u32>, Query, description = "Items of a page: 100 if absent, 1000 at most", example = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("sort" = Option<String>, Query, description = "name, requests, failures, success_ratio or last_seen_at; `-` \
            before it turns it round (not name)", example = "-requests"),
        ("q" = Option<String>, Query, description = "A part of the name, in any case", example = "ac"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "A page of tenants", body = List<TenantItem>),
        alternatives::OfLists,
    )
)]
pub(crate) async fn tenants(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    let query = ListQuery::read(&asked, query::TENANTS)?;
    let reader = state.clone();
    answer::figures(&state, &asked, move |snapshot| {
        let told = told(snapshot, &reader, &query);
        listed(&told, &query, ("bailiwick.tenants/v1", Level::Tenant), |row| TenantItem {
            tenant: row.names.tenant.to_string(),
            figures: told.figures(row),
            tenant_sources: told.sources(row),
            modules: row.modules.len(),
            series: row.series.len(),
        })
    })
    .await
}

fn told<'a>(snapshot: &'a Snapshot, state: &'a State, query: &ListQuery) -> Told<'a> {
    Told { snapshot, inventory: state.inventory(), window: query.window, modules: snapshot.modules().collect() }
}

/// Rows of a level, filtered, sorted and cut; only those of the page become items.
fn listed<T: Serialize>(
    told: &Told<'_>,
    query: &ListQuery,
    (schema, level): (&'static str, Level),
    show: impl Fn(&Row) -> T,
) -> Page<List<T>> {
    let mut rows = row::rows(told.snapshot, query.window);
    // Tenants that are not asked for need not be added up.
    rows.retain(|row| query.filter.scope.holds(&row.names.tenant));
    let mut rows = row::roll_up(rows, level, row::overflow_of(&told.modules));
    rows.retain(|row| query.filter.keeps(row));
    let page = list::page(rows, |row| query.sort.rank(row), &query.cut);
    let items = page.map(|row| show(&row));
    List::new(schema, Some(query.window), told.snapshot.data_through_ns, items).into()
}
