//! An incident in words: what a tired person understands at 3 a.m. Two to four sentences: who fails what and how badly,
//! what is known of it, what is left of the budget, where it comes from. Nothing is decided here.

mod figures;
mod words;

#[cfg(test)]
mod tests;

use self::figures::{about, clock, grouped, percent, probability, share, span};
use self::words::Words;
use super::fleet::{ALL, Key};
use super::incident::{Cause, Event, Incident, Kind, Reason};
use super::status::{Observed, State, Status, TierStatus};
use super::tiers::{Phase, Unit};
use super::truth::Value;
use crate::attribution::Part;
use crate::conventions::OTHER;
use crate::exact::{Decimal, Fraction, Quotient};
use crate::spec::{Period, PolicyStep, Sli, Slo, Terms, TimeSpan};
use crate::time::SLOT_SECONDS;

/// More than these nobody reads.
const SENTENCES_MAX: usize = 4;
/// From this share on, in tenths of a per cent, one value is what most came from.
const MOST: u64 = 500;

/// What is told of an incident.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Whose it is.
    pub key: &'a Key,
    /// What is promised.
    pub slo: &'a Slo,
    /// What holds for the instance.
    pub terms: &'a Terms,
    /// What happened.
    pub incident: &'a Incident,
    /// What the instance looked like when it was told last.
    pub status: &'a Status,
    /// Who the bad events came from, by dimension (`tenant`, `module`, `operation`).
    pub by: &'a [(&'static str, Vec<Part>)],
    /// The tick of the reader: times of its day go without a date.
    pub now: u64,
}

impl Told<'_> {
    /// The text. Times are UTC; ticks are slots of 10 s.
    #[must_use]
    pub fn text(&self) -> String {
        let mut sentences = vec![self.lead()];
        sentences.extend(self.resolved());
        sentences.extend(self.held());
        sentences.extend(self.budget());
        sentences.extend(self.source());
        // Of no interest to somebody who is woken up by another tier.
        if self.status.governing.is_none() {
            sentences.extend(self.status.tiers.iter().find_map(|tier| too_few(&self.slo.sli, tier)));
        }
        sentences.truncate(SENTENCES_MAX);
        sentences.join(" ")
    }

    /// Who fails what, and how badly.
    fn lead(&self) -> String {
        let (who, promise) = (self.who(), self.words().promise);
        if let Some((_, reason)) = self.incident.ended {
            return match reason {
                Reason::Recovered => format!("{who} keeps its {promise} promise again."),
                Reason::NoTraffic => format!("Nobody asks {who} any more: its {promise} promise is not in question."),
                Reason::Correction => format!("A correction took away what {who} failed its {promise} promise by."),
                Reason::SloChanged => format!("The {promise} promise of {who} is another one now."),
                Reason::SloDeleted => format!("The {promise} promise of {who} was taken back."),
                Reason::Expired => format!("{who} was quiet for so long that its {promise} promise is archived."),
                Reason::Closed => format!("Somebody closed the incident of {who} ({promise})."),
            };
        }
        match self.incident.cause {
            Cause::Tier(place) => self.of_tier(usize::from(place)),
            Cause::Policy(place) => self.of_step(self.terms.policy.get(usize::from(place))),
            Cause::NoData => format!("{who} sends nothing that its {promise} promise could be told by."),
            Cause::Forecast => format!("{who} is about to spend {} of {promise}.", self.the_budget()),
        }
    }

    fn of_tier(&self, cause: usize) -> String {
        let (who, promise) = (self.who(), self.words().promise);
        let fires = self.status.governing.is_some();
        let Some(tier) = self.status.tiers.get(self.status.governing.unwrap_or(cause)) else {
            return format!("{who} is failing its {promise} promise.");
        };
        if fires && tier.long.value != Value::Measured {
            return format!("{who} was failing its {promise} promise when data stopped.");
        }
        let counts = self.counts(&tier.long, tier.tier.long);
        if fires {
            return format!("{who} is failing its {promise} promise{counts}.");
        }
        let lasts = span(self.terms.alerts.hold_down.seconds());
        format!("{who} keeps its {promise} promise again{counts}. It is resolved once that lasts {lasts}.")
    }

    /// `: 43 of 1,400 requests failed in the last 1 h (3.07 %); 0.1 % is allowed`.
    fn counts(&self, observed: &Observed, long: TimeSpan) -> String {
        let words = self.words();
        let (last, total) = (span(long.seconds()), grouped(observed.sums.total.into()));
        let allowed = Decimal::new(i64::try_from(self.terms.target.beta()).unwrap_or(i64::MAX), 6);
        let whole = u128::from(observed.sums.total);
        match observed.unit {
            Unit::Whole => {
                let Some(ratio) = Quotient::of(observed.sums.bad, whole) else { return String::new() };
                let (bad, ratio) = (grouped(observed.sums.bad), percent(&ratio));
                format!(
                    ": {bad} of {total} {} {} in the last {last} ({ratio}); {allowed} % is allowed",
                    words.many, words.did
                )
            }
            Unit::Fraction if matches!(self.slo.sli, Sli::Composite(_)) => {
                let ratio = observed.ratio().and_then(|good| {
                    let bad = good.denominator.checked_sub(good.numerator)?;
                    Quotient::of(bad, good.denominator)
                });
                let Some(ratio) = ratio else { return String::new() };
                let ratio = percent(&ratio);
                format!(": its parts together were {ratio} bad in the last {last}; {allowed} % is allowed")
            }
            Unit::Fraction => {
                let Some(ratio) = Quotient::of(observed.sums.bad, whole << 64) else { return String::new() };
                let ratio = percent(&ratio);
                format!(
                    ": on average over {total} slices in the last {last}, {ratio} of {} {}; {allowed} % is allowed",
                    words.many, words.did
                )
            }
        }
    }

    /// What a step of the budget policy says.
    fn of_step(&self, step: Option<&PolicyStep>) -> String {
        let (who, promise, budget) = (self.who(), self.words().promise, self.the_budget());
        let Some(PolicyStep { name, below, message, .. }) = step else {
            return format!("{who} has little of {budget} of {promise} left.");
        };
        let edge = Decimal::new(below.mantissa().abs(), below.scale());
        let edge = Fraction::of(edge).map(|edge| percent(&quotient(edge))).unwrap_or_default();
        let left = match below.mantissa() {
            0 => "has spent all".to_owned(),
            mantissa if mantissa < 0 => format!("has spent {edge} more than all"),
            _ => format!("has less than {edge}"),
        };
        let left_over = if below.mantissa() > 0 { " left" } else { "" };
        let message = if message.is_empty() { String::new() } else { format!(": {message}") };
        format!("{who} {left} of {budget} of {promise}{left_over} ({name}{message}).")
    }

    /// When it ended and why.
    fn resolved(&self) -> Option<String> {
        let (ended, reason) = self.incident.ended?;
        let lasted = about(ended.saturating_sub(self.incident.opened) * SLOT_SECONDS);
        let why = match reason {
            Reason::Recovered => "recovered",
            Reason::NoTraffic => "no traffic",
            Reason::Correction => "corrected",
            Reason::SloChanged => "the SLO changed",
            Reason::SloDeleted => "the SLO was deleted",
            Reason::Expired => "expired",
            Reason::Closed => "closed by hand",
        };
        Some(format!("Resolved at {} after {lasted}: {why}.", clock(ended, self.now)))
    }

    /// Why it stays as it is, if it does.
    fn held(&self) -> Option<String> {
        const HELD: &str = "the alert is held, not resolved";
        if self.incident.ended.is_some() {
            return None;
        }
        if self.status.state == State::Maintenance {
            return Some(format!("A correction is in force; {HELD}."));
        }
        if self.incident.cause == Cause::NoData {
            return self.gap_began().map(|began| format!("No data since {}.", clock(began, self.now)));
        }
        let tier = self.status.tiers.iter().find(|tier| tier.phase == Phase::Firing && tier.is_frozen)?;
        let unknown = tier.short.as_ref().zip(tier.tier.short).filter(|(short, _)| short.value != Value::Measured);
        let (window, length) = unknown.unwrap_or((&tier.long, tier.tier.long));
        let what = match (window.value, window.sums.total) {
            (Value::Empty, _) => format!("No {} in the last {}", self.words().many, span(length.seconds())),
            (_, 0) => match self.gap_of(window, length) {
                Some(began) => format!("No data since {}", clock(began, self.now)),
                None => format!("No data in the last {}", span(length.seconds())),
            },
            _ => format!("Too much data is missing in the last {}", span(length.seconds())),
        };
        Some(format!("{what}; {HELD}."))
    }

    /// When the gap began that a window without events is in, where that is certain.
    fn gap_of(&self, window: &Observed, length: TimeSpan) -> Option<u64> {
        let began = self.gap_began()?;
        let from = self.status.next.saturating_sub(length.seconds() / SLOT_SECONDS);
        (window.sums.gaps > 0 && (window.sums.gaps == window.sums.ticks || began >= from)).then_some(began)
    }

    /// The first tick of the latest gap that was told.
    fn gap_began(&self) -> Option<u64> {
        let events = &self.incident.events;
        let place = events.iter().rposition(|event| event.kind == Kind::NoData)?;
        let opens = place == 0 || matches!(events[place - 1], Event { kind: Kind::Resolved(_), .. });
        // What opens an incident is a gap that has lasted since the tick that showed it first; in an open one the first tick of a gap is told.
        let lasted = if opens { self.terms.no_data.alert_after.seconds() / SLOT_SECONDS + 1 } else { 1 };
        Some(events[place].at.saturating_sub(lasted))
    }

    /// What is left of the budget, and how long that lasts.
    fn budget(&self) -> Option<String> {
        if self.status.period.sums.total == 0 {
            return None;
        }
        let (budget, remaining) = (self.the_budget(), self.status.budget.remaining);
        if remaining.is_negative || remaining.numerator == 0 {
            let spent = remaining.denominator.checked_add(remaining.numerator);
            let spent = spent.and_then(|spent| Quotient::of(spent, remaining.denominator));
            let over = spent.filter(|_| remaining.numerator > 0).map(|spent| percent(&spent));
            let over = over.map(|spent| format!(": {spent} of it is gone")).unwrap_or_default();
            return Some(capitalized(&format!("{budget} is spent{over}.")));
        }
        let left = percent(&remaining);
        match self.ends_in().filter(|_| self.incident.ended.is_none()) {
            Some(seconds) => Some(format!("At this rate {budget} ends in {}; {left} of it is left.", about(seconds))),
            None => Some(capitalized(&format!("{left} of {budget} is left."))),
        }
    }

    /// `R x P / b`, rounded down to seconds (`slo.md` 2.6, constant); `None` if it lasts for the period.
    fn ends_in(&self) -> Option<u64> {
        let ends_in = self.status.ends_in?;
        let seconds = u64::try_from(ends_in.numerator / ends_in.denominator).ok()?;
        let period = self.terms.period.nominal_seconds();
        let left = match self.terms.period {
            Period::Rolling(_) => period,
            Period::Calendar(_) => self.status.period_ticks.1.saturating_sub(self.status.next) * SLOT_SECONDS,
        };
        (seconds < left).then_some(seconds)
    }

    /// Where most of it comes from.
    fn source(&self) -> Option<String> {
        let is_open = |name: &str| match name {
            "tenant" => &*self.key.tenant == ALL,
            "module" => &*self.key.module == ALL,
            _ => true,
        };
        let tops = self.by.iter().filter(|(name, _)| is_open(name)).filter_map(|(_, parts)| parts.first());
        let top =
            tops.filter(|part| part.value != OTHER).reduce(|one, two| if two.share > one.share { two } else { one });
        let Part { value, share: part, .. } = top?;
        Some(match *part {
            1_000 => format!("All from {value}."),
            part if part > MOST => format!("Most from {value} ({}).", share(part)),
            part => format!("The largest part from {value} ({}).", share(part)),
        })
    }

    fn who(&self) -> String {
        let name = |name: &str, all: &str| if name == ALL { all.to_owned() } else { name.to_owned() };
        format!("{} / {}", name(&self.key.tenant, "all tenants"), name(&self.key.module, "all modules"))
    }

    fn words(&self) -> Words<'_> {
        Words::of(self.slo)
    }

    /// `the 30 d budget`, `this month's budget`.
    fn the_budget(&self) -> String {
        match &self.terms.period {
            Period::Rolling(length) => format!("the {} budget", span(length.seconds())),
            Period::Calendar(calendar) => words::calendar_budget(calendar),
        }
    }
}

/// Why a tier whose burn is over does not fire: `2 failures in 12 are too few to tell (p = 0.012).`
#[must_use]
pub fn too_few(sli: &Sli, tier: &TierStatus) -> Option<String> {
    let gates = tier.gates.filter(|gates| gates.holds_back && tier.phase != Phase::Firing)?;
    let (bad, total) = (tier.long.sums.raw_bad, tier.long.sums.raw_total);
    let (noun, are) = (words::bad_ones(sli, bad), if bad == 1 { "is" } else { "are" });
    let why = match gates.p_value {
        Some(p) => format!("too few to tell ({})", probability(p)),
        None => format!("too small a part of the budget for a {}", tier.tier.severity.name()),
    };
    Some(format!("{} {noun} in {} {are} {why}.", grouped(bad.into()), grouped(total.into())))
}

fn quotient(fraction: Fraction) -> Quotient {
    Quotient { is_negative: false, numerator: fraction.numerator().into(), denominator: fraction.denominator().into() }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
