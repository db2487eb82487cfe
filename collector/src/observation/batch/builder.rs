//! Writing a batch.

/// What the transport knows about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta<'a> {
    /// Who sent it: a key id or an address; empty: unknown.
    pub principal: &'a str,
    /// The tenant that `X-Scope-OrgID` (mode `none`) or a credential names; empty: none.
    pub tenant_auth: &'a str,
    /// Where `tenant_auth` comes from: 0 none, 1 header without keys, 2 credential.
    pub auth_source: u8,
    /// 1 gRPC, 2 HTTP, 3 inside the process.
    pub transport: u8,
    /// 1 protobuf, 2 JSON.
    pub encoding: u8,
    /// 0 identity, 1 gzip, 2 zstd, 3 deflate.
    pub compression: u8,
}

/// Writes batches, one at a time, into reused buffers.
#[derive(Debug, Default)]
pub struct Builder {}
