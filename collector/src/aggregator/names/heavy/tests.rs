//! What the paper proves, against exact counts of random streams; heavy names of a Zipf stream and in a flood.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn exact(stream: &[u64]) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    stream.iter().for_each(|number| *counts.entry(*number).or_default() += 1);
    counts
}

fn sketched(stream: &[u64], counters_max: usize) -> Sketch {
    let mut sketch = Sketch::new(counters_max);
    stream.iter().for_each(|number| sketch.add(*number));
    sketch
}

/// Heap and places agree.
fn assert_sound(sketch: &Sketch) {
    assert_eq!(sketch.places.len(), sketch.counters.len());
    for (place, counter) in sketch.counters.iter().enumerate() {
        assert_eq!(sketch.places[&counter.number] as usize, place);
        assert!(place == 0 || sketch.counters[(place - 1) / 2].weight() < counter.weight());
    }
}

/// Well mixed numbers (the finaliser of splitmix64).
fn mixed(index: u64) -> u64 {
    let mut z = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

proptest! {
    #[test]
    fn counts_err_by_n_over_m_at_most_and_never_below_the_truth(
        stream in prop::collection::vec(prop_oneof![2 => 0_u64..5, 1 => 0_u64..200], 1..600),
        counters_max in 1_usize..30,
    ) {
        let (truth, sketch) = (exact(&stream), sketched(&stream, counters_max));
        assert_sound(&sketch);
        let error_max = stream.len() as u64 / counters_max as u64;
        prop_assert!(sketch.counters().len() <= counters_max);
        for counter in sketch.counters() {
            let count = truth[&counter.number];
            prop_assert!(counter.sure <= count && count <= counter.count, "{counter:?} of {count}");
            prop_assert!(counter.count - count <= error_max && counter.count - counter.sure <= error_max);
        }
        // The counts together are the stream.
        prop_assert_eq!(sketch.counters().iter().map(|counter| counter.count).sum::<u64>(), stream.len() as u64);
        for (number, _) in truth.iter().filter(|(_, count)| **count > error_max) {
            prop_assert!(sketch.places.contains_key(number), "{number} came more than n / m times");
        }
    }

    #[test]
    fn taking_and_halving_leave_the_others_in_order(
        stream in prop::collection::vec(0_u64..40, 1..300),
        taken in prop::collection::vec(0_u64..40, 0..20),
        times in 0_u32..3,
    ) {
        let mut sketch = sketched(&stream, 16);
        for number in taken {
            let sure = sketch.counters().iter().find(|counter| counter.number == number).map_or(0, |found| found.sure);
            prop_assert_eq!(sketch.take(number), sure);
            assert_sound(&sketch);
        }
        let mut halved: Vec<_> = sketch.counters().iter().map(|c| (c.number, c.count >> times, c.sure >> times)).collect();
        halved.retain(|(_, count, _)| *count > 0);
        halved.sort_unstable();
        sketch.halve(times);
        assert_sound(&sketch);
        let mut left: Vec<_> = sketch.counters().iter().map(|c| (c.number, c.count, c.sure)).collect();
        left.sort_unstable();
        prop_assert_eq!(left, halved);
    }
}

#[test]
fn of_equal_counts_the_larger_number_gives_way() {
    let sketch = sketched(&[5, 9, 7, 6], 3);
    let mut kept: Vec<_> = sketch.counters().iter().map(|c| (c.number, c.count, c.sure)).collect();
    kept.sort_unstable();
    assert_eq!(kept, [(5, 1, 1), (6, 2, 1), (7, 1, 1)]);
}

#[test]
fn the_heavy_names_of_a_zipf_stream_are_found() {
    // Name r comes 100,000 / r times: 729,000 requests of 2,000 names in a shuffled order, into 200 counters.
    let mut stream: Vec<u64> = (1..=2_000_u64).flat_map(|rank| (0..100_000 / rank).map(move |_| rank)).collect();
    for place in (1..stream.len()).rev() {
        stream.swap(place, mixed(place as u64) as usize % (place + 1));
    }
    let sketch = sketched(&stream, 200);
    let mut ranked = sketch.counters().to_vec();
    ranked.sort_unstable_by_key(|counter| (Reverse(counter.sure), counter.number));
    let top: Vec<u64> = ranked[..20].iter().map(|counter| counter.number).collect();
    assert_eq!(top, (1..=20).collect::<Vec<_>>());
}

#[test]
fn in_a_flood_of_names_that_come_once_the_heavy_ones_are_the_sure_ones() {
    let mut sketch = Sketch::new(200);
    // 50 heavy names, each 1 of 140 requests, which is more than 1 of 200; between them 90 names that come once.
    for round in 0..2_000_u64 {
        (0..90).for_each(|name| sketch.add(mixed(1 + round * 90 + name)));
        (0..50).for_each(|heavy| sketch.add(heavy));
    }
    let (heavy, flood): (Vec<Counter>, Vec<Counter>) =
        sketch.counters().iter().copied().partition(|counter| counter.number < 50);
    assert_eq!(heavy.len(), 50);
    let least = heavy.iter().map(|counter| counter.sure).min();
    let most = flood.iter().map(|counter| counter.sure).max();
    assert!(least > most.map(|most| 100 * most), "{least:?} {most:?}");
    // The counts alone say of the flood what can only be said of heavy names.
    assert!(flood.iter().any(|counter| counter.count > 900));
}
