//! Tiers against the budget and the period: 012, 030 to 037.

use super::overrides::covers_rule;
use crate::document::compile::{Compiled, Places, RulePlaces};
use crate::document::finding::{Code, Findings, FixAt, Raw};
use crate::document::read::{TierAt, Tiers};
use crate::document::tree::Spot;
use crate::exact::{Decimal, Fraction};
use crate::spec::{Op, Patch, Rate, Severity, Target, Terms, Tier, TierSource, TimeSpan, preset_tiers};
use crate::time::SLOT_SECONDS;

/// 10^8, the denominator of budgets (`slo.md` 2.1).
const ONE: u64 = 100_000_000;
/// Per cent.
const HUNDRED: Fraction = Fraction::new(100, 1);
/// Tiers below this are told of (033).
const LEAST_FACTOR: Fraction = Fraction::new(9, 10);
/// Above this windows are counted in minutes (`slo.md` 2.2).
const HOUR: u64 = 3_600;

pub(super) fn judge(one: &Compiled, out: &mut Findings) {
    let Compiled { slo, at } = one;
    let base = Layer {
        terms: slo.draft.terms([]),
        source: &slo.draft.tiers,
        own: at.tiers.as_ref(),
        at: at.tiers.as_ref().map_or(at.target, |tiers| tiers.at),
        path: format!("{}.alerts.tiers", at.extension),
        is_made: at.is_made,
    };
    base.judge(out);
    for (index, place) in at.rules.iter().enumerate() {
        if let Some(layer) = layer(one, index, place) {
            layer.judge(out);
        }
    }
}

/// The terms that an override leaves, where it changes what tiers are judged by.
fn layer<'a>(one: &'a Compiled, index: usize, place: &'a RulePlaces) -> Option<Layer<'a>> {
    let Compiled { slo, at: Places { extension, is_made, .. } } = one;
    let at = place.tiers.as_ref().map(|tiers| tiers.at).or(place.target).or(place.period)?;
    let rule = &slo.overrides[index];
    let patches: Vec<&Patch> = slo
        .overrides
        .iter()
        .enumerate()
        .filter(|(other, outer)| *other == index || covers_rule(outer, rule))
        .map(|(_, outer)| &outer.patch)
        .collect();
    let terms = slo.draft.terms(patches.iter().copied());
    let source = patches.iter().rev().find_map(|patch| patch.tiers.as_ref()).unwrap_or(&slo.draft.tiers);
    let path = format!("{extension}.overrides[{}].alerts.tiers", place.index);
    Some(Layer { terms, source, own: place.tiers.as_ref(), at, path, is_made: *is_made })
}

/// Tiers as they hold for some instances.
struct Layer<'a> {
    terms: Terms,
    source: &'a TierSource,
    /// The tiers, where this layer wrote them itself.
    own: Option<&'a Tiers>,
    /// Where to tell of tiers that it did not write.
    at: Spot,
    /// Where its own tiers would go.
    path: String,
    is_made: bool,
}

impl Layer<'_> {
    fn judge(&self, out: &mut Findings) {
        let period = self.terms.period.nominal_seconds();
        let drafts = match self.source {
            TierSource::List(drafts) => drafts,
            TierSource::Preset(preset) => {
                let tiers = preset_tiers(*preset, period);
                for tier in &tiers {
                    self.judge_reach(tier, None, &tiers, out);
                }
                return;
            }
        };
        let tiers: Vec<_> = drafts.iter().map(|draft| draft.tier(period)).collect();
        let all: Vec<_> = tiers.iter().flatten().copied().collect();
        let own = self.own.filter(|own| own.places.len() == drafts.len());
        for (index, (draft, tier)) in drafts.iter().zip(&tiers).enumerate() {
            let place = own.map(|own| own.places[index]);
            match tier {
                Some(tier) if is_exact(tier, self.terms.target) => {
                    let windows_make_sense = self.judge_windows(tier, place, out);
                    let reach = self.judge_reach(tier, place.map(|place| (place, draft.rate)), &all, out);
                    if let Some(place) = place.filter(|_| windows_make_sense) {
                        Written { tier, place, rate: draft.rate, period, target: self.terms.target }.judge(reach, out);
                    }
                }
                _ => {
                    let raw = out.add(
                        Code::TooFine,
                        place.map_or(self.at, |place| place.rate),
                        "this factor has more digits than can be counted with exactly",
                    );
                    raw.help("factor x budget must fit 64 bits: use fewer decimals");
                }
            }
        }
    }

    /// Windows that make sense: 032.
    fn judge_windows(&self, tier: &Tier, place: Option<TierAt>, out: &mut Findings) -> bool {
        let period = self.terms.period.nominal_seconds();
        let long_at = place.map_or(self.at, |place| place.long);
        let short_at = place.and_then(|place| place.short).unwrap_or(long_at);
        let not_whole =
            |window| format!("the window {window} is not of whole ticks of {SLOT_SECONDS}s, above 1h minutes");
        let mut faults = Vec::new();
        if tier.long.seconds() > period {
            let usual = whole(period / if tier.severity == Severity::Page { 720 } else { 10 });
            faults.push((long_at, format!("the long window {} is longer than the period", tier.long), usual));
        }
        if !is_whole(tier.long) {
            faults.push((long_at, not_whole(tier.long), whole(tier.long.seconds())));
        }
        if let Some(short) = tier.short {
            if short >= tier.long {
                let message = format!("the short window {short} is not shorter than {}", tier.long);
                faults.push((short_at, message, whole(tier.long.seconds() / 12)));
            } else if !is_whole(short) {
                faults.push((short_at, not_whole(short), whole(short.seconds())));
            }
        }
        let make_sense = faults.is_empty();
        for (at, message, cured) in faults {
            let raw = out.add(Code::TierWindows, at, message);
            if let Some(cured) = cured.filter(|_| place.is_some_and(|place| place.is_ours)) {
                raw.fix(FixAt::Here, cured.to_string());
            }
        }
        make_sense
    }

    /// Whether a failure can burn so fast: 030, 031.
    fn judge_reach(&self, tier: &Tier, own: Option<(TierAt, Rate)>, all: &[Tier], out: &mut Findings) -> Reach {
        let beta = self.terms.target.beta();
        let burn = u128::from(tier.factor.numerator()) * u128::from(beta);
        let one = u128::from(tier.factor.denominator()) * u128::from(ONE);
        let reach = match (burn.cmp(&one), tier.op) {
            // The target of a made composite is nobody's.
            _ if self.is_made => return Reach::Good,
            (std::cmp::Ordering::Greater, _) | (std::cmp::Ordering::Equal, Op::Gt) => Reach::Never,
            _ if burn.saturating_mul(10) > one.saturating_mul(8) => Reach::Hardly,
            _ => return Reach::Good,
        };
        let at = own.map_or(self.at, |(place, _)| place.rate);
        let largest = Fraction::new(ONE, beta).floor(2).unwrap_or_default();
        let name = tier.name();
        let Some(cured) = cured(self.terms.target) else { return reach };
        if reach == Reach::Hardly {
            let message =
                format!("{name}: only a failure of over 80 % of all burns {} fold (at most {largest})", tier.factor);
            let raw = out.add(Code::NearlyUnreachable, at, message);
            raw.help(format!("a factor of {cured} leaves room"));
            self.cure(tier, own, all, cured, raw);
            return reach;
        }
        let consumed = consumed(cured, tier.long, self.terms.period.nominal_seconds(), |share| share.round(3));
        let message = format!("{name}: no failure burns {} fold; at this target at most {largest}", tier.factor);
        let raw = out.add(Code::Unreachable, at, message);
        raw.help(format!("factor {cured} consumes {consumed} % of the budget in {}; or drop the tier", tier.long));
        self.cure(tier, own, all, cured, raw);
        reach
    }

    /// The edit that makes a tier reachable: its own rate, or all tiers where a preset made them.
    fn cure(&self, tier: &Tier, own: Option<(TierAt, Rate)>, all: &[Tier], cured: Decimal, raw: &mut Raw) {
        let period = self.terms.period.nominal_seconds();
        match own {
            Some((_, rate)) => raw.fix(FixAt::Here, written(rate, cured, tier.long, period)),
            None => raw.fix(FixAt::Path(self.path.clone()), self.cured_list(all)),
        };
    }

    /// All tiers, written out, each as it can be reached.
    fn cured_list(&self, all: &[Tier]) -> String {
        let beta = self.terms.target.beta_fraction();
        let written = all.iter().map(|tier| {
            let is_over = tier.factor.times(beta).is_none_or(|burn| burn >= Fraction::ONE);
            let cured = cured(self.terms.target).filter(|_| is_over).or_else(|| tier.factor.decimal());
            let period = self.terms.period.nominal_seconds();
            let rate = match cured {
                Some(factor) => format!("factor: {factor}"),
                // 14/15 has no decimals, but what it consumes has.
                None => format!(
                    "consume: {}%",
                    Fraction::new(100, 1)
                        .times(tier.factor)
                        .and_then(|hundred| hundred.times(Fraction::new(tier.long.seconds(), period.max(1))))
                        .and_then(|share| share.floor(6))
                        .unwrap_or_default()
                ),
            };
            let short = tier.short.map(|short| format!(", short: {short}")).unwrap_or_default();
            let op = if tier.op == Op::Gte { ", op: gte" } else { "" };
            let hold = if tier.hold.seconds() > 0 { format!(", for: {}", tier.hold) } else { String::new() };
            format!("{{severity: {}, long: {}{short}, {rate}{op}{hold}}}", tier.severity.name(), tier.long)
        });
        format!("[{}]", written.collect::<Vec<_>>().join(", "))
    }
}

/// Whether a tier can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Good,
    Hardly,
    Never,
}

/// A tier that was written one by one.
struct Written<'a> {
    tier: &'a Tier,
    place: TierAt,
    rate: Rate,
    period: u64,
    target: Target,
}

impl Written<'_> {
    /// What is odd about it: 033, 035, 036, 037.
    fn judge(&self, reach: Reach, out: &mut Findings) {
        let Self { tier, place, .. } = *self;
        if tier.factor < LEAST_FACTOR && reach == Reach::Good {
            let message = format!("a factor of {} is exceeded while the budget lasts", tier.factor);
            let raw = out.add(Code::FactorLow, place.rate, message);
            raw.help("1 spends the budget just as the period ends");
            self.cure(Decimal::new(1, 0), raw);
        }
        if tier.short.is_none() {
            let message = format!("without a short window it fires for up to {} too long", tier.long);
            let raw = out.add(Code::NoShort, place.at, message);
            raw.help(match place.is_ours {
                true => "give `short`: a twelfth of `long`",
                false => "OpenSLO has no short window: give `spec.bailiwick.alerts`",
            });
            if let Some(short) = whole(tier.long.seconds() / 12).filter(|_| place.is_ours) {
                raw.fix(FixAt::Below("short"), short.to_string());
            }
        }
        if let Some(at) = place.hold.filter(|_| tier.hold.seconds() > 0) {
            let message = format!("it waits {} before it fires, and starts anew after each pause", tier.hold);
            let raw = out.add(Code::Hold, at, message);
            raw.help("the windows already wait; the SRE workbook, ch. 5, advises against more");
            if place.is_ours {
                raw.fix(FixAt::Here, "0s");
            }
        }
        let share = self.share(tier.factor);
        if reach == Reach::Good && share.is_none_or(|share| !is_usual(share)) {
            let percent = share.and_then(|share| share.times(HUNDRED)).and_then(|share| share.round(3));
            let percent = percent.map_or_else(|| "more than all".to_owned(), |percent| format!("{percent} %"));
            let message = format!("it fires when {percent} of the budget went in {}", tier.long);
            let usual = usual(tier);
            let raw = out.add(Code::Consumption, place.rate, message);
            raw.help(format!("the standard preset takes {usual} % here"));
            let span = Fraction::new(self.period, tier.long.seconds().max(1));
            if let Some(factor) = span.times(Fraction::new(usual, 100)).and_then(|factor| factor.floor(6)) {
                self.cure(factor, raw);
            }
        }
    }

    /// The share of the budget that a factor lets go in the long window.
    fn share(&self, factor: Fraction) -> Option<Fraction> {
        factor.times(Fraction::new(self.tier.long.seconds(), self.period.max(1)))
    }

    /// The edit to this factor, unless another finding would be told of it.
    fn cure(&self, factor: Decimal, raw: &mut Raw) {
        let Some(exact) = Fraction::of(factor).filter(|exact| *exact >= LEAST_FACTOR) else { return };
        let is_reached = exact.times(self.target.beta_fraction()).is_some_and(|burn| burn <= Fraction::new(8, 10));
        if self.place.is_ours && is_reached && self.share(exact).is_some_and(is_usual) {
            raw.fix(FixAt::Here, written(self.rate, factor, self.tier.long, self.period));
        }
    }
}

/// A tier consumes from 0.5 % to 50 % of the budget.
fn is_usual(share: Fraction) -> bool {
    share >= Fraction::new(5, 1_000) && share <= Fraction::new(1, 2)
}

/// A factor in the way in which the tier's rate was written: itself, or what it consumes.
fn written(rate: Rate, factor: Decimal, long: TimeSpan, period: u64) -> String {
    match rate {
        Rate::Factor(_) => factor.to_string(),
        Rate::Consume(_) => format!("{}%", consumed(factor, long, period, |share| share.floor(6))),
    }
}

/// The longest window of whole ticks of so many seconds at most.
fn whole(seconds: u64) -> Option<TimeSpan> {
    let step = if seconds > HOUR { 60 } else { SLOT_SECONDS };
    Some(TimeSpan(seconds / step * step)).filter(|window| window.seconds() > 0)
}

/// What the standard preset lets such a tier consume in 30 days, per cent.
const fn usual(tier: &Tier) -> u64 {
    match (tier.severity, tier.long.seconds()) {
        (Severity::Page, 0..=HOUR) => 2,
        (Severity::Page, _) => 5,
        _ => 10,
    }
}

/// Both products of the exact test fit 64 bits, so that no count overflows (`slo.md` 2.1).
fn is_exact(tier: &Tier, target: Target) -> bool {
    let factor = tier.factor;
    factor.numerator().checked_mul(target.beta()).is_some() && factor.denominator().checked_mul(ONE).is_some()
}

/// 0.8 / beta, rounded down to 0.01.
fn cured(target: Target) -> Option<Decimal> {
    Fraction::new(8, 10).over(target.beta_fraction())?.floor(2)
}

/// What a factor consumes of the budget in its long window, per cent.
fn consumed(factor: Decimal, long: TimeSpan, period: u64, round: impl FnOnce(Fraction) -> Option<Decimal>) -> String {
    let share = Fraction::of(factor)
        .and_then(|factor| factor.times(Fraction::new(long.seconds(), period.max(1))))
        .and_then(|share| share.times(HUNDRED))
        .and_then(round);
    share.map_or_else(|| "?".to_owned(), |share| share.to_string())
}

const fn is_whole(window: TimeSpan) -> bool {
    let seconds = window.seconds();
    seconds > 0 && seconds.is_multiple_of(if seconds > HOUR { 60 } else { SLOT_SECONDS })
}
