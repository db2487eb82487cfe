//! What a stretch of time counted for one instance. Sums form a group: what entered a window can be taken out again, and
//! a tick that counts less than nothing (what it takes back was counted elsewhere) is made up for by another. Only what a
//! whole window counted is never less than nothing: readers ask [`Sums::bad`] and the like.

use crate::saved;

/// Counts of one or more ticks. The four counts are two's complement and wrap: see [`Sums::floored`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Bad events, adjusted for sampling; bad slices; of `RatioTimeslices` the sum of shortfalls in 2^-64.
    pub bad: u128,
    /// All events, or slices.
    pub total: u64,
    /// Bad events as they were seen.
    pub raw_bad: u64,
    /// All events as they were seen.
    pub raw_total: u64,
    /// Ticks.
    pub ticks: u32,
    /// Ticks of which nothing is known.
    pub gaps: u32,
    /// Ticks in which the source is known to have been alive.
    pub alive: u32,
}

saved!(struct Sums { bad, total, raw_bad, raw_total, ticks, gaps, alive });

/// A change of counts in a tick that is over: late events, or events that turned out to be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delta {
    /// Bad events, adjusted for sampling.
    pub bad: i64,
    /// All events, adjusted for sampling.
    pub total: i64,
    /// Bad events as they were seen.
    pub raw_bad: i64,
    /// All events as they were seen.
    pub raw_total: i64,
}

saved!(struct Delta { bad, total, raw_bad, raw_total });

impl Delta {
    /// Adds another change of the same tick.
    pub const fn add(&mut self, other: &Self) {
        self.bad += other.bad;
        self.total += other.total;
        self.raw_bad += other.raw_bad;
        self.raw_total += other.raw_total;
    }
}

/// What is known of the source in a tick (`slo.md` 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// Nothing says whether it would have been heard.
    #[default]
    Silent,
    /// It would have been heard.
    Alive,
    /// A gap: it would not have been heard.
    Dead,
}

saved!(enum Source { 0 => Silent, 1 => Alive, 2 => Dead });

impl Sums {
    /// One tick without events.
    #[must_use]
    pub const fn tick(source: Source) -> Self {
        let (gaps, alive) = match source {
            Source::Silent => (0, 0),
            Source::Alive => (0, 1),
            Source::Dead => (1, 0),
        };
        Self { bad: 0, total: 0, raw_bad: 0, raw_total: 0, ticks: 1, gaps, alive }
    }

    /// Adds what another stretch counted.
    pub const fn add(&mut self, other: &Self) {
        self.bad = self.bad.wrapping_add(other.bad);
        self.total = self.total.wrapping_add(other.total);
        self.raw_bad = self.raw_bad.wrapping_add(other.raw_bad);
        self.raw_total = self.raw_total.wrapping_add(other.raw_total);
        self.ticks = self.ticks.wrapping_add(other.ticks);
        self.gaps = self.gaps.wrapping_add(other.gaps);
        self.alive = self.alive.wrapping_add(other.alive);
    }

    /// Takes out what was added before.
    pub const fn take(&mut self, other: &Self) {
        self.bad = self.bad.wrapping_sub(other.bad);
        self.total = self.total.wrapping_sub(other.total);
        self.raw_bad = self.raw_bad.wrapping_sub(other.raw_bad);
        self.raw_total = self.raw_total.wrapping_sub(other.raw_total);
        self.ticks = self.ticks.wrapping_sub(other.ticks);
        self.gaps = self.gaps.wrapping_sub(other.gaps);
        self.alive = self.alive.wrapping_sub(other.alive);
    }

    /// Changes its counts.
    pub fn change(&mut self, delta: &Delta) {
        self.bad = self.bad.wrapping_add_signed(i128::from(delta.bad));
        self.total = self.total.wrapping_add_signed(delta.total);
        self.raw_bad = self.raw_bad.wrapping_add_signed(delta.raw_bad);
        self.raw_total = self.raw_total.wrapping_add_signed(delta.raw_total);
    }

    /// Bad ones, at least none.
    #[must_use]
    pub const fn bad(&self) -> u128 {
        if self.bad.cast_signed() < 0 { 0 } else { self.bad }
    }

    /// All, at least none.
    #[must_use]
    pub const fn total(&self) -> u64 {
        floor(self.total)
    }

    /// Bad events as they were seen, at least none.
    #[must_use]
    pub const fn raw_bad(&self) -> u64 {
        floor(self.raw_bad)
    }

    /// All events as they were seen, at least none.
    #[must_use]
    pub const fn raw_total(&self) -> u64 {
        floor(self.raw_total)
    }

    /// The same with no count below nought: what a window that is read counted.
    #[must_use]
    pub const fn floored(&self) -> Self {
        Self { bad: self.bad(), total: self.total(), raw_bad: self.raw_bad(), raw_total: self.raw_total(), ..*self }
    }
}

const fn floor(count: u64) -> u64 {
    if count.cast_signed() < 0 { 0 } else { count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_can_be_taken_out_again() {
        let one = Sums { bad: 3, total: 10, raw_bad: 1, raw_total: 4, ..Sums::tick(Source::Alive) };
        let mut sums = Sums::tick(Source::Dead);
        sums.add(&one);
        assert_eq!((sums.bad, sums.total, sums.ticks, sums.gaps, sums.alive), (3, 10, 2, 1, 1));
        sums.take(&one);
        assert_eq!(sums, Sums::tick(Source::Dead));
    }

    #[test]
    fn what_a_tick_takes_back_another_makes_up_for_and_a_sum_is_never_less_than_nothing() {
        let mut sums = Sums { bad: 1, total: 2, ..Sums::default() };
        sums.change(&Delta { bad: -3, total: -1, raw_bad: -4, raw_total: 5 });
        assert_eq!((sums.bad(), sums.total(), sums.raw_bad(), sums.raw_total()), (0, 1, 0, 5));
        assert_eq!(sums.floored(), Sums { bad: 0, total: 1, raw_bad: 0, raw_total: 5, ..sums });
        // One was bad, three were taken back, seven came: five.
        sums.change(&Delta { bad: 7, total: 0, raw_bad: 4, raw_total: 0 });
        assert_eq!((sums.bad(), sums.total(), sums.raw_bad()), (5, 1, 0));
    }
}
