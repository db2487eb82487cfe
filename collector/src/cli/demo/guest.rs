//! The platform as the daemon's guest: its past goes into the books before they open, its present through sockets.

use std::sync::Arc;

use super::arguments::DemoArguments;
use super::backfill::{BackfillSink, backfill};
use super::platform::UnknownFault;
use super::run::{Live, prepare, run};
use super::send::Targets;
use crate::aggregator::{Aggregator, Snapshot};
use crate::app::{Guest, Started};
use crate::clock::{SharedClock, SystemClock};
use crate::config::Settings;
use crate::observation::batch::Meta;
use crate::observation::{Observer, Request, Signal};

/// The guest that these arguments ask for.
///
/// # Errors
/// A name in `--faults` that is no fault.
pub fn guest(arguments: &DemoArguments, settings: &Settings, now_ns: u64) -> Result<Guest, UnknownFault> {
    let platform = prepare(arguments, now_ns)?;
    let (has_past, duration) = (!arguments.no_backfill, arguments.duration);
    let rules = Arc::new(settings.rules());
    let past = platform.clone();
    Ok(Guest {
        past: Box::new(move |fold, shown| {
            if has_past {
                let mut sink = Past { fold, shown, observer: Observer::new(rules), seq: 0 };
                backfill(&past, &mut sink, |_| {});
            }
        }),
        promises: vec![("demo".to_owned(), include_str!("slo.yaml").to_owned())],
        live: Box::new(move |started: &Started| {
            let targets = started.grpc.first().zip(started.http.first());
            let targets = targets.map(|(grpc, http)| Targets { grpc: *grpc, http: *http });
            Box::pin(async move {
                let Some(targets) = targets else { return };
                let clock: SharedClock = Arc::new(SystemClock);
                let live = Live { platform, targets, duration };
                let report = run(live, clock, std::future::pending()).await;
                tracing::info!(?report, "the demo's platform is done");
            })
        }),
    })
}

/// Batches of the past, applied as the journal would have ordered them.
struct Past<'f> {
    fold: &'f mut Aggregator,
    /// Whoever counts on with each snapshot.
    shown: &'f mut dyn FnMut(&Snapshot),
    observer: Observer,
    seq: u64,
}

impl BackfillSink for Past<'_> {
    fn traces(&mut self, protobuf: &[u8], observed_at_ns: u64) {
        let meta = Meta { transport: 3, encoding: 1, ..Meta::default() };
        let request =
            Request { protobuf, body: protobuf, signal: Signal::Traces, observed_at_ns, items_expected: None, meta };
        if let Ok(observed) = self.observer.observe(&request) {
            self.seq += 1;
            self.fold.apply(self.seq, &observed.batch.view());
        }
    }

    fn tick(&mut self, now_ns: u64) {
        self.seq += 1;
        let snapshot = self.fold.tick(self.seq, now_ns);
        (self.shown)(&snapshot);
    }
}
