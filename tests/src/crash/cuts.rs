//! Power cuts (`ingest.md` 10, P2): a daemon goes on with what was on its disk at some moment, without all that only
//! the operating system knew.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::books::{Account, accounts, imbalances};
use super::mount::{Mount, ext4};
use super::run::between;
use super::sender::Sender;
use crate::harness::{Daemon, folder::Folder};
use crate::load::random::Random;

/// Clients at once.
const SENDERS: u64 = 8;
/// The disk: the store's log alone may take 64 MiB, and as much again in tables.
const IMAGE_BYTES: u64 = 384 << 20;
/// What is written at once of its copy; pieces of nought are left out.
const PIECE_BYTES: usize = 64 << 10;
/// A cut comes this long after the daemon was ready, milliseconds.
const CUT_AFTER_MS: (u64, u64) = (100, 1_500);
/// A stopped process finishes its system calls first.
const STOP_MAX: Duration = Duration::from_secs(10);
/// Looks at the disk until two in a row saw the same.
const LOOKS_MAX: u32 = 50;

/// What to do.
#[derive(Debug, Clone)]
pub struct Cuts {
    /// Cuts, each of the disk that the one before left.
    pub cuts: u32,
    /// Of all that is random.
    pub seed: u64,
    /// Further settings of the daemon (`key=value`).
    pub settings: Vec<String>,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Cuts.
    pub cuts: u32,
    /// Spans that were sent, each once.
    pub sent: u64,
    /// Spans that were acknowledged.
    pub acknowledged: u64,
    /// Spans that were acknowledged and were not there after a cut.
    pub lost: u64,
    /// Requests that were sent more than once.
    pub resent: u64,
    /// Segments of the journal at the moments of cuts.
    pub segments: Vec<u64>,
    /// The longest time from a start to readiness.
    pub ready_max: Duration,
    /// Whatever else was not as it must be.
    pub violations: Vec<String>,
}

/// Cuts the power again and again.
///
/// # Errors
/// When this machine mounts no images.
///
/// # Panics
/// When a daemon does not start or answer, or no copy can be made or mounted.
pub async fn cut(plan: &Cuts) -> Result<Seen, String> {
    let home = Folder::new("cuts");
    let mut image = ext4(home.path().join("0.img"), IMAGE_BYTES)?;
    let mut disk = Mount::image(&image)?;
    let mut random = Random::new(plan.seed);
    let mut senders: Vec<Sender> = (0..SENDERS).map(|_| Sender::new(random.bits())).collect();
    let mut seen = Seen::default();
    let mut daemon = start(&disk, plan, &mut seen);
    while seen.cuts < plan.cuts {
        let after = between(&mut random, CUT_AFTER_MS);
        let next = home.path().join(format!("{}.img", seen.cuts + 1));
        seen.segments.push(segments(disk.path()));
        traffic(daemon, &mut senders, after, || copy(&image, &next)).expect("the disk can be copied");
        drop(disk);
        std::fs::remove_file(&image).expect("it is not used any more");
        image = next;
        disk = Mount::image(&image).expect("a copy can be mounted as what it is a copy of");
        seen.cuts += 1;
        daemon = start(&disk, plan, &mut seen);
        if let Err(reason) = judge(&daemon, &senders, &mut seen).await {
            let exit = daemon.terminate();
            panic!("cut {}: {reason}; it ended with {:?}; its log:\n{}", seen.cuts, exit.code, exit.log);
        }
    }
    let exit = daemon.terminate();
    if exit.code != Some(0) {
        seen.violations.push(format!("its end: {:?}", exit.code));
    }
    let spans = |of: fn(&Sender) -> u64| senders.iter().map(of).sum();
    seen.sent = spans(|sender| sender.sent.values().sum());
    seen.acknowledged = spans(|sender| sender.acknowledged.values().sum());
    seen.resent = spans(|sender| sender.resent);
    seen.violations.extend(senders.iter().flat_map(|sender| sender.wrong.clone()));
    Ok(seen)
}

fn start(disk: &Mount, plan: &Cuts, seen: &mut Seen) -> Daemon {
    let mut arguments = vec!["--set".to_owned(), format!("data_dir={}", disk.path().join("data").display())];
    arguments.extend(plan.settings.iter().flat_map(|setting| ["--set".to_owned(), setting.clone()]));
    let began = Instant::now();
    let daemon = Daemon::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    seen.ready_max = seen.ready_max.max(began.elapsed());
    daemon
}

/// Sends until the cut. What a sender reads afterwards was answered before: the daemon stands still.
fn traffic(
    daemon: Daemon,
    senders: &mut [Sender],
    after: Duration,
    copy: impl FnOnce() -> io::Result<()>,
) -> Result<(), String> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for sender in senders {
            let (address, stop) = (daemon.http(), &stop);
            scope.spawn(move || sender.send(address, stop));
        }
        std::thread::sleep(after);
        let stopped = stand_still(&daemon);
        let copied = stopped.and_then(|()| copy().map_err(|error| format!("failed to copy the disk: {error}")));
        // SIGKILL; the senders find out by themselves.
        drop(daemon);
        stop.store(true, Ordering::Relaxed);
        copied
    })
}

/// Stops a process, and waits until none of its threads runs any more.
fn stand_still(daemon: &Daemon) -> Result<(), String> {
    daemon.process().signal("STOP").map_err(|failure| failure.to_string())?;
    let threads = PathBuf::from(format!("/proc/{}/task", daemon.process().id()));
    let began = Instant::now();
    while began.elapsed() < STOP_MAX {
        let states = std::fs::read_dir(&threads).map_err(|error| error.to_string())?.map(|thread| {
            let stat = std::fs::read_to_string(thread?.path().join("stat"))?;
            // The name before it, in parentheses, may hold anything.
            Ok(stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')))
        });
        if states.collect::<io::Result<Vec<bool>>>().is_ok_and(|states| states.iter().all(|is_stopped| *is_stopped)) {
            return Ok(());
        }
        std::thread::yield_now();
    }
    Err(format!("the daemon still runs {STOP_MAX:?} after SIGSTOP"))
}

/// The image as it was at one moment: the kernel may write while it is read, so it is read until nothing changed.
fn copy(image: &Path, to: &Path) -> io::Result<()> {
    let mut bytes = std::fs::read(image)?;
    for _ in 0..LOOKS_MAX {
        let again = std::fs::read(image)?;
        if again == bytes {
            return write_sparse(to, &bytes);
        }
        bytes = again;
    }
    Err(io::Error::other("the kernel goes on writing it"))
}

fn write_sparse(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = File::create(path)?;
    file.set_len(bytes.len() as u64)?;
    let nought = [0; PIECE_BYTES];
    for (at, piece) in bytes.chunks(PIECE_BYTES).enumerate() {
        if piece != &nought[..piece.len()] {
            file.write_all_at(piece, (at * PIECE_BYTES) as u64)?;
        }
    }
    Ok(())
}

/// A daemon that is ready has replayed: its figures hold from the first answer on.
async fn judge(daemon: &Daemon, senders: &[Sender], seen: &mut Seen) -> Result<(), String> {
    let api = daemon.api();
    let accounts = accounts(&api, senders).await?;
    seen.lost += accounts.iter().map(Account::lost).sum::<u64>();
    let invented = accounts.iter().filter(|account| account.stored > account.sent);
    seen.violations.extend(invented.map(|account| format!("cut {}: {account:?}", seen.cuts)));
    seen.violations.extend(imbalances(&api).await?);
    Ok(())
}

fn segments(disk: &Path) -> u64 {
    let names = std::fs::read_dir(disk.join("data/journal")).into_iter().flatten().flatten();
    names.filter(|entry| entry.file_name().to_string_lossy().ends_with(".seg")).count() as u64
}
