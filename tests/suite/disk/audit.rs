//! No acknowledgement overtakes the disk (`ingest.md` 10, P3): the system calls of a daemon, in their order.

#[path = "trace.rs"]
mod trace;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bailiwick_tests::harness::folder::Folder;
use bailiwick_tests::harness::raw::{TRACES, answer};
use bailiwick_tests::harness::{Daemon, eventually};
use trace::{Trace, Verdict};

const PATIENCE: Duration = Duration::from_secs(20);
const CALLS: &str = "trace=pwrite64,pwritev,fdatasync,fsync,write,writev,sendto,sendmsg";

/// A running strace. Dropping it lets go of the process.
struct Tracer(Child);

impl Drop for Tracer {
    fn drop(&mut self) {
        // SIGTERM: it writes out what it has seen.
        let _ = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// A name that stands in one request only, without digits, which could be taken for an id.
fn mark(number: u32) -> String {
    let letters = (0..4).map(|place| char::from(b'g' + (number / 20_u32.pow(place) % 20) as u8));
    format!("mark{}stop", letters.collect::<String>())
}

fn body(name: &str) -> Vec<u8> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos();
    let resource = r#"{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]}"#;
    let span = format!(
        r#"{{"traceId":"{now:032x}","spanId":"{now:016x}","name":"{name}","kind":2,"startTimeUnixNano":"{now}","endTimeUnixNano":"{now}"}}"#
    );
    format!(r#"{{"resourceSpans":[{{"resource":{resource},"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#).into_bytes()
}

/// Why a process is not watched by all its threads yet.
fn unwatched(process: u32) -> Result<(), String> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).map_err(|error| error.to_string())?;
    for thread in threads.flatten() {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        if status.lines().any(|line| line.split_whitespace().eq(["TracerPid:", "0"])) {
            return Err(format!("{} is not watched", thread.path().display()));
        }
    }
    Ok(())
}

/// Sends `requests` one after the other to a daemon that is watched; `None`: nothing watches here.
async fn audit(durability: &str, requests: u32) -> Option<Verdict> {
    let home = Folder::new("audit");
    let file = home.path().join("trace");
    let daemon = Daemon::start(&["--set", &format!("journal.durability={durability}")]);
    let process = daemon.process().id();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-s", "65536", "-e", CALLS, "-o"]).arg(&file).args(["-p", &process.to_string()]);
    let spawned = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut tracer = match spawned {
        Ok(child) => Tracer(child),
        Err(error) => {
            eprintln!("not proven here: failed to run strace: {error}");
            return None;
        }
    };
    let watched = eventually("all threads are watched", PATIENCE, async || match tracer.0.try_wait() {
        Ok(Some(_)) => Ok(false),
        _ => unwatched(process).map(|()| true),
    });
    if !watched.await {
        eprintln!("not proven here: strace may not watch processes");
        return None;
    }
    for number in 0..requests {
        let answer = answer(daemon.http(), TRACES, &[("content-type", "application/json")], &body(&mark(number)));
        assert_eq!(answer.status, 200, "{}", answer.head);
    }
    drop(tracer);
    let trace = Trace::read(&std::fs::read_to_string(&file).expect("strace wrote it"));
    Some(trace.judge((0..requests).map(mark)))
}

/// Scenario: a client sends 1,000 requests one after the other to a daemon whose system calls are watched.
/// Guarantee: each response goes out after its record was written to a segment, and after a sync of that file that began
/// when the write had returned, and succeeded.
#[tokio::test(flavor = "multi_thread")]
async fn each_answer_goes_out_after_its_record_is_on_the_disk() {
    let Some(verdict) = audit("fsync", 1_000).await else { return };
    eprintln!("{verdict:?}");
    assert_eq!((verdict.responses, verdict.written, verdict.synced), (1_000, 1_000, 1_000));
}

/// Scenario: the same at the level `os`.
/// Guarantee: each response goes out after the write and some before any sync, so that the proof above can see that.
#[tokio::test(flavor = "multi_thread")]
async fn at_the_level_of_the_system_answers_wait_for_the_write_only() {
    let Some(verdict) = audit("os", 100).await else { return };
    eprintln!("{verdict:?}");
    assert_eq!((verdict.responses, verdict.written), (100, 100));
    assert!(verdict.synced < 100, "nobody waits for the disk here");
}
