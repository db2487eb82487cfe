//! All scenarios of a file, played and compared.

use std::fmt;

use super::compared::{figures, findings, laws};
use super::played::play::{Life, Seen, play};
use super::written::expectation::Expect;
use super::written::moment::Moment;
use super::written::story::{Collection, Scenario};

/// One thing that is not as a scenario says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Line of the file.
    pub line: u64,
    /// The scenario's name; empty: the file cannot be read.
    pub scenario: String,
    /// When it was looked at, and what was compared.
    pub what: String,
    /// What the scenario says.
    pub expected: String,
    /// What there was.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, scenario, what, expected, found } = self;
        write!(f, "{line}: \"{scenario}\": {what}: expected {expected}, found {found}")
    }
}

/// What a file holds and what is not as it says.
#[derive(Debug, Default)]
pub struct Judged {
    /// Names of the scenarios.
    pub names: Vec<String>,
    /// Rows of the page that they say they prove.
    pub rules: Vec<String>,
    /// In the order of the file.
    pub differences: Vec<Difference>,
}

/// Plays all scenarios of a text, each in one life and once more in as many as it has ticks.
#[must_use]
pub fn judge(text: &str) -> Judged {
    let mut judged = Judged::default();
    let collection: Collection = match serde_saphyr::from_str(text) {
        Ok(collection) => collection,
        Err(error) => {
            let line = error.location().map_or(0, |location| location.line());
            let found = error.to_string();
            let [scenario, what] = [String::new(), "the file".to_owned()];
            judged.differences.push(Difference { line, scenario, what, expected: "scenarios".to_owned(), found });
            return judged;
        }
    };
    for scenario in &collection.scenarios {
        let line = scenario.referenced.line();
        let scenario = &scenario.value;
        judged.names.push(scenario.name.clone());
        judged.rules.extend(scenario.rule.iter().cloned());
        let differences = judge_one(scenario, line, Life::Whole);
        // What is wrong already need not be told twice.
        let differences = if differences.is_empty() { judge_one(scenario, line, Life::Restored) } else { differences };
        judged.differences.extend(differences);
    }
    judged
}

fn judge_one(scenario: &Scenario, line: u64, life: Life) -> Vec<Difference> {
    let seen = match play(scenario, life) {
        Ok(seen) => seen,
        Err(error) => {
            let what = format!("the story ({life:?})");
            let expected = "that it can be played".to_owned();
            let found = format!("{error:#}");
            return vec![Difference { line, scenario: scenario.name.clone(), what, expected, found }];
        }
    };
    let early = scenario.looks.iter().map(|look| &look.value.expect);
    let expectations = early.chain([&scenario.expect]);
    let mut differences = Vec::new();
    for (expect, (at, seen)) in expectations.zip(&seen) {
        let is_last = std::ptr::eq(expect, &scenario.expect);
        let found = compare(&expect.value, seen, (expect.referenced.line(), is_last));
        differences.extend(found.into_iter().map(|found| named(found, scenario, (*at, life))));
    }
    differences
}

fn named(found: Difference, scenario: &Scenario, (at, life): (Moment, Life)) -> Difference {
    let restored = if life == Life::Restored { ", restored at every tick" } else { "" };
    Difference { scenario: scenario.name.clone(), what: format!("at {at}{restored}, {}", found.what), ..found }
}

fn compare(expect: &Expect, seen: &Seen, (line, is_last): (u64, bool)) -> Vec<Difference> {
    let nothing = || "nothing".to_owned();
    let difference = |line, what: &str, expected: String, found: String| Difference {
        line,
        scenario: String::new(),
        what: what.to_owned(),
        expected,
        found,
    };
    let mut differences = Vec::new();
    for facts in figures::facts(expect, seen) {
        for (what, (line, expected)) in &facts.expected {
            let found = facts.found.get(what).cloned().unwrap_or_else(nothing);
            if found != *expected {
                differences.push(difference(*line, what, expected.clone(), found));
            }
        }
        let line = if facts.line == 0 { line } else { facts.line };
        for (what, found) in facts.found.iter().filter(|(what, _)| !facts.expected.contains_key(*what)) {
            differences.push(difference(line, what, nothing(), found.clone()));
        }
    }
    let (missing, unwanted) = findings::compare(&expect.findings, seen.snapshot.findings());
    differences.extend(missing.into_iter().map(|(line, wanted)| difference(line, "finding", wanted, nothing())));
    differences.extend(unwanted.into_iter().map(|found| difference(line, "finding", nothing(), found)));
    let laws = laws::broken(&seen.snapshot, is_last);
    differences.extend(laws.into_iter().map(|broken| difference(line, "law", "that it holds".to_owned(), broken)));
    differences.sort_by_key(|difference| difference.line);
    differences
}
