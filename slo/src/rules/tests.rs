//! Rules of documents, against what the page says of them and against the terms that the engine gives each instance.

use proptest::prelude::*;

use super::{Inexpressible, of, regions};
use crate::document::{Context, load};
use crate::spec::{Globs, Override, Patch, Slo, Target};

/// The SLO of a valid document: its period, its objective and the lines of its extension.
fn slo(period: &str, objective: &str, extension: &str) -> Slo {
    let text = format!(
        "apiVersion: bailiwick/v1\nkind: SLO\nmetadata: {{name: rag}}\nspec:\n  service: rag_hub\n  budgetingMethod: \
         Occurrences\n  timeWindow: [{period}]\n  objectives: [{{{objective}}}]\n  bailiwick: {{sli: {{kind: \
         availability}}, {extension}}}\n"
    );
    let loaded = load(&[("rag.yaml", &text)], &Context::default());
    assert!(loaded.is_valid(), "{:#?}", loaded.findings);
    loaded.slos[0].clone()
}

const MONTH: &str = "{duration: 30d, isRolling: true}";

fn rules(period: &str, extension: &str) -> String {
    of(&slo(period, "targetPercent: 99.9", extension)).expect("it can be written").text
}

/// What stands between the records or alerts of a file, without indents.
fn rule<'a>(text: &'a str, begin: &str) -> Vec<&'a str> {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no `{begin}` in\n{text}"));
    let end = rest.find("      - ").unwrap_or(rest.len());
    rest[..end].lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_ratio_is_the_increase_of_bad_over_that_of_all() {
    let text = rules(MONTH, "alerts: {preset: standard}");
    let expected = [
        "labels: {window: \"1h\"}",
        "expr: |-",
        "sum by (tenant, module, slo) (increase(bailiwick_slo_events_total{slo=\"rag\",result=\"bad\"}[1h]))",
        "/",
        "(sum by (tenant, module, slo) (increase(bailiwick_slo_events_total{slo=\"rag\"}[1h])) > 0)",
    ];
    let from = text.find("labels: {window: \"1h\"}").expect("the hour has a ratio");
    let lines: Vec<_> = text[from..].lines().map(str::trim).take(5).collect();
    assert_eq!(lines, expected);
    for window in ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"] {
        assert_eq!(text.matches(&format!("{{window: \"{window}\"}}")).count(), 1, "{window}");
    }
}

/// `slo.md` 2.4 and 5: 14.4 x 0.001 and 6 x 0.001 page, 3 x 0.001 and 1 x 0.001 are tickets.
#[test]
fn pages_are_pairs_joined_by_or_and_tickets_are_unless_pages() {
    let text = rules(MONTH, "alerts: {preset: standard, runbook: \"https://example.org/rag\"}");
    let page = [
        "labels: {severity: page}",
        "expr: |-",
        "(",
        "max without (window) (bailiwick:slo_error:ratio_rate{slo=\"rag\",window=\"1h\"} > 0.0144)",
        "and max without (window) (bailiwick:slo_error:ratio_rate{slo=\"rag\",window=\"5m\"} > 0.0144)",
        ")",
        "or",
        "(",
        "max without (window) (bailiwick:slo_error:ratio_rate{slo=\"rag\",window=\"6h\"} > 0.006)",
        "and max without (window) (bailiwick:slo_error:ratio_rate{slo=\"rag\",window=\"30m\"} > 0.006)",
        ")",
        "annotations:",
    ];
    let (head, ticket) = text.split_once("severity: ticket").expect("it has tickets");
    let page_lines = rule(head, "- alert: SLOBurn");
    assert_eq!(page_lines[..12], page);
    assert!(page_lines[12].starts_with("summary: ") && page_lines[13] == "runbook_url: \"https://example.org/rag\"");
    let (own, above) = ticket.split_once("unless").expect("tickets are unless pages");
    assert!(own.contains("\"1d\"} > 0.003") && own.contains("\"6h\"} > 0.001") && !own.contains("0.0144"), "{own}");
    assert!(above.contains("\"5m\"} > 0.0144") && above.contains("\"30m\"} > 0.006"), "{above}");
}

/// `slo.md` W12: 144 of 10 000 are just the threshold.
#[test]
fn gte_is_at_the_threshold_and_gt_over_it() {
    let tier = |op: &str| format!("alerts: {{tiers: [{{severity: page, long: 1h, factor: 14.4, op: {op}}}]}}");
    let (gt, gte) = (rules(MONTH, &tier("gt")), rules(MONTH, &tier("gte")));
    assert!(gt.contains("window=\"1h\"} > 0.0144)") && gte.contains("window=\"1h\"} >= 0.0144)"));
    assert!(!gt.contains("and max"), "without a short window the long one decides");
}

/// `slo.md` 2.4: 10 % of 28 d in 3 d are a factor of 14/15, and 14/15 of 0.001 are 7/7500.
#[test]
fn a_threshold_without_decimals_is_one_division() {
    let text = rules("{duration: 28d, isRolling: true}", "alerts: {preset: standard}");
    assert!(text.contains("#   ticket/3d/6h: > 14 / 15 * 0.001\n"), "{text}");
    assert!(text.contains("window=\"3d\"} > 7 / 7500)") && text.contains("window=\"6h\"} > 7 / 7500)"));
}

#[test]
fn a_tier_that_waits_is_over_since_a_time_that_is_recorded() {
    let text = rules(MONTH, "alerts: {tiers: [{severity: page, long: 1h, short: 5m, factor: 14.4, for: 2m}]}");
    let since = "bailiwick:slo_over:since_seconds{slo=\"rag\",tier=\"page/1h/5m\",threshold=\"> 0.0144\"}";
    let lines = rule(&text, "- record: bailiwick:slo_over:since_seconds");
    assert_eq!(lines[0], "labels: {tier: \"page/1h/5m\", threshold: \"> 0.0144\"}");
    assert_eq!(lines[2..4], [&*format!("max without (tier, threshold) ({since})"), "and"]);
    assert_eq!(lines.last(), Some(&") * 0 + time()"));
    assert!(text.contains(&format!("and max without (tier, threshold) (time() - {since} >= 120)")), "{text}");
    assert!(text.contains("#   page/1h/5m: > 14.4 * 0.001, for 2m\n"));
}

#[test]
fn overrides_have_selectors_of_their_own_and_the_file_says_so() {
    let text = rules(
        MONTH,
        "alerts: {tiers: [{severity: page, long: 1h, factor: 10}], runbook: a}, overrides: [{tenant: acme, targetPercent: \
         99.5, alerts: {runbook: \"b{{\"}}, {tenant: [\"big-*\", \"!big-x*\"], targetPercent: 99}, {tenant: \"trial-*\", \
         enabled: false}]",
    );
    for line in [
        "# tenant=\"acme\": 99.5 % over 30d\n#   page/1h: > 10 * 0.005\n",
        "# tenant=~\"big-.*\", tenant!~\"big-x.*\": 99 % over 30d\n#   page/1h: > 10 * 0.01\n",
        "# tenant=~\"trial-.*\": off\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(text.contains("{slo=\"rag\",tenant=\"acme\",window=\"1h\"} > 0.05)"));
    assert!(text.contains("{slo=\"rag\",tenant=~\"big-.*\",tenant!~\"big-x.*\",window=\"1h\"} > 0.1)"));
    assert!(text.contains("runbook_url: \"{{ if and (eq \\\"acme\\\" $labels.tenant) }}b{{\\\"{{\\\"}}{{ end }}"));
}

#[test]
fn an_override_of_who_is_told_divides_nothing() {
    let text = rules(MONTH, "overrides: [{tenant: acme, alerts: {receivers: [acme]}}]");
    assert!(text.contains("# all: 99.9 % over 30d\n") && !text.contains("acme"));
}

#[test]
fn what_prometheus_has_no_rules_for_is_refused_with_its_reason() {
    let month = "{duration: 1M, isRolling: false, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}}";
    let calendar = of(&slo(month, "targetPercent: 99.9", "operation: \"*\""));
    assert_eq!(calendar, Err(Inexpressible::Calendar));
    let mut slices = slo(MONTH, "targetPercent: 99.9", "operation: \"*\"");
    slices.method = crate::spec::Method::RatioTimeslices { slice: crate::spec::TimeSpan(60) };
    assert_eq!(of(&slices), Err(Inexpressible::Slices("RatioTimeslices")));
    slices.sli = crate::spec::Sli::Composite(Vec::new());
    assert_eq!(of(&slices), Err(Inexpressible::Composite));
    let mut foreign = slo(MONTH, "targetPercent: 99.9", "operation: \"*\"");
    foreign.sli = crate::spec::Sli::Foreign("Datadog".to_owned());
    assert_eq!(of(&foreign), Err(Inexpressible::Foreign));
}

#[test]
fn a_name_is_data_wherever_it_stands() {
    let mut slo = slo(MONTH, "targetPercent: 99.9", "overrides: [{tenant: \"a\\\"}\\n#\", targetPercent: 99}]");
    slo.id = "x\"\n- alert: y".to_owned();
    let text = of(&slo).expect("it can be written").text;
    assert!(text.contains("slo=\"x\\\"\\u000a- alert: y\",tenant=\"a\\\"}\\u000a#\""), "{text}");
    assert!(text.lines().all(|line| line.is_ascii() && !line.starts_with("- alert")));
}

/// Any override of these: names, patterns, patterns less patterns, all but some.
fn globs() -> impl Strategy<Value = Vec<&'static str>> {
    let pattern = prop_oneof![
        Just("a"),
        Just("ab"),
        Just("abc"),
        Just("b"),
        Just("a*"),
        Just("*b"),
        Just("a?"),
        Just("*"),
        Just("!a"),
        Just("!ab*"),
        Just("!*c"),
        Just("_system"),
    ];
    prop::collection::vec(pattern, 1..4)
}

proptest! {
    /// The law of the regions: each instance is in one, whose terms are those that the engine gives it.
    #[test]
    fn every_instance_is_in_one_region_with_its_own_terms(
        own in prop_oneof![Just(vec!["*"]), Just(vec!["*", "_system"]), Just(vec!["a", "ab", "_system"]), globs()],
        rules in prop::collection::vec((globs(), globs(), 1_u64..99), 0..4),
    ) {
        let mut slo = slo(MONTH, "targetPercent: 99.9", "module: \"*\"");
        slo.selector.tenant = Globs::of_tenants(own.iter().copied());
        slo.overrides = rules.iter().map(|(tenant, module, percent)| Override {
            tenant: Globs::of_tenants(tenant.iter().copied()),
            module: Globs::new(module.iter().copied()),
            sets: Vec::new(),
            patch: Patch { target: Target::of(crate::exact::Decimal::new(*percent as i64, 2)), ..Patch::default() },
        }).collect();
        let Ok(regions) = regions::of(&slo) else { return Ok(()) };
        for tenant in ["a", "ab", "abc", "b", "cb", "x", "_system", "_unknown"] {
            for module in ["a", "ab", "bc", "x"] {
                let mine: Vec<_> = regions.iter().filter(|region| region.holds(tenant, module)).collect();
                if slo.selector.tenant.matches(tenant) {
                    prop_assert_eq!(mine.len(), 1, "{} {}: {:#?}", tenant, module, mine);
                    prop_assert_eq!(&mine[0].terms, &slo.terms_of(tenant, module), "{} {}", tenant, module);
                }
            }
        }
    }
}
