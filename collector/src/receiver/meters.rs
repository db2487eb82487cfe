//! The room's own figures (`bailiwick_ingest_*`): every handle is looked up once, when the receiver starts.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::answer::{Answer, Cause};
use super::request::Transport;
use crate::observation::Signal;
use crate::observation::report::{Report, Warning};

const REQUESTS: &str = "bailiwick_ingest_requests_total";
const REFUSED: &str = "bailiwick_ingest_requests_refused_total";
const WARNINGS: &str = "bailiwick_ingest_warnings_total";
const DURATION: &str = "bailiwick_ingest_request_duration_seconds";
const BODY_BYTES: &str = "bailiwick_ingest_body_bytes_total";
const CONNECTIONS: &str = "bailiwick_ingest_connections";
const CONNECTIONS_REFUSED: &str = "bailiwick_ingest_connections_refused_total";
const ACCEPT_ERRORS: &str = "bailiwick_ingest_accept_errors_total";

/// The label of requests that were refused before their signal was known.
const SIGNAL_NONE: &str = "none";
/// Traces, metrics, none.
const SIGNALS: usize = 3;

/// Figures of requests by transport and signal.
#[derive(Clone)]
pub struct RequestMeters([[Cell; SIGNALS]; Transport::ALL.len()]);

#[derive(Clone)]
struct Cell {
    ok: Counter,
    partial: Counter,
    refused: Counter,
    aborted: Counter,
    causes: [Counter; Cause::ALL.len()],
    duration: Histogram,
    wire_bytes: Counter,
    inflated_bytes: Counter,
}

impl std::fmt::Debug for RequestMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestMeters")
    }
}

impl Cell {
    fn register(transport: &'static str, signal: &'static str) -> Self {
        let outcome = |outcome: &'static str| counter!(REQUESTS, "transport" => transport, "signal" => signal, "outcome" => outcome);
        let stage =
            |stage: &'static str| counter!(BODY_BYTES, "transport" => transport, "signal" => signal, "stage" => stage);
        Self {
            ok: outcome("ok"),
            partial: outcome("partial"),
            refused: outcome("refused"),
            aborted: outcome("aborted"),
            causes: Cause::ALL
                .map(|cause| counter!(REFUSED, "transport" => transport, "signal" => signal, "reason" => cause.name())),
            duration: histogram!(DURATION, "transport" => transport, "signal" => signal),
            wire_bytes: stage("wire"),
            inflated_bytes: stage("inflated"),
        }
    }
}

impl RequestMeters {
    /// Registers every handle with the recorder in force.
    #[must_use]
    pub fn register() -> Self {
        let signals = [Signal::Traces.name(), Signal::Metrics.name(), SIGNAL_NONE];
        Self(Transport::ALL.map(|transport| signals.map(|signal| Cell::register(transport.name(), signal))))
    }

    fn cell(&self, transport: Transport, signal: Option<Signal>) -> &Cell {
        let column = match signal {
            Some(Signal::Traces) => 0,
            Some(Signal::Metrics) => 1,
            None => 2,
        };
        &self.0[transport as usize - 1][column]
    }

    /// Books an answered request.
    pub fn answered(&self, transport: Transport, signal: Option<Signal>, answer: &Answer, took: Duration) {
        let cell = self.cell(transport, signal);
        cell.duration.record(took.as_secs_f64());
        match answer {
            Ok(accepted) if accepted.rejected == 0 => cell.ok.increment(1),
            Ok(_) => cell.partial.increment(1),
            Err(refusal) if refusal.cause == Cause::Aborted => cell.aborted.increment(1),
            Err(refusal) => {
                cell.refused.increment(1);
                cell.causes[refusal.cause as usize].increment(1);
            }
        }
    }

    /// Books a request whose client left without waiting for the answer.
    pub fn aborted(&self, transport: Transport, signal: Signal) {
        self.cell(transport, Some(signal)).aborted.increment(1);
    }

    /// Books a body as it came.
    pub fn wire_bytes(&self, transport: Transport, signal: Signal, bytes: usize) {
        self.cell(transport, Some(signal)).wire_bytes.increment(bytes as u64);
    }

    /// Books a body as it was walked.
    pub fn inflated_bytes(&self, transport: Transport, signal: Signal, bytes: usize) {
        self.cell(transport, Some(signal)).inflated_bytes.increment(bytes as u64);
    }
}

/// Figures of warnings by kind.
#[derive(Clone)]
pub struct WarningMeters([Counter; Warning::ALL.len()]);

impl std::fmt::Debug for WarningMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WarningMeters")
    }
}

impl WarningMeters {
    /// Registers every handle with the recorder in force.
    #[must_use]
    pub fn register() -> Self {
        Self(Warning::ALL.map(|kind| counter!(WARNINGS, "kind" => kind.name())))
    }

    /// Books the items that each warning of a report concerns.
    pub fn warned(&self, report: &Report) {
        for (counter, items) in self.0.iter().zip(report.warnings).filter(|(_, items)| *items > 0) {
            counter.increment(items.into());
        }
    }
}

/// Figures of connections.
#[derive(Clone)]
pub struct ConnectionMeters {
    /// Open connections.
    pub open: Gauge,
    /// Refused: no seat, and none idle.
    pub refused_max: Counter,
    /// Refused: too many of one address.
    pub refused_per_address: Counter,
    /// Closed to make room.
    pub evicted: Counter,
    /// Accept failed for the peer's reasons.
    pub accept_peer: Counter,
    /// Accept failed for want of descriptors or memory.
    pub accept_exhausted: Counter,
}

impl std::fmt::Debug for ConnectionMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectionMeters")
    }
}

impl ConnectionMeters {
    /// Registers every handle with the recorder in force.
    #[must_use]
    pub fn register() -> Self {
        let refused = |reason: &'static str| counter!(CONNECTIONS_REFUSED, "reason" => reason);
        let failed = |reason: &'static str| counter!(ACCEPT_ERRORS, "reason" => reason);
        Self {
            open: gauge!(CONNECTIONS),
            refused_max: refused("max"),
            refused_per_address: refused("per_address_max"),
            evicted: refused("evicted_idle"),
            accept_peer: failed("peer"),
            accept_exhausted: failed("exhausted"),
        }
    }
}
