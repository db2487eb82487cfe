//! `P[Binomial(n, p) >= k]` as an exact fraction: whole numbers over `d^n`.

use num_bigint::BigUint;

/// An upper tail; `exact` is `None` where bounds were enough.
pub(crate) struct Tail {
    pub(crate) is_below: bool,
    /// Rounded down to 2^-60.
    pub(crate) value: Option<f64>,
}

/// The tail of `n` events that are bad with probability `p = (above, below)`, and whether it is below `alpha`, both as
/// fractions.
pub(crate) fn upper_tail(n: u64, k: u64, (above, below): (u64, u64), alpha: (u64, u64)) -> Tail {
    assert!(above <= below && k <= n, "a probability, and no more bad events than events");
    let all = BigUint::from(below).pow(u32::try_from(n).expect("few events"));
    let is_below = |tail: &BigUint| tail * alpha.1 < &all * alpha.0;
    let (a, b) = (above, below - above);
    let first = term(n, k, a, b);
    // From k on each term is at most `rate` of the one before it: a geometric series bounds the tail where it is far away.
    let (rate_above, rate_below) = (u128::from(n - k) * u128::from(a), u128::from(k + 1) * u128::from(b));
    if rate_above < rate_below {
        let bound = &first * rate_below / (rate_below - rate_above) + 1_u8;
        if k > 500 && is_below(&bound) {
            return Tail { is_below: true, value: None };
        }
    }
    let tail = if k <= n - k && b > 0 { &all - lower(n, k, a, b) } else { upper(n, k, &first, (a, b)) };
    let units: BigUint = (&tail << 60_u8) / &all;
    let units = units.iter_u64_digits().next().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "compared with a float of the engine, with a tolerance")]
    let value = units as f64 / (1_u64 << 60) as f64;
    Tail { is_below: is_below(&tail), value: Some(value) }
}

/// `C(n, j) a^j b^(n-j)`.
fn term(n: u64, j: u64, a: u64, b: u64) -> BigUint {
    let mut choose = BigUint::from(1_u8);
    for i in 0..j.min(n - j) {
        choose = choose * (n - i) / (i + 1);
    }
    let power = |base: u64, exponent: u64| BigUint::from(base).pow(u32::try_from(exponent).expect("few events"));
    choose * power(a, j) * power(b, n - j)
}

/// Terms from k to n.
fn upper(n: u64, k: u64, first: &BigUint, (a, b): (u64, u64)) -> BigUint {
    if b == 0 {
        return term(n, n, a, b);
    }
    let (mut sum, mut term) = (first.clone(), first.clone());
    for j in k..n {
        term = term * (u128::from(n - j) * u128::from(a)) / (u128::from(j + 1) * u128::from(b));
        sum += &term;
    }
    sum
}

/// Terms from 0 to before k.
fn lower(n: u64, k: u64, a: u64, b: u64) -> BigUint {
    let mut term = term(n, 0, a, b);
    let mut sum = BigUint::ZERO;
    for j in 0..k {
        sum += &term;
        term = term * (u128::from(n - j) * u128::from(a)) / (u128::from(j + 1) * u128::from(b));
    }
    sum
}

/// `slo.md` 2.7, and coins that can be counted.
#[test]
fn the_models_tail_is_the_published_one() {
    let tail = |n, k, p| upper_tail(n, k, p, (1, 100)).value.expect("few events");
    assert!((tail(50, 6, (1, 20)) - 0.037_776_173).abs() < 5e-10);
    assert!((tail(3, 2, (1, 2)) - 0.5).abs() < 1e-15);
    assert!((tail(2, 2, (1, 3)) - 1.0 / 9.0).abs() < 1e-15);
    assert!((tail(4, 0, (1, 3)) - 1.0).abs() < 1e-15);
    assert!((tail(2, 1, (1, 1)) - 1.0).abs() < 1e-15);
    assert!(upper_tail(5_000, 900, (1, 10), (1, 100)).is_below);
    assert!(!upper_tail(5_000, 505, (1, 10), (1, 100)).is_below);
}
