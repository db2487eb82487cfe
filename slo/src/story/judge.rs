//! What was expected, held against what was found.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::play::{Found, Moment, Play};
use super::{Expect, Problem, Story, Wanted, read};
use crate::engine::incident::{Event, Kind};
use crate::engine::status::{Observed, TierStatus};
use crate::exact::{Decimal, Fraction, Quotient};
use crate::spec::Severity;

/// A list of what does not hold.
struct Judge<'a> {
    play: &'a Play,
    story: &'a Story,
    line: u32,
    problems: Vec<Problem>,
}

type Values = BTreeMap<String, Wanted>;

/// Holds every expectation against what was played.
pub(super) fn judge(story: &Story, play: &mut Play) -> Vec<Problem> {
    let mut judge = Judge { play, story, line: 0, problems: Vec::new() };
    if story.expect.is_empty() {
        judge.fault("a story without `expect` proves nothing");
    }
    let expects_errors = story.expect.iter().any(|expect| expect.values.contains_key("errors"));
    if !story.errors.is_empty() && !expects_errors {
        judge.fault(&format!("the definition has errors: {}", story.errors.join(", ")));
    }
    story.expect.iter().for_each(|expect| judge.entry(expect));
    judge.problems
}

impl Judge<'_> {
    fn fault(&mut self, message: &str) {
        self.problems.push(Problem { line: self.line, message: message.to_owned() });
    }

    fn hold(&mut self, what: &str, wanted: &Wanted, found: &str, holds: bool) {
        if !holds {
            self.fault(&format!("{what}: expected {}, found {found}", shown(wanted)));
        }
    }

    fn entry(&mut self, expect: &Expect) {
        self.line = expect.line;
        if let Some(wanted) = expect.values.get("errors") {
            let found = self.story.errors.clone();
            return self.hold("errors", wanted, &found.join(", "), texts(wanted) == found);
        }
        let (Some(tenant), Some(module)) = (text(expect.values.get("tenant")), text(expect.values.get("module")))
        else {
            return self.fault("an expectation names `tenant` and `module`");
        };
        let found = self.play.of(tenant, module, text(expect.values.get("slo")));
        if let Some(wanted) = expect.values.get("exists") {
            let exists = found.is_some();
            self.hold("exists", wanted, &exists.to_string(), text(Some(wanted)) == Some(&exists.to_string()));
        }
        let nobody = Found::default();
        let found = found.unwrap_or(&nobody);
        match (expect.values.get("at"), text(expect.values.get("tier"))) {
            (Some(at), tier) => self.moment(at, tier, &expect.values, found),
            (None, Some(tier)) => self.firing(tier, &expect.values, found),
            (None, None) => self.lists(&expect.values, found),
        }
    }

    fn moment(&mut self, at: &Wanted, tier: Option<&str>, values: &Values, found: &Found) {
        let Some(seconds) = text(Some(at)).and_then(read::seconds) else { return self.fault("`at` is no duration") };
        let moment = found.at.get(&seconds);
        if let Some(name) = tier {
            let tier = moment.and_then(|moment| moment.status.tiers.iter().find(|tier| is_called(tier, name)));
            return match tier {
                Some(tier) => self.tier_at(name, tier, values),
                None => self.fault(&format!("there is no tier {name} at that time")),
            };
        }
        for (key, wanted) in values {
            match key.as_str() {
                "tenant" | "module" | "slo" | "at" | "exists" => {}
                "period" => self.period(wanted, moment),
                "forecast" => self.forecast(wanted, moment),
                key => self.figure(key, wanted, moment),
            }
        }
    }

    fn figure(&mut self, key: &str, wanted: &Wanted, moment: Option<&Moment>) {
        let status = moment.map(|moment| &moment.status);
        let number = |quotient: Option<Quotient>| quotient.map_or_else(|| "null".to_owned(), |found| found.to_string());
        let found = match key {
            "sli" => number(status.and_then(|status| status.period.ratio())),
            "remaining" => status.map_or_else(|| "1".to_owned(), |status| status.budget.remaining.to_string()),
            "state" => status.map_or("no_data", |status| status.state.name()).to_owned(),
            "level" => moment.and_then(|moment| moment.level).map_or("none", Severity::name).to_owned(),
            "policy_step" => status.and_then(|status| status.policy_step.clone()).unwrap_or_else(|| "null".to_owned()),
            _ => return self.fault(&format!("unknown key `{key}`")),
        };
        self.hold(key, wanted, &found, is_same(wanted, &found));
    }

    fn period(&mut self, wanted: &Wanted, moment: Option<&Moment>) {
        let (Wanted::Map(parts), Some(moment)) = (wanted, moment) else { return self.fault("`period` of nobody") };
        let (from, to) = moment.status.period_ticks;
        let unix = |tick: u64| self.story.start_s + self.play.seconds(tick);
        let (from, to) = (unix(from), unix(to));
        for (key, wanted) in parts {
            let found = match key.as_str() {
                "from" => instant(from),
                "to" => instant(to),
                _ => (to - from).to_string(),
            };
            self.hold(key, wanted, &found, is_same(wanted, &found));
        }
    }

    fn forecast(&mut self, wanted: &Wanted, moment: Option<&Moment>) {
        let forecast = moment.and_then(|moment| moment.forecast);
        let (Wanted::Map(parts), Some(forecast)) = (wanted, forecast) else {
            return self.fault("`forecast` of nobody");
        };
        for (key, wanted) in parts {
            let found = match key.as_str() {
                "constant" => forecast.constant.map(|seconds| seconds.to_string()),
                _ => forecast.rolling.map(|seconds| seconds.to_string()),
            };
            let wanted_s = text(Some(wanted)).and_then(read::seconds).map(|seconds| seconds.to_string());
            let shown = found.clone().unwrap_or_else(|| "null".to_owned());
            self.hold(key, wanted, &shown, wanted_s == found);
        }
    }

    fn tier_at(&mut self, name: &str, tier: &TierStatus, values: &Values) {
        let held = tier.gates.filter(|gates| gates.holds_back).map_or("null", |gates| gates.why());
        for (key, wanted) in values {
            let found = match key.as_str() {
                "tenant" | "module" | "slo" | "at" | "tier" => continue,
                "state" => tier.phase.name().to_owned(),
                "frozen" => tier.is_frozen.to_string(),
                "word" => tier.word.name().to_owned(),
                "held" => held.to_owned(),
                "p_value" => {
                    let found = tier.gates.and_then(|gates| gates.p_value);
                    let holds = match (text(Some(wanted)).and_then(|text| text.parse::<f64>().ok()), found) {
                        (Some(wanted), Some(found)) => (wanted - found).abs() <= 1e-9,
                        (None, None) => true,
                        _ => false,
                    };
                    self.hold(&format!("{name} p_value"), wanted, &format!("{found:?}"), holds);
                    continue;
                }
                "observed" => {
                    self.observed(name, tier, wanted);
                    continue;
                }
                _ => return self.fault(&format!("unknown key `{key}`")),
            };
            self.hold(&format!("{name} {key}"), wanted, &found, is_same(wanted, &found));
        }
    }

    fn observed(&mut self, name: &str, tier: &TierStatus, wanted: &Wanted) {
        let Wanted::Map(sides) = wanted else { return self.fault("`observed` has `long` and `short`") };
        for (side, parts) in sides {
            let observed = if side == "long" { Some(&tier.long) } else { tier.short.as_ref() };
            let (Wanted::Map(parts), Some(observed)) = (parts, observed) else {
                self.fault(&format!("{name} has no {side} window"));
                continue;
            };
            for (key, wanted) in parts {
                let found = part(observed, key);
                self.hold(&format!("{name} {side} {key}"), wanted, &found, is_same(wanted, &found));
            }
        }
    }

    fn firing(&mut self, name: &str, values: &Values, found: &Found) {
        let Some(wanted) = values.get("firing") else { return self.fault("a tier has `firing`") };
        let spans = found.firing.iter().find(|(known, _)| same_tier(known, name)).map(|(_, spans)| spans.clone());
        let Some(spans) = spans else { return self.fault(&format!("there is no tier {name}")) };
        let asked: Vec<(Option<i64>, Option<i64>)> = items(wanted)
            .iter()
            .map(|span| {
                let edge = |place: usize| text(items(span).get(place)).and_then(read::seconds);
                (edge(0), edge(1))
            })
            .collect();
        let holds = asked == spans.iter().map(|(from, to)| (Some(*from), *to)).collect::<Vec<_>>();
        self.hold(&format!("{name} firing"), wanted, &format!("{spans:?}"), holds);
    }

    fn lists(&mut self, values: &Values, found: &Found) {
        let types = values.get("types").map(texts);
        for (key, wanted) in values {
            let rows: Vec<Values> = match key.as_str() {
                "tenant" | "module" | "slo" | "types" | "exists" => continue,
                "incidents" => self.incidents(found),
                "events" => {
                    let asked = |event: &&Event| {
                        types.as_ref().is_none_or(|types| types.contains(&event.kind.name().to_owned()))
                    };
                    found.events.iter().filter(asked).map(|event| self.event(event)).collect()
                }
                "tiers" => tiers(found),
                _ => return self.fault(&format!("unknown key `{key}`")),
            };
            let asked = items(wanted);
            let holds =
                asked.len() == rows.len() && asked.iter().zip(&rows).all(|(wanted, row)| row_holds(wanted, row));
            let shown: Vec<String> = rows.into_iter().map(|row| shown(&Wanted::Map(row))).collect();
            self.hold(key, wanted, &shown.join(" "), holds);
        }
    }

    fn incidents(&self, found: &Found) -> Vec<Values> {
        let rows = found.incidents.iter().map(|(incident, levels)| {
            let time = |at: Option<i64>| at.map_or(Wanted::Nothing, |at| Wanted::Text(format!("{at}s")));
            let resolved = levels.last().filter(|(_, level)| level.is_none()).map(|(at, _)| *at);
            let level = |level: Option<Severity>| Wanted::Text(level.map_or("none", Severity::name).to_owned());
            let levels = levels.iter().map(|(at, to)| Wanted::List(vec![time(Some(*at)), level(*to)])).collect();
            Values::from([
                ("opened".to_owned(), time(Some(self.play.seconds(incident.opened)))),
                ("ended".to_owned(), time(incident.ended.map(|(at, _)| self.play.seconds(at)))),
                ("resolved".to_owned(), time(resolved)),
                ("level".to_owned(), level(Some(incident.level))),
                ("peak_level".to_owned(), level(Some(incident.peak))),
                ("reason".to_owned(), word(incident.ended.map(|(_, reason)| reason.name()))),
                ("reopened".to_owned(), Wanted::Text(incident.reopened.to_string())),
                ("levels".to_owned(), Wanted::List(levels)),
            ])
        });
        rows.collect()
    }

    fn event(&self, event: &Event) -> Values {
        let reason = if let Kind::Resolved(reason) = event.kind { Some(reason.name()) } else { None };
        Values::from([
            ("at".to_owned(), Wanted::Text(format!("{}s", self.play.seconds(event.at)))),
            ("type".to_owned(), word(Some(event.kind.name()))),
            ("level".to_owned(), word(Some(event.level.name()))),
            ("reason".to_owned(), word(reason)),
            ("repeat".to_owned(), Wanted::Text(event.repeat.to_string())),
        ])
    }
}

fn tiers(found: &Found) -> Vec<Values> {
    let status = found.last.as_ref().map(|moment| &moment.status);
    let rows = status.into_iter().flat_map(|status| &status.tiers).map(|tier| {
        let threshold = tier.tier.factor.times(tier.target.beta_fraction());
        Values::from([
            ("tier".to_owned(), Wanted::Text(tier.tier.name())),
            ("factor".to_owned(), Wanted::Text(fraction_text(tier.tier.factor))),
            (
                "threshold".to_owned(),
                threshold.map_or(Wanted::Nothing, |threshold| Wanted::Text(fraction_text(threshold))),
            ),
            ("for".to_owned(), Wanted::Text(format!("{}s", tier.tier.hold.seconds()))),
        ])
    });
    rows.collect()
}

fn fraction_text(fraction: Fraction) -> String {
    format!("{}/{}", fraction.numerator(), fraction.denominator())
}

fn part(observed: &Observed, key: &str) -> String {
    match key {
        "state" => observed.value.name().to_owned(),
        "bad" => observed.bad().to_string(),
        "total" => observed.sums.total.to_string(),
        "burn" => observed.burn.map_or_else(|| "null".to_owned(), |burn| burn.to_string()),
        _ => format!("no such key as `{key}`"),
    }
}

fn row_holds(wanted: &Wanted, row: &Values) -> bool {
    let Wanted::Map(asked) = wanted else { return false };
    asked.iter().all(|(key, wanted)| row.get(key).is_some_and(|found| same_value(key, wanted, found)))
}

fn same_value(key: &str, wanted: &Wanted, found: &Wanted) -> bool {
    match (key, wanted, found) {
        (_, Wanted::Nothing, Wanted::Nothing) => true,
        ("tier", Wanted::Text(wanted), Wanted::Text(found)) => same_tier(found, wanted),
        ("factor" | "threshold", Wanted::Text(wanted), Wanted::Text(found)) => {
            fraction(wanted).is_some() && fraction(wanted) == fraction(found)
        }
        (_, Wanted::List(wanted), Wanted::List(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(one, other)| same_value("", one, other))
        }
        (_, Wanted::Text(wanted), Wanted::Text(found)) => {
            wanted == found || read::seconds(wanted).is_some_and(|seconds| Some(seconds) == read::seconds(found))
        }
        _ => false,
    }
}

/// `14.4`, `14/15`.
fn fraction(text: &str) -> Option<Fraction> {
    match text.split_once('/') {
        Some((over, under)) => Some(Fraction::new(over.parse().ok()?, under.parse().ok().filter(|under| *under > 0)?)),
        None => Fraction::of(text.parse().ok()?),
    }
}

/// Texts are the same, or numbers are, or nothing is wanted and nothing is there.
fn is_same(wanted: &Wanted, found: &str) -> bool {
    match wanted {
        Wanted::Nothing => found == "null",
        Wanted::Text(wanted) => {
            let numbers = (wanted.parse::<Decimal>(), found.parse::<Decimal>());
            wanted == found || matches!(numbers, (Ok(wanted), Ok(found)) if wanted == found)
        }
        Wanted::List(_) | Wanted::Map(_) => false,
    }
}

fn is_called(tier: &TierStatus, name: &str) -> bool {
    same_tier(&tier.tier.name(), name)
}

/// `page/1h/5m` and `page/60m/300s` are the same tier.
fn same_tier(one: &str, other: &str) -> bool {
    let parts = |name: &str| -> Vec<String> {
        name.split('/').map(|part| read::seconds(part).map_or_else(|| part.to_owned(), |s| s.to_string())).collect()
    };
    parts(one) == parts(other)
}

fn instant(unix_s: i64) -> String {
    jiff::Timestamp::from_second(unix_s).map_or_else(|_| unix_s.to_string(), |at| at.to_string())
}

fn word(text: Option<&str>) -> Wanted {
    text.map_or(Wanted::Nothing, |text| Wanted::Text(text.to_owned()))
}

fn text(wanted: Option<&Wanted>) -> Option<&str> {
    if let Some(Wanted::Text(text)) = wanted { Some(text) } else { None }
}

fn items(wanted: &Wanted) -> &[Wanted] {
    if let Wanted::List(items) = wanted { items } else { &[] }
}

fn texts(wanted: &Wanted) -> Vec<String> {
    items(wanted).iter().filter_map(|item| text(Some(item)).map(str::to_owned)).collect()
}

fn shown(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Nothing => "null".to_owned(),
        Wanted::Text(text) => text.clone(),
        Wanted::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Wanted::Map(entries) => {
            let mut text = String::from("{");
            for (place, (key, value)) in entries.iter().enumerate() {
                let comma = if place > 0 { ", " } else { "" };
                let _ = write!(text, "{comma}{key}: {}", shown(value));
            }
            text + "}"
        }
    }
}
