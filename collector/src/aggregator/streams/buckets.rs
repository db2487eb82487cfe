//! The buckets of a histogram stream, where they are kept: read from the words of a point, differenced, never added
//! across different bounds (`sli.md` 1.9).

use bailiwick_slo::saved;

use super::exponential::{Exponential, Side};

/// Populated buckets and bounds of a point beyond which its buckets are not kept.
const BUCKETS_MAX: usize = 1_024;

/// The buckets of one histogram.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::aggregator) enum Buckets {
    /// Upper bounds, and one count more than bounds.
    Explicit {
        /// Upper bounds, ascending.
        bounds: Box<[f64]>,
        /// Values by bucket.
        counts: Box<[u64]>,
    },
    /// Buckets by index.
    Exponential(Box<Exponential>),
}
saved!(enum Buckets { 0 => Explicit { bounds, counts }, 1 => Exponential(buckets) });

impl Buckets {
    /// The buckets that an explicit histogram's words say: bounds, then counts. `None` when there are none, or too many.
    pub(super) fn explicit(words: &[u64]) -> Option<Self> {
        if words.len().is_multiple_of(2) || words.len() > BUCKETS_MAX {
            return None;
        }
        let (bounds, counts) = words.split_at(words.len() / 2);
        let bounds = bounds.iter().map(|bits| f64::from_bits(*bits)).collect();
        Some(Self::Explicit { bounds, counts: counts.into() })
    }

    /// Those of an exponential one: zero count, zero threshold, then offset, number and counts of the positive and of
    /// the negative side.
    pub(super) fn exponential(words: &[u64], scale: i16) -> Option<Self> {
        let [zero_count, threshold, rest @ ..] = words else { return None };
        let (positive, rest) = side(rest)?;
        let (negative, _) = side(rest)?;
        let zero_threshold = f64::from_bits(*threshold);
        let exponential = Exponential { scale, zero_threshold, zero_count: *zero_count, positive, negative };
        (exponential.len() <= BUCKETS_MAX).then(|| Self::Exponential(Box::new(exponential)))
    }

    /// What is above an earlier state of the stream: `None` when the bounds changed or a bucket has less than before.
    pub(super) fn minus(&self, earlier: &Self) -> Option<Self> {
        match (self, earlier) {
            (Self::Explicit { bounds, counts }, Self::Explicit { bounds: old_bounds, counts: old_counts }) => {
                let is_same = |(new, old): (&f64, &f64)| new.to_bits() == old.to_bits();
                if bounds.len() != old_bounds.len() || !bounds.iter().zip(old_bounds).all(is_same) {
                    return None;
                }
                let counts: Option<Box<[u64]>> =
                    counts.iter().zip(old_counts).map(|(new, old)| new.checked_sub(*old)).collect();
                Some(Self::Explicit { bounds: bounds.clone(), counts: counts? })
            }
            (Self::Exponential(new), Self::Exponential(old)) => {
                new.minus(old).map(|rest| Self::Exponential(Box::new(rest)))
            }
            _ => None,
        }
    }

    /// Values in buckets that are wholly at or below a threshold, and values in the bucket that holds it between its
    /// bounds.
    pub(super) fn at_most(&self, threshold: f64) -> (u64, u64) {
        match self {
            Self::Explicit { bounds, counts } => {
                let below = bounds.partition_point(|bound| *bound <= threshold);
                let is_bound = below > 0 && bounds[below - 1] >= threshold;
                let inside = if is_bound { 0 } else { counts[below] };
                (counts[..below].iter().fold(0, |sum, count| u64::saturating_add(sum, *count)), inside)
            }
            Self::Exponential(exponential) => exponential.at_most(threshold),
        }
    }

    /// Bytes that they hold.
    pub(super) fn memory_bytes(&self) -> usize {
        let held = match self {
            Self::Explicit { bounds, counts } => 8 * (bounds.len() + counts.len()),
            Self::Exponential(exponential) => size_of::<Exponential>() + 16 * exponential.len(),
        };
        held + size_of::<Self>()
    }
}

/// One side: offset, number of buckets, counts; and what follows.
fn side(words: &[u64]) -> Option<(Side, &[u64])> {
    let [offset, length, rest @ ..] = words else { return None };
    let length = usize::try_from(*length).ok().filter(|length| *length <= rest.len())?;
    let (counts, rest) = rest.split_at(length);
    Some((Side::dense(offset.cast_signed(), counts.iter().copied())?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_as_buckets() {
        let words = [0.1_f64.to_bits(), 1.0_f64.to_bits(), 2, 3, 1];
        let bounds = vec![0.1, 1.0].into();
        assert_eq!(Buckets::explicit(&words), Some(Buckets::Explicit { bounds, counts: vec![2, 3, 1].into() }));
        assert_eq!(Buckets::explicit(&[]), None, "no buckets at all");
        assert_eq!(Buckets::explicit(&words[..4]), None);
        let offset = (-3_i64).cast_unsigned();
        let words = [7, 0.5_f64.to_bits(), offset, 2, 4, 5, 1, 1, 6];
        let expected = Exponential {
            scale: 2,
            zero_threshold: 0.5,
            zero_count: 7,
            positive: Side::dense(-3, [4, 5]).expect("fits"),
            negative: Side::dense(1, [6]).expect("fits"),
        };
        assert_eq!(Buckets::exponential(&words, 2), Some(Buckets::Exponential(Box::new(expected))));
        assert_eq!(Buckets::exponential(&words[..8], 2), None, "a bucket is missing");
    }

    #[test]
    fn more_buckets_than_anybody_needs_are_not_kept() {
        assert_eq!(Buckets::explicit(&[1; 1_025]), None);
        let mut words = vec![0, 0, 0, 1_025];
        words.extend([1; 1_025]);
        words.extend([0, 0]);
        assert_eq!(Buckets::exponential(&words, 0), None);
    }

    #[test]
    fn buckets_of_different_bounds_or_kinds_have_no_difference() {
        let explicit =
            |bounds: &[f64], counts: &[u64]| Buckets::Explicit { bounds: bounds.into(), counts: counts.into() };
        let old = explicit(&[0.1, 1.0], &[2, 3, 1]);
        assert_eq!(explicit(&[0.1, 1.0], &[2, 5, 2]).minus(&old), Some(explicit(&[0.1, 1.0], &[0, 2, 1])));
        assert_eq!(explicit(&[0.1, 0.5, 1.0], &[3, 2, 4, 1]).minus(&old), None);
        assert_eq!(explicit(&[0.1, 1.0], &[1, 5, 2]).minus(&old), None, "one has less");
        assert_eq!(Buckets::Exponential(Box::default()).minus(&old), None);
    }
}
