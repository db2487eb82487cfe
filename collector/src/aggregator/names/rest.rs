//! Series that nothing is sent to any more: they give their place to others and keep their number, and go on when their
//! name has a place again.

use super::watch::State;
use super::{Names, hash_key};
use crate::aggregator::snapshot::SeriesId;

impl Names {
    /// A series stops growing, and its place is free.
    pub(super) fn rest(&mut self, series: SeriesId) {
        let watch = &mut self.watches[series as usize];
        watch.state = State::Resting;
        let key = watch.key;
        if let Ok(listed) = self.series.find_entry(hash_key(&self.hasher, &key), |(known, _)| *known == key) {
            listed.remove();
        }
        self.resting.insert(key, series);
        self.room.release(key.tenant);
        if let Some(module) = self.modules.get_mut(&(key.tenant, key.module)) {
            module.operations -= 1;
        }
    }

    /// A series that rested goes on, from 0 if it rested too long.
    pub(super) fn wake(&mut self, series: SeriesId, end_ns: u64) -> SeriesId {
        let watch = &mut self.watches[series as usize];
        let key = watch.key;
        if watch.wake(self.looks.now_ns, end_ns) {
            self.directory.get_mut(series as usize).created_ns = end_ns;
            self.restarted.push(series);
        }
        self.list(key, series);
        if let Some(module) = self.modules.get_mut(&(key.tenant, key.module)) {
            module.operations += 1;
            self.room.fullest.operations = self.room.fullest.operations.max(module.operations);
        }
        series
    }
}
