//! What an instance looks like after a tick: state, SLI, budget, tiers.

use super::incident::Incident;
use super::instance::Instance;
use super::sums::Sums;
use super::tiers::{Gates, Phase, TierState, Unit};
use super::truth::{Reading, Value};
use super::windows::View;
use crate::exact::{Decimal, Quotient};
use crate::saved;
use crate::spec::{Target, Terms, Tier};

const ONE: u128 = 100_000_000;

/// The state of an instance (`slo.md` 3.1), the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing was measured at all.
    NoData,
    /// A correction is in force.
    Maintenance,
    /// A tier cannot be told and stays as it is.
    Frozen,
    /// Too few events so far.
    Insufficient,
    /// The budget is spent.
    Exhausted,
    /// Both windows of a tier are over its factor.
    Critical,
    /// A short window is.
    Increasing,
    /// A long window is.
    Recovering,
    /// None is.
    Acceptable,
}

saved!(enum State {
    0 => NoData, 1 => Maintenance, 2 => Frozen, 3 => Insufficient, 4 => Exhausted, 5 => Critical, 6 => Increasing,
    7 => Recovering, 8 => Acceptable,
});

impl State {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 9] = [
        Self::NoData,
        Self::Maintenance,
        Self::Frozen,
        Self::Insufficient,
        Self::Exhausted,
        Self::Critical,
        Self::Increasing,
        Self::Recovering,
        Self::Acceptable,
    ];

    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoData => "no_data",
            Self::Maintenance => "maintenance",
            Self::Frozen => "frozen",
            Self::Insufficient => "insufficient",
            Self::Exhausted => "exhausted",
            Self::Critical => "critical",
            Self::Increasing => "increasing",
            Self::Recovering => "recovering",
            Self::Acceptable => "acceptable",
        }
    }
}

/// What a window counted, with what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// What is known of it.
    pub value: Value,
    /// Its sums, none below nought.
    pub sums: Sums,
    /// What its bad events are counted in.
    pub unit: Unit,
    /// Its burn rate; `None` without events.
    pub burn: Option<Quotient>,
}

saved!(struct Observed { value, sums, unit, burn });

/// The budget over its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Events, or slices, that it is a share of.
    pub total: u64,
    /// `beta x total`.
    pub allowed: Quotient,
    /// R: 1 when nothing was measured, negative when overspent.
    pub remaining: Quotient,
    /// `beta x total < 1`: not even one bad event fits.
    pub is_low_traffic: bool,
}

saved!(struct Budget { total, allowed, remaining, is_low_traffic });

/// A tier after a tick.
#[derive(Debug, Clone, PartialEq)]
pub struct TierStatus {
    /// The tier.
    pub tier: Tier,
    /// Where it stands.
    pub phase: Phase,
    /// It cannot be told: it stays as it is.
    pub is_frozen: bool,
    /// What its long window counted.
    pub long: Observed,
    /// What its short window counted.
    pub short: Option<Observed>,
    /// What low traffic says, while its burn is over.
    pub gates: Option<Gates>,
    /// The tick after which it stands so.
    pub since: u64,
    /// Its state: critical, increasing, recovering, acceptable.
    pub word: State,
    /// What its burn is measured by.
    pub target: Target,
}

saved!(struct TierStatus { tier, phase, is_frozen, long, short, gates, since, word, target });

/// An instance after a tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Its state.
    pub state: State,
    /// What the window of the budget counted.
    pub period: Observed,
    /// First tick of that window, and the first after it.
    pub period_ticks: (u64, u64),
    /// That window is one of a calendar.
    pub is_calendar: bool,
    /// The budget.
    pub budget: Budget,
    /// Its tiers.
    pub tiers: Vec<TierStatus>,
    /// The governing tier, by its place: the worst that fires, of those the shortest.
    pub governing: Option<usize>,
    /// Seconds until the budget is spent at the present burn, as if nothing left its window; `None`: never.
    pub ends_in: Option<Quotient>,
    /// The lowest step of the policy that is reached.
    pub policy_step: Option<String>,
    /// First tick of its life.
    pub born: u64,
    /// The first tick that has not closed.
    pub next: u64,
    /// Events since birth.
    pub seen: u64,
    /// Good and bad events since birth, as a counter that never falls: what was taken back is made up for later.
    pub counted: (u64, u64),
}

saved!(struct Status {
    state, period, period_ticks, is_calendar, budget, tiers, governing, ends_in, policy_step, born, next, seen, counted,
});

impl Observed {
    fn of(View { value, sums }: View<'_>, unit: Unit, target: Target) -> Self {
        let (sums, beta) = (sums.floored(), u128::from(target.beta()));
        let over = spent_of(sums.bad, beta * u128::from(sums.total), unit);
        Self { value, sums, unit, burn: over.and_then(|(bad, allowed)| Quotient::of(bad, allowed)) }
    }

    /// Good of all, or the mean of the slices' ratios; `None` without events.
    #[must_use]
    pub fn ratio(&self) -> Option<Quotient> {
        let total = u128::from(self.sums.total) * scale(self.unit);
        Quotient::difference(total, self.sums.bad.min(total), total)
    }

    /// Bad events, or slices: of `RatioTimeslices` with their fractions.
    #[must_use]
    pub fn bad(&self) -> Quotient {
        Quotient { is_negative: false, numerator: self.sums.bad, denominator: scale(self.unit) }
    }

    /// Share of its ticks that are no gaps; `None` without ticks.
    #[must_use]
    pub fn measured_ratio(&self) -> Option<Quotient> {
        let Sums { ticks, gaps, .. } = self.sums;
        Quotient::of(u128::from(ticks.saturating_sub(gaps)), ticks.into())
    }
}

const fn scale(unit: Unit) -> u128 {
    match unit {
        Unit::Whole => 1,
        Unit::Fraction => 1 << 64,
    }
}

/// `bad` and what is allowed (in 10^-8) over one denominator; of fractions to 2^-32 where they would not fit.
fn spent_of(bad: u128, allowed: u128, unit: Unit) -> Option<(u128, u128)> {
    match (bad.checked_mul(ONE), allowed.checked_mul(scale(unit)), unit) {
        (Some(bad), Some(allowed), _) => Some((bad, allowed)),
        (_, _, Unit::Fraction) => Some(((bad >> 32).checked_mul(ONE)?, allowed.checked_mul(1 << 32)?)),
        (_, _, Unit::Whole) => None,
    }
}

impl Instance {
    /// What holds for it.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Its tiers.
    #[must_use]
    pub fn tiers(&self) -> &[TierState] {
        &self.tiers
    }

    /// Its state.
    #[must_use]
    pub fn state(&self) -> State {
        let is = |word: State| self.tiers.iter().any(|tier| word_of(tier) == word);
        let asked = State::ALL.into_iter().find(|state| match state {
            State::NoData => self.windows.sums(self.period).total() == 0,
            State::Maintenance => self.next() > 0 && self.windows.effect(self.next() - 1).is_some(),
            State::Frozen => self.tiers.iter().any(|tier| tier.is_frozen),
            State::Insufficient => self.seen() < self.terms.activate_events,
            State::Exhausted => self.has_left_less_than(Decimal::ZERO, true),
            State::Critical => is(State::Critical),
            State::Increasing => is(State::Increasing),
            State::Recovering => is(State::Recovering),
            State::Acceptable => true,
        });
        asked.unwrap_or(State::Acceptable)
    }

    /// All that it looks like.
    #[must_use]
    pub fn status(&self) -> Status {
        let tiers = self.tiers.iter().map(|tier| TierStatus {
            tier: tier.tier,
            phase: tier.phase,
            is_frozen: tier.is_frozen,
            long: self.observed(tier.long),
            short: tier.short.map(|place| self.observed(place)),
            gates: tier.gates,
            since: tier.since,
            word: word_of(tier),
            target: self.terms.target,
        });
        let firing = self.tiers.iter().enumerate().filter(|(_, tier)| tier.phase == Phase::Firing);
        let governing = firing.max_by_key(|(_, tier)| (tier.tier.severity, std::cmp::Reverse(tier.tier.long)));
        Status {
            state: self.state(),
            period: self.observed(self.period),
            period_ticks: self.calendar.unwrap_or((self.windows.from(self.period), self.next())),
            budget: self.budget(),
            tiers: tiers.collect(),
            governing: governing.map(|(place, _)| place),
            ends_in: self.constant(),
            policy_step: self.policy_step().map(str::to_owned),
            born: self.born,
            next: self.next(),
            seen: self.seen(),
            is_calendar: self.calendar.is_some(),
            counted: self.counted,
        }
    }

    fn observed(&self, place: usize) -> Observed {
        Observed::of(self.windows.view(place, self.terms.no_data.floor), self.unit(), self.terms.target)
    }

    /// The budget.
    #[must_use]
    pub fn budget(&self) -> Budget {
        let (sums, total) = (self.windows.sums(self.period), self.budget_total());
        let allowed = u128::from(self.terms.target.beta()) * u128::from(total);
        let spent = spent_of(sums.bad(), allowed, self.unit());
        let remaining = spent.and_then(|(bad, whole)| Quotient::difference(whole, bad, whole));
        let one = Quotient { is_negative: false, numerator: 1, denominator: 1 };
        Budget {
            total,
            allowed: Quotient { is_negative: false, numerator: allowed, denominator: ONE },
            remaining: remaining.unwrap_or(one),
            is_low_traffic: allowed < ONE,
        }
    }

    /// The lowest step of the policy that is reached.
    fn policy_step(&self) -> Option<&str> {
        let reached = self.terms.policy.iter().zip(&self.steps).filter(|(_, is_reached)| **is_reached);
        reached.min_by_key(|(step, _)| step.below).map(|(step, _)| &*step.name)
    }

    /// The open incident.
    #[must_use]
    pub fn open_incident(&self) -> Option<&Incident> {
        self.incidents.open()
    }
}

/// What the two windows of a tier say together.
fn word_of(tier: &TierState) -> State {
    let long = tier.long_reading == Reading::Over;
    match (long, tier.short_reading.map_or(long, |short| short == Reading::Over)) {
        (true, true) => State::Critical,
        (false, true) => State::Increasing,
        (true, false) => State::Recovering,
        (false, false) => State::Acceptable,
    }
}
