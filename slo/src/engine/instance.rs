//! One instance of an SLO: a tenant x module, its windows, its tiers and its incident, tick after tick.

mod kept;

use super::counting::Counting;
use super::incident::{Cause, Decided, Event, Incidents, Pace, Reason};
use super::slices::{Slices, Verdict};
use super::sums::{Delta, Source};
use super::tiers::{Measure, Phase, TierState, Unit, is_over};
use super::truth::Reading;
use super::windows::{Effect, Grid, Span, Windows};
use crate::calendar;
use crate::exact::{Decimal, Fraction};
use crate::gates::Budgeted;
use crate::spec::{Expect, Method, Op, Period, Terms};

/// How far above a step's edge the budget must rise before the step may fire again (`slo.md` 2.8).
const REARM: Decimal = Decimal::new(2, 2);

/// What a tick brings to an instance.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// What is known of its source.
    pub source: Source,
    /// What ticks count from now on: of the tick that closes, and of earlier ones.
    pub changes: Vec<(u64, Delta)>,
}

/// An instance.
#[derive(Debug, Clone)]
pub struct Instance {
    /// What holds for it.
    pub(super) terms: Terms,
    pub(super) counting: Counting,
    pub(super) grid: Grid,
    pub(super) windows: Windows,
    pub(super) slices: Option<Slices>,
    /// Its tiers.
    pub(super) tiers: Vec<TierState>,
    /// The window of the budget.
    pub(super) period: usize,
    /// Of a calendar: its first tick, and the first after it.
    pub(super) calendar: Option<(u64, u64)>,
    pub(super) forecast_window: usize,
    pub(super) born: u64,
    /// Events since birth.
    pub(super) seen: i64,
    /// Bad ones of them.
    seen_bad: i64,
    /// Good and bad ones as they are counted in public: never less than before.
    pub(super) counted: (u64, u64),
    /// The tick that had the last event; before the first one, its first.
    pub(super) heard: u64,
    /// Ticks since then in which nobody was there to hear it.
    pub(super) missed: u64,
    /// What is known of its source in the tick that closed last.
    pub(super) source: Source,
    /// How many of its windows are its own; what follows was opened by composites.
    pub(super) own_windows: usize,
    /// Gaps in a row up to now.
    pub(super) gap_ticks: u64,
    /// Steps of the policy that are reached.
    pub(super) steps: Vec<bool>,
    /// Its incidents.
    pub incidents: Incidents,
    /// A correction came since the last tick.
    pub(super) is_corrected: bool,
}

impl Instance {
    /// An instance whose first tick is `first`; `name` says which it is in which store, and its generation.
    #[must_use]
    pub fn new(terms: Terms, counting: Counting, grid: Grid, (name, first): (String, u64)) -> Self {
        let rule = counting.rule(grid, &terms.no_data);
        let windows = Windows::new(grid, first);
        let mut windows = if rule.is_some() { windows.of_verdicts() } else { windows };
        let calendar = calendar_at(&terms.period, grid, first);
        let Opened { period, forecast_window, tiers } = open(&mut windows, &terms, grid, calendar);
        let slices = rule.map(|rule| Slices::new(rule, grid, first, |tick| calendar_at(&terms.period, grid, tick)));
        let own_windows = windows.len();
        Self {
            steps: vec![false; terms.policy.len()],
            terms,
            counting,
            grid,
            windows,
            slices,
            tiers,
            period,
            calendar,
            forecast_window,
            born: first,
            seen: 0,
            seen_bad: 0,
            counted: (0, 0),
            heard: first,
            missed: 0,
            source: Source::Silent,
            own_windows,
            gap_ticks: 0,
            incidents: Incidents::new(name),
            is_corrected: false,
        }
    }

    /// Closes the next tick; says what happened.
    pub fn tick(&mut self, input: &Input) -> Vec<Event> {
        let brings = input.changes.iter().any(|(_, delta)| delta.raw_total > 0 || delta.total > 0);
        let gap_begins = self.begin(input.source, brings);
        self.end_tick(input, gap_begins)
    }

    /// Closes a tick in which nobody was there to count: a gap in its windows, and no word about its source, which nobody
    /// is told to be missing.
    pub fn miss(&mut self, input: &Input) -> Vec<Event> {
        let gap_ticks = self.gap_ticks;
        let brings = input.changes.iter().any(|(_, delta)| delta.raw_total > 0 || delta.total > 0);
        self.begin(Source::Dead, brings);
        self.gap_ticks = gap_ticks;
        self.missed += u64::from(!brings);
        self.end_tick(input, false)
    }

    fn end_tick(&mut self, input: &Input, gap_begins: bool) -> Vec<Event> {
        let tick = self.windows.next() - 1;
        input.changes.iter().for_each(|(at, delta)| self.change(*at, delta));
        let known = |count: i64| u64::try_from(count).unwrap_or(0);
        let now = (known(self.seen - self.seen_bad), known(self.seen_bad));
        self.counted = (self.counted.0.max(now.0), self.counted.1.max(now.1));
        if let Some(slices) = &mut self.slices
            && tick.is_multiple_of(64)
        {
            slices.forget_before(self.windows.first());
        }
        self.conclude(tick, gap_begins)
    }

    /// Moves its windows on by a tick, before anything is counted in it; says whether missing data begins.
    pub(super) fn begin(&mut self, source: Source, brings: bool) -> bool {
        let tick = self.windows.next();
        if let Some((_, to)) = self.calendar
            && tick >= to
        {
            self.turn_calendar(tick);
        }
        (self.heard, self.missed) = if brings { (tick, 0) } else { (self.heard, self.missed) };
        let is_dead = source == Source::Dead;
        self.source = self.meaning(source, tick);
        // Nobody is told of a silence in which nobody listened.
        let quiet = tick.saturating_sub(self.heard).saturating_sub(self.missed);
        let was_gap = self.gap_ticks > 0;
        self.gap_ticks = match self.source {
            Source::Dead if is_dead => self.gap_ticks + 1,
            // Silence that was expected to be none lasts since the last event.
            Source::Dead => self.gap_ticks.max(quiet.saturating_sub(1)) + 1,
            Source::Alive | Source::Silent => 0,
        };
        self.windows.close(self.source);
        if let Some(verdict) = self.slices.as_mut().and_then(|slices| slices.close(self.source, self.windows.effects()))
        {
            self.count_slice(&verdict);
        }
        self.gap_ticks > 0 && !was_gap
    }

    /// Reads its windows once all of a tick is counted; says what happened.
    pub(super) fn conclude(&mut self, tick: u64, gap_begins: bool) -> Vec<Event> {
        self.read_tiers(tick);
        self.read_policy();
        let decided = self.decide(tick, gap_begins);
        self.is_corrected = false;
        self.incidents.tick(tick + 1, &decided, &self.pace())
    }

    /// Sets what corrections do to its ticks.
    pub fn correct(&mut self, effects: Vec<Effect>) {
        let verdicts = self.slices.as_ref().map(|slices| slices.correct(self.windows.effects(), &effects));
        self.windows.correct(effects);
        verdicts.iter().flatten().for_each(|verdict| self.count_slice(verdict));
        self.is_corrected = true;
    }

    /// The first tick that has not closed.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.windows.next()
    }

    /// The tick that had the last event; before the first one, its first.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.heard
    }

    /// Last ticks of the slices that were judged lately.
    pub(super) fn judged(&self) -> &[u64] {
        self.slices.as_ref().map_or(&[], |slices| &slices.judged)
    }

    /// Forgets which were.
    pub(super) fn forget_judged(&mut self) {
        if let Some(slices) = &mut self.slices {
            slices.forget_judged();
        }
    }

    /// What its parts told it is of another time: it knows nothing now.
    pub(super) fn silence(&mut self) {
        if self.counting.is_told() {
            self.windows.silence();
        }
    }

    /// Closes the windows that composites opened.
    pub(super) fn close_foreign_windows(&mut self) {
        self.windows.truncate(self.own_windows);
    }

    /// Events since birth: what was taken back is not among them.
    #[must_use]
    pub(super) fn seen(&self) -> u64 {
        u64::try_from(self.seen).unwrap_or(0)
    }

    /// Ends its incident, and lets go of its cells; `at` is the first tick that has not closed.
    pub(super) fn end(&mut self, at: u64, reason: Reason) -> Option<Event> {
        let event = self.incidents.end(at, reason);
        *self = self.anew(at);
        event
    }

    /// The same instance without a past, but for its incidents; `first` is its first tick.
    #[must_use]
    pub(super) fn anew(&self, first: u64) -> Self {
        let mut anew = Self::new(self.terms.clone(), self.counting, self.grid, (String::new(), first));
        anew.incidents.clone_from(&self.incidents);
        anew.windows.open_as(&self.windows);
        anew
    }

    /// Forgets the oldest part of its history; `false`: it has little.
    pub(super) fn shed(&mut self) -> bool {
        let is_shed = self.windows.shed();
        if let Some(slices) = &mut self.slices {
            slices.forget_before(self.windows.first());
        }
        is_shed
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let slices = self.slices.as_ref().map_or(0, Slices::memory_bytes);
        size_of::<Self>() + self.windows.memory_bytes() + slices
    }

    /// What silence means for it.
    fn meaning(&self, source: Source, tick: u64) -> Source {
        let quiet_s = tick.saturating_sub(self.heard) * self.grid.tick_s;
        match (self.terms.no_data.expect, source) {
            (_, Source::Dead) => Source::Dead,
            (Expect::Nothing, _) => Source::Alive,
            (Expect::Traffic, _) if quiet_s >= self.terms.no_data.after.seconds() => Source::Dead,
            (_, source) => source,
        }
    }

    fn change(&mut self, tick: u64, delta: &Delta) {
        self.seen = self.seen.wrapping_add(delta.total);
        self.seen_bad = self.seen_bad.wrapping_add(delta.bad);
        match &mut self.slices {
            None => {
                self.windows.change(tick, |cell| cell.change(delta));
            }
            Some(slices) => {
                if let Some(verdict) = slices.change(tick, delta, self.windows.effects()) {
                    self.count_slice(&verdict);
                }
            }
        }
    }

    pub(super) fn count_slice(&mut self, verdict: &Verdict) {
        let Verdict { tick, before, after } = *verdict;
        if let Some(slices) = &mut self.slices {
            slices.judged.push(tick);
        }
        self.windows.change(tick, |cell| {
            cell.total = cell.total.wrapping_add(after.0).wrapping_sub(before.0);
            cell.bad = cell.bad.wrapping_add(after.1).wrapping_sub(before.1);
        });
    }

    fn turn_calendar(&mut self, tick: u64) {
        self.calendar = calendar_at(&self.terms.period, self.grid, tick);
        let Some(window) = self.calendar else { return };
        self.windows.reopen(self.period, window.0);
        if let Some(slices) = &mut self.slices {
            slices.turn(window);
        }
    }

    pub(super) fn unit(&self) -> Unit {
        self.counting.unit()
    }

    /// The events, or slices, that the budget is a share of: slices of the whole period, whether they have come or not.
    pub(super) fn budget_total(&self) -> u64 {
        match (self.counting.method, self.calendar) {
            (Method::Occurrences, _) => self.windows.sums(self.period).total(),
            (Method::Timeslices { slice, .. } | Method::RatioTimeslices { slice }, calendar) => {
                let rolling = self.terms.period.nominal_seconds();
                let seconds = calendar.map_or(rolling, |(from, to)| (to - from) * self.grid.tick_s);
                seconds / slice.seconds().max(1)
            }
        }
    }

    fn read_tiers(&mut self, tick: u64) {
        let period = self.windows.sums(self.period);
        let (period_s, age_s) = (self.terms.period.nominal_seconds(), (tick + 1 - self.born) * self.grid.tick_s);
        let budgeted = Budgeted { total: period.total(), period_s, age_s };
        // A sum of ratios has no chance that could be worked out.
        let asks_chance = self.counting.method == Method::Occurrences && !self.counting.is_composite;
        let measure = Measure {
            target: self.terms.target,
            unit: self.unit(),
            low_traffic: asks_chance.then_some((&self.terms.low_traffic, budgeted)),
            tick_s: self.grid.tick_s,
        };
        let (may_start, floor) = (self.seen() >= self.terms.activate_events, self.terms.no_data.floor);
        for tier in &mut self.tiers {
            let long = self.windows.view(tier.long, floor);
            let short = tier.short.map(|place| self.windows.view(place, floor));
            tier.read(&measure, (long, short), tick + 1, may_start);
        }
    }

    /// Whether less of the budget is left than this: `R < below`, or at most this.
    pub(super) fn has_left_less_than(&self, below: Decimal, or_equal: bool) -> bool {
        let sums = self.windows.sums(self.period);
        let total = self.budget_total();
        // R < below is a burn over the whole period of more than 1 - below.
        let spent = match below.mantissa() {
            mantissa if mantissa < 0 => Fraction::of(Decimal::new(-mantissa, below.scale())).and_then(above_one),
            _ => Fraction::of(below).and_then(below_one),
        };
        let op = if or_equal { Op::Gte } else { Op::Gt };
        total > 0 && spent.is_some_and(|spent| is_over(op, spent, self.terms.target, (self.unit(), sums.bad(), total)))
    }

    fn read_policy(&mut self) {
        for place in 0..self.steps.len() {
            let below = self.terms.policy[place].below;
            let rearmed = sum(below, REARM);
            let is_reached = match self.steps[place] {
                false => self.has_left_less_than(below, false),
                true => rearmed.is_none_or(|edge| self.has_left_less_than(edge, false)),
            };
            self.steps[place] = is_reached;
        }
    }

    fn decide(&self, tick: u64, gap_begins: bool) -> Decided {
        let is_active = self.seen() >= self.terms.activate_events;
        let tiers = (0..).zip(&self.tiers).filter(|(_, tier)| tier.phase == Phase::Firing);
        let tiers = tiers.map(|(place, tier)| (tier.tier.severity, Cause::Tier(place)));
        let steps = (0..).zip(&self.steps).filter(|(_, is_reached)| **is_reached && is_active);
        let steps = steps.map(|(place, _)| (self.terms.policy[usize::from(place)].severity, Cause::Policy(place)));
        let no_data = &self.terms.no_data;
        // As with `for`: it has to hold for so long after the tick that showed it first.
        let is_gone = is_active && self.gap_ticks > self.grid.ticks(no_data.alert_after.seconds());
        let gone = is_gone.then_some((no_data.severity, Cause::NoData));
        let forecast = &self.terms.forecast;
        let ends = forecast.warn_before.filter(|_| is_active).and_then(|within| self.rolling(within.seconds()));
        let ends = ends.map(|_| (forecast.severity, Cause::Forecast));
        let worst = tiers
            .chain(steps)
            .chain(gone)
            .chain(ends)
            .min_by_key(|(severity, cause)| (std::cmp::Reverse(*severity), *cause));
        Decided { worst, gap_begins, is_maintained: self.windows.effect(tick).is_some(), clear: self.why_clear() }
    }

    /// Why it would be clear now.
    fn why_clear(&self) -> Reason {
        let cause = self.incidents.open().map(|incident| incident.cause);
        let is_empty =
            |place: u8| self.tiers.get(usize::from(place)).is_some_and(|tier| tier.long_reading == Reading::Empty);
        match cause {
            _ if self.is_corrected => Reason::Correction,
            Some(Cause::Tier(place)) if is_empty(place) => Reason::NoTraffic,
            _ => Reason::Recovered,
        }
    }

    fn pace(&self) -> Pace {
        let ticks = |seconds: u64| seconds.div_ceil(self.grid.tick_s);
        let alerts = &self.terms.alerts;
        Pace {
            tick_s: self.grid.tick_s,
            hold_down: ticks(alerts.hold_down.seconds()),
            repeat_every: ticks(alerts.repeat_every.seconds()),
        }
    }
}

/// Where the windows of an instance are, by its terms.
pub(super) struct Opened {
    pub(super) period: usize,
    pub(super) forecast_window: usize,
    pub(super) tiers: Vec<TierState>,
}

/// Opens the windows that terms ask for, always in the same order.
pub(super) fn open(windows: &mut Windows, terms: &Terms, grid: Grid, calendar: Option<(u64, u64)>) -> Opened {
    let next = windows.next();
    let period = windows.open(match &terms.period {
        Period::Rolling(span) => Span::Last(grid.ticks(span.seconds())),
        Period::Calendar(_) => Span::Since(calendar.map_or(next, |(from, _)| from)),
    });
    let mut open = |seconds: u64| windows.open(Span::Last(grid.ticks(seconds)));
    let forecast_window = open(terms.forecast.window.seconds());
    let tiers = terms.alerts.tiers.iter().map(|tier| {
        let long = open(tier.long.seconds());
        TierState::new(*tier, long, tier.short.map(|short| open(short.seconds())), next)
    });
    Opened { period, forecast_window, tiers: tiers.collect() }
}

fn above_one(part: Fraction) -> Option<Fraction> {
    let numerator = part.numerator().checked_add(part.denominator())?;
    Some(Fraction::new(numerator, part.denominator()))
}

fn below_one(part: Fraction) -> Option<Fraction> {
    let numerator = part.denominator().checked_sub(part.numerator())?;
    Some(Fraction::new(numerator, part.denominator()))
}

fn sum(one: Decimal, other: Decimal) -> Option<Decimal> {
    let scale = one.scale().max(other.scale());
    Some(Decimal::new(one.units(scale)?.checked_add(other.units(scale)?)?, scale))
}

/// The ticks of the calendar window that holds a tick.
pub(super) fn calendar_at(period: &Period, grid: Grid, tick: u64) -> Option<(u64, u64)> {
    let Period::Calendar(calendar) = period else { return None };
    let at = i64::try_from(tick * grid.tick_s).ok()?;
    let (from, to) = calendar::window_at(calendar, at)?;
    // A tick is in the window that it begins in.
    let tick = |seconds: i64| u64::try_from(seconds).map_or(0, |seconds| seconds.div_ceil(grid.tick_s));
    Some((tick(from), tick(to)))
}
