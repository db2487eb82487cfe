//! What tells the daemon to end or to read its definitions again.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::StartError;

/// Signals that do nothing by themselves any more.
#[derive(Debug)]
pub(super) struct Signals {
    /// SIGTERM.
    pub(super) terminate: Signal,
    /// SIGINT.
    pub(super) interrupt: Signal,
    /// SIGHUP.
    pub(super) hangup: Signal,
}

impl Signals {
    /// Listens from now on: to be done before it is announced, as whoever hears that it runs may end it at once.
    pub(super) fn listen() -> Result<Self, StartError> {
        let signals = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
        match signals {
            [Ok(terminate), Ok(interrupt), Ok(hangup)] => Ok(Self { terminate, interrupt, hangup }),
            _ => Err(anyhow::anyhow!("failed to listen for signals").into()),
        }
    }
}
