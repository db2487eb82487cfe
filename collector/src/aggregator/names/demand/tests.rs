//! The error that the method promises, over many streams, and what generations forget.

use super::*;

/// Well mixed numbers without a repetition: the finaliser of splitmix64 over a counter (Steele, Lea, Flood 2014).
fn mixed(stream: u64, index: u64) -> u64 {
    let mut z = (stream << 40 | index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Relative errors of estimates at these sizes, one row per size.
fn errors(streams: u64, sizes: &[u64]) -> Vec<Vec<f64>> {
    let mut rows = vec![Vec::new(); sizes.len()];
    for stream in 1..=streams {
        let (mut demand, mut added) = (Demand::default(), 0);
        for (row, size) in rows.iter_mut().zip(sizes) {
            (added..*size).for_each(|index| demand.add(mixed(stream, index)));
            added = *size;
            row.push(demand.estimate() as f64 / *size as f64 - 1.0);
        }
    }
    rows
}

fn assert_promise(streams: u64, sizes: &[u64]) {
    for (size, errors) in sizes.iter().zip(errors(streams, sizes)) {
        let count = errors.len() as f64;
        let mean = errors.iter().sum::<f64>() / count;
        let spread = (errors.iter().map(|error| error * error).sum::<f64>() / count).sqrt();
        // 3.25 %; of n streams the spread itself errs by 1 / sqrt(2 n) and the mean by spread / sqrt(n): three of each.
        assert!(spread <= 0.0325 * (1.0 + 3.0 / (2.0 * count).sqrt()), "{size}: spread {spread}");
        assert!(mean.abs() <= 3.0 * 0.0325 / count.sqrt() + 0.001, "{size}: mean {mean}");
    }
}

#[test]
fn estimates_keep_the_standard_error_from_ten_names_to_a_million() {
    // Among them 2.5 x 1024, where the first paper's estimator goes from one correction to the other.
    assert_promise(200, &[10, 100, 1_000, 2_560, 5_000, 20_000]);
    assert_promise(20, &[100_000, 1_000_000]);
}

#[test]
fn few_names_are_counted_nearly_exactly() {
    let mut demand = Demand::default();
    assert_eq!(demand.estimate(), 0);
    for name in 0..20 {
        let number = number_of("chat", &format!("GET /{name}"), EntryType::Server);
        (0..50).for_each(|_| demand.add(number));
    }
    assert!((19..=21).contains(&demand.estimate()), "{}", demand.estimate());
}

#[test]
fn names_differ_by_each_part_and_where_parts_meet() {
    let numbers = [
        number_of("ab", "c", EntryType::Server),
        number_of("a", "bc", EntryType::Server),
        number_of("ab", "c", EntryType::Consumer),
        number_of("ab", "d", EntryType::Server),
    ];
    let different: std::collections::BTreeSet<u64> = numbers.into_iter().collect();
    assert_eq!(different.len(), 4);
}

#[test]
fn a_name_is_forgotten_with_the_second_turn_after_it() {
    let mut demand = Demand::default();
    (0..1_000).for_each(|index| demand.add(mixed(1, index)));
    let of_first = demand.estimate();
    demand.turn(1);
    assert_eq!(demand.estimate(), of_first);
    // The same names and no others: the union does not count them twice.
    (0..1_000).for_each(|index| demand.add(mixed(1, index)));
    assert_eq!(demand.estimate(), of_first);
    demand.turn(1);
    assert_eq!(demand.estimate(), of_first);
    demand.turn(1);
    assert_eq!(demand.estimate(), 0);
    demand.add(7);
    demand.turn(2);
    assert_eq!(demand.estimate(), 0, "both generations passed meanwhile");
}
