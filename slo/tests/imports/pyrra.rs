//! Pyrra: windows, factors and the absent alert against its own arithmetic.

use proptest::prelude::*;

use super::super::{Tool, as_f64, fraction, imported, is_same, read_back, slo, threshold, tiers, told, written};
use bailiwick_slo::document::Code;
use bailiwick_slo::spec::{Severity, Sli, TimeSpan};

const SHOP: &str = include_str!("../import/pyrra_shop.yaml");
const UNREACHABLE: &str = include_str!("../import/pyrra_unreachable.yaml");

const MINUTE_NS: u64 = 60_000_000_000;

/// Go's `Duration.Round`: half away from zero.
const fn round_to_minutes(nanoseconds: u64) -> u64 {
    (nanoseconds + MINUTE_NS / 2) / MINUTE_NS * 60
}

/// `Windows` of Pyrra's `slo/rules.go`: for, long and short in seconds, and the factor. Divisions are of whole
/// nanoseconds.
fn windows_of_pyrra(period: u64) -> [(u64, u64, u64, u64); 4] {
    let ns = period * 1_000_000_000;
    let of = |parts: [u64; 3], factor| {
        let [hold, long, short] = parts.map(|part| round_to_minutes(ns / part));
        (hold, long, short, factor)
    };
    [
        of([28 * 24 * (60 / 2), 28 * 24, 28 * 24 * (60 / 5)], 14),
        of([28 * 24 * (60 / 15), 28 * (24 / 6), 28 * 24 * (60 / 30)], 7),
        of([28 * 24, 28, 28 * (24 / 2)], 2),
        of([28 * (24 / 3), 7, 28 * (24 / 6)], 1),
    ]
}

/// `AbsentDuration` of Pyrra's `slo/slo.go`, in seconds; the target in thousandths of a per cent. Go cuts the seconds
/// that the long window takes.
fn absent_of_pyrra(period: u64, target: u64) -> u64 {
    let (hold, long, _, factor) = windows_of_pyrra(period)[0];
    let seconds = factor * long * (100_000 - target) / 100_000;
    round_to_minutes((seconds + hold) * 1_000_000_000)
}

fn document(target: u64, period: &str) -> String {
    let target = format!("{}.{:03}", target / 1_000, target % 1_000);
    format!(
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {{name: a}}\nspec: {{target: \"{target}\", \
         window: {period}, indicator: {{bool_gauge: {{metric: up}}}}}}\n"
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// From a week on: below, Pyrra rounds some windows to nothing.
    #[test]
    fn windows_and_thresholds_of_any_period_are_those_of_pyrra(target in 1_000..100_000_u64, hours in 168..8_760_u64) {
        let period = hours * 3_600;
        let made = imported(Tool::Pyrra, &document(target, &format!("{hours}h")));
        let slos = read_back(&made);
        let expected = windows_of_pyrra(period);
        let found = tiers(&slos[0]);
        prop_assert_eq!(found.len(), 4);
        for (tier, (hold, long, short, factor)) in found.iter().zip(expected) {
            let windows = (tier.hold, tier.long, tier.short);
            prop_assert_eq!(windows, (TimeSpan(hold), TimeSpan(long), Some(TimeSpan(short))));
            let theirs = (u128::from(factor * (100_000 - target)), 100_000);
            prop_assert!(is_same(threshold(&slos[0], tier), theirs));
            #[expect(clippy::cast_precision_loss, reason = "that is how Pyrra works it out")]
            let float = factor as f64 * (1.0 - target as f64 / 1_000.0 / 100.0);
            prop_assert!((as_f64(threshold(&slos[0], tier)) - float).abs() < 1e-12);
        }
        let no_data = &slos[0].draft.terms.no_data;
        prop_assert_eq!((no_data.alert_after, no_data.severity), (TimeSpan(absent_of_pyrra(period, target)), Severity::Page));
        let unreachable = made.findings.iter().filter(|finding| finding.code == Code::Unreachable).count();
        let never = expected.iter().filter(|(_, _, _, factor)| factor * (100_000 - target) >= 100_000).count();
        prop_assert_eq!(unreachable, never);
        prop_assert_eq!(made.findings.iter().filter(|finding| finding.severity.name() == "error").count(), never);
    }
}

#[test]
fn objectives_of_each_kind_are_taken_over() {
    let made = imported(Tool::Pyrra, SHOP);
    let slos = read_back(&made);
    assert!(slos.iter().all(|slo| slo.sli == Sli::Foreign("Prometheus".to_owned())));
    let month = ["page/1h/5m gt 14 2m", "page/6h/30m gt 7 15m", "ticket/1d/2h gt 2 1h", "ticket/4d/6h gt 1 3h"];
    let one = slo(&slos, "shop-errors");
    assert_eq!(written(one), month);
    assert_eq!((one.labels["prometheus"].as_str(), one.description.as_str()), ("k8s", "Few requests fail."));
    // 14 x 0.001 x 3600 s + 120 s = 170.4 s.
    assert_eq!(one.draft.terms.no_data.alert_after, TimeSpan(180));
    // 14 d / 672 = 30 min; 14 d / 8064 = 2.5 min; the third tier was made a page.
    let native = slo(&slos, "shop-native");
    let fortnight = ["page/30m/3m gt 14 1m", "page/3h/15m gt 7 8m", "page/12h/1h gt 2 30m", "ticket/2d/3h gt 1 90m"];
    assert_eq!(written(native), fortnight);
    // 14 x 0.05 x 1800 s + 60 s = 1320 s, as `info`.
    let no_data = &native.draft.terms.no_data;
    assert_eq!((no_data.alert_after, no_data.severity), (TimeSpan(1_320), Severity::Ticket));
    assert!(tiers(slo(&slos, "shop-up")).is_empty());
    assert_eq!(slo(&slos, "shop-latency").draft.terms.no_data.severity, Severity::Notice);
    assert_eq!(tiers(native)[1].factor, fraction(7, 1));
    let dropped: Vec<_> = told(&made.findings).into_iter().filter(|line| line.starts_with("SLO004")).collect();
    assert_eq!(
        dropped,
        [
            "SLO004 note source.yaml:5:3 metadata.namespace",
            "SLO004 note source.yaml:15:7 spec.indicator.ratio.grouping",
            "SLO004 note source.yaml:28:13 spec.alerting.absent",
            "SLO004 note source.yaml:29:5 spec.alerting.name",
            "SLO004 note source.yaml:42:62 spec.alerting.severities.absent",
        ]
    );
}

#[test]
fn a_tier_that_cannot_be_reached_is_told_and_kept() {
    let made = imported(Tool::Pyrra, UNREACHABLE);
    let finding = made.findings.iter().find(|finding| finding.code == Code::Unreachable).expect("it is told");
    assert_eq!((finding.line, finding.column, finding.path.as_str()), (6, 22, "metadata.name"));
    assert!(finding.message.contains("`spec.bailiwick.alerts.preset`"), "{}", finding.message);
    assert!(finding.help.contains("at `spec.bailiwick.alerts.tiers`"), "{}", finding.help);
    assert_eq!(tiers(&read_back(&made)[0])[0].factor, fraction(14, 1));
}

#[test]
fn what_pyrra_does_not_have_is_refused() {
    let text = SHOP
        .replace("\"99.9\"", "\"100\"")
        .replace("window: 30d", "window: 1M")
        .replace("  latency:\n", "  latencyy:\n");
    let errors = imported(Tool::Pyrra, &text).findings;
    let errors: Vec<_> = told(&errors).into_iter().filter(|line| line.contains("error")).collect();
    assert_eq!(
        errors,
        [
            "SLO010 error source.yaml:8:11 spec.target",
            "SLO014 error source.yaml:22:11 spec.window",
            "SLO023 error source.yaml:23:3 spec.indicator",
        ]
    );
}
