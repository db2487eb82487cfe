//! The recorder of self metrics: what every room counts with the `metrics` crate ends up here. One per process.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::exposition::catalogue;

/// Bounds of self-metric histograms in seconds: from a tick of half a millisecond to a request that timed out.
const BOUNDS_SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Bounds of the histogram of records that are written at once.
const BOUNDS_RECORDS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

/// What was recorded: the handle that `/metrics` reads. Somebody must call `run_upkeep` every few seconds, else samples
/// of histograms pile up until the next scrape.
pub type Recorded = PrometheusHandle;

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let of_groups = Matcher::Full("bailiwick_ingest_journal_group_records".to_owned());
    PrometheusBuilder::new().set_buckets(&BOUNDS_SECONDS)?.set_buckets_for_metric(of_groups, &BOUNDS_RECORDS)
}

/// The process's recorder, installed at the first call, each family with its help. To be called before any room asks
/// for a counter: what was asked for earlier counts nowhere. `None` when something else records already.
#[must_use]
pub fn recorder() -> Option<Recorded> {
    static RECORDED: OnceLock<Option<Recorded>> = OnceLock::new();
    let install = || {
        let handle = builder().and_then(PrometheusBuilder::install_recorder);
        catalogue::describe_recorded();
        handle
            .inspect_err(|error| tracing::warn!(error = %error, "failed to install the recorder of self metrics"))
            .ok()
    };
    RECORDED.get_or_init(install).clone()
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
        let text = write(Format::Text, &[], &recorder.handle().render());
        assert!(text.contains("# HELP bailiwick_ingest_warnings_total Accepted items that were worth a warning"));
        assert!(text.contains("bailiwick_ingest_warnings_total{kind=\"truncated\"} 3\n"));
        assert!(text.contains("bailiwick_tick_duration_seconds_bucket{stage=\"close\",le=\"0.005\"} 1\n"));
    }
}
