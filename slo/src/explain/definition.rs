//! What a definition promises: target, period, method, budget, tiers, and the forecast and policy that go with them.

use super::forms::{Allowance, TierForms, TooFine};
use super::sheet::{Row, Section, Value};
use super::words::{grouped, length, percent, plain, span};
use crate::exact::{Decimal, Fraction};
use crate::spec::{Calendar, CalendarUnit, Method, Op, Period, PolicyStep, Sli, Slo, Terms, TimeSpan};

/// Whose it is: the wildcards that instances are made by.
pub(super) fn scope(slo: &Slo) -> Section {
    let by = match (slo.selector.group_by.tenant, slo.selector.group_by.module) {
        (true, true) => "one for each tenant and module",
        (true, false) => "one for each tenant, its modules summed",
        (false, true) => "one for each module, its tenants summed",
        (false, false) => "one, all tenants and modules summed",
    };
    let max = grouped(slo.instances_max.into());
    let globs = |name: &'static str, globs: &crate::spec::Globs| {
        Row::new(name, globs.to_string()).with(name, Value::Text(globs.to_string()))
    };
    let rows = vec![
        globs("tenant", &slo.selector.tenant),
        globs("module", &slo.selector.module),
        globs("operation", &slo.selector.operation),
        Row::new("instances", format!("{by}; at most {max}"))
            .with("by_tenant", Value::Flag(slo.selector.group_by.tenant))
            .with("by_module", Value::Flag(slo.selector.group_by.module))
            .with("instances_max", Value::Count(slo.instances_max.into())),
    ];
    Section::new("scope", "Whose it is", rows)
}

/// Target, period, method, budget.
pub(super) fn promise(slo: &Slo, terms: &Terms, allowance: Allowance) -> Result<Section, TooFine> {
    let beta = terms.target.beta_fraction();
    let target = format!("{} %: at most {} may be bad", terms.target.percent(), percent(beta));
    let target = Row::new("target", target)
        .with("target", Value::Exact(Fraction::of(terms.target.ratio()).ok_or(TooFine)?))
        .with("beta", Value::Exact(beta))
        .with("enabled", Value::Flag(terms.enabled));
    let largest = allowance.largest_burn();
    let mut rows = vec![
        super::good::good(&slo.sli),
        target,
        period(terms, allowance),
        method(slo.method),
        budget(slo.method, allowance)?,
        Row::new("burn", format!("at most {}, when everything is bad", plain(largest)))
            .with("largest_burn", Value::Exact(largest)),
    ];
    if matches!(slo.sli, Sli::Composite(_)) {
        // slo.md 2.3: burns and spent budgets of parts are added by weight, so that there is no one error ratio.
        rows.push(Row::new("composite", "its parts' burns are added by weight; below it counts as one SLI"));
    }
    if !terms.enabled {
        rows.push(Row::new("disabled", "there is no such instance"));
    }
    Ok(Section::new("promise", "What is promised", rows))
}

fn period(terms: &Terms, allowance: Allowance) -> Row {
    let nominal_s = terms.period.nominal_seconds();
    let seconds = |seconds: u64| Value::Seconds(Some(Fraction::new(seconds, 1)));
    let row = match &terms.period {
        Period::Rolling(length) => Row::new("period", format!("the last {}, rolling", span(*length)))
            .with("kind", Value::Text("rolling".into())),
        Period::Calendar(calendar) => {
            let zone = calendar.zone.iana_name().unwrap_or("UTC");
            let each = every(calendar);
            let nominal = span(TimeSpan(nominal_s));
            let this = match allowance.period_s {
                true_s if true_s == nominal_s => String::new(),
                true_s => format!("; this one lasts {}", span(TimeSpan(true_s))),
            };
            let text = format!("{each} from {} in {zone}; factors count it as {nominal}{this}", calendar.start);
            Row::new("period", text)
                .with("kind", Value::Text("calendar".into()))
                .with("zone", Value::Text(zone.to_owned()))
                .with("start", Value::Text(calendar.start.to_string()))
        }
    };
    row.with("period", seconds(allowance.period_s)).with("nominal", seconds(nominal_s))
}

/// `each month`, `each 2 weeks`.
#[must_use]
pub fn every(calendar: &Calendar) -> String {
    let unit = match calendar.unit {
        CalendarUnit::Hour => "hour",
        CalendarUnit::Day => "day",
        CalendarUnit::Week => "week",
        CalendarUnit::Month => "month",
        CalendarUnit::Quarter => "quarter",
        CalendarUnit::Year => "year",
    };
    match calendar.count {
        1 => format!("each {unit}"),
        count => format!("each {count} {unit}s"),
    }
}

fn method(method: Method) -> Row {
    let row = |says: String| {
        let text = format!("{}: {says}", method.name());
        Row::new("method", text).with("method", Value::Text(method.name().to_owned()))
    };
    let slice_of = |slice: TimeSpan| Value::Seconds(Some(Fraction::new(slice.seconds(), 1)));
    match method {
        Method::Occurrences => row("good events of all events".to_owned()),
        Method::Timeslices { slice, target } => {
            let least = percent(Fraction::of(target).unwrap_or(Fraction::ZERO));
            let row = row(format!("slices of {}, good if at least {least} of their events are", span(slice)));
            row.with("slice", slice_of(slice)).with("time_slice_target", exact(target))
        }
        Method::RatioTimeslices { slice } => {
            row(format!("the mean of the ratios of slices of {}", span(slice))).with("slice", slice_of(slice))
        }
    }
}

/// What may be bad: a share of the events that come, or so many slices, and only then so much time.
fn budget(method: Method, allowance: Allowance) -> Result<Row, TooFine> {
    let (slice, what) = match method {
        Method::Occurrences => {
            let beta = percent(allowance.target.beta_fraction());
            return Ok(Row::new("budget", format!("{beta} of the events of the period")));
        }
        Method::Timeslices { slice, .. } => (slice, "of them"),
        Method::RatioTimeslices { slice } => (slice, "of them altogether"),
    };
    let (slices, bad) = allowance.slices(slice.seconds())?;
    let time = bad.times(Fraction::new(slice.seconds(), 1)).ok_or(TooFine)?;
    let text = format!("{} slices, {} {what} may be bad: {}", grouped(slices.into()), plain(bad), length(time));
    let row = Row::new("budget", text);
    Ok(row
        .with("slices", Value::Count(slices))
        .with("slices_allowed", Value::Exact(bad))
        .with("bad_time", Value::Seconds(Some(time))))
}

/// Windows, factor, operator, threshold and consumption of each tier.
pub(super) fn tiers(slo: &Slo, terms: &Terms, allowance: Allowance) -> Result<Section, TooFine> {
    let mut rows = Vec::new();
    for tier in &terms.alerts.tiers {
        rows.push(tier_row(slo.method, TierForms { tier: *tier, allowance })?);
    }
    if rows.is_empty() {
        rows.push(Row::new("none", "nothing is told by burn"));
    }
    Ok(Section::list("tiers", "Who is told when", rows))
}

fn tier_row(method: Method, forms: TierForms) -> Result<Row, TooFine> {
    let (tier, threshold, consumed) = (forms.tier, forms.threshold()?, forms.consumption()?);
    let is_reachable = forms.is_reachable()?;
    let text = if is_reachable { fires_when(method, forms)? } else { unreachable(forms, threshold) };
    let seconds = |span: TimeSpan| Value::Seconds(Some(Fraction::new(span.seconds(), 1)));
    let row = Row::new(tier.name(), text)
        .with("severity", Value::Text(tier.severity.name().to_owned()))
        .with("long", seconds(tier.long))
        .with("short", Value::Seconds(tier.short.map(|short| Fraction::new(short.seconds(), 1))))
        .with("factor", Value::Exact(tier.factor))
        .with("op", Value::Text(tier.op.name().to_owned()))
        .with("for", seconds(tier.hold))
        .with("threshold", Value::Exact(threshold))
        .with("consumed_ratio", Value::Ratio(consumed.quotient()))
        .with("reachable", Value::Flag(is_reachable));
    Ok(row)
}

fn fires_when(method: Method, forms: TierForms) -> Result<String, TooFine> {
    let (tier, threshold, consumed) = (forms.tier, percent(forms.threshold()?), percent(forms.consumption()?));
    let (over, factor, long) = (if tier.op == Op::Gt { "over" } else { "at least" }, tier.factor, span(tier.long));
    let bad = match method {
        Method::Occurrences => "of events bad",
        Method::Timeslices { .. } => "of slices bad",
        Method::RatioTimeslices { .. } => "bad on average over slices",
    };
    let short = tier.short.map(|short| format!(" and in the last {}", span(short))).unwrap_or_default();
    let hold = match tier.hold.seconds() {
        0 => String::new(),
        _ => format!(", for {} without a break", span(tier.hold)),
    };
    Ok(format!(
        "{over} {threshold} {bad} in the last {long}{short}{hold}: burn {over} {factor}; {consumed} of the budget in {long}"
    ))
}

fn unreachable(forms: TierForms, threshold: Fraction) -> String {
    let (factor, threshold) = (forms.tier.factor, percent(threshold));
    let reach = forms.unreachable_up_to().map(percent);
    let reach = reach.map(|target| format!("; targets up to {target} cannot reach it")).unwrap_or_default();
    format!("never: burn {factor} would be {threshold} bad{reach} (SLO030)")
}

/// What is told of the future.
pub(super) fn forecast(terms: &Terms) -> Section {
    let forecast = &terms.forecast;
    let window = Row::new("rates", format!("those of the last {} go on", span(forecast.window)))
        .with("window", Value::Seconds(Some(Fraction::new(forecast.window.seconds(), 1))));
    let warned = match forecast.warn_before {
        None => "nothing is told before the budget ends".to_owned(),
        Some(before) => {
            format!("a {} when the budget is expected to end within {}", forecast.severity.name(), span(before))
        }
    };
    let warned = Row::new("warning", warned)
        .with("warn_before", Value::Seconds(forecast.warn_before.map(|before| Fraction::new(before.seconds(), 1))))
        .with("severity", Value::Text(forecast.severity.name().to_owned()));
    Section::new("forecast", "Forecast", vec![window, warned])
}

/// What is done when the budget is low.
pub(super) fn policy(terms: &Terms) -> Option<Section> {
    let rows: Vec<_> = terms.policy.iter().map(step).collect();
    (!rows.is_empty()).then(|| Section::list("policy", "Budget policy", rows))
}

fn step(step: &PolicyStep) -> Row {
    let edge = Decimal::new(step.below.mantissa().saturating_abs(), step.below.scale());
    let edge = percent(Fraction::of(edge).unwrap_or(Fraction::ZERO));
    let when = match step.below.mantissa() {
        0 => "more than all of the budget is spent".to_owned(),
        mantissa if mantissa < 0 => format!("the budget is overspent by more than {edge}"),
        _ => format!("less than {edge} of the budget is left"),
    };
    let says = if step.message.is_empty() { String::new() } else { format!(": {}", step.message) };
    Row::new(step.name.clone(), format!("a {} when {when}{says}", step.severity.name()))
        .with("below", Value::Text(step.below.to_string()))
        .with("severity", Value::Text(step.severity.name().to_owned()))
        .with("message", Value::Text(step.message.clone()))
}

fn exact(decimal: Decimal) -> Value {
    Fraction::of(decimal).map_or_else(|| Value::Text(decimal.to_string()), Value::Exact)
}
