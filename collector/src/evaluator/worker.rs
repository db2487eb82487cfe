//! The thread around the feed: takes every snapshot in order, publishes a report after each slot.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use bailiwick_slo::engine::fleet::Key;
use bailiwick_slo::engine::incident::Event;
use bailiwick_slo::wire::Writer;
use tokio::sync::watch;

use super::feed::Feed;
use super::report::Report;
use crate::aggregator::Told;

/// Where readers find the latest report.
#[derive(Debug, Clone, Default)]
pub struct ReportReader(Arc<ArcSwap<Report>>);

impl ReportReader {
    /// The latest report.
    #[must_use]
    pub fn load(&self) -> Arc<Report> {
        self.0.load_full()
    }
}

/// What came of a tick, for those after this room.
#[derive(Debug)]
pub struct Evaluated {
    /// The record that ended it.
    pub seq: u64,
    /// The report that shows it.
    pub report: Arc<Report>,
    /// What happened, in order.
    pub events: Vec<(Key, Event)>,
    /// The aggregator's state and this room's after that record, where they are due to be kept.
    pub state: Option<(Vec<u8>, Vec<u8>)>,
}

/// Who hears of what this room does.
pub struct Listeners {
    /// The number of the record that was taken last, once its report is there.
    pub evaluated: watch::Sender<u64>,
    /// What happened and what is to be kept, in order, none left out. It may wait.
    pub next: Box<dyn FnMut(Evaluated) + Send>,
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listeners").finish_non_exhaustive()
    }
}

/// Starts the thread; it ends when the aggregator has. Until a slot closes, readers get `first`.
///
/// # Errors
/// When the operating system gives no thread.
pub fn start(
    mut feed: Feed,
    first: Report,
    told: Receiver<Told>,
    mut listeners: Listeners,
) -> std::io::Result<(ReportReader, JoinHandle<()>)> {
    let reader = ReportReader::default();
    reader.0.store(Arc::new(first));
    let shown = reader.clone();
    let thread = std::thread::Builder::new().name("evaluator".to_owned()).spawn(move || {
        let mut taken = 0;
        for Told { snapshot, state } in told {
            let seq = snapshot.seq;
            // At the end the last snapshot comes once more, with the state after it.
            let is_new = std::mem::replace(&mut taken, seq) != seq || seq == 0;
            let mut events = Vec::new();
            if let Some((report, happened)) = if is_new { feed.take(&snapshot) } else { None } {
                happened.iter().for_each(|(key, event)| tell(key, event));
                events = happened;
                let seq = report.seq;
                shown.0.store(Arc::new(report));
                listeners.evaluated.send_replace(seq);
            }
            if !events.is_empty() || state.is_some() {
                let state = state.map(|fold| (fold, state_of(&feed)));
                (listeners.next)(Evaluated { seq, report: shown.load(), events, state });
            }
        }
    })?;
    Ok((reader, thread))
}

fn state_of(feed: &Feed) -> Vec<u8> {
    let mut to = Writer::default();
    feed.save(&mut to);
    to.into_bytes()
}

/// One line of the log for each event.
fn tell(key: &Key, event: &Event) {
    tracing::info!(
        event = event.kind.name(),
        tenant = &*key.tenant,
        module = &*key.module,
        slo = &*key.slo,
        level = event.level.name(),
        incident = %event.incident,
        "SLO incident"
    );
}
