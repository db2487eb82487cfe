//! The model of one instance, written from `slo.md`: a plain list of all ticks, every window summed anew from it whenever
//! it is asked for, and fractions of big numbers. It is slow and keeps no sum that could go stale.
//!
//! Where the page leaves a choice, this is the reading taken here:
//!
//! * events seen (`activate`) are counted as they weigh;
//! * whatever arrives ends a silence, a late event too; `expect: traffic` asks for events, not for a heartbeat alone;
//! * a window without any slot is unmeasured;
//! * a slice is read like a window: unmeasured with a gap it is skipped, else without events it is empty; it counts when
//!   it is over, in the windows that hold its last tick;
//! * while a correction is in force tiers go on (incidents do not open);
//! * the impact gate scales to the nominal period.

use std::cmp::Ordering;

use bailiwick_slo::engine::windows::{Effect, Grid};
use bailiwick_slo::spec::{Expect, Method, Period, Terms};
use num_bigint::BigInt;
use num_rational::BigRational;

use crate::civil;
use crate::slices;
use crate::tiers::Tier;

/// A fraction of any size.
pub(crate) type Q = BigRational;

/// The fraction of two numbers.
pub(crate) fn fraction(above: impl Into<BigInt>, below: impl Into<BigInt>) -> Q {
    Q::new(above.into(), below.into())
}

/// A rule of the page that the model breaks on purpose, to prove that the comparison sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bent {
    /// None: the page as it is.
    Nothing,
    /// Long windows keep the exact left edge.
    EdgeNotFloored,
    /// Gaps are forgotten.
    NoGaps,
    /// `gt` and `gte` are the same.
    AlwaysGte,
    /// An unknown tier ends.
    NeverFrozen,
    /// Nothing is held back for being few.
    NoGates,
    /// A late event joins the tick that closes.
    LateIsNow,
    /// Corrections are ignored.
    NoCorrections,
    /// Calendar windows have their nominal length.
    NominalCalendar,
}

impl Bent {
    /// All that are faults.
    pub(crate) const FAULTS: [Self; 8] = [
        Self::EdgeNotFloored,
        Self::NoGaps,
        Self::AlwaysGte,
        Self::NeverFrozen,
        Self::NoGates,
        Self::LateIsNow,
        Self::NoCorrections,
        Self::NominalCalendar,
    ];
}

/// What is known of a source in a tick, before `expect` is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// No heartbeat says anything.
    Silent,
    /// Known alive.
    Alive,
    /// Down, incomplete or biased.
    Dead,
}

/// Counts, or a change of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) bad: i64,
    pub(crate) total: i64,
    pub(crate) raw_bad: i64,
    pub(crate) raw_total: i64,
}

impl Counts {
    pub(crate) const fn add(&mut self, other: Self) {
        self.bad += other.bad;
        self.total += other.total;
        self.raw_bad += other.raw_bad;
        self.raw_total += other.raw_total;
    }
}

/// One tick of the list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cell {
    pub(crate) counts: Counts,
    /// It closed in the life of the instance.
    pub(crate) is_lived: bool,
    pub(crate) is_gap: bool,
    pub(crate) is_alive: bool,
}

/// What a correction leaves of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    All,
    Good,
    Nothing,
}

/// What a window counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    /// Bad events or slices; shortfalls in 2^-64, each rounded down to a whole number of them (`slo.md` 2.1).
    pub(crate) bad: u128,
    pub(crate) total: u64,
    pub(crate) raw_bad: u64,
    pub(crate) raw_total: u64,
    pub(crate) ticks: u64,
    pub(crate) gaps: u64,
    pub(crate) alive: u64,
}

/// What is known of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Measured,
    Empty,
    Unmeasured,
}

/// One instance.
pub(crate) struct Model {
    pub(crate) terms: Terms,
    pub(crate) method: Method,
    pub(crate) grid: Grid,
    pub(crate) bent: Bent,
    /// The tick at the head of the list: some before birth, for late events.
    base: u64,
    pub(crate) cells: Vec<Cell>,
    pub(crate) born: u64,
    /// The first tick that has not closed.
    pub(crate) next: u64,
    pub(crate) effects: Vec<Effect>,
    pub(crate) tiers: Vec<Tier>,
    /// Events since birth, as they weigh.
    pub(crate) seen: i64,
    /// The last tick that had an event.
    heard: u64,
    /// Begins of the calendar's windows.
    edges: Vec<i64>,
    /// 1 - T.
    pub(crate) beta: Q,
    /// `noData.floor`.
    floor: (u64, u64),
}

impl Model {
    /// `earlier` ticks before birth may still hear of late events; `until` bounds the calendar, Unix seconds.
    pub(crate) fn new(terms: Terms, method: Method, grid: Grid, (born, earlier, until): (u64, u64, i64)) -> Self {
        let edges = match &terms.period {
            Period::Rolling(_) => Vec::new(),
            Period::Calendar(calendar) => civil::edges(calendar, until),
        };
        let tiers = terms.alerts.tiers.iter().map(|tier| Tier::new(*tier, terms.target)).collect();
        let cells = vec![Cell::default(); usize::try_from(earlier).expect("few ticks")];
        let (base, bent) = (born - earlier, Bent::Nothing);
        let (effects, seen) = (Vec::new(), 0);
        let beta = fraction(1, 1) - decimal(terms.target.ratio());
        let floor = decimal(terms.no_data.floor);
        let floor = [floor.numer(), floor.denom()].map(|part| u64::try_from(part).expect("a small number"));
        let (next, heard, floor) = (born, born, (floor[0], floor[1]));
        Self { terms, method, grid, bent, base, cells, born, next, effects, tiers, seen, heard, edges, beta, floor }
    }

    /// Closes the next tick: what it heard, and what changed in which tick.
    pub(crate) fn close(&mut self, heard: Heard, changes: &[(u64, Counts)]) {
        let tick = self.next;
        self.cells.push(Cell { is_lived: true, ..Cell::default() });
        for (at, change) in changes {
            let at = if self.bent == Bent::LateIsNow && change.raw_total > 0 { tick } else { *at };
            let place = usize::try_from(at - self.base).expect("no tick before the list");
            self.cells[place].counts.add(*change);
            self.seen += change.total;
            // A late event breaks the silence too: something came.
            if change.raw_total > 0 {
                self.heard = tick;
            }
        }
        let silence_s = (tick - self.heard) * self.grid.tick_s;
        let is_silence = silence_s >= self.terms.no_data.after.seconds();
        let (is_gap, is_alive) = match (heard, self.terms.no_data.expect) {
            (Heard::Dead, _) => (true, false),
            (_, Expect::Traffic) if is_silence => (true, false),
            (_, Expect::Nothing) | (Heard::Alive, _) => (false, true),
            (Heard::Silent, _) => (false, false),
        };
        let last = self.cells.last_mut().expect("it was pushed");
        (last.is_gap, last.is_alive) = (is_gap && self.bent != Bent::NoGaps, is_alive);
        self.next += 1;
        self.read_tiers();
    }

    fn read_tiers(&mut self) {
        let mut tiers = std::mem::take(&mut self.tiers);
        for tier in &mut tiers {
            tier.read(self);
        }
        self.tiers = tiers;
    }

    /// The tick of the list.
    pub(crate) fn cell(&self, tick: u64) -> Cell {
        let place = tick.checked_sub(self.base).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| self.cells.get(place)).copied().unwrap_or_default()
    }

    /// What corrections leave of a tick.
    pub(crate) fn kept(&self, tick: u64) -> Kept {
        if self.effects.is_empty() {
            return Kept::All;
        }
        let mut over = self.effects.iter().filter(|effect| effect.from <= tick && tick < effect.to).peekable();
        match (self.bent == Bent::NoCorrections, over.peek().is_some(), over.any(|effect| !effect.is_good)) {
            (true, ..) | (_, false, _) => Kept::All,
            (_, _, true) => Kept::Nothing,
            (_, _, false) => Kept::Good,
        }
    }

    /// Ticks of a rolling window, the end not included.
    pub(crate) fn rolling(&self, seconds: u64) -> (u64, u64) {
        let from = (self.next * self.grid.tick_s).saturating_sub(seconds);
        let is_floored = seconds > 3_600 && self.bent != Bent::EdgeNotFloored;
        let cell_s = self.grid.cell_ticks * self.grid.tick_s;
        let from = if is_floored { from / cell_s * cell_s } else { from };
        (from / self.grid.tick_s, self.next)
    }

    /// Ticks of the calendar window that holds a tick.
    pub(crate) fn calendar_of(&self, tick: u64) -> Option<(u64, u64)> {
        (!self.edges.is_empty()).then(|| {
            let at = i64::try_from(tick * self.grid.tick_s).expect("not so late");
            let (from, to) = civil::holding(&self.edges, at);
            let tick_of = |unix_s: i64| u64::try_from(unix_s).expect("after 1970") / self.grid.tick_s;
            (tick_of(from), tick_of(to))
        })
    }

    /// Ticks of the budget's window so far, and of its whole length.
    pub(crate) fn period(&self) -> ((u64, u64), u64) {
        let nominal_s = self.terms.period.nominal_seconds();
        match self.calendar_of(self.next - 1) {
            None => (self.rolling(nominal_s), nominal_s / self.grid.tick_s),
            Some((from, _)) if self.bent == Bent::NominalCalendar => (
                (from.max(self.next - (nominal_s / self.grid.tick_s).min(self.next)), self.next),
                nominal_s / self.grid.tick_s,
            ),
            Some((from, to)) => ((from, self.next), to - from),
        }
    }

    /// What these ticks counted.
    pub(crate) fn counted(&self, ticks: (u64, u64)) -> Counted {
        match self.method {
            Method::Occurrences => self.events(ticks),
            Method::Timeslices { .. } | Method::RatioTimeslices { .. } => slices::counted(self, ticks),
        }
    }

    /// What the budget's window counted.
    pub(crate) fn counted_in_period(&self) -> Counted {
        self.counted(self.period().0)
    }

    /// Events and slots of these ticks.
    pub(crate) fn events(&self, (from, to): (u64, u64)) -> Counted {
        let (mut counts, mut counted) = (Counts::default(), Counted::default());
        let place = |tick: u64| usize::try_from(tick.saturating_sub(self.base)).expect("few ticks");
        for (tick, cell) in (from.max(self.base)..).zip(&self.cells[place(from).min(place(to))..place(to)]) {
            let kept = self.kept(tick);
            if kept == Kept::Nothing {
                continue;
            }
            let good = Counts { bad: 0, raw_bad: 0, ..cell.counts };
            counts.add(if kept == Kept::Good { good } else { cell.counts });
            counted.ticks += u64::from(cell.is_lived);
            counted.gaps += u64::from(cell.is_gap);
            counted.alive += u64::from(cell.is_alive);
        }
        let whole = |count: i64| u64::try_from(count).expect("nothing is taken that was not counted");
        let (bad, total) = (whole(counts.bad).into(), whole(counts.total));
        Counted { bad, total, raw_bad: whole(counts.raw_bad), raw_total: whole(counts.raw_total), ..counted }
    }

    /// What is known of a window (`slo.md` 2.3).
    pub(crate) fn known(&self, counted: &Counted) -> Known {
        let Counted { ticks, gaps, alive, .. } = *counted;
        // Hundreds of thousands of ticks times thousandths: no product comes near 64 bits.
        let (above, below) = self.floor;
        match counted.total {
            // Of no slots nothing is known.
            0 if ticks > 0 && alive * below >= above * ticks => Known::Empty,
            0 => Known::Unmeasured,
            _ if gaps * below <= (below - above) * ticks => Known::Measured,
            _ => Known::Unmeasured,
        }
    }

    /// Bad events, slices or shortfalls as a number of them.
    pub(crate) fn bad(&self, counted: &Counted) -> Q {
        let unit = if matches!(self.method, Method::RatioTimeslices { .. }) { 64_u8 } else { 0 };
        fraction(counted.bad, BigInt::from(1_u8) << unit)
    }

    /// Whether `e / beta` is over a factor, both fractions: `e` over `f beta` (`slo.md` 2.1).
    pub(crate) fn compare(&self, counted: &Counted, threshold: &Q) -> Ordering {
        let unit = if matches!(self.method, Method::RatioTimeslices { .. }) { 64_u8 } else { 0 };
        let bad = BigInt::from(counted.bad) * threshold.denom();
        bad.cmp(&((threshold.numer() * counted.total) << unit))
    }

    /// e / beta.
    pub(crate) fn burn(&self, counted: &Counted) -> Option<Q> {
        (counted.total > 0).then(|| self.bad(counted) / fraction(counted.total, 1) / &self.beta)
    }

    /// What the budget is a share of: events so far, or the slices of the whole period.
    pub(crate) fn budgeted(&self, counted: &Counted) -> u64 {
        match self.method {
            Method::Occurrences => counted.total,
            Method::Timeslices { slice, .. } | Method::RatioTimeslices { slice } => {
                self.period().1 * self.grid.tick_s / slice.seconds()
            }
        }
    }

    /// R.
    pub(crate) fn remaining(&self, counted: &Counted) -> Q {
        if counted.total == 0 {
            return fraction(1, 1);
        }
        fraction(1, 1) - self.bad(counted) / (&self.beta * fraction(self.budgeted(counted), 1))
    }

    /// A correction is in force in the tick that closed last.
    pub(crate) fn is_maintained(&self) -> bool {
        self.kept(self.next - 1) != Kept::All
    }

    /// It has seen too few events to say anything.
    pub(crate) fn is_insufficient(&self) -> bool {
        self.seen < i64::try_from(self.terms.activate_events).expect("few events")
    }

    /// Its state (`slo.md` 3.1).
    pub(crate) fn state(&self) -> &'static str {
        let period = self.counted_in_period();
        let word = |tier: &Tier| tier.word();
        if period.total == 0 {
            "no_data"
        } else if self.is_maintained() {
            "maintenance"
        } else if self.tiers.iter().any(|tier| tier.is_frozen) {
            "frozen"
        } else if self.is_insufficient() {
            "insufficient"
        } else if self.remaining(&period) <= fraction(0, 1) {
            "exhausted"
        } else {
            let order = ["critical", "increasing", "recovering"];
            let worst = order.into_iter().find(|name| self.tiers.iter().any(|tier| word(tier) == *name));
            worst.unwrap_or("acceptable")
        }
    }
}

/// A decimal as a fraction.
pub(crate) fn decimal(decimal: bailiwick_slo::exact::Decimal) -> Q {
    fraction(decimal.mantissa(), BigInt::from(10).pow(u32::from(decimal.scale())))
}
