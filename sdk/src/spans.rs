//! The spans that a server counts, with the attributes that it counts them by. Names equal Bailiwick's published ones.

use opentelemetry::trace::Status;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::error::{Cause, Error};
use crate::settings::{MODULE, TENANT};

/// Longest tenant id in bytes.
const TENANT_BYTES_MAX: usize = 150;

/// The SERVER span of one HTTP request: one request in the books. `route` is the template (`/rag/{id}`), never the
/// path. End it with [`answered`].
#[must_use]
pub fn request_span(method: &str, route: &str) -> Span {
    let span = info_span!("request", otel.kind = "server", otel.name = format!("{method} {route}"));
    span.set_attribute("http.request.method", method.to_owned());
    span.set_attribute("http.route", route.to_owned());
    span
}

/// Says how a request was answered. Only a status of 500 or above makes it a failure.
pub fn answered(request: &Span, status: u16) {
    request.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        request.set_attribute("error.type", status.to_string());
        request.set_status(Status::error(""));
    }
}

/// The INTERNAL span in which a request enters another module of the same process.
#[must_use]
pub fn module_span(module: &str, operation: &str) -> Span {
    let span = info_span!("module", otel.kind = "internal", otel.name = operation);
    span.set_attribute(MODULE, module.to_owned());
    span.set_attribute("bailiwick.operation", operation.to_owned());
    span
}

/// Says whose request the current span is. Call it in the request's own span: the server gives the tenant of a request
/// to the spans below it.
///
/// # Errors
/// Nobody may be called so; the span is left as it was.
pub fn tenant(id: &str) -> Result<(), Error> {
    if !valid_tenant(id) {
        return Err(Cause::Tenant.into());
    }
    Span::current().set_attribute(TENANT, id.to_owned());
    Ok(())
}

/// Grafana Mimir's rule, which Bailiwick shares, without the reserved ids.
fn valid_tenant(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!-_.*'()".contains(&byte);
    (1..=TENANT_BYTES_MAX).contains(&id.len())
        && id.bytes().all(allowed)
        && ![".", "..", "_unknown", "_overflow", "_system"].contains(&id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_id_follows_mimirs_rule_and_is_not_reserved() {
        for good in ["acme", "A-1_b.c*d'(e)!", &"x".repeat(150)] {
            assert!(valid_tenant(good), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "\u{430}cme", &"x".repeat(151), "_unknown", "_overflow", "_system"] {
            assert!(!valid_tenant(bad), "{bad:?}");
            assert!(tenant(bad).is_err());
        }
    }
}
