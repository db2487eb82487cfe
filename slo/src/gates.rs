//! When too few events are no proof (`slo.md` 2.7): is it likely by chance, and does it matter to the budget.

use crate::exact::Fraction;
use crate::spec::Target;

const ONE: u128 = 100_000_000;
/// Terms of the sum: beyond a few thousand from the mode they add nothing to an `f64`.
const TERMS_MAX: u64 = 2_000_000;

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

/// Events that the whole period may be expected to hold: those so far, scaled up while the instance is younger.
#[must_use]
pub fn expected_total(total: u64, period_ticks: u64, age_ticks: u64) -> Fraction {
    let age = age_ticks.max(1);
    if age >= period_ticks {
        return Fraction::new(total, 1);
    }
    Fraction::new(total, 1).times(Fraction::new(period_ticks, age)).unwrap_or(Fraction::new(u64::MAX, 1))
}

/// Whether so many bad events are at least this share of the budget: `bad >= share x beta x total`, exactly.
#[must_use]
pub fn has_impact(bad: u64, expected_total: Fraction, target: Target, share: Fraction) -> bool {
    let budget = expected_total.times(target.beta_fraction()).and_then(|budget| budget.times(share));
    // Numbers too large to compare hold nobody back.
    budget.is_none_or(|budget| Fraction::new(bad, 1) >= budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::of(text.parse().expect("a decimal")).expect("a target")
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
    fn chance_is_asked_below_thirty_expected_ones() {
        // 14.4 x 0.001 x n < 30: n < 2083.33.
        let asks = |n| applies(n, Fraction::new(144, 10), target("0.999"), 30);
        assert_eq!((asks(2_083), asks(2_084)), (true, false));
        assert!(!applies(u64::MAX, Fraction::new(u64::MAX, 1), target("0"), 30));
    }

    #[test]
    fn half_of_a_quiet_night_is_no_share_of_the_budget() {
        // 2 % of the budget of 1,000,000 events at 99.9 % are 20 bad ones.
        let share = Fraction::new(2, 100);
        let impact = |bad| has_impact(bad, Fraction::new(1_000_000, 1), target("0.999"), share);
        assert_eq!((impact(19), impact(20)), (false, true));
        assert_eq!(expected_total(1_000, 100, 10), Fraction::new(10_000, 1));
        assert_eq!(expected_total(1_000, 100, 100), Fraction::new(1_000, 1));
    }
}
