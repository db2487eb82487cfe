//! N9 of `slo.md` 7: what is odd about a tier has an edit, and the edited tier has nothing odd about it.

use bailiwick_slo::document::{Context, Finding, load};

/// The line of a document that the tier stands in.
const AT: &str = "        - ";

/// A document with this target and this tier, in which nothing else is odd.
fn document(target: &str, tier: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: availability}}\nspec:\n  service: rag_hub\n  \
         budgetingMethod: Occurrences\n  timeWindow: [{{duration: 30d, isRolling: true}}]\n  objectives: [{{target: \
         {target}}}]\n  bailiwick:\n    sli: {{kind: availability}}\n    alerts:\n      tiers:\n{AT}{tier}\n"
    )
}

fn findings(text: &str) -> Vec<Finding> {
    load(&[("test.yaml", text)], &Context::default()).findings
}

/// The tier with one key set, in place of what it was.
fn edited(tier: &str, key: &str, value: &str) -> String {
    let pairs = tier.trim_start_matches('{').trim_end_matches('}').split(", ");
    let mut pairs: Vec<(&str, &str)> = pairs.map(|pair| pair.split_once(": ").expect("a pair")).collect();
    match pairs.iter_mut().find(|(known, _)| *known == key) {
        Some(pair) => pair.1 = value,
        None => pairs.push((key, value)),
    }
    let pairs: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Findings about a tier, each cured in turn, until nothing is left; the codes in the order in which they were cured.
fn cured(target: &str, tier: &str) -> (Vec<String>, String) {
    let (mut codes, mut tier) = (Vec::new(), tier.to_owned());
    for _ in 0..4 {
        let found = findings(&document(target, &tier));
        let Some(finding) = found.first() else { return (codes, tier) };
        let fix = finding.fix.as_ref().unwrap_or_else(|| panic!("{}: {finding:?} has no edit", finding.code));
        let path = fix.path.strip_prefix("spec.bailiwick.alerts.tiers[0].");
        let key = path.unwrap_or_else(|| panic!("{} is not of the tier", fix.path));
        codes.push(finding.code.to_string());
        tier = edited(&tier, key, &fix.value);
    }
    panic!("{tier} is not cured by {codes:?}: {:?}", findings(&document(target, &tier)));
}

#[test]
fn the_edit_of_each_odd_tier_leaves_nothing_odd() {
    for (target, tier, code, expected) in [
        // W8: 0.8 / 0.1 = 8, which takes 8 x 1 h / 720 h = 1.111 % of the budget.
        ("0.9", "{severity: page, long: 1h, short: 5m, factor: 14.4}", "030", "factor: 8"),
        ("0.9", "{severity: page, long: 1h, short: 5m, consume: 2%}", "030", "consume: 1.111111%"),
        // 0.8 / 0.05 = 16.
        ("0.95", "{severity: page, long: 1h, short: 5m, factor: 16.01}", "031", "factor: 16"),
        ("0.95", "{severity: page, long: 1h, short: 5m, consume: 2.5%}", "031", "consume: 2.222222%"),
        // The standard preset's long windows: 1 h of 720 h, 3 d of 30 d; a short one is a twelfth.
        ("0.99", "{severity: page, long: 31d, short: 5m, factor: 14.4}", "032", "long: 1h"),
        ("0.99", "{severity: ticket, long: 31d, short: 6h, consume: 10%}", "032", "long: 3d"),
        ("0.99", "{severity: page, long: 1h, short: 1h, consume: 2%}", "032", "short: 5m"),
        ("0.99", "{severity: page, long: 3630s, short: 5m, consume: 2%}", "032", "long: 1h"),
        ("0.99", "{severity: page, long: 1h, short: 65s, consume: 2%}", "032", "short: 1m"),
        ("0.99", "{severity: ticket, long: 3d, short: 6h, factor: 0.89}", "033", "factor: 1"),
        // A factor of 1 takes 72 h / 720 h of it.
        ("0.99", "{severity: ticket, long: 3d, short: 6h, consume: 8%}", "033", "consume: 10%"),
        ("0.99", "{severity: page, long: 1h, consume: 2%}", "035", "short: 5m"),
        ("0.99", "{severity: page, long: 1h, short: 5m, consume: 2%, for: 2m}", "036", "for: 0s"),
        ("0.99", "{severity: page, long: 1h, short: 5m, consume: 0.4%}", "037", "consume: 2%"),
        // 2 % of 720 h in 1 h; 10 % of 720 h in 72 h.
        ("0.99", "{severity: page, long: 1h, short: 5m, factor: 1.5}", "037", "factor: 14.4"),
        ("0.99", "{severity: ticket, long: 3d, short: 6h, factor: 5.5}", "037", "factor: 1"),
    ] {
        let (codes, cured) = cured(target, tier);
        assert_eq!(codes, [format!("SLO{code}")], "{tier}");
        assert!(cured.contains(expected), "{tier} became {cured}");
    }
}

#[test]
fn two_odd_things_about_a_tier_are_cured_one_after_the_other() {
    let (mut codes, cured) = cured("0.9", "{severity: page, long: 1h, consume: 2%, for: 2m}");
    codes.sort();
    assert_eq!(codes, ["SLO030", "SLO035", "SLO036"]);
    assert_eq!(cured, "{severity: page, long: 1h, consume: 1.111111%, for: 0s, short: 5m}");
}
