//! `slo test`: stories through the engine that the daemon runs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bailiwick_slo::story;

use crate::cli::answer::{Answer, Exit};

/// Plays stories; exit code 1 if one does not hold.
pub(in crate::cli) fn test(files: &[PathBuf]) -> Answer {
    let (mut data, mut failed) = (String::new(), 0);
    for path in files {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return Answer::failure(Exit::File, format!("failed to read {}: {error}", path.display())),
        };
        let beside = path.parent().unwrap_or(Path::new("."));
        let open = |name: &str| {
            let path = beside.join(name);
            std::fs::read_to_string(&path).map_err(|error| format!("failed to read {}: {error}", path.display()))
        };
        let problems = story::run(&text, open);
        failed += usize::from(!problems.is_empty());
        let _ = writeln!(data, "{} {}", if problems.is_empty() { "ok    " } else { "FAILED" }, path.display());
        for problem in problems {
            let _ = writeln!(data, "  {}:{}: {}", path.display(), problem.line, problem.message);
        }
    }
    let _ = writeln!(data, "{} passed, {failed} failed", files.len() - failed);
    Answer { data, talk: String::new(), exit: if failed == 0 { Exit::Done } else { Exit::Problem } }
}
