//! The platform alive: each second the requests that ended in it leave for the daemon, every ten seconds its metrics.
//! It makes no decision about traffic and outlives `stop` by a last flush of bounded length.

use std::future::Future;
use std::ops::Range;
use std::time::Duration;

use bailiwick_slo::time::SECOND_NS;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::SharedClock;
use crate::units::Period;

use super::arguments::DemoArguments;
use super::encode;
use super::measure::Meter;
use super::platform::{BACKFILL_SECONDS, Platform, Transport, UnknownFault};
use super::send::{Export, Exporter, Tally, Targets};

/// Seconds between metric exports (`faces.md` 8: 10 s).
const METRICS_SECONDS: u64 = 10;
/// Seconds that are made up for at once after a pause (a backfill, a suspended machine); inside the daemon's lateness
/// of 10 min, also for the spans that are late by 5 min on purpose. What is older is skipped.
const CATCH_UP_SECONDS_MAX: u64 = 240;
/// Seconds of traffic in one export while catching up.
const SECONDS_PER_EXPORT: u64 = 10;
/// Last attempts to empty the queue: half a second apart, so a daemon that is away ends a demo in a second, and one
/// that hangs in two export timeouts.
const FLUSHES_MAX: u32 = 2;

/// A platform about to live.
#[derive(Debug, Clone)]
pub struct Live {
    /// Its traffic.
    pub platform: Platform,
    /// Where it sends.
    pub targets: Targets,
    /// How long it lives; for ever without.
    pub duration: Option<Period>,
}

/// What a life came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// The seconds of the platform that were lived, for [`Platform::expected`].
    pub seconds: Range<u64>,
    /// Of these, seconds left out because they were too long ago when their turn came; 0 unless the machine stood
    /// still.
    pub seconds_skipped: u64,
    /// Exports that still waited for an answer at the end.
    pub exports_left: u64,
    /// What became of the others.
    pub tally: Tally,
}

/// The platform that these arguments ask for, six hours old at `now_ns`.
///
/// # Errors
/// A name in `--faults` that is no fault.
pub fn prepare(arguments: &DemoArguments, now_ns: u64) -> Result<Platform, UnknownFault> {
    Ok(Platform {
        seed: arguments.seed,
        rate: arguments.rate,
        faults: arguments.faults.parse()?,
        epoch_s: (now_ns / SECOND_NS).saturating_sub(BACKFILL_SECONDS),
    })
}

/// Lives from second [`BACKFILL_SECONDS`] until `stop` resolves or the duration is over. An absent daemon is no error:
/// exports wait, then drop, and are counted.
pub async fn run(live: Live, clock: SharedClock, stop: impl Future<Output = ()>) -> RunReport {
    let mut sender = Sender::new(&live, clock.now_unix_ns());
    let end = live.duration.map_or(u64::MAX, |length| BACKFILL_SECONDS + length.0.as_secs());
    let mut stop = std::pin::pin!(stop);
    // Twice a second: an export leaves at most half a second after its second is over.
    let mut beat = interval(Duration::from_millis(500));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while sender.next < end {
        tokio::select! {
            biased;
            () = &mut stop => break,
            _ = beat.tick() => {}
        }
        sender.queue_due(clock.now_unix_ns(), end);
        sender.exporter.deliver().await;
    }
    for _ in 0..FLUSHES_MAX {
        if sender.exporter.is_empty() {
            break;
        }
        beat.tick().await;
        sender.exporter.deliver().await;
    }
    sender.report()
}

/// How far the platform's traffic has been sent.
#[derive(Debug)]
struct Sender<'a> {
    platform: &'a Platform,
    exporter: Exporter,
    meter: Meter,
    next: u64,
    seconds_skipped: u64,
}

impl<'a> Sender<'a> {
    fn new(live: &'a Live, now_ns: u64) -> Self {
        Self {
            platform: &live.platform,
            exporter: Exporter::to(live.targets),
            meter: Meter::started_at(now_ns),
            next: BACKFILL_SECONDS,
            seconds_skipped: 0,
        }
    }

    fn queue_due(&mut self, now_ns: u64, end: u64) {
        let due = self.platform.seconds_until(now_ns).min(end);
        let skipped = due.saturating_sub(self.next).saturating_sub(CATCH_UP_SECONDS_MAX);
        self.seconds_skipped += skipped;
        self.next += skipped;
        while self.next < due {
            let until = due.min(self.next + SECONDS_PER_EXPORT);
            self.queue_traces(self.next..until);
            if self.next / METRICS_SECONDS != until / METRICS_SECONDS {
                self.queue_metrics(now_ns);
            }
            self.next = until;
        }
    }

    /// One export per transport, with everything that its services did in these seconds.
    fn queue_traces(&mut self, seconds: Range<u64>) {
        let requests: Vec<_> = seconds.flat_map(|index| self.platform.second(index)).collect();
        requests.iter().for_each(|request| self.meter.record(request));
        for transport in [Transport::Grpc, Transport::GrpcGzip, Transport::Http, Transport::HttpGzip] {
            let theirs = encode::traces(requests.iter().filter(|request| request.service.transport == transport));
            if !theirs.resource_spans.is_empty() {
                self.exporter.offer(Export::traces(theirs, transport));
            }
        }
    }

    fn queue_metrics(&mut self, now_ns: u64) {
        let metrics = self.meter.export(now_ns);
        self.exporter.offer(Export::metrics(&metrics, self.meter.points()));
    }

    fn report(self) -> RunReport {
        RunReport {
            seconds: BACKFILL_SECONDS..self.next,
            seconds_skipped: self.seconds_skipped,
            exports_left: self.exporter.waiting(),
            tally: self.exporter.tally,
        }
    }
}

#[cfg(test)]
mod tests;
