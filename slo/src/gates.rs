//! When too few events are no proof (`slo.md` 2.7): is it likely by chance, and does it matter to the budget.

use crate::exact::{Decimal, Fraction};
use crate::spec::Target;

const ONE: u128 = 100_000_000;
/// Terms of the sum: beyond a few thousand from the mode they add nothing to an `f64`.
const TERMS_MAX: u64 = 2_000_000;
/// Share of alpha that a tail may be below it and still be the same: some thousands of the last bits of an `f64`, more than
/// the few operations of few events round away.
const ALPHA_TOLERANCE: f64 = 1e-12;

/// Whether chance is asked at all: while fewer bad events than `below` would be expected at the threshold, `n f beta <
/// below`, exactly.
#[must_use]
pub fn applies(n: u64, factor: Fraction, target: Target, below: u64) -> bool {
    let expected = u128::from(factor.numerator()) * u128::from(target.beta());
    let limit = u128::from(factor.denominator()) * ONE;
    match (expected.checked_mul(n.into()), limit.checked_mul(below.into())) {
        (Some(expected), Some(limit)) => expected < limit,
        // So many events are expected that nobody asks, or so high a limit that everybody is asked.
        (None, _) => false,
        (Some(_), None) => true,
    }
}

/// How likely at least `k` bad of `n` events are by chance where the burn is just the factor: `P[Binomial(n, f beta) >=
/// k]`.
#[must_use]
pub fn p_value(n: u64, k: u64, factor: Fraction, target: Target) -> f64 {
    upper_tail(n, k, factor.as_f64() * target.beta_fraction().as_f64())
}

/// Whether so likely a tail is no proof: a tier starts only if `p < alpha`. A tail within 10^-12 of alpha is alpha: few
/// events give tails that are decimals (one bad event of one has the tail `f beta`), and the last bits of the float, which
/// are all that rounding leaves in doubt there, start nothing.
#[must_use]
pub fn is_chance(p_value: f64, alpha: Decimal) -> bool {
    p_value >= alpha.as_f64() * (1.0 - ALPHA_TOLERANCE)
}

/// `P[Binomial(n, p) >= k]` by the recurrence of its probabilities, from the most likely one both ways and scaled by their
/// sum: nothing underflows to a wrong answer, and with `+ - x /` alone every machine finds the same.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
pub fn upper_tail(n: u64, k: u64, p: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if k > n || p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let odds = p / (1.0 - p);
    let mode = (((n + 1) as f64 * p) as u64).min(n);
    // Relative to the mode's probability: up, then down, until a term no longer counts.
    let (mut all, mut tail) = (1.0, if mode >= k { 1.0 } else { 0.0 });
    let mut add = |place: u64, term: f64| {
        all += term;
        if place >= k {
            tail += term;
        }
        // What follows is smaller, and what is asked for may lie far out: it ends only where the sum has no digit for it.
        term > 1e-300
    };
    let mut term = 1.0;
    for place in (mode + 1..=n).take(TERMS_MAX as usize) {
        term *= (n - place + 1) as f64 / place as f64 * odds;
        if !add(place, term) {
            break;
        }
    }
    term = 1.0;
    for place in (0..mode).rev().take(TERMS_MAX as usize) {
        term *= (place + 1) as f64 / (n - place) as f64 / odds;
        if !add(place, term) {
            break;
        }
    }
    tail / all
}

/// What the period of a budget holds so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgeted {
    /// All events in it.
    pub total: u64,
    /// P, seconds.
    pub period_s: u64,
    /// Seconds since birth: while there are fewer than P, the events are scaled up to a whole period.
    pub age_s: u64,
}

/// Whether so many bad events are at least the share of the budget that a tier of this factor over so many seconds is about,
/// exactly: `bad / (beta x total(P)) >= f L / P`, and of an instance younger than P `total(P) = total x P / age`, so that P
/// cancels out.
#[must_use]
pub fn has_impact(bad: u64, budgeted: Budgeted, target: Target, (factor, long_s): (Fraction, u64)) -> bool {
    let lived_s = budgeted.age_s.clamp(1, budgeted.period_s.max(1));
    // bad x fd x 10^8 x lived >= fn x bn x total x L: no factor is above 64 bits, so that two products of two each fit.
    let (above, below) = (u128::from(factor.numerator()), u128::from(factor.denominator()));
    let seen = product(u128::from(bad) * u128::from(lived_s), below * ONE);
    let asked = product(u128::from(budgeted.total) * u128::from(long_s), above * u128::from(target.beta()));
    seen >= asked
}

/// All 256 bits of a product, the high half first: thousands of millions of events over a month, times a factor in
/// hundred-millionths, exceed 128.
const fn product(one: u128, other: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (low, high) = ((one & LOW) * (other & LOW), (one >> 64) * (other >> 64));
    let (left, right) = ((one >> 64) * (other & LOW), (one & LOW) * (other >> 64));
    let middle = (low >> 64) + (left & LOW) + (right & LOW);
    (high + (left >> 64) + (right >> 64) + (middle >> 64), middle << 64 | low & LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    fn target(text: &str) -> Target {
        Target::of(decimal(text)).expect("a target")
    }

    fn near(seen: f64, exact: f64) -> bool {
        (seen - exact).abs() <= 1e-11 * exact
    }

    /// The first from `slo.md` 2.7; the others by Python's fractions.
    #[test]
    fn tails_are_those_of_exact_fractions() {
        for (n, k, p, exact) in PYTHON {
            let seen = upper_tail(n, k, p);
            assert!(near(seen, exact), "{n} {k} {p}: {seen} {exact}");
        }
        assert_eq!((upper_tail(10, 0, 0.1), upper_tail(10, 11, 0.1), upper_tail(10, 1, 0.0)), (1.0, 0.0, 0.0));
    }

    const PYTHON: [(u64, u64, f64, f64); 6] = [
        (50, 6, 0.05, 0.03777617298977729),
        (12, 2, 0.0144, 0.012433858368383009),
        (1000, 30, 0.0144, 0.00019175289937502902),
        (2000, 60, 0.0144, 1.999129684392564e-07),
        (300, 300, 0.5, 4.909093465297727e-91),
        (400, 3, 0.9, 1.0),
    ];

    #[test]
    fn a_tail_of_just_alpha_starts_nothing_and_one_below_it_does() {
        // T = 0.99, f = 0.1: one bad event of one has the tail 0.001.
        let p_value = p_value(1, 1, Fraction::new(1, 10), target("0.99"));
        assert!(is_chance(p_value, decimal("0.001")) && !is_chance(p_value, decimal("0.001000001")));
        // p of one event, p^2 of two and 1 - (1 - p)^2 of one of two, each with alpha the same and 10^-9 above it.
        for thousandths in 1..1_000_i64 {
            let p = Decimal::new(thousandths, 3).as_f64();
            let squares = [thousandths, 1_000 - thousandths].map(|part| part * part);
            let ties = [(1, 1, thousandths * 1_000), (2, 2, squares[0]), (2, 1, 1_000_000 - squares[1])];
            for (n, k, millionths) in ties {
                let is_chance = |billionths| is_chance(upper_tail(n, k, p), Decimal::new(billionths, 9));
                let seen = (is_chance(millionths * 1_000), is_chance(millionths * 1_000 + 1));
                assert_eq!(seen, (true, false), "{k} of {n} at {p}");
            }
        }
    }

    #[test]
    fn chance_is_asked_below_thirty_expected_ones() {
        // 14.4 x 0.001 x n < 30: n < 2083.33.
        let asks = |n| applies(n, Fraction::new(144, 10), target("0.999"), 30);
        assert_eq!((asks(2_083), asks(2_084)), (true, false));
        assert!(!applies(u64::MAX, Fraction::new(u64::MAX, 1), target("0"), 30));
    }

    /// Bad ones of 99.9 % that are asked at 2 % of the budget: 14.4 x 1 h over 30 d.
    fn is_two_percent(bad: u64, total: u64, age_s: u64) -> bool {
        let budgeted = Budgeted { total, period_s: 2_592_000, age_s };
        has_impact(bad, budgeted, target("0.999"), (Fraction::new(144, 10), 3_600))
    }

    #[test]
    fn half_of_a_quiet_night_is_no_share_of_the_budget() {
        // 2 % of the budget of 1,000,000 events at 99.9 % are 20 bad ones.
        let impact = |bad| is_two_percent(bad, 1_000_000, 2_592_000);
        assert_eq!((impact(19), impact(20)), (false, true));
        // A tenth of them in a tenth of the period promises as many; older than its period it counts as they are.
        let impact = |bad, age_s| is_two_percent(bad, 100_000, age_s);
        assert_eq!((impact(19, 259_200), impact(20, 259_200)), (false, true));
        assert_eq!((impact(1, 3_000_000), impact(2, 3_000_000), impact(0, 0)), (false, true, false));
    }

    #[test]
    fn a_share_of_the_largest_counts_is_compared_to_the_last_event() {
        // 2 % of a thousandth of 10^19 are 2 x 10^14; the third of them after a third of the period.
        let impact = |bad| is_two_percent(bad, 10_000_000_000_000_000_000, 2_592_000);
        assert_eq!((impact(199_999_999_999_999), impact(200_000_000_000_000)), (false, true));
        let impact = |bad| is_two_percent(bad, 3_333_333_333_333_333_333, 864_000);
        assert_eq!((impact(199_999_999_999_999), impact(200_000_000_000_000)), (false, true));
        // Where T is 0 and L is P, all that there are must be bad, and no factor above 1 is reached.
        let budgeted = Budgeted { total: u64::MAX, period_s: u64::MAX, age_s: u64::MAX };
        let impact = |bad, factor| has_impact(bad, budgeted, target("0"), (factor, u64::MAX));
        assert!(impact(u64::MAX, Fraction::ONE) && !impact(u64::MAX - 1, Fraction::ONE));
        assert!(!impact(u64::MAX, Fraction::new(u64::MAX, u64::MAX - 1)));
    }

    /// By Python's integers: `divmod(one * other, 1 << 128)`.
    #[test]
    fn a_product_has_all_its_bits() {
        assert_eq!(product(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
        assert_eq!(product(1 << 100, 1 << 100), (1 << 72, 0));
        assert_eq!(product(12_345_678_901_234_567_890, 98_765_432_109_876_543_210), PYTHON_PRODUCT);
        assert_eq!(product(WIDE.0, WIDE.1), WIDE_PRODUCT);
        assert_eq!(product(7, 0), (0, 0));
    }

    const PYTHON_PRODUCT: (u128, u128) = (3, 198_479_210_607_402_561_847_339_978_815_958_892_532);
    const WIDE: (u128, u128) =
        (1_512_366_075_204_170_947_332_355_369_683_137_040, 320_187_260_592_966_088_227_705_887_823_340_838_415);
    const WIDE_PRODUCT: (u128, u128) =
        (1_423_054_491_524_293_724_145_023_656_963_671_507, 260_216_276_518_797_280_404_160_128_256_443_207_408);
}
