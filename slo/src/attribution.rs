//! Who the bad events came from: counts by value of one dimension that add up to all of them, and shares that add up to
//! 100.0 % (`slo.md` 3.3).

use std::collections::BTreeMap;

use crate::conventions::OTHER;
use crate::saved;

/// Values that are told one by one.
pub const TOP: usize = 5;
/// Shares are told in tenths of a per cent.
const WHOLE: u64 = 1_000;

/// The bad events of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The value, or `_other` for all that are not told one by one.
    pub value: String,
    /// Its bad events.
    pub bad: u64,
    /// Its share of all, in tenths of a per cent.
    pub share: u64,
}

saved!(struct Part { value, bad, share });

/// The parts of one dimension, most first: at most [`TOP`] and `_other`. Counts sum to all that was given, shares to
/// 1,000 (by largest remainder), or there are none.
#[must_use]
pub fn parts<'a>(counts: impl IntoIterator<Item = (&'a str, u64)>) -> Vec<Part> {
    let mut by_value: BTreeMap<&str, u64> = BTreeMap::new();
    for (value, bad) in counts {
        *by_value.entry(value).or_default() += bad;
    }
    let other = by_value.remove(OTHER).unwrap_or(0);
    let mut ranked: Vec<(&str, u64)> = by_value.into_iter().filter(|(_, bad)| *bad > 0).collect();
    ranked.sort_by(|one, two| two.1.cmp(&one.1).then(one.0.cmp(two.0)));
    let rest = other + ranked.split_off(ranked.len().min(TOP)).iter().map(|(_, bad)| bad).sum::<u64>();
    if rest > 0 {
        ranked.push((OTHER, rest));
    }
    let counts: Vec<u64> = ranked.iter().map(|(_, bad)| *bad).collect();
    let parts = ranked.into_iter().zip(shares(&counts));
    parts.map(|((value, bad), share)| Part { value: value.to_owned(), bad, share }).collect()
}

/// Shares in 1,000ths that sum to 1,000: what rounding down leaves goes to the largest remainders, the first of equals.
fn shares(counts: &[u64]) -> Vec<u64> {
    let all: u128 = counts.iter().map(|count| u128::from(*count)).sum();
    if all == 0 {
        return vec![0; counts.len()];
    }
    let scaled = |count: &u64| u128::from(*count) * u128::from(WHOLE);
    let mut shares: Vec<u64> = counts.iter().map(|count| (scaled(count) / all) as u64).collect();
    let left = WHOLE - shares.iter().sum::<u64>();
    let mut places: Vec<usize> = (0..counts.len()).collect();
    places.sort_by_key(|place| (std::cmp::Reverse(scaled(&counts[*place]) % all), *place));
    places.iter().take(left as usize).for_each(|place| shares[*place] += 1);
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_thirds_are_the_whole() {
        let told: Vec<_> =
            parts([("a", 1), ("b", 1), ("c", 1)]).into_iter().map(|part| (part.value, part.share)).collect();
        assert_eq!(told, [("a".to_owned(), 334), ("b".to_owned(), 333), ("c".to_owned(), 333)]);
        assert!(parts([("a", 0)]).is_empty());
    }

    #[test]
    fn the_sixth_and_what_had_no_place_are_other() {
        let told = parts([("a", 6), ("b", 5), ("c", 4), ("d", 3), ("e", 2), ("f", 1), (OTHER, 9)]);
        let last = told.last().expect("parts");
        assert_eq!((told.len(), &*last.value, last.bad, last.share), (6, OTHER, 10, 333));
    }

    proptest! {
        #[test]
        fn nothing_is_lost(counts in prop::collection::vec(("[a-h]", 0_u64..1_000_000_000_000), 1..20)) {
            let all: u64 = counts.iter().map(|(_, bad)| bad).sum();
            let told = parts(counts.iter().map(|(value, bad)| (value.as_str(), *bad)));
            prop_assert_eq!(told.iter().map(|part| part.bad).sum::<u64>(), all);
            prop_assert_eq!(told.iter().map(|part| part.share).sum::<u64>(), if all > 0 { 1_000 } else { 0 });
            prop_assert!(told.len() <= TOP + 1);
        }
    }
}
