//! SIGKILL at any moment (`ingest.md` 10, P1 and P4): what was acknowledged is counted, and once.

use bailiwick_tests::crash::{Plan, run};

/// Scenario: eight clients send while the daemon is killed 60 times, each time 50 to 2,000 ms after it was ready or
/// while it replays; segments are small and checkpoints frequent. Clients send again what was not acknowledged.
/// Guarantee: after each start acknowledged <= stored <= sent for each tenant, at the end all three are equal, and the
/// books balance.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_or_counted_twice_over_sixty_kills() {
    let settings = ["journal.segment_bytes=1MiB", "history.checkpoint_every=1s"].map(str::to_owned).to_vec();
    let outcome = run(&Plan { kills: 60, seed: 5, settings }).await;
    eprintln!("{outcome:#?}");
    assert_eq!(outcome.violations, Vec::<String>::new());
    assert_eq!((outcome.kills, outcome.acknowledged), (60, outcome.sent));
    assert!(outcome.early >= 10 && outcome.resent > 0, "it must have been killed while requests were open");
}
