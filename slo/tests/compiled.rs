//! What documents come to mean, with every number worked out by hand.

use bailiwick_slo::document::{Code, Context, Loaded, load};
use bailiwick_slo::exact::{Decimal, Fraction};
use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::spec::{
    Amount, Compared, EmptySlice, Expect, Glob, Method, Op, Period, Rate, Severity, Sli, TierSource, TimeSpan,
    Weighting,
};

const EVERYTHING: &str = include_str!("compiled/everything.yaml");

fn loaded(text: &str) -> Loaded {
    load(&[("test.yaml", text)], &Context::default())
}

/// A valid document, with these lines at the end of its `spec`.
fn document(name: &str, objectives: &str, extension: &str) -> String {
    format!(
        "apiVersion: bailiwick/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: rag_hub\n  budgetingMethod: \
         Occurrences\n  timeWindow: [{{duration: 30d, isRolling: true}}]\n  objectives: [{objectives}]\n  bailiwick: \
         {{{extension}}}\n"
    )
}

fn codes(loaded: &Loaded) -> Vec<Code> {
    loaded.findings.iter().map(|finding| finding.code).collect()
}

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

#[test]
fn everything_of_the_extension_compiles_to_what_is_written() {
    let loaded = loaded(EVERYTHING);
    assert_eq!(codes(&loaded), [Code::Hold], "{:#?}", loaded.findings);
    let slo = &loaded.slos[0];
    assert_eq!((slo.id.as_str(), slo.service.as_str(), slo.instances_max), ("rag-availability", "rag_hub", 500));
    assert_eq!(slo.labels.get("team").map(String::as_str), Some("red,blue"));
    let selector = &slo.selector;
    assert!(
        selector.tenant.matches("acme") && !selector.tenant.matches("trial-1") && !selector.tenant.matches("_unknown")
    );
    assert!(
        selector.module.matches("content_ops")
            && selector.module.matches("rag_hub")
            && !selector.module.matches("chat")
    );
    assert_eq!(selector.operation.single(), Some("POST /rag/query"));
    assert!(selector.group_by.tenant && !selector.group_by.module);
    let good = vec![Outcome::Success, Outcome::Cancelled];
    let total = vec![Outcome::Success, Outcome::Failure, Outcome::Cancelled];
    assert_eq!(slo.sli, Sli::Outcome { good, total });

    let terms = slo.terms_of("globex", "rag_hub");
    assert_eq!((terms.target.beta(), terms.enabled), (100_000, true));
    assert_eq!(terms.period, Period::Rolling(TimeSpan(2_419_200)));
    let names: Vec<_> = terms.alerts.tiers.iter().map(|tier| (tier.name(), tier.factor, tier.op)).collect();
    // 2 % of 28 d in 1 h: 0.02 x 672 = 13.44.
    let page = ("page/1h/5m".to_owned(), Fraction::new(1_344, 100), Op::Gte);
    assert_eq!(names, [page, ("ticket/1d/2h".to_owned(), Fraction::new(28, 10), Op::Gt)]);
    assert_eq!((terms.alerts.hold_down, terms.alerts.repeat_every), (TimeSpan(180), TimeSpan(7_200)));
    assert_eq!(terms.alerts.receivers.as_deref(), Some(&["oncall".to_owned(), "desk".to_owned()][..]));
    assert_eq!(terms.alerts.runbook.as_deref(), Some("https://example.org/rag"));
    assert_eq!((terms.low_traffic.alpha, terms.low_traffic.apply_below), (decimal("0.005"), 40));
    assert_eq!(terms.low_traffic.weighting, Weighting::Volume);
    let no_data = &terms.no_data;
    assert_eq!(
        (no_data.expect, no_data.empty_slice, no_data.severity),
        (Expect::Traffic, EmptySlice::Bad, Severity::Page)
    );
    assert_eq!((no_data.after, no_data.alert_after, no_data.floor), (TimeSpan(600), TimeSpan(1_200), decimal("0.855")));
    assert_eq!((terms.forecast.window, terms.forecast.warn_before), (TimeSpan(43_200), Some(TimeSpan(259_200))));
    assert_eq!(terms.forecast.severity, Severity::Ticket);
    let policy: Vec<_> = terms.policy.iter().map(|step| (step.name.as_str(), step.below, step.severity)).collect();
    assert_eq!(policy, [("slow-down", decimal("0.25"), Severity::Notice), ("freeze", decimal("0"), Severity::Ticket)]);
    assert_eq!((terms.activate_events, terms.ttl), (100, TimeSpan(1_209_600)));
}

#[test]
fn overrides_win_key_by_key() {
    let slo = &loaded(EVERYTHING).slos[0];
    let acme = slo.terms_of("acme", "rag_hub");
    assert_eq!((acme.target.beta(), acme.period.nominal_seconds()), (50_000, 604_800));
    assert_eq!(acme.alerts.receivers.as_deref(), Some(&["acme".to_owned()][..]));
    // 2 % of 7 d in 1 h: 0.02 x 168 = 3.36; what is written as a factor stays.
    let factors: Vec<_> = acme.alerts.tiers.iter().map(|tier| tier.factor).collect();
    assert_eq!(factors, [Fraction::new(336, 100), Fraction::new(28, 10)]);
    assert_eq!(acme.forecast.warn_before, None);
    assert!(!slo.terms_of("beta-1", "rag_hub").enabled && slo.terms_of("acme", "rag_hub").enabled);
    let sets: Vec<_> = slo.overrides[0].sets.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(sets, ["targetPercent", "timeWindow", "alerts.receivers", "forecast.warnBefore"]);
}

#[test]
fn several_objectives_are_several_slos() {
    let text = document(
        "rag",
        "{displayName: Most of them, target: 0.99}, {targetPercent: 99.9}",
        "sli: {kind: latency, threshold: 1200ms, failures: slow}",
    );
    let loaded = loaded(&text);
    assert!(loaded.is_valid(), "{:#?}", loaded.findings);
    let ids: Vec<_> = loaded.slos.iter().map(|slo| slo.id.as_str()).collect();
    assert_eq!(ids, ["rag:most-of-them", "rag:1"]);
    assert_eq!(loaded.slos[0].sli, Sli::Latency { threshold_ns: 1_200_000_000, failures_are_slow: true });
    assert_eq!(loaded.slos[1].method, Method::Occurrences);
}

#[test]
fn objectives_with_indicators_of_their_own_make_a_composite_too() {
    let text = include_str!("compiled/composite.yaml");
    let loaded = loaded(text);
    assert_eq!(codes(&loaded), [Code::NotRules], "{:#?}", loaded.findings);
    let ids: Vec<_> = loaded.slos.iter().map(|slo| slo.id.as_str()).collect();
    assert_eq!(ids, ["rag:answers", "rag:in-time", "rag"]);
    let Sli::Composite(components) = &loaded.slos[2].sli else { panic!("a composite") };
    let parts: Vec<_> = components.iter().map(|part| (part.slo.as_str(), part.weight)).collect();
    assert_eq!(parts, [("rag:answers", decimal("0.7")), ("rag:in-time", decimal("0.3"))]);
    assert_eq!(loaded.slos[2].draft.terms.target.ratio(), decimal("0.95"));
}

#[test]
fn a_gauge_under_a_threshold_metric_takes_its_comparison_from_the_objective() {
    let text = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: queue}\nspec:\n  service: rag_hub\n  budgetingMethod: Occurrences\n  \
                timeWindow: [{duration: 1Q, isRolling: true}]\n  objectives: [{op: lte, value: 12.50, target: 0.99}]\n  indicator:\n    \
                spec:\n      thresholdMetric: {metricSource: {metricSourceRef: here, spec: {kind: gauge, metric: depth, attributes: {queue: \"q-*\"}}}}\n";
    let source = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: here}\nspec: {type: Bailiwick}\n";
    let loaded = load(&[("slo.yaml", text), ("source.yaml", source)], &Context::default());
    assert!(loaded.findings.is_empty(), "{:#?}", loaded.findings);
    let metric = Amount { metric: "depth".to_owned(), attributes: vec![("queue".to_owned(), Glob::new("q-*"))] };
    assert_eq!(loaded.slos[0].sli, Sli::Gauge { metric, op: Compared::Lte, value: decimal("12.5") });
    assert_eq!(loaded.slos[0].draft.terms.period, Period::Rolling(TimeSpan(90 * 86_400)));
}

#[test]
fn policies_become_tiers_receivers_and_what_is_sent() {
    let slo = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: rag}\nspec:\n  service: rag_hub\n  budgetingMethod: Occurrences\n  \
               timeWindow: [{duration: 30d, isRolling: true}]\n  objectives: [{target: 0.999}]\n  bailiwick: {sli: {kind: availability}}\n  \
               alertPolicies: [fast, {alertPolicyRef: slow}]\n";
    let policies = include_str!("compiled/policies.yaml");
    let loaded = load(&[("slo.yaml", slo), ("policies.yaml", policies)], &Context::default());
    assert!(loaded.is_valid(), "{:#?}", loaded.findings);
    let TierSource::List(tiers) = &loaded.slos[0].draft.tiers else { panic!("tiers one by one") };
    let tiers: Vec<_> =
        tiers.iter().map(|tier| (tier.severity, tier.long, tier.short, tier.rate, tier.op, tier.hold)).collect();
    let factor = |text: &str| Rate::Factor(Fraction::of(decimal(text)).expect("not negative"));
    let fast = (Severity::Page, TimeSpan(3_600), None, factor("14.4"), Op::Gte, TimeSpan(0));
    assert_eq!(tiers, [fast, (Severity::Ticket, TimeSpan(86_400), None, factor("3"), Op::Gt, TimeSpan(600))]);
    let alerts = &loaded.slos[0].draft.terms.alerts;
    assert_eq!(alerts.receivers.as_deref(), Some(&["pager".to_owned(), "desk".to_owned()][..]));
    assert!(alerts.when.breaching && !alerts.when.resolved && alerts.when.no_data);
    // The same SLO alone, with and without its references.
    let alone = [("slo.yaml", slo)];
    assert_eq!(codes(&load(&alone, &Context::default())), [Code::Unresolved, Code::Unresolved]);
    let context = Context { ignores_references: true, receivers: Some(&["nobody"]), ..Context::default() };
    assert!(load(&alone, &context).is_valid());
}

#[test]
fn named_windows_are_a_preset() {
    let windows = "apiVersion: bailiwick/v1\nkind: AlertWindows\nmetadata: {name: calm}\nspec: {tiers: [{severity: ticket, long: 1d, short: 2h, consume: 10%}]}\n";
    let text = document("rag", "{target: 0.999}", "sli: {kind: availability}, alerts: {preset: calm}");
    let loaded = load(&[("a.yaml", &text), ("b.yaml", windows)], &Context::default());
    assert!(loaded.findings.is_empty(), "{:#?}", loaded.findings);
    assert_eq!(loaded.slos[0].terms_of("a", "b").alerts.tiers[0].factor, Fraction::new(3, 1));
}

#[test]
fn another_layout_is_the_same_revision_another_meaning_is_not() {
    let text = document("rag", "{target: 0.999}", "sli: {kind: availability}");
    let first = loaded(&text).slos.remove(0).revision;
    assert_eq!(first.len(), 8);
    let noted = text.replace("kind: SLO", "# a comment\nkind: \"SLO\"");
    let other = document("other", "{target: 0.9999}", "sli: {kind: availability}");
    assert_eq!(load(&[("o.yaml", &other), ("n.yaml", &noted)], &Context::default()).slos[1].revision, first);
    assert_ne!(loaded(&text.replace("0.999", "0.998")).slos[0].revision, first);
}

#[test]
fn the_fix_of_an_unreachable_tier_makes_it_reachable() {
    let tiers = "sli: {kind: availability}, alerts: {tiers: [{severity: page, long: 1h, short: 5m, factor: 30}]}";
    let text = document("rag", "{target: 0.965}", tiers);
    let finding = loaded(&text).findings.remove(0);
    let fix = finding.fix.clone().expect("it can be cured");
    // 0.8 / 0.035 = 22.857..., which consumes 22.85 / 720 = 3.174 % in an hour.
    assert_eq!(
        (finding.code, fix.path.as_str(), fix.value.as_str()),
        (Code::Unreachable, finding.path.as_str(), "22.85")
    );
    assert!(finding.help.contains("consumes 3.174 %"), "{}", finding.help);
    assert!(loaded(&text.replace("factor: 30", "factor: 22.85")).findings.is_empty());
}

#[test]
fn an_override_that_makes_a_tier_unreachable_is_told_with_tiers_that_are_not() {
    let tiers = "alerts: {tiers: [{severity: page, long: 1h, short: 5m, consume: 2%}, {severity: ticket, long: 3d, short: 6h, factor: 1}]}";
    let rule = "overrides: [{tenant: trial, targetPercent: 90}]";
    let text = document("rag", "{target: 0.999}", &format!("sli: {{kind: availability}}, {tiers}, {rule}"));
    let told = loaded(&text);
    let finding = &told.findings[0];
    assert_eq!((finding.code, finding.path.as_str()), (Code::Unreachable, "spec.bailiwick.overrides[0].targetPercent"));
    let fix = finding.fix.as_ref().expect("it can be cured");
    let value =
        "[{severity: page, long: 1h, short: 5m, factor: 8}, {severity: ticket, long: 3d, short: 6h, factor: 1}]";
    assert_eq!((fix.path.as_str(), fix.value.as_str()), ("spec.bailiwick.overrides[0].alerts.tiers", value));
    let cured = text.replace("targetPercent: 90}", &format!("targetPercent: 90, alerts: {{tiers: {value}}}}}"));
    assert!(loaded(&cured).findings.is_empty(), "{:#?}", loaded(&cured).findings);
}

#[test]
fn fixes_say_where_and_what() {
    let fix = |objective: &str| {
        let finding = loaded(&document("rag", objective, "sli: {kind: availability}")).findings.remove(0);
        let fix = finding.fix.expect("it can be cured");
        (fix.path, fix.value)
    };
    let of = |path: &str, value: &str| (format!("spec.objectives[0].{path}"), value.to_owned());
    assert_eq!(fix("{target: 99.9}"), of("targetPercent", "99.9"));
    assert_eq!(fix("{target: 1}"), of("target", "0.9999"));
    assert_eq!(fix("{targetPercent: 0.999}"), of("target", "0.999"));
}

#[test]
fn files_and_objects_have_a_maximum() {
    assert_eq!(codes(&loaded(&"#".repeat(1_048_577))), [Code::Syntax]);
    assert!(!codes(&loaded(&"#".repeat(1_048_576))).contains(&Code::Syntax));
    let many = "- {apiVersion: openslo/v1, kind: Service, metadata: {name: a}}\n".repeat(10_001);
    let told = loaded(&many).findings;
    assert!(told.iter().any(|finding| finding.code == Code::Syntax && finding.line == 10_001));
    let objectives = vec!["{target: 0.99}"; 101].join(", ");
    let told = loaded(&document("rag", &objectives, "sli: {kind: availability}"));
    assert_eq!((codes(&told), told.slos.len()), (vec![Code::Syntax], 100));
}
