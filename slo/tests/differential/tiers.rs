//! Tiers of the model: what two windows say together, what holds a start back, and where the tier then stands.

use std::cmp::Ordering;

use bailiwick_slo::spec::{self, Method, Op, Target, Weighting};

use crate::chance::{Tail, upper_tail};
use crate::model::{Bent, Counted, Known, Model, Q, decimal, fraction};

/// What a window says of a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Over,
    NotOver,
    Empty,
    Unmeasured,
}

/// What both say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Together {
    Yes,
    No,
    Unknown,
}

/// Where a tier stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    Ok,
    /// It has held for so many seconds.
    Pending(u64),
    Firing,
}

/// A tier, and what it found in the last tick.
pub(crate) struct Tier {
    pub(crate) tier: spec::Tier,
    /// f.
    factor: Q,
    /// f beta.
    pub(crate) threshold: Q,
    pub(crate) stand: Stand,
    pub(crate) is_frozen: bool,
    pub(crate) long: Says,
    pub(crate) short: Option<Says>,
    /// The p-value of this tick, where chance was asked.
    pub(crate) p_value: Option<f64>,
    /// Of this tick: the windows were over, and low traffic held the tier back.
    pub(crate) is_held_back: bool,
    /// Of this tick: low traffic was asked.
    pub(crate) asked: bool,
    /// Of this tick: chance was.
    pub(crate) asks_chance: bool,
}

impl Tier {
    pub(crate) fn new(tier: spec::Tier, target: Target) -> Self {
        let factor = fraction(tier.factor.numerator(), tier.factor.denominator());
        let beta = fraction(1, 1) - decimal(target.ratio());
        let threshold = &factor * beta;
        let (long, short, p_value) = (Says::Unmeasured, None, None);
        let (stand, is_frozen, is_held_back, asked, asks_chance) = (Stand::Ok, false, false, false, false);
        Self { tier, factor, threshold, stand, is_frozen, long, short, p_value, is_held_back, asked, asks_chance }
    }

    /// Reads both windows after a tick.
    pub(crate) fn read(&mut self, model: &Model) {
        let long = model.counted(model.rolling(self.tier.long.seconds()));
        let short = self.tier.short.map(|short| model.counted(model.rolling(short.seconds())));
        self.long = self.says(model, &long);
        self.short = short.map(|short| self.says(model, &short));
        (self.p_value, self.is_held_back, self.asked, self.asks_chance) = (None, false, false, false);
        let mut together = together(self.long, self.short);
        if together == Together::Yes && self.stand != Stand::Firing {
            self.asked = model.method == Method::Occurrences;
            self.is_held_back = model.bent != Bent::NoGates && self.gate(model, &long);
            let may_start = !self.is_held_back && !model.is_insufficient();
            together = if may_start { Together::Yes } else { Together::No };
        }
        self.is_frozen = together == Together::Unknown;
        self.stand = match (together, self.stand) {
            (Together::Unknown, _) if model.bent == Bent::NeverFrozen => Stand::Ok,
            (Together::Unknown, stand) => stand,
            (Together::No, _) => Stand::Ok,
            (Together::Yes, Stand::Firing) => Stand::Firing,
            (Together::Yes, stand) => {
                let held_s = if let Stand::Pending(held_s) = stand { held_s + model.grid.tick_s } else { 0 };
                if held_s >= self.tier.hold.seconds() { Stand::Firing } else { Stand::Pending(held_s) }
            }
        };
    }

    /// Its word in the state of the instance: a pair's (`slo.md` 3.1).
    pub(crate) fn word(&self) -> &'static str {
        match (self.long, self.short) {
            (Says::Over, None | Some(Says::Over)) => "critical",
            (_, Some(Says::Over)) => "increasing",
            (Says::Over, _) => "recovering",
            _ => "acceptable",
        }
    }

    fn says(&self, model: &Model, counted: &Counted) -> Says {
        match model.known(counted) {
            Known::Empty => Says::Empty,
            Known::Unmeasured => Says::Unmeasured,
            Known::Measured => {
                let takes_equal = self.tier.op == Op::Gte || model.bent == Bent::AlwaysGte;
                match model.compare(counted, &self.threshold) {
                    Ordering::Greater => Says::Over,
                    Ordering::Equal if takes_equal => Says::Over,
                    Ordering::Equal | Ordering::Less => Says::NotOver,
                }
            }
        }
    }

    /// Whether low traffic holds it back (`slo.md` 2.7).
    fn gate(&mut self, model: &Model, long: &Counted) -> bool {
        if model.method != Method::Occurrences {
            return false;
        }
        let terms = &model.terms.low_traffic;
        let mut is_chance = false;
        if fraction(long.raw_total, 1) * &self.threshold < fraction(terms.apply_below, 1) {
            self.asks_chance = true;
            let Tail { is_below, value } = tail(long, &self.threshold, &decimal(terms.alpha));
            (is_chance, self.p_value) = (!is_below, value);
        }
        is_chance || (terms.weighting == Weighting::Volume && !self.is_worth_it(model, long))
    }

    /// `bad(L) / (beta total(P)) >= f L / P`, total(P) scaled up while younger than P, its nominal length.
    fn is_worth_it(&self, model: &Model, long: &Counted) -> bool {
        let nominal_s = model.terms.period.nominal_seconds();
        let age_s = (model.next - model.born) * model.grid.tick_s;
        let total = fraction(model.counted_in_period().total, 1);
        let total = if age_s < nominal_s { total * fraction(nominal_s, age_s) } else { total };
        let least = &self.factor * fraction(self.tier.long.seconds(), nominal_s);
        model.bad(long) >= least * &model.beta * total
    }
}

fn tail(long: &Counted, p: &Q, alpha: &Q) -> Tail {
    let small = |q: &Q| {
        let part = |digits: &num_bigint::BigInt| u64::try_from(digits).expect("a small number");
        (part(q.numer()), part(q.denom()))
    };
    upper_tail(long.raw_total, long.raw_bad, small(p), small(alpha))
}

/// The table of `slo.md` 2.3.
fn together(long: Says, short: Option<Says>) -> Together {
    let Some(short) = short else {
        return match long {
            Says::Over => Together::Yes,
            Says::NotOver | Says::Empty => Together::No,
            Says::Unmeasured => Together::Unknown,
        };
    };
    let row = match long {
        Says::Over => [Together::Yes, Together::No, Together::Unknown, Together::Unknown],
        Says::NotOver | Says::Empty => [Together::No; 4],
        Says::Unmeasured => [Together::Unknown, Together::No, Together::Unknown, Together::Unknown],
    };
    match short {
        Says::Over => row[0],
        Says::NotOver => row[1],
        Says::Empty => row[2],
        Says::Unmeasured => row[3],
    }
}
