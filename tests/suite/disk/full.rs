//! A full disk (`ingest.md` 5.4 and 10, P8): clients are told to come back, reads go on, and it recovers by itself.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bailiwick_tests::crash::books::{Account, accounts, imbalances};
use bailiwick_tests::crash::mount::Mount;
use bailiwick_tests::crash::sender::Sender;
use bailiwick_tests::crash::traffic::body;
use bailiwick_tests::harness::exposition::sum;
use bailiwick_tests::harness::raw::{EXPORT, TRACES, answer, call, frame};
use bailiwick_tests::harness::{Api, Daemon, eventually};
use bailiwick_tests::load::random::Random;
use prost::Message;
use tonic::Code;
use tonic_types::StatusExt;

const PATIENCE: Duration = Duration::from_secs(30);
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const DISK_BYTES: u64 = 24 << 20;
/// What something else leaves there: more at first than later, as the journal keeps what it took.
const FILLER_BYTES: [usize; 2] = [10 << 20, 6 << 20];

/// The part of `google.rpc.Status` that clients read.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn start(disk: &Path) -> Daemon {
    let place = format!("data_dir={}", disk.join("data").display());
    let settings = ["journal.min_free_bytes=4MiB", "journal.segment_bytes=1MiB", "history.checkpoint_every=1h", &place];
    Daemon::start(&settings.map(|setting| ["--set", setting]).concat())
}

fn fill(disk: &Path, bytes: usize) {
    std::fs::write(disk.join("filler"), vec![1; bytes]).expect("there is room");
}

/// Sends until it is told to come back.
fn send_until_refused(sender: &mut Sender, daemon: &Daemon) {
    sender.send(daemon.http(), &AtomicBool::new(false));
    assert_eq!(sender.wrong, Vec::<String>::new());
}

async fn kept(api: &Api, senders: &[Sender], is_right: fn(&Account) -> bool) -> Result<(), String> {
    let accounts = accounts(api, senders).await?;
    if accounts.iter().all(is_right) { Ok(()) } else { Err(format!("{accounts:?}")) }
}

/// What both transports say, metrics and readiness.
async fn refusals(daemon: &Daemon) {
    let body = body(&mut Random::new(3)).bytes;
    let http = answer(daemon.http(), TRACES, &[PROTOBUF], &body);
    assert_eq!(http.status, 503, "{}", http.head);
    // 30 s and up to a fifth.
    let delay = http.head.lines().find_map(|line| line.strip_prefix("retry-after: ")?.parse::<u32>().ok());
    assert!(delay.is_some_and(|seconds| (30..=36).contains(&seconds)), "{}", http.head);
    let status = Status::decode(&*http.body).expect("google.rpc.Status");
    assert_eq!((status.code, status.message.contains("disk")), (Code::Unavailable as i32, true), "{status:?}");
    let grpc = call(daemon.grpc(), EXPORT, &[], frame(0, &body)).await.status.expect("a status");
    assert_eq!(grpc.code(), Code::Unavailable);
    assert!(grpc.get_details_retry_info().is_some_and(|retry| retry.retry_delay.is_some()), "{grpc:?}");

    let api = daemon.api();
    let samples = api.metrics().await.expect("reads go on");
    let refused = sum(&samples, "bailiwick_ingest_requests_refused_total", &[("reason", "disk_full")]);
    assert!(refused >= 2.0, "{refused}");
    let ready = api.get("/readyz").await.expect("an answer");
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("journal.min_free_bytes"), "{}", ready.text());
    assert_eq!(api.get("/livez").await.expect("an answer").status, 200, "no restart makes room");
}

/// Scenario: clients send until a disk of 24 MiB is full; then something on it is removed; then it is filled again, the
/// daemon is killed, started and told to end.
/// Guarantee: refused with 503 or UNAVAILABLE and a time to come back, counted as `disk_full`, told by /readyz; figures
/// are served and complete; requests are taken again without any help; nothing acknowledged is lost, and its end is 0.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_survived_and_left() {
    let disk = match Mount::memory(DISK_BYTES) {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("not proven here: {reason}"),
    };
    fill(disk.path(), FILLER_BYTES[0]);
    let daemon = start(disk.path());
    let mut senders = [Sender::new(1)];
    send_until_refused(&mut senders[0], &daemon);
    let api = daemon.api();
    eventually("all that was acknowledged is shown", PATIENCE, async || {
        kept(&api, &senders, |account| account.is_kept()).await
    })
    .await;
    refusals(&daemon).await;

    std::fs::remove_file(disk.path().join("filler")).expect("it is there");
    eventually("requests are taken again", PATIENCE, async || {
        if senders[0].settle(daemon.http()) { Ok(()) } else { Err("it is still refused") }
    })
    .await;
    eventually("all is booked once", PATIENCE, async || kept(&api, &senders, |account| account.is_settled()).await)
        .await;
    assert_eq!(api.get("/readyz").await.expect("an answer").text(), "ok\n");

    fill(disk.path(), FILLER_BYTES[1]);
    send_until_refused(&mut senders[0], &daemon);
    drop(daemon);
    let daemon = start(disk.path());
    let api = daemon.api();
    kept(&api, &senders, |account| account.is_kept()).await.expect("a daemon that started has replayed");
    assert_eq!(imbalances(&api).await, Ok(Vec::new()));
    refusals(&daemon).await;
    let exit = daemon.terminate();
    assert_eq!(exit.code, Some(0), "{}", exit.log);
    let acknowledged: u64 = senders[0].acknowledged.values().sum();
    eprintln!("{acknowledged} spans acknowledged, none lost");
}
