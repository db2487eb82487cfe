//! How far a measured proportion may be from the true one, and whether two proportions differ (`sli.md` 1.7, 2.2).
//!
//! Floats, since nothing here is a count or a verdict on one: an interval says how much a figure is worth.

use crate::ratio::Ratio;

/// The two-sided 95 % quantile of the normal distribution.
pub const Z_95: f64 = 1.959_964;

/// The two-sided 99.9 % quantile, as `sli.md` 1.7 rounds it.
pub const Z_999: f64 = 3.29;

/// Fewest observations on either side for [`differ`].
pub const COMPARED_MIN: u64 = 1_000;

/// Where the true proportion lies with 95 % confidence; `0 <= low <= high <= 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The Wilson score interval of a proportion of `n` observations (Wilson, JASA 22, 1927), `n` not necessarily whole.
/// It stays inside 0 to 1 and holds at 0 and 1 as well. `None` without observations, or when `proportion` is none.
///
/// ```
/// use bailiwick_slo::interval::wilson;
/// let interval = wilson(0.95, 400.0).expect("400 observations");
/// assert_eq!(format!("{:.5} to {:.5}", interval.low, interval.high), "0.92404 to 0.96740");
/// ```
#[must_use]
pub fn wilson(proportion: f64, n: f64) -> Option<Interval> {
    if !(0.0..=1.0).contains(&proportion) || n.is_nan() || n <= 0.0 {
        return None;
    }
    let z_squared = Z_95 * Z_95;
    let scale = 1.0 / (1.0 + z_squared / n);
    let centre = scale * (proportion + z_squared / (2.0 * n));
    let spread = (proportion * (1.0 - proportion) / n + z_squared / (4.0 * n * n)).sqrt();
    let half = scale * Z_95 * spread;
    // At 0 and 1 an end is exact, whatever rounding says.
    let low = if proportion <= 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if proportion >= 1.0 { 1.0 } else { (centre + half).min(1.0) };
    Some(Interval { low, high })
}

/// The statistic of the two-proportion test with pooled variance: positive when the first is larger. 0 when both are
/// all or nothing alike, `None` when one of them is empty.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a statistic, no count")]
pub fn pooled_z(first: Ratio, second: Ratio) -> Option<f64> {
    let difference = first.as_f64()? - second.as_f64()?;
    let (n, m) = (first.denominator as f64, second.denominator as f64);
    let pooled = (first.numerator as f64 + second.numerator as f64) / (n + m);
    let variance = pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m);
    Some(if variance > 0.0 { difference / variance.sqrt() } else { 0.0 })
}

/// Whether two shares of at least [`COMPARED_MIN`] observations each differ by more than chance explains.
#[must_use]
pub fn differ(first: Ratio, second: Ratio) -> bool {
    let enough = first.denominator >= COMPARED_MIN && second.denominator >= COMPARED_MIN;
    enough && pooled_z(first, second).is_some_and(|z| z.abs() > Z_999)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ends as roots of `(proportion - p)^2 = z^2 p (1 - p) / n`, found by halving: the definition of the interval
    /// without its closed form.
    fn halved(proportion: f64, n: f64) -> [f64; 2] {
        let outside = |p: f64| (proportion - p).powi(2) > Z_95 * Z_95 * p * (1.0 - p) / n;
        [0.0, 1.0].map(|far| {
            let (mut far, mut near) = (far, proportion);
            for _ in 0..200 {
                let middle = f64::midpoint(far, near);
                if outside(middle) { far = middle } else { near = middle }
            }
            near
        })
    }

    #[test]
    fn the_interval_of_sli_2_2() {
        let interval = wilson(0.95, 400.0).expect("400 observations");
        assert_eq!(format!("{:.5} to {:.5}", interval.low, interval.high), "0.92404 to 0.96740");
    }

    #[test]
    fn the_ends_solve_the_score_equation() {
        for n in [1.0, 2.0, 36.36, 99.5, 400.0, 1e6] {
            for proportion in [0.001, 0.25, 0.5, 0.8, 0.95, 0.999] {
                let Interval { low, high } = wilson(proportion, n).expect("observations");
                let [lower, upper] = halved(proportion, n);
                assert!((low - lower).abs() < 1e-9 && (high - upper).abs() < 1e-9, "{proportion} of {n}");
                assert!(0.0 <= low && low < proportion && proportion < high && high <= 1.0);
            }
        }
    }

    /// Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    #[test]
    fn published_intervals_are_met() {
        for (part, whole, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let interval = wilson(f64::from(part) / f64::from(whole), f64::from(whole)).expect("observations");
            assert!((interval.low - low).abs() < 6e-5 && (interval.high - high).abs() < 6e-5, "{part} of {whole}");
        }
    }

    #[test]
    fn all_and_nothing_reach_their_end_and_leave_the_other_open() {
        let all = wilson(1.0, 100.0).expect("100 observations");
        // n / (n + z^2), the closed form at 1.
        assert_eq!(all.high.to_bits(), 1.0_f64.to_bits());
        assert!((all.low - 100.0 / (100.0 + Z_95 * Z_95)).abs() < 1e-12);
        let nothing = wilson(0.0, 100.0).expect("100 observations");
        assert_eq!(nothing.low.to_bits(), 0.0_f64.to_bits());
        assert!((nothing.high + all.low - 1.0).abs() < 1e-12);
    }

    #[test]
    fn without_observations_there_is_no_interval() {
        for (proportion, n) in [(0.5, 0.0), (0.5, -1.0), (0.5, f64::NAN), (1.01, 10.0), (f64::NAN, 10.0)] {
            assert_eq!(wilson(proportion, n), None, "{proportion} of {n}");
        }
    }

    /// `z^2` is the chi-square of the two-by-two table: `N (ad - bc)^2 / ((a+b)(c+d)(a+c)(b+d))`.
    #[test]
    fn the_statistic_squared_is_the_chi_square_of_the_table() {
        for (a, n, c, m) in [(30_u64, 1_000_u64, 61_u64, 1_000_u64), (5, 1_200, 90, 7_000), (999, 1_000, 1_900, 2_000)]
        {
            let (b, d) = (n - a, m - c);
            let [a_, b_, c_, d_] = [a, b, c, d].map(|count| count as f64);
            let product = (a_ + b_) * (c_ + d_) * (a_ + c_) * (b_ + d_);
            let chi_square = (a_ + b_ + c_ + d_) * (a_ * d_ - b_ * c_).powi(2) / product;
            let z = pooled_z(Ratio::of(a, n), Ratio::of(c, m)).expect("both are measured");
            assert!((z * z - chi_square).abs() < 1e-9 * chi_square, "{z} against {chi_square}");
            assert_eq!(z > 0.0, a * m > c * n);
        }
    }

    #[test]
    fn shares_differ_beyond_three_point_two_nine_of_a_thousand_each() {
        // z of 3 % against 6 %: 3.2359; against 6.1 %: 3.3262.
        assert!(!differ(Ratio::of(30, 1_000), Ratio::of(60, 1_000)));
        assert!(differ(Ratio::of(30, 1_000), Ratio::of(61, 1_000)));
        assert!(differ(Ratio::of(61, 1_000), Ratio::of(30, 1_000)));
        assert!(!differ(Ratio::of(0, 999), Ratio::of(900, 1_000)), "too few");
        assert!(!differ(Ratio::of(0, 1_000), Ratio::of(0, 5_000)), "alike");
        assert_eq!(pooled_z(Ratio::of(0, 0), Ratio::of(1, 2)), None);
    }
}
