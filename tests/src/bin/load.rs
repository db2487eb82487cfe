//! The load generator: `load table` measures what README quotes, `load run` one cell, `load serve` is a yardstick.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use bailiwick_tests::load::cell::{self, Course, Figures};
use bailiwick_tests::load::client::Manner;
use bailiwick_tests::load::pool::Pool;
use bailiwick_tests::load::table::{self, Round};
use bailiwick_tests::load::target::Kind;
use bailiwick_tests::load::workload::{Compression, Frames, Plan, Workload};
use bailiwick_tests::load::{null_sink, peer, usage};
use clap::{Args, Parser, Subcommand};

/// The daemon's allocator, so that no yardstick loses to an allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(about = "Measures OTLP servers: CPU per span, throughput, latency, memory")]
enum Command {
    /// Null sink, daemon and peer in one run: every compression and number of series.
    Table(TableArguments),
    /// One server, one cell per round.
    Run(RunArguments),
    /// Serves a yardstick until it is killed.
    #[command(subcommand)]
    Serve(Yardstick),
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Yardstick {
    /// The daemon's transport, bytes dropped.
    Null,
    /// tonic, decoded by prost and dropped.
    Peer,
}

#[derive(Debug, Args)]
struct Sending {
    /// Kind of span.
    #[arg(long, value_enum, default_value = "w1")]
    workload: Workload,
    /// Spans of a request.
    #[arg(long, default_value_t = 512)]
    spans: usize,
    /// Exponent of Zipf's law over series; 0: all alike.
    #[arg(long, default_value_t = 0.0)]
    skew: f64,
    /// Seed of the bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Requests in flight over all connections.
    #[arg(long, default_value_t = 8)]
    inflight: usize,
    /// Connections.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// DATA frames.
    #[arg(long, value_enum, default_value = "whole")]
    frames: Frames,
    /// Measured seconds of a cell.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Seconds before them.
    #[arg(long, default_value_t = 3)]
    warmup: u64,
    /// Rounds.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Leave server and generator to any core.
    #[arg(long)]
    unpinned: bool,
    /// Where raw figures go, one JSON object a line; none by default.
    #[arg(long)]
    raw: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RunArguments {
    /// Which server.
    #[arg(long, value_enum, default_value = "daemon")]
    server: Kind,
    /// Series.
    #[arg(long, default_value_t = 10_000)]
    series: usize,
    /// Compression of bodies.
    #[arg(long, value_enum, default_value = "none")]
    compression: Compression,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Debug, Args)]
struct TableArguments {
    /// Numbers of series; the middle one is also what the yardsticks get.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    series: Vec<usize>,
    /// Compressions of bodies.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["none", "gzip", "zstd"])]
    compression: Vec<Compression>,
    #[command(flatten)]
    sending: Sending,
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Serve(yardstick) => {
            // Like the daemon's own: a worker per core that the process may use.
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(serve(yardstick))
        }
        Command::Run(arguments) => {
            let RunArguments { server, series, compression, sending } = arguments;
            run(&sending, &[(server, series, compression)])
        }
        Command::Table(arguments) => run(&arguments.sending, &cells(&arguments)),
    }
}

async fn serve(yardstick: Yardstick) -> anyhow::Result<()> {
    let announce = |address: std::net::SocketAddr| {
        eprintln!("{}", serde_json::json!({"message": "started", "grpc": [address.to_string()]}));
    };
    match yardstick {
        Yardstick::Peer => peer::serve(announce).await,
        Yardstick::Null => {
            let receiver = null_sink::serve().await?;
            receiver.grpc().iter().copied().for_each(announce);
            std::future::pending().await
        }
    }
}

/// Null sink, daemon by series, peer, null sink again, for each compression.
fn cells(arguments: &TableArguments) -> Vec<(Kind, usize, Compression)> {
    let middle = arguments.series[arguments.series.len() / 2];
    let mut cells = Vec::new();
    for compression in &arguments.compression {
        cells.push((Kind::Null, middle, *compression));
        cells.extend(arguments.series.iter().map(|series| (Kind::Daemon, *series, *compression)));
        cells.push((Kind::Peer, middle, *compression));
        cells.push((Kind::Null, middle, *compression));
    }
    cells
}

fn run(sending: &Sending, cells: &[(Kind, usize, Compression)]) -> anyhow::Result<()> {
    if !sending.unpinned {
        pin_to_last_core()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", std::env::args().collect::<Vec<_>>().join(" "));
    println!("before: {}", usage::machine());
    let pools = pools(sending, cells)?;
    let mut rounds = Vec::new();
    for number in 0..sending.rounds {
        let mut round = Round { cells: Vec::new() };
        for (kind, series, compression) in rotated(cells, number) {
            let (_, pool) = pools.iter().find(|(of, _)| *of == series).expect("every number of series has its pool");
            let figures = runtime.block_on(cell::run(kind, pool, manner(sending, compression), course(sending)))?;
            eprintln!("round {}: {}", number + 1, serde_json::to_string(&figures)?);
            keep(sending, &figures)?;
            round.cells.push(figures);
        }
        rounds.push(round);
    }
    println!("after: {}\n", usage::machine());
    println!("{}", table::markdown(&rounds));
    Ok(())
}

fn pools(sending: &Sending, cells: &[(Kind, usize, Compression)]) -> anyhow::Result<Vec<(usize, Pool)>> {
    let mut pools: Vec<(usize, Pool)> = Vec::new();
    for (_, series, _) in cells {
        if pools.iter().any(|(of, _)| of == series) {
            continue;
        }
        let Sending { workload, spans, skew, seed, .. } = *sending;
        let pool = Pool::encode(&Plan { workload, spans_per_request: spans, series: *series, skew, seed })?;
        let size = pool.bytes_per_span();
        println!("pool: {series} series, {} requests, {size:.0} B a span, xxh3 {:032x}", pool.len(), pool.hash);
        pools.push((*series, pool));
    }
    Ok(pools)
}

/// The cells between the null sinks change places from round to round, so that none always runs on a warm machine.
fn rotated(cells: &[(Kind, usize, Compression)], by: usize) -> Vec<(Kind, usize, Compression)> {
    let mut order = cells.to_vec();
    for part in order.split_mut(|(kind, ..)| *kind == Kind::Null) {
        let by = by % part.len().max(1);
        part.rotate_left(by);
    }
    order
}

fn manner(sending: &Sending, compression: Compression) -> Manner {
    let Sending { connections, inflight, frames, .. } = *sending;
    Manner { connections, inflight, frames, compression }
}

fn course(sending: &Sending) -> Course {
    let seconds = Duration::from_secs;
    Course {
        warmup: seconds(sending.warmup),
        measured: seconds(sending.seconds),
        core: (!sending.unpinned).then_some(0),
    }
}

fn keep(sending: &Sending, figures: &Figures) -> anyhow::Result<()> {
    let Some(path) = &sending.raw else { return Ok(()) };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    Ok(writeln!(file, "{}", serde_json::to_string(figures)?)?)
}

/// The server has core 0 for itself.
fn pin_to_last_core() -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    anyhow::ensure!(cores > 1, "one core is not enough to measure a server on its own; --unpinned measures both");
    let pid = std::process::id().to_string();
    let pinned = std::process::Command::new("taskset").args(["-pc", &(cores - 1).to_string(), &pid]).output()?;
    anyhow::ensure!(pinned.status.success(), "failed to pin: {}", String::from_utf8_lossy(&pinned.stderr));
    Ok(())
}
