//! The words of the command line. Every help ends with two examples; `help.txt` holds them all.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// Exact books per tenant, module and operation, from OpenTelemetry.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "bailiwick",
    bin_name = "bailiwick",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  bailiwick\n  bailiwick --config /etc/bailiwick/bailiwick.yaml serve"
)]
pub struct Arguments {
    /// What every command takes.
    #[command(flatten)]
    pub global: GlobalArguments,
    /// What to do; without it `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct GlobalArguments {
    /// Configuration file; without it /etc/bailiwick/bailiwick.yaml if there is one.
    #[arg(short, long, global = true, value_name = "PATH", env = "BAILIWICK_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Set one key, as in `--set server.listen=127.0.0.1:0`; the value is YAML.
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The daemon to ask.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "BAILIWICK_SERVER",
        hide_env_values = true,
        default_value = "http://127.0.0.1:4319"
    )]
    pub server: String,
    /// How figures are written to stdout.
    #[arg(short, long, global = true, value_name = "FORM", value_enum, default_value_t)]
    pub output: Output,
    /// Colours on stderr and in problems; NO_COLOR is honoured.
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub color: Color,
    /// Say only what went wrong.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more; twice for all.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// How the daemon runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Args)]
pub struct ServeArguments {
    /// Keeps everything in memory: nothing outlives the process.
    #[arg(long)]
    pub ephemeral: bool,
}

/// How figures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// YAML.
    Yaml,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Run the daemon.
    #[command(
        after_help = "Examples:\n  bailiwick serve\n  bailiwick serve --ephemeral --set telemetry.log_level=debug"
    )]
    Serve(ServeArguments),
    /// Run the daemon with a synthetic platform that sends to it.
    #[command(after_help = "Examples:\n  bailiwick demo\n  bailiwick demo --seed 7 --rate 200 --faults none")]
    Demo(super::demo::DemoArguments),
    /// Report every problem of the configuration.
    #[command(
        visible_alias = "validate",
        after_help = "Examples:\n  bailiwick check\n  bailiwick check --strict --format github deploy/bailiwick.yaml"
    )]
    Check(CheckArguments),
    /// Show the configuration and what may be configured.
    #[command(
        subcommand,
        after_help = "Examples:\n  bailiwick config default\n  bailiwick config show --effective --origin"
    )]
    Config(ConfigCommand),
    /// Judge, show and try SLO definitions.
    #[command(
        subcommand,
        after_help = "Examples:\n  bailiwick slo lint /etc/bailiwick/slo\n  bailiwick slo test stories/*.yaml"
    )]
    Slo(SloCommand),
    /// Write rules for Prometheus.
    #[command(
        subcommand,
        after_help = "Examples:\n  bailiwick rules export --independent --dir rules rag.yaml\n  \
                      bailiwick rules export --independent --dir /etc/prometheus/rules"
    )]
    Rules(RulesCommand),
    /// Ask the daemon whether it is ready; exit code 0 means yes.
    #[command(
        after_help = "Examples:\n  bailiwick healthcheck\n  bailiwick healthcheck --live --server http://127.0.0.1:4319"
    )]
    Healthcheck(HealthArguments),
    /// Print the version.
    #[command(after_help = "Examples:\n  bailiwick version\n  bailiwick version -v -o json")]
    Version,
    /// Print completions for a shell.
    #[command(after_help = "Examples:\n  bailiwick completions bash > /etc/bash_completion.d/bailiwick\n  \
                      bailiwick completions zsh > ~/.zfunc/_bailiwick")]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the HTTP API as an OpenAPI document.
    #[command(after_help = "Examples:\n  bailiwick openapi\n  bailiwick openapi > openapi.json")]
    Openapi,
    /// Say what `/metrics` publishes.
    #[command(after_help = "Examples:\n  bailiwick metrics list\n  bailiwick metrics list > metrics.md")]
    Metrics {
        /// What to say.
        #[command(subcommand)]
        what: MetricsCommand,
    },
}

/// What to say about `/metrics`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum MetricsCommand {
    /// Print the list of families as Markdown.
    #[command(after_help = "Examples:\n  bailiwick metrics list\n  bailiwick metrics list > collector/metrics.md")]
    List,
}

/// What to check, and how to report.
#[derive(Debug, Clone, Args)]
pub struct CheckArguments {
    /// Files to check, each by itself; without them what `serve` would read.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How problems are written; `-o json` means json too.
    #[arg(long, value_enum, default_value_t)]
    pub format: ProblemFormat,
    /// Warnings fail too.
    #[arg(long)]
    pub strict: bool,
}

/// How problems are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ProblemFormat {
    /// With the lines that they stand in.
    #[default]
    Human,
    /// One document, `bailiwick.check/v1`.
    Json,
    /// Annotations of a pull request.
    Github,
}

/// What of the configuration to show.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Print the defaults as a commented file.
    #[command(
        after_help = "Examples:\n  bailiwick config default\n  bailiwick config default > /etc/bailiwick/bailiwick.yaml"
    )]
    Default,
    /// Print the JSON schema of the file.
    #[command(after_help = "Examples:\n  bailiwick config schema\n  bailiwick config schema > config.schema.json")]
    Schema,
    /// Print what is configured.
    #[command(after_help = "Examples:\n  bailiwick config show\n  bailiwick config show --effective --origin")]
    Show {
        /// With the defaults of all other keys.
        #[arg(long)]
        effective: bool,
        /// With where each value comes from.
        #[arg(long)]
        origin: bool,
    },
}

/// What to do with SLO definitions.
#[derive(Debug, Clone, Subcommand)]
pub enum SloCommand {
    /// List the daemon's SLOs, least budget first.
    #[command(after_help = "Examples:\n  bailiwick slo list\n  bailiwick slo list -o json")]
    List,
    /// Report every finding about SLO documents.
    #[command(
        after_help = "Examples:\n  bailiwick slo lint rag.yaml\n  bailiwick slo lint --strict --format github slo/"
    )]
    Lint(LintArguments),
    /// Print what a definition comes to.
    #[command(after_help = "Examples:\n  bailiwick slo show rag.yaml\n  bailiwick slo show -o json rag-availability")]
    Show {
        /// A file, or the name of a configured SLO.
        #[arg(value_name = "FILE|NAME")]
        file: PathBuf,
    },
    /// Play stories: given events, expected budgets and alerts.
    #[command(after_help = "Examples:\n  bailiwick slo test stories/outage.yaml\n  bailiwick slo test stories/*.yaml")]
    Test {
        /// Story files.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Try definitions on what a daemon recorded.
    #[command(
        after_help = "Examples:\n  bailiwick slo backtest rag.yaml\n  bailiwick slo backtest --ledger day.ledger new.yaml \
                      --against old.yaml"
    )]
    Backtest(BacktestArguments),
    /// Say what a definition means, in words and exact numbers.
    #[command(after_help = "Examples:\n  bailiwick slo explain rag.yaml\n  bailiwick slo explain rag.yaml --burn 14.4")]
    Explain(ExplainArguments),
    /// Suggest targets by what the daemon's SLOs counted.
    #[command(after_help = "Examples:\n  bailiwick slo suggest\n  bailiwick slo suggest -o json")]
    Suggest,
    /// Take definitions of another tool over, as YAML.
    #[command(
        after_help = "Examples:\n  bailiwick slo import --from sloth getting-started.yml > slo.yaml\n  bailiwick slo import \
                      --from pyrra --map names.yaml pyrra/*.yaml"
    )]
    Import(ImportArguments),
    /// Write definitions in the form of another tool.
    #[command(after_help = "Examples:\n  bailiwick slo export --as prometheus-rules --dir rules rag.yaml\n  \
                      bailiwick slo export --as prometheus-rules --dir /etc/prometheus/rules")]
    Export(ExportArguments),
}

/// What to write SLOs as, and where.
#[derive(Debug, Clone, Args)]
pub struct ExportArguments {
    /// What they become.
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub kind: ExportKind,
    /// The folder to write into; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// SLO files; without them the configured ones.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// What SLOs can become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportKind {
    /// What `rules export --independent` writes.
    PrometheusRules,
}

/// What to try, and on what.
#[derive(Debug, Clone, Args)]
pub struct BacktestArguments {
    /// Definitions to try; without them those that were recorded.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A ledger that was saved (`GET /v1/slos/ledger`); without it that of the daemon.
    #[arg(long, value_name = "PATH")]
    pub ledger: Option<PathBuf>,
    /// What came before is counted, and left out of the answer.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Where to stop.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Other definitions, to tell what differs.
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Lines `start,end` of times in which something is known to have gone wrong.
    #[arg(long, value_name = "CSV")]
    pub labels: Option<PathBuf>,
    /// Print the alert log: byte for byte that of the daemon over the same records.
    #[arg(long)]
    pub alert_log: bool,
}

/// What to explain, and for which case.
#[derive(Debug, Clone, Args)]
pub struct ExplainArguments {
    /// A file, or the name of a configured SLO.
    #[arg(value_name = "FILE|NAME")]
    pub file: PathBuf,
    /// As if the budget burned so many times faster than evenly.
    #[arg(long, value_name = "X", conflicts_with = "error_ratio")]
    pub burn: Option<String>,
    /// As if this share of events were bad.
    #[arg(long, value_name = "E")]
    pub error_ratio: Option<String>,
    /// As if this share of the budget were left.
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub remaining: Option<String>,
    /// For this tenant, overrides laid on.
    #[arg(long, value_name = "ID", requires = "module")]
    pub tenant: Option<String>,
    /// For this module.
    #[arg(long, value_name = "NAME", requires = "tenant")]
    pub module: Option<String>,
}

/// What to take over, and from which tool.
#[derive(Debug, Clone, Args)]
pub struct ImportArguments {
    /// The tool: sloth, openslo, pyrra or slo-generator.
    #[arg(long, value_name = "TOOL")]
    pub from: String,
    /// Its files.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Its alert windows, or the policy of slo-generator.
    #[arg(long, value_name = "FILE")]
    pub windows: Vec<PathBuf>,
    /// Names with what they count here: `name: {module, sli}`.
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Days of the period, where the tool's files do not say.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=365))]
    pub period: Option<u16>,
}

/// What to judge, and how to report.
#[derive(Debug, Clone, Args)]
pub struct LintArguments {
    /// Files, and folders of YAML and JSON files.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// How findings are written; `-o json` means json too.
    #[arg(long, value_enum, default_value_t)]
    pub format: ProblemFormat,
    /// Warnings fail too.
    #[arg(long)]
    pub strict: bool,
    /// Judge each document by itself: references to what is not given are no findings.
    #[arg(long)]
    pub no_refs: bool,
}

/// What rules to write.
#[derive(Debug, Clone, Subcommand)]
pub enum RulesCommand {
    /// Write SLOs as rules, a file each.
    #[command(after_help = "Examples:\n  bailiwick rules export --independent --dir rules rag.yaml\n  \
                      bailiwick rules export --independent --dir /etc/prometheus/rules")]
    Export(RulesArguments),
}

/// Which SLOs to write as rules, and where.
#[derive(Debug, Clone, Args)]
pub struct RulesArguments {
    /// Recompute burn from counted events, so that Prometheus can check the daemon.
    #[arg(long)]
    pub independent: bool,
    /// The folder to write into; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// SLO files; without them the configured ones.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// What to ask the daemon.
#[derive(Debug, Clone, Copy, Args)]
pub struct HealthArguments {
    /// Ask only whether it runs.
    #[arg(long)]
    pub live: bool,
}
