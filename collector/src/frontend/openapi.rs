//! The description of the API, made from the handlers. `collector/openapi.json` is this document; a test compares.

use utoipa::OpenApi;

use super::api::documents::{self, IndexEntry};
use super::api::{
    coverage, findings, graph, health, history, incidents, ingest, instance, limits, metrics, orders, requests, slos,
};
use super::http::problem::ProblemBody;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bailiwick",
        description = "Exact books per tenant, module and operation. Lists are pages: give `next_cursor` as `cursor` for \
            the next one. Errors are RFC 9457 problems with a stable `code`. Clients ignore fields and values that they \
            do not know.",
    ),
    paths(
        requests::series,
        requests::modules,
        requests::tenants,
        coverage::coverage,
        findings::findings,
        graph::graph,
        slos::slos,
        slos::slo,
        instance::explain,
        instance::attribution,
        instance::corrections,
        instance::history,
        incidents::incidents,
        incidents::incident,
        history::log,
        history::ledger,
        history::lint,
        history::backtest,
        history::reload,
        orders::ack,
        orders::unack,
        orders::close,
        orders::corrections,
        orders::correct,
        orders::revoke,
        orders::silences,
        orders::silence,
        orders::end_silence,
        ingest::ingest,
        limits::limits,
        metrics::metrics,
        health::livez,
        health::readyz,
        health::startupz,
        documents::index,
        documents::openapi_json,
        documents::problems,
        documents::problem,
    ),
    components(schemas(ProblemBody)),
    tags(
        (name = "requests", description = "Requests, outcomes, durations"),
        (name = "traces", description = "What traces show: coverage, leaks, calls"),
        (name = "slos", description = "Promises, budgets, incidents"),
        (name = "ingest", description = "What was received, and what bounds it"),
        (name = "metrics", description = "Figures for Prometheus"),
        (name = "health", description = "Probes"),
        (name = "documents", description = "Descriptions of this API"),
    )
)]
struct Api;

/// The OpenAPI 3.1 document, as it is served and committed.
#[must_use]
pub fn openapi_json() -> String {
    let mut text = Api::openapi().to_pretty_json().expect("the description always becomes JSON");
    text.push('\n');
    text
}

/// Paths with their summaries, for the index.
pub(crate) fn index() -> Vec<IndexEntry> {
    let paths = Api::openapi().paths.paths;
    paths
        .into_iter()
        .filter_map(|(path, item)| {
            let summary = item.get?.summary?;
            Some(IndexEntry { path, summary })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::frontend::api::query;

    fn document() -> Value {
        serde_json::from_str(&openapi_json()).expect("JSON")
    }

    #[test]
    fn the_committed_description_is_the_code_s() {
        let committed = include_str!("../../openapi.json");
        assert!(committed == openapi_json(), "run `bailiwick openapi > collector/openapi.json`");
    }

    #[test]
    fn every_operation_has_a_summary_and_tells_its_problem_codes() {
        let document = document();
        assert_eq!(document["openapi"], "3.1.0");
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                assert!(operation["summary"].is_string(), "{method} {path} has a summary");
                for (status, response) in operation["responses"].as_object().expect("responses") {
                    let problem = &response["content"]["application/problem+json"];
                    let told = response["description"].as_str().is_some_and(|text| text.contains('`'));
                    let probe = path.ends_with('z');
                    assert!(status.as_str() < "400" || (problem.is_object() && told) || probe, "{path} {status}");
                }
            }
        }
    }

    #[test]
    fn described_parameters_are_the_known_ones() {
        let known: [(&str, &[&str]); 17] = [
            ("/v1/series", query::SERIES),
            ("/v1/modules", query::MODULES),
            ("/v1/tenants", query::TENANTS),
            ("/v1/coverage", query::JUDGED),
            ("/v1/findings", query::FINDINGS),
            ("/v1/graph", query::JUDGED),
            ("/v1/slos", query::SLOS),
            ("/v1/slos/{tenant}/{module}/{slo}", &["method"]),
            ("/v1/slos/{tenant}/{module}/{slo}/history", &["from", "to", "step"]),
            ("/v1/incidents", query::INCIDENTS),
            ("/v1/incidents/{id}", &[]),
            ("/v1/incidents/log", &["tenant"]),
            ("/v1/corrections", query::LIST),
            ("/v1/silences", query::LIST),
            ("/v1/ingest", query::INGEST),
            ("/v1/limits", query::LIST),
            ("/metrics", metrics::PARAMETERS),
        ];
        for (path, known) in known {
            let document = document();
            let parameters = document["paths"][path]["get"]["parameters"].as_array().expect("parameters");
            let described: Vec<&str> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "query")
                .map(|parameter| parameter["name"].as_str().expect("a name"))
                .collect();
            assert_eq!(described, known, "{path}");
        }
    }
}
