//! The daemon's own events and spans: events to stderr, spans to a collector where one is named, never to itself.
//!
//! The configuration refuses an endpoint that is one of our listeners, and only our own spans are exported: those of
//! the exporter's transport would make new ones without end.

use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer, Registry};

use super::version::VERSION;
use crate::config::{LogFormat, LogLevel, TelemetrySettings};

/// Longest wait for the last spans at the end.
const FLUSH: Duration = Duration::from_secs(2);

/// Longest wait for one export.
const EXPORT: Duration = Duration::from_secs(5);

/// Why events or spans cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The transport of the exporter has no thread.
    #[error("failed to start the thread that exports spans")]
    Thread(#[source] std::io::Error),
    /// The exporter refuses its settings.
    #[error("failed to set up the export of spans")]
    Exporter(#[source] opentelemetry_otlp::ExporterBuildError),
    /// Somebody was faster.
    #[error("failed to become the receiver of events: there is one already")]
    Taken(#[source] tracing::subscriber::SetGlobalDefaultError),
}

/// Keeps the export of spans alive; dropping it sends the last ones, for two seconds at most.
#[derive(Debug)]
pub struct Guard {
    export: Option<Export>,
}

#[derive(Debug)]
struct Export {
    provider: SdkTracerProvider,
    /// The transport's own: the daemon's runtime is gone when the last spans leave.
    runtime: tokio::runtime::Runtime,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(Export { provider, runtime }) = self.export.take() {
            if let Err(error) = provider.shutdown_with_timeout(FLUSH) {
                tracing::warn!(%error, "failed to send the last spans");
            }
            runtime.shutdown_background();
        }
    }
}

/// Whether events are written as JSON.
#[must_use]
pub fn is_json(format: LogFormat) -> bool {
    match format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    }
}

/// Begins to write events and to export spans, for the rest of the process.
///
/// # Errors
/// Why it cannot; the daemon should not run unseen.
pub fn install(settings: &TelemetrySettings, colours: bool) -> Result<Guard, TelemetryError> {
    let export = settings.otlp_endpoint.as_deref().map(export).transpose()?;
    let spans = export.as_ref().map(|export| {
        let ours = filter_fn(|of| of.target().starts_with("bailiwick") && *of.level() <= Level::INFO);
        tracing_opentelemetry::layer().with_tracer(export.provider.tracer("bailiwick")).with_filter(ours)
    });
    let events = events(settings, colours).with_filter(EnvFilter::new(directives(settings.log_level)));
    let subscriber = Registry::default().with(spans).with(events);
    tracing::subscriber::set_global_default(subscriber).map_err(TelemetryError::Taken)?;
    Ok(Guard { export })
}

type Events<S> = Box<dyn Layer<S> + Send + Sync>;

fn events<S>(settings: &TelemetrySettings, colours: bool) -> Events<S>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if is_json(settings.log_format) {
        layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        layer.with_ansi(colours).boxed()
    }
}

/// Our events at the level asked for; of others only what needs attention, unless everything is wanted.
fn directives(level: LogLevel) -> String {
    let others = match level {
        LogLevel::Error => "error",
        LogLevel::Warn | LogLevel::Info | LogLevel::Debug => "warn",
        LogLevel::Trace => "debug",
    };
    format!("{others},bailiwick={0},bailiwick_collector={0},bailiwick_slo={0}", level.name())
}

fn export(endpoint: &str) -> Result<Export, TelemetryError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("span-export")
        .enable_all()
        .build()
        .map_err(TelemetryError::Thread)?;
    let exporter = {
        // The transport spawns its task where it is made.
        let _inside = runtime.enter();
        opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT)
            .build()
            .map_err(TelemetryError::Exporter)?
    };
    let resource = Resource::builder()
        .with_service_name("bailiwick")
        .with_attribute(opentelemetry::KeyValue::new("service.version", VERSION))
        .build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    Ok(Export { provider, runtime })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};

    use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
    use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};

    use tonic::transport::server::TcpIncoming;

    use super::*;

    struct Collector(SyncSender<ExportTraceServiceRequest>);

    #[tonic::async_trait]
    impl TraceService for Collector {
        async fn export(
            &self,
            request: tonic::Request<ExportTraceServiceRequest>,
        ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
            self.0.try_send(request.into_inner()).expect("the test takes a few exports");
            Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
        }
    }

    #[test]
    fn the_last_spans_reach_the_collector_before_the_end() {
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        let (sender, exports) = sync_channel(8);
        let bind = async { TcpIncoming::bind(([127, 0, 0, 1], 0).into()) };
        let incoming = runtime.block_on(bind).expect("loopback has a free port");
        let address = incoming.local_addr().expect("it is bound");
        let service = TraceServiceServer::new(Collector(sender));
        let server =
            runtime.spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        let export = export(&format!("http://{address}")).expect("the endpoint is a URL");
        opentelemetry::trace::Tracer::start(&export.provider.tracer("test"), "a span");
        drop(Guard { export: Some(export) });
        server.abort();
        let export = exports.try_recv().expect("the guard waits for the export");
        let spans = &export.resource_spans[0];
        assert_eq!(spans.scope_spans[0].spans[0].name, "a span");
        let resource = spans.resource.as_ref().expect("spans have a resource");
        assert!(
            resource.attributes.iter().any(|of| of.key == "service.name" && format!("{of:?}").contains("bailiwick"))
        );
    }

    #[test]
    fn other_crates_are_heard_only_when_they_warn_or_all_is_wanted() {
        assert_eq!(directives(LogLevel::Info), "warn,bailiwick=info,bailiwick_collector=info,bailiwick_slo=info");
        assert!(directives(LogLevel::Trace).starts_with("debug,bailiwick=trace"));
        assert!(directives(LogLevel::Error).starts_with("error,"));
    }

    #[test]
    fn an_endpoint_that_nobody_serves_does_not_hold_the_exit() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        // Connections are taken by the kernel and never answered.
        let export = export(&endpoint).expect("it is only made, not used yet");
        opentelemetry::trace::Tracer::start(&export.provider.tracer("test"), "span");
        let began = std::time::Instant::now();
        drop(Guard { export: Some(export) });
        assert!(began.elapsed() < FLUSH + Duration::from_secs(2), "{:?}", began.elapsed());
    }
}
