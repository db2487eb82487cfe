//! What a connection is doing, as its socket, its requests and its answers stamp it and its task reads it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::ageing::Vitals;

/// The stamps. Moments are milliseconds since the listeners started, plus one, so that 0 means never.
#[derive(Debug)]
pub struct Activity {
    epoch: Instant,
    opened_at: u64,
    open: AtomicU32,
    answering: AtomicU32,
    moved_at: AtomicU64,
    head_since: AtomicU64,
    write_blocked_since: AtomicU64,
    http1: AtomicBool,
    body_left: AtomicBool,
}

impl Activity {
    /// A connection that opens now.
    #[must_use]
    pub fn new(epoch: Instant) -> Self {
        let opened_at = since(epoch);
        Self {
            epoch,
            opened_at,
            open: AtomicU32::new(0),
            answering: AtomicU32::new(0),
            moved_at: AtomicU64::new(0),
            head_since: AtomicU64::new(0),
            write_blocked_since: AtomicU64::new(0),
            http1: AtomicBool::new(false),
            body_left: AtomicBool::new(false),
        }
    }

    /// The present moment on the connection's scale.
    #[must_use]
    pub fn now(&self) -> u64 {
        since(self.epoch)
    }

    /// A request's head is complete. The guard lives until its answer is sent or given up.
    #[must_use]
    pub fn begin(self: &Arc<Self>, http1: bool) -> Open {
        self.http1.store(http1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        self.moved_at.store(self.now(), Relaxed);
        self.head_since.store(0, Relaxed);
        Open { activity: Arc::clone(self), answering: false }
    }

    /// The answer goes out before the request's body came in: the socket must be read out before it is closed, or
    /// the kernel resets the connection and the client never sees the answer.
    pub fn leave_body(&self) {
        self.body_left.store(true, Relaxed);
    }

    pub(super) fn body_was_left(&self) -> bool {
        self.body_left.load(Relaxed)
    }

    pub(super) fn bytes_came(&self) {
        if self.open.load(Relaxed) == 0 && self.head_since.load(Relaxed) == 0 {
            self.head_since.store(self.now(), Relaxed);
        }
    }

    pub(super) fn write_blocked(&self, blocked: bool) {
        let since = self.write_blocked_since.load(Relaxed);
        if blocked && since == 0 {
            self.write_blocked_since.store(self.now(), Relaxed);
        } else if !blocked && since != 0 {
            self.write_blocked_since.store(0, Relaxed);
        }
    }

    /// The stamps as one value.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        let stamp = |stamp: &AtomicU64| Some(stamp.load(Relaxed)).filter(|at| *at > 0);
        Vitals {
            opened_at: self.opened_at,
            open: self.open.load(Relaxed),
            answering: self.answering.load(Relaxed),
            moved_at: stamp(&self.moved_at),
            head_since: stamp(&self.head_since),
            write_blocked_since: stamp(&self.write_blocked_since),
            http1: self.http1.load(Relaxed),
        }
    }
}

fn since(epoch: Instant) -> u64 {
    u64::try_from(epoch.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

/// A request that is not done.
#[derive(Debug)]
pub struct Open {
    activity: Arc<Activity>,
    answering: bool,
}

impl Open {
    /// Its answer is made and now waits for the client to take it.
    pub fn answer(&mut self) {
        self.answering = true;
        self.activity.answering.fetch_add(1, Relaxed);
        self.activity.moved_at.store(self.activity.now(), Relaxed);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.answering {
            self.activity.answering.fetch_sub(1, Relaxed);
        }
        self.activity.moved_at.store(self.activity.now(), Relaxed);
        self.activity.open.fetch_sub(1, Relaxed);
    }
}

/// An answer's body; its request is open as long as it lives.
#[derive(Debug)]
pub struct Tracked<B> {
    body: B,
    _open: Open,
}

impl<B> Tracked<B> {
    /// Ties an answer to its request.
    #[must_use]
    pub fn new(body: B, open: Open) -> Self {
        Self { body, _open: open }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Tracked<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
