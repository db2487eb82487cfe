//! Paths that lead nowhere, and what to tell those who took them.

use axum::extract::State as Shared;
use axum::http::{Method, Uri};

use crate::frontend::http::problem::{Code, Problem};
use crate::frontend::state::State;

/// Paths kept for query APIs of Prometheus and Tempo.
const RESERVED: [&str; 5] = ["/api/v1", "/api/v2/traces", "/api/traces", "/api/search", "/api/echo"];

/// Paths that exporters take when they are given the wrong port.
const OTLP: [&str; 3] = ["/v1/traces", "/v1/metrics", "/v1/logs"];

/// Tells what was looked for.
pub(crate) async fn not_found(Shared(state): Shared<State>, method: Method, uri: Uri) -> Problem {
    Problem::new(Code::NotFound, detail(&method, uri.path(), state.otlp_http_port()))
}

/// Tells that the path is right and the method is not.
pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} does not take {method}; see the header Allow", uri.path()))
}

fn detail(method: &Method, path: &str, otlp_port: Option<u16>) -> String {
    if method == Method::POST && OTLP.contains(&path) {
        return match otlp_port {
            Some(port) => format!("OTLP/HTTP is on :{port}"),
            None => "OTLP/HTTP is on another port".to_owned(),
        };
    }
    let within =
        |reserved: &str| path.strip_prefix(reserved).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if RESERVED.into_iter().any(within) {
        return "this path is kept for later; scrape /metrics or read /v1/series".to_owned();
    }
    "no such path; GET / names them, /openapi.json describes them".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exporter_at_the_wrong_port_is_told_the_right_one() {
        assert_eq!(detail(&Method::POST, "/v1/traces", Some(4318)), "OTLP/HTTP is on :4318");
        assert!(detail(&Method::GET, "/v1/traces", Some(4318)).starts_with("no such path"));
    }

    #[test]
    fn reserved_paths_say_that_they_are() {
        for path in ["/api/v1", "/api/v1/query", "/api/traces/abc", "/api/echo"] {
            assert!(detail(&Method::GET, path, None).contains("kept for later"), "{path}");
        }
        assert!(!detail(&Method::GET, "/api/v11", None).contains("kept for later"));
    }
}
