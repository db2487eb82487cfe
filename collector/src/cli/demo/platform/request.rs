//! One request of the synthetic platform, and how a daemon must book it. Values only.

use bailiwick_slo::conventions::{EntryType, TENANT_UNKNOWN};
use bailiwick_slo::outcome::Outcome;

use super::shape::{Call, Entry, Service};

/// A request that ends in a simulated second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::demo) struct Request {
    pub(in crate::cli::demo) service: &'static Service,
    /// `None`: an anonymous call.
    pub(in crate::cli::demo) tenant: Option<&'static str>,
    pub(in crate::cli::demo) module: &'static str,
    pub(in crate::cli::demo) entry: Entry,
    /// A number that ended up in the route: the mistake that makes an operation of each value.
    pub(in crate::cli::demo) topic: Option<u16>,
    pub(in crate::cli::demo) outcome: Outcome,
    pub(in crate::cli::demo) calls: &'static [Call],
    /// Nanoseconds since the Unix epoch; after `ended_ns` when a clock is wrong.
    pub(in crate::cli::demo) started_ns: u64,
    pub(in crate::cli::demo) ended_ns: u64,
    pub(in crate::cli::demo) trace_id: [u64; 2],
    pub(in crate::cli::demo) span_id: u64,
    /// False for a request that ended too long ago: every span of it is refused.
    pub(in crate::cli::demo) admitted: bool,
}

/// A row of the daemon's books.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// Tenant id.
    pub tenant: &'static str,
    /// Module.
    pub module: &'static str,
    /// Entry type.
    pub entry: EntryType,
    /// Operation.
    pub operation: String,
}

impl Request {
    /// Whether its clock went backwards.
    pub(in crate::cli::demo) const fn backwards(&self) -> bool {
        self.ended_ns < self.started_ns
    }

    /// The route of an HTTP request as its framework reports it.
    pub(in crate::cli::demo) fn route(&self, template: &str) -> String {
        match self.topic {
            Some(topic) => format!("{template}/topic-{topic:03}"),
            None => template.to_owned(),
        }
    }

    /// The code of its answer: HTTP, gRPC, or none for a message.
    pub(in crate::cli::demo) fn code(&self) -> Option<u16> {
        let (http, rpc) = match self.outcome {
            Outcome::Success | Outcome::Excluded => (200, 0),
            Outcome::Failure => (503, 14),
            Outcome::ClientError => (422, 5),
            Outcome::Cancelled => (499, 1),
        };
        match self.entry {
            Entry::Http(..) => Some(http),
            Entry::Rpc(..) => Some(rpc),
            Entry::Message(_) => None,
        }
    }

    /// INTERNAL children `... http send`: the start of the answer and its body.
    pub(in crate::cli::demo) const fn sends(&self) -> usize {
        if self.service.asgi && matches!(self.entry, Entry::Http(..)) { 2 } else { 0 }
    }

    /// Spans that it is made of. A request whose clock went backwards has no children.
    pub(in crate::cli::demo) const fn spans(&self) -> usize {
        if self.backwards() { 1 } else { 1 + self.sends() + self.calls.len() }
    }

    /// Where a daemon must book it (`sli.md` 1.1, 1.2).
    pub(in crate::cli::demo) fn series(&self) -> Series {
        let (entry, operation) = match self.entry {
            Entry::Http(method, template) => (EntryType::Server, format!("{method} {}", self.route(template))),
            Entry::Rpc(service, method) => (EntryType::Server, format!("{service}/{method}")),
            Entry::Message(destination) => (EntryType::Consumer, format!("process {destination}")),
        };
        Series { tenant: self.tenant.unwrap_or(TENANT_UNKNOWN), module: self.module, entry, operation }
    }
}
