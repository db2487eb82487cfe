//! Every file of `tests/scenarios`, one test each, and what all of them together cover.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bailiwick_tests::scenario::{Judged, judge};

/// Fewest scenarios (`sli.md`, "Proof").
const SCENARIOS_MIN: usize = 60;

/// What scenarios prove, by what stands under `rule`: rows of the tables of `sli.md`, else a word for a sentence there.
const RULES: &[&str] = &[
    "1.1 auth",
    "1.1 span",
    "1.1 resource",
    "1.1 header",
    "1.1 inherited",
    "1.1 baggage",
    "1.1 default",
    "1.1 order",
    "1.1 waiting",
    "1.1 values",
    "1.1 canonical",
    "1.1 invalid",
    "1.1 shared",
    "1.1 conflict",
    "1.2 a",
    "1.2 b",
    "1.2 c",
    "1.2 d",
    "1.2 e",
    "1.2 f",
    "1.2 aliases",
    "1.2 operation",
    "E0",
    "E1",
    "E1n",
    "E1l",
    "E1u",
    "E2",
    "E2m",
    "E2r",
    "E2x",
    "E3",
    "E3r",
    "E4",
    "FastAPI",
    "batch",
    "1.4 0",
    "1.4 1",
    "1.4 2",
    "1.4 3",
    "1.4 4",
    "1.4 5",
    "1.4 6",
    "1.4 7",
    "1.4 8",
    "1.4 9",
    "1.4 codes",
    "1.5",
    "1.6",
    "1.7",
    "1.9",
    "1.10",
    "C1",
    "TC",
    "C2",
    "C3",
    "C3t",
    "C4e",
    "C8",
    "2.3 settle",
    "2.3 revise",
    "2.4",
    "boundary",
    "L1",
    "L2",
    "L3",
    "L4",
    "L5",
    "L6",
    "L7",
    "L8",
    "confirmed",
    "3.2",
    "graph",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn judge_file(name: &str) -> Judged {
    let path = folder().join(format!("{name}.yaml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    judge(&text)
}

fn holds(name: &str) {
    let judged = judge_file(name);
    let told: Vec<String> =
        judged.differences.iter().map(|difference| format!("tests/scenarios/{name}.yaml:{difference}")).collect();
    let failed: BTreeSet<&str> = judged.differences.iter().map(|difference| &*difference.scenario).collect();
    assert!(told.is_empty(), "{} of {} scenarios:\n{}", failed.len(), judged.names.len(), told.join("\n"));
}

macro_rules! files {
    ($($(#[doc = $text:literal])* $name:ident),* $(,)?) => {
        const FILES: &[&str] = &[$(stringify!($name)),*];
        $($(#[doc = $text])* #[test] fn $name() { holds(stringify!($name)); })*
    };
}

files! {
    /// Scenario: spans of each kind with each parent, in each order.
    /// Guarantee: exactly those are requests that `sli.md` 1.3 says, also after late parents.
    entries,
    /// Scenario: parents that come after their trace was judged, or never.
    /// Guarantee: bookings, gaps and verdicts are corrected in their own slots.
    late_parents,
    /// Scenario: every source of a tenant, alone and against the others.
    /// Guarantee: the first one wins and is stored (`sli.md` 1.1).
    tenants,
    /// Scenario: every source of a module, every form of an operation.
    /// Guarantee: the first one wins (`sli.md` 1.2).
    modules,
    /// Scenario: every row of the table of outcomes.
    /// Guarantee: it decides as written (`sli.md` 1.4).
    outcomes,
    /// Scenario: sampled traces.
    /// Guarantee: requests are adjusted, spans are not (`sli.md` 1.7).
    weights,
    /// Scenario: traces with and without holes.
    /// Guarantee: figures and gaps say where (`sli.md` 2.1, 2.4).
    coverage,
    /// Scenario: points of metrics that count requests.
    /// Guarantee: they are the denominator, whole and once (`sli.md` 1.9).
    metrics,
    /// Scenario: spans and traces at every age.
    /// Guarantee: they count in the slot of their end, and traces settle when the page says (`sli.md` 1.6, 2.3).
    lateness,
    /// Scenario: retries that were batched anew, and spans that share their ids.
    /// Guarantee: each counts once, and the books say so (`sli.md` 1.10).
    duplicates,
    /// Scenario: tenants that meet where they should not.
    /// Guarantee: each is found, with rule, verdict and severity (`sli.md` 3.1).
    leaks,
    /// Scenario: tenants that meet where they may.
    /// Guarantee: nothing is found (`sli.md` 3.2).
    innocents,
    /// Scenario: calls between modules, to databases, by message, into silence.
    /// Guarantee: each is one edge, counted once.
    graph,
}

/// Scenario: the folder.
/// Guarantee: no file is left out.
#[test]
fn every_file_of_the_folder_is_played() {
    let entries = std::fs::read_dir(folder()).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let there: BTreeSet<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| path.file_stem().expect("a file has a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, FILES.iter().map(|name| (*name).to_owned()).collect());
}

/// Scenario: what the scenarios say that they prove.
/// Guarantee: at least sixty scenarios of different names, and one at least for every rule.
#[test]
fn every_rule_of_the_page_has_a_scenario() {
    let judged: Vec<Judged> = FILES.iter().map(|name| judge_file(name)).collect();
    let names: Vec<&String> = judged.iter().flat_map(|judged| &judged.names).collect();
    assert!(names.len() >= SCENARIOS_MIN, "there are {} scenarios", names.len());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "two scenarios have one name");
    let proved: BTreeSet<&str> = judged.iter().flat_map(|judged| &judged.rules).map(String::as_str).collect();
    assert_eq!(proved, RULES.iter().copied().collect());
}

/// Scenario: the example of the page that describes the format.
/// Guarantee: it is one, and holds.
#[test]
fn the_example_of_the_readme_holds() {
    let page = std::fs::read_to_string(folder().join("README.md")).expect("the page is there");
    let example = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("it has an example");
    let judged = judge(example);
    assert_eq!((judged.names.len(), judged.differences), (1, Vec::new()));
}
