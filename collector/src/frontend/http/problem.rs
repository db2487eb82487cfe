//! What went wrong, told alike everywhere: RFC 9457 `application/problem+json` with a stable code. Presented secrets are
//! never echoed.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of problems.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    BadRequest,
    UnknownParameter,
    BadCursor,
    CrossSite,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    TooLarge,
    UnknownHost,
    Invalid,
    LimitExceeded,
    Overloaded,
    Internal,
}

impl Code {
    /// Every code.
    pub(crate) const ALL: [Self; 13] = [
        Self::BadRequest,
        Self::UnknownParameter,
        Self::BadCursor,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::TooLarge,
        Self::UnknownHost,
        Self::Invalid,
        Self::LimitExceeded,
        Self::Overloaded,
        Self::Internal,
    ];

    /// The published code, status and title.
    const fn published(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::BadRequest => ("bad_request", StatusCode::BAD_REQUEST, "The request could not be read"),
            Self::UnknownParameter => ("unknown_parameter", StatusCode::BAD_REQUEST, "There is no such parameter"),
            Self::BadCursor => ("bad_cursor", StatusCode::BAD_REQUEST, "The cursor does not belong to this list"),
            Self::CrossSite => ("cross_site", StatusCode::FORBIDDEN, "Other sites may not write here"),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND, "There is nothing here"),
            Self::MethodNotAllowed => {
                ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "This cannot be done here")
            }
            Self::NotAcceptable => ("not_acceptable", StatusCode::NOT_ACCEPTABLE, "No accepted format is offered"),
            Self::TooLarge => ("too_large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnknownHost => {
                ("unknown_host", StatusCode::MISDIRECTED_REQUEST, "This server does not go by that name")
            }
            Self::Invalid => ("invalid", StatusCode::UNPROCESSABLE_ENTITY, "A value cannot be used"),
            Self::LimitExceeded => ("limit_exceeded", StatusCode::UNPROCESSABLE_ENTITY, "More than may be asked for"),
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "Too many requests at once"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "An error of ours"),
        }
    }

    /// The published code.
    pub(crate) const fn name(self) -> &'static str {
        self.published().0
    }

    /// The status that goes with it.
    pub(crate) const fn status(self) -> StatusCode {
        self.published().1
    }

    /// The text that is the same for every occurrence.
    pub(crate) const fn title(self) -> &'static str {
        self.published().2
    }
}

/// One value that was at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// The query parameter.
    #[schema(example = "tennant")]
    pub(crate) parameter: String,
    /// The code of this fault.
    #[schema(example = "unknown_parameter")]
    pub(crate) code: &'static str,
    /// What to do.
    #[schema(example = "did you mean `tenant`?")]
    pub(crate) detail: String,
}

/// A problem before it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Its code.
    pub(crate) code: Code,
    /// What happened this time, for the client.
    pub(crate) detail: String,
    /// The values at fault.
    pub(crate) errors: Vec<Fault>,
}

/// The body of every error answer (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// A page about this kind of problem.
    #[schema(example = "/problems/unknown_parameter")]
    pub(crate) r#type: String,
    /// The same for every occurrence.
    #[schema(example = "There is no such parameter")]
    pub(crate) title: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    pub(crate) status: u16,
    /// What happened this time.
    #[schema(example = "`tennant` is no parameter of /v1/series; did you mean `tenant`?")]
    pub(crate) detail: String,
    /// The path that was asked for.
    #[schema(example = "/v1/series")]
    pub(crate) instance: String,
    /// A stable code.
    #[schema(example = "unknown_parameter")]
    pub(crate) code: &'static str,
    /// The number of the request, also in the header `x-request-id`.
    #[schema(example = "17c9f2a1b3d4e5f6-2a")]
    pub(crate) request_id: String,
    /// The values at fault, if any can be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<Fault>,
}

impl Problem {
    /// A problem without named values.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new() }
    }

    /// A problem with one query parameter.
    pub(crate) fn parameter(code: Code, parameter: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let fault = Fault { parameter: parameter.to_owned(), code: code.name(), detail: detail.clone() };
        Self { code, detail: format!("`{parameter}`: {detail}"), errors: vec![fault] }
    }

    /// The answer, once path and request are known.
    pub(crate) fn told(self, instance: &str, request_id: &str) -> Response {
        let body = ProblemBody {
            r#type: format!("/problems/{}", self.code.name()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail,
            instance: instance.to_owned(),
            code: self.code.name(),
            request_id: request_id.to_owned(),
            errors: self.errors,
        };
        let json = serde_json::to_vec(&body).expect("strings and numbers always become JSON");
        let mut response = (self.code.status(), json).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.code == Code::Overloaded {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// Carries the problem to `observe`, which knows path and request and tells it.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
