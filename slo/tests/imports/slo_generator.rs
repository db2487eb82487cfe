//! slo-generator: steps of its error budget policy as tiers.

use super::super::{DAY, Options, Tool, import, is_same, read_back, slo, threshold, tiers, told, written};
use bailiwick_slo::document::Code;
use bailiwick_slo::spec::Sli;

const API: &str = include_str!("../import/slo_generator_api.yaml");
const SHARED: &str = include_str!("../import/slo_generator_shared.yaml");

#[test]
fn steps_are_tiers_of_one_window() {
    let windows = [("shared.yaml", SHARED)];
    let made = import(Tool::SloGenerator, &[("api.yaml", API)], &Options { windows: &windows, ..Options::default() });
    assert!(made.is_valid(), "{:#?}", made.findings);
    let slos = read_back(&made);
    let one = slo(&slos, "api-availability");
    // `alert: true` is urgent.
    assert_eq!(written(one), ["page/1h gt 9 0s", "page/12h gt 3 0s", "ticket/7d gt 1.5 0s", "ticket/28d gt 1 0s"]);
    assert_eq!((one.service.as_str(), one.draft.terms.period.nominal_seconds()), ("api", 28 * DAY));
    assert_eq!(one.sli, Sli::Foreign("prometheus".to_owned()));
    // `eb_value / (1 - goal) > burn_rate_threshold`: 9, 3, 1.5 and 1 times 0.001.
    let thresholds = [(9, 1_000), (3, 1_000), (15, 10_000), (1, 1_000)];
    for (tier, theirs) in tiers(one).iter().zip(thresholds) {
        assert!(is_same(threshold(one, tier), theirs), "{}", tier.name());
    }
    let other = slo(&slos, "queue-age");
    assert_eq!(written(other), ["page/1d gt 4 0s", "ticket/2d gt 2 0s"]);
    assert_eq!((other.service.as_str(), other.draft.terms.period.nominal_seconds()), ("queue-age", 2 * DAY));
}

#[test]
fn what_is_not_taken_over_is_told() {
    let made = import(Tool::SloGenerator, &[("api.yaml", API), ("shared.yaml", SHARED)], &Options::default());
    let mut lines = told(&made.findings);
    lines.retain(|line| line.starts_with("SLO004") || line.starts_with("SLO017"));
    assert_eq!(
        lines,
        [
            "SLO017 note api.yaml:4:9 metadata.name",
            "SLO004 note api.yaml:10:3 spec.exporters",
            "SLO017 note api.yaml:18:18 metadata.name",
            "SLO004 note shared.yaml:1:1 default_exporters",
            "SLO004 note shared.yaml:2:1 backends",
            "SLO004 note shared.yaml:7:9 error_budget_policies.default.steps[0].name",
            "SLO004 note shared.yaml:10:9 error_budget_policies.default.steps[0].message_alert",
            "SLO004 note shared.yaml:11:9 error_budget_policies.default.steps[0].message_ok",
            "SLO004 note shared.yaml:13:10 error_budget_policies.default.steps[1].name",
            "SLO004 note shared.yaml:14:10 error_budget_policies.default.steps[2].name",
            "SLO004 note shared.yaml:15:10 error_budget_policies.default.steps[3].name",
            "SLO004 note shared.yaml:18:10 error_budget_policies.short.steps[0].name",
            "SLO004 note shared.yaml:19:10 error_budget_policies.short.steps[1].name",
        ]
    );
}

#[test]
fn a_policy_that_is_not_there_is_told() {
    let alone = import(Tool::SloGenerator, &[("api.yaml", API)], &Options::default());
    let mut lines = told(&alone.findings);
    lines.retain(|line| line.starts_with("SLO008"));
    // One names a policy, the other would have the usual one.
    assert_eq!(lines, ["SLO008 note api.yaml:6:1 spec", "SLO008 error api.yaml:23:24 spec.error_budget_policy"]);
    let misspelt = SHARED.replace("short:", "shorter:");
    let made = import(Tool::SloGenerator, &[("api.yaml", API), ("shared.yaml", &misspelt)], &Options::default());
    let finding = made.findings.iter().find(|finding| finding.code == Code::Unresolved).expect("it is told");
    assert_eq!(finding.help, "did you mean `shorter`?");
    let old = "service_name: api\nfeature_name: orders\nslo_name: availability\nslo_target: 0.99\n";
    let made = import(Tool::SloGenerator, &[("old.yaml", old)], &Options::default());
    assert_eq!((made.findings[0].code, made.documents.len()), (Code::Kind, 0));
    assert!(made.findings[0].help.contains("slo-generator migrate"));
}
