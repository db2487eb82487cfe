//! Bodies of requests that order something: JSON, read strictly.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// The bytes of a body, no longer than the listener takes (`server.body_max`), whether or not its length was announced.
pub(crate) struct Body(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    Problem::new(Code::TooLarge, "the body is longer than server.body_max")
                }
                _ => Problem::new(Code::BadRequest, "the body broke off"),
            }
        })
    }
}

/// Reads a body; an empty one is an empty object.
///
/// # Errors
/// `bad_request` for what is no JSON, `invalid` for what is no such document, each with the place.
pub(crate) fn json<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    let text: &[u8] = if body.trim_ascii().is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| {
        let code = if error.is_data() { Code::Invalid } else { Code::BadRequest };
        Problem::new(code, format!("the body: {error}"))
    })
}

/// Longest text that somebody writes for others to read, bytes.
pub(crate) const PROSE_MAX: usize = 1_024;
/// Longest name, pattern or other word, bytes.
pub(crate) const WORD_MAX: usize = 255;

/// A text of the body that is kept as long as the daemon runs, which must be short.
///
/// # Errors
/// `invalid` when it is longer than `max` bytes.
pub(crate) fn short(name: &str, text: String, max: usize) -> Result<String, Problem> {
    let length = text.len();
    if length > max { Err(wrong(name, format!("it has {length} bytes, {max} are kept"))) } else { Ok(text) }
}

/// Who orders something.
///
/// # Errors
/// As [`short`].
pub(crate) fn by(name: &str, who: Option<String>) -> Result<String, Problem> {
    short(name, who.unwrap_or_else(|| "anonymous".to_owned()), WORD_MAX)
}

/// A time of the body, seconds since the Unix epoch.
///
/// # Errors
/// `invalid` for what is no RFC 3339 of the years to 9999.
pub(crate) fn time(name: &str, text: &str) -> Result<i64, Problem> {
    let at: Result<Timestamp, _> = text.parse();
    at.map(Timestamp::as_second).map_err(|_| wrong(name, "it is no time like 2026-05-04T22:00:00Z"))
}

/// A value of the body that cannot be used.
pub(crate) fn wrong(name: &str, detail: impl Into<String>) -> Problem {
    Problem::parameter(Code::Invalid, name, detail)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Thing {
        note: String,
    }

    fn read(body: &'static str) -> Result<Thing, Problem> {
        json(&Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn a_text_is_as_long_as_is_kept_and_no_longer() {
        assert_eq!(short("note", "x".repeat(1_024), PROSE_MAX).map(|text| text.len()), Ok(1_024));
        let problem = short("note", "x".repeat(1_025), PROSE_MAX).expect_err("it is too long");
        assert_eq!((problem.code, problem.detail.contains("1025 bytes")), (Code::Invalid, true));
        assert_eq!(by("by", None).as_deref(), Ok("anonymous"));
    }

    #[test]
    fn nothing_is_an_empty_object_and_an_unknown_key_is_told_with_its_place() {
        assert_eq!(read(" \n"), Ok(Thing::default()));
        let problem = read(r#"{"nota": "x"}"#).expect_err("unknown");
        assert_eq!(problem.code, Code::Invalid);
        assert!(problem.detail.contains("`nota`") && problem.detail.contains("line 1"), "{}", problem.detail);
        assert_eq!(read("{").expect_err("no JSON").code, Code::BadRequest);
    }
}
