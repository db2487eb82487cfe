//! The arguments of `bailiwick demo`. Values only.

use crate::units::Period;

/// Runs the daemon with a synthetic platform that sends to it.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct DemoArguments {
    /// Seed of the traffic: the same seed gives the same books.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Requests per second of the platform.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub rate: u32,
    /// Starts with empty books instead of six hours of past traffic.
    #[arg(long)]
    pub no_backfill: bool,
    /// Faults to seed: `all`, `none` or names joined by commas.
    #[arg(long, value_name = "all|none|NAME,..", default_value = "all")]
    pub faults: String,
    /// Stops by itself after this long.
    #[arg(long, value_name = "DURATION")]
    pub duration: Option<Period>,
}

impl Default for DemoArguments {
    fn default() -> Self {
        Self { seed: 1, rate: 50, no_backfill: false, faults: "all".to_owned(), duration: None }
    }
}
