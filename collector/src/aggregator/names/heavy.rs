//! Which names are asked for most, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient computation
//! of frequent and top-k elements in data streams", 2005).
//!
//! With m counters, of a stream of n: a count is at least the name's true count and exceeds it by n / m at most, and
//! every name that came more than n / m times has a counter. Beside the count stands how much of it is sure, what came
//! since the name took the counter. Names rank by that: in a flood of names that come once, all counts grow to n / m,
//! and the sure part alone tells a heavy name from the flood.

use bailiwick_slo::saved;
use bailiwick_slo::saved::Saved;
use bailiwick_slo::wire::{Read, Reader, Writer};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use std::cmp::Reverse;

/// The counter of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counter {
    /// The name's number.
    pub(super) number: u64,
    /// It was asked for so often at most.
    pub(super) count: u64,
    /// And so often at least.
    pub(super) sure: u64,
}
saved!(struct Counter { number, count, sure });

impl Counter {
    /// Who gives way first: the smallest count, of equal ones the largest number.
    fn weight(&self) -> (u64, Reverse<u64>) {
        (self.count, Reverse(self.number))
    }
}

/// Names of one stream.
#[derive(Debug)]
pub(super) struct Sketch {
    /// A heap: each counter outweighs its parent, so that the lightest stands in front.
    counters: Vec<Counter>,
    counters_max: usize,
    places: HashMap<u64, u32, foldhash::fast::RandomState>,
}

impl Saved for Sketch {
    fn save(&self, to: &mut Writer) {
        self.counters.save(to);
        self.counters_max.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (counters, counters_max): (Vec<Counter>, usize) = Saved::load(from)?;
        let places = counters.iter().map(|counter| counter.number).zip(0..).collect();
        Ok(Self { counters, counters_max, places })
    }
}

impl Sketch {
    /// An empty sketch of at least one counter.
    pub(super) fn new(counters_max: usize) -> Self {
        Self { counters: Vec::new(), counters_max: counters_max.max(1), places: HashMap::default() }
    }

    /// A name was asked for.
    pub(super) fn add(&mut self, number: u64) {
        let place = match self.places.entry(number) {
            Entry::Occupied(known) => {
                let place = *known.get() as usize;
                self.counters[place].count += 1;
                self.counters[place].sure += 1;
                place
            }
            Entry::Vacant(free) if self.counters.len() < self.counters_max => {
                let place = self.counters.len();
                free.insert(place as u32);
                self.counters.push(Counter { number, count: 1, sure: 1 });
                self.rise(place);
                return;
            }
            Entry::Vacant(free) => {
                free.insert(0);
                let lightest = self.counters[0];
                self.places.remove(&lightest.number);
                self.counters[0] = Counter { number, count: lightest.count + 1, sure: 1 };
                0
            }
        };
        self.sink(place);
    }

    /// A name has its own series now: what is sure of it, if it has a counter.
    pub(super) fn take(&mut self, number: u64) -> u64 {
        let Some(place) = self.places.remove(&number) else { return 0 };
        let taken = self.counters.swap_remove(place as usize);
        if let Some(moved) = self.counters.get(place as usize) {
            self.places.insert(moved.number, place);
            self.rise(place as usize);
            self.sink(self.places[&self.counters[place as usize].number] as usize);
        }
        taken.sure
    }

    /// Halves all counts so many times, so that what was asked for long ago weighs less.
    pub(super) fn halve(&mut self, times: u32) {
        for counter in &mut self.counters {
            counter.count = counter.count.checked_shr(times).unwrap_or_default();
            counter.sure = counter.sure.checked_shr(times).unwrap_or_default();
        }
        self.counters.retain(|counter| counter.count > 0);
        // In the order of weights every counter outweighs its parent.
        self.counters.sort_unstable_by_key(Counter::weight);
        self.places.clear();
        self.places.extend(self.counters.iter().zip(0..).map(|(counter, place)| (counter.number, place)));
    }

    /// All counters, in no order.
    pub(super) fn counters(&self) -> &[Counter] {
        &self.counters
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 && self.counters[place].weight() < self.counters[(place - 1) / 2].weight() {
            self.swap(place, (place - 1) / 2);
            place = (place - 1) / 2;
        }
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let children = 2 * place + 1..(2 * place + 3).min(self.counters.len());
            let Some(child) = children.min_by_key(|child| self.counters[*child].weight()) else { return };
            if self.counters[place].weight() <= self.counters[child].weight() {
                return;
            }
            self.swap(place, child);
            place = child;
        }
    }

    fn swap(&mut self, one: usize, two: usize) {
        self.counters.swap(one, two);
        for place in [one, two] {
            self.places.insert(self.counters[place].number, place as u32);
        }
    }
}

#[cfg(test)]
mod tests;
