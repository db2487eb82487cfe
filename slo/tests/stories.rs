//! Scenario: every story of `slo/tests/stories`, written from the specification, through the engine that the daemon
//! runs. Guarantee: what the stories expect is what comes of them; `tests/stories/model.py` judges those
//! of one SLO by a model of its own.

use std::fmt::Write as _;
use std::path::Path;

#[test]
fn every_story_ends_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let listed = |folder: &Path| std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry"));
    // Those of several SLOs are in a folder of their own: the model knows one.
    let mut paths: Vec<_> =
        listed(&folder).chain(listed(&folder.join("composites"))).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "yaml"));
    paths.sort();
    assert!(paths.len() >= 40, "{} stories", paths.len());
    let (mut wrong, mut failed) = (String::new(), 0);
    for path in &paths {
        let text = std::fs::read_to_string(path).expect("a story");
        let open = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
        let problems = bailiwick_slo::story::run(&text, open);
        failed += usize::from(!problems.is_empty());
        for problem in problems {
            let _ = writeln!(wrong, "{}:{}: {}", path.display(), problem.line, problem.message);
        }
    }
    assert!(wrong.is_empty(), "{failed} of {} stories do not hold:\n{wrong}", paths.len());
}
