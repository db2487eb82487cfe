//! Waiting for what takes time. The only place of all suites that pauses.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// Pause between two attempts: short beside the aggregator's tick (1 s), long beside a request (1 ms).
const PAUSE: Duration = Duration::from_millis(25);

/// Asks `probe` until it succeeds, and returns what it found.
///
/// # Panics
/// When it has not succeeded within `deadline`, with `what` was awaited and the last reason.
pub async fn eventually<T, E: Display>(
    what: &str,
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let began = Instant::now();
    loop {
        match probe().await {
            Ok(found) => return found,
            Err(reason) if began.elapsed() > deadline => {
                panic!("failed to see {what} within {deadline:?}: {reason}")
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_late_is_still_seen() {
        let mut attempts = 0;
        let found = eventually("the third attempt", Duration::from_secs(1), async || {
            attempts += 1;
            if attempts == 3 { Ok(attempts) } else { Err(format!("attempt {attempts}")) }
        });
        assert_eq!(found.await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "failed to see a miracle within 0ns: none")]
    async fn what_never_comes_is_named_with_the_last_reason() {
        let () = eventually("a miracle", Duration::ZERO, async || Err("none")).await;
    }
}
