//! From an SLO's text and OTLP metrics to the counts of its taps.

use arc_swap::ArcSwap;
use bailiwick_slo::document::{Context, load};
use bailiwick_slo::spec::Slo;
use bailiwick_slo::taps::{Tapped, Taps, taps_of};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric::Data,
};

use super::*;
use crate::aggregator::snapshot::TapCounts;

const SLOS: &str = "
apiVersion: bailiwick/v1
kind: SLO
metadata: {name: orders}
spec:
  service: shop
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
  bailiwick:
    sli:
      kind: counter
      bad: {metric: shop.orders, attributes: {status: \"5*\"}}
      total: {metric: shop.orders}
---
apiVersion: bailiwick/v1
kind: SLO
metadata: {name: checkout}
spec:
  service: shop
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
  bailiwick:
    sli: {kind: histogram, metric: shop.checkout.duration, threshold: 0.25}
";

fn slos() -> Vec<Slo> {
    let loaded = load(&[("slos.yaml", SLOS)], &Context::default());
    assert_eq!(loaded.slos.len(), 2, "{:?}", loaded.findings);
    loaded.slos
}

/// A cumulative counter `shop.orders` that began a minute ago.
fn orders(status: i64, count: i64) -> Metric {
    let point = NumberDataPoint {
        attributes: vec![attribute("status", Value::IntValue(status))],
        start_time_unix_nano: NOW - 60 * SECOND,
        time_unix_nano: NOW,
        value: Some(Number::AsInt(count)),
        ..NumberDataPoint::default()
    };
    let data = Data::Sum(Sum { data_points: vec![point], aggregation_temporality: 2, is_monotonic: true });
    Metric { name: "shop.orders".to_owned(), data: Some(data), ..Metric::default() }
}

/// A delta histogram of the bounds 0.1, 0.25 and 1.
fn checkouts(counts: [u64; 4]) -> Metric {
    let point = HistogramDataPoint {
        start_time_unix_nano: NOW - 60 * SECOND,
        time_unix_nano: NOW,
        count: counts.iter().sum(),
        bucket_counts: counts.to_vec(),
        explicit_bounds: vec![0.1, 0.25, 1.0],
        ..HistogramDataPoint::default()
    };
    let data = Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality: 1 });
    Metric { name: "shop.checkout.duration".to_owned(), data: Some(data), ..Metric::default() }
}

fn send_metrics(fold: &mut Aggregator, observer: &mut Observer, (tenant, metrics): (&str, Vec<Metric>)) {
    let attributes = vec![text("service.name", "shop"), text("tenant.id", tenant)];
    let resource = Some(Resource { attributes, ..Resource::default() });
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }];
    let body = &ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
    let request = Request {
        protobuf: body,
        body,
        signal: Signal::Metrics,
        observed_at_ns: NOW,
        items_expected: None,
        meta: Meta::default(),
    };
    let observed = observer.observe(&request).expect("it is OTLP");
    let batch = Batch::check(observed.batch.bytes().to_vec()).expect("it is sound");
    fold.apply(fold.seq + 1, &batch.view());
}

/// A fold that knows `known`, and an observer that goes by the taps of all SLOs.
fn tapped(known: &Taps) -> (Aggregator, Observer, Taps) {
    let taps = Taps::of(&slos()).expect("few");
    let rules = Rules { taps: Arc::new(ArcSwap::from_pointee(taps.clone())), ..Rules::default() };
    let fold = Aggregator::new(Terms { taps: Arc::new(ArcSwap::from_pointee(known.clone())), ..Terms::default() });
    (fold, Observer::new(Arc::new(rules)), taps)
}

/// What joined, summed by tap and tenant.
fn joined(snapshot: &Snapshot) -> BTreeMap<(u16, String), TapCounts> {
    let names: Vec<_> = snapshot.tapped().copied().collect();
    let modules: Vec<_> = snapshot.modules().map(|module| module.tenant.to_string()).collect();
    let mut sums: BTreeMap<_, TapCounts> = BTreeMap::new();
    for (_, number, counts) in snapshot.tapped_joined() {
        let name = names[number as usize];
        let sum = sums.entry((name.tap, modules[name.module as usize].clone())).or_default();
        (sum.part, sum.of, sum.unknown) = (sum.part + counts.part, sum.of + counts.of, sum.unknown + counts.unknown);
    }
    sums
}

#[test]
fn what_an_slo_asks_of_metrics_is_counted_by_tenant_from_its_text_on() {
    let (mut fold, mut observer, taps) = tapped(&Taps::of(&slos()).expect("few"));
    let read: Vec<_> = slos().iter().map(|slo| taps_of(&slo.sli, &taps)).collect();
    assert_eq!(read, [Some(Tapped::Counter { part: 0, total: 1 }), Some(Tapped::One(2))]);
    let before = fold.tick(1, NOW);
    send_metrics(&mut fold, &mut observer, ("acme", vec![orders(200, 90), orders(503, 6), checkouts([1, 2, 3, 4])]));
    send_metrics(&mut fold, &mut observer, ("globex", vec![orders(500, 12)]));
    let open = fold.tick(4, NOW + SECOND);
    let snapshot = fold.tick(5, NOW + 20 * SECOND);
    let of = |tap: u16, tenant: &str| (tap, tenant.to_owned());
    let counts = |part, of, unknown| TapCounts { part, of, unknown };
    // Most of the minute had closed before the points came; the last slot closes later.
    let mut all = joined(&open);
    for (key, more) in joined(&snapshot) {
        let sum = all.entry(key).or_default();
        *sum = counts(sum.part + more.part, sum.of + more.of, sum.unknown + more.unknown);
    }
    let expected = [
        (of(0, "acme"), counts(6, 0, 0)),
        (of(0, "globex"), counts(12, 0, 0)),
        (of(1, "acme"), counts(96, 0, 0)),
        (of(1, "globex"), counts(12, 0, 0)),
        (of(2, "acme"), counts(3, 10, 0)),
    ];
    assert_eq!(all, BTreeMap::from(expected));
    assert_eq!(before.tapped_joined().count(), 0);
    assert!(before.tapped_revision() < open.tapped_revision() && open.tapped_revision() < snapshot.tapped_revision());
    let heard: Vec<_> = snapshot.last_points_heard().collect();
    let modules: Vec<_> = snapshot.modules().map(|module| &*module.tenant).collect();
    assert_eq!(modules, ["acme", "globex"]);
    assert_eq!(heard, [(0, NOW), (1, NOW)]);
    assert_eq!((snapshot.last_point_heard(1), snapshot.last_point_heard(2)), (Some(NOW), None));
    assert_eq!((before.last_points_heard().count(), snapshot.points_unused().len()), (0, 0));
}

#[test]
fn a_tap_that_the_fold_does_not_know_counts_nothing_and_is_told_until_it_is_set() {
    let (mut fold, mut observer, _) = tapped(&Taps::default());
    send_metrics(&mut fold, &mut observer, ("acme", vec![orders(503, 6)]));
    let snapshot = fold.tick(2, NOW + 20 * SECOND);
    assert_eq!((snapshot.tapped().len(), snapshot.streams().counters().taps.unknown), (0, 2));
    fold.watch(slos());
    send_metrics(&mut fold, &mut observer, ("globex", vec![orders(503, 6)]));
    let snapshot = fold.tick(4, NOW + 40 * SECOND);
    assert_eq!((snapshot.tapped().len(), snapshot.streams().counters().taps.unknown), (2, 2));
    let limit = snapshot.limits().iter().find(|limit| limit.name == "metrics.tapped_max").copied();
    assert_eq!(limit.map(|limit| (limit.used, limit.refused)), Some((2, 0)));
}
