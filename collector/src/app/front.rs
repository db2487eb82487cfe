//! What a daemon has before its rooms run: a clock, a budget, a journal that is there later, and sockets that refuse.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;

use super::rooms::Rooms;
use super::{StartError, inventory, slos};
use crate::aggregator::snapshot::Limit;
use crate::clock::{SharedClock, SystemClock};
use crate::config::Settings;
use crate::evaluator::definitions::DefinitionError;
use crate::frontend::{self, Orders, Readiness, Recorded, State};
use crate::journal::{Journal, Later};
use crate::observation::budget::Budget;
use crate::observation::{Observer, Rules};
use crate::receiver::accept::{Occupancy, Seats};
use crate::receiver::{self, Pipeline, Plan, Receiver, Surroundings, Walk};

/// All of it.
pub(super) struct Front {
    pub(super) recorded: Option<Recorded>,
    pub(super) clock: SharedClock,
    pub(super) journal: Arc<Later>,
    pub(super) rules: Arc<Rules>,
    pub(super) readiness: Readiness,
    pub(super) receiver: Receiver,
    /// Tells those at the sockets whether the daemon is ready.
    pub(super) ready: watch::Sender<bool>,
    budget: Budget,
}

impl Front {
    /// Binds all sockets; they answer *starting* until the receiver is opened and the figures are served.
    pub(super) async fn bind(settings: &Settings) -> Result<(Self, frontend::Bound), StartError> {
        // Before any room asks for a counter: handles of an earlier time count nowhere.
        let recorded = frontend::recorder();
        let clock: SharedClock = Arc::new(SystemClock);
        let budget = Budget::new(settings.limits.inflight_bytes_max.0);
        let journal = Arc::new(Later::default());
        let (ready, ready_seen) = watch::channel(false);
        let body_bytes_max = settings.limits.body_bytes_max.0;
        let surroundings = Surroundings { budget: budget.clone(), body_bytes_max, ready: ready_seen };
        let rules = Arc::new(settings.rules());
        let pipeline = pipeline(settings, &rules, Arc::<Later>::clone(&journal), &clock);
        let receiver = receiver::start(&settings.receiver, surroundings, pipeline).await;
        let receiver = receiver.map_err(|error| StartError::Listen(error.to_string()))?;
        let server = frontend::Bound::bind(&settings.server).await;
        let server = server.map_err(|error| StartError::Listen(error.to_string()))?;
        let readiness = Readiness::new();
        Ok((Self { recorded, clock, journal, rules, readiness, receiver, ready, budget }, server))
    }

    /// What the API shows and takes.
    pub(super) fn state(
        &self,
        settings: &Settings,
        (rooms, orders): (&Rooms, &Orders),
        definitions: impl Fn() -> Result<slos::Documents, DefinitionError> + Send + Sync + 'static,
    ) -> State {
        let (snapshots, reports) = (rooms.snapshots.clone(), rooms.reports.clone());
        State::new(frontend::Parts {
            settings: settings.server.clone(),
            metrics: settings.metrics.clone(),
            inventory: inventory::inventory(settings),
            snapshots: Arc::new(move || snapshots.load()),
            orders: orders.clone(),
            definitions: slos::told(definitions),
            reports: Arc::new(move || reports.load()),
            limits: connections(self.receiver.seats()),
            readiness: self.readiness.clone(),
            budget: self.budget.clone(),
            recorded: self.recorded.clone(),
            started_at_ns: self.clock.now_unix_ns(),
            clock: Arc::clone(&self.clock),
            otlp_http_port: self.receiver.http().first().map(SocketAddr::port),
        })
    }
}

fn pipeline(settings: &Settings, rules: &Arc<Rules>, journal: Arc<dyn Journal>, clock: &SharedClock) -> Pipeline {
    let rules = Arc::clone(rules);
    Pipeline::new(Plan {
        walkers: Box::new(move || Box::new(Observer::new(Arc::clone(&rules))) as Box<dyn Walk>),
        journal,
        clock: Arc::clone(clock),
        limits: settings.limits.clone(),
        workers: super::cores(),
    })
}

/// The receiver's bound, for those who show bounds.
fn connections(seats: Seats) -> frontend::LimitsReader {
    Arc::new(move || {
        let Occupancy { taken, max, refused } = seats.occupancy();
        vec![Limit { name: "connections_max", used: taken, max, refused }]
    })
}
