//! The in-flight budget: one number of bytes that bounds bodies, the journal's queue and the aggregator's inbox.
//!
//! Nothing waits for memory. What does not fit is refused at once, and a [`Charge`] gives back what it took when it
//! is dropped, on every path.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The budget. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    used: AtomicU64,
    refused: AtomicU64,
    max: u64,
}

/// Bytes taken from a [`Budget`]; returned on drop.
#[derive(Debug)]
pub struct Charge {
    budget: Budget,
    bytes: u64,
}

/// The budget has no room for this now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed to reserve memory: the in-flight budget is in use")]
pub struct Full;

impl Budget {
    /// A budget of `max` bytes.
    #[must_use]
    pub fn new(max: u64) -> Self {
        Self(Arc::new(Shared { used: AtomicU64::new(0), refused: AtomicU64::new(0), max }))
    }

    /// Bytes in use now.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// The most that may be in use.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.0.max
    }

    /// How often something did not fit, since the daemon began.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Takes `bytes`, or nothing.
    ///
    /// # Errors
    /// [`Full`] when they do not fit.
    pub fn charge(&self, bytes: u64) -> Result<Charge, Full> {
        self.take(bytes)?;
        Ok(Charge { budget: self.clone(), bytes })
    }

    fn take(&self, bytes: u64) -> Result<(), Full> {
        let fits = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.0.max);
        let taken = self.0.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        taken.map(|_| ()).map_err(|_| {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
            Full
        })
    }
}

impl Charge {
    /// Nothing of no budget: for what was charged in another process.
    #[must_use]
    pub fn none() -> Self {
        Self { budget: Budget::new(0), bytes: 0 }
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes `more` bytes, or leaves it as it was.
    ///
    /// # Errors
    /// [`Full`] when they do not fit.
    pub fn grow(&mut self, more: u64) -> Result<(), Full> {
        self.budget.take(more)?;
        self.bytes += more;
        Ok(())
    }

    /// Gives back all above `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.budget.0.used.fetch_sub(surplus, Ordering::Relaxed);
        self.bytes -= surplus;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_comes_back_on_every_path() {
        let budget = Budget::new(100);
        let mut charge = budget.charge(60).expect("fits");
        assert!(budget.charge(41).is_err());
        assert!(charge.grow(41).is_err());
        assert_eq!((charge.bytes(), budget.used(), budget.refused()), (60, 60, 2));
        charge.grow(40).expect("fits");
        charge.shrink_to(10);
        assert_eq!(budget.used(), 10);
        charge.shrink_to(50);
        assert_eq!(budget.used(), 10);
        drop(charge);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_charge_of_everything_there_is_does_not_wrap() {
        let budget = Budget::new(u64::MAX);
        let _charge = budget.charge(u64::MAX).expect("fits");
        assert!(budget.charge(1).is_err());
    }
}
