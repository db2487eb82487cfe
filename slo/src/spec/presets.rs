//! Named sets of tiers (`slo.md` 2.4).

use super::{Preset, Tier};

/// The tiers of a set over a period of so many seconds, pages first. Those that would say nothing are left out: factors
/// under 0.9, long windows over half the period.
#[must_use]
pub fn tiers(_preset: Preset, _period_s: u64) -> Vec<Tier> {
    Vec::new()
}
