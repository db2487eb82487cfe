//! How durations are bucketed: HdrHistogram's two-digit layout for cells, and the classic `le` bounds.
//!
//! Layout (`sli.md` 4.1): 1 us to 1 h with two significant digits. For a value `v` in microseconds below 256 the
//! index is `v`; else with `e = floor(log2 v) - 7` it is `128 e + (v >> e)`, a bucket from `(v >> e) << e` of width
//! `2^e`: at most 0.78 % wide. Source: HdrHistogram (`countsArrayIndex`) for lowest 1, highest 3.6e9, two digits.

/// Highest trackable duration in microseconds: one hour.
pub const MICROS_MAX: u64 = 3_600_000_000;

/// Number of indexes of the two-digit layout.
pub const INDEX_COUNT: usize = 3_328;

/// Upper bounds of the exposed request histograms in nanoseconds: Prometheus' and OpenTelemetry's defaults
/// (5 ms to 10 s), without `+Inf`.
pub const LE_BOUNDS_NS: [u64; 14] = [
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    75_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    750_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    7_500_000_000,
    10_000_000_000,
];

/// [`LE_BOUNDS_NS`] as the label `le` prints them, in seconds.
pub const LE_NAMES: [&str; 14] =
    ["0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1", "2.5", "5", "7.5", "10"];

/// The value that a cell records for a duration: microseconds, rounded up so that a bucket's top is a true upper
/// bound, at most an hour.
#[must_use]
pub const fn micros(duration_ns: u64) -> u64 {
    let micros = duration_ns.div_ceil(1_000);
    if micros > MICROS_MAX { MICROS_MAX } else { micros }
}

/// The index of a value in microseconds (see the module's formula).
///
/// ```
/// use bailiwick_slo::latency::index_of;
/// assert_eq!((index_of(255), index_of(256), index_of(1_000), index_of(3_600_000_000)), (255, 256, 506, 3_286));
/// ```
#[must_use]
pub const fn index_of(micros: u64) -> u16 {
    if micros < 256 {
        return micros as u16;
    }
    let e = 63 - micros.leading_zeros() as u64 - 7;
    let index = 128 * e + (micros >> e);
    if index < INDEX_COUNT as u64 { index as u16 } else { INDEX_COUNT as u16 - 1 }
}

/// Lowest and highest value in microseconds of a bucket.
#[must_use]
pub const fn bucket(index: u16) -> (u64, u64) {
    let index = index as u64;
    if index < 256 {
        return (index, index);
    }
    let e = index / 128 - 1;
    let low = (index - 128 * e) << e;
    (low, low + (1 << e) - 1)
}

/// Which of [`LE_BOUNDS_NS`] is the first that holds this duration; 14 is `+Inf`.
#[must_use]
pub fn le_index(duration_ns: u64) -> usize {
    // Four comparisons of a fixed list, which compile without branches.
    LE_BOUNDS_NS.partition_point(|bound| duration_ns > *bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_specification_hold() {
        let vectors = [
            (255, 255, 255, 255),
            (256, 256, 256, 257),
            (513, 384, 512, 515),
            (1_000, 506, 1_000, 1_003),
            (42_000, 1_188, 41_984, 42_239),
            (250_000, 1_524, 249_856, 250_879),
            (1_000_000, 1_780, 999_424, 1_003_519),
        ];
        for (value, index, low, high) in vectors {
            assert_eq!(index_of(value), index, "index of {value}");
            assert_eq!(bucket(index), (low, high), "bucket of {value}");
        }
        assert_eq!(index_of(MICROS_MAX), 3_286);
    }

    #[test]
    fn buckets_meet_without_gap_or_overlap() {
        for index in 0..(INDEX_COUNT as u16 - 1) {
            let (low, high) = bucket(index);
            assert_eq!(index_of(low), index);
            assert_eq!(index_of(high), index);
            assert_eq!(bucket(index + 1).0, high + 1);
        }
    }

    #[test]
    fn a_duration_equal_to_a_bound_is_inside_it() {
        assert_eq!(LE_NAMES[le_index(250_000_000)], "0.25");
        assert_eq!(LE_NAMES[le_index(250_000_001)], "0.5");
        assert_eq!(le_index(10_000_000_001), 14);
        assert_eq!(le_index(0), 0);
    }

    #[test]
    fn microseconds_are_rounded_up_and_capped() {
        assert_eq!((micros(0), micros(1), micros(1_000), micros(1_001)), (0, 1, 1, 2));
        assert_eq!(micros(u64::MAX), MICROS_MAX);
    }
}
