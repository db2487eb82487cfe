//! One measured cell: a fresh server, a warm-up, a stretch of sending, and its figures once the books are right.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::client::{Client, Manner, Tally};
use super::pool::Pool;
use super::target::{Kind, Target};
use super::{books, usage};

/// How long and where.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// Sending before the figures begin.
    pub warmup: Duration,
    /// Sending that they are about.
    pub measured: Duration,
    /// Core of the server; none: any.
    pub core: Option<usize>,
}

/// Figures of one cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Server.
    pub server: &'static str,
    /// Compression of the bodies.
    pub compression: &'static str,
    /// Series that were sent to.
    pub series: usize,
    /// Spans accepted while measuring.
    pub spans: u64,
    /// CPU-seconds of the server, user and system, per million of them.
    pub cpu_s_per_million: f64,
    /// Spans accepted per second.
    pub spans_per_s: f64,
    /// Time to the end of the answer in milliseconds: p50, p99, p99.9.
    pub latency_ms: [f64; 3],
    /// Most memory that the server ever held, MiB.
    pub rss_peak_mib: f64,
    /// Requests that were refused while measuring.
    pub refused: u64,
}

/// Runs one cell.
///
/// # Errors
/// When the server does not start, or its books are wrong: no figure then.
pub async fn run(kind: Kind, pool: &Pool, manner: Manner, course: Course) -> anyhow::Result<Figures> {
    // Bodies come again and again with the ids of their spans: an index would know them. It is measured by the kernels.
    let no_index = ["--set".to_owned(), "aggregator.coverage.index_bytes_max=0".to_owned()];
    let settings = [pool.dimensions.settings(), no_index.to_vec()].concat();
    let target = Target::start(kind, course.core, &settings)?;
    let now_ns = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
    // Ends around the middle of the run: the slots that are counted in stay open from its start to its end.
    let centre_ns = now_ns + u64::try_from((course.warmup + course.measured).as_nanos() / 2)?;
    let bodies: Arc<[bytes::Bytes]> = pool.stamp(centre_ns, manner.compression)?.into();
    let api = target.api();
    let client = Client::connect(target.grpc, manner).await?;

    let warmup = client.run(&bodies, course.warmup).await;
    let warm_spans = spans(pool, &warmup);
    if let Some(api) = &api {
        books::settle(api, warm_spans).await;
    }
    let cpu_before = usage::cpu(target.id())?;
    let measured = client.run(&bodies, course.measured).await;
    let measured_spans = spans(pool, &measured);
    // What is still on its way to the books is part of the bill.
    if let Some(api) = &api {
        books::settle(api, warm_spans + measured_spans).await;
    }
    let cpu = usage::cpu(target.id())? - cpu_before;
    let rss_peak = usage::rss_peak(target.id())?;
    anyhow::ensure!(warmup.rejected_spans + measured.rejected_spans == 0, "spans were rejected one by one");
    if let Some(api) = &api {
        books::compare(api, pool, &[&warmup, &measured]).await?;
    }
    if !measured.refused.is_empty() {
        eprintln!("{}: refused: {:?}", kind.name(), measured.refused);
    }
    let series = pool.dimensions.series();
    Ok(figures((kind, manner, series), (&measured, measured_spans), (cpu, rss_peak)))
}

fn spans(pool: &Pool, tally: &Tally) -> u64 {
    tally.accepted.iter().enumerate().map(|(request, times)| pool.said(request).len() as u64 * u64::from(*times)).sum()
}

fn figures(
    (kind, manner, series): (Kind, Manner, usize),
    (tally, spans): (&Tally, u64),
    (cpu, rss_peak): (Duration, u64),
) -> Figures {
    let latency_ms = |quantile: f64| tally.latency_us.value_at_quantile(quantile) as f64 / 1_000.0;
    Figures {
        server: kind.name(),
        compression: manner.compression.name(),
        series,
        spans,
        cpu_s_per_million: cpu.as_secs_f64() * 1e6 / spans as f64,
        spans_per_s: spans as f64 / tally.elapsed.as_secs_f64(),
        latency_ms: [latency_ms(0.5), latency_ms(0.99), latency_ms(0.999)],
        rss_peak_mib: rss_peak as f64 / f64::from(1 << 20),
        refused: tally.refused.values().sum(),
    }
}
