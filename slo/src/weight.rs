//! What one kept span stands for when traces are sampled (`sli.md` 1.7): weights in fixed point, whole requests drawn
//! from them without losing any, and how much evidence weighted counts are worth.
//!
//! A span that was kept with probability `(2^56 - T) / 2^56` stands for `2^56 / (2^56 - T)` requests (OpenTelemetry,
//! TraceState probability sampling). Counters hold whole requests: [`Carry`] diffuses the fractions from one span to the
//! next, so that a counter is never off by a whole request and the same spans always give the same counts.

/// A weight of 1, in units of 2^-32.
pub const ONE: u64 = 1 << 32;

/// Thresholds are below this: `th` has 14 hexadecimal digits.
pub const THRESHOLD_END: u64 = 1 << 56;

/// How many requests a span stands for, in units of 2^-32. At least [`Weight::ONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u64);

impl Weight {
    /// The span stands for itself.
    pub const ONE: Self = Self(ONE);

    /// The weight of a rejection threshold: `ceil(2^88 / (2^56 - T))`, at most `max` requests. Says whether it was
    /// capped.
    ///
    /// ```
    /// use bailiwick_slo::weight::Weight;
    /// // Half of the traces are rejected: each kept one stands for two.
    /// assert_eq!(Weight::of_threshold(1 << 55, 1_000_000), (Weight::of_units(2 << 32), false));
    /// ```
    #[must_use]
    pub fn of_threshold(threshold: u64, max: u32) -> (Self, bool) {
        let kept = u128::from(THRESHOLD_END.saturating_sub(threshold).max(1));
        let units = (1_u128 << 88).div_ceil(kept);
        let cap = u128::from(max.max(1)) << 32;
        // The cap is below 2^64, so the smaller one fits.
        (Self(u64::try_from(units.min(cap)).unwrap_or(u64::MAX)), units > cap)
    }

    /// The weight of a span that was kept with this probability: `1 / probability`, rounded up to a unit, at most `max`
    /// requests. Says whether it was capped. `None` for what is no probability: 0 and less, over 1, NaN.
    ///
    /// ```
    /// use bailiwick_slo::weight::Weight;
    /// assert_eq!(Weight::of_probability(0.25, 1_000_000), Some((Weight::of_units(4 << 32), false)));
    /// assert_eq!(Weight::of_probability(0.0, 1_000_000), None);
    /// ```
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive float saturates")]
    pub fn of_probability(probability: f64, max: u32) -> Option<(Self, bool)> {
        if !(probability > 0.0 && probability <= 1.0) {
            return None;
        }
        let units = (ONE as f64 / probability).ceil();
        let cap = u64::from(max.max(1)) << 32;
        let is_capped = units > cap as f64;
        Some((Self(if is_capped { cap } else { units as u64 }), is_capped))
    }

    /// The weight of this many units of 2^-32; below one request it is one.
    #[must_use]
    pub const fn of_units(units: u64) -> Self {
        if units < ONE { Self::ONE } else { Self(units) }
    }

    /// In units of 2^-32.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0
    }

    /// In units of 2^-16, rounded to the nearest: what sums of weights are kept in.
    #[must_use]
    pub const fn sixteenths(self) -> u64 {
        (self.0 + (1 << 15)) >> 16
    }

    /// Its square in units of 2^-16, rounded to the nearest.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a weight is at most 2^32 requests: its square fits 2^80 units"
    )]
    pub const fn squared_sixteenths(self) -> u64 {
        let square = self.0 as u128 * self.0 as u128;
        let rounded = (square + (1 << 47)) >> 48;
        if rounded > u64::MAX as u128 { u64::MAX } else { rounded as u64 }
    }
}

/// The fraction of a request that a counter still owes, in units of 2^-32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carry(pub u32);
crate::saved!(struct Carry { 0 });

impl Carry {
    /// The whole requests that a span of this weight adds to the counter (error diffusion): the sum of all draws is
    /// the sum of all weights, rounded down.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are the carry; a weight has at most 32 more")]
    pub fn draw(&mut self, weight: Weight) -> u32 {
        let sum = u64::from(self.0) + weight.0;
        self.0 = sum as u32;
        (sum >> 32) as u32
    }
}

/// How many unweighted observations the weighted ones are worth: `(sum w)^2 / sum w^2` (Kish, Survey Sampling, 1965).
/// Both sums in units of 2^-16; `None` without observations.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "an effective size feeds intervals, no verdict and no count")]
pub fn effective_size(sum: u64, sum_of_squares: u64) -> Option<f64> {
    (sum_of_squares != 0).then(|| {
        let sum = sum as f64;
        sum * sum / (sum_of_squares as f64 * 65_536.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u32 = 1_000_000;

    fn of_th(digits: &str) -> Weight {
        let padded = format!("{digits:0<14}");
        Weight::of_threshold(u64::from_str_radix(&padded, 16).expect("hexadecimal"), MAX).0
    }

    #[test]
    fn thresholds_weigh_as_sli_1_7_says() {
        for (digits, weight) in [("0", 1), ("8", 2), ("c", 4), ("e", 8), ("f8", 32)] {
            assert_eq!(of_th(digits), Weight(weight << 32), "th:{digits}");
        }
        assert_eq!(of_th("3"), Weight(5_286_113_596));
        assert_eq!(of_th("b3333333333333"), Weight(14_316_557_654));
        assert_eq!(Weight::of_threshold(THRESHOLD_END - 1, MAX), (Weight(u64::from(MAX) << 32), true));
    }

    fn draws<'t>(thresholds: impl IntoIterator<Item = &'t str>) -> Vec<u32> {
        let mut carry = Carry::default();
        thresholds.into_iter().map(|digits| carry.draw(of_th(digits))).collect()
    }

    #[test]
    fn draws_are_those_of_sli_1_7() {
        assert_eq!(draws(["3"; 13]), [1, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 2]);
        assert_eq!(draws(["b3333333333333"; 6]), [3, 3, 4, 3, 3, 4]);
        assert_eq!(draws(["8", "3", "0", "b3333333333333", "c", "3"]), [2, 1, 1, 3, 4, 1]);
        let cycle = ["0", "3", "b3333333333333", "c"].map(of_th);
        let mut carry = Carry::default();
        let sum: u64 = (0..1_000_000).map(|n| u64::from(carry.draw(cycle[n % 4]))).sum();
        assert_eq!(sum, 2_391_025);
    }

    #[test]
    fn ten_heavy_spans_are_worth_little() {
        let (one, ten) = (Weight::ONE, Weight::of_units(10 << 32));
        let sum = 100 * one.sixteenths() + 10 * ten.sixteenths();
        let squares = 100 * one.squared_sixteenths() + 10 * ten.squared_sixteenths();
        assert_eq!(effective_size(sum, squares).map(|n| (n * 100.0).round()), Some(3_636.0));
        assert_eq!(effective_size(0, 0), None);
    }

    /// A generator of its own (splitmix64, Vigna): weights of any thresholds, in any order.
    fn thresholds(seed: u64) -> impl Iterator<Item = u64> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb) & (THRESHOLD_END - 1)
        })
    }

    #[test]
    fn a_counter_is_never_off_by_a_whole_request() {
        for seed in 0..200 {
            let (mut carry, mut drawn, mut exact) = (Carry::default(), 0_u128, 0_u128);
            for (threshold, number) in thresholds(seed).zip(0..500) {
                // Mostly weights near one, and some as large as they come.
                let (weight, _) = Weight::of_threshold(threshold >> (number % 7), MAX);
                drawn += u128::from(carry.draw(weight));
                exact += u128::from(weight.units());
                assert_eq!(drawn, exact >> 32, "the sum of draws is the sum of weights, rounded down");
            }
        }
    }
}
