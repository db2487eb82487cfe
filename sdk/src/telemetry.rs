//! The pipeline from spans to the server, and its owner. It never panics and never waits for the server.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::global;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter as OtlpExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanExporter, TracerProviderBuilder,
};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::delivery::{CountingExporter, CountingProcessor, Ledger};
use crate::error::{Cause, Error};
use crate::settings::{Plan, Propagator};
use crate::shutdown::{Shutdown, ShutdownReport};

/// Longest flush when telemetry is dropped without a shutdown.
const DROP_DEADLINE: Duration = Duration::from_secs(2);

/// Crates (by how their names begin) that work for the exporter itself: their spans would be about sending spans.
const OWN_MACHINERY: [&str; 5] = ["opentelemetry", "hyper", "h2", "reqwest", "tonic"];

/// Telemetry of this process; keep it until the end, then [`Telemetry::shutdown`]. Dropping it flushes for 2 s at
/// most.
#[derive(Debug)]
#[must_use = "dropping it ends the telemetry"]
pub struct Telemetry {
    /// `None` once shut down, or when the environment switched the SDK off.
    provider: Option<SdkTracerProvider>,
    ledger: Arc<Ledger>,
    propagators: Vec<Propagator>,
}

impl Telemetry {
    pub(crate) fn start(plan: Plan) -> Result<Self, Error> {
        let mut exporter = OtlpExporter::builder().with_http();
        if let Some(endpoint) = &plan.endpoint {
            exporter = exporter.with_endpoint(endpoint);
        }
        if let Some(timeout) = plan.timeout {
            exporter = exporter.with_timeout(timeout);
        }
        Ok(Self::with_exporter(plan, exporter.build().map_err(Cause::Exporter)?))
    }

    pub(crate) fn with_exporter<E: SpanExporter + 'static>(plan: Plan, exporter: E) -> Self {
        let ledger = Arc::new(Ledger::default());
        let provider = (!plan.disabled).then(|| provider(&plan, exporter, &ledger).build());
        Self { provider, ledger, propagators: plan.propagators }
    }

    /// The layer that turns `tracing` spans into telemetry, for a subscriber of your own. Spans and
    /// events of level INFO and above go along, but not `error!` events: they would make a failure of a request that
    /// was answered well.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        self.provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("bailiwick_sdk"))
                .with_error_events_to_status(false)
                .with_location(false)
                .with_threads(false)
                .with_tracked_inactivity(false)
                .with_filter(filter_fn(counts))
        })
    }

    /// Ends telemetry: what is queued is sent, until the deadline. Await the result, or `.wait()` for it where there
    /// is no runtime.
    pub fn shutdown(mut self, deadline: Duration) -> Shutdown {
        self.end(deadline)
    }

    fn end(&mut self, deadline: Duration) -> Shutdown {
        match self.provider.take() {
            Some(provider) => Shutdown::start(provider, self.ledger.clone(), deadline),
            None => Shutdown::over(ShutdownReport::default()),
        }
    }

    pub(crate) fn install_globally(&self) {
        let Some(provider) = &self.provider else { return };
        global::set_tracer_provider(provider.clone());
        global::set_text_map_propagator(propagator(&self.propagators));
        if tracing::subscriber::set_global_default(Registry::default().with(self.layer())).is_err() {
            tracing::warn!("a tracing subscriber is already set: add bailiwick_sdk's Telemetry::layer() to it");
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        let _report = self.end(DROP_DEADLINE).wait();
    }
}

fn counts(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    let own = OWN_MACHINERY.iter().any(|name| root.starts_with(name));
    // The layer marks a span as failed at the first `error!` inside it, and no setting turns that off: a request that
    // handled its error would count as failed. So such events stay with the other layers.
    let error_event = metadata.is_event() && *metadata.level() == tracing::Level::ERROR;
    *metadata.level() <= tracing::Level::INFO && !own && !error_event
}

fn provider<E: SpanExporter + 'static>(plan: &Plan, exporter: E, ledger: &Arc<Ledger>) -> TracerProviderBuilder {
    let mut batches = BatchConfigBuilder::default();
    if let Some(delay) = plan.batch_delay {
        batches = batches.with_scheduled_delay(delay);
    }
    let exporter = CountingExporter { inner: exporter, ledger: ledger.clone() };
    let inner = BatchSpanProcessor::new(exporter, batches.build());
    SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_attributes(plan.resource.iter().cloned()).build())
        .with_span_processor(CountingProcessor { inner, ledger: ledger.clone() })
}

fn propagator(wanted: &[Propagator]) -> TextMapCompositePropagator {
    let of = |propagator: &Propagator| -> Box<dyn TextMapPropagator + Send + Sync> {
        match propagator {
            Propagator::TraceContext => Box::new(TraceContextPropagator::new()),
            Propagator::Baggage => Box::new(BaggagePropagator::new()),
        }
    };
    TextMapCompositePropagator::new(wanted.iter().map(of).collect())
}
