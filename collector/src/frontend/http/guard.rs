//! Who may come in: hosts, other sites, large bodies, too many at once. Pure decisions, one thin shell around them.

use std::net::IpAddr;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Method, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Code, Problem};
use crate::frontend::ServerSettings;
use crate::frontend::state::State;

/// Probes come in even when all places are taken: an orchestrator must not restart a busy daemon.
const PROBES: [&str; 6] = ["/livez", "/readyz", "/startupz", "/healthz", "/-/healthy", "/-/ready"];

/// Content types that an HTML form of any site can send without asking.
const FORM_TYPES: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// Lets a request through, or answers with the problem.
pub(crate) async fn guard(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    if let Err(problem) = admit(state.settings(), &request) {
        return problem.into_response();
    }
    if PROBES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let Some(_place) = state.place() else {
        let max = state.settings().requests_max;
        return Problem::new(Code::Overloaded, format!("{max} requests are being answered; come back")).into_response();
    };
    next.run(request).await
}

fn admit(settings: &ServerSettings, request: &Request) -> Result<(), Problem> {
    let authority = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let host = authority.or_else(|| request.headers().get(header::HOST).and_then(|host| host.to_str().ok()));
    match host {
        Some(host) => known_host(settings, host)?,
        // Browsers always send Host; probes that speak HTTP/1.0 do not.
        None if request.version() == Version::HTTP_10 => {}
        None => return Err(Problem::new(Code::UnknownHost, "the request names no host")),
    }
    same_site(request.method(), request.headers())?;
    small(request.headers(), settings.body_max.0)
}

/// DNS rebinding: a page of another site may reach a loopback listener under its own name. Only names that such a page
/// cannot have are let in.
fn known_host(settings: &ServerSettings, host: &str) -> Result<(), Problem> {
    let name = without_port(host);
    let is_literal = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    let external = settings.external_url.as_deref().and_then(host_of_url);
    let listed = settings.allowed_hosts.iter().map(String::as_str).chain(external).chain(["localhost"]);
    if is_literal || listed.map(without_port).any(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(Problem::new(
        Code::UnknownHost,
        "use an IP address or localhost, or list the name under `server.allowed_hosts`",
    ))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

fn host_of_url(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty())
}

/// Methods that may change something need a sender that is not a page of another site.
fn same_site(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if method.is_safe() || headers.contains_key("hx-request") && is_same_origin(headers) {
        return Ok(());
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = content_type.map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let from_form = media.is_some_and(|media| FORM_TYPES.contains(&media.as_str()));
    if from_form || !is_same_origin(headers) {
        return Err(Problem::new(
            Code::CrossSite,
            "send JSON from the page of this server or from a program, not a form or a page of another site",
        ));
    }
    Ok(())
}

fn is_same_origin(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none")
}

fn small(headers: &HeaderMap, body_max: u64) -> Result<(), Problem> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match declared {
        Some(length) if length > body_max => {
            Err(Problem::new(Code::TooLarge, format!("the body has {length} bytes, {body_max} are allowed")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_localhost_and_listed_names_are_hosts_of_ours() {
        let settings = ServerSettings {
            external_url: Some("https://books.example.org:8443/bailiwick".to_owned()),
            allowed_hosts: vec!["bailiwick.internal".to_owned()],
            ..ServerSettings::default()
        };
        for good in [
            "127.0.0.1:4319",
            "[::1]:4319",
            "::1",
            "LOCALHOST",
            "localhost:80",
            "books.example.org",
            "bailiwick.internal:4319",
        ] {
            assert_eq!(known_host(&settings, good), Ok(()), "{good}");
        }
        for bad in ["evil.example.com", "localhost.evil.com", "127.0.0.1.evil.com", "", "example.org", ":4319"] {
            assert!(known_host(&settings, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn other_sites_and_forms_may_not_write() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (name.parse::<header::HeaderName>().expect("a name"), value.parse().expect("a value"))
            });
            pairs.collect::<HeaderMap>()
        };
        let judge = |pairs: &[(&'static str, &'static str)]| same_site(&Method::POST, &headers(pairs)).is_ok();
        assert!(judge(&[("content-type", "application/json")]));
        assert!(judge(&[("content-type", "application/json"), ("sec-fetch-site", "same-origin")]));
        assert!(!judge(&[("content-type", "application/json"), ("sec-fetch-site", "cross-site")]));
        assert!(!judge(&[("content-type", "application/json"), ("sec-fetch-site", "same-site")]));
        assert!(!judge(&[("content-type", "text/plain; charset=utf-8")]));
        assert!(judge(&[("content-type", "application/x-www-form-urlencoded"), ("hx-request", "true")]));
        assert!(!judge(&[("hx-request", "true"), ("sec-fetch-site", "cross-site")]));
        assert!(same_site(&Method::GET, &headers(&[("sec-fetch-site", "cross-site")])).is_ok());
    }

    #[test]
    fn a_body_may_be_as_large_as_said_and_no_larger() {
        let headers = |length: &str| HeaderMap::from_iter([(header::CONTENT_LENGTH, length.parse().expect("a value"))]);
        assert_eq!(small(&headers("100"), 100), Ok(()));
        assert_eq!(small(&headers("101"), 100).expect_err("large").code, Code::TooLarge);
    }
}
