//! The recorder of self metrics: what every room counts with the `metrics` crate ends up here. One per process.

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

use super::exposition::catalogue;

/// Bounds of self-metric histograms in seconds: from a tick of half a millisecond to a request that timed out.
const BOUNDS_SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Why self metrics cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[error("failed to install the recorder of self metrics")]
pub struct RecorderError(#[from] BuildError);

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new().set_buckets(&BOUNDS_SECONDS)
}

/// Installs the recorder for the whole process and gives the handle that `/metrics` reads.
///
/// # Errors
/// [`RecorderError`] when the process has one already.
pub fn install_recorder() -> Result<PrometheusHandle, RecorderError> {
    let handle = builder()?.install_recorder()?;
    catalogue::describe_recorded();
    Ok(handle)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::frontend::exposition::document::{Format, write};

    /// A recorder that only the closure of `metrics::with_local_recorder` writes to.
    pub(crate) fn local() -> metrics_exporter_prometheus::PrometheusRecorder {
        builder().expect("bounds are given").build_recorder()
    }

    #[test]
    fn recorded_families_have_the_help_of_the_catalogue_and_buckets() {
        let recorder = local();
        metrics::with_local_recorder(&recorder, || {
            catalogue::describe_recorded();
            metrics::counter!("bailiwick_ingest_warnings_total", "kind" => "truncated").increment(3);
            metrics::histogram!("bailiwick_tick_duration_seconds", "stage" => "close").record(0.003);
        });
        let text = write(Format::Text, Vec::new(), &recorder.handle().render());
        assert!(text.contains("# HELP bailiwick_ingest_warnings_total Accepted items that were worth a warning"));
        assert!(text.contains("bailiwick_ingest_warnings_total{kind=\"truncated\"} 3\n"));
        assert!(text.contains("bailiwick_tick_duration_seconds_bucket{stage=\"close\",le=\"0.005\"} 1\n"));
    }
}
