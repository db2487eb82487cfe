//! The map: whose requests, and what is good of what.

use super::super::{Options, Tool, import, read_back, slo, told};
use bailiwick_slo::document::Code;
use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::spec::Sli;

const CHECKOUT: &str = include_str!("../import/sloth_checkout.yaml");
const CLUSTER: &str = include_str!("../import/sloth_cluster.yaml");
const SHOP: &str = include_str!("../import/pyrra_shop.yaml");
const MAP: &str = include_str!("../import/map.yaml");

#[test]
fn a_map_makes_slos_of_other_systems_active() {
    let options = Options { map: Some(("map.yaml", MAP)), ..Options::default() };
    let made = import(Tool::Sloth, &[("checkout.yaml", CHECKOUT), ("cluster.yaml", CLUSTER)], &options);
    let slos = read_back(&made);
    let one = slo(&slos, "checkout-availability");
    assert_eq!(one.sli, Sli::Availability);
    assert!(one.selector.module.matches("checkout_api") && !one.selector.module.matches("checkout"));
    // By the name that it has in its own document; the module is its service.
    let one = slo(&slos, "checkout-latency");
    assert_eq!(one.sli, Sli::Latency { threshold_ns: 500_000_000, failures_are_slow: true });
    assert!(one.selector.module.matches("checkout"));
    let one = slo(&slos, "search-answers");
    assert_eq!(one.sli, Sli::Outcome { good: vec![Outcome::Success], total: vec![Outcome::Success, Outcome::Failure] });
    assert!(one.selector.module.matches("search_new") && !one.selector.module.matches("search_old"));
    let foreign = made.findings.iter().filter(|finding| finding.code == Code::Foreign).count();
    assert_eq!(foreign, 1, "the plugin");
    assert!(told(&made.findings).contains(&"SLO042 note map.yaml:4:1 shop-errors".to_owned()));
    // The module is the service where the source names none.
    let shop = read_back(&import(Tool::Pyrra, &[("shop.yaml", SHOP)], &options));
    assert_eq!(
        (slo(&shop, "shop-errors").service.as_str(), &slo(&shop, "shop-errors").sli),
        ("shop", &Sli::Availability)
    );
}

#[test]
fn a_map_of_openslo_outranks_the_extension() {
    let text = "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: rag\n  annotations: {bailiwick.dev/slo: \"{tenant: acme, \
                module: old}\", team: red}\nspec:\n  service: rag_hub\n  budgetingMethod: Occurrences\n  timeWindow: [{duration: \
                30d, isRolling: true}]\n  objectives: [{target: 0.999}]\n  indicator: {spec: {thresholdMetric: {metricSource: \
                {type: Any}}}}\n";
    let map = "rag: {module: rag_hub, sli: {kind: availability}}";
    let made =
        import(Tool::OpenSlo, &[("rag.yaml", text)], &Options { map: Some(("map.yaml", map)), ..Options::default() });
    let text = made.documents[0].to_yaml();
    assert!(text.contains("bailiwick: {tenant: acme, module: rag_hub, sli: {kind: availability}}"), "{text}");
    assert!(text.contains("annotations: {team: red}"), "{text}");
    assert!(made.findings.iter().all(|finding| finding.code != Code::Foreign));
}

#[test]
fn what_is_wrong_with_a_map_is_told_in_it() {
    let map = "checkout-availability:\n  modul: a\n  sli: {kind: availabilty}\nlatency: {module: []}\nfreshness: 3\n";
    let options = Options { map: Some(("map.yaml", map)), ..Options::default() };
    let made = import(Tool::Sloth, &[("checkout.yaml", CHECKOUT)], &options);
    let mut lines = told(&made.findings);
    lines.retain(|line| line.contains("map.yaml"));
    assert_eq!(
        lines,
        [
            "SLO005 error map.yaml:2:3 checkout-availability.modul",
            "SLO005 error map.yaml:3:15 checkout-availability.sli.kind",
            "SLO003 error map.yaml:4:1 latency",
            "SLO001 error map.yaml:4:19 latency.module",
            "SLO001 error map.yaml:5:12 freshness",
        ]
    );
    let map = "shop-errors: {sli: {kind: availability}}";
    let made =
        import(Tool::Pyrra, &[("shop.yaml", SHOP)], &Options { map: Some(("map.yaml", map)), ..Options::default() });
    assert!(told(&made.findings).contains(&"SLO003 warning map.yaml:1:1 shop-errors".to_owned()));
}
