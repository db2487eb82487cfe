//! The whole daemon: rooms are started sinks first, sources last, and stopped in the order of the data.

use std::net::SocketAddr;
use std::time::Duration;

use crate::config::Settings;

/// The daemon is ready, and where.
#[derive(Debug, Clone)]
pub struct Started {
    /// The version of this build.
    pub version: &'static str,
    /// From the start of the process to readiness.
    pub ready_in: Duration,
    /// Addresses of OTLP/gRPC.
    pub grpc: Vec<SocketAddr>,
    /// Addresses of OTLP/HTTP.
    pub http: Vec<SocketAddr>,
    /// Address of API and metrics.
    pub server: SocketAddr,
}

/// What was done, for the last event.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Items received.
    pub received: u64,
    /// Of them accepted.
    pub accepted: u64,
    /// Of them rejected.
    pub rejected: u64,
    /// Of them seen before.
    pub duplicates: u64,
}

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken or may not be taken.
    #[error("{0}")]
    Listen(String),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// Stand-in.
///
/// # Errors
/// Never.
pub fn run(settings: Settings, announce: impl FnOnce(&Started)) -> Result<Summary, StartError> {
    announce(&Started {
        version: crate::cli::VERSION,
        ready_in: Duration::ZERO,
        grpc: settings.receiver.grpc.listen,
        http: settings.receiver.http.listen,
        server: settings.server.listen,
    });
    Ok(Summary::default())
}
