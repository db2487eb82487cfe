//! Which rooms of the daemon may name which, and which crates may depend on which: the tables here are the rule. Tests
//! inside rooms are held to it, too.

use super::effects;
use super::finding::{Exception, Finding, except, is_in};
use super::paths::named;
use super::tree::Tree;

/// A room and the modules outside of it that it may name; `slo` and `dashboards` are the crates.
struct Room {
    name: &'static str,
    may: &'static [&'static str],
}

const fn room(name: &'static str, may: &'static [&'static str]) -> Room {
    Room { name, may }
}

/// In the order of the data. Rooms that are planned have their line already. `units` is free for all, `clock` for all
/// that are not pure.
const ROOMS: [Room; 17] = [
    room("units", &[]),
    room("clock", &[]),
    room("tenancy", &["slo::conventions"]),
    room("otlp", &[]),
    room("observation", &["otlp", "tenancy", "slo"]),
    room("receiver", &["observation", "tenancy", "journal::Journal", "journal::Record", "journal::AppendError"]),
    room("journal", &["observation", "slo::course::control", "slo::saved", "slo::wire"]),
    room("aggregator", &["observation", "slo"]),
    room("history", &["aggregator", "slo"]),
    room("evaluator", &["aggregator::Snapshot", "aggregator::Told", "aggregator::snapshot", "slo"]),
    room("notifier", &["slo"]),
    room("feeds", &["aggregator::Snapshot", "aggregator::snapshot", "evaluator::Report", "slo"]),
    room(
        "frontend",
        &[
            "feeds",
            "aggregator::Snapshot",
            "aggregator::snapshot",
            "evaluator::Report",
            "evaluator::InstanceReport",
            "evaluator::IncidentReport",
            "evaluator::Blame",
            "evaluator::ExemplarSpan",
            // Pure decisions that are shown when somebody asks.
            "evaluator::blame_of",
            "evaluator::Standing",
            "evaluator::anchored",
            "journal::Journal",
            "journal::Record",
            "journal::AppendError",
            "dashboards",
            "slo",
        ],
    ),
    room(
        "config",
        &[
            "tenancy::Settings",
            "tenancy::ModuleSettings",
            "receiver::Settings",
            "observation::LimitSettings",
            "observation::IngestSettings",
            "observation::Rules",
            "journal::Settings",
            "aggregator::Settings",
            "aggregator::Terms",
            "history::DataDir",
            "history::Settings",
            "evaluator::Settings",
            "notifier::Settings",
            "feeds::Settings",
            "frontend::ServerSettings",
            "frontend::MetricsSettings",
        ],
    ),
    room("cli", &["app", "config", "evaluator::definitions", "frontend", "history::DataDir", "slo"]),
    room(
        "app",
        &[
            "config",
            "tenancy",
            "receiver",
            "observation",
            "journal",
            "aggregator",
            "history",
            "evaluator",
            "notifier",
            "feeds",
            "frontend",
            "slo::course::control",
            "slo::document",
            "slo::spec",
            "slo::taps",
            "slo::wire",
            "cli::VERSION",
        ],
    ),
    // The list of rooms itself.
    room("lib", &[]),
];

/// The true fold behind a listener's tests.
const TRUE_FIGURES: &str = "Its figures come from spans through the true fold, so that none is made up.";
const TERMS: &str = "What the aggregator goes by is put together here from the settings of several rooms.";
const GAUGE: &str = "`/v1/limits` and `/metrics` show what is used of the budget; nothing is charged here.";

const EXCEPTIONS: &[Exception] = &[
    except(
        "collector/src/aggregator/worker.rs",
        "journal",
        "The shell takes records in the journal's order; the fold itself knows none.",
    ),
    except(
        "collector/src/aggregator/snapshot.rs",
        "tenancy::Source",
        "Modules count their requests by the sources that `tenancy` names.",
    ),
    except("collector/src/config/settings.rs", "aggregator::ClaimSource", TERMS),
    except("collector/src/config/settings.rs", "aggregator::KnownModule", TERMS),
    except("collector/src/config/settings.rs", "tenancy::Source", TERMS),
    except(
        "collector/src/config/valid/rules.rs",
        "tenancy::check",
        "A tenant id in the file obeys the rule that ids on the wire obey.",
    ),
    except(
        "collector/src/cli/demo/guest.rs",
        "aggregator::Aggregator",
        "The demo's past is folded before the daemon opens, as a replay would be.",
    ),
    except(
        "collector/src/cli/demo/guest.rs",
        "aggregator::Snapshot",
        "The demo's past is shown to the evaluator tick by tick, as the live one will be.",
    ),
    except(
        "collector/src/cli/demo/guest.rs",
        "observation",
        "The demo's past is observed before the daemon opens, as if it had been received.",
    ),
    except("collector/src/frontend/", "observation::budget::Budget", GAUGE),
    except("collector/src/frontend/router/", "aggregator", TRUE_FIGURES),
    except("collector/src/frontend/router/", "observation", TRUE_FIGURES),
    except("collector/src/frontend/router/", "evaluator::Feed", TRUE_FIGURES),
    except("collector/src/frontend/router/", "evaluator::Beginning", TRUE_FIGURES),
    except(
        "collector/src/frontend/view/figure.rs",
        "tenancy::Source",
        "A test compares the columns of the view with the order of the snapshot's.",
    ),
    except("collector/src/frontend/view/ingest.rs", "observation", "A test makes up one row of the books."),
    except(
        "collector/src/receiver/ingest/json.rs",
        "otlp::json",
        "JSON becomes the protobuf that the client would have sent, before it is observed.",
    ),
    except(
        "collector/src/receiver/ingest/tests/pipeline.rs",
        "journal",
        "A test reads what the pipeline appended where the aggregator would.",
    ),
    except(
        "collector/src/receiver/",
        "otlp::wire::Fault",
        "Tests make up the fault that an unreadable body carries in it.",
    ),
];

/// Crates of ours and those of ours that each may depend on: `slo` <- `dashboards` <- `collector` <- `tests`.
const CRATES: [(&str, &[&str]); 5] = [
    ("slo", &[]),
    ("dashboards", &["bailiwick-slo"]),
    ("collector", &["bailiwick-slo", "bailiwick-dashboards"]),
    ("sdk", &[]),
    ("tests", &["bailiwick-slo", "bailiwick-dashboards", "bailiwick-collector", "bailiwick-sdk"]),
];

/// What `slo` may be built on: nothing that runs, waits, draws or writes.
const UNDER_SLO: [&str; 6] = ["thiserror", "jiff", "granit-parser", "sha2", "strsim", "hashbrown"];

fn room_of(path: &str) -> &str {
    let inside = path.strip_prefix("collector/src/").unwrap_or(path);
    inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

pub(super) fn rooms(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.under("collector/src/").filter(|source| source.path != "collector/src/main.rs") {
        let own = room_of(&source.path);
        let Some(room) = ROOMS.iter().find(|room| room.name == own) else {
            findings.push(Finding::new(&source.path, 1, own, format!("`{own}` is no room: give it a line in ROOMS")));
            continue;
        };
        let may = |path: &str| {
            let is_free = path.is_empty() || is_in(path, own) || is_in(path, "units");
            let is_clock = is_in(path, "clock") && !effects::is_pure(&source.path);
            // An imported module is judged by what is then taken from it.
            is_free || is_clock || room.may.iter().any(|allowed| is_in(path, allowed) || is_in(allowed, path))
        };
        let mut strange: Vec<String> = Vec::new();
        for name in named(source) {
            let ours = ["crate::", "bailiwick_"].iter().find_map(|crates| name.path.strip_prefix(crates));
            // What was imported is said where it was imported, not at each use.
            let news = ours.filter(|path| !may(path) && !strange.iter().any(|said| is_in(path, said)));
            if let Some(path) = news {
                let says = format!("`{own}` names `{path}`, which it must not know: take it as an argument or move it");
                findings.push(Finding::new(&source.path, name.line, path, says));
                strange.push(path.to_owned());
            }
        }
    }
    findings
}

/// `app` is at the end of all ways: nobody but the command line names it.
pub(super) fn app(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let may = ["collector/src/app", "collector/src/cli/", "collector/src/main.rs"];
    for source in tree.sources.iter().filter(|source| !may.iter().any(|place| source.path.starts_with(place))) {
        for name in named(source) {
            let is_own = source.path.starts_with("collector/") && is_in(&name.path, "crate::app");
            if is_own || is_in(&name.path, "bailiwick_collector::app") {
                let says = "only `cli` and `main.rs` may name `app`: take what is needed as an argument";
                findings.push(Finding::new(&source.path, name.line, &name.path, says));
            }
        }
    }
    findings
}

pub(super) fn crates(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts.iter().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        let folder = path.trim_end_matches("/Cargo.toml");
        let Some((_, may)) = CRATES.iter().find(|(name, _)| *name == folder) else {
            findings.push(Finding::new(path, 1, folder, format!("`{folder}` is no crate of the house: see CRATES")));
            continue;
        };
        for (line, kind, name) in dependencies(text) {
            let is_ours = name.starts_with("bailiwick-");
            if is_ours && !may.contains(&name) {
                let says =
                    format!("`{folder}` must not depend on `{name}`: dependencies go slo <- dashboards <- collector");
                findings.push(Finding::new(path, line, name, says));
            }
            if folder == "slo" && kind == "dependencies" && !is_ours && !UNDER_SLO.contains(&name) {
                let says =
                    format!("`slo` is values only, `{name}` is not known to be: give what it would do as an argument");
                findings.push(Finding::new(path, line, name, says));
            }
        }
    }
    findings
}

/// Line, table and name of each dependency in a manifest.
fn dependencies(text: &str) -> Vec<(usize, &str, &str)> {
    let mut table = "";
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']');
            // `[dependencies.name]` is a dependency, too.
            if let Some((kind, name)) = table.split_once('.').filter(|(kind, _)| kind.ends_with("dependencies")) {
                found.push((number + 1, kind, name));
            }
        } else if table.ends_with("dependencies") {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            if !name.is_empty() && !name.starts_with('#') {
                found.push((number + 1, table, name));
            }
        }
    }
    found
}

mod verdicts {
    use super::super::finding::judge;
    use super::super::tree::HOUSE;

    /// Scenario: every path that a file of the daemon names.
    /// Guarantee: rooms know only the rooms of the table.
    #[test]
    fn rooms_name_only_what_the_table_allows() {
        judge(&super::rooms(&HOUSE), super::EXCEPTIONS);
    }

    /// Scenario: every path in all crates.
    /// Guarantee: the life cycle is known to the command line alone.
    #[test]
    fn nothing_but_the_command_line_names_the_app() {
        judge(&super::app(&HOUSE), &[]);
    }

    /// Scenario: the manifests.
    /// Guarantee: crates depend in one direction; `slo` has no runtime, `sdk` nothing of ours.
    #[test]
    fn crates_depend_in_one_direction() {
        judge(&super::crates(&HOUSE), &[]);
    }
}
