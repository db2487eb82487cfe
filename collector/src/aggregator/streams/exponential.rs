//! Exponential histograms brought to one scale and one zero threshold, added and subtracted (`sli.md` 1.9).
//!
//! Bucket `i` at scale `s` holds values in `(2^(i / 2^s), 2^((i + 1) / 2^s)]` (OpenTelemetry, Metrics Data Model).
//! A lower scale has half as many buckets: `i` becomes `i >> 1`, exactly. Buckets are kept where they are populated
//! only, so that two histograms with far offsets cost what they hold.

use bailiwick_slo::saved;

/// Populated buckets of one sign, by index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::aggregator) struct Side(Vec<(i64, u64)>);
saved!(struct Side { 0 });

/// An exponential histogram without its sum.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::aggregator) struct Exponential {
    pub(super) scale: i16,
    /// Values up to this are counted as zero.
    pub(super) zero_threshold: f64,
    pub(super) zero_count: u64,
    pub(super) positive: Side,
    pub(super) negative: Side,
}
saved!(struct Exponential { scale, zero_threshold, zero_count, positive, negative });

/// Upper end of a bucket.
fn top(index: i64, scale: i16) -> f64 {
    ((index as f64 + 1.0) * f64::from(-scale).exp2()).exp2()
}

impl Side {
    /// From an offset and the counts that follow it. `None` when an index has no place.
    pub(super) fn dense(offset: i64, counts: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut buckets = Vec::new();
        for (place, count) in (0_i64..).zip(counts) {
            let index = offset.checked_add(place)?;
            if count > 0 {
                buckets.push((index, count));
            }
        }
        Some(Self(buckets))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// As an offset and counts from the first populated bucket to the last.
    #[cfg(test)]
    fn as_dense(&self) -> (i64, Vec<u64>) {
        let (Some((first, _)), Some((last, _))) = (self.0.first(), self.0.last()) else { return (0, Vec::new()) };
        let count = |wanted| self.0.iter().find(|(index, _)| *index == wanted).map_or(0, |(_, count)| *count);
        (*first, (*first..=*last).map(count).collect())
    }

    fn shifted(&self, by: u32) -> Self {
        let mut buckets: Vec<(i64, u64)> = Vec::new();
        for (index, count) in &self.0 {
            let index = index >> by.min(63);
            match buckets.last_mut() {
                Some((last, sum)) if *last == index => *sum = sum.saturating_add(*count),
                _ => buckets.push((index, *count)),
            }
        }
        Self(buckets)
    }

    /// The top of a populated bucket that has the threshold inside.
    fn straddled(&self, threshold: f64, scale: i16) -> Option<f64> {
        let inside = |index: i64| top(index - 1, scale) < threshold && threshold < top(index, scale);
        self.0.iter().find(|(index, _)| inside(*index)).map(|(index, _)| top(*index, scale))
    }

    /// Takes out the buckets below the threshold and gives their count.
    fn swallowed(&mut self, threshold: f64, scale: i16) -> u64 {
        let below = self.0.iter().take_while(|(index, _)| top(*index, scale) <= threshold).count();
        self.0.drain(..below).fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    fn plus(&self, other: &Self) -> Self {
        let mut buckets: Vec<(i64, u64)> = Vec::with_capacity(self.len().max(other.len()));
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let Some(next) = [mine.peek(), theirs.peek()].into_iter().flatten().map(|(index, _)| *index).min() {
            let mut count = 0_u64;
            for side in [&mut mine, &mut theirs] {
                count = count.saturating_add(side.next_if(|(index, _)| *index == next).map_or(0, |(_, count)| *count));
            }
            buckets.push((next, count));
        }
        Self(buckets)
    }

    /// What is above an earlier state; `None` when a bucket has less than before.
    fn minus(&self, earlier: &Self) -> Option<Self> {
        let mut before = earlier.0.iter().peekable();
        let mut buckets = Vec::new();
        for (index, count) in &self.0 {
            if before.peek().is_some_and(|(left, _)| left < index) {
                return None;
            }
            let was = before.next_if(|(known, _)| known == index).map_or(0, |(_, count)| *count);
            let more = count.checked_sub(was)?;
            if more > 0 {
                buckets.push((*index, more));
            }
        }
        before.next().is_none().then_some(Self(buckets))
    }
}

impl Exponential {
    /// Populated buckets.
    pub(super) fn len(&self) -> usize {
        self.positive.len() + self.negative.len()
    }

    /// The same at a scale that is not above its own.
    pub(super) fn at_scale(&self, scale: i16) -> Self {
        let by = u32::try_from(i32::from(self.scale) - i32::from(scale)).unwrap_or(0);
        let [positive, negative] = [&self.positive, &self.negative].map(|side| side.shifted(by));
        Self { scale: self.scale.min(scale), positive, negative, ..*self }
    }

    /// The same with a zero threshold that is not below this one: lower buckets are swallowed, and a threshold inside
    /// a populated bucket rises to that bucket's top.
    pub(super) fn widened(&self, threshold: f64) -> Self {
        let mut widened = self.clone();
        if threshold <= self.zero_threshold {
            return widened;
        }
        let tops = [&self.positive, &self.negative].map(|side| side.straddled(threshold, self.scale));
        // One of them at most moves it, to where the other side has a bound as well.
        widened.zero_threshold = tops.into_iter().flatten().fold(threshold, f64::max);
        for side in [&mut widened.positive, &mut widened.negative] {
            let swallowed = side.swallowed(widened.zero_threshold, self.scale);
            widened.zero_count = widened.zero_count.saturating_add(swallowed);
        }
        widened
    }

    /// Both at the lower scale with the larger zero threshold.
    fn aligned(&self, other: &Self) -> [Self; 2] {
        let scale = self.scale.min(other.scale);
        let mut both = [self.at_scale(scale), other.at_scale(scale)];
        loop {
            let threshold = both[0].zero_threshold.max(both[1].zero_threshold);
            both = both.map(|one| one.widened(threshold));
            // What rose in one must rise in the other; each turn swallows a bucket, so there are few.
            if both[0].zero_threshold.to_bits() == both[1].zero_threshold.to_bits() {
                return both;
            }
        }
    }

    /// Values in buckets that are wholly at or below a threshold, and values in the bucket that holds it between its
    /// bounds.
    pub(super) fn at_most(&self, threshold: f64) -> (u64, u64) {
        // Each bucket with its lowest and its highest value; which of them it holds itself does not matter here.
        let ends = |index: i64| (top(index - 1, self.scale), top(index, self.scale));
        let negative = self.negative.0.iter().map(|(index, count)| {
            let (bottom, top) = ends(*index);
            (-top, -bottom, *count)
        });
        let positive = self.positive.0.iter().map(|(index, count)| {
            let (bottom, top) = ends(*index);
            (bottom, top, *count)
        });
        let zero = (-self.zero_threshold, self.zero_threshold, self.zero_count);
        let (mut below, mut inside) = (0_u64, 0_u64);
        for (bottom, top, count) in negative.chain([zero]).chain(positive) {
            if top <= threshold {
                below = below.saturating_add(count);
            } else if bottom < threshold {
                inside = inside.saturating_add(count);
            }
        }
        (below, inside)
    }

    /// Both together.
    #[cfg_attr(not(test), expect(dead_code, reason = "windows of histograms are merged for the SLOs that name them"))]
    pub(super) fn plus(&self, other: &Self) -> Self {
        let [mine, theirs] = self.aligned(other);
        Self {
            zero_count: mine.zero_count.saturating_add(theirs.zero_count),
            positive: mine.positive.plus(&theirs.positive),
            negative: mine.negative.plus(&theirs.negative),
            ..mine
        }
    }

    /// What is above an earlier state of the same stream; `None` when something has less than before.
    pub(super) fn minus(&self, earlier: &Self) -> Option<Self> {
        let [now, before] = self.aligned(earlier);
        Some(Self {
            zero_count: now.zero_count.checked_sub(before.zero_count)?,
            positive: now.positive.minus(&before.positive)?,
            negative: now.negative.minus(&before.negative)?,
            ..now
        })
    }
}

#[cfg(test)]
mod tests;
