//! The daemon under test: the built binary, its own ports, killed when the test is over.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::api::Api;
use super::folder::Folder;
use super::process::{Exit, Failure, Process};

/// Start-up takes some 40 ms; this is for a machine that builds beside.
const START_MAX: Duration = Duration::from_secs(20);
/// The drain deadline (10 s, `ingest.md` 9) and a margin.
const STOP_MAX: Duration = Duration::from_secs(12);

/// Every listener takes a free port.
const FREE_PORTS: [&str; 6] = [
    "--set",
    "receiver.grpc.listen=[127.0.0.1:0]",
    "--set",
    "receiver.http.listen=[127.0.0.1:0]",
    "--set",
    "server.listen=127.0.0.1:0",
];

/// A running daemon. Dropping it kills it.
#[derive(Debug)]
pub struct Daemon {
    process: Process,
    grpc: SocketAddr,
    http: SocketAddr,
    server: SocketAddr,
    /// Its data directory, where it is no one else's.
    _home: Option<Folder>,
}

impl Daemon {
    /// Runs `bailiwick serve` on free ports, with a data directory of its own unless the further arguments name one, and
    /// waits until it is ready.
    ///
    /// # Panics
    /// When it does not start, with its log.
    #[must_use]
    pub fn start(args: &[&str]) -> Self {
        match Self::launch(&[], args) {
            Ok(daemon) => daemon,
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Like [`Daemon::start`], under another program (`taskset -c 0`).
    ///
    /// # Errors
    /// When it does not start, with its log.
    pub fn launch(wrapper: &[&str], args: &[&str]) -> Result<Self, Failure> {
        let is_placed = args.iter().any(|arg| arg.starts_with("data_dir=") || *arg == "--ephemeral");
        let home = (!is_placed).then(|| Folder::new("home"));
        let mut command = command(wrapper, args);
        if let Some(home) = &home {
            command.args(["--set", &format!("data_dir={}", home.path().display())]);
        }
        let process = Process::start(&mut command, START_MAX)?;
        let started = &process.started;
        match (address(&started["grpc"][0]), address(&started["http"][0]), address(&started["server"])) {
            (Some(grpc), Some(http), Some(server)) => Ok(Self { grpc, http, server, process, _home: home }),
            _ => Err(process.failure("find three addresses in `started`")),
        }
    }

    /// Runs a daemon that must not start, to its end.
    ///
    /// # Errors
    /// When it has not ended within `deadline`; it is killed then.
    pub fn refused(args: &[&str], deadline: Duration) -> Result<Exit, Failure> {
        Process::run(&mut command(&[], args), deadline)
    }

    /// Address of OTLP/gRPC.
    #[must_use]
    pub fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// Address of OTLP/HTTP.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Address of API and metrics.
    #[must_use]
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// A client of API and metrics.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::new(self.server)
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// All that it logged until now.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Asks it to end by SIGTERM and waits for that.
    ///
    /// # Panics
    /// When it has not ended 12 s later.
    #[must_use]
    pub fn terminate(self) -> Exit {
        match self.process.terminate(STOP_MAX) {
            Ok(exit) => exit,
            Err(failure) => panic!("{failure}"),
        }
    }
}

/// `bailiwick serve` on free ports, with nothing of the environment.
#[must_use]
pub fn command(wrapper: &[&str], args: &[&str]) -> Command {
    let mut command = wrapped(wrapper, &binary("bailiwick"));
    command.arg("serve").args(FREE_PORTS).args(args);
    for (name, _) in std::env::vars() {
        if name.starts_with("BAILIWICK_") || name.starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    command
}

/// The address in a JSON text.
pub(crate) fn address(value: &Value) -> Option<SocketAddr> {
    value.as_str()?.parse().ok()
}

/// A command under another program.
pub(crate) fn wrapped(wrapper: &[&str], program: &PathBuf) -> Command {
    match wrapper {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    }
}

/// A binary of the workspace, built in the same profile as the running test or tool.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("Linux names the running program");
    // Tests run in `target/<profile>/deps`, tools in `target/<profile>`.
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not built beside {}: run tests/run, which builds it", own.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_json_texts_only() {
        let at = SocketAddr::from(([127, 0, 0, 1], 4317));
        assert_eq!(address(&Value::from("127.0.0.1:4317")), Some(at));
        assert_eq!(address(&Value::from(4317)), None);
        assert_eq!(address(&Value::Null), None);
    }

    #[test]
    fn a_wrapper_comes_first_and_gets_the_program_as_its_argument() {
        let command = wrapped(&["taskset", "-c", "0"], &PathBuf::from("/x/bailiwick"));
        assert_eq!(format!("{command:?}"), r#""taskset" "-c" "0" "/x/bailiwick""#);
    }
}
