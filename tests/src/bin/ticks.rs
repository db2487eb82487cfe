//! What a tick of the SLO engine costs: `ticks` prints CPU time by number of instances, with four tiers each, and the
//! bytes that an instance takes. Traffic is steady, a tenth of the instances has failures.

use std::time::Instant;

use bailiwick_slo::engine::fleet::{Fleet, Limits};
use bailiwick_slo::engine::sums::{Delta, Source};
use bailiwick_slo::engine::windows::Grid;
use bailiwick_slo::spec::Slo;
use clap::Parser;

/// 2026-03-01T00:00:00Z in ticks of 10 s.
const START: u64 = 177_232_320;

#[derive(Debug, Parser)]
#[command(about = "Measures ticks of the SLO engine")]
struct Command {
    /// Numbers of instances.
    #[arg(long, value_delimiter = ',', default_value = "100,1000,10000")]
    instances: Vec<usize>,
    /// Ticks before the measured ones: a day and a quarter, so that every window but the period's loses ticks.
    #[arg(long, default_value_t = 10_800)]
    before: u64,
    /// Measured ticks.
    #[arg(long, default_value_t = 360)]
    ticks: u64,
}

fn definition() -> Slo {
    let text = "
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability}
spec:
  service: any
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{target: 0.999}]
  bailiwick: {module: '*', sli: {kind: availability}, instancesMax: 100000}
";
    let loaded = bailiwick_slo::document::load(&[("ticks", text)], &bailiwick_slo::document::Context::default());
    assert!(loaded.is_valid(), "{:?}", loaded.findings);
    loaded.slos.into_iter().next().expect("one SLO")
}

fn tick(fleet: &mut Fleet, instances: usize, at: u64) {
    for place in 0..instances as u32 {
        let bad = i64::from(place % 10 == 0 && at.is_multiple_of(7));
        let total = 20 + i64::from(place % 13);
        fleet.bring(place, at, Delta { bad, total, raw_bad: bad, raw_total: total });
    }
}

fn main() {
    let Command { instances, before, ticks } = Command::parse();
    println!("instances  ms a tick  us an instance  bytes an instance");
    for count in instances {
        let limits = Limits { instances_max: count, memory_bytes_max: usize::MAX };
        let mut fleet = Fleet::new(vec![definition()], Grid::LIVE, "bench", limits);
        for place in 0..count {
            fleet.places_of((&format!("tenant-{place}"), "rag_hub", "GET /"), START);
        }
        for at in START..START + before {
            tick(&mut fleet, count, at);
            fleet.close(at, |_, _| Source::Alive);
        }
        let mut closing = std::time::Duration::ZERO;
        for at in START + before..START + before + ticks {
            tick(&mut fleet, count, at);
            let begun = Instant::now();
            std::hint::black_box(fleet.close(at, |_, _| Source::Alive));
            closing += begun.elapsed();
        }
        let ms = closing.as_secs_f64() * 1e3 / ticks as f64;
        let bytes = fleet.memory_bytes() / count;
        println!("{count:>9}  {ms:>9.2}  {:>14.2}  {bytes:>17}", ms * 1e3 / count as f64);
    }
}
