//! Metrics that SLOs name: their points have rows, and each says which taps read it.

use arc_swap::ArcSwap;
use bailiwick_slo::spec::Glob;
use bailiwick_slo::taps::{Reads, Tap, Taps};

use super::*;

fn tap(metric: &str, attributes: &[(&str, &str)]) -> Tap {
    let attributes = attributes.iter().map(|(key, pattern)| ((*key).to_owned(), Glob::new(pattern)));
    Tap { metric: metric.to_owned(), attributes: attributes.collect(), reads: Reads::Increase }
}

fn taps(list: &[Tap]) -> Taps {
    let mut taps = Taps::default();
    taps.append(list.iter().cloned()).expect("few");
    taps
}

fn rules(list: &[Tap]) -> Rules {
    Rules { taps: Arc::new(ArcSwap::from_pointee(taps(list))), ..Rules::default() }
}

/// The taps that read a point, and how many other extras it has.
fn read(observed: &Observed, point: &Point) -> (Vec<u64>, usize) {
    let extras: Vec<Extra> = observed.batch.view().extras_of(point.first_extra, point.extras).collect();
    let (taps, others): (Vec<_>, Vec<_>) = extras.into_iter().partition(|said| said.key == extra::TAP);
    (taps.iter().map(|said| said.value).collect(), others.len())
}

/// The taps that read a counter `shop.orders` with these attributes, of one that asks for `key` to fit `pattern`.
fn is_read(pattern: &str, attributes: Vec<KeyValue>) -> bool {
    let rules = rules(&[tap("shop.orders", &[("key", pattern)])]);
    let observed = observe_as(rules, "", vec![], vec![sum("shop.orders", attributes)]);
    match &*read(&observed, &only(&observed)).0 {
        [] => false,
        [0] => true,
        other => panic!("tap 0 or none: {other:?}"),
    }
}

#[test]
fn points_of_a_metric_that_an_slo_names_have_rows_and_others_have_none() {
    let rules = rules(&[tap("shop.orders", &[])]);
    let metrics = vec![sum("shop.orders", vec![]), sum("shop.order", vec![]), sum("shop.orders.total", vec![])];
    let observed = observe_as(rules, "", vec![], metrics);
    let point = only(&observed);
    assert_eq!(string(&observed, point.metric), "shop.orders");
    assert_eq!(read(&observed, &point), (vec![0], 0));
    assert_eq!((observed.report.accepted, observed.report.ignored), (3, 2));
}

#[test]
fn an_attribute_is_equal_or_fits_its_pattern() {
    let of = |value: &str| vec![text("key", value)];
    assert!(is_read("eu", of("eu")) && !is_read("eu", of("eu1")) && !is_read("eu", of("EU")));
    assert!(is_read("5*", of("503")) && !is_read("5*", of("404")));
    assert!(is_read("v?", of("v1")) && !is_read("v?", of("v10")));
    assert!(is_read("*", of("")) && !is_read("*", vec![text("other", "eu")]), "any value is one");
}

#[test]
fn numbers_and_truths_are_compared_as_they_are_written() {
    use any_value::Value as Any;
    let of = |value| vec![pair("key", value)];
    assert!(is_read("503", of(Any::IntValue(503))) && is_read("5??", of(Any::IntValue(503))));
    assert!(!is_read("503", of(Any::IntValue(5_030))) && is_read("-1", of(Any::IntValue(-1))));
    assert!(is_read("true", of(Any::BoolValue(true))) && !is_read("true", of(Any::BoolValue(false))));
    assert!(is_read("0.5", of(Any::DoubleValue(0.5))) && is_read("3", of(Any::DoubleValue(3.0))));
    assert!(!is_read("*", of(Any::BytesValue(b"eu".to_vec()))), "bytes are no text");
}

#[test]
fn each_attribute_of_a_tap_must_be_there_and_others_do_not_matter() {
    let list = [
        tap("shop.orders", &[("zone", "eu"), ("status", "5*")]),
        tap("shop.orders", &[("zone", "eu")]),
        tap("shop.refunds", &[]),
        tap("shop.orders", &[]),
    ];
    let of = |attributes: &[(&str, &str)]| {
        let observed = observe_as(rules(&list), "", vec![], vec![sum("shop.orders", texts(attributes))]);
        read(&observed, &only(&observed)).0
    };
    assert_eq!(of(&[("status", "500"), ("who", "me"), ("zone", "eu")]), [0, 1, 3]);
    assert_eq!(of(&[("status", "200"), ("zone", "eu")]), [1, 3]);
    assert_eq!(of(&[("zone", "us"), ("status", "500")]), [3]);
    // What the resource says is not the point's.
    let resource = texts(&[("zone", "eu")]);
    let observed = observe_as(rules(&list), "", resource, vec![sum("shop.orders", vec![])]);
    assert_eq!(read(&observed, &only(&observed)).0, [3]);
}

#[test]
fn a_metric_of_requests_keeps_all_that_it_says_beside_its_taps() {
    let attributes = || texts(&[("http.request.method", "GET"), ("http.target", "/cart")]);
    let name = "http.server.duration";
    let observed = observe_as(rules(&[tap(name, &[])]), "", vec![], vec![sum(name, attributes())]);
    let point = only(&observed);
    assert_eq!(read(&observed, &point), (vec![0], 1), "its target stands there too");
    let plain = observe_as(Rules::default(), "", vec![], vec![sum(name, attributes())]);
    let untapped = only(&plain);
    assert_eq!(read(&plain, &untapped), (vec![], 1));
    assert_eq!(Point { extras: 0, ..point }, Point { extras: 0, ..untapped });
}

#[test]
fn taps_that_do_not_read_a_batch_leave_no_trace_in_it() {
    let bytes = |rules: Rules| {
        let metrics = vec![sum(SERVER_DURATION, texts(&[("zone", "eu")])), sum("shop.orders", vec![])];
        observe_as(rules, "", vec![], metrics).batch.bytes().to_vec()
    };
    let others = rules(&[tap("shop.refunds", &[]), tap(SERVER_DURATION, &[("zone", "us")])]);
    assert_eq!(bytes(others), bytes(Rules::default()));
}

#[test]
fn taps_that_are_appended_hold_from_the_next_request_on() {
    let rules = Arc::new(rules(&[]));
    let mut observer = Observer::new(Arc::clone(&rules));
    let metric = sum("shop.orders", vec![]);
    let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }];
    let body = ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
    let mut ignored = || {
        let request = Request {
            protobuf: &body,
            body: &body,
            signal: Signal::Metrics,
            observed_at_ns: NOW_NS,
            items_expected: None,
            meta: Meta::default(),
        };
        observer.observe(&request).expect("it is OTLP").report.ignored
    };
    assert_eq!(ignored(), 1);
    rules.taps.store(Arc::new(taps(&[tap("shop.orders", &[])])));
    assert_eq!(ignored(), 0);
}
