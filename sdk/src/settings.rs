//! What the environment and the builder settle together. Pure: the environment is an argument.

use std::time::Duration;

use opentelemetry::KeyValue;

use crate::error::{Cause, Error};
use crate::telemetry::Telemetry;

/// Attribute that names the module.
pub(crate) const MODULE: &str = "bailiwick.module";
/// Attribute that names the tenant.
pub(crate) const TENANT: &str = "bailiwick.tenant.id";

const ENDPOINT: &str = "http://127.0.0.1:4318";
const TRACES_PATH: &str = "/v1/traces";
/// Short, so that a request is seen soon; the exporter's own default is 5 s.
const BATCH_DELAY: Duration = Duration::from_secs(2);
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a service says about itself; see the crate's documentation for what the environment overrides.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing happens before `install` or `build`"]
pub struct Builder {
    service: Option<String>,
    module: Option<String>,
    endpoint: Option<String>,
}

/// Starts to describe a service.
pub fn builder() -> Builder {
    Builder::default()
}

impl Builder {
    /// The service's name (`service.name`).
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// The module that the service is, if it is only one (`bailiwick.module` of the resource).
    pub fn module(mut self, name: impl Into<String>) -> Self {
        self.module = Some(name.into());
        self
    }

    /// The server's OTLP/HTTP address, `http://HOST:PORT`, without a path.
    ///
    /// # Errors
    /// The text is no such address, or asks for TLS, which is not built in.
    pub fn endpoint(mut self, url: &str) -> Result<Self, Error> {
        self.endpoint = Some(plain_http(url)?.to_owned());
        Ok(self)
    }

    /// Sets telemetry up for this process: the global tracer provider and propagator, and a `tracing` subscriber if
    /// none is set. If one is set, a warning says to add [`Telemetry::layer`] to it.
    ///
    /// # Errors
    /// A setting, here or in the environment, cannot be followed. A server that is away is no error.
    pub fn install(self) -> Result<Telemetry, Error> {
        let telemetry = self.build()?;
        telemetry.install_globally();
        Ok(telemetry)
    }

    /// The same without touching anything global: add [`Telemetry::layer`] to a subscriber of your own.
    ///
    /// # Errors
    /// Those of [`Builder::install`].
    pub fn build(self) -> Result<Telemetry, Error> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Telemetry::start(self.settle(&environment)?)
    }

    pub(crate) fn settle(self, environment: &dyn Fn(&str) -> Option<String>) -> Result<Plan, Error> {
        for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            if let Some(protocol) = environment(name) {
                if protocol.eq_ignore_ascii_case("http/protobuf") {
                    break;
                }
                return Err(Cause::Protocol(protocol, name).into());
            }
        }
        let endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
        let endpoint = match endpoints.iter().find_map(|name| environment(name)) {
            Some(url) => plain_http(&url).map(|_| None)?,
            None => Some(format!("{}{TRACES_PATH}", self.endpoint.as_deref().unwrap_or(ENDPOINT))),
        };
        let timeouts = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
        let given = |key: &str| names_resource(environment, key);
        let service = self.service.filter(|_| !given("service.name") && environment("OTEL_SERVICE_NAME").is_none());
        let module = self.module.filter(|_| !given(MODULE));
        let resource = [("service.name", service), (MODULE, module)]
            .into_iter()
            .filter_map(|(key, value)| value.map(|value| KeyValue::new(key, value)));
        Ok(Plan {
            disabled: environment("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            endpoint,
            timeout: unless(timeouts.iter().any(|name| environment(name).is_some()), EXPORT_TIMEOUT),
            batch_delay: unless(environment("OTEL_BSP_SCHEDULE_DELAY").is_some(), BATCH_DELAY),
            resource: resource.collect(),
            propagators: propagators(environment("OTEL_PROPAGATORS").as_deref()),
        })
    }
}

/// What is to be set up. `None`: the environment says it, and `opentelemetry` reads it there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) disabled: bool,
    pub(crate) endpoint: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) batch_delay: Option<Duration>,
    pub(crate) resource: Vec<KeyValue>,
    pub(crate) propagators: Vec<Propagator>,
}

/// A way in which context crosses processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Propagator {
    TraceContext,
    Baggage,
}

fn unless<T>(given: bool, value: T) -> Option<T> {
    (!given).then_some(value)
}

fn names_resource(environment: &dyn Fn(&str) -> Option<String>, key: &str) -> bool {
    let attributes = environment("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    attributes.split(',').filter_map(|pair| pair.split_once('=')).any(|(name, _)| name.trim() == key)
}

/// `none` is none; names that this SDK does not have are passed over, as OpenTelemetry says.
fn propagators(names: Option<&str>) -> Vec<Propagator> {
    let of = |name: &str| match name.trim() {
        "tracecontext" => Some(Propagator::TraceContext),
        "baggage" => Some(Propagator::Baggage),
        _ => None,
    };
    names.unwrap_or("tracecontext,baggage").split(',').filter_map(of).collect()
}

fn plain_http(url: &str) -> Result<&str, Error> {
    let authority = url.strip_prefix("http://").unwrap_or_default();
    if authority.is_empty() || authority.starts_with('/') || url.contains(char::is_whitespace) {
        return Err(Cause::Endpoint(url.to_owned()).into());
    }
    Ok(url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(builder: Builder, variables: &[(&str, &str)]) -> Result<Plan, Error> {
        builder.settle(&|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn without_anything_said_the_defaults_hold() {
        let plan = settle(builder(), &[]).unwrap();
        let wanted = Plan {
            disabled: false,
            endpoint: Some("http://127.0.0.1:4318/v1/traces".to_owned()),
            timeout: Some(Duration::from_secs(5)),
            batch_delay: Some(Duration::from_secs(2)),
            resource: vec![],
            propagators: vec![Propagator::TraceContext, Propagator::Baggage],
        };
        assert_eq!(plan, wanted);
    }

    #[test]
    fn the_builder_names_service_module_and_endpoint() {
        let builder = builder().service("ai-stack").module("rag_hub").endpoint("http://10.0.0.1:4318/").unwrap();
        let plan = settle(builder, &[]).unwrap();
        assert_eq!(plan.endpoint.as_deref(), Some("http://10.0.0.1:4318/v1/traces"));
        assert_eq!(
            plan.resource,
            [KeyValue::new("service.name", "ai-stack"), KeyValue::new("bailiwick.module", "rag_hub")]
        );
    }

    #[test]
    fn the_environment_is_heard_before_the_builder() {
        let builder = || builder().service("ai-stack").module("rag_hub").endpoint("http://10.0.0.1:4318").unwrap();
        let plan = settle(
            builder(),
            &[
                ("OTEL_SERVICE_NAME", "other"),
                ("OTEL_RESOURCE_ATTRIBUTES", "team=a, bailiwick.module = content_ops"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://10.0.0.2:4318"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
                ("OTEL_BSP_SCHEDULE_DELAY", "100"),
                ("OTEL_PROPAGATORS", "baggage,b3"),
            ],
        )
        .unwrap();
        let wanted = Plan {
            disabled: false,
            endpoint: None,
            timeout: None,
            batch_delay: None,
            resource: vec![],
            propagators: vec![Propagator::Baggage],
        };
        assert_eq!(plan, wanted);
        let by_attribute = settle(builder(), &[("OTEL_RESOURCE_ATTRIBUTES", "service.name=other")]).unwrap();
        assert_eq!(by_attribute.resource, [KeyValue::new("bailiwick.module", "rag_hub")]);
    }

    #[test]
    fn a_disabled_sdk_and_no_propagators_are_wishes_too() {
        assert!(settle(builder(), &[("OTEL_SDK_DISABLED", "TRUE")]).unwrap().disabled);
        assert!(!settle(builder(), &[("OTEL_SDK_DISABLED", "1")]).unwrap().disabled);
        assert_eq!(settle(builder(), &[("OTEL_PROPAGATORS", "none")]).unwrap().propagators, []);
    }

    #[test]
    fn what_cannot_be_followed_is_an_error_that_names_the_remedy() {
        for url in ["https://10.0.0.1:4318", "10.0.0.1:4318", "http://", "http:///v1", "http://a b"] {
            let error = builder().endpoint(url).unwrap_err().to_string();
            assert!(error.contains("http://HOST:PORT"), "{url}: {error}");
        }
        assert!(settle(builder(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://10.0.0.1")]).is_err());
        let error = settle(builder(), &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap_err().to_string();
        assert!(error.contains("OTEL_EXPORTER_OTLP_PROTOCOL") && error.contains("http/protobuf"), "{error}");
        let by_signal =
            [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf")];
        assert!(settle(builder(), &by_signal).is_ok(), "the signal's own variable decides");
    }
}
