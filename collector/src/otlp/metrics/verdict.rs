//! What is wrong with a point that was read, whatever the time is.

use super::defect::PointDefect;
use super::histogram::Histogram;
use super::point::{CUMULATIVE, DELTA, Judge, Number, Point};
use super::walk::Kind;

/// Scales whose buckets are within what a double can tell apart (OTLP's own producers keep to them).
const SCALES: std::ops::RangeInclusive<i32> = -10..=20;

impl Point<'_> {
    pub(super) fn verdict(&self, judge: &Judge) -> Result<(), PointDefect> {
        if judge.kind == Kind::Summary {
            return Err(PointDefect::Unsupported);
        }
        if self.is_over(judge) {
            return Err(PointDefect::TooManyAttributes);
        }
        if self.time_ns == 0 {
            return Err(PointDefect::MissingTime);
        }
        let recorded = self.is_recorded();
        match judge.kind {
            Kind::Gauge if recorded => self.gauge_verdict(),
            Kind::Sum => self.sum_verdict(judge, recorded),
            Kind::Histogram | Kind::ExponentialHistogram => self.histogram.verdict(judge, recorded),
            Kind::Gauge | Kind::Summary => Ok(()),
        }
    }

    /// A gauge may say NaN for "no value", and nothing else that is not a number.
    fn gauge_verdict(&self) -> Result<(), PointDefect> {
        match self.value {
            Some(Number::Double(value)) if value.is_infinite() => Err(PointDefect::NotFinite),
            _ => Ok(()),
        }
    }

    fn sum_verdict(&self, judge: &Judge, recorded: bool) -> Result<(), PointDefect> {
        let negative = match self.value {
            Some(Number::Double(value)) if recorded && !value.is_finite() => return Err(PointDefect::NotFinite),
            Some(Number::Double(value)) => value < 0.0,
            Some(Number::Int(value)) => value < 0,
            None => false,
        };
        let falls = recorded && negative && judge.monotonic && judge.temporality == DELTA;
        if falls || !matches!(judge.temporality, DELTA | CUMULATIVE) {
            return Err(PointDefect::BadSum);
        }
        Ok(())
    }
}

impl Histogram {
    fn verdict(&self, judge: &Judge, recorded: bool) -> Result<(), PointDefect> {
        let finite = self.sum.is_none_or(f64::is_finite) && self.zero_threshold.is_finite() && !self.bounds.not_finite;
        if recorded && !finite {
            return Err(PointDefect::NotFinite);
        }
        let fits = match judge.kind {
            Kind::Histogram => self.explicit_fits(judge),
            _ => self.exponential_fits(judge),
        };
        if (recorded && !fits) || !matches!(judge.temporality, DELTA | CUMULATIVE) {
            return Err(PointDefect::BadHistogram);
        }
        Ok(())
    }

    fn explicit_fits(&self, judge: &Judge) -> bool {
        if self.counts.number == 0 && self.bounds.number == 0 {
            return true;
        }
        !self.bounds.not_rising
            && self.counts.number == self.bounds.number + 1
            && self.counts.number <= u64::from(judge.buckets_max)
            && self.counts.sum == u128::from(self.count)
    }

    fn exponential_fits(&self, judge: &Judge) -> bool {
        let buckets = self.positive.counts.number + self.negative.counts.number;
        let sum = self.positive.counts.sum + self.negative.counts.sum + u128::from(self.zero_count);
        SCALES.contains(&self.scale)
            && self.positive.fits()
            && self.negative.fits()
            && buckets <= u64::from(judge.buckets_max)
            && sum == u128::from(self.count)
    }
}
