//! One stream, lived through by the engine and by the model; the first difference ends it.

use std::fmt::Write;

use bailiwick_slo::engine::fleet::{Fleet, Limits};
use bailiwick_slo::engine::instance::Instance;
use bailiwick_slo::engine::status::Observed;
use bailiwick_slo::engine::sums::{Delta, Source};
use bailiwick_slo::engine::tiers::Unit;
use bailiwick_slo::engine::truth::{Reading, Value};
use bailiwick_slo::engine::windows::Effect;
use bailiwick_slo::exact::Quotient;
use bailiwick_slo::spec::Method;

use crate::model::{Bent, Counted, Counts, Heard, Known, Model, Q, fraction};
use crate::prng::Random;
use crate::promise::{Promise, promise};
use crate::slices;
use crate::tiers::{Says, Stand, Tier};
use crate::traffic::{EARLIER_TICKS, Moment, Traffic, Wild};

/// What was compared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) ticks: u64,
    pub(crate) readings: u64,
    pub(crate) windows: u64,
    pub(crate) budgets: u64,
    pub(crate) p_values: u64,
    /// Sums of shortfalls that were summed without rounding too.
    pub(crate) roundings: u64,
    pub(crate) held_back: u64,
    pub(crate) fired: u64,
    pub(crate) frozen: u64,
    /// Burns that were just the factor.
    pub(crate) equal: u64,
    /// By the place of the state in the list of all.
    pub(crate) states: [u64; 9],
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.ticks += other.ticks;
        self.readings += other.readings;
        self.windows += other.windows;
        self.budgets += other.budgets;
        self.p_values += other.p_values;
        self.roundings += other.roundings;
        self.held_back += other.held_back;
        self.fired += other.fired;
        self.frozen += other.frozen;
        self.equal += other.equal;
        for (sum, state) in self.states.iter_mut().zip(other.states) {
            *sum += state;
        }
    }
}

/// Where they differ.
#[derive(Debug)]
pub(crate) struct Disagreement {
    pub(crate) seed: u64,
    pub(crate) tick: u64,
    pub(crate) what: String,
    pub(crate) promise: Box<Promise>,
}

const STATES: [&str; 9] = [
    "no_data",
    "maintenance",
    "frozen",
    "insufficient",
    "exhausted",
    "critical",
    "increasing",
    "recovering",
    "acceptable",
];

/// Both sides of a stream.
pub(crate) struct Duel {
    promise: Promise,
    fleet: Fleet,
    place: u32,
    model: Model,
    random: Random,
    /// Ticks left out up to now.
    missed: u64,
    pub(crate) tally: Tally,
}

impl Duel {
    /// The stream of this seed, against a model with or without a fault.
    pub(crate) fn run(seed: u64, bent: Bent, wild: Wild) -> Result<Tally, Disagreement> {
        let mut random = Random::new(seed);
        let promise = promise(&mut random, wild);
        let mut traffic = Traffic::new(random.clone(), promise.clone(), wild);
        let mut duel = Self::new(promise, random, bent);
        for _ in 0..duel.promise.ticks {
            let moment = traffic.next();
            if let Err(what) = duel.live(&moment) {
                let (tick, promise) = (duel.model.next - 1, Box::new(duel.promise));
                return Err(Disagreement { seed, tick, what, promise });
            }
        }
        Ok(duel.tally)
    }

    fn new(promise: Promise, random: Random, bent: Bent) -> Self {
        let Promise { slo, grid, first, ticks } = promise.clone();
        let (terms, method) = (slo.terms_of("acme", "rag_hub"), slo.method);
        let until = i64::try_from((first + ticks) * grid.tick_s).expect("not so late");
        let mut model = Model::new(terms, method, grid, (first, EARLIER_TICKS, until));
        model.bent = bent;
        let limits = Limits { instances_max: 10, memory_bytes_max: usize::MAX };
        let mut fleet = Fleet::new(vec![slo], grid, "store", limits);
        let places = fleet.places_of(("acme", "rag_hub", "ask"), first);
        let [place] = places[..] else { panic!("one instance for one series") };
        Self { promise, fleet, place, model, random, missed: 0, tally: Tally::default() }
    }

    /// A tick of both.
    fn live(&mut self, moment: &Moment) -> Result<(), String> {
        let tick = self.model.next + self.missed;
        if moment.is_left_out {
            self.missed += 1;
            return Ok(());
        }
        for (at, counts) in &moment.changes {
            self.fleet.bring(self.place, *at, delta(counts));
        }
        let heard = moment.heard.expect("what is not left out has a source");
        let source = match heard {
            Heard::Silent => Source::Silent,
            Heard::Alive => Source::Alive,
            Heard::Dead => Source::Dead,
        };
        self.fleet.close(tick, |_, _| source);
        // Ticks that were left out are closed when the next one is, as gaps; what is known by then of their time and
        // before shows in them.
        let mut changes = moment.changes.clone();
        for _ in 0..std::mem::take(&mut self.missed) {
            let (due, later) = changes.into_iter().partition(|(at, _)| *at <= self.model.next);
            let due: Vec<(u64, Counts)> = due;
            self.model.close(Heard::Dead, &due);
            changes = later;
        }
        let before: Vec<Stand> = self.model.tiers.iter().map(|tier| tier.stand).collect();
        self.model.close(heard, &changes);
        self.tally.ticks += 1;
        self.compare_tiers()?;
        if let Some(effects) = &moment.effects {
            self.fleet.correct(self.place, Effect::joined(effects));
            self.model.effects.clone_from(effects);
            return self.compare_windows();
        }
        let has_moved = self.model.tiers.iter().zip(before).any(|(tier, stand)| tier.stand != stand);
        let is_near_edge = tick.is_multiple_of(60) || tick < self.promise.first + 20;
        if has_moved || is_near_edge || self.random.per_mille(100) {
            self.compare_windows()?;
            self.compare_state()?;
        }
        Ok(())
    }

    fn instance(&self) -> &Instance {
        &self.fleet.members()[usize::try_from(self.place).expect("few")].instance
    }

    /// Readings, phases, gates.
    fn compare_tiers(&mut self) -> Result<(), String> {
        let mut tally = self.tally;
        same("number of tiers", &self.instance().tiers().len(), &self.model.tiers.len())?;
        for (theirs, ours) in self.instance().tiers().iter().zip(&self.model.tiers) {
            let name = ours.tier.name();
            let stand = match ours.stand {
                Stand::Ok => "ok",
                Stand::Pending(_) => "pending",
                Stand::Firing => "firing",
            };
            same(&format!("long reading of {name}"), &theirs.long_reading, &reading(ours.long))?;
            same(&format!("short reading of {name}"), &theirs.short_reading, &ours.short.map(reading))?;
            same(&format!("phase of {name}"), &theirs.phase.name(), &stand)?;
            same(&format!("frozen of {name}"), &theirs.is_frozen, &ours.is_frozen)?;
            if let (Some(gates), true) = (theirs.gates, ours.asked) {
                same(&format!("{name} is held back"), &gates.holds_back, &ours.is_held_back)?;
                tally.p_values += u64::from(compare_chance(&name, gates.p_value, ours)?);
            }
            tally.readings += 1 + u64::from(ours.short.is_some());
            tally.held_back += u64::from(ours.is_held_back);
            tally.fired += u64::from(ours.stand == Stand::Firing);
            tally.frozen += u64::from(ours.is_frozen);
        }
        self.tally = tally;
        Ok(())
    }

    /// Sums, values, burns, budget.
    fn compare_windows(&mut self) -> Result<(), String> {
        let status = self.instance().status();
        for (theirs, ours) in status.tiers.iter().zip(&self.model.tiers) {
            let name = ours.tier.name();
            let long = self.model.counted(self.model.rolling(ours.tier.long.seconds()));
            self.tally.equal += u64::from(long.total > 0 && self.model.compare(&long, &ours.threshold).is_eq());
            self.compare_window(&format!("long window of {name}"), &theirs.long, &long)?;
            if let (Some(theirs), Some(short)) = (&theirs.short, ours.tier.short) {
                let short = self.model.counted(self.model.rolling(short.seconds()));
                self.compare_window(&format!("short window of {name}"), theirs, &short)?;
                self.tally.windows += 1;
            }
            self.tally.windows += 1;
        }
        let period = self.model.counted_in_period();
        if self.random.per_mille(50) {
            self.compare_rounding(&period)?;
        }
        self.compare_window("period", &status.period, &period)?;
        same("first tick of the period", &status.period_ticks.0, &self.model.period().0.0)?;
        let remaining = self.model.remaining(&period);
        same("R", &number(&status.budget.remaining), &remaining)?;
        same("size of the budget", &status.budget.total, &self.model.budgeted(&period))?;
        let allowed = &self.model.beta * fraction(self.model.budgeted(&period), 1);
        let is_low = allowed < fraction(1, 1);
        same("low traffic", &status.budget.is_low_traffic, &is_low)?;
        same("budget", &number(&status.budget.allowed), &allowed)?;
        same("seen", &i64::try_from(status.seen).expect("few"), &self.model.seen)?;
        self.tally.budgets += 1;
        self.tally.windows += 1;
        Ok(())
    }

    fn compare_window(&self, name: &str, theirs: &Observed, ours: &Counted) -> Result<(), String> {
        let sums = &theirs.sums;
        let is_ratio = matches!(self.model.method, Method::RatioTimeslices { .. });
        same(&format!("unit of {name}"), &(theirs.unit == Unit::Fraction), &is_ratio)?;
        same(&format!("bad of {name}"), &sums.bad, &ours.bad)?;
        same(&format!("total of {name}"), &sums.total, &ours.total)?;
        let slots = (u64::from(sums.ticks), u64::from(sums.gaps), u64::from(sums.alive));
        same(&format!("ticks, gaps, alive of {name}"), &slots, &(ours.ticks, ours.gaps, ours.alive))?;
        if self.model.method == Method::Occurrences {
            let raw = (ours.raw_bad, ours.raw_total);
            same(&format!("raw bad and total of {name}"), &(sums.raw_bad, sums.raw_total), &raw)?;
        }
        same(&format!("value of {name}"), &theirs.value, &value(self.model.known(ours)))?;
        let burn = self.model.burn(ours);
        same(&format!("burn of {name}"), &theirs.burn.as_ref().map(number), &burn)
    }

    /// What rounding took from the sums of shortfalls is less than 2^-44, and nothing is ever added: no tier is early.
    fn compare_rounding(&mut self, period: &Counted) -> Result<(), String> {
        if !matches!(self.model.method, Method::RatioTimeslices { .. }) {
            return Ok(());
        }
        let short_by = slices::exact(&self.model, self.model.period().0) - self.model.bad(period);
        self.tally.roundings += 1;
        if short_by < fraction(0, 1) || short_by >= fraction(1, 1_u64 << 44) {
            return Err(format!("the sum of shortfalls is short by {short_by}"));
        }
        Ok(())
    }

    fn compare_state(&mut self) -> Result<(), String> {
        let status = self.instance().status();
        for (theirs, ours) in status.tiers.iter().zip(&self.model.tiers) {
            same(&format!("word of {}", ours.tier.name()), &theirs.word.name(), &ours.word())?;
        }
        let state = self.model.state();
        self.tally.states[STATES.iter().position(|name| *name == state).expect("a state")] += 1;
        same("state", &status.state.name(), &state)
    }
}

/// Both must say the same of chance; whether the float was asked at all too.
fn compare_chance(name: &str, theirs: Option<f64>, ours: &Tier) -> Result<bool, String> {
    same(&format!("{name} asks chance"), &theirs.is_some(), &ours.asks_chance)?;
    let (Some(theirs), Some(ours)) = (theirs, ours.p_value) else { return Ok(false) };
    let is_near = (theirs - ours).abs() <= 1e-9 * ours.max(1e-9);
    if is_near { Ok(true) } else { Err(format!("p-value of {name}: engine {theirs}, model {ours}")) }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, engine: &T, model: &T) -> Result<(), String> {
    if engine == model { Ok(()) } else { Err(format!("{what}: engine {engine:?}, model {model:?}")) }
}

fn number(quotient: &Quotient) -> Q {
    let size = fraction(quotient.numerator, quotient.denominator);
    if quotient.is_negative { -size } else { size }
}

const fn delta(counts: &Counts) -> Delta {
    Delta { bad: counts.bad, total: counts.total, raw_bad: counts.raw_bad, raw_total: counts.raw_total }
}

const fn reading(says: Says) -> Reading {
    match says {
        Says::Over => Reading::Over,
        Says::NotOver => Reading::Under,
        Says::Empty => Reading::Empty,
        Says::Unmeasured => Reading::Unmeasured,
    }
}

const fn value(known: Known) -> Value {
    match known {
        Known::Measured => Value::Measured,
        Known::Empty => Value::Empty,
        Known::Unmeasured => Value::Unmeasured,
    }
}

impl Disagreement {
    /// What to read, and how to see it again.
    pub(crate) fn told(&self) -> String {
        let Promise { slo, grid, first, ticks } = &*self.promise;
        let terms = slo.terms_of("acme", "rag_hub");
        let mut text =
            format!("DIFFERENTIAL_SEED={} tick {} (+{}): {}\n", self.seed, self.tick, self.tick - first, self.what);
        let _ = writeln!(
            text,
            "  T {} period {:?} method {:?} grid {grid:?} first {first} ticks {ticks}\n  {:?}\n  {:?} activate {}",
            terms.target, terms.period, slo.method, terms.low_traffic, terms.no_data, terms.activate_events
        );
        for tier in &terms.alerts.tiers {
            let _ = writeln!(text, "  {} f {} {:?} for {}", tier.name(), tier.factor, tier.op, tier.hold);
        }
        text
    }
}
