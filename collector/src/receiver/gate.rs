//! What every request passes before its body is read: readiness, then memory.
//!
//! A [`Hold`] is the memory of one request. Nothing waits for memory, and no request takes more than its share.

use tokio::sync::watch;

use super::answer::{Cause, Refusal};
use crate::observation::budget::{Budget, Charge};

/// Part of the budget that one request may hold: 1/2.
const SHARE_DIVISOR: u64 = 2;
/// Part of it while the budget is scarce: 1/16, so that a newcomer finds room.
const SMALL_SHARE_DIVISOR: u64 = 16;

/// How far the receiver's end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Listening, but the rooms behind are not there yet: requests are told to come back.
    Starting,
    /// Taking requests.
    Open,
    /// No new connections and requests; bodies under way may end.
    Draining,
    /// Bodies that are still under way are refused.
    Cut,
}

/// The gate of all listeners.
#[derive(Debug, Clone)]
pub struct Gate {
    ready: watch::Receiver<bool>,
    phase: watch::Receiver<Phase>,
    budget: Budget,
    body_bytes_max: u64,
}

impl Gate {
    /// A gate in front of this budget.
    #[must_use]
    pub fn new(
        ready: watch::Receiver<bool>,
        phase: watch::Receiver<Phase>,
        budget: Budget,
        body_bytes_max: u64,
    ) -> Self {
        Self { ready, phase, budget, body_bytes_max }
    }

    /// Whether a request may go on to its body.
    ///
    /// # Errors
    /// *starting* and *shutdown*.
    pub fn pass(&self) -> Result<(), Refusal> {
        match *self.phase.borrow() {
            Phase::Starting => Err(Refusal::starting()),
            Phase::Open => Ok(()),
            Phase::Draining | Phase::Cut => Err(Refusal::shutdown()),
        }
    }

    /// Whether the daemon is ready now; never before this receiver takes requests, nor after.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow() && *self.phase.borrow() == Phase::Open
    }

    /// Readiness as it changes.
    #[must_use]
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.clone()
    }

    /// The phase as it changes.
    #[must_use]
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.clone()
    }

    /// Most bytes of a body.
    #[must_use]
    pub fn body_bytes_max(&self) -> u64 {
        self.body_bytes_max
    }

    /// Takes memory for a body of this many bytes.
    ///
    /// # Errors
    /// *body_too_large*, *share*, *inflight*.
    pub fn hold(&self, bytes: u64) -> Result<Hold, Refusal> {
        Hold::new(&self.budget, bytes, self.body_bytes_max)
    }
}

/// The memory of one request; given back on drop.
#[derive(Debug)]
pub struct Hold {
    charge: Charge,
    budget: Budget,
}

impl Hold {
    /// Takes memory for a body of this many bytes.
    ///
    /// # Errors
    /// *body_too_large*, *share*, *inflight*.
    pub fn new(budget: &Budget, bytes: u64, body_bytes_max: u64) -> Result<Self, Refusal> {
        if bytes > body_bytes_max {
            return Err(Refusal::body_too_large(body_bytes_max));
        }
        room(bytes, budget.used(), budget.max()).map_err(refusal)?;
        let charge = budget.charge(bytes).map_err(|_| Refusal::inflight())?;
        Ok(Self { charge, budget: budget.clone() })
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.charge.bytes()
    }

    /// Takes more memory.
    ///
    /// # Errors
    /// *share* and *inflight*.
    pub fn take(&mut self, more: u64) -> Result<(), Refusal> {
        let wanted = self.charge.bytes().saturating_add(more);
        room(wanted, self.budget.used(), self.budget.max()).map_err(refusal)?;
        self.charge.grow(more).map_err(|_| Refusal::inflight())
    }

    /// Ends the charges of body and decoding: from here on only what was made of them is held.
    ///
    /// # Errors
    /// As [`Self::take`], when that is more.
    pub fn become_batch(mut self, bytes: u64) -> Result<Charge, Refusal> {
        if bytes > self.charge.bytes() {
            self.take(bytes - self.charge.bytes())?;
        }
        self.charge.shrink_to(bytes);
        Ok(self.charge)
    }
}

/// Whether one request may hold `wanted` bytes of a budget of which `used` are taken.
fn room(wanted: u64, used: u64, max: u64) -> Result<(), Cause> {
    if wanted > max / SHARE_DIVISOR {
        return Err(Cause::Share);
    }
    let scarce = used > max / 4 * 3;
    if scarce && wanted > max / SMALL_SHARE_DIVISOR { Err(Cause::Inflight) } else { Ok(()) }
}

fn refusal(cause: Cause) -> Refusal {
    if cause == Cause::Share { Refusal::share() } else { Refusal::inflight() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Cause {
        result.expect_err("refused").cause
    }

    #[test]
    fn a_request_that_no_empty_server_has_room_for_is_told_so() {
        let budget = Budget::new(1_600);
        assert_eq!(cause(Hold::new(&budget, 801, u64::MAX)), Cause::Share);
        let mut hold = Hold::new(&budget, 800, u64::MAX).expect("half of the budget");
        assert_eq!(cause(hold.take(1)), Cause::Share);
        assert_eq!(cause(Hold::new(&budget, 101, 100)), Cause::BodyTooLarge);
    }

    #[test]
    fn when_memory_is_scarce_only_small_requests_find_room() {
        let budget = Budget::new(1_600);
        let _first = Hold::new(&budget, 700, u64::MAX).expect("room");
        let _second = Hold::new(&budget, 501, u64::MAX).expect("room");
        assert_eq!(cause(Hold::new(&budget, 101, u64::MAX)), Cause::Inflight);
        let mut small = Hold::new(&budget, 100, u64::MAX).expect("1/16 of the budget");
        assert_eq!(cause(small.take(1)), Cause::Inflight);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_takes_nothing() {
        let budget = Budget::new(160);
        let _first = Hold::new(&budget, 80, u64::MAX).expect("room");
        let _second = Hold::new(&budget, 40, u64::MAX).expect("room");
        assert_eq!(cause(Hold::new(&budget, 41, u64::MAX)), Cause::Inflight);
        assert_eq!(budget.used(), 120);
    }

    #[test]
    fn a_walked_request_holds_its_batch_only() {
        let budget = Budget::new(1_000);
        let hold = Hold::new(&budget, 400, u64::MAX).expect("room");
        let charge = hold.become_batch(30).expect("less than before");
        assert_eq!(budget.used(), 30);
        drop(charge);
        assert_eq!(budget.used(), 0);
        let charge = Hold::new(&budget, 10, u64::MAX).expect("room").become_batch(50).expect("room");
        assert_eq!(charge.bytes(), 50);
    }

    #[test]
    fn the_gate_is_closed_before_the_start_and_after_the_end_began() {
        let (_ready, ready_seen) = watch::channel(true);
        let (phase, phase_seen) = watch::channel(Phase::Starting);
        let gate = Gate::new(ready_seen, phase_seen, Budget::new(1), 1);
        assert_eq!(cause(gate.pass()), Cause::Starting);
        assert!(!gate.is_ready());
        phase.send_replace(Phase::Open);
        assert_eq!(gate.pass(), Ok(()));
        assert!(gate.is_ready());
        phase.send_replace(Phase::Draining);
        assert!(!gate.is_ready());
        assert_eq!(cause(gate.pass()), Cause::Shutdown);
    }
}
