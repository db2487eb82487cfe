//! The same records give the same figures, to the last bit, and how rows are cut into batches changes none.

use bailiwick_slo::time::{Slot, Window};
use proptest::prelude::*;

use super::drive::{Driven, Sent, Step, steps};
use crate::aggregator::snapshot::{CellKind, SeriesId, Snapshot};
use crate::aggregator::{HistogramSettings, SeriesSettings, Settings};
use crate::units::ByteSize;

/// Everything that a snapshot says, as text.
pub(super) fn told(snapshot: &Snapshot) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let mut line = |part: &dyn std::fmt::Debug| writeln!(out, "{part:?}").expect("a string takes all");
    line(&(snapshot.seq, snapshot.now_ns, snapshot.data_through_ns));
    line(&snapshot.series().collect::<Vec<_>>());
    line(&snapshot.modules().collect::<Vec<_>>());
    line(&(snapshot.books(), snapshot.clock_anomalies(), snapshot.limited()));
    line(&(snapshot.limits(), snapshot.demand(), snapshot.cells_shed()));
    Window::ALL.iter().for_each(|window| line(&snapshot.window(*window)));
    line(&(snapshot.parts(Slot(0), Slot(u32::MAX)), snapshot.settled(), snapshot.corrections()));
    line(&(snapshot.gaps(), snapshot.gap_traces(), snapshot.findings(), snapshot.finding_counts()));
    line(&(snapshot.edges().collect::<Vec<_>>(), snapshot.weights(), snapshot.demand(), snapshot.resting()));
    (0..snapshot.edges().len() as u32).for_each(|edge| line(&snapshot.edge_totals(edge)));
    for series in 0..snapshot.series().len() as SeriesId {
        line(&(snapshot.totals(series), snapshot.slots(series, Slot(0), Slot(u32::MAX))));
        for window in [Window::FiveMinutes, Window::Hour, Window::Day] {
            for kind in [CellKind::Success, CellKind::Other] {
                let latency = snapshot.latency_of(kind, &[series], window);
                line(&(latency.histogram.len(), latency.from_ns, latency.to_ns, latency.is_kept));
                if !latency.histogram.is_empty() {
                    let recorded = latency.histogram.iter_recorded();
                    let buckets = recorded.map(|step| (step.value_iterated_to(), step.count_since_last_iteration()));
                    line(&buckets.collect::<Vec<_>>());
                }
            }
        }
    }
    out
}

/// Maxima that random requests run into, and a budget of cells that they exceed.
pub(super) fn tight() -> impl Strategy<Value = Settings> {
    let maxima = (4_u32..16, 2_u32..8, 1_u32..4, 1_u32..4, 1_u32..4);
    let series = (maxima, 0_u32..3, prop::bool::weighted(0.2)).prop_map(
        |((max, per_tenant_max, tenants_max, modules_max, operations_top), sketches_max, dry_run)| SeriesSettings {
            max,
            per_tenant_max,
            tenants_max,
            modules_max,
            operations_top,
            sketches_max,
            dry_run,
            reserved_tenants: Vec::new(),
        },
    );
    (series, 500_u64..6_000).prop_map(|(series, bytes)| Settings {
        series,
        histograms: HistogramSettings { bytes_max: ByteSize(bytes) },
        ..Settings::default()
    })
}

/// Figures after each tick and at the end.
fn live(settings: &Settings, steps: &[Step]) -> Vec<String> {
    let mut daemon = Driven::new(settings.clone());
    let mut figures = Vec::new();
    for step in steps {
        match step {
            Step::Requests(requests) => daemon.send(requests, &[]),
            Step::Refused(refused) => daemon.send(&[], refused),
            Step::Tick(by_ns) => figures.push(told(&daemon.tick(*by_ns))),
        }
    }
    figures.push(told(&daemon.fold.finish()));
    figures
}

/// The same with the requests between two ticks in batches of this many rows.
fn regrouped(settings: &Settings, steps: &[Step], rows: usize) -> Vec<String> {
    let mut daemon = Driven::new(settings.clone());
    let mut figures = Vec::new();
    let mut waiting: Vec<Sent> = Vec::new();
    let send = |daemon: &mut Driven, waiting: &mut Vec<Sent>| {
        waiting.chunks(rows).for_each(|requests| daemon.send(requests, &[]));
        waiting.clear();
    };
    for step in steps {
        match step {
            Step::Requests(requests) => waiting.extend(requests),
            Step::Refused(refused) => {
                send(&mut daemon, &mut waiting);
                daemon.send(&[], refused);
            }
            Step::Tick(by_ns) => {
                send(&mut daemon, &mut waiting);
                figures.push(told(&daemon.tick(*by_ns)));
            }
        }
    }
    send(&mut daemon, &mut waiting);
    figures.push(told(&daemon.fold.finish()));
    figures
}

proptest! {
    #[test]
    fn the_same_records_give_the_same_figures(
        settings in tight(),
        steps in steps(0..6),
        rows in prop_oneof![Just(1_usize), 2_usize..9, Just(1_000)],
    ) {
        let figures = live(&settings, &steps);
        prop_assert_eq!(&figures, &live(&settings, &steps));
        prop_assert_eq!(&figures, &regrouped(&settings, &steps, rows));
    }
}
