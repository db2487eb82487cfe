//! The hot path piece by piece, in one process: `kernels time` for ratios, `kernels run` for an instruction counter.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bailiwick_collector::aggregator::{Aggregator, Settings, Terms};
use bailiwick_collector::observation::batch::Batch;
use bailiwick_collector::observation::{Observer, Request, Rules, Signal, wanted_keys};
use bailiwick_collector::otlp::attributes::Slots;
use bailiwick_collector::otlp::header::Header;
use bailiwick_collector::otlp::trace::{self, Keys, Link, Span, TraceSink, WalkLimits};
use bailiwick_collector::units::ByteSize;
use bailiwick_tests::load::fresh::Fresh;
use bailiwick_tests::load::pool::{PREFIX_BYTES, Pool};
use bailiwick_tests::load::table::Spread;
use bailiwick_tests::load::workload::{Compression, Plan};
use bytes::Bytes;
use clap::{Parser, ValueEnum};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

/// The daemon's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Passes of one timed round.
const PASSES: usize = 64;

#[derive(Debug, Parser)]
#[command(about = "Measures the kernels of the hot path over the bytes of workload W1")]
enum Command {
    /// Nanoseconds a span of every kernel, interleaved.
    Time {
        /// Series.
        #[arg(long, default_value_t = 10_000)]
        series: usize,
        /// Distinct requests of 512 spans, 250 KiB each: few stay in the cache, where a socket's copy leaves a body too.
        #[arg(long, default_value_t = 6)]
        requests: usize,
        /// Rounds over all kernels.
        #[arg(long, default_value_t = 9)]
        rounds: usize,
    },
    /// One kernel, so many times over 32 requests of 512 spans: for callgrind.
    Run {
        /// Which.
        #[arg(value_enum)]
        kernel: Kernel,
        /// Passes; the difference between two numbers of passes is free of start-up.
        #[arg(long, default_value_t = 1)]
        passes: usize,
        /// Series.
        #[arg(long, default_value_t = 4_000)]
        series: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kernel {
    /// Nothing but the loop: what `run` costs without a kernel.
    Nothing,
    /// The sum of all bytes as 64-bit words: the memory's floor.
    Touch,
    /// prost into structs, dropped.
    Prost,
    /// The wire visitor into a sink that counts.
    Visitor,
    /// Visitor, claims, names, outcomes, rows: one observation batch a request.
    Observe,
    /// The fold over batches made before, without the trace index: each span by itself.
    Fold,
    /// The fold with the trace index: spans of new traces indexed, judged, settled and forgotten.
    Judge,
}

impl Kernel {
    const TIMED: [Self; 6] = [Self::Touch, Self::Prost, Self::Visitor, Self::Observe, Self::Fold, Self::Judge];
}

/// What the kernels work on, and their buffers.
struct Bench {
    bodies: Vec<Bytes>,
    spans: usize,
    now_ns: u64,
    rules: Arc<Rules>,
    keys: Keys,
    observer: Observer,
    batches: Vec<Batch>,
    fold: Aggregator,
    /// With an index.
    judge: Aggregator,
    /// Batches with traces of their own, for the passes to come.
    fresh: Vec<Batch>,
    traces: Fresh,
    seq: u64,
}

#[derive(Debug, Default)]
struct Counting {
    spans: u64,
    nanoseconds: u64,
}

impl<'a> TraceSink<'a> for Counting {
    fn restart(&mut self) {
        *self = Self::default();
    }

    fn resource(&mut self, _: &Header<'_, 'a>) {}

    fn scope(&mut self, _: &Header<'_, 'a>) {}

    fn span(&mut self, span: &Span<'a>, attributes: &Slots<'a>, _: &[Link<'a>]) {
        self.spans += 1;
        self.nanoseconds = self.nanoseconds.wrapping_add(span.end_ns - span.start_ns);
        black_box(attributes.first_of(0, 12));
    }
}

impl Bench {
    fn new(series: usize, requests: usize) -> anyhow::Result<Self> {
        let pool = Pool::encode_first(&Plan::headline(series), requests)?;
        let now_ns = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
        let bodies = pool.stamp(now_ns, Compression::None)?;
        let bodies: Vec<Bytes> = bodies.into_iter().map(|frame| frame.slice(PREFIX_BYTES..)).collect();
        let rules = Arc::new(Rules::default());
        let mut settings = Settings::default();
        settings.series.max = u32::try_from(2 * series)?.max(settings.series.max);
        settings.series.per_tenant_max = settings.series.max;
        settings.series.operations_top = settings.series.max;
        let judge = Aggregator::new(Terms { settings: settings.clone(), ..Terms::default() });
        settings.coverage.index_bytes_max = ByteSize(0);
        let mut bench = Self {
            spans: (0..bodies.len()).map(|request| pool.said(request).len()).sum(),
            bodies,
            now_ns,
            keys: wanted_keys(&rules),
            observer: Observer::new(Arc::clone(&rules)),
            rules,
            batches: Vec::new(),
            fold: Aggregator::new(Terms { settings, ..Terms::default() }),
            judge,
            fresh: Vec::new(),
            traces: Fresh::default(),
            seq: 0,
        };
        bench.seq += 1;
        bench.fold.tick(bench.seq, now_ns);
        for place in 0..bench.bodies.len() {
            let batch = bench.observe(place);
            bench.batches.push(batch);
        }
        // Once over everything, so that all series exist.
        bench.pass(Kernel::Fold);
        bench.prepare(1);
        bench.pass(Kernel::Judge);
        Ok(bench)
    }

    /// Makes batches for so many passes of [`Kernel::Judge`], each span in a trace of its own.
    fn prepare(&mut self, passes: usize) {
        for place in (0..passes).flat_map(|_| 0..self.batches.len()) {
            self.fresh.push(self.traces.traces(&self.batches[place]));
        }
    }

    /// Twenty seconds pass with every pass: its traces settle in the second one after it.
    fn judge_fresh(&mut self) {
        for batch in self.fresh.drain(..self.batches.len()) {
            self.seq += 1;
            self.judge.apply(self.seq, &batch.view());
        }
        self.now_ns += 20_000_000_000;
        self.seq += 1;
        self.judge.tick(self.seq, self.now_ns);
    }

    fn observe(&mut self, place: usize) -> Batch {
        let body = &self.bodies[place];
        let request = Request {
            protobuf: body,
            body,
            signal: Signal::Traces,
            observed_at_ns: self.now_ns,
            items_expected: None,
            meta: bailiwick_collector::observation::batch::Meta::default(),
        };
        self.observer.observe(&request).expect("the pool is sound").batch
    }

    fn pass(&mut self, kernel: Kernel) {
        if kernel == Kernel::Judge {
            return self.judge_fresh();
        }
        for place in 0..self.bodies.len() {
            match kernel {
                Kernel::Nothing | Kernel::Judge => {}
                Kernel::Touch => {
                    let words = self.bodies[place].as_chunks::<8>().0;
                    black_box(words.iter().fold(0_u64, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word))));
                }
                Kernel::Prost => {
                    let decoded = ExportTraceServiceRequest::decode(self.bodies[place].clone());
                    drop(black_box(decoded.expect("the pool is sound")));
                }
                Kernel::Visitor => {
                    let limits = WalkLimits::from(&self.rules.limits);
                    let mut sink = Counting::default();
                    let walked = trace::visit::<false>(&self.bodies[place], &self.keys, &limits, &mut sink);
                    assert!(walked.is_ok() && black_box(sink).spans > 0, "the pool is sound");
                }
                Kernel::Observe => drop(black_box(self.observe(place))),
                Kernel::Fold => {
                    self.seq += 1;
                    self.fold.apply(self.seq, &self.batches[place].view());
                }
            }
        }
    }
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Run { kernel, passes, series } => {
            let mut bench = Bench::new(series, 32)?;
            // As many for any number of passes up to three: what they cost must not show in the difference.
            bench.prepare(if kernel == Kernel::Judge { passes.max(3) } else { 0 });
            for _ in 0..passes {
                bench.pass(kernel);
            }
            println!("{}", bench.spans * passes);
        }
        Command::Time { series, requests, rounds } => time(Bench::new(series, requests)?, rounds),
    }
    Ok(())
}

fn time(mut bench: Bench, rounds: usize) {
    println!("{} spans a pass, {rounds} rounds; ns a span: median (min-max)", bench.spans);
    let mut taken: Vec<Vec<f64>> = vec![Vec::new(); Kernel::TIMED.len()];
    for _ in 0..rounds {
        for (kernel, taken) in Kernel::TIMED.into_iter().zip(&mut taken) {
            bench.prepare(if kernel == Kernel::Judge { PASSES } else { 0 });
            let began = Instant::now();
            for _ in 0..PASSES {
                bench.pass(kernel);
            }
            taken.push(per_span(began.elapsed(), PASSES * bench.spans));
        }
    }
    let prost = Spread::of(taken[1].clone());
    for (kernel, taken) in Kernel::TIMED.into_iter().zip(taken) {
        let (Some(spread), Some(prost)) = (Spread::of(taken), prost) else { continue };
        println!("{kernel:?}: {spread}, prost / this {:.1}", prost.median / spread.median);
    }
}

fn per_span(took: Duration, spans: usize) -> f64 {
    took.as_secs_f64() * 1e9 / spans as f64
}
