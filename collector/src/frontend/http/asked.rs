//! What a client asked for: path, query and headers, read strictly. An unknown parameter is an answer, not a guess.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::accept;
use super::problem::{Code, Fault, Problem};
use crate::frontend::scope::Scope;

/// A request without its body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// The path, percent-encoded as it came.
    pub(crate) path: String,
    /// Query parameters in their order, decoded; `None` when they could not be.
    pairs: Option<Vec<(String, String)>>,
    headers: HeaderMap,
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            path: parts.uri.path().to_owned(),
            pairs: Query::try_from_uri(&parts.uri).ok().map(|Query(pairs)| pairs),
            headers: parts.headers.clone(),
        })
    }
}

impl Asked {
    /// What a GET of this path and query asks for.
    #[cfg(test)]
    pub(crate) fn of(uri: &str) -> Self {
        let uri: axum::http::Uri = uri.parse().expect("a path and query");
        let pairs = Query::try_from_uri(&uri).ok().map(|Query(pairs)| pairs);
        Self { path: uri.path().to_owned(), pairs, headers: HeaderMap::new() }
    }

    /// Checks that only these parameters occur, each once.
    ///
    /// # Errors
    /// `bad_request` for a query that cannot be read or a parameter that occurs twice; `unknown_parameter` with the
    /// nearest known one.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        let Some(pairs) = &self.pairs else {
            return Err(Problem::new(
                Code::BadRequest,
                "the query is not `name=value` pairs, percent-encoded as UTF-8",
            ));
        };
        let faults: Vec<Fault> = pairs
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(name, _)| Fault {
                parameter: name.clone(),
                code: Code::UnknownParameter.name(),
                detail: suggestion(name, known),
            })
            .collect();
        if let Some(first) = faults.first() {
            let detail = format!("`{}` is no parameter of {}; {}", first.parameter, self.path, first.detail);
            return Err(Problem { code: Code::UnknownParameter, detail, errors: faults });
        }
        for (place, (name, _)) in pairs.iter().enumerate() {
            if pairs[..place].iter().any(|(earlier, _)| earlier == name) {
                return Err(Problem::parameter(Code::BadRequest, name, "it occurs more than once"));
            }
        }
        Ok(())
    }

    /// The value of a parameter; empty counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let pairs = self.pairs.as_deref().unwrap_or_default();
        pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether a parameter stands there, with or without a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.pairs.as_deref().unwrap_or_default().iter().any(|(key, _)| key == name)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whose figures are asked for.
    pub(crate) fn scope(&self) -> Scope {
        Scope::narrowed(self.get("tenant"), self.header("x-scope-orgid"))
    }

    /// Checks that JSON is welcome.
    ///
    /// # Errors
    /// `not_acceptable`.
    pub(crate) fn takes_json(&self) -> Result<(), Problem> {
        if accept::takes_json(self.header("accept")) {
            Ok(())
        } else {
            Err(Problem::new(Code::NotAcceptable, "this is offered as application/json only"))
        }
    }

    /// Whether the client holds what this tag names (weak comparison, RFC 9110 13.1.2).
    pub(crate) fn holds(&self, etag: &str) -> bool {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        self.headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
    }

    /// The path with this query, but with another cursor: the target of `Link`.
    pub(crate) fn with_cursor(&self, cursor: &str) -> String {
        let pairs = self.pairs.as_deref().unwrap_or_default();
        let mut query: Vec<String> = pairs
            .iter()
            .filter(|(name, _)| name != "cursor")
            .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
            .collect();
        query.push(format!("cursor={cursor}"));
        format!("{}?{}", self.path, query.join("&"))
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The nearest known name (Damerau-Levenshtein, at most 2 or a third of the length), else all of them.
fn suggestion(name: &str, known: &[&str]) -> String {
    let far_enough = (name.chars().count() / 3).max(2);
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= far_enough)
        .min();
    match nearest {
        Some((_, candidate)) => format!("did you mean `{candidate}`?"),
        None if known.is_empty() => "it takes none".to_owned(),
        None => format!("it takes {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str) -> Asked {
        Asked::of(uri)
    }

    #[test]
    fn an_unknown_parameter_is_told_with_the_nearest_one() {
        let problem = asked("/v1/series?tennant=acme").only(&["tenant", "module"]).expect_err("unknown");
        assert_eq!(problem.code, Code::UnknownParameter);
        assert_eq!(problem.detail, "`tennant` is no parameter of /v1/series; did you mean `tenant`?");
        assert_eq!(problem.errors[0].parameter, "tennant");
        let problem = asked("/v1/limits?colour=red").only(&["limit"]).expect_err("unknown");
        assert_eq!(problem.errors[0].detail, "it takes limit");
    }

    #[test]
    fn a_parameter_may_occur_once() {
        let problem = asked("/x?tenant=a&tenant=b").only(&["tenant"]).expect_err("twice");
        assert_eq!(problem.code, Code::BadRequest);
    }

    #[test]
    fn values_are_decoded_and_the_next_link_encodes_them_again() {
        let asked = asked("/v1/series?operation=POST%20%2Frag%3Fx&cursor=00&limit=2");
        assert_eq!(asked.get("operation"), Some("POST /rag?x"));
        assert_eq!(asked.with_cursor("ab"), "/v1/series?operation=POST%20%2Frag%3Fx&limit=2&cursor=ab");
    }

    #[test]
    fn an_etag_is_compared_weakly() {
        let mut asked = asked("/");
        asked.headers.insert(header::IF_NONE_MATCH, "\"x\", W/\"1-2\"".parse().expect("a value"));
        assert!(asked.holds("W/\"1-2\"") && asked.holds("\"1-2\"") && !asked.holds("W/\"1-3\""));
    }
}
