//! One point: read once, judged from running sums.

use super::defect::PointDefect;
use super::walk::Kind;
use crate::otlp::wire::{Reader, WireError, tag as tag_of, wire_type};

/// What a point is judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge {
    pub(super) kind: Kind,
    /// OTLP's `AggregationTemporality`: 1 delta, 2 cumulative; all else is unspecified.
    pub(super) temporality: i32,
    pub(super) monotonic: bool,
    pub(super) attributes_max: u32,
    pub(super) buckets_max: u32,
    pub(super) groups_max: usize,
}

const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;
/// `DataPointFlags`: the point says that there is no value.
const NO_RECORDED_VALUE: u32 = 1;
/// Scales whose buckets are within what a double can tell apart (OTLP's own producers keep to them).
const SCALES: std::ops::RangeInclusive<i32> = -10..=20;

/// What has been read of a point.
#[derive(Debug, Default)]
pub(super) struct Point {
    attributes: u32,
    time_ns: u64,
    flags: u32,
    value: Option<Number>,
    histogram: Histogram,
}

#[derive(Debug, Clone, Copy)]
enum Number {
    Int(i64),
    Double(f64),
}

/// Both kinds of histogram.
#[derive(Debug, Default)]
struct Histogram {
    count: u64,
    sum: Option<f64>,
    bounds: Bounds,
    counts: Counts,
    scale: i32,
    zero_count: u64,
    zero_threshold: f64,
    positive: Side,
    negative: Side,
}

/// Explicit bounds as far as they have been read.
#[derive(Debug, Default)]
struct Bounds {
    number: u64,
    last: Option<f64>,
    not_finite: bool,
    not_rising: bool,
}

impl Bounds {
    fn push(&mut self, bound: f64) {
        self.number += 1;
        self.not_finite |= !bound.is_finite();
        self.not_rising |= self.last.is_some_and(|last| bound <= last);
        self.last = Some(bound);
    }
}

/// Bucket counts as far as they have been read.
#[derive(Debug, Default)]
struct Counts {
    number: u64,
    /// Wide enough for 2^64 counts of 2^64.
    sum: u128,
}

impl Counts {
    fn push(&mut self, count: u64) {
        self.number += 1;
        self.sum += u128::from(count);
    }
}

/// Positive or negative buckets of an exponential histogram.
#[derive(Debug, Default)]
struct Side {
    offset: i32,
    counts: Counts,
}

impl Side {
    fn merge(&mut self, bytes: &[u8], groups_max: usize) -> Result<(), WireError> {
        const OFFSET: u32 = tag_of(1, wire_type::VARINT);
        const COUNT: u32 = tag_of(2, wire_type::VARINT);
        const COUNTS: u32 = tag_of(2, wire_type::BYTES);
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            match tag {
                OFFSET => self.offset = zigzag(reader.varint()?),
                COUNT => self.counts.push(reader.varint()?),
                COUNTS => {
                    let mut list = Reader::new(reader.bytes()?);
                    while !list.rest().is_empty() {
                        self.counts.push(list.varint()?);
                    }
                }
                _ => reader.skip_unknown(tag, &[1, 2], groups_max)?,
            }
        }
        Ok(())
    }

    /// The index of its last bucket is an i32 too.
    fn fits(&self) -> bool {
        i128::from(self.offset) + i128::from(self.counts.number.saturating_sub(1)) <= i128::from(i32::MAX)
    }
}

/// A sint32: of a longer varint the low 32 bits count, as in prost.
fn zigzag(varint: u64) -> i32 {
    let value = varint as u32;
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

impl Point {
    /// What is wrong with a point, and its time.
    pub(super) fn judge(bytes: &[u8], judge: &Judge) -> Result<(Result<(), PointDefect>, u64), WireError> {
        let mut point = Self::default();
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            match judge.kind {
                Kind::Gauge | Kind::Sum => point.number_field(tag, &mut reader, judge)?,
                Kind::Histogram => point.histogram_field(tag, &mut reader, judge)?,
                Kind::ExponentialHistogram => point.exponential_field(tag, &mut reader, judge)?,
                Kind::Summary => point.summary_field(tag, &mut reader, judge)?,
            }
            if point.attributes > judge.attributes_max {
                break;
            }
        }
        Ok((point.verdict(judge), point.time_ns))
    }

    fn attribute(&mut self, reader: &mut Reader<'_>) -> Result<(), WireError> {
        self.attributes += 1;
        reader.bytes().map(drop)
    }

    fn number_field(&mut self, tag: u32, reader: &mut Reader<'_>, judge: &Judge) -> Result<(), WireError> {
        const AS_DOUBLE: u32 = tag_of(4, wire_type::FIXED64);
        const EXEMPLAR: u32 = tag_of(5, wire_type::BYTES);
        const AS_INT: u32 = tag_of(6, wire_type::FIXED64);
        const ATTRIBUTE: u32 = tag_of(7, wire_type::BYTES);
        const FLAGS: u32 = tag_of(8, wire_type::VARINT);
        match tag {
            START => drop(reader.fixed64()?),
            TIME => self.time_ns = reader.fixed64()?,
            AS_DOUBLE => self.value = Some(Number::Double(f64::from_bits(reader.fixed64()?))),
            AS_INT => self.value = Some(Number::Int(reader.fixed64()?.cast_signed())),
            EXEMPLAR => drop(reader.bytes()?),
            ATTRIBUTE => self.attribute(reader)?,
            FLAGS => self.flags = reader.varint()? as u32,
            _ => reader.skip_unknown(tag, &[2, 3, 4, 5, 6, 7, 8], judge.groups_max)?,
        }
        Ok(())
    }

    fn histogram_field(&mut self, tag: u32, reader: &mut Reader<'_>, judge: &Judge) -> Result<(), WireError> {
        const COUNT: u32 = tag_of(4, wire_type::FIXED64);
        const SUM: u32 = tag_of(5, wire_type::FIXED64);
        const BUCKET: u32 = tag_of(6, wire_type::FIXED64);
        const BUCKETS: u32 = tag_of(6, wire_type::BYTES);
        const BOUND: u32 = tag_of(7, wire_type::FIXED64);
        const BOUNDS: u32 = tag_of(7, wire_type::BYTES);
        const EXEMPLAR: u32 = tag_of(8, wire_type::BYTES);
        const ATTRIBUTE: u32 = tag_of(9, wire_type::BYTES);
        const FLAGS: u32 = tag_of(10, wire_type::VARINT);
        const MIN: u32 = tag_of(11, wire_type::FIXED64);
        const MAX: u32 = tag_of(12, wire_type::FIXED64);
        let read = &mut self.histogram;
        match tag {
            START => drop(reader.fixed64()?),
            TIME => self.time_ns = reader.fixed64()?,
            COUNT => read.count = reader.fixed64()?,
            SUM => read.sum = Some(f64::from_bits(reader.fixed64()?)),
            BUCKET => read.counts.push(reader.fixed64()?),
            BUCKETS => for_each_fixed64(reader.bytes()?, |count| read.counts.push(count))?,
            BOUND => read.bounds.push(f64::from_bits(reader.fixed64()?)),
            BOUNDS => for_each_fixed64(reader.bytes()?, |bits| read.bounds.push(f64::from_bits(bits)))?,
            EXEMPLAR => drop(reader.bytes()?),
            ATTRIBUTE => self.attribute(reader)?,
            FLAGS => self.flags = reader.varint()? as u32,
            MIN | MAX => drop(reader.fixed64()?),
            _ => reader.skip_unknown(tag, &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], judge.groups_max)?,
        }
        Ok(())
    }

    fn exponential_field(&mut self, tag: u32, reader: &mut Reader<'_>, judge: &Judge) -> Result<(), WireError> {
        const ATTRIBUTE: u32 = tag_of(1, wire_type::BYTES);
        const COUNT: u32 = tag_of(4, wire_type::FIXED64);
        const SUM: u32 = tag_of(5, wire_type::FIXED64);
        const SCALE: u32 = tag_of(6, wire_type::VARINT);
        const ZERO_COUNT: u32 = tag_of(7, wire_type::FIXED64);
        const POSITIVE: u32 = tag_of(8, wire_type::BYTES);
        const NEGATIVE: u32 = tag_of(9, wire_type::BYTES);
        const FLAGS: u32 = tag_of(10, wire_type::VARINT);
        const EXEMPLAR: u32 = tag_of(11, wire_type::BYTES);
        const MIN: u32 = tag_of(12, wire_type::FIXED64);
        const MAX: u32 = tag_of(13, wire_type::FIXED64);
        const ZERO_THRESHOLD: u32 = tag_of(14, wire_type::FIXED64);
        const KNOWN: [u32; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
        let read = &mut self.histogram;
        match tag {
            ATTRIBUTE => self.attribute(reader)?,
            START => drop(reader.fixed64()?),
            TIME => self.time_ns = reader.fixed64()?,
            COUNT => read.count = reader.fixed64()?,
            SUM => read.sum = Some(f64::from_bits(reader.fixed64()?)),
            SCALE => read.scale = zigzag(reader.varint()?),
            ZERO_COUNT => read.zero_count = reader.fixed64()?,
            POSITIVE => read.positive.merge(reader.bytes()?, judge.groups_max)?,
            NEGATIVE => read.negative.merge(reader.bytes()?, judge.groups_max)?,
            FLAGS => self.flags = reader.varint()? as u32,
            EXEMPLAR => drop(reader.bytes()?),
            MIN | MAX => drop(reader.fixed64()?),
            ZERO_THRESHOLD => read.zero_threshold = f64::from_bits(reader.fixed64()?),
            _ => reader.skip_unknown(tag, &KNOWN, judge.groups_max)?,
        }
        Ok(())
    }

    fn summary_field(&mut self, tag: u32, reader: &mut Reader<'_>, judge: &Judge) -> Result<(), WireError> {
        const COUNT: u32 = tag_of(4, wire_type::FIXED64);
        const SUM: u32 = tag_of(5, wire_type::FIXED64);
        const QUANTILE: u32 = tag_of(6, wire_type::BYTES);
        const ATTRIBUTE: u32 = tag_of(7, wire_type::BYTES);
        const FLAGS: u32 = tag_of(8, wire_type::VARINT);
        match tag {
            START | COUNT | SUM => drop(reader.fixed64()?),
            TIME => self.time_ns = reader.fixed64()?,
            QUANTILE => drop(reader.bytes()?),
            ATTRIBUTE => self.attribute(reader)?,
            FLAGS => drop(reader.varint()?),
            _ => reader.skip_unknown(tag, &[2, 3, 4, 5, 6, 7, 8], judge.groups_max)?,
        }
        Ok(())
    }

    fn verdict(&self, judge: &Judge) -> Result<(), PointDefect> {
        if judge.kind == Kind::Summary {
            return Err(PointDefect::Unsupported);
        }
        if self.attributes > judge.attributes_max {
            return Err(PointDefect::TooManyAttributes);
        }
        if self.time_ns == 0 {
            return Err(PointDefect::MissingTime);
        }
        let recorded = self.flags & NO_RECORDED_VALUE == 0;
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

fn for_each_fixed64(bytes: &[u8], mut read: impl FnMut(u64)) -> Result<(), WireError> {
    let mut list = Reader::new(bytes);
    while !list.rest().is_empty() {
        read(list.fixed64()?);
    }
    Ok(())
}

/// Start and time have the same numbers in every kind of point.
const START: u32 = tag_of(2, wire_type::FIXED64);
const TIME: u32 = tag_of(3, wire_type::FIXED64);
