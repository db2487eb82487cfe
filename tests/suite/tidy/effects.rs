//! Where effects may happen: pure rooms have none, one file reads the time, and few start what runs beside.

use super::finding::{Exception, Finding, except, is_in};
use super::paths::named;
use super::source::Source;
use super::tree::Tree;

/// Rooms that decide: the same arguments give the same answer.
const PURE: [&str; 5] = [
    "slo/src/",
    "collector/src/otlp/",
    "collector/src/observation/",
    "collector/src/tenancy/",
    "collector/src/aggregator/",
];

/// The shell around a pure room.
const SHELL: &str = "/worker.rs";

/// What a pure room must not name.
const IMPURE: [&str; 11] = [
    "tokio",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::fs",
    "std::env",
    "std::net::TcpStream",
    "std::thread",
    "rand",
    "fastrand",
    "tracing",
    "metrics",
];

/// What reads the wall clock.
const WALL_CLOCKS: [&str; 4] = ["std::time::SystemTime", "jiff::Timestamp::now", "jiff::Zoned::now", "chrono"];

/// What begins a thread or a task.
const STARTS: [&str; 8] = [
    "tokio::spawn",
    "tokio::task::spawn",
    "tokio::task::spawn_blocking",
    "tokio::task::spawn_local",
    "tokio::task::JoinSet",
    "std::thread::spawn",
    "std::thread::Builder",
    "std::thread::scope",
];

const START_EXCEPTIONS: &[Exception] = &[
    except("collector/src/aggregator/worker.rs", "start", "app.rs has it make the one thread that owns the books."),
    except("collector/src/app/ground.rs", "start", "It waits for the journal's thread and tells how that one ended."),
    except("collector/src/cli/health.rs", "start", "A name is looked up beside, since that cannot be interrupted."),
    except("collector/src/evaluator/worker.rs", "start", "app.rs has it make the one thread that owns the instances."),
    except("collector/src/frontend/http/answer.rs", "start", "A request computes where blocking is allowed."),
    except("collector/src/frontend/server.rs", "start", "A listener serves the connections that it accepted."),
    except("collector/src/history/worker.rs", "start", "app.rs has it make the one thread that writes the store."),
    except("collector/src/journal/file.rs", "start", "app.rs has it make the one thread that writes the journal."),
    except("collector/src/receiver/accept/listener.rs", "start", "A listener serves the connections that it accepted."),
    except("collector/src/receiver/start.rs", "start", "app.rs has it begin one loop for each listener."),
    except("collector/src/receiver/ingest/pipeline.rs", "start", "A large body is walked where blocking is allowed."),
];

/// Whether a file must have no effects.
pub(super) fn is_pure(path: &str) -> bool {
    PURE.iter().any(|room| path.starts_with(room)) && !path.ends_with(SHELL)
}

pub(super) fn pure(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources.iter().filter(|source| is_pure(&source.path)) {
        for name in named(source) {
            if let Some(effect) = IMPURE.iter().find(|effect| is_in(&name.path, effect)) {
                let says = format!("a pure room names `{effect}`: make it an argument, or do it in a shell");
                findings.push(Finding::new(&source.path, name.line, effect, says));
            }
        }
        for word in ["async", "await", "println", "eprintln"] {
            for at in source.places(&[word]) {
                let says = format!("a pure room says `{word}`: it returns what happened, shells wait and print");
                findings.push(Finding::new(&source.path, source.tokens[at].line, word, says));
            }
        }
    }
    findings
}

pub(super) fn clocks(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.under("collector/src/").filter(|source| source.path != "collector/src/clock.rs") {
        for name in named(source) {
            if let Some(clock) = WALL_CLOCKS.iter().find(|clock| is_in(&name.path, clock)) {
                let says = format!("`{clock}` is read in clock.rs only: take the time as an argument");
                findings.push(Finding::new(&source.path, name.line, clock, says));
            }
        }
    }
    findings
}

pub(super) fn starts(tree: &Tree) -> Vec<Finding> {
    let daemon = tree.sources.iter().filter(|source| !source.path.starts_with("tests/"));
    let mut findings = Vec::new();
    for source in daemon.filter(|source| source.path != "collector/src/app.rs") {
        for line in started(source) {
            let says = "threads and tasks begin in app.rs: begin it there, or give this file its reason";
            findings.push(Finding::new(&source.path, line, "start", says));
        }
    }
    findings
}

/// The lines outside of tests that begin a thread or a task.
fn started(source: &Source) -> Vec<usize> {
    let starts = |name: &&super::paths::Named| !name.is_test && STARTS.iter().any(|start| is_in(&name.path, start));
    let by_path = named(source).iter().filter(starts).map(|name| name.line).collect::<Vec<_>>();
    let by_method = source.places(&[".", "spawn", "("]).filter(|at| !source.is_test(*at));
    let mut lines: Vec<usize> = by_path.into_iter().chain(by_method.map(|at| source.tokens[at].line)).collect();
    lines.dedup();
    lines
}

mod verdicts {
    use super::super::finding::judge;
    use super::super::tree::HOUSE;

    /// Scenario: the rooms that decide.
    /// Guarantee: no runtime, clock, chance, file or log in them.
    #[test]
    fn pure_rooms_have_no_effects() {
        judge(&super::pure(&HOUSE), &[]);
    }

    /// Scenario: every file of the daemon.
    /// Guarantee: only clock.rs reads the time of the day.
    #[test]
    fn one_file_reads_the_time() {
        judge(&super::clocks(&HOUSE), &[]);
    }

    /// Scenario: every file of the daemon and the SDK, without tests.
    /// Guarantee: threads and tasks begin in app.rs, or where a reason is written here.
    #[test]
    fn threads_and_tasks_begin_where_they_are_known() {
        judge(&super::starts(&HOUSE), super::START_EXCEPTIONS);
    }
}
