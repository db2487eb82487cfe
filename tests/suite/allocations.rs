//! No heap allocation per item on a hit (`speed.md`, S11): what is allocated for a request does not grow with its spans
//! or points.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use bailiwick_collector::aggregator::{Aggregator, Terms};
use bailiwick_collector::observation::batch::{Batch, Meta};
use bailiwick_collector::observation::{Observer, Request, Rules, Signal};
use bailiwick_collector::units::ByteSize;
use bailiwick_tests::load::fresh::Fresh;
use bailiwick_tests::load::pool::{PREFIX_BYTES, Pool};
use bailiwick_tests::load::workload::{Compression, Plan};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics, metric::Data,
};
use prost::Message;

/// Counts calls that allocate or grow.
struct Counting;

thread_local! {
    /// Of this thread: each test counts its own.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // Past the end of its thread nothing is counted.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator is unsafe by its trait; this one hands every call on to the system's")]
// SAFETY: every method hands its arguments on unchanged to `System`, which keeps the contract of the trait.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` came from `System` with this layout.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count();
        // SAFETY: `at` came from `System` with this layout.
        unsafe { System.realloc(at, layout, bytes) }
    }
}

const NOW_NS: u64 = 1_800_000_000_000_000_000;
const SERIES: usize = 64;

fn bodies(spans_per_request: usize) -> Vec<Bytes> {
    let plan = Plan { spans_per_request, ..Plan::headline(SERIES) };
    let pool = Pool::encode_first(&plan, 8).expect("a pool");
    let frames = pool.stamp(NOW_NS, Compression::None).expect("a pool");
    frames.into_iter().map(|frame| frame.slice(PREFIX_BYTES..)).collect()
}

fn observe(observer: &mut Observer, body: &[u8], signal: Signal) -> Batch {
    let meta = Meta::default();
    let request = Request { protobuf: body, body, signal, observed_at_ns: NOW_NS, items_expected: None, meta };
    observer.observe(&request).expect("sound").batch
}

/// Histograms of requests of several tenants, with as many points.
fn metrics(points: usize) -> Vec<u8> {
    let text = |key: &str, text: String| {
        let value = Some(AnyValue { value: Some(any_value::Value::StringValue(text)) });
        KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
    };
    let point = |number: usize| HistogramDataPoint {
        attributes: vec![
            text("tenant.id", format!("tenant-{}", number % 8)),
            text("http.request.method", "GET".to_owned()),
            text("http.route", format!("/{}", number % 16)),
            text("server.port", number.to_string()),
        ],
        time_unix_nano: NOW_NS,
        count: 15,
        bucket_counts: vec![1; 15],
        explicit_bounds: (1..15).map(f64::from).collect(),
        ..HistogramDataPoint::default()
    };
    let data = Histogram { data_points: (0..points).map(point).collect(), aggregation_temporality: 2 };
    let name = "http.server.request.duration".to_owned();
    let metrics = vec![Metric { name, data: Some(Data::Histogram(data)), ..Metric::default() }];
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

fn calls<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = CALLS.get();
    let done = work();
    (CALLS.get() - before, done)
}

fn without_index() -> Terms {
    let mut terms = Terms::default();
    terms.settings.coverage.index_bytes_max = ByteSize(0);
    terms
}

/// Scenario: requests of 64 and of 512 spans of series that are known, walked and booked again.
/// Guarantee: a request of eight times the spans allocates as often, when it is observed and when it is booked.
#[test]
fn a_span_of_a_known_series_allocates_nothing() {
    let (small, large) = (bodies(64), bodies(512));
    let mut observer = Observer::new(Arc::new(Rules::default()));
    let mut fold = Aggregator::new(without_index());
    fold.tick(1, NOW_NS);
    // Twice over everything: buffers have their size then, and series exist.
    for body in large.iter().chain(&small).chain(&large).chain(&small) {
        fold.apply(1, &observe(&mut observer, body, Signal::Traces).view());
    }
    let (small_calls, small_batches) =
        calls(|| small.iter().map(|body| observe(&mut observer, body, Signal::Traces)).collect::<Vec<_>>());
    let (large_calls, large_batches) =
        calls(|| large.iter().map(|body| observe(&mut observer, body, Signal::Traces)).collect::<Vec<_>>());
    assert_eq!(small_calls, large_calls, "observation of {} requests", small.len());

    let mut book = |batches: &[Batch]| calls(|| batches.iter().for_each(|batch| fold.apply(1, &batch.view()))).0;
    let (small_calls, large_calls) = (book(&small_batches), book(&large_batches));
    assert_eq!(small_calls, large_calls, "booking of {} requests", small.len());
}

/// Scenario: new traces of known series, second after second, until the index gives places again; once as many spans
/// of each series as another time.
/// Guarantee: indexing, judging, settling and forgetting a span allocates next to nothing: what a tick allocates is for
/// series and slots, not for spans.
#[test]
fn a_span_of_a_new_trace_allocates_next_to_nothing() {
    let mut observer = Observer::new(Arc::new(Rules::default()));
    let batches: Vec<Batch> = bodies(512).iter().map(|body| observe(&mut observer, body, Signal::Traces)).collect();
    let spans = 512 * batches.len() as u64;
    let run = |times: usize| {
        let (mut fold, mut fresh, mut last) = (Aggregator::new(Terms::default()), Fresh::default(), 0);
        // Traces settle after 30 s and are kept for 600 s.
        for step in 0..75_u64 {
            let new: Vec<Batch> = (0..times).flat_map(|_| &batches).map(|batch| fresh.traces(batch)).collect();
            let (applied, ()) = calls(|| new.iter().for_each(|batch| fold.apply(1, &batch.view())));
            let (ticked, _) = calls(|| fold.tick(1, NOW_NS + step * 10_000_000_000));
            last = applied + ticked;
        }
        last
    };
    let (once, thrice) = (run(1), run(3));
    assert!(
        thrice.saturating_sub(once) < 2 * spans / 50,
        "{once} and {thrice} calls for {spans} and thrice as many spans"
    );
}

/// Scenario: requests of 64 and of 512 histogram points of a wanted metric, walked again.
/// Guarantee: a request of eight times the points allocates as often.
#[test]
fn a_point_of_a_wanted_metric_allocates_nothing() {
    let (small, large) = (metrics(64), metrics(512));
    let mut observer = Observer::new(Arc::new(Rules::default()));
    for body in [&large, &small, &large, &small] {
        observe(&mut observer, body, Signal::Metrics);
    }
    let (small_calls, batch) = calls(|| observe(&mut observer, &small, Signal::Metrics));
    assert_eq!(batch.view().points().len(), 64);
    let (large_calls, batch) = calls(|| observe(&mut observer, &large, Signal::Metrics));
    assert_eq!(batch.view().points().len(), 512);
    assert_eq!(small_calls, large_calls);
}
