//! The room's only source of randomness: spreads what would otherwise happen to all clients at once.
//!
//! Never for secrets: it is a hash of a counter under a key that the process drew at its start.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
static DRAWN: AtomicU64 = AtomicU64::new(0);

/// A number from 0 up to, not including, `end`; 0 for `end` 0.
#[must_use]
pub(crate) fn below(end: u32) -> u32 {
    let drawn = KEY.hash_one(DRAWN.fetch_add(1, Ordering::Relaxed));
    // The upper half of the product is even for any `end` that is small against 2^32.
    let upper = ((drawn >> 32) * u64::from(end)) >> 32;
    u32::try_from(upper).expect("a product of two u32 has its upper half below 2^32")
}
