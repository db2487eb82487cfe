//! The only place that reads the time. Everything else takes it as an argument.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of wall-clock time that can be handed to a room.
pub type SharedClock = Arc<dyn Clock>;

/// Reads the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Nanoseconds since the Unix epoch; 0 before it.
    fn now_unix_ns(&self) -> u64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_unix_ns(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands where it was put: for tests and backfills.
#[derive(Debug, Default)]
pub struct ManualClock(std::sync::atomic::AtomicU64);

impl ManualClock {
    /// A clock that shows this moment.
    #[must_use]
    pub const fn at(unix_ns: u64) -> Self {
        Self(std::sync::atomic::AtomicU64::new(unix_ns))
    }

    /// Moves the clock.
    pub fn set(&self, unix_ns: u64) {
        self.0.store(unix_ns, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now_unix_ns(&self) -> u64 {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}
