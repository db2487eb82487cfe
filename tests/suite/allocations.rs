//! No heap allocation per span on a hit (`speed.md`, S11): what is allocated for a request does not grow with its spans.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_collector::aggregator::{Aggregator, Terms};
use bailiwick_collector::observation::batch::{Batch, Meta};
use bailiwick_collector::observation::{Observer, Request, Rules, Signal};
use bailiwick_collector::units::ByteSize;
use bailiwick_tests::load::fresh::Fresh;
use bailiwick_tests::load::pool::{PREFIX_BYTES, Pool};
use bailiwick_tests::load::workload::{Compression, Plan};
use bytes::Bytes;

/// Counts calls that allocate or grow.
struct Counting;

static CALLS: AtomicU64 = AtomicU64::new(0);
/// What is counted is the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator is unsafe by its trait; this one hands every call on to the system's")]
// SAFETY: every method hands its arguments on unchanged to `System`, which keeps the contract of the trait.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` came from `System` with this layout.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
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

fn observe(observer: &mut Observer, body: &Bytes) -> Batch {
    let meta = Meta::default();
    let request =
        Request { protobuf: body, body, signal: Signal::Traces, observed_at_ns: NOW_NS, items_expected: None, meta };
    observer.observe(&request).expect("sound").batch
}

fn calls<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = CALLS.load(Ordering::Relaxed);
    let done = work();
    (CALLS.load(Ordering::Relaxed) - before, done)
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
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (small, large) = (bodies(64), bodies(512));
    let mut observer = Observer::new(Arc::new(Rules::default()));
    let mut fold = Aggregator::new(without_index());
    fold.tick(1, NOW_NS);
    // Twice over everything: buffers have their size then, and series exist.
    for body in large.iter().chain(&small).chain(&large).chain(&small) {
        fold.apply(1, &observe(&mut observer, body).view());
    }
    let (small_calls, small_batches) =
        calls(|| small.iter().map(|body| observe(&mut observer, body)).collect::<Vec<_>>());
    let (large_calls, large_batches) =
        calls(|| large.iter().map(|body| observe(&mut observer, body)).collect::<Vec<_>>());
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
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut observer = Observer::new(Arc::new(Rules::default()));
    let batches: Vec<Batch> = bodies(512).iter().map(|body| observe(&mut observer, body)).collect();
    let spans = 512 * batches.len() as u64;
    let mut run = |times: usize| {
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
