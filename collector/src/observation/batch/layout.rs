//! Where things stand in a batch: header fields, section order, row sizes.

/// First bytes of every batch.
pub const MAGIC: [u8; 4] = *b"BWO1";
/// The version that this code writes, and the newest that it reads.
pub const VERSION: u16 = 1;
/// Bytes of the header.
pub const HEADER_BYTES: usize = 128;

/// Offsets of the header's fields.
pub mod header {
    /// `BWO1`.
    pub const MAGIC: usize = 0;
    /// u16.
    pub const VERSION: usize = 4;
    /// u8: 1 traces, 2 metrics.
    pub const SIGNAL: usize = 6;
    /// u8: durability level.
    pub const LEVEL: usize = 7;
    /// u64: the clock when the body was complete.
    pub const OBSERVED_AT_NS: usize = 8;
    /// 16 bytes: XXH3-128 of the inflated body as it was sent.
    pub const BODY_HASH: usize = 16;
    /// u32: length of the inflated body.
    pub const BODY_BYTES: usize = 32;
    /// u32: items in the request.
    pub const RECEIVED: usize = 36;
    /// u32: items accepted without a row.
    pub const IGNORED: usize = 40;
    /// u32: bits of [`crate::observation::report::Warning`].
    pub const WARNINGS: usize = 44;
    /// u32: string, who sent it.
    pub const PRINCIPAL: usize = 48;
    /// u32: string, the tenant that the credential or header names.
    pub const TENANT_AUTH: usize = 52;
    /// u8: where `TENANT_AUTH` comes from (0 none, 1 header without keys, 2 credential).
    pub const AUTH_SOURCE: usize = 56;
    /// u8: 1 gRPC, 2 HTTP, 3 inside the process.
    pub const TRANSPORT: usize = 57;
    /// u8: 1 protobuf, 2 JSON.
    pub const ENCODING: usize = 58;
    /// u8: 0 identity, 1 gzip, 2 zstd, 3 deflate.
    pub const COMPRESSION: usize = 59;
    /// u32: number of the control record in force.
    pub const CONFIG_EPOCH: usize = 60;
    /// Ten u32: rows per section, then number and bytes of strings.
    pub const COUNTS: usize = 64;
}

/// Sections in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Section {
    /// Resource and scope of items.
    Contexts = 0,
    /// Tenant and module claims of items.
    Evidence = 1,
    /// Spans.
    Spans = 2,
    /// Data points.
    Points = 3,
    /// What few items have.
    Extras = 4,
    /// Links of spans.
    Links = 5,
    /// What was refused, by tenant and reason.
    Rejects = 6,
    /// Histogram words.
    Buckets = 7,
    /// Ends of the strings.
    StringEnds = 8,
    /// Their bytes.
    StringBytes = 9,
}

/// Number of sections.
pub const SECTIONS: usize = 10;

/// Bytes of a row of each section, in order.
pub const ROW_BYTES: [usize; SECTIONS] = [40, 32, 96, 96, 16, 24, 16, 8, 4, 1];

/// Rounds a length up to the alignment of sections.
#[must_use]
pub const fn aligned(bytes: usize) -> usize {
    bytes.next_multiple_of(8)
}
