//! The most memory that the daemon can take: the sum of its maxima, told at its start (`ingest.md` 2, `sli.md` 4.3).

use crate::aggregator::GRAPH_CELL_BYTES_MAX;
use crate::config::Settings;
use crate::evaluator::SIGHTINGS_BYTES_MAX;
use crate::history::DataDir;
use crate::observation::batch::row;

const MIB: u64 = 1 << 20;
/// HTTP/2's connection window and HTTP/1's buffers (`ingest.md` 1.2).
const CONNECTION_BYTES: u64 = (512 << 10) + (32 << 10);
/// The window of a zstd frame, the largest that is taken.
const ZSTD_WINDOW_BYTES: u64 = 8 * MIB;
/// Counts of this many series in all their slots take [`COUNTS_BYTES`] (`sli.md` 4.3).
const COUNTS_SERIES: u64 = 20_000;
const COUNTS_BYTES: u64 = 128 * MIB;
/// Streams of metrics 8, sketches of names 16, findings 8 (`sli.md` 4.3).
const TABLES_BYTES: u64 = (8 + 16 + 8) * MIB;
/// What SLOs ask for besides requests: 20,000 series against thresholds of 4 KiB, 10,000 taps of 3 KiB.
const PROMISED_BYTES: u64 = 20_000 * (4 << 10) + 10_000 * (3 << 10);
/// fjall's cache of 16 MiB, its log's 64, and for each of five key spaces a table in memory of 16 and one on its way out.
const STORE_BYTES: u64 = (16 + 64 + 5 * 2 * 16) * MIB;
/// A million requests that may come again: 100 B in their table with its free places, 90 in two queues.
const REPEATS_BYTES: u64 = 1_000_000 * 190;
/// Code, stacks, and what no maximum names.
const REST_BYTES: u64 = 32 * MIB;

/// Maxima of memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryBound {
    /// Bodies and batches between socket and books: `limits.inflight_bytes_max`.
    pub inflight: u64,
    /// Buffers of `receiver.connections.max` connections.
    pub connections: u64,
    /// What all workers need while they inflate and walk: a zstd window, the strings of a batch, its rows twice.
    pub workers: u64,
    /// Latency cells: `histograms.bytes_max`.
    pub histograms: u64,
    /// Counts of `series.max` series.
    pub counts: u64,
    /// Live and settled traces: `coverage.index_bytes_max`.
    pub traces: u64,
    /// Edges of the service graph, streams of metrics, sketches of names, findings, counts that SLOs ask for.
    pub tables: u64,
    /// History of SLO instances, the tick ledger, and bad spans that were seen lately: `slo.memory_max`,
    /// `slo.ledger_max` and some MiB.
    pub slos: u64,
    /// The store's cache, log and tables in memory, requests that may come again, and the state of the rooms as bytes while a checkpoint is written: as
    /// much as they hold. Nothing without a data directory.
    pub store: u64,
    /// The rest.
    pub rest: u64,
}

impl MemoryBound {
    /// The bound of these settings; `workers` requests are walked at once at most.
    #[must_use]
    pub fn of(settings: &Settings, workers: u64) -> Self {
        let bound = Self::without_store(settings, workers);
        let state = bound.histograms + bound.counts + bound.traces + bound.tables + bound.slos;
        let store = if settings.data_dir == DataDir::Ephemeral { 0 } else { STORE_BYTES + REPEATS_BYTES + state };
        Self { store, ..bound }
    }

    fn without_store(settings: &Settings, workers: u64) -> Self {
        let limits = &settings.limits;
        let rows = u64::from(limits.items_max) * row::Span::BYTES as u64;
        Self {
            inflight: limits.inflight_bytes_max.0,
            connections: u64::from(settings.receiver.connections.max) * CONNECTION_BYTES,
            workers: workers * (ZSTD_WINDOW_BYTES + limits.string_bytes_max.0 + 2 * rows),
            histograms: settings.aggregator.histograms.bytes_max.0,
            counts: u64::from(settings.aggregator.series.max) * COUNTS_BYTES / COUNTS_SERIES,
            traces: settings.aggregator.coverage.index_bytes_max.0,
            tables: GRAPH_CELL_BYTES_MAX as u64 + TABLES_BYTES + PROMISED_BYTES,
            slos: settings.slo.memory_max.0 + settings.slo.ledger_max.0 + SIGHTINGS_BYTES_MAX as u64,
            store: 0,
            rest: REST_BYTES,
        }
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        let books = self.histograms + self.counts + self.traces + self.tables + self.slos;
        self.inflight + self.connections + self.workers + books + self.store + self.rest
    }
}

impl std::fmt::Display for MemoryBound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mib = |bytes: u64| bytes.div_ceil(MIB);
        write!(
            f,
            "at most {} MiB: in flight {}, connections {}, workers {}, histograms {}, counts {}, traces {}, tables {}, \
             slos {}, store {}, rest {}",
            mib(self.total()),
            mib(self.inflight),
            mib(self.connections),
            mib(self.workers),
            mib(self.histograms),
            mib(self.counts),
            mib(self.traces),
            mib(self.tables),
            mib(self.slos),
            mib(self.store),
            mib(self.rest)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_add_up_as_the_specification_counts() {
        let bound = MemoryBound::of(&Settings::default(), 4);
        // 512 x (512 + 32) KiB; 4 x (8 + 8 + 2 x 24) MiB, since 262,144 x 96 B are 24 MiB.
        assert_eq!((bound.inflight, bound.connections, bound.workers), (256 * MIB, 272 * MIB, 256 * MIB));
        // 256 MiB of history, 64 MiB of ledger; 16,384 kinds of 16 spans of 48 B and 80 B.
        assert_eq!(bound.slos, 320 * MIB + 13_893_632);
        assert_eq!(
            bound.to_string(),
            "at most 3527 MiB: in flight 256, connections 272, workers 256, histograms 256, counts 128, traces 256, \
             tables 172, slos 334, store 1566, rest 32"
        );
    }
}
