//! What a definition makes of little traffic and of none (`slo.md` 2.3, 2.7).

use super::forms::{Allowance, TierForms, TooFine};
use super::sheet::{Row, Section, Value};
use super::words::{grouped, percent, span};
use crate::exact::{Decimal, Fraction};
use crate::spec::{EmptySlice, Expect, Method, Slo, Terms, TimeSpan, Weighting};

/// When too few events are no proof.
pub(super) fn low_traffic(slo: &Slo, terms: &Terms, allowance: Allowance) -> Result<Section, TooFine> {
    let name = ("low_traffic", "When too few events are no proof");
    if slo.method != Method::Occurrences {
        let row = Row::new("gates", "none: they are for events, and this method counts slices");
        return Ok(Section::new(name.0, name.1, vec![row.with("gated", Value::Flag(false))]));
    }
    let low = &terms.low_traffic;
    let text = format!(
        "a tier starts only if chance alone is less likely than {}; asked while under {} bad events are expected at its threshold",
        low.alpha,
        grouped(low.apply_below.into())
    );
    let significance = Row::new("significance", text)
        .with("gated", Value::Flag(true))
        .with("alpha", Value::Text(low.alpha.to_string()))
        .with("apply_below", Value::Count(low.apply_below));
    let mut rows = vec![significance];
    for tier in &terms.alerts.tiers {
        let threshold = TierForms { tier: *tier, allowance }.threshold()?;
        let below = asked_below(threshold, low.apply_below)?;
        rows.push(Row::new(
            tier.name(),
            format!("asked under {} events in {}", grouped(below.into()), span(tier.long)),
        ));
    }
    rows.push(impact(low.weighting));
    rows.push(activation(terms));
    Ok(Section::new(name.0, name.1, rows))
}

/// The fewest events of which so many bad ones are expected at a threshold: `n f beta >= below`.
fn asked_below(threshold: Fraction, below: u64) -> Result<u64, TooFine> {
    let events = Fraction::new(below, 1).over(threshold).ok_or(TooFine)?;
    Ok(events.numerator().div_ceil(events.denominator()))
}

fn impact(weighting: Weighting) -> Row {
    let (word, text) = match weighting {
        Weighting::Rate => ("rate", "the share of the budget that went is told and holds nothing back"),
        Weighting::Volume => ("volume", "a tier starts only if its long window spent its share of the period's budget"),
    };
    Row::new("impact", text).with("weighting", Value::Text(word.to_owned()))
}

fn activation(terms: &Terms) -> Row {
    let events = terms.activate_events;
    let text = match events {
        0 | 1 => "from the first event on".to_owned(),
        events => format!("no alerts until {} events were seen", grouped(events.into())),
    };
    Row::new("activation", text).with("activate_events", Value::Count(events))
}

/// What silence means.
pub(super) fn no_data(slo: &Slo, terms: &Terms) -> Section {
    let no_data = &terms.no_data;
    let after = span(no_data.after);
    let (word, expect) = match no_data.expect {
        Expect::Auto => (
            "auto",
            format!(
                "{after} without anything is a gap if the module sent metric points within 24 h, else it says nothing"
            ),
        ),
        Expect::Traffic => ("traffic", format!("{after} without events is a gap")),
        Expect::Nothing => ("nothing", "no events are no gap: there were no requests".to_owned()),
    };
    let floor = percent(Fraction::of(no_data.floor).unwrap_or(Fraction::ZERO));
    let seconds = |span: TimeSpan| Value::Seconds(Some(Fraction::new(span.seconds(), 1)));
    let severity = no_data.severity.name();
    let mut rows = vec![
        Row::new("silence", expect).with("expect", Value::Text(word.to_owned())).with("after", seconds(no_data.after)),
        Row::new(
            "floor",
            format!(
                "a window is measured if {floor} of it is no gap; else its tiers freeze: they neither start nor end"
            ),
        )
        .with("floor_ratio", ratio(no_data.floor)),
        Row::new("alert", format!("a {severity} when a gap lasts {}", span(no_data.alert_after)))
            .with("alert_after", seconds(no_data.alert_after))
            .with("severity", Value::Text(severity.to_owned())),
        Row::new("archive", format!("after {} without traffic; the history is kept", span(terms.ttl)))
            .with("ttl", seconds(terms.ttl)),
    ];
    if slo.method != Method::Occurrences {
        let (word, text) = match no_data.empty_slice {
            EmptySlice::Skip => ("skip", "a slice without events does not count"),
            EmptySlice::Good => ("good", "a slice without events is good"),
            EmptySlice::Bad => ("bad", "a slice without events is bad"),
        };
        rows.push(Row::new("empty slice", text).with("empty_slice", Value::Text(word.to_owned())));
    }
    Section::new("no_data", "When nothing comes", rows)
}

fn ratio(decimal: Decimal) -> Value {
    Fraction::of(decimal).map_or_else(|| Value::Text(decimal.to_string()), |ratio| Value::Ratio(ratio.quotient()))
}
