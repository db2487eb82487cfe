//! Bodies of requests that order something: JSON, read strictly.

use axum::body::Bytes;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

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
    fn nothing_is_an_empty_object_and_an_unknown_key_is_told_with_its_place() {
        assert_eq!(read(" \n"), Ok(Thing::default()));
        let problem = read(r#"{"nota": "x"}"#).expect_err("unknown");
        assert_eq!(problem.code, Code::Invalid);
        assert!(problem.detail.contains("`nota`") && problem.detail.contains("line 1"), "{}", problem.detail);
        assert_eq!(read("{").expect_err("no JSON").code, Code::BadRequest);
    }
}
