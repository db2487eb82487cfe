//! Listeners and their limits (`receiver.`).

use std::net::SocketAddr;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Period;

/// Where OTLP is received.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Settings {
    /// OTLP/gRPC.
    #[garde(dive)]
    pub grpc: GrpcSettings,
    /// OTLP/HTTP.
    #[garde(dive)]
    pub http: HttpSettings,
    /// Connections over all listeners.
    #[garde(dive)]
    pub connections: ConnectionSettings,
}

/// OTLP/gRPC listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct GrpcSettings {
    /// Addresses; port 0 takes a free one.
    #[garde(length(max = 8))]
    pub listen: Vec<SocketAddr>,
}

impl Default for GrpcSettings {
    fn default() -> Self {
        Self { listen: vec![SocketAddr::from(([127, 0, 0, 1], 4317))] }
    }
}

/// OTLP/HTTP listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct HttpSettings {
    /// Addresses; port 0 takes a free one.
    #[garde(length(max = 8))]
    pub listen: Vec<SocketAddr>,
    /// Path of traces, matched byte for byte.
    #[garde(custom(absolute_path))]
    pub traces_path: String,
    /// Path of metrics, matched byte for byte.
    #[garde(custom(absolute_path))]
    pub metrics_path: String,
}

fn absolute_path(path: &str, (): &()) -> garde::Result {
    if path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(garde::Error::new(format!("`{path}` is no path: it begins with `/` and has visible ASCII characters only")))
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 4318))],
            traces_path: "/v1/traces".to_owned(),
            metrics_path: "/v1/metrics".to_owned(),
        }
    }
}

/// Limits of connections (`receiver.connections.`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct ConnectionSettings {
    /// Most connections over all OTLP listeners; the oldest idle one makes room.
    #[garde(range(min = 4, max = 65_536))]
    pub max: u32,
    /// Most connections of one address; loopback is exempt.
    #[garde(range(min = 1, max = 65_536))]
    pub per_address_max: u32,
    /// Longest time from accept, or from the last answer on HTTP/1, to the request's headers.
    pub header_timeout: Period,
    /// Longest pause inside a body.
    pub body_idle_timeout: Period,
    /// Longest time for a whole body.
    pub body_timeout: Period,
    /// Age at which a connection is asked to close (10 % jitter), so that load balancers can rebalance.
    pub age_max: Period,
    /// Longest time without a request on HTTP/1.
    pub idle_http1: Period,
    /// Longest time without a request on HTTP/2.
    pub idle_http2: Period,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            max: 512,
            per_address_max: 64,
            header_timeout: Period::seconds(10),
            body_idle_timeout: Period::seconds(10),
            body_timeout: Period::seconds(30),
            age_max: Period::seconds(600),
            idle_http1: Period::seconds(60),
            idle_http2: Period::seconds(300),
        }
    }
}
