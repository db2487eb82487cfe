//! What is in flight: the last values of streams that say so, summed by tenant x module.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::saved;

use super::meaning::Level;
use crate::aggregator::snapshot::ModuleId;

/// Sum of the last values, and of how many streams.
type Sum = (i64, u32);

/// The sums, by tenant x module and [`Level`].
#[derive(Debug, Default)]
pub(super) struct Levels {
    sums: BTreeMap<ModuleId, [Sum; 2]>,
    changed: bool,
    shown: Arc<BTreeMap<ModuleId, [Option<i64>; 2]>>,
}
saved!(struct Levels { sums, changed, shown });

impl Levels {
    /// A stream's value takes the place of the one that it had.
    pub(super) fn replace(&mut self, module: ModuleId, level: Level, (old, new): (Option<i64>, Option<i64>)) {
        let sums = self.sums.entry(module).or_default();
        let (sum, streams) = &mut sums[level as usize];
        *sum = sum.saturating_sub(old.unwrap_or(0)).saturating_add(new.unwrap_or(0));
        *streams = *streams + u32::from(new.is_some()) - u32::from(old.is_some());
        if sums.iter().all(|(_, streams)| *streams == 0) {
            self.sums.remove(&module);
        }
        self.changed = true;
    }

    /// Makes the sums of now those that are shown.
    pub(super) fn publish(&mut self) {
        if std::mem::take(&mut self.changed) {
            let known = |(sum, streams): &Sum| (*streams > 0).then_some(*sum);
            let shown = self.sums.iter().map(|(module, sums)| (*module, sums.each_ref().map(known)));
            self.shown = Arc::new(shown.collect());
        }
    }

    pub(super) const fn shown(&self) -> &Arc<BTreeMap<ModuleId, [Option<i64>; 2]>> {
        &self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_replaced_and_modules_without_streams_go() {
        let mut levels = Levels::default();
        levels.replace(3, Level::ActiveRequests, (None, Some(5)));
        levels.replace(3, Level::ActiveRequests, (None, Some(7)));
        levels.replace(3, Level::ActiveRequests, (Some(5), Some(1)));
        levels.publish();
        assert_eq!(**levels.shown(), BTreeMap::from([(3, [Some(8), None])]));
        levels.replace(3, Level::ActiveRequests, (Some(1), None));
        levels.replace(3, Level::ActiveRequests, (Some(7), None));
        assert_eq!(levels.shown().len(), 1, "not before it is published");
        levels.publish();
        assert_eq!(levels.shown().len(), 0);
    }
}
