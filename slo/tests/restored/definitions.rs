//! Random definitions of every kind, as documents.

use crate::prng::Random;

/// An SLO as it is written.
fn document(name: &str, (window, method): (&str, &str), target: &str, extension: &str) -> String {
    let objective = match method {
        "Timeslices" => format!("{{target: {target}, timeSliceTarget: 0.9, timeSliceWindow: 3m}}"),
        "RatioTimeslices" => format!("{{target: {target}, timeSliceWindow: 3m}}"),
        _ => format!("{{target: {target}}}"),
    };
    format!(
        "apiVersion: bailiwick/v1\nkind: SLO\nmetadata: {{name: {name}, labels: {{team: red}}}}\nspec:\n  service: whole\n  \
         description: A promise\n  budgetingMethod: {method}\n  timeWindow: [{window}]\n  objectives: [{objective}]\n  \
         bailiwick:\n    module: \"*\"\n    {extension}\n---\n"
    )
}

const WINDOWS: [&str; 5] = [
    "{duration: 30d, isRolling: true}",
    "{duration: 4h, isRolling: true}",
    "{duration: 1d, isRolling: false, calendar: {startTime: \"2026-01-01 00:00:00\", timeZone: Europe/Berlin}}",
    "{duration: 1h, isRolling: false, calendar: {startTime: \"2026-01-01 00:10:00\", timeZone: UTC}}",
    "{duration: 1M, isRolling: false, calendar: {startTime: \"2026-01-31 12:00:00\", timeZone: America/New_York}}",
];
const METHODS: [&str; 3] = ["Occurrences", "Timeslices", "RatioTimeslices"];
const TIERS: &str = "alerts: {holdDown: 2m, repeatEvery: 20m, receivers: [desk], tiers: [{severity: page, long: 30m, short: 5m, \
                     factor: 2}, {severity: ticket, long: 1h, short: 10m, factor: 1, for: 3m}]}";
const REST: [&str; 4] = [
    "noData: {expect: traffic, after: 5m, alertAfter: 10m, severity: ticket, emptySlice: bad}",
    "noData: {expect: auto, after: 5m, floor: 80%, emptySlice: good}\n    ttl: 30m",
    "noData: {expect: nothing}\n    forecast: {window: 1h, warnBefore: 1d}\n    ttl: 1h",
    "policy: [{name: freeze, below: 0%, severity: ticket, message: Freeze}, {name: slow, below: 50%, severity: notice}]\n    \
     lowTraffic: {alpha: 0.05, applyBelow: 20, weighting: volume}\n    activate: {events: 200}\n    instancesMax: 3\n    \
     overrides: [{tenant: acme, targetPercent: 95, timeWindow: 2h}, {tenant: \"init*\", enabled: false}]",
];

/// Some SLOs, each in one of its forms.
pub(crate) fn documents(random: &mut Random) -> String {
    let mut text = String::new();
    let of = |random: &mut Random| (random.pick(&WINDOWS), random.pick(&METHODS));
    let extension = |random: &mut Random, sli: &str| {
        let rest = random.pick(&REST);
        format!("sli: {sli}\n    {TIERS}\n    {rest}")
    };
    let target = |random: &mut Random| random.pick(&["0.9", "0.99", "0.995"]);
    let slis = [
        ("avail", "{kind: availability}"),
        ("fast", "{kind: latency, threshold: 250ms, failures: slow}"),
        ("leaks", "{kind: leaks}"),
        ("cover", "{kind: coverage, part: TC}"),
        ("orders", "{kind: counter, bad: {metric: orders, attributes: {status: \"5*\"}}, total: {metric: orders}}"),
    ];
    for (name, sli) in slis {
        if random.per_mille(850) {
            let (kind, target, extension) = (of(random), target(random), extension(random, sli));
            text += &document(name, kind, target, &extension);
        }
    }
    if random.per_mille(300) {
        let (kind, extension) = (of(random), extension(random, "{kind: availability}"));
        text += &document("all", kind, "0.99", &format!("groupBy: [tenant]\n    {extension}"));
    }
    for (method, [one, other, whole]) in [
        ("Occurrences", ["o1", "o2", "joint"]),
        ("Timeslices", ["s1", "s2", "sliced"]),
        ("RatioTimeslices", ["r1", "r2", "mean"]),
    ] {
        if random.per_mille(400) {
            continue;
        }
        let window = random.pick(&WINDOWS);
        for (name, sli) in [(one, "{kind: availability}"), (other, "{kind: latency, threshold: 250ms}")] {
            let extension = extension(random, sli);
            text += &document(name, (window, method), "0.99", &extension);
        }
        let when = random.pick(&["freeze", "ignore", "good", "bad"]);
        let components = format!(
            "{{kind: composite, components: [{{slo: {one}, weight: 0.7, whenUnmeasured: {when}}}, {{slo: {other}, weight: 0.3}}]}}"
        );
        text += &document(whole, (window, method), "0.98", &format!("sli: {components}\n    {TIERS}"));
    }
    if text.is_empty() {
        text = document("avail", (WINDOWS[1], "Occurrences"), "0.99", "sli: {kind: availability}");
    }
    text
}
