//! A life of the platform sends exactly its spans, skips and counts what is too old, and ends when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

use super::*;
use crate::cli::demo::fake_daemon::FakeDaemon;
use crate::clock::{Clock, ManualClock};

const NOW_S: u64 = 1_700_000_000;

fn platform() -> Platform {
    let arguments = DemoArguments { rate: 7, ..DemoArguments::default() };
    prepare(&arguments, NOW_S * SECOND_NS).unwrap()
}

fn clock_at(seconds: u64) -> SharedClock {
    Arc::new(ManualClock::at((NOW_S + seconds) * SECOND_NS))
}

/// Shows three seconds after the start; asks for the end when it is read a second time.
#[derive(Debug, Default)]
struct StoppingClock {
    reads: AtomicU32,
    stop: Notify,
}

impl Clock for StoppingClock {
    fn now_unix_ns(&self) -> u64 {
        if self.reads.fetch_add(1, Ordering::Relaxed) == 1 {
            self.stop.notify_one();
        }
        (NOW_S + 3) * SECOND_NS
    }
}

#[test]
fn a_platform_is_six_hours_old_when_it_starts_and_an_unknown_fault_is_refused() {
    assert_eq!(platform().seconds_until(NOW_S * SECOND_NS), BACKFILL_SECONDS);
    let arguments = DemoArguments { faults: "gremlins".to_owned(), ..DemoArguments::default() };
    assert_eq!(prepare(&arguments, 0), Err(UnknownFault("gremlins".to_owned())));
}

#[tokio::test]
async fn a_life_of_twenty_seconds_sends_exactly_its_spans() {
    let daemon = FakeDaemon::default();
    let targets = daemon.start().await;
    let live = Live { platform: platform(), targets, duration: Some(Period::seconds(20)) };
    let report = run(live, clock_at(25), std::future::pending()).await;
    assert_eq!(report.seconds, BACKFILL_SECONDS..BACKFILL_SECONDS + 20);
    assert_eq!((report.seconds_skipped, report.exports_left, report.tally.exports_dropped), (0, 0, 0));
    let expected = platform().expected(report.seconds.clone());
    assert_eq!(daemon.0.lock().unwrap().spans, expected.spans);
    assert!(report.tally.items > expected.spans, "metrics were sent too: {report:?}");
}

#[tokio::test]
async fn what_is_too_long_ago_is_skipped_and_counted() {
    let daemon = FakeDaemon::default();
    let targets = daemon.start().await;
    let live = Live { platform: platform(), targets, duration: Some(Period::seconds(1_000)) };
    let report = run(live, clock_at(1_000), std::future::pending()).await;
    assert_eq!(report.seconds_skipped, 1_000 - CATCH_UP_SECONDS_MAX);
    let sent = platform().expected(BACKFILL_SECONDS + report.seconds_skipped..BACKFILL_SECONDS + 1_000);
    assert_eq!(daemon.0.lock().unwrap().spans, sent.spans);
}

#[tokio::test]
async fn a_platform_that_is_told_to_stop_ends_also_without_a_daemon() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let live = Live { platform: platform(), targets: Targets { grpc: closed, http: closed }, duration: None };
    // The clock is read once at the start and once for each beat: the first beat asks for the end.
    let clock = Arc::new(StoppingClock::default());
    let report = run(live, clock.clone(), clock.stop.notified()).await;
    assert_eq!(report.seconds, BACKFILL_SECONDS..BACKFILL_SECONDS + 3);
    assert_eq!(report.exports_left, 4, "one for each transport");
    assert_eq!((report.tally.exports, report.tally.exports_dropped), (0, 0));
}
