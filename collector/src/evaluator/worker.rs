//! The thread around the feed: takes every snapshot in order, publishes a report after each slot.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use bailiwick_slo::engine::fleet::Key;
use bailiwick_slo::engine::incident::Event;
use tokio::sync::watch;

use super::feed::Feed;
use super::report::Report;
use crate::aggregator::Snapshot;

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

/// Starts the thread; it ends when the aggregator has. Until a slot closes, readers get `first`. `evaluated` hears the
/// number of the record that was taken last, once its report is there.
///
/// # Errors
/// When the operating system gives no thread.
pub fn start(
    mut feed: Feed,
    first: Report,
    snapshots: Receiver<Arc<Snapshot>>,
    evaluated: watch::Sender<u64>,
) -> std::io::Result<(ReportReader, JoinHandle<()>)> {
    let reader = ReportReader::default();
    reader.0.store(Arc::new(first));
    let shown = reader.clone();
    let thread = std::thread::Builder::new().name("evaluator".to_owned()).spawn(move || {
        for snapshot in snapshots {
            if let Some((report, events)) = feed.take(&snapshot) {
                events.iter().for_each(|(key, event)| tell(key, event));
                let seq = report.seq;
                shown.0.store(Arc::new(report));
                evaluated.send_replace(seq);
            }
        }
    })?;
    Ok((reader, thread))
}

/// One line of the log for each event: until something delivers them, this is where they go.
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
