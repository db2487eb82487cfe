//! An increase over a stretch of time, spread over the slots of that stretch: export intervals must not bias the edges
//! of windows (`sli.md` 1.9).

use bailiwick_slo::time::{SECOND_NS, Slot};

/// The longest stretch that is spread: longer than a stream may be silent, with points as late as may be set. What a
/// delta says about more than that (an interval of days) stands in the end of it: no point makes more than 1 440 rows.
pub(super) const SPREAD_NS_MAX: u64 = 4 * 3_600 * SECOND_NS;

/// The parts of `total` over `(from_ns, to_ns]` by slot, those that are not 0, each with a moment of its slot. Up to
/// each slot's end the parts sum to the proportion of `total`, rounded down, and all of them to `total`.
pub(super) fn spread(total: u64, (from_ns, to_ns): (u64, u64)) -> impl Iterator<Item = (u64, u64)> {
    // A moment that ends a slot belongs to it, and not to the next one.
    let last = Slot::holding(to_ns.saturating_sub(1));
    let from_ns = from_ns.min(to_ns).max(to_ns.saturating_sub(SPREAD_NS_MAX));
    let length = u128::from(to_ns - from_ns);
    let first = if length == 0 { last } else { Slot::holding(from_ns) };
    let until = move |end_ns: u64| {
        if end_ns >= to_ns || length == 0 {
            return total;
        }
        let passed = u128::from(end_ns.saturating_sub(from_ns));
        // Not above `total`, since `passed` is not above `length`.
        u64::try_from(u128::from(total) * passed / length).unwrap_or(total)
    };
    let mut before = 0;
    (first.0..=last.0).map(Slot).filter_map(move |slot| {
        let through = until(slot.end_ns());
        let part = through - before;
        before = through;
        (part > 0).then_some((slot.start_ns(), part))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(total: u64, from_s: u64, to_s: u64) -> Vec<(u64, u64)> {
        let parts = spread(total, (from_s * SECOND_NS, to_s * SECOND_NS));
        parts.map(|(at, part)| (at / SECOND_NS, part)).collect()
    }

    #[test]
    fn a_minute_is_six_slots_alike() {
        assert_eq!(parts(60, 100, 160), [(100, 10), (110, 10), (120, 10), (130, 10), (140, 10), (150, 10)]);
    }

    #[test]
    fn what_does_not_divide_is_rounded_down_until_the_end() {
        // floor(7 k / 6) = 1, 2, 3, 4, 5, 7.
        assert_eq!(parts(7, 100, 160), [(100, 1), (110, 1), (120, 1), (130, 1), (140, 1), (150, 2)]);
        assert_eq!(parts(2, 100, 160), [(120, 1), (150, 1)]);
    }

    #[test]
    fn slots_at_the_edges_take_their_share() {
        // 5 s, 10 s, 3 s of 18 s.
        assert_eq!(parts(18, 105, 123), [(100, 5), (110, 10), (120, 3)]);
        assert_eq!(parts(5, 103, 107), [(100, 5)]);
    }

    #[test]
    fn a_stretch_without_length_stands_in_the_slot_that_it_ends() {
        assert_eq!(parts(5, 105, 105), [(100, 5)]);
        assert_eq!(parts(5, 110, 110), [(100, 5)]);
        assert_eq!(parts(5, 200, 110), [(100, 5)]);
        assert_eq!(parts(0, 100, 160), []);
    }

    #[test]
    fn no_stretch_makes_more_rows_than_four_hours_have_slots() {
        assert_eq!(parts(1_440_000, 0, 1_700_000_000).len(), 1_440);
        assert_eq!(parts(1_440_000, 0, 1_700_000_000).iter().map(|(_, part)| part).sum::<u64>(), 1_440_000);
        let most = spread(u64::MAX, (0, 10_000_000_000 * SECOND_NS));
        assert_eq!(most.map(|(_, part)| part).sum::<u64>(), u64::MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Scenario: any total over any stretch.
        /// Guarantee: the parts sum to it, and up to any slot they are its proportion, rounded down.
        #[test]
        fn the_sum_is_exact(total: u64, from in 0_u64..10_000_000_000_000, length in 0_u64..14_400_000_000_000) {
            let to = from + length;
            let mut sum = 0_u128;
            for (at, part) in spread(total, (from, to)) {
                sum += u128::from(part);
                let passed = u128::from((at + 10 * SECOND_NS).min(to) - from);
                prop_assert_eq!(sum, if length == 0 { total.into() } else { u128::from(total) * passed / u128::from(length) });
            }
            prop_assert_eq!(sum, u128::from(total));
        }
    }
}
