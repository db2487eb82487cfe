//! What both transports do with a request: gate, body, ingest, figures. The order is `ingest.md` 1.3's.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body::Body;
use tokio::time::Instant;

use super::body::{self, Complete, Intake, Patience};
use super::{frame, head};
use crate::observation::Signal;
use crate::receiver::ConnectionSettings;
use crate::receiver::answer::{Answer, Refusal};
use crate::receiver::gate::Gate;
use crate::receiver::meters::RequestMeters;
use crate::receiver::request::{Head, Ingest, Received, Transport};

/// What the handlers of both transports share.
#[derive(Debug)]
pub struct Exchange<I> {
    ingest: I,
    gate: Gate,
    meters: RequestMeters,
    body_idle: Duration,
    body_whole: Duration,
}

impl<I: Ingest> Exchange<I> {
    /// An exchange in front of `ingest`.
    #[must_use]
    pub fn new(ingest: I, gate: Gate, settings: &ConnectionSettings) -> Self {
        Self {
            ingest,
            gate,
            meters: RequestMeters::register(),
            body_idle: settings.body_idle_timeout.0,
            body_whole: settings.body_timeout.0,
        }
    }

    /// The gate.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// A body read with the patience that clients of this moment get.
    pub(super) fn intake<'a, B>(&'a self, body: &'a mut B, begun: Instant, deadline: Option<Instant>) -> Intake<'a, B>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let patience = Patience { idle: self.body_idle, until: begun + self.body_whole, deadline };
        Intake::new(body, patience, &self.gate)
    }

    /// Takes a request whose head was accepted to its answer, and books it.
    pub(super) async fn answer<B>(&self, head: Head, body: &mut B, begun: Instant) -> Answer
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let mut booking = Booking { meters: &self.meters, transport: head.transport, signal: head.signal, done: false };
        let answer = caught(self.take(head, body, begun)).await;
        booking.done = true;
        self.meters.answered(booking.transport, Some(booking.signal), &answer, begun.elapsed());
        answer
    }

    /// Books a request that its head condemned.
    pub(super) fn refuse(&self, transport: Transport, signal: Option<Signal>, refusal: Refusal) -> Answer {
        let answer = Err(refusal);
        self.meters.answered(transport, signal, &answer, Duration::ZERO);
        answer
    }

    async fn take<B>(&self, mut head: Head, body: &mut B, begun: Instant) -> Answer
    where
        B: Body<Data = Bytes> + Unpin,
    {
        self.gate.pass()?;
        self.ingest.takes()?;
        let mut intake = self.intake(body, begun, head.deadline);
        let Complete { bytes, hold } = match head.transport {
            Transport::Http => body::read(&mut intake).await?,
            Transport::Grpc => {
                let message = frame::read(&mut intake, head.coding, |length| self.gate.hold(length)).await?;
                head.coding = message.coding;
                message.body
            }
        };
        self.meters.wire_bytes(head.transport, head.signal, bytes.len());
        self.ingest.ingest(Received { head, body: bytes, hold }).await
    }
}

/// A bug in one request is that request's answer, not the end of its connection.
async fn caught(request: impl Future<Output = Answer>) -> Answer {
    match AssertUnwindSafe(request).catch_unwind().await {
        Ok(answer) => answer,
        Err(_) => Err(Refusal::panic()),
    }
}

/// Books a request whose future is dropped before its answer: the client left.
struct Booking<'a> {
    meters: &'a RequestMeters,
    transport: Transport,
    signal: Signal,
    done: bool,
}

impl Drop for Booking<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.meters.aborted(self.transport, self.signal);
        }
    }
}

/// When a client of this moment stops waiting.
///
/// # Errors
/// As [`head::grpc_timeout`].
pub(super) fn deadline(headers: &http::HeaderMap, begun: Instant) -> Result<Option<Instant>, Refusal> {
    Ok(head::grpc_timeout(headers)?.map(|timeout| begun + timeout))
}
