//! `slo show`: what a definition comes to, number by number.

use std::fmt::Write as _;
use std::path::Path;

use bailiwick_slo::explain;
use bailiwick_slo::spec::{Period, Slo, Terms};
use serde_json::{Value as Json, json};

use super::{findings, sources};
use crate::cli::answer::{Answer, Exit};
use crate::cli::arguments::Output;
use crate::config::Request;

/// Shows the SLOs of a file, or one by name.
pub(in crate::cli) fn show(word: &Path, request: &Request, output: Output) -> Answer {
    let loaded = match sources::meant(word, request) {
        Ok(loaded) => loaded,
        Err(answer) => return answer,
    };
    let data = match output {
        Output::Json => format!("{:#}\n", Json::Array(loaded.slos.iter().map(json_of).collect())),
        Output::Table | Output::Yaml => loaded.slos.iter().map(text_of).collect::<Vec<_>>().join("\n"),
    };
    let exit = if loaded.is_valid() { Exit::Done } else { Exit::Problem };
    Answer { data, talk: findings::human(&loaded.findings), exit }
}

fn period(terms: &Terms) -> String {
    match &terms.period {
        Period::Rolling(span) => format!("{span} rolling"),
        Period::Calendar(calendar) => {
            let zone = calendar.zone.iana_name().unwrap_or("UTC");
            format!("{} from {} in {zone}", explain::every(calendar), calendar.start)
        }
    }
}

fn text_of(slo: &Slo) -> String {
    let terms = slo.draft.terms([]);
    let mut text = String::new();
    let _ = writeln!(text, "{}  (revision {})", slo.id, slo.revision);
    let _ = writeln!(text, "  tenants    {}", slo.selector.tenant);
    let _ = writeln!(text, "  modules    {}", slo.selector.module);
    let _ = writeln!(text, "  method     {}", slo.method.name());
    let _ = writeln!(text, "  target     {} %", terms.target.percent());
    let _ = writeln!(text, "  period     {}", period(&terms));
    for tier in &terms.alerts.tiers {
        let threshold = tier.factor.times(terms.target.beta_fraction());
        let threshold = threshold.map_or_else(|| "-".to_owned(), |threshold| threshold.to_string());
        let _ = writeln!(
            text,
            "  tier       {:<16} factor {:<8} error ratio {threshold}",
            tier.name(),
            tier.factor.to_string()
        );
    }
    for rule in &slo.overrides {
        let keys: Vec<&str> = rule.sets.iter().map(|(key, _)| key.as_str()).collect();
        let _ = writeln!(text, "  override   tenants {} modules {}: {}", rule.tenant, rule.module, keys.join(", "));
    }
    text
}

fn json_of(slo: &Slo) -> Json {
    let terms = slo.draft.terms([]);
    let tier = |tier: &bailiwick_slo::spec::Tier| {
        json!({
            "severity": tier.severity.name(),
            "long_s": tier.long.seconds(),
            "short_s": tier.short.map(|short| short.seconds()),
            "factor": tier.factor.to_string(),
            "op": tier.op.name(),
            "for_s": tier.hold.seconds(),
            "threshold": tier.factor.times(terms.target.beta_fraction()).map(|threshold| threshold.to_string()),
        })
    };
    json!({
        "slo": slo.id,
        "revision": slo.revision,
        "tenant": slo.selector.tenant.to_string(),
        "module": slo.selector.module.to_string(),
        "method": slo.method.name(),
        "target": terms.target.to_string(),
        "period_s": terms.period.nominal_seconds(),
        "tiers": terms.alerts.tiers.iter().map(tier).collect::<Vec<_>>(),
        "overrides": slo.overrides.len(),
    })
}
