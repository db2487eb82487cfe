//! One stream's points in their order: what each adds (`sli.md` 1.9, the table of cases). Pure arithmetic; it knows no
//! metric and no owner.
//!
//! What a point adds is never negative, and never what was there before the daemon looked: an old service must not
//! arrive as one jump.

use bailiwick_slo::saved;

use super::buckets::Buckets;
use super::spread::SPREAD_NS_MAX;
use crate::observation::batch::row::{Point, point_flag};

/// What kind of data a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// A value that is what it is: a gauge, or a sum that may shrink.
    Level,
    /// A sum that only grows.
    Counter,
    /// A histogram with explicit bounds.
    Explicit,
    /// An exponential histogram.
    Exponential,
}

/// One point, as the rules need it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) form: Form,
    pub(super) is_delta: bool,
    /// 0: unknown.
    pub(super) start_ns: u64,
    pub(super) time_ns: u64,
    /// The value, or a histogram's sum.
    pub(super) value: Number,
    /// Values of a histogram.
    pub(super) count: u64,
    pub(super) buckets: Option<Buckets>,
}

/// A number as it was sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    Double(f64),
}
saved!(enum Number { 0 => Integer(number), 1 => Double(number) });

/// Why a point was dropped after its request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum DropReason {
    /// It starts before the first one of its sequence: another writer.
    OlderStart = 0,
    /// It is not after the last one.
    OutOfOrder = 1,
    /// Its name had another kind, unit or monotonicity before.
    TypeConflict = 2,
    /// `metrics.metric_streams_max`.
    StreamLimit = 3,
}

impl DropReason {
    /// Every reason, in the order of its discriminant.
    pub const ALL: [Self; 4] = [Self::OlderStart, Self::OutOfOrder, Self::TypeConflict, Self::StreamLimit];

    /// The published name, the value of the label `reason`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OlderStart => "older_start",
            Self::OutOfOrder => "out_of_order",
            Self::TypeConflict => "type_conflict",
            Self::StreamLimit => "stream_limit",
        }
    }
}

/// What a point came to.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::aggregator) enum Outcome {
    /// It adds something over a stretch of time.
    Applied(Applied),
    /// It is where later points are counted from; it adds nothing.
    Baseline,
    /// It is a level: the value now.
    Level(f64),
    /// It says that there is no value.
    NoData,
    /// It does not count.
    Dropped(DropReason),
}

/// What a point adds.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::aggregator) struct Applied {
    /// How much.
    pub(in crate::aggregator) increase: Increase,
    /// The stretch `(from, to]` in which it came about, nanoseconds since the Unix epoch.
    pub(in crate::aggregator) over: (u64, u64),
    /// Nothing is known of the time between the point before and `from`.
    pub(in crate::aggregator) is_gap: bool,
    /// The counter began anew.
    pub(in crate::aggregator) is_reset: bool,
    /// Two writers share the stream.
    pub(in crate::aggregator) is_writer_conflict: bool,
}

/// How much a point adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::aggregator) struct Increase {
    /// Values of a histogram; of a counter, whole units.
    pub(in crate::aggregator) count: u64,
    /// Whole units of a counter or of a histogram's sum. They sum to the whole units of the last value, whatever
    /// fractions there were between.
    pub(in crate::aggregator) units: u64,
    /// The same with its fraction.
    pub(in crate::aggregator) value: f64,
    /// Values by bucket, where they are kept and can be compared.
    pub(in crate::aggregator) buckets: Option<Buckets>,
}

/// What is kept of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sequence {
    /// Cumulative: when counting began; delta: the start of the first point. 0: unknown.
    start_ns: u64,
    time_ns: u64,
    value: Number,
    count: u64,
    buckets: Option<Box<Buckets>>,
}
saved!(struct Sequence { start_ns, time_ns, value, count, buckets });

impl Number {
    fn as_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Double(value) => value,
        }
    }

    /// Whole units, rounded down; nothing below 0.
    fn units(self) -> u64 {
        match self {
            Self::Integer(value) => u64::try_from(value).unwrap_or(0),
            // The cast saturates, and a NaN is 0.
            Self::Double(value) => value as u64,
        }
    }

    fn is_below(self, other: Self) -> bool {
        match (self, other) {
            (Self::Integer(new), Self::Integer(old)) => new < old,
            (new, old) => new.as_f64() < old.as_f64(),
        }
    }

    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Self::Integer(a.saturating_add(b)),
            (a, b) => Self::Double(a.as_f64() + b.as_f64()),
        }
    }
}

impl Sample {
    /// A point with the words of its buckets; no words: its buckets are not kept.
    pub(super) fn of(point: &Point, words: &[u64]) -> Self {
        let has = |flag| point.flags & flag != 0;
        let form = match point.data {
            2 if has(point_flag::MONOTONIC) => Form::Counter,
            3 => Form::Explicit,
            4 => Form::Exponential,
            _ => Form::Level,
        };
        let buckets = match form {
            Form::Explicit => Buckets::explicit(words),
            Form::Exponential => Buckets::exponential(words, point.scale),
            Form::Level | Form::Counter => None,
        };
        let value = if has(point_flag::INTEGER) {
            Number::Integer(point.value.cast_signed())
        } else {
            Number::Double(f64::from_bits(point.value))
        };
        // What starts after its end has no start that could be believed. One that equals its end names the sequence.
        let is_start_void =
            point.start_ns > point.time_ns || (has(point_flag::UNKNOWN_START) && point.start_ns != point.time_ns);
        Self {
            form,
            is_delta: point.temporality == 1,
            start_ns: if is_start_void { 0 } else { point.start_ns },
            time_ns: point.time_ns,
            value,
            count: point.count,
            buckets,
        }
    }

    /// Whether the point says when its counting began.
    fn has_start(&self) -> bool {
        self.start_ns != 0 && self.start_ns < self.time_ns
    }

    /// Its value as what came about since its start.
    fn whole(&self) -> Increase {
        let units = self.value.units();
        let count = if self.form == Form::Counter { units } else { self.count };
        Increase { count, units, value: self.value.as_f64().max(0.0), buckets: self.buckets.clone() }
    }
}

impl Applied {
    fn plain(increase: Increase, over: (u64, u64)) -> Outcome {
        Outcome::Applied(Self { increase, over, is_gap: false, is_reset: false, is_writer_conflict: false })
    }
}

impl Sequence {
    /// A stream's first point. A cumulative one that began longer ago than `late_accept_ns` is a baseline.
    pub(super) fn begin(sample: &Sample, late_accept_ns: u64) -> (Self, Outcome) {
        let outcome = if sample.form == Form::Level {
            Outcome::Level(sample.value.as_f64())
        } else if sample.is_delta {
            let from_ns = if sample.start_ns == 0 { sample.time_ns } else { sample.start_ns };
            Applied::plain(sample.whole(), (from_ns.max(sample.time_ns.saturating_sub(SPREAD_NS_MAX)), sample.time_ns))
        } else if sample.has_start() && sample.time_ns - sample.start_ns <= late_accept_ns {
            Applied::plain(sample.whole(), (sample.start_ns, sample.time_ns))
        } else {
            Outcome::Baseline
        };
        let mut sequence =
            Self { start_ns: sample.start_ns, time_ns: 0, value: Number::Integer(0), count: 0, buckets: None };
        sequence.keep(sample);
        (sequence, outcome)
    }

    /// A further point. One that is dropped changes nothing.
    pub(super) fn advance(&mut self, sample: &Sample) -> Outcome {
        if sample.time_ns <= self.time_ns {
            return Outcome::Dropped(DropReason::OutOfOrder);
        }
        if sample.form == Form::Level {
            let value = if sample.is_delta { self.value.plus(sample.value) } else { sample.value };
            (self.time_ns, self.value) = (sample.time_ns, value);
            return Outcome::Level(value.as_f64());
        }
        if sample.start_ns != 0 && sample.start_ns < self.start_ns {
            return Outcome::Dropped(DropReason::OlderStart);
        }
        let outcome = if sample.is_delta { self.advance_delta(sample) } else { self.advance_cumulative(sample) };
        self.keep(sample);
        outcome
    }

    fn advance_delta(&self, sample: &Sample) -> Outcome {
        let has_start = sample.start_ns != 0;
        let from_ns = self.time_ns.max(sample.start_ns);
        Outcome::Applied(Applied {
            increase: sample.whole(),
            over: (from_ns, sample.time_ns),
            is_gap: has_start && sample.start_ns > self.time_ns,
            is_reset: false,
            is_writer_conflict: has_start && sample.start_ns < self.time_ns,
        })
    }

    fn advance_cumulative(&mut self, sample: &Sample) -> Outcome {
        let is_same = sample.start_ns == self.start_ns;
        if is_same && !self.is_above(sample) {
            return Applied::plain(self.difference(sample), (self.time_ns, sample.time_ns));
        }
        if !is_same {
            let had_start = self.start_ns != 0;
            self.start_ns = sample.start_ns;
            // Where no start was known, one before the last point says that the value holds what was counted already.
            if !sample.has_start() || (!had_start && sample.start_ns < self.time_ns) {
                return Outcome::Baseline;
            }
        }
        Outcome::Applied(Applied {
            increase: sample.whole(),
            over: (self.time_ns.max(sample.start_ns), sample.time_ns),
            is_gap: false,
            is_reset: true,
            is_writer_conflict: !is_same && sample.start_ns < self.time_ns,
        })
    }

    /// Whether more was counted before than the sample says.
    fn is_above(&self, sample: &Sample) -> bool {
        if sample.form == Form::Counter { sample.value.is_below(self.value) } else { sample.count < self.count }
    }

    /// What is new in a sample of the same sequence that has at least as much.
    fn difference(&self, sample: &Sample) -> Increase {
        let units = sample.value.units().saturating_sub(self.value.units());
        let count = if sample.form == Form::Counter { units } else { sample.count - self.count };
        let buckets = sample.buckets.as_ref().zip(self.buckets.as_ref());
        Increase {
            count,
            units,
            value: (sample.value.as_f64() - self.value.as_f64()).max(0.0),
            buckets: buckets.and_then(|(new, old)| new.minus(old)),
        }
    }

    fn keep(&mut self, sample: &Sample) {
        (self.time_ns, self.value, self.count) = (sample.time_ns, sample.value, sample.count);
        // Deltas have their buckets in themselves.
        self.buckets = sample.buckets.clone().filter(|_| !sample.is_delta).map(Box::new);
    }

    /// The time of the last point.
    pub(super) const fn time_ns(&self) -> u64 {
        self.time_ns
    }

    /// Bytes of buckets that it keeps.
    pub(super) fn bucket_bytes(&self) -> usize {
        self.buckets.as_ref().map_or(0, |buckets| buckets.memory_bytes())
    }
}

#[cfg(test)]
mod tests;
