//! A child process that says `started` on stderr, one JSON event a line, and what it said until it ended.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// Lines of its log that are kept; the oldest go first.
const LOG_LINES_MAX: usize = 10_000;

/// Something went wrong with a child process.
#[derive(Debug)]
pub struct Failure {
    what: String,
    log: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "failed to {}; its log:\n{}", self.what, self.log)
    }
}

impl std::error::Error for Failure {}

/// How a process ended.
#[derive(Debug)]
pub struct Exit {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// All that it wrote to stderr.
    pub log: String,
}

impl Exit {
    /// The last event with this message.
    #[must_use]
    pub fn event(&self, message: &str) -> Option<Value> {
        event(&self.log, message)
    }
}

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: Log,
    /// Its event `started`.
    pub started: Value,
}

impl Process {
    /// Runs a command whose stderr is a log of JSON events, and waits for the event `started`.
    ///
    /// # Errors
    /// When it cannot run, ends, or does not say `started` within `deadline`.
    pub fn start(command: &mut Command, deadline: Duration) -> Result<Self, Failure> {
        let mut process = Self::spawn(command)?;
        let seen = process.log.wait(deadline, |log| event(log, "started"));
        match seen {
            Some(started) => process.started = started,
            None => return Err(process.failure(&format!("see `started` of {command:?} within {deadline:?}"))),
        }
        Ok(process)
    }

    /// Runs a command whose stderr is a log to its end.
    ///
    /// # Errors
    /// When it cannot run, or has not ended within `deadline`; it is killed then.
    pub fn run(command: &mut Command, deadline: Duration) -> Result<Exit, Failure> {
        Self::spawn(command)?.ended(deadline, &format!("end {command:?} within {deadline:?}"))
    }

    /// Runs a command whose stderr is a log, and waits for nothing.
    ///
    /// # Errors
    /// When it cannot run.
    pub fn spawn(command: &mut Command) -> Result<Self, Failure> {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child =
            spawned.map_err(|error| Failure { what: format!("run {command:?}: {error}"), log: String::new() })?;
        let log = Log::default();
        if let Some(stderr) = child.stderr.take() {
            let shared = log.clone();
            std::thread::spawn(move || shared.fill(stderr));
        }
        Ok(Self { child, log, started: Value::Null })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it wrote to stderr until now.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// An error that carries the log.
    #[must_use]
    pub fn failure(&self, what: &str) -> Failure {
        Failure { what: what.to_owned(), log: self.log() }
    }

    /// Sends a signal by name (`TERM`, `STOP`).
    ///
    /// # Errors
    /// When there is no such process or signal.
    pub fn signal(&self, name: &str) -> Result<(), Failure> {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        match sent {
            Ok(status) if status.success() => Ok(()),
            _ => Err(self.failure(&format!("send SIG{name}"))),
        }
    }

    /// Asks it to end by SIGTERM and waits for that.
    ///
    /// # Errors
    /// When it has not ended within `deadline`; it is killed then.
    pub fn terminate(self, deadline: Duration) -> Result<Exit, Failure> {
        self.signal("TERM")?;
        self.ended(deadline, &format!("end within {deadline:?} of SIGTERM"))
    }

    fn ended(mut self, deadline: Duration, what: &str) -> Result<Exit, Failure> {
        // Its end closes stderr; a process that closes stderr and goes on is none of ours.
        if self.log.wait_end(deadline) {
            let status = self.child.wait().map_err(|error| self.failure(&format!("wait for its end: {error}")))?;
            return Ok(Exit { code: status.code(), log: self.log() });
        }
        Err(self.failure(what))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn event(log: &str, message: &str) -> Option<Value> {
    let events = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.into_iter().find(|event| event["message"] == message)
}

#[derive(Debug, Default, Clone)]
struct Log(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Debug, Default)]
struct Lines {
    lines: std::collections::VecDeque<String>,
    ended: bool,
}

impl Log {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> String {
        let lines = self.lines();
        lines.lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    fn fill(&self, stderr: ChildStderr) {
        for line in BufReader::new(stderr).lines() {
            let Ok(line) = line else { break };
            let mut lines = self.lines();
            if lines.lines.len() == LOG_LINES_MAX {
                lines.lines.pop_front();
            }
            lines.lines.push_back(line);
            self.0.1.notify_all();
        }
        self.lines().ended = true;
        self.0.1.notify_all();
    }

    /// What `found` makes of the log, as soon as it makes something of it; none when the log ends or time is up.
    fn wait<T>(&self, deadline: Duration, found: impl Fn(&str) -> Option<T>) -> Option<T> {
        let unseen = |lines: &mut Lines| !lines.ended && !lines.lines.iter().any(|line| found(line).is_some());
        let waited = self.0.1.wait_timeout_while(self.lines(), deadline, unseen);
        let (lines, _) = waited.unwrap_or_else(PoisonError::into_inner);
        lines.lines.iter().find_map(|line| found(line))
    }

    fn wait_end(&self, deadline: Duration) -> bool {
        let waited = self.0.1.wait_timeout_while(self.lines(), deadline, |lines| !lines.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECONDS: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_event_started_is_read_among_other_lines() {
        let script = r#"echo noise >&2; echo '{"message":"started","port":7}' >&2; exec cat /dev/zero"#;
        let process = Process::start(&mut shell(script), SECONDS).expect("it starts");
        assert_eq!(process.started["port"], 7);
        let exit = process.terminate(SECONDS).expect("it ends");
        assert_eq!(exit.code, None, "a signal ended it");
        assert!(exit.log.starts_with("noise\n"), "{}", exit.log);
    }

    #[test]
    fn a_process_that_ends_early_fails_with_its_log() {
        let failure = Process::start(&mut shell("echo port taken >&2; exit 69"), SECONDS).expect_err("it ended");
        assert!(failure.to_string().contains("port taken"), "{failure}");
    }

    #[test]
    fn a_process_that_ignores_sigterm_fails() {
        let script = r#"trap '' TERM; echo '{"message":"started"}' >&2; exec cat /dev/zero"#;
        let process = Process::start(&mut shell(script), SECONDS).expect("it starts");
        let failure = process.terminate(Duration::from_millis(50)).expect_err("it goes on");
        assert!(failure.to_string().contains("of SIGTERM"), "{failure}");
    }
}
