//! The listener for people and programs (`server.`, `metrics.`).

use std::net::SocketAddr;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::ByteSize;

/// Where figures are served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct ServerSettings {
    /// Address of API and metrics; port 0 takes a free one. Restart to change.
    pub listen: SocketAddr,
    /// How others reach this server: the base of links, and an allowed `Host`.
    pub external_url: Option<String>,
    /// Further `Host` names that browsers may use here (DNS rebinding is refused).
    #[garde(length(max = 64))]
    pub allowed_hosts: Vec<String>,
    /// Most bytes of a request body.
    pub body_max: ByteSize,
    /// Most requests at once; over it: 503.
    #[garde(range(min = 1, max = 65_536))]
    pub requests_max: u32,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4319)),
            external_url: None,
            allowed_hosts: Vec::new(),
            body_max: ByteSize::mib(1),
            requests_max: 512,
        }
    }
}

/// What `/metrics` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct MetricsSettings {
    /// Show spans to look up beside counters of failures and buckets of durations, in OpenMetrics.
    pub exemplars: bool,
    /// Show families with the names of Tempo's metrics generator, so that Grafana's service graph works as it comes.
    pub service_graph: bool,
    /// Also write `_created` lines (old Prometheus servers make series of them).
    pub created_lines: bool,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self { exemplars: true, service_graph: true, created_lines: false }
    }
}
