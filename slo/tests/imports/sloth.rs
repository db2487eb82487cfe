//! Sloth: thresholds against `getBurnRateFactor`, faults at their places.

use proptest::prelude::*;

use super::super::{DAY, as_f64, import, imported, is_same, read_back, slo, threshold, tiers, told, written};
use super::super::{Options, Tool};
use bailiwick_slo::document::Code;
use bailiwick_slo::spec::{Sli, Slo, Tier, TimeSpan};

const CHECKOUT: &str = include_str!("../import/sloth_checkout.yaml");
const CLUSTER: &str = include_str!("../import/sloth_cluster.yaml");
const WEEK: &str = include_str!("../import/sloth_week.yaml");
const FAULTS: &str = include_str!("../import/sloth_faults.yaml");

/// A pair of windows of sloth: thousandths of a per cent of the budget, long and short window in seconds.
type Pair = (u64, u64, u64);

/// `errorBudgetPercent x sloPeriod / 100 / longWindow x (100 - objective) / 100`, as sloth's `getBurnRateFactor` and
/// its alerts have it; the objective in thousandths of a per cent.
fn threshold_of_sloth((percent, long, _): Pair, period: u64, objective: u64) -> (u128, u128) {
    let above = u128::from(percent) * u128::from(period) * u128::from(100_000 - objective);
    (above, 1_000 * 100 * u128::from(long) * 100 * 1_000)
}

/// The same in floats, as sloth works it out.
#[expect(clippy::cast_precision_loss, reason = "that is what is compared")]
fn float_of_sloth((percent, long, _): Pair, period: u64, objective: u64) -> f64 {
    let hours = |seconds: u64| seconds as f64 / 3_600.0;
    let required = percent as f64 / 1_000.0 * hours(period) / 100.0;
    let factor = required / hours(long);
    factor * ((100.0 - objective as f64 / 1_000.0) / 100.0)
}

fn check(slo: &Slo, found: &[Tier], pairs: &[Pair], period: u64, objective: u64) {
    assert_eq!(found.len(), pairs.len(), "{}", slo.id);
    for (tier, pair) in found.iter().zip(pairs) {
        let (ours, theirs) = (threshold(slo, tier), threshold_of_sloth(*pair, period, objective));
        assert!(is_same(ours, theirs), "{} {}: {ours:?} {theirs:?}", slo.id, tier.name());
        assert!((as_f64(ours) - float_of_sloth(*pair, period, objective)).abs() < 1e-12, "{}", tier.name());
        assert_eq!((tier.long, tier.short, tier.hold), (TimeSpan(pair.1), Some(TimeSpan(pair.2)), TimeSpan(0)));
    }
}

/// `internal/alert/windows/google-30d.yaml` and `google-28d.yaml`.
const GOOGLE: [Pair; 4] =
    [(2_000, 3_600, 300), (5_000, 21_600, 1_800), (10_000, DAY, 7_200), (10_000, 3 * DAY, 21_600)];

#[test]
fn without_windows_the_thresholds_are_those_of_sloths_own() {
    for (period, days) in [(None, 30), (Some(TimeSpan(30 * DAY)), 30), (Some(TimeSpan(28 * DAY)), 28)] {
        let files = [("checkout.yaml", CHECKOUT), ("cluster.yaml", CLUSTER)];
        let made = import(Tool::Sloth, &files, &Options { period, ..Options::default() });
        let slos = read_back(&made);
        let of = |id: &str| (slo(&slos, id), tiers(slo(&slos, id)));
        let (one, found) = of("checkout-availability");
        check(one, &found, &GOOGLE, days * DAY, 99_900);
        // A severity that is disabled is left out.
        let (one, found) = of("checkout-latency");
        check(one, &found, &GOOGLE[..2], days * DAY, 99_000);
        let (one, found) = of("search-answers");
        check(one, &found, &GOOGLE[2..], days * DAY, 99_950);
        assert!(of("checkout-freshness").1.is_empty());
        assert_eq!(slos[0].draft.terms.period.nominal_seconds(), days * DAY);
    }
}

#[test]
fn a_catalogue_of_windows_replaces_sloths_own() {
    let windows = [("week.yaml", WEEK)];
    let made =
        import(Tool::Sloth, &[("checkout.yaml", CHECKOUT)], &Options { windows: &windows, ..Options::default() });
    assert!(made.is_valid(), "{:#?}", made.findings);
    assert_eq!((made.documents[0].kind(), made.documents[0].name()), ("AlertWindows", "sloth-7d"));
    let slos = read_back(&made);
    let week = [(8_000, 3_600, 300), (12_500, 21_600, 1_800), (20_000, DAY, 7_200), (42_000, 3 * DAY, 21_600)];
    let one = slo(&slos, "checkout-availability");
    check(one, &tiers(one), &week, 7 * DAY, 99_900);
    // The row of 7 d of `slo.md` 2.4.
    let row = ["page/1h/5m gt 13.44 0s", "page/6h/30m gt 3.5 0s", "ticket/1d/2h gt 1.4 0s", "ticket/3d/6h gt 0.98 0s"];
    assert_eq!(written(one), row);
    // Among the files it is found as well; a period that it does not have is told.
    let files = [("checkout.yaml", CHECKOUT), ("week.yaml", WEEK)];
    assert!(import(Tool::Sloth, &files, &Options::default()).is_valid());
    let month = Options { period: Some(TimeSpan(30 * DAY)), ..Options::default() };
    let findings = import(Tool::Sloth, &files, &month).findings;
    assert!(findings.iter().any(|finding| finding.code == Code::Unresolved), "{findings:#?}");
}

#[test]
fn what_is_written_is_an_ordinary_document() {
    let options = Options { map: Some(("map.yaml", include_str!("../import/map.yaml"))), ..Options::default() };
    let made = import(Tool::Sloth, &[("checkout.yaml", CHECKOUT)], &options);
    assert_eq!(made.documents[0].to_yaml(), include_str!("../import/written_sloth.yaml"));
}

#[test]
fn what_is_not_taken_over_is_told_where_it_stands() {
    let made = import(Tool::Sloth, &[("checkout.yaml", CHECKOUT), ("cluster.yaml", CLUSTER)], &Options::default());
    assert_eq!(
        told(&made.findings),
        [
            "SLO004 note checkout.yaml:4:1 slo_plugins",
            "SLO024 note checkout.yaml:7:11 slos[0].name",
            "SLO004 note checkout.yaml:19:7 slos[0].alerting.name",
            "SLO004 note checkout.yaml:20:7 slos[0].alerting.labels",
            "SLO004 note checkout.yaml:23:9 slos[0].alerting.annotations.summary",
            "SLO004 note checkout.yaml:25:9 slos[0].alerting.page_alert.labels",
            "SLO024 note checkout.yaml:27:11 slos[1].name",
            "SLO004 note checkout.yaml:32:5 slos[1].interval",
            "SLO024 note checkout.yaml:35:11 slos[2].name",
            "SLO004 note cluster.yaml:5:3 metadata.namespace",
            "SLO024 note cluster.yaml:10:13 spec.slos[0].name",
        ]
    );
    let slos = read_back(&made);
    assert!(slos.iter().all(|slo| matches!(&slo.sli, Sli::Foreign(kind) if kind == "Prometheus" || kind == "Sloth")));
    let one = slo(&slos, "checkout-availability");
    assert_eq!((one.service.as_str(), one.description.as_str()), ("checkout", "Orders are taken."));
    // The labels of an SLO win over those of its service.
    assert_eq!((one.labels["team"].as_str(), one.labels["tier"].as_str()), ("payments", "0"));
    assert_eq!(one.draft.terms.alerts.runbook.as_deref(), Some("https://example.org/checkout"));
}

#[test]
fn an_objective_of_all_is_refused_and_a_second_name_told() {
    let made = imported(Tool::Sloth, FAULTS);
    assert_eq!(
        told(&made.findings),
        [
            "SLO010 error source.yaml:5:16 slos[0].objective",
            "SLO024 note source.yaml:7:11 slos[1].name",
            "SLO007 error source.yaml:10:11 slos[2].name",
            "SLO023 error source.yaml:15:5 slos[3].sli",
            "SLO003 error source.yaml:16:5 slos[4]",
            "SLO004 warning source.yaml:17:5 slos[4].objectiv",
            "SLO003 error source.yaml:18:11 slos[4].sli.events",
        ]
    );
    let names: Vec<_> = made.documents.iter().map(|document| document.name()).collect();
    assert_eq!(names, ["shop-twice"]);
    let wrong = imported(Tool::Sloth, "apiVersion: openslo/v1\nkind: SLO\n---\nversion: alertWindows/v1\n");
    assert_eq!(
        told(&wrong.findings),
        ["SLO002 error source.yaml:1:13 apiVersion", "SLO002 error source.yaml:4:10 version"]
    );
    assert_eq!(wrong.findings[0].help, "import it as openslo");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the objective, period and windows: the same thresholds, and an error only where none could be reached.
    #[test]
    fn thresholds_of_any_catalogue_are_the_same(
        objective in 1_000..100_000_u64,
        days in prop::sample::select(vec![7_u64, 14, 28, 30, 60, 90]),
        halves in prop::collection::vec(1..100_u64, 4),
    ) {
        let windows = [(3_600, 300), (21_600, 1_800), (DAY, 7_200), (3 * DAY, 21_600)];
        let pairs: Vec<Pair> = halves.iter().zip(windows).map(|(half, (long, short))| (500 * half, long, short)).collect();
        let window = |(percent, long, short): Pair| {
            let (whole, part) = (percent / 1_000, percent % 1_000);
            format!("{{errorBudgetPercent: {whole}.{part:03}, shortWindow: {}m, longWindow: {}h}}", short / 60, long / 3_600)
        };
        let [a, b, c, d] = [0, 1, 2, 3].map(|place| window(pairs[place]));
        let catalogue = format!(
            "apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec:\n  sloPeriod: {days}d\n  page: {{quick: {a}, slow: \
             {b}}}\n  ticket: {{quick: {c}, slow: {d}}}\n"
        );
        let text = format!(
            "version: prometheus/v1\nservice: s\nslos:\n- {{name: a, objective: {}.{:03}, sli: {{raw: {{error_ratio_query: \
             q}}}}}}\n",
            objective / 1_000, objective % 1_000
        );
        let options = Options { windows: &[("windows.yaml", &catalogue)], ..Options::default() };
        let made = import(Tool::Sloth, &[("source.yaml", &text)], &options);
        let errors: Vec<_> = made.findings.iter().filter(|finding| finding.severity.name() == "error").collect();
        let never = pairs.iter().filter(|pair| {
            let (above, below) = threshold_of_sloth(**pair, days * DAY, objective);
            above >= below
        });
        prop_assert_eq!(errors.len(), never.count(), "{:#?}", &errors);
        prop_assert!(errors.iter().all(|finding| finding.code == Code::Unreachable), "{:#?}", &errors);
        let slos = read_back(&made);
        check(&slos[0], &tiers(&slos[0]), &pairs, days * DAY, objective);
    }
}
