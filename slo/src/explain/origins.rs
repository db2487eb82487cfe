//! Which override set what: of one instance the entry and line behind each value, else all overrides as they stand.

use super::sheet::{Row, Section, Value};
use super::words::{percent, span};
use crate::exact::Fraction;
use crate::spec::{EmptySlice, Expect, Override, Period, Slo, Terms, TimeSpan, Weighting};

/// What is said of a key whose value has no words.
pub(super) const AS_WRITTEN: &str = "as written there";

/// Who set a key.
struct Origin<'a> {
    /// As the override that holds spells it.
    key: &'a str,
    /// Entry of the list, from 1, and line of the value: the last one holds.
    by: Vec<(usize, u32)>,
}

/// Origins for an instance; without one all overrides are listed.
pub(super) fn section(slo: &Slo, terms: &Terms, instance: Option<(&str, &str)>) -> Section {
    match instance {
        Some(instance) => of_instance(slo, terms, instance),
        None => of_all(slo),
    }
}

fn of_instance(slo: &Slo, terms: &Terms, (tenant, module): (&str, &str)) -> Section {
    let mut origins: Vec<Origin<'_>> = Vec::new();
    for (index, rule) in slo.overrides.iter().enumerate() {
        if !(rule.tenant.matches(tenant) && rule.module.matches(module)) {
            continue;
        }
        for (key, line) in &rule.sets {
            let by = (index + 1, *line);
            match origins.iter_mut().find(|origin| meaning(origin.key) == meaning(key)) {
                Some(origin) => {
                    // Two keys of one entry that set the same are one setting.
                    origin.by.retain(|(entry, _)| *entry != by.0);
                    origin.key = key;
                    origin.by.push(by);
                }
                None => origins.push(Origin { key, by: vec![by] }),
            }
        }
    }
    let mut rows: Vec<_> = origins.iter().map(|origin| origin.row(slo, terms)).collect();
    let rest = if rows.is_empty() { "everything" } else { "the rest" };
    rows.push(Row::new(rest, "as the document says, or by default"));
    Section::list("origins", format!("Where the values of {tenant} / {module} come from"), rows)
}

impl Origin<'_> {
    fn row(&self, slo: &Slo, terms: &Terms) -> Row {
        let value = value(terms, meaning(self.key));
        let Some(((entry, line), earlier)) = self.by.split_last() else { return Row::new(self.key, value) };
        let (who, line) = (slo.overrides.get(entry - 1).map(whom).unwrap_or_default(), *line);
        let over: Vec<_> = earlier.iter().map(|(entry, line)| format!("override {entry}, line {line}")).collect();
        let over = if over.is_empty() { String::new() } else { format!("; wins over {}", over.join("; ")) };
        Row::new(self.key, format!("{value}: override {entry} ({who}), line {line}{over}"))
            .with("value", Value::Text(value))
            .with("override", Value::Count(*entry as u64))
            .with("line", Value::Count(line.into()))
    }
}

fn of_all(slo: &Slo) -> Section {
    let mut rows: Vec<_> = slo.overrides.iter().enumerate().map(|(index, rule)| listed(index, rule)).collect();
    if rows.is_empty() {
        rows.push(Row::new("none", "all instances have the terms of the document"));
    }
    Section::list("overrides", "Overrides, the later over the earlier", rows)
}

fn listed(index: usize, rule: &Override) -> Row {
    let sets: Vec<_> = rule.sets.iter().map(|(key, line)| format!("{key} (line {line})")).collect();
    let sets = if sets.is_empty() { "nothing".to_owned() } else { sets.join(", ") };
    Row::new(format!("override {}", index + 1), format!("{} set {sets}", whom(rule)))
        .with("tenant", Value::Text(rule.tenant.to_string()))
        .with("module", Value::Text(rule.module.to_string()))
        .with("sets", Value::Text(sets))
}

fn whom(rule: &Override) -> String {
    format!("tenants {}, modules {}", rule.tenant, rule.module)
}

/// One word for keys that set the same.
fn meaning(key: &str) -> &str {
    match key {
        "targetPercent" => "target",
        "alerts.preset" => "alerts.tiers",
        key => key,
    }
}

/// What holds for a key.
fn value(terms: &Terms, key: &str) -> String {
    let length = |length: TimeSpan| span(length);
    let (alerts, low, no_data, forecast) = (&terms.alerts, &terms.low_traffic, &terms.no_data, &terms.forecast);
    match key {
        "enabled" => if terms.enabled { "on" } else { "off" }.to_owned(),
        "target" => format!("{} %", terms.target.percent()),
        "timeWindow" => match &terms.period {
            Period::Rolling(period) => length(*period),
            Period::Calendar(_) => length(TimeSpan(terms.period.nominal_seconds())),
        },
        "alerts.tiers" if alerts.tiers.is_empty() => "none".to_owned(),
        "alerts.tiers" => alerts.tiers.iter().map(crate::spec::Tier::name).collect::<Vec<_>>().join(", "),
        "alerts.holdDown" => length(alerts.hold_down),
        "alerts.repeatEvery" => length(alerts.repeat_every),
        "alerts.receivers" => alerts.receivers.as_ref().map(|names| names.join(", ")).unwrap_or_default(),
        "alerts.runbook" => alerts.runbook.clone().unwrap_or_default(),
        "lowTraffic.alpha" => low.alpha.to_string(),
        "lowTraffic.applyBelow" => low.apply_below.to_string(),
        "lowTraffic.weighting" => if low.weighting == Weighting::Rate { "rate" } else { "volume" }.to_owned(),
        "noData.expect" => match no_data.expect {
            Expect::Auto => "auto",
            Expect::Traffic => "traffic",
            Expect::Nothing => "nothing",
        }
        .to_owned(),
        "noData.after" => length(no_data.after),
        "noData.floor" => Fraction::of(no_data.floor).map(percent).unwrap_or_default(),
        "noData.emptySlice" => match no_data.empty_slice {
            EmptySlice::Skip => "skip",
            EmptySlice::Good => "good",
            EmptySlice::Bad => "bad",
        }
        .to_owned(),
        "noData.alertAfter" => length(no_data.alert_after),
        "noData.severity" => no_data.severity.name().to_owned(),
        "forecast.window" => length(forecast.window),
        "forecast.warnBefore" => forecast.warn_before.map_or_else(|| "never".to_owned(), length),
        "forecast.severity" => forecast.severity.name().to_owned(),
        "policy" => terms.policy.iter().map(|step| step.name.as_str()).collect::<Vec<_>>().join(", "),
        "activate.events" => terms.activate_events.to_string(),
        "ttl" => length(terms.ttl),
        _ => AS_WRITTEN.to_owned(),
    }
}
