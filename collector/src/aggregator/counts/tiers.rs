//! Any counts by time: `N` of them for each number (of a module, an edge, a stream's owner), in the slots and hours
//! that requests are counted in. What belongs to requests of a series on the hot path has [`super::intervals`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bailiwick_slo::saved;
use bailiwick_slo::time::{Slot, Window};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::intervals::{HOURS_KEPT, SLOTS_KEPT};
use super::table::{self, Fields, Table};
use crate::aggregator::memory::layers::Layers;

type Rows<const N: usize> = HashMap<u32, Fields<N>, RandomState>;

/// Where the counts are kept.
#[derive(Debug)]
pub(in crate::aggregator) struct Tiers<const N: usize> {
    /// What was added since its slot was closed last, or never was.
    open: BTreeMap<Slot, Rows<N>>,
    closed: Arc<Closed<N>>,
}
saved!(struct [const N: usize] Tiers<N> { open, closed });

/// Closed slots and hours. Immutable; shared by snapshots until something closes.
#[derive(Debug)]
pub(in crate::aggregator) struct Closed<const N: usize> {
    slots: VecDeque<(Slot, Arc<Layers<Table<N>>>)>,
    hours: VecDeque<(u32, Arc<Layers<Table<N>>>)>,
    /// The first slot that is not closed.
    through: Slot,
    /// What was added when it came about, by slot: of the slots that closed then, and of earlier ones.
    joined: Vec<(Slot, Layers<Table<N>>)>,
    /// How many there were before it.
    revision: u64,
}
saved!(struct [const N: usize] Closed<N> { slots, hours, through, joined, revision });

impl<const N: usize> Default for Closed<N> {
    fn default() -> Self {
        Self { slots: VecDeque::new(), hours: VecDeque::new(), through: Slot(0), joined: Vec::new(), revision: 0 }
    }
}

impl<const N: usize> Default for Tiers<N> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), closed: Arc::default() }
    }
}

impl<const N: usize> Tiers<N> {
    /// Adds to the counts of a number in the slot that holds this moment.
    pub(in crate::aggregator) fn add(&mut self, at_ns: u64, number: u32, counts: &Fields<N>) {
        let rows = self.open.entry(Slot::holding(at_ns)).or_default();
        table::add(rows.entry(number).or_insert([0; N]), counts);
    }

    /// Takes out what was added to that slot before; never more than that.
    pub(in crate::aggregator) fn withdraw(&mut self, at_ns: u64, number: u32, counts: &Fields<N>) {
        self.add(at_ns, number, &counts.map(u64::wrapping_neg));
    }

    /// Closes what ended before `now_ns - close_after_ns`, and what came late for closed slots.
    pub(in crate::aggregator) fn close(&mut self, now_ns: u64, close_after_ns: u64) {
        let through = Slot::holding(now_ns.saturating_sub(close_after_ns)).max(self.closed.through);
        let still_open = self.open.split_off(&through);
        let ended = std::mem::replace(&mut self.open, still_open);
        if through == self.closed.through && ended.is_empty() {
            return;
        }
        let mut closed = Closed {
            slots: self.closed.slots.clone(),
            hours: self.closed.hours.clone(),
            through,
            joined: Vec::new(),
            revision: self.closed.revision + 1,
        };
        let oldest = Slot(through.0.saturating_sub(SLOTS_KEPT as u32));
        for (slot, rows) in ended {
            let layers = layers(rows);
            if slot < oldest {
                put(&mut closed.hours, slot.hour(), &layers);
            } else {
                put(&mut closed.slots, slot, &layers);
            }
            closed.joined.push((slot, layers));
        }
        while let Some((slot, layers)) = closed.slots.pop_front_if(|(slot, _)| *slot < oldest) {
            put(&mut closed.hours, slot.hour(), &layers);
        }
        let oldest_hour = through.hour().saturating_sub(HOURS_KEPT as u32);
        while closed.hours.pop_front_if(|(hour, _)| *hour < oldest_hour).is_some() {}
        self.closed = Arc::new(closed);
    }

    pub(in crate::aggregator) fn closed(&self) -> &Arc<Closed<N>> {
        &self.closed
    }
}

/// Rows that count something, as a table in the order of numbers.
fn layers<const N: usize>(rows: Rows<N>) -> Layers<Table<N>> {
    let mut rows: Vec<_> = rows.into_iter().filter(|(_, fields)| *fields != [0; N]).collect();
    rows.sort_unstable_by_key(|(number, _)| *number);
    let mut layers = Layers::default();
    layers.push(Table::write(rows));
    layers
}

fn put<K: Ord + Copy, const N: usize>(
    kept: &mut VecDeque<(K, Arc<Layers<Table<N>>>)>,
    key: K,
    layers: &Layers<Table<N>>,
) {
    match kept.binary_search_by_key(&key, |(key, _)| *key) {
        Ok(at) => Arc::make_mut(&mut kept[at].1).absorb(layers),
        Err(at) => kept.insert(at, (key, Arc::new(layers.clone()))),
    }
}

impl<const N: usize> Closed<N> {
    /// The first slot that is not closed.
    pub(in crate::aggregator) fn through(&self) -> Slot {
        self.through
    }

    /// What was added when it came about, slot by slot and number by number. Withdrawals are two's complement.
    pub(in crate::aggregator) fn joined(&self) -> impl Iterator<Item = (Slot, u32, Fields<N>)> + '_ {
        self.joined.iter().flat_map(|(slot, layers)| {
            let rows = layers.tables().flat_map(Table::rows);
            rows.map(|(number, fields)| (*slot, number, fields))
        })
    }

    /// How often closed slots had changed before: what has the same number has the same [`Self::joined`].
    pub(in crate::aggregator) fn revision(&self) -> u64 {
        self.revision
    }

    /// Sums by number over the slots `from..to` that are closed; hours only where slots are not kept any more, so that
    /// up to an hour more than asked for may be in.
    pub(in crate::aggregator) fn sum(&self, from: Slot, to: Slot) -> BTreeMap<u32, Fields<N>> {
        let is_kept = from.0 >= self.through.0.saturating_sub(SLOTS_KEPT as u32);
        let hours = self.hours.iter().filter(|(hour, _)| !is_kept && *hour >= from.hour()).map(|(_, layers)| layers);
        let slots = self.slots.iter().filter(|(slot, _)| *slot >= from && *slot < to).map(|(_, layers)| layers);
        let mut sums = BTreeMap::new();
        for (number, fields) in hours.chain(slots).flat_map(|layers| layers.tables()).flat_map(Table::rows) {
            table::add(sums.entry(number).or_insert([0; N]), &fields);
        }
        sums
    }

    /// Sums by number over a window that ends with the last closed slot.
    pub(in crate::aggregator) fn window(&self, window: Window) -> BTreeMap<u32, Fields<N>> {
        let from = Slot(self.through.0.saturating_sub(window.slots()));
        self.sum(from, self.through)
    }
}

#[cfg(test)]
mod tests {
    use bailiwick_slo::time::SECOND_NS;

    use super::*;

    const NOW: u64 = 1_700_000_000 * SECOND_NS;

    #[test]
    fn counts_stand_in_the_slot_of_their_moment_and_go_with_their_hour() {
        let mut tiers: Tiers<2> = Tiers::default();
        tiers.add(NOW, 3, &[1, 0]);
        tiers.add(NOW, 3, &[1, 5]);
        tiers.add(NOW - 300 * SECOND_NS, 4, &[0, 7]);
        tiers.close(NOW + 20 * SECOND_NS, 10 * SECOND_NS);
        assert_eq!(tiers.closed().window(Window::Minute), BTreeMap::from([(3, [2, 5])]));
        assert_eq!(tiers.closed().window(Window::Hour), BTreeMap::from([(3, [2, 5]), (4, [0, 7])]));
        // Late for a closed slot, and taken out of one.
        tiers.add(NOW, 4, &[1, 0]);
        tiers.withdraw(NOW, 3, &[1, 0]);
        tiers.close(NOW + 20 * SECOND_NS, 10 * SECOND_NS);
        assert_eq!(tiers.closed().window(Window::Minute), BTreeMap::from([(3, [1, 5]), (4, [1, 0])]));
        // Two hours later only the day has them; a day and more later nothing has.
        tiers.close(NOW + 7_200 * SECOND_NS, 10 * SECOND_NS);
        assert_eq!(tiers.closed().window(Window::Hour), BTreeMap::new());
        assert_eq!(tiers.closed().window(Window::Day), BTreeMap::from([(3, [1, 5]), (4, [1, 7])]));
        // The rest of that hour is not an hour old, and must not bring its beginning along.
        tiers.add(NOW + 7_190 * SECOND_NS, 5, &[9, 9]);
        tiers.close(NOW + 7_220 * SECOND_NS, 10 * SECOND_NS);
        assert_eq!(tiers.closed().window(Window::Hour), BTreeMap::from([(5, [9, 9])]));
        tiers.close(NOW + 30 * 3_600 * SECOND_NS, 10 * SECOND_NS);
        assert_eq!(tiers.closed().window(Window::Day), BTreeMap::new());
    }

    #[test]
    fn what_joins_closed_slots_is_told_once_and_late_additions_apart() {
        let mut tiers: Tiers<2> = Tiers::default();
        let (slot, earlier) = (Slot::holding(NOW), Slot::holding(NOW - 300 * SECOND_NS));
        let joined = |tiers: &Tiers<2>| tiers.closed().joined().collect::<Vec<_>>();
        tiers.add(NOW, 4, &[1, 0]);
        tiers.add(NOW, 3, &[2, 5]);
        tiers.close(NOW + 5 * SECOND_NS, 10 * SECOND_NS);
        let before = tiers.closed().revision();
        assert_eq!(joined(&tiers), [], "still open");
        tiers.close(NOW + 20 * SECOND_NS, 10 * SECOND_NS);
        assert_eq!(joined(&tiers), [(slot, 3, [2, 5]), (slot, 4, [1, 0])]);
        let first = tiers.closed().revision();
        assert!(first > before);
        // Nothing closed: the same is told under the same number.
        tiers.close(NOW + 21 * SECOND_NS, 10 * SECOND_NS);
        assert_eq!((tiers.closed().revision(), joined(&tiers).len()), (first, 2));
        tiers.add(NOW - 300 * SECOND_NS, 3, &[0, 7]);
        tiers.add(NOW, 4, &[2, 0]);
        let shown = Arc::clone(tiers.closed());
        tiers.close(NOW + 22 * SECOND_NS, 10 * SECOND_NS);
        assert_eq!(joined(&tiers), [(earlier, 3, [0, 7]), (slot, 4, [2, 0])], "only what came since");
        assert_eq!(shown.joined().count(), 2, "readers of the one before keep theirs");
        // A slot without anything closes too, and says so.
        tiers.close(NOW + 30 * SECOND_NS, 10 * SECOND_NS);
        assert_eq!((joined(&tiers).len(), tiers.closed().revision()), (0, first + 2));
    }

    #[test]
    fn the_open_slot_is_not_shown() {
        let mut tiers: Tiers<1> = Tiers::default();
        tiers.add(NOW, 0, &[1]);
        tiers.close(NOW + 9 * SECOND_NS, 10 * SECOND_NS);
        assert_eq!(tiers.closed().window(Window::Day), BTreeMap::new());
        assert_eq!(tiers.closed().through(), Slot::holding(NOW - 10 * SECOND_NS));
    }
}
