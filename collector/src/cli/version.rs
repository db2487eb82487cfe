//! `version`: which build this is.

use serde_json::json;

use super::answer::Answer;
use super::arguments::Output;

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

const TARGET: &str = env!("BAILIWICK_TARGET");
const RUSTC: &str = env!("BAILIWICK_RUSTC");
const PROFILE: &str = env!("BAILIWICK_PROFILE");

/// The version; with `verbose` also how it was built.
#[must_use]
pub(super) fn answer(output: Output, verbose: bool) -> Answer {
    let build = format!("target: {TARGET}\nrustc: {RUSTC}\nprofile: {PROFILE}\n");
    Answer::data(match (output, verbose) {
        (Output::Json, false) => format!("{}\n", json!({"version": VERSION})),
        (Output::Json, true) => {
            format!("{}\n", json!({"version": VERSION, "target": TARGET, "rustc": RUSTC, "profile": PROFILE}))
        }
        (Output::Yaml, false) => format!("version: {VERSION}\n"),
        (Output::Yaml, true) => format!("version: {VERSION}\n{build}"),
        (Output::Table, false) => format!("bailiwick {VERSION}\n"),
        (Output::Table, true) => format!("bailiwick {VERSION}\n{build}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_one_line_and_more_where_asked() {
        assert_eq!(answer(Output::Table, false).data, "bailiwick 0.1.0\n");
        let verbose = answer(Output::Table, true).data;
        assert!(verbose.starts_with("bailiwick 0.1.0\ntarget: ") && verbose.contains("\nrustc: rustc 1."), "{verbose}");
        let json: serde_json::Value = serde_json::from_str(&answer(Output::Json, true).data).expect("it is JSON");
        assert_eq!(json["version"], "0.1.0");
        assert!(["debug", "release"].contains(&json["profile"].as_str().unwrap_or_default()));
    }
}
