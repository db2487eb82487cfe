//! What can go wrong when telemetry is set up. An unreachable server is not among it.

/// Why telemetry could not be set up, or a value not be used. Its text says what to change.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Cause);

/// The causes, which may change without notice.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("failed to use the endpoint `{0}`: write `http://HOST:PORT`; TLS is not built in")]
    Endpoint(String),
    #[error("failed to use the protocol `{0}` of {1}: this SDK speaks http/protobuf; unset the variable")]
    Protocol(String, &'static str),
    #[error("failed to build the exporter")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
    #[error(
        "failed to use the tenant id: it has 1 to 150 characters of 0-9 a-z A-Z ! - _ . * ' ( ), is neither `.` nor \
         `..` and none of `_unknown`, `_overflow`, `_system`"
    )]
    Tenant,
}
