//! The daemon's pulse: once a second a tick record into the journal, and readiness to those who wait for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::aggregator::snapshot::{First, PatternFigures};
use crate::clock::SharedClock;
use crate::frontend::{Recorded, State};
use crate::journal::{AppendError, Journal, Record};

const TICK: Duration = Duration::from_secs(1);
/// Looks at readiness while the first tick is on its way, and how often at most.
const FIRST_TICK_LOOK: Duration = Duration::from_millis(2);
const FIRST_TICK_LOOKS_MAX: u32 = 2_500;

/// What a pulse needs.
pub(super) struct Pulse {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) clock: SharedClock,
    pub(super) recorded: Option<Recorded>,
    pub(super) state: State,
    pub(super) ready: watch::Sender<bool>,
    /// First requests that were told of.
    pub(super) announced: usize,
    /// By pattern of data: that it is ignored was told.
    pub(super) patterns_told: Vec<bool>,
}

impl Pulse {
    /// Beats until `stopped` changes or the journal ends.
    pub(super) async fn beat(mut self, mut stopped: watch::Receiver<bool>) {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = interval.tick() => {}
                _ = stopped.changed() => break,
            }
            let ticked = self.journal.append(Record::Tick { now_ns: self.clock.now_unix_ns() }).await;
            // A full disk gets room again; then the clock goes on.
            if let Err(AppendError::Closed | AppendError::Broken) = ticked {
                break;
            }
            // Samples of self histograms wait in memory until they are folded; scrapes may never come.
            if let Some(recorded) = &self.recorded {
                recorded.run_upkeep();
            }
            self.announce();
            let ready = self.state.is_ready();
            self.ready.send_if_modified(|said| std::mem::replace(said, ready) != ready);
        }
        self.ready.send_replace(false);
        // The last record: what a checkpoint at the end holds is as of a tick.
        let _ = self.journal.append(Record::Tick { now_ns: self.clock.now_unix_ns() }).await;
    }

    /// Tells of first requests that were not told of yet: somebody may be waiting for their first data.
    fn announce(&mut self) {
        let snapshot = self.state.snapshot();
        for First { service, tenant, module } in snapshot.firsts().iter().skip(self.announced) {
            // Names are what clients say they are: nothing in them may begin a line of its own.
            let [service, tenant, module] = [service, tenant, module].map(|name| name.escape_debug());
            tracing::info!("first request: service {service}, tenant {tenant}, module {module}");
        }
        self.announced = snapshot.firsts().len();
        for (pattern, told) in snapshot.data_patterns().iter().zip(self.patterns_told.iter_mut()) {
            if pattern.disabled && !std::mem::replace(told, true) {
                let PatternFigures { pattern, seen, fired, .. } = pattern;
                tracing::warn!(
                    "leaks.data_patterns: `{pattern}` fired on {fired} of {seen} spans, which is too many to be leaks: \
                     it is ignored from now on; correct it and start again"
                );
            }
        }
    }
}

/// Waits until the first tick was applied, which is the last thing that readiness waits for; a full disk may last.
pub(super) async fn until_ready(state: &State) {
    for _ in 0..FIRST_TICK_LOOKS_MAX {
        if state.is_ready() || state.orders().refuses().is_some() {
            return;
        }
        tokio::time::sleep(FIRST_TICK_LOOK).await;
    }
}
