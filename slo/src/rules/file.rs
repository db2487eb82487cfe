//! The file: what holds for whom, ratios by window, waiting tiers, and one alert for each severity.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::expression::{self, Condition, RATIO, SINCE};
use super::quoted::{escaped, file_name, literal, quoted};
use super::regions::{self, Region};
use super::{Inexpressible, RuleFile};
use crate::spec::{Method, Period, Severity, Sli, Slo, Terms, TimeSpan};

/// Instances of the same terms, with their tiers.
type Parts = Vec<(Region, Vec<Condition>)>;

/// The rules of an SLO: its ratios over every window of its tiers and over its period, and its alerts `SLOBurn`.
///
/// # Errors
/// What of it Prometheus has no rules for.
pub fn of(slo: &Slo) -> Result<RuleFile, Inexpressible> {
    match (&slo.sli, slo.method) {
        (Sli::Composite(_), _) => return Err(Inexpressible::Composite),
        (Sli::Foreign(_), _) => return Err(Inexpressible::Foreign),
        (_, Method::Occurrences) => {}
        (_, method) => return Err(Inexpressible::Slices(method.name())),
    }
    let (on, off): (Vec<Region>, Vec<Region>) = regions::of(slo)?.into_iter().partition(|region| region.terms.enabled);
    let mut windows = BTreeSet::new();
    let mut parts = Vec::new();
    for region in on {
        let Period::Rolling(period) = region.terms.period else { return Err(Inexpressible::Calendar) };
        let conditions = conditions(&region.terms).ok_or(Inexpressible::TooFine)?;
        let tiers = region.terms.alerts.tiers.iter();
        windows.extend(tiers.flat_map(|tier| [Some(tier.long), tier.short]).flatten().chain([period]));
        parts.push((region, conditions));
    }
    let mut text = header(slo, &parts, &off);
    let _ = write!(text, "groups:\n  - name: {}\n    rules:\n", quoted(&format!("slo {}", slo.id)));
    if windows.is_empty() {
        // A group without rules is a list still.
        text.truncate(text.trim_end().len());
        text.push_str(" []\n");
    }
    for window in windows {
        write_ratio(&mut text, &slo.id, window);
    }
    write_since(&mut text, &slo.id, &parts);
    for severity in [Severity::Page, Severity::Ticket, Severity::Notice] {
        write_alert(&mut text, &slo.id, severity, &parts);
    }
    Ok(RuleFile { name: file_name(&slo.id), text })
}

fn conditions(terms: &Terms) -> Option<Vec<Condition>> {
    terms.alerts.tiers.iter().map(|tier| Condition::of(*tier, terms.target)).collect()
}

/// Comments: what the file is, and which terms hold for whom.
fn header(slo: &Slo, parts: &Parts, off: &[Region]) -> String {
    let mut text = format!(
        "# SLO {}, revision {}: its burn, recomputed from bailiwick_slo_events_total.\n\
         # Written by `bailiwick rules export --independent`; change the SLO, not this file.\n\
         # Not in it: lowTraffic, activate, noData, corrections, holdDown. While a short window has no events Bailiwick\n\
         # keeps an alert as it is; these rules end it.\n#\n",
        escaped(&slo.id),
        escaped(&slo.revision)
    );
    for (region, conditions) in parts {
        let Terms { target, period, .. } = &region.terms;
        let period = TimeSpan(period.nominal_seconds());
        let _ = writeln!(text, "# {}: {} % over {period}", whom(region), target.percent());
        for condition in conditions {
            let _ = writeln!(text, "#   {}", condition.words(*target));
        }
    }
    for region in off {
        let _ = writeln!(text, "# {}: off", whom(region));
    }
    text
}

fn whom(region: &Region) -> String {
    let matchers = region.matchers();
    if matchers.is_empty() { "all".to_owned() } else { matchers.join(", ") }
}

fn write_ratio(text: &mut String, slo: &str, window: TimeSpan) {
    let labels = format!("{{window: \"{window}\"}}");
    write_record(text, RATIO, &labels, &expression::ratio(slo, window));
}

/// Since when the tiers that wait are over; each once, whoever has it.
fn write_since(text: &mut String, slo: &str, parts: &Parts) {
    let mut written: Vec<&Condition> = Vec::new();
    for condition in parts.iter().flat_map(|(_, conditions)| conditions).filter(|condition| condition.waits()) {
        let is_known = |known: &&Condition| known.name() == condition.name() && known.threshold == condition.threshold;
        if !written.iter().any(is_known) {
            let (tier, threshold) = (quoted(&condition.name()), quoted(&condition.threshold));
            let labels = format!("{{tier: {tier}, threshold: {threshold}}}");
            write_record(text, SINCE, &labels, &condition.since_when(&format!("slo={}", quoted(slo))));
            written.push(condition);
        }
    }
}

fn write_record(text: &mut String, record: &str, labels: &str, expression: &str) {
    let _ = writeln!(text, "      - record: {record}\n        labels: {labels}");
    write_expression(text, expression);
}

fn write_alert(text: &mut String, slo: &str, severity: Severity, parts: &Parts) {
    let Some(expression) = expression::fires(slo, severity, parts) else { return };
    let name = severity.name();
    let _ = writeln!(text, "      - alert: SLOBurn\n        labels: {{severity: {name}}}");
    write_expression(text, &expression);
    let summary = format!(
        "SLO {{{{ $labels.slo }}}} of {{{{ $labels.tenant }}}} / {{{{ $labels.module }}}} burns its error budget at the \
         {name} rate: {{{{ $value | humanizePercentage }}}} of its events were bad over the long window."
    );
    let _ = writeln!(text, "        annotations:\n          summary: {}", quoted(&summary));
    if let Some(runbook) = runbook(parts) {
        let _ = writeln!(text, "          runbook_url: {}", quoted(&runbook));
    }
}

fn write_expression(text: &mut String, expression: &str) {
    let _ = writeln!(text, "        expr: |-");
    for line in expression.lines() {
        let _ = writeln!(text, "          {line}");
    }
}

/// Where it says what to do; as a template where that differs.
fn runbook(parts: &Parts) -> Option<String> {
    let of = |region: &Region| region.terms.alerts.runbook.as_deref().map(literal);
    let first = of(&parts.first()?.0);
    if parts.iter().all(|(region, _)| of(region) == first) {
        return first;
    }
    let mut text = String::new();
    for (region, _) in parts {
        let Some(url) = of(region) else { continue };
        let _ = match region.template() {
            Some(test) => write!(text, "{{{{ if {test} }}}}{url}{{{{ end }}}}"),
            None => write!(text, "{url}"),
        };
    }
    Some(text)
}
