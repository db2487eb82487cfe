//! What a transport knows of a request before anything reads its body, and the seam behind both transports.
//!
//! [`Ingest`] is all that the transports know of the rest of the house. It must never learn which socket a request
//! came from beyond what [`Head`] says.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use tokio::time::Instant;

use super::answer::{Answer, Refusal};
use super::gate::Hold;
use crate::observation::Signal;
use crate::observation::batch::Meta;

/// How a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Transport {
    /// OTLP/gRPC.
    Grpc = 1,
    /// OTLP/HTTP.
    Http = 2,
}

impl Transport {
    /// Both, in the order of their discriminants.
    pub const ALL: [Self; 2] = [Self::Grpc, Self::Http];

    /// The published name, the value of the label `transport`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Encoding {
    /// Protobuf.
    Protobuf = 1,
    /// OTLP/JSON.
    Json = 2,
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Coding {
    /// Not at all.
    Identity = 0,
    /// RFC 1952, one member or several.
    Gzip = 1,
    /// RFC 8878.
    Zstd = 2,
    /// RFC 1950, which HTTP calls deflate.
    Deflate = 3,
}

/// What is known before the body.
#[derive(Debug, Clone)]
pub struct Head {
    /// How it came.
    pub transport: Transport,
    /// What it carries.
    pub signal: Signal,
    /// How it is written.
    pub encoding: Encoding,
    /// How it is compressed.
    pub coding: Coding,
    /// `X-Scope-OrgID`, checked against the rule of tenant ids.
    pub tenant: Option<HeaderValue>,
    /// The client's address, as text.
    pub address: Arc<str>,
    /// When the client stops waiting (`grpc-timeout`).
    pub deadline: Option<Instant>,
}

impl Head {
    /// The tenant that the request names; empty: none.
    #[must_use]
    pub fn tenant(&self) -> &str {
        // A checked tenant id is ASCII.
        self.tenant.as_ref().and_then(|tenant| tenant.to_str().ok()).unwrap_or_default()
    }

    /// Who is answerable for the request: its tenant, else the client's address.
    #[must_use]
    pub fn principal(&self) -> &str {
        if self.tenant.is_some() { self.tenant() } else { &self.address }
    }

    /// The same facts as a batch stores them.
    #[must_use]
    pub fn meta(&self) -> Meta<'_> {
        Meta {
            principal: self.principal(),
            tenant_auth: self.tenant(),
            auth_source: u8::from(self.tenant.is_some()),
            transport: self.transport as u8,
            encoding: self.encoding as u8,
            compression: self.coding as u8,
        }
    }

    /// Whether the client still waits at this moment.
    ///
    /// # Errors
    /// When its deadline has passed.
    pub fn still_waited_for(&self, now: Instant) -> Result<(), Refusal> {
        match self.deadline {
            Some(deadline) if deadline <= now => Err(Refusal::deadline()),
            _ => Ok(()),
        }
    }
}

/// A request whose body is complete.
#[derive(Debug)]
pub struct Received {
    /// What the transport knows.
    pub head: Head,
    /// The message as it was sent, without framing, still compressed.
    pub body: Bytes,
    /// The memory that it holds.
    pub hold: Hold,
}

/// What happens to complete requests. The daemon's is [`super::Pipeline`]; a load generator puts a sink here.
pub trait Ingest: Send + Sync + 'static {
    /// Whether requests are taken now, to be known before a body is read.
    ///
    /// # Errors
    /// Why not.
    fn takes(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// Takes one request to its answer. When the returned future is dropped, the client has left.
    fn ingest(&self, received: Received) -> impl Future<Output = Answer> + Send;
}
