//! The whole way of a story.

use super::{Problem, judge, play, read};

/// Reads a story and plays it. `open` gives the text of the file that `slo:` names. Empty: all holds.
#[must_use]
pub fn run(text: &str, open: impl FnOnce(&str) -> Result<String, String>) -> Vec<Problem> {
    match read::read(text, open) {
        Ok(story) => judge::judge(&story, &mut play::Play::new(&story)),
        Err(problem) => vec![problem],
    }
}
