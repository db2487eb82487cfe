//! Random lives of one instance: bursts, outages, trickles and silence; sources that are alive, silent or dead; ticks
//! left out, late events, events taken back, and corrections.

use bailiwick_slo::engine::windows::Effect;
use bailiwick_slo::spec::{EmptySlice, Method, Rate, TierSource, Weighting};

use crate::model::{Counts, Heard};
use crate::prng::Random;
use crate::promise::Promise;

/// Ticks before birth that may still hear of late events.
pub(crate) const EARLIER_TICKS: u64 = 60;

/// How late events may be at most (overview.md: two hours).
const LATE_SECONDS: u64 = 7_200;

/// What the streams of a run do beside the usual: each has a test of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wild {
    /// Nothing.
    Tame,
    /// Corrections begin and end within slices.
    PartsOfSlices,
    /// Late events fall into slices that were over before birth, and empty slices count.
    SlicesBeforeBirth,
    /// Calendar windows are no whole number of slices, and corrections begin and end within slices.
    CutSlices,
    /// Thousands of millions of events where the volume counts.
    GreatVolumes,
}

/// What happens in a tick.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moment {
    /// The daemon was down: nothing is closed, nothing heard.
    pub(crate) is_left_out: bool,
    pub(crate) heard: Option<Heard>,
    pub(crate) changes: Vec<(u64, Counts)>,
    /// Corrections that hold from now on, for all ticks.
    pub(crate) effects: Option<Vec<Effect>>,
}

/// A stretch of like ticks.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    ticks: u64,
    shape: Shape,
    heard: Heard,
    is_left_out: bool,
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    Nothing,
    /// So many events a tick, of which so many are bad.
    Steady(u64, u64),
    /// Up to so many, each bad in so many of a thousand.
    Noise(u64, u64),
    /// In so many of a thousand ticks one event, bad in so many of a thousand.
    Trickle(u64, u64),
}

/// A life as it goes on.
pub(crate) struct Traffic {
    random: Random,
    promise: Promise,
    stretch: Stretch,
    next: u64,
    /// A tick that slices begin at.
    origin: u64,
    past: Vec<(u64, Counts)>,
    effects: Vec<Effect>,
    weights: &'static [u64],
    wild: Wild,
    late_per_mille: u64,
    corrections_per_mille: u64,
}

impl Traffic {
    pub(crate) fn new(mut random: Random, promise: Promise, wild: Wild) -> Self {
        let stretch = Stretch { ticks: 0, shape: Shape::Nothing, heard: Heard::Alive, is_left_out: false };
        let weighting = promise.slo.draft.terms.low_traffic.weighting;
        let is_great = wild == Wild::GreatVolumes || weighting == Weighting::Rate;
        let weights: &[u64] = match random.below(5) {
            0 => &[1, 2, 3, 10],
            1 if is_great => &[1, 1_000_000_007],
            _ => &[1],
        };
        let late_per_mille = random.pick(&[0, 0, 5, 50, 300]);
        let corrections_per_mille = random.pick(&[0, 0, 0, 1, 4]);
        let (next, origin, past, effects) = (promise.first, promise.origin(), Vec::new(), Vec::new());
        Self {
            random,
            promise,
            stretch,
            next,
            origin,
            past,
            effects,
            weights,
            wild,
            late_per_mille,
            corrections_per_mille,
        }
    }

    /// The next tick; the first one always has an event.
    pub(crate) fn next(&mut self) -> Moment {
        let tick = self.next;
        self.next += 1;
        if tick == self.promise.first {
            let change = (tick, self.counts(self.random.clone().below(2), 1));
            self.past.push(change);
            return Moment { heard: Some(Heard::Alive), changes: vec![change], ..Moment::default() };
        }
        if self.stretch.ticks == 0 {
            self.stretch = self.stretch();
        }
        self.stretch.ticks -= 1;
        if self.stretch.is_left_out {
            return Moment { is_left_out: true, ..Moment::default() };
        }
        let mut changes = Vec::new();
        let (total, bad) = self.events();
        if total > 0 {
            changes.push((tick, self.counts(bad, total)));
        }
        self.disturb(tick, &mut changes);
        self.past.extend(changes.iter().filter(|(_, counts)| counts.total > 0));
        Moment { is_left_out: false, heard: Some(self.stretch.heard), changes, effects: self.corrections() }
    }

    /// Late events, and events taken back.
    fn disturb(&mut self, tick: u64, changes: &mut Vec<(u64, Counts)>) {
        if self.random.per_mille(self.late_per_mille) {
            let longest = LATE_SECONDS / self.promise.grid.tick_s;
            let back = if self.random.per_mille(100) { longest } else { EARLIER_TICKS };
            let back = self.random.below(back).min(tick - self.earliest());
            let total = self.random.between(1, 20);
            let bad = self.random.below(total + 1);
            changes.push((tick - back, self.counts(bad, total)));
        }
        if self.random.per_mille(self.late_per_mille / 5) && !self.past.is_empty() {
            let recent = (self.past.len() as u64).min(100);
            let place = self.past.len() - 1 - usize::try_from(self.random.below(recent)).expect("few");
            let (at, was) = self.past[place];
            if (tick - at) * self.promise.grid.tick_s > LATE_SECONDS {
                return;
            }
            self.past.remove(place);
            changes.push((
                at,
                Counts { bad: -was.bad, total: -was.total, raw_bad: -was.raw_bad, raw_total: -was.raw_total },
            ));
        }
    }

    /// The first tick that may still hear of late events.
    fn earliest(&self) -> u64 {
        let Promise { slo, first, grid, .. } = &self.promise;
        match slice_ticks(slo.method, grid.tick_s) {
            // Slices that were over before birth: see `Wild`.
            Some(slice)
                if self.wild != Wild::SlicesBeforeBirth && slo.draft.terms.no_data.empty_slice != EmptySlice::Skip =>
            {
                (self.origin + (first - self.origin) / slice * slice).max(first - EARLIER_TICKS)
            }
            _ => first - EARLIER_TICKS,
        }
    }

    fn counts(&mut self, bad: u64, total: u64) -> Counts {
        let weight = self.random.pick(self.weights);
        let whole = |count: u64| i64::try_from(count).expect("few events");
        Counts { bad: whole(bad * weight), total: whole(total * weight), raw_bad: whole(bad), raw_total: whole(total) }
    }

    fn events(&mut self) -> (u64, u64) {
        let random = &mut self.random;
        let (total, bad_per_mille) = match self.stretch.shape {
            Shape::Nothing => return (0, 0),
            Shape::Steady(total, bad) => return (total, bad),
            Shape::Noise(most, bad) => (random.below(most + 1), bad),
            Shape::Trickle(often, bad) => (u64::from(random.per_mille(often)), bad),
        };
        let bad = (0..total).filter(|_| random.per_mille(bad_per_mille)).count();
        (total, bad as u64)
    }

    fn stretch(&mut self) -> Stretch {
        let threshold = self.threshold();
        let random = &mut self.random;
        let bad = random.pick(&[0, 0, 2, 20, 100, 500, 1_000]);
        let shape = match random.below(8) {
            0 => Shape::Nothing,
            1 => Shape::Trickle(random.pick(&[5, 30, 200]), bad),
            2 => Shape::Steady(random.between(1, 1_000), 0),
            3 => {
                let total = random.between(1, 40);
                Shape::Steady(total, random.below(total + 1))
            }
            4 | 5 => {
                // Just what a tier allows: the burn comes to be its factor, neither more nor less.
                let times = random.between(1, 3);
                Shape::Steady(threshold.1 * times, threshold.0 * times)
            }
            6 => Shape::Noise(random.pick(&[3, 30]), bad),
            _ => Shape::Noise(20, random.below(1_001)),
        };
        let heard = random.pick(&[Heard::Alive, Heard::Alive, Heard::Silent, Heard::Silent, Heard::Dead]);
        let is_left_out = random.per_mille(60);
        let most = if is_left_out || heard == Heard::Dead { 60 } else { 400 };
        let ticks = if random.per_mille(300) { random.between(1, 8) } else { random.between(1, most) };
        Stretch { ticks, shape, heard, is_left_out }
    }

    /// `f beta` of a tier, where it is a ratio of small numbers.
    fn threshold(&mut self) -> (u64, u64) {
        let TierSource::List(tiers) = &self.promise.slo.draft.tiers else { return (1, 10) };
        if tiers.is_empty() {
            return (1, 10);
        }
        let tier = tiers[usize::try_from(self.random.below(tiers.len() as u64)).expect("few tiers")];
        let Rate::Factor(factor) = tier.rate else { return (1, 4) };
        let threshold = factor.times(self.promise.slo.draft.terms.target.beta_fraction());
        threshold.filter(|ratio| ratio.denominator() <= 1_000).map_or((1, 3), |r| (r.numerator(), r.denominator()))
    }

    /// Now and then another correction, of the past, of now or of times to come; its edges are whole minutes.
    fn corrections(&mut self) -> Option<Vec<Effect>> {
        if !self.random.per_mille(self.corrections_per_mille) {
            return None;
        }
        if self.effects.len() > 3 && self.random.per_mille(300) {
            self.effects.pop();
        } else {
            // Whole slices: see `Wild`.
            let Promise { slo, grid, .. } = &self.promise;
            let (cell, origin) = match slice_ticks(slo.method, grid.tick_s) {
                Some(slice) if !matches!(self.wild, Wild::PartsOfSlices | Wild::CutSlices) => (slice, self.origin),
                _ => (grid.cell_ticks, 0),
            };
            let from = (self.next + 120).saturating_sub(self.random.below(600)) - origin;
            let from = origin + from / cell * cell;
            let to = from + self.random.between(1, (240 / cell).max(2)) * cell;
            self.effects.push(Effect { from, to, is_good: self.random.per_mille(400) });
        }
        Some(self.effects.clone())
    }
}

/// Ticks of a slice.
fn slice_ticks(method: Method, tick_s: u64) -> Option<u64> {
    match method {
        Method::Occurrences => None,
        Method::Timeslices { slice, .. } | Method::RatioTimeslices { slice } => Some(slice.seconds() / tick_s),
    }
}
