//! What metrics add to a snapshot for SLOs: counts of their taps, and when a module was last heard of.

use std::sync::Arc;

use bailiwick_slo::taps::Taps;
use bailiwick_slo::time::Slot;

use super::{ModuleId, Snapshot, TapCounts, TappedId, TappedName};

impl Snapshot {
    /// What SLOs read from metrics, by the numbers that points carry; it only grows.
    #[must_use]
    pub fn taps(&self) -> &Arc<Taps> {
        &self.taps
    }

    /// Every pair of a tap and a tenant x module that was read, by [`TappedId`].
    pub fn tapped(&self) -> impl ExactSizeIterator<Item = &TappedName> {
        self.traced.streams.tapped()
    }

    /// What was added to closed slots of taps when they were published last, slot by slot and pair by pair: all of a
    /// slot that closed then, and late points of earlier ones.
    pub fn tapped_joined(&self) -> impl Iterator<Item = (Slot, TappedId, TapCounts)> + '_ {
        self.traced.streams.tapped_joined()
    }

    /// How often closed slots of taps have changed: snapshots with the same number have the same
    /// [`Snapshot::tapped_joined`].
    #[must_use]
    pub fn tapped_revision(&self) -> u64 {
        self.traced.streams.tapped_revision()
    }

    /// When the last metric point of a tenant x module arrived, whatever became of it, by the journal's clock in
    /// nanoseconds since the Unix epoch. `None`: never. Points of metrics that nobody uses are not heard.
    #[must_use]
    pub fn last_point_heard(&self, module: ModuleId) -> Option<u64> {
        self.traced.streams.heard().get(module as usize).copied().filter(|heard| *heard > 0)
    }

    /// The same of every tenant x module that sent one.
    pub fn last_points_heard(&self) -> impl Iterator<Item = (ModuleId, u64)> + '_ {
        (0..).zip(self.traced.streams.heard().iter().copied()).filter(|(_, heard)| *heard > 0)
    }
}
