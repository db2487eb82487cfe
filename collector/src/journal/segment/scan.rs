//! What is found in the bytes of a segment, whatever they are. Each step looks at 8 bytes more, checksums are made for
//! plausible headers only, and their bytes are counted: it ends.

use super::format::{Kind, RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES};
use super::payload;

/// Numbers may leap by this many over what was lost; headers that claim more are none.
const LEAP_MAX: u64 = 1 << 32;
/// Checksums are made over this many times the bytes of a segment at most; then its rest is given up.
const SUMMED_MAX: usize = 4;

/// A whole record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Where it begins.
    pub at: usize,
    /// Bytes of its payload.
    pub length: usize,
    /// Its number.
    pub seq: u64,
    /// The highest number that was on the disk when it was written.
    pub durable_seq: u64,
    /// What it is.
    pub kind: Kind,
    /// When it is from.
    pub at_ns: Option<u64>,
}

impl Found {
    /// Its payload in the bytes of its segment.
    #[must_use]
    pub fn payload<'a>(&self, segment: &'a [u8]) -> &'a [u8] {
        let begin = self.at + RECORD_HEADER_BYTES;
        &segment[begin..begin + self.length]
    }

    /// Where it ends.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.at + super::format::record_bytes(self.length)
    }
}

/// All whole records of a segment in its order, numbers rising from `first_seq` on.
#[must_use]
pub fn records(segment: &[u8], salt: u64, first_seq: u64) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let (mut at, mut next, mut summed) = (SEGMENT_HEADER_BYTES, first_seq, 0_usize);
    while at + RECORD_HEADER_BYTES <= segment.len() {
        let bytes = &segment[at..];
        let header = RecordHeader::read(bytes).filter(|header| {
            let is_next = header.seq >= next && header.seq - next < LEAP_MAX && header.durable_seq < header.seq;
            is_next && header.record_bytes() <= bytes.len()
        });
        let Some(header) = header else {
            at += 8;
            continue;
        };
        summed += header.length as usize;
        if summed > SUMMED_MAX * segment.len() {
            break;
        }
        if !header.is_whole(bytes, salt) {
            at += 8;
            continue;
        }
        let RecordHeader { length, seq, durable_seq, kind } = header;
        let length = length as usize;
        let payload = &bytes[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + length];
        found.push(Found { at, length, seq, durable_seq, kind, at_ns: payload::time_of(kind, payload) });
        (at, next) = (at + header.record_bytes(), seq + 1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::format::append;
    use super::*;

    fn segment(seqs: &[u64]) -> Vec<u8> {
        let mut bytes = vec![0; SEGMENT_HEADER_BYTES];
        for seq in seqs {
            append(&mut bytes, 5, (Kind::Tick, *seq, seq - 1), |out| out.extend_from_slice(&seq.to_le_bytes()));
        }
        bytes.resize(bytes.len() + 256, 0);
        bytes
    }

    fn seqs(segment: &[u8]) -> Vec<u64> {
        records(segment, 5, 1).iter().map(|found| found.seq).collect()
    }

    #[test]
    fn what_follows_a_damaged_record_is_found() {
        let bytes = segment(&[1, 2, 3, 4]);
        assert_eq!(seqs(&bytes), [1, 2, 3, 4]);
        let mut damaged = bytes.clone();
        damaged[SEGMENT_HEADER_BYTES + 40 + 33] ^= 1;
        assert_eq!(seqs(&damaged), [1, 3, 4]);
        assert_eq!(records(&bytes, 6, 1), [], "another salt");
        assert_eq!(records(&bytes, 5, 3).len(), 2, "older ones are none of this segment's");
    }

    #[test]
    fn headers_that_claim_much_end_the_search() {
        // Each 8 bytes begin a plausible header of a long record.
        let mut bytes = vec![0_u8; 1 << 16];
        for at in (SEGMENT_HEADER_BYTES..bytes.len() - 64).step_by(8) {
            bytes[at..at + 4].copy_from_slice(&1_u32.to_le_bytes());
            bytes[at + 4..at + 8].copy_from_slice(&2_u32.to_le_bytes());
        }
        assert_eq!(seqs(&bytes), [0; 0]);
    }
}
