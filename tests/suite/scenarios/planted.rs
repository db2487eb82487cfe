//! The runner itself: what is wrong in a scenario is told with its line, and nothing is passed over.

use bailiwick_tests::scenario::{Difference, judge};

/// One request of `acme` that succeeded, with a place for expectations.
fn story(expect: &str) -> Vec<Difference> {
    let story = "\
scenarios:
  - name: One request
    rule: [E1]
    traces:
      - spans:
          - {span: chat, kind: server, route: GET /chat, code: 200}
    expect:
";
    judge(&format!("{story}{expect}")).differences
}

const SERIES: &str = "      series:
        - {module: app, operation: GET /chat, type: server, success: 1}
";

fn told(expect: &str) -> Vec<String> {
    story(expect).iter().map(ToString::to_string).collect()
}

/// Scenario: a true expectation.
/// Guarantee: it passes.
#[test]
fn what_is_as_written_passes() {
    let books = "      books: {acme: {received: 1, accepted: 1}}\n";
    assert_eq!(told(&format!("{SERIES}{books}")), Vec::<String>::new());
}

/// Scenario: a count that is too high.
/// Guarantee: line, scenario, moment, expectation and figure are told.
#[test]
fn a_wrong_count_is_told_with_its_line() {
    let told = told(&SERIES.replace("success: 1", "success: 2, spans: 1"));
    let wanted = "9: \"One request\": at 181s, acme | app | GET /chat | server: success: expected 2, found 1";
    assert_eq!(told, [wanted]);
}

/// Scenario: a request that no expectation speaks of.
/// Guarantee: it is told, as a series that is missing is.
#[test]
fn what_is_not_written_must_not_be() {
    let other = told(&SERIES.replace("GET /chat", "GET /other"));
    let wanted = [
        "8: \"One request\": at 181s, acme | app | GET /chat | server: spans: expected nothing, found 1",
        "8: \"One request\": at 181s, acme | app | GET /chat | server: success: expected nothing, found 1",
        "9: \"One request\": at 181s, acme | app | GET /other | server: spans: expected 1, found nothing",
        "9: \"One request\": at 181s, acme | app | GET /other | server: success: expected 1, found nothing",
    ];
    assert_eq!(other, wanted);
}

/// Scenario: a wrong expectation of each other kind beside the true series.
/// Guarantee: each is told once.
#[test]
fn each_kind_of_expectation_can_fail() {
    let wrong = [
        "nested: {app: 1}",
        "uncertain: {app: 1}",
        "unjudged: {app: 1}",
        "gaps: {app: {server_missing: 1}}",
        "gaps_counted: {app: {server_missing: 1}}",
        "corrections: {app: {any: 1}}",
        "clock_anomalies: {acme: 1}",
        "findings: [{rules: [L1]}]",
        "coverage: [{module: app, figures: {multi_root: 7}}]",
        "coverage: [{figures: {C99: 1/1}}]",
        "settled: {broken: 1, connected: 1}",
        "edges: [{from: app, to: nowhere, requests: 1}]",
        "books: {acme: {received: 1, accepted: 1, duplicates: 1}}",
        "sources: {app: {resource: 1, span: 1}}",
        "hops_checked: {app: 1}",
        "hops_unverifiable: {any: 1}",
        "warnings: {clock_anomaly: 1}",
    ];
    for line in wrong {
        let told = told(&format!("{SERIES}      {line}\n"));
        assert_eq!(told.len(), 1, "{line}: {told:#?}");
        assert!(told[0].starts_with("10: "), "{line}: {told:#?}");
    }
}

/// Scenario: a key that does not exist, a span that does not exist, a setting that does not exist.
/// Guarantee: none of them is passed over.
#[test]
fn a_slip_of_the_pen_is_told() {
    let unknown = told(&format!("{SERIES}      sereis: []\n"));
    assert!(unknown.len() == 1 && unknown[0].contains("sereis"), "{unknown:#?}");
    for (key, word) in [
        ("sends: [{at: 1s, spans: [nobody]}]", "nobody"),
        ("config: {nonsense: 1}", "nonsense"),
        ("looks: [{at: 300s, expect: {}}]", "order of time"),
    ] {
        let told = told(&format!("{SERIES}    {key}\n"));
        assert!(told.len() == 1 && told[0].contains(word), "{told:#?}");
    }
}

/// Scenario: an expectation of an early moment that is wrong.
/// Guarantee: it is compared then.
#[test]
fn an_early_look_is_compared() {
    let look =
        "    looks: [{at: 2s, expect: {series: [{module: app, operation: GET /chat, type: server, failure: 1}]}}]\n";
    let told = told(&format!("{SERIES}{look}"));
    assert!(told.iter().any(|line| line.contains("at 2s") && line.contains("failure")), "{told:#?}");
}
