//! The servers that are measured: each a process of its own, pinned to a core, with the same allocator.

use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;

use crate::harness::daemon::{address, binary, wrapped};
use crate::harness::{Api, Daemon, Process};

const START_MAX: Duration = Duration::from_secs(20);

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The daemon's transport, bytes dropped.
    Null,
    /// tonic, decoded by prost and dropped.
    Peer,
    /// The daemon.
    Daemon,
}

impl Kind {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null sink",
            Self::Peer => "tonic + prost, receive only",
            Self::Daemon => "bailiwick",
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct Target {
    running: Running,
    /// Where it takes OTLP/gRPC.
    pub grpc: SocketAddr,
}

#[derive(Debug)]
enum Running {
    /// Null sink or peer, kept until it is dropped.
    Yardstick(Process),
    Daemon(Box<Daemon>),
}

impl Target {
    /// Starts a server on a core (all cores when there is none).
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(kind: Kind, core: Option<usize>, settings: &[String]) -> anyhow::Result<Self> {
        let core = core.map(|core| core.to_string());
        let wrapper: Vec<&str> = core.iter().flat_map(|core| ["taskset", "-c", core.as_str()]).collect();
        let yardstick = match kind {
            Kind::Daemon => {
                let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
                let daemon = Daemon::launch(&wrapper, &settings)?;
                return Ok(Self { grpc: daemon.grpc(), running: Running::Daemon(Box::new(daemon)) });
            }
            Kind::Null => "null",
            Kind::Peer => "peer",
        };
        let mut command = wrapped(&wrapper, &binary("load"));
        let process = Process::start(command.args(["serve", yardstick]), START_MAX)?;
        let grpc = address(&process.started["grpc"][0]).ok_or_else(|| process.failure("find its address"))?;
        Ok(Self { grpc, running: Running::Yardstick(process) })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        match &self.running {
            Running::Yardstick(process) => process.id(),
            Running::Daemon(daemon) => daemon.process().id(),
        }
    }

    /// Where it shows its books, if it keeps some.
    #[must_use]
    pub fn api(&self) -> Option<Api> {
        match &self.running {
            Running::Yardstick(_) => None,
            Running::Daemon(daemon) => Some(daemon.api()),
        }
    }
}
