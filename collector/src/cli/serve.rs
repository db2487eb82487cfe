//! `serve` and `demo`: settings, telemetry, then the daemon until it ends, and what its end means.

use std::io::{IsTerminal, Write};

use super::answer::Exit;
use super::arguments::ServeArguments;
use super::demo::{self, DemoArguments};
use super::{announce, slo, telemetry};
use crate::app::{self, StartError, Started};
use crate::clock::{Clock, SystemClock};
use crate::config::{Settings, TelemetrySettings};
use crate::evaluator::definitions::DefinitionError;
use crate::history::DataDir;

/// How the daemon talks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Whether stderr shows colours.
    pub(super) colours: bool,
    /// Whether to leave out what is only good to know.
    pub(super) quiet: bool,
}

/// Runs the daemon.
pub(super) fn serve(how: ServeArguments, mut settings: Settings, manner: Manner) -> Exit {
    if how.ephemeral {
        settings.data_dir = DataDir::Ephemeral;
    }
    let telemetry = settings.telemetry.clone();
    let json = telemetry::is_json(telemetry.log_format);
    heard(&telemetry, manner, || ended(app::run(settings, None, |started| say_started(started, json, manner))))
}

/// Runs the daemon with its synthetic platform.
pub(super) fn demo(arguments: &DemoArguments, mut settings: Settings, manner: Manner) -> Exit {
    settings.data_dir = DataDir::Ephemeral;
    let telemetry = settings.telemetry.clone();
    let json = telemetry::is_json(telemetry.log_format);
    let guest = match demo::guest(arguments, &settings, SystemClock.now_unix_ns()) {
        Ok(guest) => guest,
        Err(unknown) => {
            let _ = writeln!(std::io::stderr(), "bailiwick: {unknown}");
            return Exit::Usage;
        }
    };
    heard(&telemetry, manner, || ended(app::run(settings, Some(guest), |started| say_started(started, json, manner))))
}

fn ended(end: Result<app::Summary, StartError>) -> Exit {
    match end {
        Ok(app::Summary { cut_short: true, .. }) => {
            tracing::error!(
                "stopped before all rooms had drained: what was acknowledged is in the journal, if there is one"
            );
            Exit::Temporary
        }
        Ok(app::Summary { received, accepted, rejected, duplicates, .. }) => {
            tracing::info!(received, accepted, rejected, duplicates, "stopped");
            Exit::Done
        }
        Err(StartError::Listen(reason)) => {
            tracing::error!("{reason}");
            Exit::Unavailable
        }
        Err(StartError::InUse(reason)) => {
            tracing::error!("{reason}");
            Exit::Temporary
        }
        Err(StartError::Data(reason)) => {
            tracing::error!("{reason}");
            Exit::File
        }
        Err(StartError::Definitions(error)) => {
            if let DefinitionError::Invalid(findings) = &error {
                let _ = std::io::stderr().write_all(slo::human(findings).as_bytes());
            }
            tracing::error!("{error}");
            Exit::Configuration
        }
        Err(StartError::Other(error)) => {
            tracing::error!("{error:#}");
            Exit::Internal
        }
    }
}

/// Runs `body` with events and spans switched on, and sends the last ones afterwards.
fn heard(settings: &TelemetrySettings, manner: Manner, body: impl FnOnce() -> Exit) -> Exit {
    match telemetry::install(settings, manner.colours) {
        Ok(guard) => {
            let exit = body();
            drop(guard);
            exit
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "bailiwick: {:#}", anyhow::Error::from(error));
            Exit::Internal
        }
    }
}

/// Says that the daemon is ready. Harnesses wait for the JSON line, so that it is written whatever the log level.
fn say_started(started: &Started, json: bool, manner: Manner) {
    let mut stderr = std::io::stderr();
    let text = match (json, stderr.is_terminal()) {
        (true, _) => announce::line(started, SystemClock.now_unix_ns()),
        (false, true) if manner.quiet => return,
        (false, true) => announce::text(started),
        (false, false) => {
            let (grpc, http) = (&started.grpc, &started.http);
            tracing::info!(version = started.version, ?grpc, ?http, server = %started.server, "started");
            return;
        }
    };
    // Nobody is left to tell that stderr is gone.
    let _ = stderr.write_all(text.as_bytes());
}
