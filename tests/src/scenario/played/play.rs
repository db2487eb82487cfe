//! A story through observer and aggregator, in virtual time, with a tick each second.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bailiwick_collector::aggregator::{Aggregator, Snapshot};
use bailiwick_collector::config::{self, Settings};
use bailiwick_collector::observation::batch::{Batch, Meta};
use bailiwick_collector::observation::report::Warning;
use bailiwick_collector::observation::{Observer, Request, Signal};
use bailiwick_slo::wire::{Reader, Writer};
use prost::Message;

use super::encode::{self, BEGIN_NS};
use super::points;
use crate::scenario::written::moment::Moment;
use crate::scenario::written::story::Scenario;

/// The wait before the last look: traces settle 120 s after their first span at latest, slots close 10 s after their
/// end.
const PATIENCE: Moment = Moment::seconds(180);

/// One OTLP request.
struct Parcel {
    at: Moment,
    /// The tenant of its credential; empty: none.
    auth: String,
    signal: Signal,
    body: Vec<u8>,
}

/// What is seen at a moment.
pub(in crate::scenario) struct Seen {
    pub(in crate::scenario) snapshot: Arc<Snapshot>,
    /// Warnings in answers so far.
    pub(in crate::scenario) warnings: BTreeMap<&'static str, u64>,
}

/// How the aggregator lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scenario) enum Life {
    /// From the beginning to the end.
    Whole,
    /// It is saved and restored at every tick, as by as many restarts.
    Restored,
}

/// Plays a scenario; answers what is seen at each of `looks` and at the end.
pub(in crate::scenario) fn play(scenario: &Scenario, life: Life) -> Result<Vec<(Moment, Seen)>> {
    let settings = settings(scenario)?;
    let spans = encode::spans(scenario)?;
    let mut parcels = Vec::new();
    for (send, request) in encode::requests(scenario, &spans)? {
        let body = request.encode_to_vec();
        parcels.push(Parcel { at: send.at, auth: send.auth, signal: Signal::Traces, body });
    }
    for metric in &scenario.metrics {
        let body = points::request(scenario, metric)?.encode_to_vec();
        parcels.push(Parcel {
            at: metric.arrives.unwrap_or(metric.at),
            auth: String::new(),
            signal: Signal::Metrics,
            body,
        });
    }
    parcels.sort_by_key(|parcel| parcel.at);
    let last = parcels.last().context("nothing is sent")?.at;
    let mut moments: Vec<Moment> = scenario.looks.iter().map(|look| look.value.at).collect();
    moments.push(scenario.look_at.unwrap_or(Moment(last.0 + PATIENCE.0)));
    if !moments.is_sorted() {
        bail!("looks are not in the order of time");
    }
    let mut daemon = Daemon::new(&settings);
    let mut parcels = parcels.iter().peekable();
    let mut seen = Vec::new();
    for second in 0.. {
        let now = Moment::seconds(second);
        while let Some(parcel) = parcels.next_if(|parcel| parcel.at <= now) {
            daemon.take(parcel)?;
        }
        let snapshot = daemon.tick(now);
        if life == Life::Restored {
            daemon.restart(&settings)?;
        }
        while moments.get(seen.len()).is_some_and(|moment| *moment <= now) {
            let warnings = daemon.warnings.clone();
            seen.push((moments[seen.len()], Seen { snapshot: Arc::clone(&snapshot), warnings }));
        }
        if seen.len() == moments.len() {
            break;
        }
    }
    Ok(seen)
}

fn settings(scenario: &Scenario) -> Result<Settings> {
    let text = if scenario.config.is_null() { "{}".to_owned() } else { scenario.config.to_string() };
    // JSON is YAML.
    let texts = [("config".to_owned(), text.into_bytes())];
    let loaded = config::compose(&texts, &config::Request::default(), Vec::new());
    let problems: Vec<String> =
        loaded.problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
    if !problems.is_empty() {
        bail!("the configuration has problems: {}", problems.join("; "));
    }
    Ok(loaded.settings)
}

struct Daemon {
    observer: Observer,
    fold: Aggregator,
    seq: u64,
    warnings: BTreeMap<&'static str, u64>,
}

impl Daemon {
    fn new(settings: &Settings) -> Self {
        Self {
            observer: Observer::new(Arc::new(settings.rules())),
            fold: Aggregator::new(settings.terms()),
            seq: 0,
            warnings: BTreeMap::new(),
        }
    }

    fn take(&mut self, parcel: &Parcel) -> Result<()> {
        // 2: a credential of one tenant.
        let auth_source = if parcel.auth.is_empty() { 0 } else { 2 };
        let request = Request {
            protobuf: &parcel.body,
            body: &parcel.body,
            signal: parcel.signal,
            observed_at_ns: BEGIN_NS.saturating_add_signed(parcel.at.0),
            items_expected: None,
            meta: Meta { tenant_auth: &parcel.auth, auth_source, ..Meta::default() },
        };
        let observed = self.observer.observe(&request);
        let observed = observed.map_err(|error| anyhow::anyhow!("a request cannot be read: {error:?}"))?;
        for warning in Warning::ALL {
            let count = u64::from(observed.report.warnings[warning as usize]);
            if count > 0 {
                *self.warnings.entry(warning.name()).or_default() += count;
            }
        }
        // As the journal would hand it on.
        let batch = Batch::check(observed.batch.bytes().to_vec()).context("a batch is damaged")?;
        self.seq += 1;
        self.fold.apply(self.seq, &batch.view());
        Ok(())
    }

    fn restart(&mut self, settings: &Settings) -> Result<()> {
        let mut to = Writer::default();
        self.fold.save(&mut to);
        let bytes = to.into_bytes();
        let restored = Aggregator::restore(settings.terms(), &mut Reader::new(&bytes));
        self.fold = restored.map_err(|error| anyhow::anyhow!("what was saved cannot be read: {error}"))?;
        let mut to = Writer::default();
        self.fold.save(&mut to);
        if to.into_bytes() != bytes {
            bail!("what was restored is saved as something else");
        }
        Ok(())
    }

    fn tick(&mut self, now: Moment) -> Arc<Snapshot> {
        self.seq += 1;
        self.fold.tick(self.seq, BEGIN_NS.saturating_add_signed(now.0))
    }
}
