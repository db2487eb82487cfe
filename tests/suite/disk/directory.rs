//! What a data directory may not be (`ingest.md` 7.5 and 10, P6 and P26; row O6, O7): refused with a remedy, or mended.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bailiwick_tests::crash::books::accounts;
use bailiwick_tests::crash::mount::Mount;
use bailiwick_tests::crash::sender::Sender;
use bailiwick_tests::harness::exposition::sum;
use bailiwick_tests::harness::folder::Folder;
use bailiwick_tests::harness::process::Exit;
use bailiwick_tests::harness::{Daemon, eventually};

/// A start ends within this time, ready or refusing (`ingest.md` 5.5).
const START_MAX: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(20);

fn place(directory: &Path) -> [String; 6] {
    let place = format!("data_dir={}", directory.display());
    ["--set", &place, "--set", "journal.segment_bytes=1MiB", "--set", "history.checkpoint_every=1s"].map(str::to_owned)
}

fn start(directory: &Path) -> Daemon {
    let arguments = place(directory);
    Daemon::start(&arguments.each_ref().map(String::as_str))
}

/// How a start that must fail ends.
fn refused(directory: &Path) -> Exit {
    let arguments = place(directory);
    match Daemon::refused(&arguments.each_ref().map(String::as_str), START_MAX) {
        Ok(exit) => exit,
        Err(failure) => panic!("{failure}"),
    }
}

fn assert_refused(directory: &Path, code: i32, words: &[&str]) {
    let exit = refused(directory);
    assert_eq!(exit.code, Some(code), "{}", exit.log);
    for word in words {
        assert!(exit.log.contains(word), "`{word}` in {}", exit.log);
    }
}

/// A directory that a daemon used and left.
fn used(name: &str) -> Folder {
    let home = Folder::new(name);
    let exit = start(home.path()).terminate();
    assert_eq!(exit.code, Some(0), "{}", exit.log);
    home
}

/// Scenario: a second daemon on the directory of a running one.
/// Guarantee: exit 75 with the process that has it; the first goes on, and after it the directory is free.
#[tokio::test]
async fn a_directory_has_one_daemon_at_a_time() {
    let home = Folder::new("shared");
    let first = start(home.path());
    assert_refused(home.path(), 75, &[&format!("in use by pid {}:", first.process().id()), "set data_dir"]);
    assert_eq!(first.api().get("/readyz").await.expect("an answer").status, 200);
    drop(first);
    drop(start(home.path()));
}

/// Scenario: a symbolic link, a directory of somebody else's files, one of a newer version, one that is a file.
/// Guarantee: exit 74 with the remedy, and nothing in it is changed.
#[test]
fn what_is_no_directory_of_ours_is_refused() {
    let home = used("fit");
    let link = home.path().with_extension("link");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(home.path(), &link).expect("a link");
    assert_refused(&link, 74, &["is a symbolic link", "set data_dir"]);
    std::fs::remove_file(&link).expect("it is there");

    let foreign = Folder::new("foreign");
    std::fs::write(foreign.path().join("holiday.txt"), "sun").expect("a file");
    assert_refused(foreign.path(), 74, &["holiday.txt", "set data_dir"]);
    assert_refused(&foreign.path().join("holiday.txt"), 74, &["is no directory"]);
    assert!(!foreign.path().join("journal").exists() && !foreign.path().join("FORMAT").exists());

    let format = std::fs::read_to_string(home.path().join("FORMAT")).expect("it was used");
    let newer = format.replacen(" 1 ", " 2 ", 1);
    assert_ne!(newer, format);
    std::fs::write(home.path().join("FORMAT"), newer).expect("it can be written");
    assert_refused(home.path(), 74, &["has format 2; this binary reads up to 1", "start the version that wrote it"]);
}

/// Scenario: a data directory on a file system that became read-only.
/// Guarantee: exit 74 with the remedy.
#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    let disk = match Mount::memory(32 << 20) {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("not proven here: {reason}"),
    };
    let directory = disk.path().join("data");
    assert_eq!(start(&directory).terminate().code, Some(0));
    disk.make_read_only().expect("nobody uses it");
    assert_refused(&directory, 74, &["cannot be written", "set data_dir"]);
}

/// Scenario: a segment of another data directory was copied into the journal; so was a whole store.
/// Guarantee: exit 74; the file is named, with the remedy.
#[test]
fn files_of_another_directory_are_refused_by_name() {
    let (ours, theirs) = (used("ours"), used("theirs"));
    let segment = names(&theirs.path().join("journal")).pop().expect("a segment");
    let stranger = ours.path().join("journal/00000000000000999999.seg");
    std::fs::copy(theirs.path().join("journal").join(segment), &stranger).expect("a copy");
    assert_refused(ours.path(), 74, &["00000000000000999999.seg belongs to another data directory", "remove it"]);
    std::fs::remove_file(stranger).expect("it is there");

    std::fs::remove_dir_all(ours.path().join("store")).expect("it is there");
    copy(&theirs.path().join("store"), &ours.path().join("store"));
    assert_refused(ours.path(), 74, &["store", "belongs to another data directory", "as a whole"]);
}

/// Scenario: the store of a daemon that ended has lost the file by which its tables are found; somebody starts the daemon
/// again and again, as an init system does.
/// Guarantee: it refuses with exit 74 each time, and never takes what is left for a new store.
#[test]
fn a_store_that_lost_its_rows_is_no_new_store() {
    let home = used("lost");
    std::fs::remove_file(home.path().join("store/keyspaces/0/current")).expect("fjall has it");
    for _ in 0..3 {
        assert_refused(home.path(), 74, &["failed to open the store", "restore the data directory"]);
    }
}

/// Scenario: each file of the store of a killed daemon, damaged in turn: a bit at its begin, in its middle and near its
/// end, cut to half, emptied, removed.
/// Guarantee: within ten seconds it refuses with exit 74 and says why, the next time too, or it is ready and its figures are those that were
/// acknowledged, unless it tells of the loss itself; they are never more.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_refused_mended_or_told() {
    let home = Folder::new("store");
    let senders = [fill(home.path()).await];
    let files = tree(&home.path().join("store"));
    assert!(files.len() >= 8, "{files:?}");
    let (mut refusals, mut whole, mut told, mut wrong) = (0, 0, 0, Vec::new());
    for (at, file) in files.iter().enumerate() {
        // Two kinds of damage a file, another pair for the next: some hundred starts would prove little more.
        for damage in [DAMAGES[at % 3], DAMAGES[3 + at / 3 % 3]] {
            let copied = Folder::new("damaged");
            let directory = copied.path().join("data");
            copy(home.path(), &directory);
            let victim = directory.join(file.strip_prefix(home.path()).expect("it is inside"));
            if !damage.does(&victim) {
                continue;
            }
            let what = format!("{damage:?} of {}", victim.strip_prefix(&directory).expect("it is inside").display());
            match outcome(&directory, &senders).await {
                Ok(Outcome::Refused) => refusals += 1,
                Ok(Outcome::Whole) => whole += 1,
                Ok(Outcome::Told) => told += 1,
                Err(reason) => {
                    eprintln!("{what}: {reason}");
                    wrong.push(format!("{what}: {reason}"));
                }
            }
        }
    }
    eprintln!("refused {refusals}, whole {whole}, told {told}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refusals > 0 && whole > 0);
}

/// Traffic over several checkpoints, then SIGKILL.
async fn fill(directory: &Path) -> Sender {
    let daemon = start(directory);
    let (api, address, stop) = (daemon.api(), daemon.http(), Arc::new(AtomicBool::new(false)));
    let until = Arc::clone(&stop);
    let sending = std::thread::spawn(move || {
        let mut sender = Sender::new(11);
        sender.send(address, &until);
        sender
    });
    eventually("three checkpoints", PATIENCE, async || {
        let samples = api.metrics().await?;
        let count = sum(&samples, "bailiwick_ingest_checkpoint_seconds_count", &[]);
        if count >= 3.0 { Ok(()) } else { Err(format!("{count} checkpoints")) }
    })
    .await;
    drop(daemon);
    stop.store(true, Ordering::Relaxed);
    sending.join().expect("a sender ends with its daemon")
}

enum Outcome {
    Refused,
    Whole,
    Told,
}

/// How a damaged directory starts; an error: as it must not.
async fn outcome(directory: &Path, senders: &[Sender]) -> Result<Outcome, String> {
    let arguments = place(directory);
    let arguments = arguments.each_ref().map(String::as_str);
    let began = Instant::now();
    let started = Daemon::launch(&[], &arguments);
    if began.elapsed() > START_MAX {
        return Err(format!("it took {:?}", began.elapsed()));
    }
    let daemon = match started {
        Ok(daemon) => daemon,
        Err(failure) => {
            // A start that refused changes nothing: the next one refuses as well.
            let arguments = place(directory);
            let again = Daemon::refused(&arguments.each_ref().map(String::as_str), START_MAX);
            return match again {
                Ok(exit) if exit.code == Some(74) => Ok(Outcome::Refused),
                Ok(exit) => Err(format!("{failure}\nagain {:?}: {}", exit.code, exit.log)),
                Err(again) => Err(format!("{failure}\nagain: {again}")),
            };
        }
    };
    let api = daemon.api();
    let accounts = accounts(&api, senders).await?;
    let samples = api.metrics().await?;
    let is_told = sum(&samples, "bailiwick_ingest_journal_damaged_ranges_total", &[]) > 0.0;
    let is_more = accounts.iter().any(|account| account.stored > account.sent);
    let is_less = accounts.iter().any(|account| account.lost() > 0);
    match (is_more, is_less, is_told) {
        (false, false, _) => Ok(Outcome::Whole),
        (false, true, true) => Ok(Outcome::Told),
        _ => Err(format!("{accounts:?}, told: {is_told}")),
    }
}

/// What may happen to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// A bit at so many 64ths of its used bytes.
    Bit(usize),
    /// Half of its used bytes are left.
    Half,
    /// Nothing is left.
    Empty,
    /// It is not there.
    Gone,
}

const DAMAGES: [Damage; 6] =
    [Damage::Bit(1), Damage::Bit(32), Damage::Bit(63), Damage::Half, Damage::Empty, Damage::Gone];

impl Damage {
    /// Damages a file; `false`: there is nothing to damage.
    fn does(self, path: &Path) -> bool {
        let mut bytes = std::fs::read(path).expect("a file");
        // Logs are longer than what is in them.
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        match self {
            Self::Gone => return std::fs::remove_file(path).is_ok(),
            _ if used == 0 => return false,
            Self::Bit(at) => bytes[(used - 1) * at / 64] ^= 4,
            Self::Half => bytes.truncate(used / 2),
            Self::Empty => bytes.clear(),
        }
        std::fs::write(path, bytes).is_ok()
    }
}

/// All files in a folder and those in it.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(tree(&path)),
            path => found.push(path),
        }
    }
    found.sort();
    found
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A copy of a folder; long files of nought take no room.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").args(["-a", "--sparse=always"]).arg(from).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "{} is copied", from.display());
}
