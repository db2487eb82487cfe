//! Documents explained, in words and numbers.

use super::super::origins::AS_WRITTEN;
use super::super::*;
use super::{HOUR, decimal};
use crate::document::{Context, load};
use crate::spec::{Slo, Target};

const DOCUMENT: &str = "
apiVersion: bailiwick/v1
kind: SLO
metadata: {name: availability}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{targetPercent: 99.9}]
  bailiwick:
    sli: {kind: availability}
    policy: [{name: freeze, below: 0%, message: Freeze releases}]
    overrides:
      - {tenant: acme, targetPercent: 99.5, ttl: 3d}
      - {tenant: 'trial-*', enabled: false}
      - tenant: 'a*'
        target: 0.99
        alerts: {receivers: [acme]}
";

fn slo(text: &str) -> Slo {
    let loaded = load(&[("a.yaml", text)], &Context { ignores_references: true, ..Context::default() });
    assert!(loaded.is_valid(), "{:?}", loaded.findings);
    loaded.slos.into_iter().next().expect("one")
}

fn explained(slo: &Slo, asked: &Asked<'_>) -> Explanation {
    let (tenant, module) = asked.instance.unwrap_or(("nobody", "checkout"));
    explain(slo, &slo.terms_of(tenant, module), asked).expect("it can be asked")
}

fn section<'a>(explanation: &'a Explanation, name: &str) -> &'a Section {
    explanation.sections.iter().find(|section| section.name == name).expect("a section")
}

fn text<'a>(explanation: &'a Explanation, name: &str, label: &str) -> &'a str {
    let row = section(explanation, name).rows.iter().find(|row| row.label == label);
    &row.unwrap_or_else(|| panic!("{name} {label}")).text
}

#[test]
fn a_definition_reads_as_what_it_promises() {
    let found = explained(&slo(DOCUMENT), &Asked::default());
    assert_eq!(text(&found, "promise", "target"), "99.9 %: at most 0.1 % may be bad");
    assert_eq!(text(&found, "promise", "period"), "the last 30 d, rolling");
    assert_eq!(text(&found, "promise", "burn"), "at most 1,000, when everything is bad");
    assert_eq!(
        text(&found, "tiers", "page/1h/5m"),
        "over 1.44 % of events bad in the last 1 h and in the last 5 min: burn over 14.4; 2 % of the budget in 1 h"
    );
    // 30 / 0.0144 = 2083.33: with 2,084 events 30 bad ones are expected.
    assert_eq!(text(&found, "low_traffic", "page/1h/5m"), "asked under 2,084 events in 1 h");
    assert_eq!(text(&found, "policy", "freeze"), "a ticket when more than all of the budget is spent: Freeze releases");
    assert_eq!(text(&found, "asked", "budget"), "100 % of it lasts 43 min 12 s");
}

#[test]
fn a_pace_that_is_asked_is_answered_for_each_tier() {
    let slo = slo(DOCUMENT);
    let asked =
        Asked { pace: Some(Pace::ErrorRatio(decimal("0.035"))), remaining: Some(decimal("0.5")), ..Asked::default() };
    let found = explained(&slo, &asked);
    let title = "If 3.5 % is bad (burn 35), with constant traffic and nothing bad before";
    assert_eq!(section(&found, "asked").title, title);
    // 0.5 x 518400/7 = 259200/7 s = 10.2857 h.
    assert_eq!(text(&found, "asked", "budget"), "50 % of it lasts about 10.286 h");
    // 0.0144 x 3600 / 0.035 = 1481.142857 s, x 300 = 123.428571 s; 300 - 123.428571.
    assert_eq!(
        text(&found, "asked", "page/1h/5m"),
        "fires after about 1,481.143 s (short window over after about 123.429 s), with 2 % of the budget spent; \
         ends about 176.571 s after the last error"
    );
    let burn = Asked { pace: Some(Pace::Burn(decimal("35"))), ..asked };
    assert_eq!(section(&explained(&slo, &burn), "asked"), section(&found, "asked"));
    let slow = Asked { pace: Some(Pace::Burn(decimal("1"))), remaining: Some(decimal("-0.2")), ..asked };
    let found = explained(&slo, &slow);
    assert_eq!(text(&found, "asked", "budget"), "nothing of it is left");
    assert_eq!(text(&found, "asked", "ticket/3d/6h"), "never fires: it takes over 0.1 %");
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    let slo = slo(DOCUMENT);
    let told = |pace: Option<Pace>, remaining: Option<&str>| {
        let asked = Asked { pace, remaining: remaining.map(decimal), ..Asked::default() };
        explain(&slo, &slo.draft.terms([]), &asked).map(|_| ()).map_err(|bad| bad.to_string())
    };
    let says = |told: Result<(), String>, what: &str| {
        assert!(told.as_ref().is_err_and(|told| told.contains(what)), "{told:?}");
    };
    says(told(Some(Pace::Burn(decimal("1000.1"))), None), "from 0 to 1,000, which is everything bad");
    says(told(Some(Pace::ErrorRatio(decimal("3.5"))), None), "from 0 to 1");
    says(told(Some(Pace::ErrorRatio(decimal("-0.1"))), None), "from 0 to 1");
    says(told(None, Some("1.1")), "give at most 1");
    says(told(Some(Pace::Burn(decimal("0.123456789123456789"))), Some("0.987654321987654321")), "use fewer decimals");
    assert_eq!(told(Some(Pace::Burn(decimal("1000"))), Some("1")), Ok(()));
}

#[test]
fn each_value_of_an_instance_names_the_entry_and_line_that_set_it() {
    let slo = slo(DOCUMENT);
    let found = explained(&slo, &Asked { instance: Some(("acme", "checkout")), ..Asked::default() });
    assert_eq!(text(&found, "promise", "target"), "99 %: at most 1 % may be bad");
    assert_eq!(
        text(&found, "origins", "target"),
        "99 %: override 3 (tenants a*, modules *), line 17; wins over override 1, line 14"
    );
    assert_eq!(text(&found, "origins", "ttl"), "3 d: override 1 (tenants acme, modules *), line 14");
    assert_eq!(text(&found, "origins", "alerts.receivers"), "acme: override 3 (tenants a*, modules *), line 18");
    let other = explained(&slo, &Asked { instance: Some(("other", "checkout")), ..Asked::default() });
    assert_eq!(text(&other, "origins", "everything"), "as the document says, or by default");
    let all = explained(&slo, &Asked::default());
    assert_eq!(text(&all, "overrides", "override 2"), "tenants trial-*, modules * set enabled (line 15)");
}

#[test]
fn every_key_of_an_override_has_words() {
    let keys = "
      - enabled: true
        targetPercent: 99.5
        timeWindow: 28d
        alerts: {preset: standard, holdDown: 1m, repeatEvery: 1h, receivers: [a], runbook: 'https://example.org'}
        lowTraffic: {alpha: 0.05, applyBelow: 20, weighting: volume}
        noData: {expect: traffic, after: 1m, floor: 80%, emptySlice: good, alertAfter: 5m, severity: page}
        forecast: {window: 1h, warnBefore: 6h, severity: ticket}
        policy: [{name: stop, below: 10%}]
        activate: {events: 10}
        ttl: 1d
      - alerts: {tiers: [{severity: page, long: 1h, short: 5m, factor: 14}]}
      - target: 0.995
";
    let (head, _) = DOCUMENT.split_once("      - {tenant: acme").expect("a list");
    let slo = slo(&format!("{}\n{}", head.trim_end(), keys.trim_start_matches('\n')));
    let found = explained(&slo, &Asked { instance: Some(("acme", "checkout")), ..Asked::default() });
    let rows = &section(&found, "origins").rows;
    let spoken = rows.iter().filter(|row| row.number("value").is_some()).count();
    // All keys of slo.md 1.3 that an override may set, target and tiers once.
    assert_eq!(spoken, 23, "{rows:?}");
    let silent: Vec<_> =
        rows.iter().filter(|row| row.text.starts_with(AS_WRITTEN) || row.text.starts_with(':')).collect();
    assert!(silent.is_empty(), "{silent:?}");
    assert!(text(&found, "origins", "alerts.tiers").contains("wins over override 1"));
}

#[test]
fn slices_and_calendars_are_told_in_their_own_words() {
    let month = DOCUMENT
        .replace("Occurrences", "Timeslices")
        .replace("{targetPercent: 99.9}", "{target: 0.999, timeSliceTarget: 0.95, timeSliceWindow: 1m}")
        .replace(
            "[{duration: 30d, isRolling: true}]",
            "[{duration: 1M, isRolling: false, calendar: {startTime: '2026-01-01 00:00:00', timeZone: America/New_York}}]",
        );
    // W10: March 2026 has 743 h there, of which 2674.8 s may be bad at 99.9 %.
    let asked = Asked { period_s: Some(743 * HOUR), ..Asked::default() };
    let found = explained(&slo(&month), &asked);
    assert_eq!(
        text(&found, "promise", "period"),
        "each month from 2026-01-01T00:00:00 in America/New_York; factors count it as 30 d; this one lasts 743 h"
    );
    assert_eq!(text(&found, "promise", "budget"), "44,580 slices, 44.58 of them may be bad: 2,674.8 s");
    // November: 721 h, 2595.6 s.
    let november = explained(&slo(&month), &Asked { period_s: Some(721 * HOUR), ..Asked::default() });
    assert_eq!(text(&november, "promise", "budget"), "43,260 slices, 43.26 of them may be bad: 2,595.6 s");
    assert!(text(&found, "tiers", "page/1h/5m").contains("1.44 % of slices bad"));
    assert_eq!(text(&found, "low_traffic", "gates"), "none: they are for events, and this method counts slices");
    assert_eq!(text(&found, "no_data", "empty slice"), "a slice without events does not count");
}

#[test]
fn a_tier_that_can_never_fire_says_so() {
    let slo = slo(DOCUMENT);
    let mut terms = slo.draft.terms([]);
    terms.target = Target::of(decimal("0.9")).expect("a target");
    let found = explain(&slo, &terms, &Asked::default()).expect("it can be asked");
    assert_eq!(
        text(&found, "tiers", "page/1h/5m"),
        "never: burn 14.4 would be 144 % bad; targets up to 93.0556 % cannot reach it (SLO030)"
    );
    assert_eq!(text(&found, "asked", "page/1h/5m"), "never fires: it takes over 144 %");
    let numbers = section(&found, "tiers").rows[0].number("reachable");
    assert_eq!(numbers, Some(&Value::Flag(false)));
}

/// In JSON a section without a list is one object, and so is each row of a list.
#[test]
fn no_two_numbers_of_an_object_have_one_name() {
    for text in [
        DOCUMENT.to_owned(),
        DOCUMENT
            .replace("Occurrences", "RatioTimeslices")
            .replace("{targetPercent: 99.9}", "{target: 0.999, timeSliceWindow: 1m}"),
    ] {
        for section in explained(&slo(&text), &Asked::default()).sections {
            let names = |rows: &[Row]| -> Vec<String> {
                let numbers = rows.iter().flat_map(|row| &row.numbers);
                numbers.flat_map(Number::written).map(|(name, _)| name).collect()
            };
            let objects = if section.is_list {
                section.rows.iter().map(|row| names(std::slice::from_ref(row))).collect()
            } else {
                vec![names(&section.rows)]
            };
            for mut object in objects {
                let count = object.len();
                object.sort_unstable();
                object.dedup();
                assert_eq!(object.len(), count, "{}: {object:?}", section.name);
            }
        }
    }
}
