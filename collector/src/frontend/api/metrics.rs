//! `/metrics`.

use axum::extract::State as Shared;
use axum::response::Response;

use super::alternatives;
use crate::frontend::exposition::catalogue::Group;
use crate::frontend::exposition::document::{self, Selection};
use crate::frontend::exposition::own::Own;
use crate::frontend::http::accept;
use crate::frontend::http::answer;
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::{Code, Problem};
use crate::frontend::state::State;

/// Parameters of `/metrics`.
pub(crate) const PARAMETERS: &[&str] = &["collect", "tenant"];

/// Figures for Prometheus and its relatives
///
/// Prometheus text 0.0.4, or OpenMetrics 1.0.0 when `Accept` prefers it. `metrics.md` lists every family.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "metrics",
    params(
        ("collect" = Option<String>, Query, description = "Groups of families, joined by commas: requests, coverage, \
            slo, graph, self", example = "requests"),
        ("tenant" = Option<String>, Query, description = "Only this tenant; what belongs to no tenant is left out",
            example = "acme"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "A document", body = String, content_type = "text/plain; version=0.0.4",
            example = "# HELP bailiwick_ready 1 while ready\n# TYPE bailiwick_ready gauge\nbailiwick_ready 1\n"),
        alternatives::OfMetrics,
    )
)]
pub(crate) async fn metrics(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    asked.only(PARAMETERS)?;
    let settings = state.metrics().clone();
    let selection = Selection { groups: groups(asked.get("collect"))?, scope: asked.scope(), settings };
    let format = accept::exposition(asked.header("accept"));
    let reader = state.clone();
    let body = answer::compute(&state, move || {
        let snapshot = reader.snapshot();
        let now_ns = reader.now_ns();
        let limits = reader.limits(&snapshot);
        let ready = reader.readiness().is_ready(now_ns);
        let (budget, inventory) = (reader.budget(), reader.inventory());
        let own = Own { now_ns, ready, budget, inventory, limits: &limits };
        let families = document::families(&snapshot, &reader.report(), &own, &selection);
        let own_too = selection.groups.contains(&Group::Own) && !selection.scope.is_narrow();
        let rendered = if own_too { reader.recorded() } else { String::new() };
        document::write(format, &families, &rendered)
    })
    .await?;
    Ok(answer::live(body, format.content_type()))
}

fn groups(collect: Option<&str>) -> Result<Vec<Group>, Problem> {
    let Some(collect) = collect else { return Ok(Group::ALL.to_vec()) };
    collect
        .split(',')
        .map(|word| {
            let known = Group::ALL.into_iter().find(|group| group.name() == word.trim());
            known.ok_or_else(|| {
                let names = Group::ALL.map(Group::name).join(", ");
                Problem::parameter(Code::BadRequest, "collect", format!("`{word}` is none of {names}"))
            })
        })
        .collect()
}
