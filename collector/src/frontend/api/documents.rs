//! Documents: the index, the OpenAPI description, the kinds of problems.

use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::alternatives;
use crate::frontend::http::answer::{self, JSON};
use crate::frontend::http::asked::Asked;
use crate::frontend::http::problem::{Code, Problem};
use crate::frontend::openapi;

/// What is here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Index {
    /// The document's kind and version.
    #[schema(example = "bailiwick.index/v1")]
    schema: &'static str,
    /// The program's version.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Paths and what they are for.
    #[schema(example = json!([{"path": "/v1/series", "summary": "Requests by tenant, module and operation"}]))]
    paths: Vec<IndexEntry>,
}

/// A path and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct IndexEntry {
    /// The path.
    #[schema(example = "/v1/series")]
    pub(crate) path: String,
    /// What it is for.
    #[schema(example = "Requests by tenant, module and operation")]
    pub(crate) summary: String,
}

/// A kind of problem.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ProblemKind {
    /// Its page.
    #[schema(example = "/problems/bad_cursor")]
    r#type: String,
    /// The stable code.
    #[schema(example = "bad_cursor")]
    code: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What it means.
    #[schema(example = "The cursor does not belong to this list")]
    title: &'static str,
}

/// All kinds of problems.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemKinds {
    /// The document's kind and version.
    #[schema(example = "bailiwick.problems/v1")]
    schema: &'static str,
    /// The kinds.
    items: Vec<ProblemKind>,
}

impl From<Code> for ProblemKind {
    fn from(code: Code) -> Self {
        let r#type = format!("/problems/{}", code.name());
        Self { r#type, code: code.name(), status: code.status().as_u16(), title: code.title() }
    }
}

/// What is here
#[utoipa::path(
    get,
    path = "/",
    tag = "documents",
    responses(
        (status = 200, description = "The paths of this listener", body = Index),
        alternatives::OfDocuments,
    )
)]
pub(crate) async fn index(asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    let index = Index { schema: "bailiwick.index/v1", version: env!("CARGO_PKG_VERSION"), paths: openapi::index() };
    answer::json_document(&asked, &index)
}

/// The description of this API
///
/// OpenAPI 3.1, made from the handlers.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "documents",
    responses(
        (status = 200, description = "OpenAPI 3.1", body = serde_json::Value, example = json!({"openapi": "3.1.0"})),
        alternatives::OfDocuments,
    )
)]
pub(crate) async fn openapi_json(asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    asked.takes_json()?;
    Ok(answer::document(&asked, openapi::openapi_json(), JSON))
}

/// All kinds of problems
#[utoipa::path(
    get,
    path = "/problems",
    tag = "documents",
    responses(
        (status = 200, description = "Every code", body = ProblemKinds),
        alternatives::OfDocuments,
    )
)]
pub(crate) async fn problems(asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    let items = Code::ALL.into_iter().map(ProblemKind::from).collect();
    answer::json_document(&asked, &ProblemKinds { schema: "bailiwick.problems/v1", items })
}

/// A kind of problem
#[utoipa::path(
    get,
    path = "/problems/{code}",
    tag = "documents",
    params(("code" = String, Path, description = "The code of a problem", example = "bad_cursor")),
    responses(
        (status = 200, description = "What the code means", body = ProblemKind),
        alternatives::OfProblem,
    )
)]
pub(crate) async fn problem(Path(name): Path<String>, asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    let code = Code::ALL.into_iter().find(|code| code.name() == name);
    let code =
        code.ok_or_else(|| Problem::new(Code::NotFound, "no problem has this code; GET /problems lists them"))?;
    answer::json_document(&asked, &ProblemKind::from(code))
}
