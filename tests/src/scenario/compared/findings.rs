//! Expected findings against those that are kept: each stated one must fit one of its own, and none may be left.

use bailiwick_collector::aggregator::snapshot::Finding as Found;
use serde_saphyr::Spanned;

use crate::scenario::written::expectation::Finding;

/// Findings that are missing (with the line that wants them) and findings that nobody wants.
pub(in crate::scenario) fn compare(stated: &[Spanned<Finding>], found: &[Found]) -> (Vec<(u64, String)>, Vec<String>) {
    let mut left: Vec<&Found> = found.iter().collect();
    let mut missing = Vec::new();
    for finding in stated {
        match left.iter().position(|found| fits(&finding.value, found)) {
            Some(place) => drop(left.remove(place)),
            None => missing.push((finding.referenced.line(), wanted(&finding.value))),
        }
    }
    (missing, left.into_iter().map(described).collect())
}

fn fits(stated: &Finding, found: &Found) -> bool {
    let is = |stated: &Option<String>, found: &str| stated.as_deref().is_none_or(|stated| stated == found);
    stated.rules.iter().map(String::as_str).eq(found.rules.iter().map(|rule| rule.name()))
        && is(&stated.verdict, found.certainty.name())
        && is(&stated.severity, found.severity.name())
        && is(&stated.parent, &found.parent_module)
        && is(&stated.module, &found.child_module)
        && is(&stated.operation, &found.operation)
        && is(&stated.expected, &found.expected)
        && is(&stated.observed, &found.observed)
        && stated.count.is_none_or(|count| count == found.count)
}

fn wanted(finding: &Finding) -> String {
    let parts = [
        ("verdict", &finding.verdict),
        ("severity", &finding.severity),
        ("parent", &finding.parent),
        ("module", &finding.module),
        ("operation", &finding.operation),
        ("expected", &finding.expected),
        ("observed", &finding.observed),
    ];
    let stated = parts.iter().filter_map(|(name, value)| Some(format!(" {name}={}", value.as_ref()?)));
    let count = finding.count.map_or_else(String::new, |count| format!(" count={count}"));
    format!("{}{}{count}", finding.rules.join("+"), stated.collect::<String>())
}

fn described(found: &Found) -> String {
    let rules: Vec<&str> = found.rules.iter().map(|rule| rule.name()).collect();
    format!(
        "{} verdict={} severity={} parent={} module={} operation={} expected={} observed={} count={}",
        rules.join("+"),
        found.certainty.name(),
        found.severity.name(),
        found.parent_module,
        found.child_module,
        found.operation,
        found.expected,
        found.observed,
        found.count
    )
}
