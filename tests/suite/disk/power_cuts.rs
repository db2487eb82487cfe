//! Power loss (`ingest.md` 10, P2): what was acknowledged is on the disk, at the level that promises it.

use bailiwick_tests::crash::cuts::{Cuts, cut};

fn settings(durability: &str) -> Vec<String> {
    let durability = format!("journal.durability={durability}");
    // A checkpoint of a large index of traces takes a disk of its own.
    let index = "aggregator.coverage.index_bytes_max=16MiB";
    let small = ["journal.segment_bytes=1MiB", "journal.min_free_bytes=64MiB", "history.checkpoint_every=1s", index];
    [&small[..], &[&durability]].concat().into_iter().map(str::to_owned).collect()
}

/// Scenario: eight clients send while the power is cut 20 times, 100 to 1,500 ms after the daemon was ready; it goes on
/// with the disk as it was at that moment. Segments are small and checkpoints frequent, so that cuts fall into them.
/// Guarantee: at its first answer after each start acknowledged <= stored <= sent for each tenant, and books balance.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_over_twenty_power_cuts() {
    let seen = match cut(&Cuts { cuts: 20, seed: 7, settings: settings("fsync") }).await {
        Ok(seen) => seen,
        Err(reason) => return eprintln!("not proven here: {reason}"),
    };
    eprintln!("{seen:#?}");
    assert_eq!((seen.lost, &*seen.violations), (0, &[][..]));
    assert!(seen.cuts == 20 && seen.acknowledged > 0 && seen.resent > 0, "it must have been cut under load");
}

/// Scenario: the same at the level `os`, which promises nothing after power loss, on a new disk each time.
/// Guarantee: some of what was acknowledged is lost, so that the proof above can see losses; nothing is invented.
#[tokio::test(flavor = "multi_thread")]
async fn a_weaker_level_shows_losses() {
    let mut lost = Vec::new();
    for seed in 1..=4 {
        let seen = match cut(&Cuts { cuts: 1, seed, settings: settings("os") }).await {
            Ok(seen) => seen,
            Err(reason) => return eprintln!("not proven here: {reason}"),
        };
        assert!(seen.violations.is_empty() && seen.acknowledged > 0, "{seen:#?}");
        lost.push(seen.lost);
    }
    eprintln!("lost over four cuts: {lost:?}");
    assert!(lost.iter().any(|spans| *spans > 0), "{lost:?}");
}
