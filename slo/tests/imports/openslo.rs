//! OpenSLO in every version: the same meaning before and after.

use std::fs;
use std::path::Path;

use super::super::{Context, Options, Slo, Tool, import, load, read_back, told, write};
use bailiwick_slo::document::Code;
use bailiwick_slo::spec::{Severity, Sli};

fn files(folder: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("a text")))
        .collect();
    files.sort();
    files
}

/// Everything but the revision, which is that of a text, and the lines of overrides.
fn meaning(slos: &[Slo]) -> Vec<Slo> {
    let mut slos = slos.to_vec();
    for slo in &mut slos {
        slo.revision.clear();
        slo.overrides.iter_mut().flat_map(|rule| &mut rule.sets).for_each(|(_, line)| *line = 0);
    }
    slos
}

#[test]
fn every_document_means_the_same_before_and_after() {
    let mut count = 0;
    for folder in ["openslo", "compiled", "lint", "../catalog"] {
        for (name, text) in files(folder) {
            let source = load(&[(&name, &text)], &Context::default());
            let made = import(Tool::OpenSlo, &[(&name, &text)], &Options::default());
            let text = write(&made.documents);
            let after = load(&[("written.yaml", &text)], &Context::default());
            assert_eq!(meaning(&after.slos), meaning(&source.slos), "{name}\n{text}");
            assert_eq!(made.is_valid(), source.is_valid(), "{name}: {:#?}\n{:#?}", made.findings, source.findings);
            // What is valid stays so, and imports to itself.
            if source.is_valid() {
                assert!(after.is_valid(), "{name}\n{text}\n{:#?}", after.findings);
                let again = import(Tool::OpenSlo, &[("written.yaml", &text)], &Options::default());
                assert_eq!(write(&again.documents), text, "{name}");
            }
            count += source.slos.len();
        }
    }
    assert!(count > 100, "{count} SLOs");
}

#[test]
fn what_an_slo_refers_to_is_written_into_it() {
    let sources = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: metrics}\nspec: {type: Prometheus, \
                   connectionDetails: {token: secret}}\n---\napiVersion: openslo/v1\nkind: SLI\nmetadata: {name: ratio}\nspec:\n  \
                   ratioMetric:\n    counter: true\n    good: {metricSource: {metricSourceRef: metrics, spec: {query: good}}}\n    \
                   total: {metricSource: {metricSourceRef: metrics, spec: {query: all}}}\n";
    let slo = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: rag}\nspec:\n  service: rag_hub\n  indicatorRef: ratio\n  \
               budgetingMethod: Occurrences\n  timeWindow: [{duration: 30d, isRolling: true}]\n  objectives: [{target: 0.999}]\n  \
               alertPolicies: [fast, {alertPolicyRef: slow}]\n";
    let files =
        [("slo.yaml", slo), ("sources.yaml", sources), ("policies.yaml", include_str!("../compiled/policies.yaml"))];
    let made = import(Tool::OpenSlo, &files, &Options::default());
    let before = load(&files, &Context::default());
    let slos = read_back(&made);
    assert_eq!(meaning(&slos), meaning(&before.slos));
    assert_eq!(slos[0].sli, Sli::Foreign("Prometheus".to_owned()));
    assert_eq!(slos[0].terms_of("a", "b").alerts.tiers[0].severity, Severity::Page);
    let text = write(&made.documents);
    assert!(!text.contains("secret") && !text.contains("Ref:"), "{text}");
    // Each of the others is told of.
    let dropped = told(&made.findings).into_iter().filter(|line| line.starts_with("SLO004 note")).count();
    assert_eq!(dropped, 2 + include_str!("../compiled/policies.yaml").matches("apiVersion").count());
}

#[test]
fn an_alpha_document_is_spelled_as_v1() {
    let text = "apiVersion: openslo.com/v2alpha\nkind: SLO\nmetadata: {name: web}\nspec:\n  service: web\n  sli:\n    metadata: \
                {name: ratio}\n    spec:\n      ratioMetric:\n        counter: true\n        good: {dataSourceSpec: {type: \
                datadog, connectionDetails: {key: secret}}, spec: {query: good}}\n        total: {dataSourceSpec: {type: \
                datadog}, spec: {query: all}}\n  budgetingMethod: Occurrences\n  timeWindow: [{duration: 4w, isRolling: true}]\n  \
                objectives: [{target: 0.99}]\n";
    let made = import(Tool::OpenSlo, &[("web.yaml", text)], &Options::default());
    let expected = "apiVersion: bailiwick/v1\nkind: SLO\nmetadata: {name: web}\nspec:\n  service: web\n  indicator:\n    \
                    metadata: {name: ratio}\n    spec:\n      ratioMetric:\n        counter: true\n        good:\n          \
                    metricSource: {type: datadog, spec: {query: good}}\n        total:\n          metricSource: {type: datadog, \
                    spec: {query: all}}\n  budgetingMethod: Occurrences\n  timeWindow: [{duration: 4w, isRolling: true}]\n  \
                    objectives: [{target: 0.99}]\n";
    assert_eq!(write(&made.documents), expected);
    let stray = made.findings.iter().find(|finding| finding.code == Code::UnknownKey).expect("it is told");
    assert!(stray.path.ends_with("good.dataSourceSpec.connectionDetails"), "{}", stray.path);
}
