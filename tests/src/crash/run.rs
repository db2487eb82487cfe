//! Start, traffic, SIGKILL, and again; after each start the books are compared with the senders'.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::books::{accounts, imbalances};
use super::sender::{Sender, Spans};
use crate::harness::{Api, Daemon, binary, eventually, folder::Folder};
use crate::load::random::Random;

/// Clients at once.
const SENDERS: u64 = 8;
/// A kill comes this long after the daemon was ready, milliseconds.
const KILL_AFTER_MS: (u64, u64) = (50, 2_000);
/// One start in so many is killed before it is ready: while it replays.
const EARLY_EVERY: u32 = 5;
/// How long after its start, milliseconds.
const EARLY_MS: (u64, u64) = (1, 60);
/// Booking takes a tick.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Kills.
    pub kills: u32,
    /// Of all that is random.
    pub seed: u64,
    /// Further settings of the daemon (`key=value`).
    pub settings: Vec<String>,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Kills, those before the daemon was ready included.
    pub kills: u32,
    /// Of them those before it was ready.
    pub early: u32,
    /// Spans that were sent, each once.
    pub sent: u64,
    /// Spans that were acknowledged.
    pub acknowledged: u64,
    /// Requests that were sent more than once.
    pub resent: u64,
    /// Items that the daemon booked as duplicates.
    pub duplicates: u64,
    /// The longest time from a start to readiness.
    pub ready_max: Duration,
    /// Whatever was not as it must be.
    pub violations: Vec<String>,
}

/// Runs it.
///
/// # Panics
/// When a daemon does not start.
pub async fn run(plan: &Plan) -> Outcome {
    let home = Folder::new("crash");
    let mut arguments = vec!["--set".to_owned(), format!("data_dir={}", home.path().display())];
    arguments.extend(plan.settings.iter().flat_map(|setting| ["--set".to_owned(), setting.clone()]));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut random = Random::new(plan.seed);
    let mut senders: Vec<Sender> = (0..SENDERS).map(|_| Sender::new(random.bits())).collect();
    let mut outcome = Outcome::default();
    while outcome.kills < plan.kills {
        if (outcome.kills + 1).is_multiple_of(EARLY_EVERY) {
            kill_early(&arguments, between(&mut random, EARLY_MS));
            (outcome.kills, outcome.early) = (outcome.kills + 1, outcome.early + 1);
            continue;
        }
        let daemon = start(&arguments, &mut outcome);
        let booked = eventually("what was acknowledged is booked", PATIENCE, async || {
            compare(&daemon.api(), &senders, false).await
        });
        booked.await;
        let kill_after = between(&mut random, KILL_AFTER_MS);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for sender in &mut senders {
                let (address, stop) = (daemon.http(), &stop);
                scope.spawn(move || sender.send(address, stop));
            }
            std::thread::sleep(kill_after);
            // SIGKILL; the senders find out by themselves.
            drop(daemon);
            stop.store(true, Ordering::Relaxed);
        });
        outcome.kills += 1;
    }
    settle(&arguments, &mut senders, &mut outcome).await;
    outcome
}

/// The end: all that is open is sent until it is acknowledged, and then the books are exactly what was sent.
async fn settle(arguments: &[&str], senders: &mut [Sender], outcome: &mut Outcome) {
    let daemon = start(arguments, outcome);
    for sender in &mut *senders {
        if !sender.settle(daemon.http()) {
            outcome.violations.push("a daemon that nobody killed went away".to_owned());
        }
    }
    let api = daemon.api();
    eventually("all is booked once", PATIENCE, async || compare(&api, senders, true).await).await;
    let books = api.json("/v1/ingest").await.unwrap_or_default();
    for item in books["items"].as_array().into_iter().flatten() {
        outcome.duplicates += item["duplicates"].as_u64().unwrap_or_default();
    }
    outcome.violations.extend(imbalances(&api).await.unwrap_or_else(|error| vec![error]));
    let exit = daemon.terminate();
    if exit.code != Some(0) {
        outcome.violations.push(format!("its end: {:?}", exit.code));
    }
    outcome.sent = senders.iter().map(|sender| sum(&sender.sent)).sum();
    outcome.acknowledged = senders.iter().map(|sender| sum(&sender.acknowledged)).sum();
    outcome.resent = senders.iter().map(|sender| sender.resent).sum();
    outcome.violations.extend(senders.iter().flat_map(|sender| sender.wrong.clone()));
}

fn start(arguments: &[&str], outcome: &mut Outcome) -> Daemon {
    let began = Instant::now();
    let daemon = Daemon::start(arguments);
    outcome.ready_max = outcome.ready_max.max(began.elapsed());
    daemon
}

/// A daemon that is killed before it could say a word.
fn kill_early(arguments: &[&str], after: Duration) {
    let mut command = Command::new(binary("bailiwick"));
    command.args([
        "serve",
        "--set",
        "receiver.grpc.listen=[127.0.0.1:0]",
        "--set",
        "receiver.http.listen=[127.0.0.1:0]",
    ]);
    command.args(["--set", "server.listen=127.0.0.1:0"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the daemon is built");
    std::thread::sleep(after);
    let _ = child.kill();
    let _ = child.wait();
}

/// Acknowledged <= stored <= sent; at the end all three are equal.
async fn compare(api: &Api, senders: &[Sender], is_settled: bool) -> Result<(), String> {
    for account in accounts(api, senders).await? {
        let is_right = if is_settled { account.is_settled() } else { account.is_kept() };
        if !is_right {
            return Err(format!("{account:?}"));
        }
    }
    Ok(())
}

/// A time between two numbers of milliseconds.
pub(super) fn between(random: &mut Random, (least, most): (u64, u64)) -> Duration {
    Duration::from_millis(least + random.below(most - least))
}

fn sum(spans: &Spans) -> u64 {
    spans.values().sum()
}
