//! From the words of the command line to the command that answers them.

use std::io::{IsTerminal, Write};

use clap::CommandFactory as _;

use super::answer::{Answer, Exit};
use super::arguments::{
    Arguments, Color, Command, GlobalArguments, MetricsCommand, RulesCommand, ServeArguments, SloCommand,
};
use super::serve::{self, Manner};
use super::{configuration, health, slo, version};
use crate::config::render::Look;
use crate::config::{Environment, Request, Settings};
use crate::frontend;

/// What the process brings along besides its words.
#[derive(Debug, Clone, Default)]
pub struct Process {
    /// Its environment.
    pub environment: Environment,
    /// Whether stdout is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether stderr is a terminal.
    pub stderr_is_terminal: bool,
}

impl Process {
    /// This process. Variables that are no text keep their shape, so that a bad one of ours is still reported.
    #[must_use]
    pub fn current() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self {
            environment: std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
        }
    }

    fn colours(&self, when: Color, terminal: bool) -> bool {
        // <https://no-color.org>: set and not empty.
        let refused = self.environment.get("NO_COLOR").is_some_and(|value| !value.is_empty());
        match when {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !refused,
        }
    }
}

/// Does what the words say.
#[must_use]
pub fn run(arguments: Arguments, process: &Process) -> Exit {
    let Arguments { global, command } = arguments;
    match command.unwrap_or(Command::Serve(ServeArguments::default())) {
        Command::Demo(demo) => with_settings(&global, process, |settings, manner| serve::demo(&demo, settings, manner)),
        Command::Serve(how) => with_settings(&global, process, |settings, manner| serve::serve(how, settings, manner)),
        command => answer(&command, &global, process).give(&mut std::io::stdout(), &mut std::io::stderr()),
    }
}

/// The answer of a command that only says something.
#[must_use]
pub(super) fn answer(command: &Command, global: &GlobalArguments, process: &Process) -> Answer {
    let request =
        Request { file: global.config.clone(), set: global.set.clone(), environment: process.environment.clone() };
    let look = |terminal| look(process.colours(global.color, terminal));
    match command {
        Command::Check(check) => configuration::check(check, &request, global.output, look(process.stdout_is_terminal)),
        Command::Config(command) => {
            configuration::show(*command, &request, global.output, look(process.stderr_is_terminal))
        }
        Command::Slo(SloCommand::Lint(arguments)) => slo::lint(arguments, global.output),
        Command::Slo(SloCommand::Show { file }) => slo::show(file, &request, global.output),
        Command::Slo(SloCommand::Test { files }) => slo::test(files),
        Command::Slo(SloCommand::List) => slo::list(&global.server, global.output),
        Command::Slo(SloCommand::Suggest) => slo::suggest(&global.server, global.output),
        Command::Slo(SloCommand::Backtest(arguments)) => slo::backtest(arguments, &global.server, global.output),
        Command::Slo(SloCommand::Explain(arguments)) => slo::explain(arguments, &request, global.output),
        Command::Slo(SloCommand::Export(arguments)) => slo::export_as(arguments, &request, global.output),
        Command::Slo(SloCommand::Import(arguments)) => slo::import(arguments, global.output),
        Command::Rules(RulesCommand::Export(arguments)) => slo::export_rules(arguments, &request, global.output),
        Command::Healthcheck(health) => health::check(&global.server, health.live),
        Command::Version => version::answer(global.output, global.verbose > 0),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "bailiwick", &mut script);
            Answer::data(String::from_utf8_lossy(&script))
        }
        Command::Openapi => Answer::data(frontend::openapi_json()),
        Command::Metrics { what: MetricsCommand::List } => Answer::data(frontend::metrics_markdown()),
        Command::Serve(_) | Command::Demo(_) => {
            Answer::failure(Exit::Internal, "this command runs, it does not answer")
        }
    }
}

const fn look(colours: bool) -> Look {
    if colours { Look::Terminal } else { Look::Plain }
}

/// Runs `then` with valid settings, after saying what they are warned of.
fn with_settings(global: &GlobalArguments, process: &Process, then: impl FnOnce(Settings, Manner) -> Exit) -> Exit {
    let colours = process.colours(global.color, process.stderr_is_terminal);
    let mut set: Vec<String> =
        log_level(global).map(|level| format!("telemetry.log_level={level}")).into_iter().collect();
    set.extend(global.set.iter().cloned());
    let request = Request { file: global.config.clone(), set, environment: process.environment.clone() };
    match configuration::settings(&request, look(colours)) {
        Ok((settings, warnings)) => {
            let _ = std::io::stderr().write_all(warnings.as_bytes());
            then(settings, Manner { colours, quiet: global.quiet })
        }
        Err(answer) => answer.give(&mut std::io::stdout(), &mut std::io::stderr()),
    }
}

/// What `-q` and `-v` mean for the log; an explicit `--set` comes later and wins.
const fn log_level(global: &GlobalArguments) -> Option<&'static str> {
    match (global.quiet, global.verbose) {
        (true, _) => Some("warn"),
        (false, 0) => None,
        (false, 1) => Some("debug"),
        (false, _) => Some("trace"),
    }
}
