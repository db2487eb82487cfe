//! One point: read once, judged from running sums; what it claims, and all of it where its metric is wanted.

use super::defect::PointDefect;
use super::histogram::{Histogram, zigzag};
use super::walk::Kind;
use crate::otlp::attributes::{Pair, Slots};
use crate::otlp::keys::KeyTable;
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
    /// Whether all of the point is wanted, or only what it claims.
    pub(super) is_wanted: bool,
}

impl Judge {
    /// Buckets of a side that are kept: a point of more is refused.
    fn kept_max(&self) -> usize {
        if self.is_wanted { self.buckets_max as usize } else { 0 }
    }
}

/// What points are judged by, and the keys that are wanted of them.
type By<'j> = (&'j Judge, &'j KeyTable);

pub(super) const DELTA: i32 = 1;
pub(super) const CUMULATIVE: i32 = 2;
/// `DataPointFlags`: the point says that there is no value.
pub(super) const NO_RECORDED_VALUE: u32 = 1;
/// One data point. The walk reuses it, with the room of its lists, from point to point.
#[derive(Debug, Default)]
pub struct Point<'a> {
    /// What is wrong with it.
    pub defect: Option<PointDefect>,
    /// Start of the stretch that it speaks about, nanoseconds since the Unix epoch; 0: unknown.
    pub start_ns: u64,
    /// Its time, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Values of wanted keys.
    pub attributes: Slots<'a>,
    /// Of wanted metrics every attribute, in the order of the wire.
    pub pairs: Vec<Pair<'a>>,
    /// Of wanted histograms the buckets. Explicit: bounds (bits of f64), then counts. Exponential: zero count, zero
    /// threshold (bits of f64), then of the positive and of the negative side: offset (i64), number of buckets, counts.
    pub words: Vec<u64>,
    attribute_count: u32,
    pub(super) flags: u32,
    pub(super) value: Option<Number>,
    pub(super) histogram: Histogram,
}

/// The value of a gauge or sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// `as_int`.
    Int(i64),
    /// `as_double`.
    Double(f64),
}

impl<'a> Point<'a> {
    /// The value of a gauge or sum; none if the point has none, says so, or is not a number.
    #[must_use]
    pub fn number(&self) -> Option<Number> {
        let is_number = |value: &Number| !matches!(value, Number::Double(value) if value.is_nan());
        self.value.filter(is_number).filter(|_| self.is_recorded())
    }

    /// The number of values in a histogram.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.count
    }

    /// The sum of the values in a histogram, if it is stated.
    #[must_use]
    pub fn sum(&self) -> Option<f64> {
        self.histogram.sum
    }

    /// The scale of an exponential histogram.
    #[must_use]
    pub fn scale(&self) -> i32 {
        self.histogram.scale
    }

    /// Whether it does not say that there is no value.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.flags & NO_RECORDED_VALUE == 0
    }

    /// More attributes than [`Judge::attributes_max`]: the rest was not read.
    pub(super) fn is_over(&self, judge: &Judge) -> bool {
        self.attribute_count > judge.attributes_max
    }

    /// Reads a point in place of the one that was read before.
    pub(super) fn read(&mut self, bytes: &'a [u8], judge: &Judge, keys: &KeyTable) -> Result<(), WireError> {
        self.clear();
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            match judge.kind {
                Kind::Gauge | Kind::Sum => self.number_field(tag, &mut reader, (judge, keys))?,
                Kind::Histogram => self.histogram_field(tag, &mut reader, (judge, keys))?,
                Kind::ExponentialHistogram => self.exponential_field(tag, &mut reader, (judge, keys))?,
                Kind::Summary => self.summary_field(tag, &mut reader, (judge, keys))?,
            }
            if self.is_over(judge) {
                break;
            }
        }
        self.attributes.share(keys);
        self.defect = self.verdict(judge).err();
        if judge.is_wanted && self.defect.is_none() && self.is_recorded() {
            match judge.kind {
                Kind::Histogram => self.histogram.write_explicit(&mut self.words),
                Kind::ExponentialHistogram => self.histogram.write_exponential(&mut self.words),
                Kind::Gauge | Kind::Sum | Kind::Summary => {}
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        (self.start_ns, self.time_ns, self.attribute_count, self.flags) = (0, 0, 0, 0);
        (self.defect, self.value) = (None, None);
        self.attributes.clear();
        self.pairs.clear();
        self.words.clear();
        self.histogram.clear();
    }

    fn attribute(&mut self, reader: &mut Reader<'a>, (judge, keys): By<'_>) -> Result<(), WireError> {
        self.attribute_count += 1;
        let pair = reader.bytes()?;
        if !self.is_over(judge) {
            let pair = Pair::read(pair, judge.groups_max)?;
            self.attributes.keep_pair(keys, &pair);
            if judge.is_wanted {
                self.pairs.push(pair);
            }
        }
        Ok(())
    }

    fn number_field(&mut self, tag: u32, reader: &mut Reader<'a>, by: By<'_>) -> Result<(), WireError> {
        const AS_DOUBLE: u32 = tag_of(4, wire_type::FIXED64);
        const EXEMPLAR: u32 = tag_of(5, wire_type::BYTES);
        const AS_INT: u32 = tag_of(6, wire_type::FIXED64);
        const ATTRIBUTE: u32 = tag_of(7, wire_type::BYTES);
        const FLAGS: u32 = tag_of(8, wire_type::VARINT);
        match tag {
            START => self.start_ns = reader.fixed64()?,
            TIME => self.time_ns = reader.fixed64()?,
            AS_DOUBLE => self.value = Some(Number::Double(f64::from_bits(reader.fixed64()?))),
            AS_INT => self.value = Some(Number::Int(reader.fixed64()?.cast_signed())),
            EXEMPLAR => drop(reader.bytes()?),
            ATTRIBUTE => self.attribute(reader, by)?,
            FLAGS => self.flags = reader.varint()? as u32,
            _ => reader.skip_unknown(tag, &[2, 3, 4, 5, 6, 7, 8], by.0.groups_max)?,
        }
        Ok(())
    }

    fn histogram_field(&mut self, tag: u32, reader: &mut Reader<'a>, by: By<'_>) -> Result<(), WireError> {
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
        let (read, kept_max) = (&mut self.histogram, by.0.kept_max());
        match tag {
            START => self.start_ns = reader.fixed64()?,
            TIME => self.time_ns = reader.fixed64()?,
            COUNT => read.count = reader.fixed64()?,
            SUM => read.sum = Some(f64::from_bits(reader.fixed64()?)),
            BUCKET => read.counts.push(reader.fixed64()?, kept_max),
            BUCKETS => for_each_fixed64(reader.bytes()?, |count| read.counts.push(count, kept_max))?,
            BOUND => read.bounds.push(reader.fixed64()?, kept_max),
            BOUNDS => for_each_fixed64(reader.bytes()?, |bits| read.bounds.push(bits, kept_max))?,
            EXEMPLAR => drop(reader.bytes()?),
            ATTRIBUTE => self.attribute(reader, by)?,
            FLAGS => self.flags = reader.varint()? as u32,
            MIN | MAX => drop(reader.fixed64()?),
            _ => reader.skip_unknown(tag, &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], by.0.groups_max)?,
        }
        Ok(())
    }

    fn exponential_field(&mut self, tag: u32, reader: &mut Reader<'a>, by: By<'_>) -> Result<(), WireError> {
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
        let (read, kept_max) = (&mut self.histogram, by.0.kept_max());
        match tag {
            ATTRIBUTE => self.attribute(reader, by)?,
            START => self.start_ns = reader.fixed64()?,
            TIME => self.time_ns = reader.fixed64()?,
            COUNT => read.count = reader.fixed64()?,
            SUM => read.sum = Some(f64::from_bits(reader.fixed64()?)),
            SCALE => read.scale = zigzag(reader.varint()?),
            ZERO_COUNT => read.zero_count = reader.fixed64()?,
            POSITIVE => read.positive.merge(reader.bytes()?, by.0.groups_max, kept_max)?,
            NEGATIVE => read.negative.merge(reader.bytes()?, by.0.groups_max, kept_max)?,
            FLAGS => self.flags = reader.varint()? as u32,
            EXEMPLAR => drop(reader.bytes()?),
            MIN | MAX => drop(reader.fixed64()?),
            ZERO_THRESHOLD => read.zero_threshold = f64::from_bits(reader.fixed64()?),
            _ => reader.skip_unknown(tag, &KNOWN, by.0.groups_max)?,
        }
        Ok(())
    }

    fn summary_field(&mut self, tag: u32, reader: &mut Reader<'a>, by: By<'_>) -> Result<(), WireError> {
        const COUNT: u32 = tag_of(4, wire_type::FIXED64);
        const SUM: u32 = tag_of(5, wire_type::FIXED64);
        const QUANTILE: u32 = tag_of(6, wire_type::BYTES);
        const ATTRIBUTE: u32 = tag_of(7, wire_type::BYTES);
        const FLAGS: u32 = tag_of(8, wire_type::VARINT);
        match tag {
            COUNT | SUM => drop(reader.fixed64()?),
            START => self.start_ns = reader.fixed64()?,
            TIME => self.time_ns = reader.fixed64()?,
            QUANTILE => drop(reader.bytes()?),
            ATTRIBUTE => self.attribute(reader, by)?,
            FLAGS => drop(reader.varint()?),
            _ => reader.skip_unknown(tag, &[2, 3, 4, 5, 6, 7, 8], by.0.groups_max)?,
        }
        Ok(())
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
