//! Whether the daemon is ready: facts that the rooms report, and the pure judgement of them (`ingest.md` 9).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_slo::time::SECOND_NS;

use crate::journal::AppendError;

/// Longest time since the last tick while ready.
const TICK_AGE_MAX_NS: u64 = 3 * SECOND_NS;

/// Longest time since the last tick while alive: beyond, a restart is the remedy.
const ALIVE_TICK_AGE_MAX_NS: u64 = 10 * SECOND_NS;

/// How long the in-flight budget may stand at [`INFLIGHT_PERCENT`] or more.
const INFLIGHT_HIGH_MAX_NS: u64 = 5 * SECOND_NS;

/// Use of the in-flight budget that is high.
const INFLIGHT_PERCENT: u128 = 90;

/// How far SLOs may be behind the closed slots: one closes each ten seconds.
const BEHIND_MAX_NS: u64 = 60 * SECOND_NS;

/// What the rooms report, as one plain value. Times are nanoseconds since the Unix epoch; 0 is "never".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// All listeners are bound.
    pub listeners_bound: bool,
    /// The configuration in force is valid.
    pub configuration_valid: bool,
    /// What was written before has been read, and the journal takes batches.
    pub journal_accepting: bool,
    /// Why it takes none now, if it does not.
    pub journal_refuses: Option<AppendError>,
    /// The daemon was told to stop.
    pub stopping: bool,
    /// When the aggregator ticked last.
    pub last_tick_ns: u64,
    /// Since when the in-flight budget has been high; 0 while it is not.
    pub inflight_high_since_ns: u64,
    /// How far the SLOs are behind the closed slots.
    pub evaluator_behind_ns: u64,
}

/// One check with its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its published name.
    pub name: &'static str,
    /// Why it failed; `None` when it passed.
    pub failure: Option<String>,
}

/// Judges readiness: every check, in a fixed order.
#[must_use]
pub fn readiness(facts: &Facts, now_ns: u64) -> Vec<Check> {
    let unless = |ok: bool, reason: &str| (!ok).then(|| reason.to_owned());
    let high_ns = match facts.inflight_high_since_ns {
        0 => 0,
        since => now_ns.saturating_sub(since),
    };
    vec![
        Check { name: "running", failure: unless(!facts.stopping, "the daemon is stopping") },
        Check { name: "listeners", failure: unless(facts.listeners_bound, "not all listeners are bound") },
        Check {
            name: "configuration",
            failure: unless(facts.configuration_valid, "the configuration is not valid; run `bailiwick check`"),
        },
        Check {
            name: "journal",
            failure: unless(facts.journal_accepting, "starting: what was written before is being read")
                .or_else(|| facts.journal_refuses.map(|error| error.to_string())),
        },
        Check {
            name: "inflight",
            failure: (high_ns >= INFLIGHT_HIGH_MAX_NS)
                .then(|| format!("90 % or more of the in-flight budget has been in use for {} s", high_ns / SECOND_NS)),
        },
        Check { name: "tick", failure: tick_failure(facts.last_tick_ns, now_ns, TICK_AGE_MAX_NS) },
        Check {
            name: "evaluator",
            failure: (facts.evaluator_behind_ns > BEHIND_MAX_NS)
                .then(|| format!("SLOs are {} s behind what was counted", facts.evaluator_behind_ns / SECOND_NS)),
        },
    ]
}

fn tick_failure(last_tick_ns: u64, now_ns: u64, age_max_ns: u64) -> Option<String> {
    if last_tick_ns == 0 {
        return Some("the aggregator has not ticked yet".to_owned());
    }
    let age_ns = now_ns.saturating_sub(last_tick_ns);
    (age_ns >= age_max_ns).then(|| format!("the aggregator's last tick was {} s ago", age_ns / SECOND_NS))
}

/// The facts, shared by the rooms that report them and the faces that show them. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    listeners_bound: AtomicBool,
    configuration_valid: AtomicBool,
    journal_accepting: AtomicBool,
    journal_refuses: Mutex<Option<AppendError>>,
    stopping: AtomicBool,
    last_tick_ns: AtomicU64,
    inflight_high_since_ns: AtomicU64,
    evaluator_behind_ns: AtomicU64,
}

impl Readiness {
    /// Nothing reported yet: not ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All listeners are bound (or no longer).
    pub fn set_listeners_bound(&self, bound: bool) {
        self.0.listeners_bound.store(bound, Ordering::Relaxed);
    }

    /// The configuration in force is valid (or not).
    pub fn set_configuration_valid(&self, valid: bool) {
        self.0.configuration_valid.store(valid, Ordering::Relaxed);
    }

    /// The journal takes batches (or not).
    pub fn set_journal_accepting(&self, accepting: bool) {
        self.0.journal_accepting.store(accepting, Ordering::Relaxed);
    }

    /// Why the journal takes no batches now; `None`: it does.
    pub fn set_journal_refuses(&self, why: Option<AppendError>) {
        *self.0.journal_refuses.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// The daemon was told to stop: never ready again.
    pub fn set_stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// The aggregator ticked at this moment, or at an earlier one than was reported before.
    pub fn ticked(&self, at_ns: u64) {
        self.0.last_tick_ns.fetch_max(at_ns, Ordering::Relaxed);
    }

    /// The in-flight budget stands at `used` of `max` bytes. To be called every second or so: the first high reading
    /// starts the clock of the check, the first low one stops it.
    pub fn inflight(&self, used: u64, max: u64, now_ns: u64) {
        let high = u128::from(used) * 100 >= u128::from(max) * INFLIGHT_PERCENT;
        let since = &self.0.inflight_high_since_ns;
        if high {
            // Only the first high reading counts; a lost race means that another one was the first.
            let _ = since.compare_exchange(0, now_ns.max(1), Ordering::Relaxed, Ordering::Relaxed);
        } else {
            since.store(0, Ordering::Relaxed);
        }
    }

    /// The SLOs are so far behind the closed slots.
    pub fn evaluated(&self, behind_ns: u64) {
        self.0.evaluator_behind_ns.store(behind_ns, Ordering::Relaxed);
    }

    /// What was reported so far.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let shared = &self.0;
        Facts {
            listeners_bound: shared.listeners_bound.load(Ordering::Relaxed),
            configuration_valid: shared.configuration_valid.load(Ordering::Relaxed),
            journal_accepting: shared.journal_accepting.load(Ordering::Relaxed),
            journal_refuses: *shared.journal_refuses.lock().unwrap_or_else(PoisonError::into_inner),
            stopping: shared.stopping.load(Ordering::Relaxed),
            last_tick_ns: shared.last_tick_ns.load(Ordering::Relaxed),
            inflight_high_since_ns: shared.inflight_high_since_ns.load(Ordering::Relaxed),
            evaluator_behind_ns: shared.evaluator_behind_ns.load(Ordering::Relaxed),
        }
    }

    /// Every readiness check.
    #[must_use]
    pub fn checks(&self, now_ns: u64) -> Vec<Check> {
        readiness(&self.facts(), now_ns)
    }

    /// Whether all checks pass.
    #[must_use]
    pub fn is_ready(&self, now_ns: u64) -> bool {
        self.checks(now_ns).iter().all(|check| check.failure.is_none())
    }

    /// The checks of liveness: a process that does not tick wants a restart. Before the first tick it is starting.
    #[must_use]
    pub fn liveness(&self, now_ns: u64) -> Vec<Check> {
        let last_tick_ns = self.facts().last_tick_ns;
        let failure = match last_tick_ns {
            0 => None,
            last => tick_failure(last, now_ns, ALIVE_TICK_AGE_MAX_NS),
        };
        vec![Check { name: "tick", failure }]
    }

    /// The checks of start-up: what never comes undone once it happened.
    #[must_use]
    pub fn startup(&self) -> Vec<Check> {
        let facts = self.facts();
        let unless = |ok: bool, reason: &str| (!ok).then(|| reason.to_owned());
        vec![
            Check { name: "listeners", failure: unless(facts.listeners_bound, "not all listeners are bound") },
            Check { name: "tick", failure: unless(facts.last_tick_ns > 0, "the aggregator has not ticked yet") },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000 * SECOND_NS;

    fn good() -> Facts {
        Facts {
            listeners_bound: true,
            configuration_valid: true,
            journal_accepting: true,
            journal_refuses: None,
            stopping: false,
            last_tick_ns: NOW - SECOND_NS,
            inflight_high_since_ns: 0,
            evaluator_behind_ns: 0,
        }
    }

    fn failed(facts: &Facts) -> Vec<&'static str> {
        readiness(facts, NOW).into_iter().filter(|check| check.failure.is_some()).map(|check| check.name).collect()
    }

    #[test]
    fn all_good_facts_make_it_ready() {
        assert_eq!(failed(&good()), [""; 0]);
    }

    #[test]
    fn each_bad_fact_fails_its_own_check() {
        assert_eq!(failed(&Facts { stopping: true, ..good() }), ["running"]);
        assert_eq!(failed(&Facts { listeners_bound: false, ..good() }), ["listeners"]);
        assert_eq!(failed(&Facts { configuration_valid: false, ..good() }), ["configuration"]);
        assert_eq!(failed(&Facts { journal_accepting: false, ..good() }), ["journal"]);
        assert_eq!(failed(&Facts { journal_refuses: Some(AppendError::DiskFull), ..good() }), ["journal"]);
        assert_eq!(failed(&Facts { last_tick_ns: 0, ..good() }), ["tick"]);
        let behind = |seconds| failed(&Facts { evaluator_behind_ns: seconds * SECOND_NS, ..good() });
        assert_eq!((behind(60), behind(61)), (vec![], vec!["evaluator"]));
    }

    #[test]
    fn a_tick_of_three_seconds_ago_is_too_old() {
        assert_eq!(failed(&Facts { last_tick_ns: NOW - 3 * SECOND_NS + 1, ..good() }), [""; 0]);
        assert_eq!(failed(&Facts { last_tick_ns: NOW - 3 * SECOND_NS, ..good() }), ["tick"]);
    }

    #[test]
    fn a_full_budget_is_forgiven_for_five_seconds() {
        let readiness = Readiness::new();
        readiness.inflight(90, 100, NOW - 5 * SECOND_NS);
        readiness.inflight(100, 100, NOW - SECOND_NS);
        let high = readiness.facts().inflight_high_since_ns;
        assert_eq!(failed(&Facts { inflight_high_since_ns: high, ..good() }), ["inflight"]);
        assert_eq!(failed(&Facts { inflight_high_since_ns: high + 1, ..good() }), [""; 0]);
        readiness.inflight(89, 100, NOW);
        assert_eq!(readiness.facts().inflight_high_since_ns, 0);
    }
}
