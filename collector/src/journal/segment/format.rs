//! Headers of segments and records as bytes (`ingest.md` 5.1). Little-endian; records are padded to 8.

/// First bytes of a segment.
pub const MAGIC: [u8; 4] = *b"BWJ1";
/// The version that this code writes, and the newest that it reads.
pub const VERSION: u16 = 1;
/// Bytes of a segment's header.
pub const SEGMENT_HEADER_BYTES: usize = 64;
/// Bytes of a record's header.
pub const RECORD_HEADER_BYTES: usize = 32;

/// No journal has so many records: numbers stay far from where they would overflow.
pub const FIRST_SEQ_MAX: u64 = 1 << 62;

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The data directory's.
    pub store_id: [u8; 16],
    /// Number of its first record.
    pub first_seq: u64,
    /// When it was begun, Unix nanoseconds.
    pub created_ns: u64,
    /// Goes into each checksum: what a reused file held before is no record any more.
    pub salt: u64,
}

/// Why a segment's header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// Not one, or damaged.
    Damaged,
    /// Written by a newer version.
    Newer(u16),
}

impl SegmentHeader {
    /// The header of a segment that begins. Its salt is different for any two uses of a file: the first number rises.
    #[must_use]
    pub fn new(store_id: [u8; 16], first_seq: u64, created_ns: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&store_id);
        bytes[16..24].copy_from_slice(&first_seq.to_le_bytes());
        bytes[24..].copy_from_slice(&created_ns.to_le_bytes());
        Self { store_id, first_seq, created_ns, salt: twox_hash::XxHash3_64::oneshot(&bytes) }
    }

    /// What a damaged header may have been: a name says its first number, and of salt, store and time each follows from
    /// the others. Only records that are whole under its salt prove it.
    #[must_use]
    pub fn guesses(bytes: &[u8], store_id: [u8; 16], first_seq: u64) -> Vec<Self> {
        let Some(header) = bytes.get(..SEGMENT_HEADER_BYTES) else { return Vec::new() };
        let derived = Self::new(store_id, first_seq, u64_at(header, 32));
        let is_ours = header[8..24] == store_id;
        let written = Self { salt: u64_at(header, 40), ..derived };
        [Some(written).filter(|_| is_ours), Some(derived)].into_iter().flatten().collect()
    }
    /// Its bytes: magic 4, version 2, nought 2, store id 16, first number 8, created 8, salt 8, nought 12, checksum 4.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
        bytes[8..24].copy_from_slice(&self.store_id);
        bytes[24..32].copy_from_slice(&self.first_seq.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.created_ns.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.salt.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header at the front of some bytes.
    ///
    /// # Errors
    /// Why there is none.
    pub fn read(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let header = bytes.get(..SEGMENT_HEADER_BYTES).ok_or(HeaderFault::Damaged)?;
        if header[..4] != MAGIC || crc32c::crc32c(&header[..60]) != u32_at(header, 60) {
            return Err(HeaderFault::Damaged);
        }
        match u16_at(header, 4) {
            VERSION => {}
            0 => return Err(HeaderFault::Damaged),
            version => return Err(HeaderFault::Newer(version)),
        }
        let (store_id, first_seq) = (std::array::from_fn(|at| header[8 + at]), u64_at(header, 24));
        if first_seq > FIRST_SEQ_MAX {
            return Err(HeaderFault::Damaged);
        }
        Ok(Self { store_id, first_seq, created_ns: u64_at(header, 32), salt: u64_at(header, 40) })
    }
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// An accepted request.
    Batch = 1,
    /// The clock.
    Tick = 2,
    /// An order.
    Control = 3,
    /// A request that came before.
    Repeat = 4,
}

impl Kind {
    /// The kind with this number.
    #[must_use]
    pub const fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Batch),
            2 => Some(Self::Tick),
            3 => Some(Self::Control),
            4 => Some(Self::Repeat),
            _ => None,
        }
    }
}

/// What a record says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHeader {
    /// Bytes of its payload.
    pub length: u32,
    /// Its number.
    pub seq: u64,
    /// The highest number that was known to be on the disk when it was written.
    pub durable_seq: u64,
    /// What it is.
    pub kind: Kind,
}

impl RecordHeader {
    /// Reads a header that may be one; whether its record is whole only its checksum tells.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..RECORD_HEADER_BYTES)?;
        let is_plain = header[25] == 0 && u16_at(header, 26) == VERSION && u32_at(header, 28) == 0;
        let kind = Kind::of(header[24]).filter(|_| is_plain)?;
        Some(Self { length: u32_at(header, 4), seq: u64_at(header, 8), durable_seq: u64_at(header, 16), kind })
    }

    /// Bytes of the whole record.
    #[must_use]
    pub const fn record_bytes(&self) -> usize {
        record_bytes(self.length as usize)
    }

    /// Whether the bytes that begin with this header are the record that was written under this salt.
    #[must_use]
    pub fn is_whole(&self, bytes: &[u8], salt: u64) -> bool {
        let end = RECORD_HEADER_BYTES + self.length as usize;
        bytes.get(4..end).is_some_and(|summed| checksum(salt, summed) == u32_at(bytes, 0))
    }
}

/// Bytes of a record with a payload of so many.
#[must_use]
pub const fn record_bytes(payload: usize) -> usize {
    (RECORD_HEADER_BYTES + payload).next_multiple_of(8)
}

/// Appends a record; `payload` writes its payload.
pub fn append(
    out: &mut Vec<u8>,
    salt: u64,
    (kind, seq, durable_seq): (Kind, u64, u64),
    payload: impl FnOnce(&mut Vec<u8>),
) {
    let begin = out.len();
    out.extend_from_slice(&[0; RECORD_HEADER_BYTES]);
    payload(out);
    let length = out.len() - begin - RECORD_HEADER_BYTES;
    let length =
        u32::try_from(length).expect("no batch has 4 GiB: bodies have limits.body_bytes_max, and 64 MiB at most");
    let record = &mut out[begin..];
    record[4..8].copy_from_slice(&length.to_le_bytes());
    record[8..16].copy_from_slice(&seq.to_le_bytes());
    record[16..24].copy_from_slice(&durable_seq.to_le_bytes());
    record[24] = kind as u8;
    record[26..28].copy_from_slice(&VERSION.to_le_bytes());
    let crc = checksum(salt, &record[4..]);
    record[..4].copy_from_slice(&crc.to_le_bytes());
    out.resize(begin + record_bytes(length as usize), 0);
}

fn checksum(salt: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_no_bit_of_it_may_change() {
        let header = SegmentHeader { store_id: [7; 16], first_seq: 1 << 40, created_ns: 5, salt: 0xfeed };
        let bytes = header.to_bytes();
        assert_eq!(SegmentHeader::read(&bytes), Ok(header));
        for bit in 0..8 * SEGMENT_HEADER_BYTES {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHeader::read(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_record_is_whole_under_its_own_salt_only() {
        let mut bytes = Vec::new();
        append(&mut bytes, 9, (Kind::Tick, 3, 2), |out| out.extend_from_slice(b"12345"));
        assert_eq!(bytes.len(), 40);
        let header = RecordHeader::read(&bytes).expect("one was written");
        assert_eq!(header, RecordHeader { length: 5, seq: 3, durable_seq: 2, kind: Kind::Tick });
        assert!(header.is_whole(&bytes, 9) && !header.is_whole(&bytes, 8));
        // CRC-32C of the salt and of the 33 bytes after the sum.
        let summed = [&9_u64.to_le_bytes()[..], &bytes[4..37]].concat();
        assert_eq!(u32_at(&bytes, 0), slow_crc32c(&summed));
    }

    /// Bit by bit, from the polynomial (RFC 3720, B.4).
    fn slow_crc32c(bytes: &[u8]) -> u32 {
        let step = |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 & 0_u32.wrapping_sub(crc & 1)))
        };
        !bytes.iter().fold(u32::MAX, step)
    }
}
