//! The long form of the suite `kills`: as many kills as are asked for, with a seed.

use bailiwick_tests::crash::{Plan, run};
use clap::Parser;

/// Kills a daemon while clients send to it, again and again.
#[derive(Debug, Parser)]
struct Arguments {
    /// Kills.
    #[arg(long, default_value_t = 2_000)]
    kills: u32,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Durability of all tenants.
    #[arg(long)]
    level: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { kills, seed, level } = Arguments::parse();
    let mut settings = ["journal.segment_bytes=1MiB", "history.checkpoint_every=1s"].map(str::to_owned).to_vec();
    settings.extend(level.map(|level| format!("journal.durability={level}")));
    let outcome = run(&Plan { kills, seed, settings }).await;
    println!("{outcome:#?}");
    anyhow::ensure!(outcome.violations.is_empty() && outcome.acknowledged == outcome.sent, "promises were broken");
    Ok(())
}
