//! What is over: the alert log, the ledger that it came from, and definitions that are judged and tried on it.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bailiwick_slo::course::backtest::{self, Trial};
use bailiwick_slo::course::ledger::Written;
use bailiwick_slo::course::run::Definitions;
use bailiwick_slo::document::{self, Context, Loaded};
use bailiwick_slo::time::SLOT_SECONDS;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::alternatives;
use crate::frontend::http::answer;
use crate::frontend::http::asked::Asked;
use crate::frontend::http::body::Body;
use crate::frontend::http::problem::{Code, Problem};
use crate::frontend::state::State;
use crate::frontend::view::slo::backtest::BacktestDocument;
use crate::frontend::view::slo::finding::CheckDocument;

/// Parameters of `/v1/slos/backtest`.
const TRY: [&str; 2] = ["from", "to"];
/// How long a backtest may take (`slo.md` 6).
const BACKTEST_MAX: Duration = Duration::from_secs(60);
/// The media type of lines of JSON.
const NDJSON: &str = "application/x-ndjson";
/// The media type of a ledger.
const LEDGER: &str = "application/octet-stream";
/// What the document of a body is called in findings.
const BODY: &str = "body";

/// The alert log
///
/// A line of JSON for each event of an incident, the oldest first: the latest ten thousand since the daemon began.
#[utoipa::path(
    get,
    path = "/v1/incidents/log",
    tag = "slos",
    params(
        ("tenant" = Option<String>, Query, description = "Only this tenant", example = "acme"),
        ("X-Scope-OrgID" = Option<String>, Header, description = "Only these tenants, joined by `|`"),
    ),
    responses(
        (status = 200, description = "Lines of JSON", content_type = "application/x-ndjson", body = String),
        alternatives::OfMetrics,
    )
)]
pub(crate) async fn log(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    asked.only(&["tenant"])?;
    let (report, scope) = (state.report(), asked.scope());
    let lines = report.lines.iter().filter(|(tenant, _)| scope.holds(tenant)).map(|(_, line)| &**line);
    Ok(answer::live(lines.collect(), NDJSON))
}

/// The tick ledger
///
/// What SLOs were evaluated from, as far as it is kept: `bailiwick slo backtest --ledger` reads it.
#[utoipa::path(
    get,
    path = "/v1/slos/ledger",
    tag = "slos",
    responses(
        (status = 200, description = "The ledger, version 1", content_type = "application/octet-stream", body = Vec<u8>),
        alternatives::OfOne,
    )
)]
pub(crate) async fn ledger(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    if asked.scope().is_narrow() {
        return Err(Problem::new(Code::NotFound, "the ledger is of all tenants together; ask without X-Scope-OrgID"));
    }
    let report = state.report();
    let bytes = answer::compute(&state, move || report.ledger.as_ref().map(|ledger| ledger.to_bytes())).await?;
    let bytes = bytes.ok_or_else(|| Problem::new(Code::NotFound, "nothing was evaluated yet; come back in 20 s"))?;
    let mut response = answer::live(String::new(), LEDGER);
    *response.body_mut() = bytes.into();
    let disposition = HeaderValue::from_static("attachment; filename=\"bailiwick.ledger\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// Judge SLO documents
///
/// The body is a document, or several, in YAML or JSON, as in a file of `slo.files`. Nothing is kept.
#[utoipa::path(
    post,
    path = "/v1/slos/lint",
    tag = "slos",
    request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, description = "All findings", body = CheckDocument), alternatives::OfOrders)
)]
pub(crate) async fn lint(Shared(state): Shared<State>, asked: Asked, Body(body): Body) -> Result<Response, Problem> {
    asked.only(&[])?;
    let loaded = read(&state, &body).await?;
    told(&CheckDocument::from(&loaded.findings[..]))
}

/// Try SLO documents on the ledger
///
/// What would have fired, when, and what would be left of budgets: the daemon's own engine over what it was evaluated
/// from. At most 60 s.
#[utoipa::path(
    post,
    path = "/v1/slos/backtest",
    tag = "slos",
    params(
        ("from" = Option<String>, Query, description = "What came before is counted, and left out of the answer",
            example = "2026-05-04T09:00:00Z"),
        ("to" = Option<String>, Query, description = "Where to stop", example = "2026-05-04T10:00:00Z"),
    ),
    request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, description = "What came of it", body = BacktestDocument), alternatives::OfOrders)
)]
pub(crate) async fn backtest(
    Shared(state): Shared<State>,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Problem> {
    asked.only(&TRY)?;
    if asked.scope().is_narrow() {
        return Err(Problem::new(Code::NotFound, "the ledger is of all tenants together; ask without X-Scope-OrgID"));
    }
    let (from, to) = (tick(&asked, "from")?.unwrap_or(0), tick(&asked, "to")?.unwrap_or(u64::MAX));
    if from >= to {
        return Err(Problem::parameter(Code::BadRequest, "from", "it must be before `to`"));
    }
    let loaded = read(&state, &body).await?;
    if !loaded.is_valid() {
        let errors = CheckDocument::from(&loaded.findings[..]);
        let text = serde_json::to_string(&errors).expect("views always become JSON");
        return Err(Problem::new(Code::Invalid, format!("the documents are not valid: {text}")));
    }
    let report = state.report();
    let tried = answer::compute(&state, move || {
        let written = Written::read(&report.ledger.as_ref()?.to_bytes()).ok()?;
        let until = Instant::now() + BACKTEST_MAX;
        let trial = Trial { written: &written, definitions: Definitions::Given(loaded.slos), from, to };
        Some(backtest::run(trial, || Instant::now() < until))
    });
    let outcome = tried.await?;
    let outcome =
        outcome.ok_or_else(|| Problem::new(Code::NotFound, "nothing was evaluated yet; come back in 20 s"))?;
    if let Some((slo, what)) = outcome.unrecorded.first() {
        let detail = format!("SLO `{slo}` asks for {what}, which was not recorded");
        return Err(Problem::new(Code::Invalid, detail));
    }
    told(&BacktestDocument::of(&outcome, None, None))
}

async fn read(state: &State, body: &Bytes) -> Result<Loaded, Problem> {
    let text = std::str::from_utf8(body).map_err(|_| Problem::new(Code::BadRequest, "the body is no UTF-8"))?;
    let text = text.to_owned();
    answer::compute(state, move || document::load(&[(BODY, &*text)], &Context::default())).await
}

fn told(body: &impl Serialize) -> Result<Response, Problem> {
    Ok(answer::live(serde_json::to_string(body).expect("views always become JSON"), answer::JSON))
}

pub(super) fn tick(asked: &Asked, name: &str) -> Result<Option<u64>, Problem> {
    let Some(text) = asked.get(name) else { return Ok(None) };
    let seconds = text.parse::<i64>().ok().or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_second));
    let tick = seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(|seconds| seconds / SLOT_SECONDS);
    tick.map(Some).ok_or_else(|| {
        Problem::parameter(Code::BadRequest, name, "it is RFC 3339 (2026-05-04T10:05:00Z) or seconds since 1970")
    })
}

/// What a reload came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReloadDocument {
    /// The document's kind and version.
    #[schema(example = "bailiwick.reload/v1")]
    schema: &'static str,
    /// Files of SLO definitions that were read.
    #[schema(example = 3)]
    slo_files: usize,
    /// SLOs that hold now.
    #[schema(example = 7)]
    slos: usize,
}

/// Read the SLO definitions again
///
/// All of `slo.files` or none: what is wrong with any of them changes nothing. Windows go on where an SLO means the same.
#[utoipa::path(
    post,
    path = "/-/reload",
    tag = "slos",
    responses((status = 200, description = "They hold", body = ReloadDocument), alternatives::OfOrders)
)]
pub(crate) async fn reload(Shared(state): Shared<State>, asked: Asked) -> Result<Response, Problem> {
    asked.only(&[])?;
    if asked.scope().is_narrow() {
        return Err(Problem::new(Code::NotFound, "definitions are of all tenants together; ask without X-Scope-OrgID"));
    }
    let slo_files = state.reload().await?;
    told(&ReloadDocument { schema: "bailiwick.reload/v1", slo_files, slos: state.report().definitions.len() })
}
