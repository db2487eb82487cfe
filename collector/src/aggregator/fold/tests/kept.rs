//! What was saved goes on as if nothing had happened, whatever is recorded, and bytes that were not saved are refused.

use bailiwick_slo::wire::{Reader, Writer};
use proptest::prelude::*;

use super::drive::{Driven, Step, steps};
use super::replay::{tight, told};
use crate::aggregator::{Aggregator, Settings, Terms};

fn saved(fold: &Aggregator) -> Vec<u8> {
    let mut to = Writer::default();
    fold.save(&mut to);
    to.into_bytes()
}

fn restored(settings: &Settings, bytes: &[u8]) -> Aggregator {
    let terms = Terms { settings: settings.clone(), ..Terms::default() };
    Aggregator::restore(terms, &mut Reader::new(bytes)).expect("it was saved")
}

proptest! {
    #[test]
    fn a_fold_that_was_restored_shows_what_it_would_have_shown(settings in tight(), steps in steps(0..6), restarts: u32) {
        let (mut whole, mut broken) = (Driven::new(settings.clone()), Driven::new(settings.clone()));
        for (place, step) in steps.iter().enumerate() {
            match step {
                Step::Requests(requests) => [&mut whole, &mut broken].map(|daemon| daemon.send(requests, &[])),
                Step::Refused(refused) => [&mut whole, &mut broken].map(|daemon| daemon.send(&[], refused)),
                Step::Tick(by_ns) => {
                    let (left, right) = (told(&whole.tick(*by_ns)), told(&broken.tick(*by_ns)));
                    let differing = left.lines().zip(right.lines()).find(|(left, right)| left != right);
                    prop_assert!(left == right, "{differing:?}");
                    if restarts >> (place % 32) & 1 == 1 {
                        let bytes = saved(&broken.fold);
                        broken.fold = restored(&settings, &bytes);
                        prop_assert!(saved(&broken.fold) == bytes, "what was restored is saved as something else");
                    }
                    [(), ()]
                }
            };
        }
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_and_never_more(
        steps in steps(0..6), damage in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..4), cut: prop::sample::Index
    ) {
        let mut daemon = Driven::new(Settings::default());
        for step in &steps {
            match step {
                Step::Requests(requests) => daemon.send(requests, &[]),
                Step::Refused(refused) => daemon.send(&[], refused),
                Step::Tick(by_ns) => drop(daemon.tick(*by_ns)),
            }
        }
        daemon.tick(1);
        let bytes = saved(&daemon.fold);
        let _ = Aggregator::restore(Terms::default(), &mut Reader::new(&bytes[..cut.index(bytes.len())]));
        let mut damaged = bytes;
        for (at, by) in damage {
            let length = damaged.len();
            damaged[at.index(length)] ^= by;
        }
        // A checkpoint has a checksum: this only must not take the process along.
        let _ = Aggregator::restore(Terms::default(), &mut Reader::new(&damaged));
    }
}

#[test]
fn smaller_maxima_than_what_is_there_leave_it_there() {
    let mut daemon = Driven::new(Settings::default());
    let sent = |operation| super::drive::Sent {
        tenant: 1,
        module: 1,
        operation,
        is_consumer: false,
        outcome: 0,
        duration_ns: 5_000_000,
        is_anomaly: false,
        ends_in_ns: -1_000_000_000,
    };
    daemon.send(&(1..40).map(sent).collect::<Vec<_>>(), &[]);
    let before = daemon.tick(1_000_000_000);
    let mut settings = Settings::default();
    settings.series.operations_top = 5;
    settings.series.per_tenant_max = 5;
    let bytes = saved(&daemon.fold);
    daemon.fold = restored(&settings, &bytes);
    daemon.send(&(1..60).map(sent).collect::<Vec<_>>(), &[]);
    let after = daemon.tick(1_000_000_000);
    let total = |snapshot: &crate::aggregator::Snapshot| -> u64 {
        (0..snapshot.series().len() as u32).map(|series| snapshot.totals(series).outcomes.total()).sum()
    };
    assert_eq!((total(&before), total(&after)), (39, 39 + 59));
    assert_eq!(after.series().len(), before.series().len() + 1, "all new ones share one series");
}
