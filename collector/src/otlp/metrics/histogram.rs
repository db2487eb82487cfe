//! Both kinds of histogram: running sums for the verdict, and the buckets themselves where they are wanted.

use crate::otlp::wire::{Reader, WireError, tag as tag_of, wire_type};

/// What has been read of a histogram point.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    pub(super) bounds: Bounds,
    pub(super) counts: Counts,
    pub(super) scale: i32,
    pub(super) zero_count: u64,
    pub(super) zero_threshold: f64,
    pub(super) positive: Side,
    pub(super) negative: Side,
}

/// Explicit bounds as far as they have been read.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    pub(super) number: u64,
    last: Option<f64>,
    pub(super) not_finite: bool,
    pub(super) not_rising: bool,
    /// Bits of the first ones.
    kept: Vec<u64>,
}

impl Bounds {
    pub(super) fn push(&mut self, bits: u64, kept_max: usize) {
        let bound = f64::from_bits(bits);
        self.number += 1;
        self.not_finite |= !bound.is_finite();
        self.not_rising |= self.last.is_some_and(|last| bound <= last);
        self.last = Some(bound);
        if self.kept.len() < kept_max {
            self.kept.push(bits);
        }
    }

    fn clear(&mut self) {
        let mut kept = std::mem::take(&mut self.kept);
        kept.clear();
        *self = Self { kept, ..Self::default() };
    }
}

/// Bucket counts as far as they have been read.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) number: u64,
    /// Wide enough for 2^64 counts of 2^64.
    pub(super) sum: u128,
    /// The first ones.
    kept: Vec<u64>,
}

impl Counts {
    pub(super) fn push(&mut self, count: u64, kept_max: usize) {
        self.number += 1;
        self.sum += u128::from(count);
        if self.kept.len() < kept_max {
            self.kept.push(count);
        }
    }

    fn clear(&mut self) {
        self.number = 0;
        self.sum = 0;
        self.kept.clear();
    }
}

/// Positive or negative buckets of an exponential histogram.
#[derive(Debug, Default)]
pub(super) struct Side {
    offset: i32,
    pub(super) counts: Counts,
}

impl Side {
    pub(super) fn merge(&mut self, bytes: &[u8], groups_max: usize, kept_max: usize) -> Result<(), WireError> {
        const OFFSET: u32 = tag_of(1, wire_type::VARINT);
        const COUNT: u32 = tag_of(2, wire_type::VARINT);
        const COUNTS: u32 = tag_of(2, wire_type::BYTES);
        let mut reader = Reader::new(bytes);
        while let Some(tag) = reader.tag()? {
            match tag {
                OFFSET => self.offset = zigzag(reader.varint()?),
                COUNT => self.counts.push(reader.varint()?, kept_max),
                COUNTS => {
                    let mut list = Reader::new(reader.bytes()?);
                    while !list.rest().is_empty() {
                        self.counts.push(list.varint()?, kept_max);
                    }
                }
                _ => reader.skip_unknown(tag, &[1, 2], groups_max)?,
            }
        }
        Ok(())
    }

    /// The index of its last bucket is an i32 too.
    pub(super) fn fits(&self) -> bool {
        i128::from(self.offset) + i128::from(self.counts.number.saturating_sub(1)) <= i128::from(i32::MAX)
    }
}

impl Histogram {
    /// Forgets all; the lists keep their room.
    pub(super) fn clear(&mut self) {
        (self.count, self.sum) = (0, None);
        (self.scale, self.zero_count, self.zero_threshold) = (0, 0, 0.0);
        self.bounds.clear();
        self.counts.clear();
        for side in [&mut self.positive, &mut self.negative] {
            side.offset = 0;
            side.counts.clear();
        }
    }

    /// Explicit buckets: bounds, then counts.
    pub(super) fn write_explicit(&self, words: &mut Vec<u64>) {
        words.extend_from_slice(&self.bounds.kept);
        words.extend_from_slice(&self.counts.kept);
    }

    /// Exponential buckets: zero count, zero threshold, then of either side offset, number of buckets, counts.
    pub(super) fn write_exponential(&self, words: &mut Vec<u64>) {
        words.extend([self.zero_count, self.zero_threshold.to_bits()]);
        for side in [&self.positive, &self.negative] {
            words.extend([i64::from(side.offset).cast_unsigned(), side.counts.number]);
            words.extend_from_slice(&side.counts.kept);
        }
    }
}

/// A sint32: of a longer varint the low 32 bits count, as in prost.
pub(super) fn zigzag(varint: u64) -> i32 {
    let value = varint as u32;
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}
