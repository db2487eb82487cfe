//! All settings of the daemon in one value: each room's own, plus those of the process itself.
//!
//! The doc comments here and in the rooms become the descriptions of the schema and the comments of the default file,
//! so they speak to the operator. A key exists only if something obeys it.

use std::sync::Arc;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aggregator::{ClaimSource, KnownModule};
use crate::tenancy::Source;
use crate::units::Period;
use crate::{aggregator, evaluator, frontend, history, journal, observation, receiver, tenancy};

/// Settings of the Bailiwick daemon.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Settings {
    /// Where the daemon keeps what outlives it, one daemon a directory: `auto` is `$STATE_DIRECTORY`, else
    /// `/var/lib/bailiwick` if it can be written, else `bailiwick` in the user's state directory; `ephemeral` is nowhere.
    pub data_dir: history::DataDir,
    /// Where OTLP is received.
    #[garde(dive)]
    pub receiver: receiver::Settings,
    /// Maxima of a request and of the memory that requests may hold.
    #[garde(dive)]
    pub limits: observation::LimitSettings,
    /// How far from now an item may end.
    #[garde(dive)]
    pub ingest: observation::IngestSettings,
    /// How an item's tenant is found.
    #[garde(dive)]
    pub tenancy: tenancy::Settings,
    /// How an item's module is found.
    #[garde(dive)]
    pub modules: tenancy::ModuleSettings,
    /// What was accepted, on the disk.
    #[garde(dive)]
    pub journal: journal::Settings,
    /// How requests are counted and how much of it is kept.
    #[garde(dive)]
    pub aggregator: aggregator::Settings,
    /// What outlives the process besides the journal.
    #[garde(dive)]
    pub history: history::Settings,
    /// What is promised of requests.
    #[garde(dive)]
    pub slo: evaluator::Settings,
    /// Where figures are served.
    #[garde(dive)]
    pub server: frontend::ServerSettings,
    /// What `/metrics` shows.
    #[garde(dive)]
    pub metrics: frontend::MetricsSettings,
    /// What the daemon says about itself.
    #[garde(dive)]
    pub telemetry: TelemetrySettings,
    /// How the daemon stops.
    #[garde(dive)]
    pub shutdown: ShutdownSettings,
}

/// What the daemon says about itself (`telemetry.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct TelemetrySettings {
    /// Least serious event that is logged.
    pub log_level: LogLevel,
    /// How events are written to stderr.
    pub log_format: LogFormat,
    /// Where the daemon's own spans go, as OTLP/gRPC (`http://HOST:PORT`); never to itself. None: nowhere.
    pub otlp_endpoint: Option<String>,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self { log_level: LogLevel::Info, log_format: LogFormat::Auto, otlp_endpoint: None }
    }
}

/// Least serious event that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Only what failed.
    Error,
    /// Also what will need attention.
    Warn,
    /// Also what an operator wants to know.
    Info,
    /// Also what a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The name as written in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How events are written to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One line of text an event.
    Text,
    /// One JSON object an event.
    Json,
}

/// How the daemon stops (`shutdown.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct ShutdownSettings {
    /// How long it goes on serving after it stopped being ready, so that load balancers notice.
    pub delay: Period,
    /// Longest time for the whole stop; then the process ends with what is left undone (exit 75).
    pub deadline: Period,
}

impl Default for ShutdownSettings {
    fn default() -> Self {
        Self { delay: Period::seconds(0), deadline: Period::seconds(10) }
    }
}

impl Settings {
    /// What the observer needs to know of these settings.
    #[must_use]
    pub fn rules(&self) -> crate::observation::Rules {
        crate::observation::Rules {
            limits: self.limits.clone(),
            ingest: self.ingest.clone(),
            requests: self.aggregator.requests.clone(),
            sampling: self.aggregator.sampling.clone(),
            boundaries: self.aggregator.coverage.boundaries.clone(),
            data_patterns: self.aggregator.leaks.data_patterns.clone(),
            gateway_counters: self.aggregator.metrics.gateway_counters.clone(),
            tenancy: self.tenancy.clone(),
            modules: self.modules.clone(),
            taps: Arc::default(),
        }
    }

    /// What the aggregator goes by.
    #[must_use]
    pub fn terms(&self) -> crate::aggregator::Terms {
        let source = |source: &Source| match source {
            Source::Auth => ClaimSource::Auth,
            Source::Span => ClaimSource::Span,
            Source::Resource => ClaimSource::Resource,
            Source::Header => ClaimSource::Header,
            Source::Inherited => ClaimSource::Inherited,
            Source::Baggage => ClaimSource::Baggage,
        };
        let modules = self.modules.declared.iter().map(|(name, declared)| KnownModule {
            name: name.clone(),
            shared: declared.shared,
            tenant_required: declared.tenant_required,
            peers: declared.peers.clone(),
            operations: declared.operations.clone(),
        });
        crate::aggregator::Terms {
            settings: self.aggregator.clone(),
            sources: self.tenancy.sources.iter().map(source).collect(),
            modules: modules.collect(),
            late_accept: self.ingest.late_accept,
            taps: Arc::default(),
        }
    }
}
