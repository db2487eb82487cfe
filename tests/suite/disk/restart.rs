//! What a start makes of what is there (`ingest.md` 9 and 10, P18, P19, P21): the same figures, told when they are whole.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bailiwick_tests::crash::books::{accounts, imbalances};
use bailiwick_tests::crash::sender::Sender;
use bailiwick_tests::crash::traffic::body;
use bailiwick_tests::harness::daemon::command;
use bailiwick_tests::harness::folder::Folder;
use bailiwick_tests::harness::process::Process;
use bailiwick_tests::harness::raw::{TRACES, answer};
use bailiwick_tests::harness::{Api, Daemon, eventually};
use bailiwick_tests::load::random::Random;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(90);
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
/// Requests that a start has to read again: some seconds of a build without optimisation.
const REPLAYED: u64 = 1_500;
/// `shutdown.deadline` by default.
const STOP_MAX: Duration = Duration::from_secs(10);
/// All that the daemon says of what it counted.
const FIGURES: [&str; 11] = [
    "/v1/series?limit=1000",
    "/v1/modules",
    "/v1/tenants",
    "/v1/ingest",
    "/v1/slos",
    "/v1/incidents",
    "/v1/incidents/log",
    "/v1/coverage?window=1h",
    "/v1/findings",
    "/v1/graph?window=1h",
    "/v1/silences",
];
const DEFINITION: &str = "
apiVersion: bailiwick/v1
kind: SLO
metadata: {name: availability}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{duration: 1h, isRolling: true}]
  objectives: [{targetPercent: 90}]
  bailiwick:
    module: shop
    sli: {kind: availability}
    alerts:
      holdDown: 10s
      tiers: [{severity: page, long: 1m, short: 20s, factor: 2}]
";

fn start(directory: &Path, further: &[String]) -> Daemon {
    let mut arguments = vec!["--set".to_owned(), format!("data_dir={}", directory.display())];
    arguments.extend(further.iter().flat_map(|setting| ["--set".to_owned(), setting.clone()]));
    Daemon::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A request that failed, with a child that is another tenant's.
fn failure(number: u128) -> Vec<u8> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos();
    let text = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let span = |id: u8, parent: &str, kind: u8, tenant: &str| {
        let tenant = text("tenant.id", tenant);
        format!(
            r#"{{"traceId":"{:032x}","spanId":"{id:016x}",{parent}"name":"answer","kind":{kind},"startTimeUnixNano":"{}","endTimeUnixNano":"{now}","attributes":[{tenant}],"status":{{"code":2}}}}"#,
            now + number,
            now - 5_000_000
        )
    };
    let spans = [span(1, "", 2, "acme"), span(2, r#""parentSpanId":"0000000000000001","#, 2, "globex")].join(",");
    let resource = text("service.name", "shop");
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{resource}]}},"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#
    )
    .into_bytes()
}

/// All figures, without the moment at which they were asked for.
async fn figures(api: &Api) -> Result<Vec<(&'static str, Value)>, String> {
    let mut figures = Vec::new();
    for path in FIGURES {
        let reply = api.get(path).await?;
        if reply.status != 200 {
            return Err(format!("{path}: {}", reply.text()));
        }
        // A log is a JSON document a line.
        let mut lines: Vec<Value> =
            reply.text().lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.into())).collect();
        lines.iter_mut().for_each(timeless);
        // A trace is judged at a tick, and each daemon has its own.
        let judged =
            lines.iter_mut().filter(|_| path == "/v1/findings").filter_map(|line| line["items"].as_array_mut());
        judged.flatten().filter_map(Value::as_object_mut).for_each(|finding| drop(finding.remove("last_seen_at")));
        figures.push((path, Value::Array(lines)));
    }
    Ok(figures)
}

/// `to` is the present: the end of the slot that is not closed yet.
fn timeless(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("to");
            fields.values_mut().for_each(timeless);
        }
        Value::Array(items) => items.iter_mut().for_each(timeless),
        _ => {}
    }
}

async fn same(left: &Api, right: &Api) -> Result<(), String> {
    let (left, right) = (figures(left).await?, figures(right).await?);
    match left.iter().zip(&right).find(|(left, right)| left != right) {
        None => Ok(()),
        Some(((path, left), (_, right))) => Err(format!("{path}:\n{left}\n{right}")),
    }
}

/// Scenario: a daemon with three tenants, an SLO whose incident is open and a leak stands still for a moment, in which its
/// directory is copied: what SIGKILL would leave. A second daemon starts on the copy, later a third after its SIGTERM.
/// Guarantee: each says of all figures what the first says, which never ended.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_and_after_an_end_figures_are_those_of_a_daemon_that_went_on() {
    let home = Folder::new("twins");
    let definition = home.path().join("slo.yaml");
    std::fs::write(&definition, DEFINITION).expect("a file");
    let further = [format!("slo.files=[\"{}\"]", definition.display()), "history.checkpoint_every=5s".to_owned()];
    let first = start(&home.path().join("first"), &further);
    let api = first.api();
    let mut number = 0;
    eventually("an incident and a finding", PATIENCE, async || {
        number += 1;
        let sent = answer(first.http(), TRACES, &[("content-type", "application/json")], &failure(number));
        assert_eq!(sent.status, 200, "{}", sent.head);
        for path in ["/v1/incidents", "/v1/findings"] {
            if api.json(path).await?["items"].as_array().is_none_or(Vec::is_empty) {
                return Err(format!("nothing in {path}"));
            }
        }
        Ok(())
    })
    .await;
    // Successes of three tenants, which no checkpoint holds yet.
    let mut random = Random::new(3);
    for _ in 0..20 {
        let sent = answer(first.http(), TRACES, &[PROTOBUF], &body(&mut random).bytes);
        assert_eq!(sent.status, 200, "{}", sent.head);
    }
    first.process().signal("STOP").expect("it runs");
    let mut copying = Command::new("cp");
    let copied = copying.args(["-a", "--sparse=always", "first", "second"]).current_dir(home.path()).status();
    assert!(copied.is_ok_and(|status| status.success()), "the directory is copied");
    first.process().signal("CONT").expect("it stands still");

    let second = start(&home.path().join("second"), &further);
    eventually("figures after SIGKILL", PATIENCE, async || same(&api, &second.api()).await).await;
    let exit = second.terminate();
    assert_eq!(exit.code, Some(0), "{}", exit.log);
    let third = start(&home.path().join("second"), &further);
    eventually("figures after SIGTERM", PATIENCE, async || same(&api, &third.api()).await).await;
    let slos = api.json("/v1/slos").await.expect("an answer");
    assert!(slos["items"].as_array().is_some_and(|items| !items.is_empty()), "{slos}");
}

/// Ports of TCP that a process listens on.
fn listening(process: u32) -> std::io::Result<Vec<SocketAddr>> {
    let files = std::fs::read_dir(format!("/proc/{process}/fd"))?.flatten();
    let links = files.filter_map(|file| Some(std::fs::read_link(file.path()).ok()?.to_string_lossy().into_owned()));
    let own: BTreeSet<String> =
        links.filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())).collect();
    let table = std::fs::read_to_string(format!("/proc/{process}/net/tcp"))?;
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    // Local address, state (0A: listening) and inode, as proc(5) has them.
    let ours = rows.filter(|row| row.len() > 9 && row[3] == "0A" && own.contains(row[9]));
    let ports = ours.filter_map(|row| u16::from_str_radix(row[1].rsplit_once(':')?.1, 16).ok());
    Ok(ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect())
}

/// Scenario: a daemon is killed with a long journal and no checkpoint; whoever asks its successor finds its port as soon
/// as it listens, and asks /readyz all the time.
/// Guarantee: it says that it is starting and reads its journal; at the first "ok" all that was acknowledged is shown, and
/// it never takes readiness back.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_is_true_from_its_first_word() {
    let home = Folder::new("replay");
    let further = ["journal.durability=os".to_owned(), "history.checkpoint_every=1h".to_owned()];
    let first = start(home.path(), &further);
    let mut random = Random::new(9);
    let mut sent = 0;
    for _ in 0..REPLAYED {
        let body = body(&mut random);
        assert_eq!(answer(first.http(), TRACES, &[PROTOBUF], &body.bytes).status, 200);
        sent += body.spans;
    }
    drop(first);

    let place = format!("data_dir={}", home.path().display());
    let successor = Process::spawn(command(&[], &["--set", &place]).env("RUST_BACKTRACE", "1")).expect("it is built");
    let mut reasons = BTreeSet::new();
    let api = eventually("readiness", PATIENCE, async || {
        for address in listening(successor.id()).map_err(|error| error.to_string())? {
            let api = Api::new(address);
            match api.get("/readyz").await {
                Ok(reply) if reply.status == 200 => return Ok(api),
                Ok(reply) if reply.status == 503 => reasons.extend(reply.text().lines().map(str::to_owned)),
                // The receiver's ports know no such path.
                _ => {}
            }
        }
        Err(format!("{reasons:?}"))
    })
    .await;
    let shown = api.json("/v1/series?limit=1000").await.expect("an answer");
    let items = shown["items"].as_array().into_iter().flatten();
    let stored: u64 = items.filter_map(|item| item["total"]["success"].as_u64()).sum();
    assert_eq!(stored, sent, "readiness came before the figures");
    assert!(reasons.iter().any(|reason| reason.contains("journal failed: starting")), "{reasons:?}");
    assert_eq!(api.get("/readyz").await.expect("an answer").status, 200);
    assert!(successor.terminate(STOP_MAX).expect("it ends").code == Some(0));
}

/// Scenario: eight clients send as fast as they can while the daemon is told to end, five times.
/// Guarantee: it ends with 0 within its deadline; after the next start nothing acknowledged is missing, nothing was
/// invented, and books balance.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_under_load_loses_nothing() {
    let home = Folder::new("ends");
    let mut random = Random::new(4);
    let mut senders: Vec<Sender> = (0..8).map(|_| Sender::new(random.bits())).collect();
    let mut daemon = start(home.path(), &[]);
    for round in 1..=5 {
        let stop = AtomicBool::new(false);
        let (address, api) = (daemon.http(), daemon.api());
        let (took, exit) = std::thread::scope(|scope| {
            for sender in &mut senders {
                let stop = &stop;
                scope.spawn(move || sender.send(address, stop));
            }
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(under_load(&api, round)));
            let began = Instant::now();
            let exit = daemon.terminate();
            stop.store(true, Ordering::Relaxed);
            (began.elapsed(), exit)
        });
        assert!(exit.code == Some(0) && took < STOP_MAX, "round {round}: {took:?}, {:?}: {}", exit.code, exit.log);
        daemon = start(home.path(), &[]);
        let accounts = accounts(&daemon.api(), &senders).await.expect("an answer");
        assert!(accounts.iter().all(|account| account.is_kept()), "round {round}: {accounts:?}");
        assert_eq!(imbalances(&daemon.api()).await, Ok(Vec::new()));
        eprintln!("round {round}: ended in {took:?}, {accounts:?}");
    }
    assert!(senders.iter().all(|sender| sender.wrong.is_empty()), "{senders:?}");
}

/// Waits until more was received than in the rounds before.
async fn under_load(api: &Api, round: u64) {
    eventually("load", PATIENCE, async || {
        let books = api.json("/v1/ingest").await?;
        let received: u64 =
            books["items"].as_array().into_iter().flatten().filter_map(|item| item["received"].as_u64()).sum();
        if received >= round * 20_000 { Ok(()) } else { Err(format!("{received} spans")) }
    })
    .await;
}
