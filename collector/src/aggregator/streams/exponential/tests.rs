//! The exponential vectors of `sli.md` 1.9, and the arithmetic against raw values.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn positive(scale: i16, offset: i64, counts: &[u64]) -> Exponential {
    let positive = Side::dense(offset, counts.iter().copied()).expect("indexes have a place");
    Exponential { scale, positive, ..Exponential::default() }
}

/// "Exponential: scale 3 offset -3 [1,2,3,4,5,6] = scale 2 offset -2 [1,5,9,6] = scale 1 offset -1 [6,15]"
#[test]
fn a_lower_scale_joins_neighbours() {
    let fine = positive(3, -3, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(fine.at_scale(2), positive(2, -2, &[1, 5, 9, 6]));
    assert_eq!(fine.at_scale(1), positive(1, -1, &[6, 15]));
    assert_eq!(fine.at_scale(2).at_scale(1), fine.at_scale(1));
    assert_eq!(fine.at_scale(1).positive.as_dense(), (-1, vec![6, 15]));
    assert_eq!(fine.at_scale(3), fine);
}

/// "scale 0 offset -3 [1,1,1,1], zero count 2, widened to 0.3: threshold 0.5, zero count 4, offset -1 [1,1]"
#[test]
fn a_threshold_inside_a_populated_bucket_rises_to_its_top() {
    let narrow = Exponential { zero_count: 2, ..positive(0, -3, &[1, 1, 1, 1]) };
    let wide = Exponential { zero_threshold: 0.5, zero_count: 4, ..positive(0, -1, &[1, 1]) };
    assert_eq!(narrow.widened(0.3), wide);
    // Not inside of one: (1/4, 1/2] is empty.
    let sparse = Exponential { zero_count: 2, ..positive(0, -3, &[1, 0, 1, 1]) };
    assert_eq!(sparse.widened(0.3), Exponential { zero_threshold: 0.3, zero_count: 3, ..positive(0, -1, &[1, 1]) });
    // At a bound it stays there.
    assert_eq!(
        narrow.widened(0.25),
        Exponential { zero_threshold: 0.25, zero_count: 3, ..positive(0, -2, &[1, 1, 1]) }
    );
    assert_eq!(wide.widened(0.3), wide, "never narrower");
}

#[test]
fn a_threshold_that_rises_on_one_side_swallows_the_other_side_as_well() {
    let negative = Side::dense(-3, [7, 0, 9]).expect("indexes have a place");
    let both = Exponential { negative, ..positive(0, -2, &[1, 1]) };
    let widened = both.widened(0.3);
    assert_eq!(widened.zero_threshold.to_bits(), 0.5_f64.to_bits());
    assert_eq!((widened.zero_count, widened.positive.as_dense()), (8, (-1, vec![1])));
    assert_eq!(widened.negative.as_dense(), (-1, vec![9]));
}

#[test]
fn scales_and_thresholds_meet_at_the_lower_and_the_larger_one() {
    let fine = Exponential { zero_count: 1, ..positive(3, -3, &[1, 2, 3, 4, 5, 6]) };
    let coarse = Exponential { zero_threshold: 0.3, zero_count: 10, ..positive(1, 0, &[100]) };
    let sum = fine.plus(&coarse);
    assert_eq!((sum.scale, sum.zero_count), (1, 11), "nothing of the fine one is below 0.7");
    assert_eq!(sum.zero_threshold.to_bits(), 0.3_f64.to_bits());
    assert_eq!(sum.positive.as_dense(), (-1, vec![6, 115]));
    assert_eq!(coarse.plus(&fine), sum);
    assert_eq!(sum.minus(&fine).map(|rest| rest.positive.as_dense()), Some((0, vec![100])));
    assert_eq!(fine.minus(&sum), None, "less than before");
    assert_eq!(coarse.minus(&fine), None, "a bucket went away");
}

#[test]
fn far_offsets_cost_what_they_hold() {
    let far = positive(20, i64::from(i32::MAX), &[1]).plus(&positive(20, i64::from(i32::MIN), &[1]));
    assert_eq!(far.len(), 2);
    assert_eq!(Side::dense(i64::MAX, [1, 1]), None);
    assert_eq!(far.at_scale(-10).len(), 2, "of both signs: one below 1, one above");
}

/// Values in a histogram of this scale and threshold, one by one.
fn recorded(values: &[f64], scale: i16, zero_threshold: f64) -> Exponential {
    let mut sides: [BTreeMap<i64, u64>; 2] = Default::default();
    let mut zero_count = 0;
    for value in values {
        if value.abs() <= zero_threshold {
            zero_count += 1;
            continue;
        }
        // The bucket that holds it, by its definition and not by its inverse.
        let guess = (value.abs().log2() * f64::from(scale).exp2()).floor() as i64;
        let index = (guess - 2..=guess + 2).find(|index| value.abs() <= top(*index, scale)).expect("near the guess");
        *sides[usize::from(*value < 0.0)].entry(index).or_default() += 1;
    }
    let [positive, negative] = sides.map(|side| Side(side.into_iter().collect()));
    Exponential { scale, zero_threshold, zero_count, positive, negative }
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let magnitude = (-40_i32..40).prop_map(|exponent| (f64::from(exponent) / 4.0).exp2());
    let value =
        (magnitude, any::<bool>()).prop_map(|(magnitude, negative)| if negative { -magnitude } else { magnitude });
    prop::collection::vec(value, 0..30)
}

proptest! {
    /// Scenario: values recorded at two scales, with bounds as thresholds.
    /// Guarantee: adding equals recording all of them at the lower scale and larger threshold; subtracting undoes it.
    #[test]
    fn adding_is_recording_together(
        a in values(), b in values(), scales in (-2_i16..5, -2_i16..5), thresholds in (0_i32..3, 0_i32..3),
    ) {
        // Powers of 16 from 2^-8: bounds at every scale of these.
        let threshold = |n: i32| if n == 0 { 0.0 } else { f64::from(4 * n - 12).exp2() };
        let (first, second) = (recorded(&a, scales.0, threshold(thresholds.0)), recorded(&b, scales.1, threshold(thresholds.1)));
        let sum = first.plus(&second);
        let zero = threshold(thresholds.0.max(thresholds.1));
        let all: Vec<f64> = a.iter().chain(&b).copied().collect();
        prop_assert_eq!(&sum, &recorded(&all, scales.0.min(scales.1), zero));
        prop_assert_eq!(sum.minus(&first), Some(recorded(&b, scales.0.min(scales.1), zero)));
    }
}
