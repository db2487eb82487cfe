//! Windows of one instance as running sums: a tick adds what closed and takes out what left, whatever their length
//! (`slo.md` 2.2).

use crate::saved;

mod kept;
#[cfg(test)]
mod tests;

use super::composite::Told;
use super::store::{BLOCK_CELLS, Store};
use super::sums::{Source, Sums};
use super::truth::Value;
use crate::exact::Decimal;

/// How time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Seconds of a tick.
    pub tick_s: u64,
    /// Ticks of a cell in windows longer than an hour: their left edge is that of a cell.
    pub cell_ticks: u64,
}

impl Grid {
    /// The daemon's: ticks of 10 s, cells of a minute.
    pub const LIVE: Self = Self { tick_s: 10, cell_ticks: 6 };

    /// Ticks in so many seconds.
    #[must_use]
    pub const fn ticks(self, seconds: u64) -> u64 {
        seconds / self.tick_s
    }
}

/// Ticks before the first one that late events may still be counted in.
const EARLIER_SECONDS: u64 = 7_200;
/// Longest window with exact edges, seconds.
const EXACT_SECONDS: u64 = 3_600;

/// Which ticks a window holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// The last so many.
    Last(u64),
    /// All since this one.
    Since(u64),
}

saved!(enum Span { 0 => Last(ticks), 1 => Since(tick) });

/// What a correction does to the ticks from its first to before its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// First tick.
    pub from: u64,
    /// First tick after it.
    pub to: u64,
    /// All is good; else the ticks leave their windows.
    pub is_good: bool,
}

saved!(struct Effect { from, to, is_good });

impl Effect {
    /// Effects of several corrections, by first tick and without overlap: what is excluded is not good.
    #[must_use]
    pub fn joined(effects: &[Self]) -> Vec<Self> {
        // By tick: how many corrections begin there, less those that end, of both kinds.
        let mut edges: Vec<(u64, [i64; 2])> = Vec::with_capacity(effects.len() * 2);
        for effect in effects.iter().filter(|effect| effect.from < effect.to) {
            let one = if effect.is_good { [0, 1] } else { [1, 0] };
            edges.push((effect.from, one));
            edges.push((effect.to, one.map(|count: i64| -count)));
        }
        edges.sort_unstable();
        let (mut pieces, mut over): (Vec<Self>, [i64; 2]) = (Vec::new(), [0; 2]);
        for (place, (tick, [excluding, good])) in edges.iter().enumerate() {
            over = [over[0] + excluding, over[1] + good];
            let Some((next, _)) = edges.get(place + 1).filter(|(next, _)| next > tick) else { continue };
            if over != [0; 2] {
                pieces.push(Self { from: *tick, to: *next, is_good: over[0] == 0 });
            }
        }
        pieces
    }

    /// The one of these, by first tick and without overlap, that is over a tick.
    pub fn over(effects: &[Self], tick: u64) -> Option<&Self> {
        let at = effects.partition_point(|effect| effect.to <= tick);
        effects.get(at).filter(|effect| effect.from <= tick)
    }

    /// What it leaves of a tick's events, or of a cell's.
    pub(super) fn leaves(self, cell: Sums) -> Sums {
        if self.is_good { Sums { bad: 0, raw_bad: 0, ..cell } } else { Sums::default() }
    }
}

/// What cells count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// Events: corrections act on them here.
    Events,
    /// Verdicts on slices, in which corrections have acted already.
    Verdicts,
}

saved!(enum Counted { 0 => Events, 1 => Verdicts });

#[derive(Debug, Clone)]
struct Window {
    span: Span,
    /// Its first tick.
    from: u64,
    sums: Sums,
    /// What is known of it, where others tell what it counted.
    told: Option<Value>,
}

saved!(struct Window { span, from, sums, told });

/// What a window says.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) value: Value,
    pub(super) sums: &'a Sums,
}

/// All windows of an instance, and the cells that they need.
#[derive(Debug, Clone)]
pub(super) struct Windows {
    grid: Grid,
    counted: Counted,
    /// Ticks, for windows up to an hour.
    ticks: Store,
    /// Cells, for longer ones; without cells of their own these are ticks too.
    cells: Store,
    windows: Vec<Window>,
    /// By first tick; none overlap.
    effects: Vec<Effect>,
    /// The first tick of its life.
    born: u64,
    /// The first tick that has not closed.
    next: u64,
}

impl Windows {
    /// Takes corrections that it was counted with.
    pub(super) fn know_effects(&mut self, effects: Vec<Effect>) {
        self.effects = effects;
    }

    /// What its cells count, as instances with slices have it or others.
    pub(super) fn counts_verdicts(&self) -> bool {
        self.counted == Counted::Verdicts
    }

    /// Without windows; `first` is the first tick that will close.
    pub(super) fn new(grid: Grid, first: u64) -> Self {
        let earliest = first.saturating_sub(grid.ticks(EARLIER_SECONDS));
        let (mut ticks, mut cells) = (Store::default(), Store::default());
        ticks.change(earliest, |_| {});
        cells.change(earliest / grid.cell_ticks, |_| {});
        let (counted, windows, effects) = (Counted::Events, Vec::new(), Vec::new());
        Self { grid, counted, ticks, cells, windows, effects, born: first, next: first }
    }

    /// The same for verdicts on slices, each in the last tick of its slice.
    pub(super) fn of_verdicts(self) -> Self {
        Self { counted: Counted::Verdicts, ..self }
    }

    /// The place of a window, opened if there is none like it; one that somebody may reopen is nobody else's. It holds
    /// what is kept.
    pub(super) fn open(&mut self, span: Span) -> usize {
        let is_like = |window: &Window| !window.is_since() && window.span == span;
        if let Some(place) = self.windows.iter().position(is_like) {
            return place;
        }
        let mut window = Window { span, from: 0, sums: Sums::default(), told: None };
        window.from = self.edge(span).max(self.forgotten().unwrap_or(0));
        window.sums = self.count(window.from, self.next);
        self.windows.push(window);
        self.windows.len() - 1
    }

    /// Opens the windows that another has more, at the places where it has them.
    pub(super) fn open_as(&mut self, other: &Self) {
        self.effects.clone_from(&other.effects);
        for window in other.windows.iter().skip(self.windows.len()) {
            let from = self.edge(window.span);
            self.windows.push(Window { span: window.span, from, sums: Sums::default(), told: None });
        }
    }

    /// Closes all windows but the first so many; cells and corrections stay.
    pub(super) fn truncate(&mut self, count: usize) {
        self.windows.truncate(count);
    }

    pub(super) fn grid(&self) -> Grid {
        self.grid
    }

    pub(super) fn len(&self) -> usize {
        self.windows.len()
    }

    /// Which ticks its windows hold, by place.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.windows.iter().map(|window| window.span).collect()
    }

    /// Whether a window holds all since this tick.
    pub(super) fn is_since(&self, place: usize, tick: u64) -> bool {
        self.windows[place].span == Span::Since(tick)
    }

    /// Lets a window say what others counted for it.
    pub(super) fn tell(&mut self, place: usize, told: Told) {
        let window = &mut self.windows[place];
        (window.sums.bad, window.sums.total, window.told) = (told.bad, told.total, Some(told.value));
    }

    /// Of what is told, nothing is known now.
    pub(super) fn silence(&mut self) {
        self.windows.iter_mut().for_each(|window| window.told = Some(Value::Unmeasured));
    }

    /// What a window says where at least `floor` of its ticks must be measured.
    pub(super) fn view(&self, place: usize, floor: Decimal) -> View<'_> {
        let Window { sums, told, .. } = &self.windows[place];
        View { value: told.unwrap_or_else(|| Value::of(sums, floor)), sums }
    }

    /// The first tick that is kept, if some of its life is forgotten.
    fn forgotten(&self) -> Option<u64> {
        (self.first() > self.born).then(|| self.first())
    }

    /// Lets a window begin at another tick.
    pub(super) fn reopen(&mut self, place: usize, since: u64) {
        let sums = self.count(since, self.next);
        self.windows[place] = Window { span: Span::Since(since), from: since, sums, told: None };
    }

    /// What a window counted.
    pub(super) fn sums(&self, place: usize) -> &Sums {
        &self.windows[place].sums
    }

    /// The first tick of a window.
    pub(super) fn from(&self, place: usize) -> u64 {
        self.windows[place].from
    }

    /// The first tick that has not closed.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Closes the next tick.
    pub(super) fn close(&mut self, source: Source) {
        let tick = self.next;
        self.next += 1;
        let sums = Sums::tick(source);
        self.ticks.change(tick, |cell| cell.add(&sums));
        self.cells.change(tick / self.grid.cell_ticks, |cell| cell.add(&sums));
        let added = self.seen(tick, sums);
        for place in 0..self.windows.len() {
            self.windows[place].sums.add(&added);
            self.leave(place);
        }
        self.forget();
    }

    /// Changes what a closed tick counted. `false`: it is too long ago for any window.
    pub(super) fn change(&mut self, tick: u64, change: impl Fn(&mut Sums)) -> bool {
        if tick >= self.next {
            return false;
        }
        let cell = tick / self.grid.cell_ticks;
        let (mut before, mut after) = (Sums::default(), Sums::default());
        let known = self.ticks.change(tick, |sums| {
            before = *sums;
            change(sums);
            after = *sums;
        });
        let kept = self.cells.change(cell, |sums| {
            if !known {
                before = *sums;
                change(sums);
                after = *sums;
            } else {
                sums.take(&before);
                sums.add(&after);
            }
        });
        let (before, after) = (self.seen(tick, before), self.seen(tick, after));
        for window in self.windows.iter_mut().filter(|window| window.from <= tick) {
            window.sums.take(&before);
            window.sums.add(&after);
        }
        known || kept
    }

    /// Sets what corrections do, and counts all windows anew.
    pub(super) fn correct(&mut self, effects: Vec<Effect>) {
        self.effects = effects;
        for place in 0..self.windows.len() {
            self.windows[place].sums = self.count(self.windows[place].from, self.next);
        }
    }

    /// What corrections do, by first tick.
    pub(super) fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// What corrections do to this tick.
    pub(super) fn effect(&self, tick: u64) -> Option<&Effect> {
        Effect::over(&self.effects, tick)
    }

    /// The first tick that a window may hold.
    pub(super) fn first(&self) -> u64 {
        self.cells.first() * self.grid.cell_ticks
    }

    /// Bytes that its cells take.
    pub(super) fn memory_bytes(&self) -> usize {
        self.ticks.memory_bytes() + self.cells.memory_bytes()
    }

    /// Forgets the oldest eighth of its history: longer windows begin later then, and hold less. `false`: it has little.
    pub(super) fn shed(&mut self) -> bool {
        let width = self.grid.cell_ticks;
        let kept = self.grid.ticks(EARLIER_SECONDS + EXACT_SECONDS);
        let old = self.cells.first();
        // Whole blocks, so that each time some are gone.
        let cell = old + (self.next / width).saturating_sub(old) / 8 / BLOCK_CELLS * BLOCK_CELLS;
        let first = cell * width;
        if cell == old || self.next.saturating_sub(first) <= kept {
            return false;
        }
        for place in 0..self.windows.len() {
            let from = self.windows[place].from;
            if from < first {
                let left = self.count(from, first);
                self.windows[place].sums.take(&left);
                self.windows[place].from = first;
            }
        }
        self.cells.forget_before(first / width);
        if width == 1 {
            self.ticks.forget_before(first);
        }
        true
    }

    /// What the cells from `from` to before `to` counted, whole cells where the ticks are forgotten.
    pub(super) fn count(&self, from: u64, to: u64) -> Sums {
        let width = self.grid.cell_ticks;
        let mut sums = Sums::default();
        let mut add = |tick: u64, cell: Sums| sums.add(&self.seen(tick, cell));
        // Where ticks are forgotten, cells; the cell that both reach into is not theirs.
        let kept = self.ticks.first();
        let exact = if from < kept { kept.next_multiple_of(width).min(to) } else { from };
        self.cells
            .range(from / width, exact / width)
            .filter(|_| from < kept)
            .for_each(|(cell, sums)| add(cell * width, sums));
        self.ticks.range(exact, to).for_each(|(tick, sums)| add(tick, sums));
        sums
    }

    /// What a tick counted; where ticks are forgotten, its cell.
    pub(super) fn at(&self, tick: u64) -> Sums {
        if tick >= self.ticks.first() { self.ticks.cell(tick) } else { self.cells.cell(tick / self.grid.cell_ticks) }
    }

    /// What corrections leave of it.
    pub(super) fn seen_at(&self, tick: u64) -> Sums {
        self.seen(tick, self.at(tick))
    }

    /// Cells of a range with their first ticks: what leaves a window that moves on.
    pub(super) fn cells(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, Sums)> + '_ {
        let width = self.grid.cell_ticks;
        let range = self.cells.range(from / width, to.div_ceil(width));
        range.map(move |(cell, sums)| (cell * width, self.seen(cell * width, sums)))
    }

    fn leave(&mut self, place: usize) {
        let to = self.edge(self.windows[place].span);
        let width = if self.is_exact(self.windows[place].span) { 1 } else { self.grid.cell_ticks };
        while self.windows[place].from < to {
            let from = self.windows[place].from;
            let left = if width == 1 { self.ticks.cell(from) } else { self.cells.cell(from / width) };
            let left = self.seen(from, left);
            self.windows[place].sums.take(&left);
            self.windows[place].from = from + width;
        }
    }

    /// The first tick of a window whose last one is the tick that closed last.
    fn edge(&self, span: Span) -> u64 {
        match span {
            Span::Since(since) => since,
            Span::Last(ticks) if self.is_exact(span) => self.next.saturating_sub(ticks),
            Span::Last(ticks) => {
                let edge = self.next.saturating_sub(ticks);
                edge - edge % self.grid.cell_ticks
            }
        }
    }

    fn is_exact(&self, span: Span) -> bool {
        match span {
            Span::Since(_) => true,
            Span::Last(ticks) => self.grid.cell_ticks == 1 || ticks * self.grid.tick_s <= EXACT_SECONDS,
        }
    }

    /// What corrections leave of a cell.
    fn seen(&self, tick: u64, cell: Sums) -> Sums {
        match (self.effect(tick), self.counted) {
            (None, _) => cell,
            (Some(effect), Counted::Events) => effect.leaves(cell),
            (Some(effect), Counted::Verdicts) => Sums { bad: cell.bad, total: cell.total, ..effect.leaves(cell) },
        }
    }

    /// Forgets what no window holds any more and late events cannot reach.
    fn forget(&mut self) {
        if !self.next.is_multiple_of(32) {
            return;
        }
        let late = self.next.saturating_sub(self.grid.ticks(EARLIER_SECONDS));
        let first = |is_long: bool| {
            let held = self.windows.iter().filter(|window| is_long || self.is_exact(window.span) && !window.is_since());
            held.map(|window| window.from).min().unwrap_or(late).min(late)
        };
        let (ticks, cells) = (first(self.grid.cell_ticks == 1), first(true));
        self.ticks.forget_before(ticks);
        self.cells.forget_before(cells / self.grid.cell_ticks);
    }
}

impl Window {
    fn is_since(&self) -> bool {
        matches!(self.span, Span::Since(_))
    }
}
