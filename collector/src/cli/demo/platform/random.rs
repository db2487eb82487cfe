//! Seeded random numbers: equal on every machine, for ever. Not for secrets.
//!
//! Source: xoshiro256++ and splitmix64 by D. Blackman and S. Vigna (public domain), <https://prng.di.unimi.it/>.

/// A generator of one stream of numbers.
#[derive(Debug, Clone)]
pub(super) struct Random([u64; 4]);

/// One step of splitmix64: a bijection that spreads every bit of `x`.
pub(super) const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Random {
    /// The stream with this name: same `key`, same numbers.
    pub(super) fn of(key: [u64; 3]) -> Self {
        let mut seed = key.iter().fold(0, |seed, part| mix(seed ^ part));
        Self(std::array::from_fn(|_| {
            seed = mix(seed);
            seed
        }))
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number from 0 to `n - 1`; 0 for `n` of 0. By multiplication: the bias is below `n` in 2^32.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        let high = self.bits() >> 32;
        ((high * u64::from(n)) >> 32) as u32
    }

    /// True in `parts` of a million cases.
    pub(super) fn chance_ppm(&mut self, parts: u32) -> bool {
        self.below(1_000_000) < parts
    }

    /// About normal with mean 0 and deviation 1, within 6: twelve uniform numbers minus 6 (Irwin-Hall). No tail beyond
    /// six deviations is what a demo wants.
    pub(super) fn normal(&mut self) -> f64 {
        const PIECE: u64 = (1 << 21) - 1;
        let sum: u64 = (0..4)
            .map(|_| {
                let bits = self.bits();
                (bits & PIECE) + ((bits >> 21) & PIECE) + ((bits >> 42) & PIECE)
            })
            .sum();
        sum as f64 / (PIECE + 1) as f64 - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_the_numbers_of_its_authors() {
        // The first outputs of splitmix64 from state 0 (java.util.SplittableRandom agrees).
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(0x9e37_79b9_7f4a_7c15), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn xoshiro_gives_the_numbers_of_its_authors() {
        let mut random = Random([1, 2, 3, 4]);
        let seen: Vec<u64> = (0..4).map(|_| random.bits()).collect();
        assert_eq!(seen, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_deviation_one() {
        let mut random = Random::of([1, 2, 3]);
        let draws: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        // Five standard errors: 5/sqrt(20000) = 0.035 for the mean, 5*sqrt(2/20000) = 0.05 for the variance.
        assert!(mean.abs() < 0.035, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.05, "variance {variance}");
    }

    #[test]
    fn different_keys_give_different_streams() {
        let first = |key| Random::of(key).bits();
        assert_ne!(first([1, 2, 3]), first([1, 3, 2]));
        assert_ne!(first([0, 0, 0]), first([0, 0, 1]));
    }
}
