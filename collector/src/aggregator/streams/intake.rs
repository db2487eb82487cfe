//! Points in, counts out: the owner of all streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::coverage::Source;
use bailiwick_slo::kept;
use bailiwick_slo::saved;
use bailiwick_slo::taps::{TapNumber, Taps};
use bailiwick_slo::time::{SECOND_NS, Slot};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::kept::Kept;
use super::levels::Levels;
use super::meaning::Meaning;
use super::operations::Operations;
use super::sequence::{DropReason, Outcome, Sample, Sequence};
use super::services::{ServiceNumber, Services};
use super::shapes::Shapes;
use super::shown::{StreamCounters, StreamsShown};
use super::tapped::TapBooks;
use crate::aggregator::memory::chunked::Chunked;
use crate::aggregator::settings::StreamSettings;
use crate::aggregator::snapshot::{Limit, ModuleId};
use crate::observation::batch::row::{Point, point_flag};

/// A stream that was silent for longer is forgotten; its next point is a first one (`sli.md` 1.9).
pub(super) const SILENCE_NS_MAX: u64 = 3_600 * SECOND_NS;

/// A stream that was silent for longer is not live: no window waits for it, and what it said was in flight is not.
const LIVE_NS_MAX: u64 = 300 * SECOND_NS;

/// Memory of all buckets that are kept: what `sli.md` 4.3 gives streams.
const BUCKET_BYTES_MAX: usize = 8 << 20;

/// Whose a point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::aggregator) struct Owner {
    /// Tenant x module.
    pub(in crate::aggregator) module: ModuleId,
    /// Service, by [`Streams::service`].
    pub(in crate::aggregator) service: ServiceNumber,
    /// Identity of its resource.
    pub(in crate::aggregator) resource_hash: u64,
}

/// One point with what its row names.
#[derive(Debug, Clone, Copy)]
pub(in crate::aggregator) struct Arrival<'a> {
    /// Its row.
    pub(in crate::aggregator) point: &'a Point,
    /// Its words if a tap reads its buckets; else none.
    pub(in crate::aggregator) words: &'a [u64],
    /// The taps that read it.
    pub(in crate::aggregator) taps: &'a [TapNumber],
    /// Whose it is.
    pub(in crate::aggregator) owner: Owner,
    /// Name of the metric.
    pub(in crate::aggregator) name: &'a str,
    /// Its unit.
    pub(in crate::aggregator) unit: &'a str,
    /// The operation that it names; empty: none.
    pub(in crate::aggregator) operation: &'a str,
    /// The journal's clock, nanoseconds since the Unix epoch.
    pub(in crate::aggregator) now_ns: u64,
}

/// A stream's identity. The owner is in it: equal resources of two tenants, told apart by credential only, are two
/// writers of two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    id: [u8; 16],
    module: ModuleId,
}
saved!(struct Key { id, module });

/// What is kept of a stream.
#[derive(Debug)]
struct Stream {
    sequence: Sequence,
    /// The journal's clock at the last point that counted.
    heard_ns: u64,
    meaning: Option<Meaning>,
    /// Whether it counts requests now.
    is_counting: bool,
    /// What it adds to what is in flight.
    level: Option<i64>,
}
saved!(struct Stream { sequence, heard_ns, meaning, is_counting, level });

// `sli.md` 1.9: about 120 bytes a stream.
const _: () = assert!(size_of::<(Key, Stream)>() <= 120);

/// The owner of all streams.
#[derive(Debug)]
pub(in crate::aggregator) struct Streams {
    settings: StreamSettings,
    late_accept_ns: u64,
    streams: HashMap<Key, Stream, RandomState>,
    bucket_bytes: usize,
    shapes: Shapes,
    services: Services,
    kept: Kept,
    tapped: TapBooks,
    levels: Levels,
    operations: Operations,
    counters: StreamCounters,
    /// The slot that streams were looked through in last.
    swept: Slot,
    last_points: Arc<BTreeMap<ModuleId, [Option<u64>; Source::ALL.len()]>>,
    /// Where the stretch begins that the first count of a source speaks about.
    first_counts: BTreeMap<ModuleId, [Option<u64>; Source::ALL.len()]>,
    first_shown: Arc<BTreeMap<ModuleId, [Option<u64>; Source::ALL.len()]>>,
    /// The journal's clock at the last point of each tenant x module, 0 where there was none.
    heard: Chunked<u64>,
}
kept!(Streams {
    streams, bucket_bytes, kept, tapped, levels, counters, swept, last_points, first_counts, first_shown, heard;
    shapes, services, operations
});

impl Streams {
    /// No streams yet. `late_accept_ns`: how old the start of a stream's first point may be for its value to count.
    pub(in crate::aggregator) fn new(settings: StreamSettings, late_accept_ns: u64) -> Self {
        let max = settings.metric_streams_max as usize;
        Self {
            settings,
            late_accept_ns,
            streams: HashMap::default(),
            bucket_bytes: 0,
            shapes: Shapes::new(max),
            services: Services::default(),
            kept: Kept::default(),
            tapped: TapBooks::default(),
            levels: Levels::default(),
            operations: Operations::new(max),
            counters: StreamCounters::default(),
            swept: Slot(0),
            last_points: Arc::default(),
            first_counts: BTreeMap::new(),
            first_shown: Arc::default(),
            heard: Chunked::default(),
        }
    }

    /// Goes by these taps from now on; those that were known have their numbers still.
    pub(in crate::aggregator) fn set_taps(&mut self, taps: &Taps) {
        self.tapped.set(taps);
    }

    /// Whether one of these taps reads buckets.
    pub(in crate::aggregator) fn want_buckets(&self, taps: &[TapNumber]) -> bool {
        self.tapped.want_buckets(taps)
    }

    /// The number of a service by its namespace (may be empty) and name.
    pub(in crate::aggregator) fn service(&mut self, namespace: &str, name: &str) -> ServiceNumber {
        self.services.number(namespace, name)
    }

    /// What a metric's name means here.
    pub(in crate::aggregator) fn meaning(&self, name: &str) -> Option<Meaning> {
        let is_gateway = self.settings.gateway_counters.iter().any(|counter| counter == name);
        if is_gateway { Some(Meaning::Gateway) } else { Meaning::of(name) }
    }

    /// Hears of a point that is about to be applied. A batch is heard of whole before its first point is applied, so
    /// that the order of an instance's two HTTP names in it does not matter.
    pub(in crate::aggregator) fn hear(&mut self, owner: &Owner, name: &str, now_ns: u64) {
        self.shapes.hear(owner, self.meaning(name), now_ns);
        let module = owner.module as usize;
        self.heard.grow(module + 1);
        if self.heard.get(module).is_some_and(|heard| *heard < now_ns) {
            *self.heard.get_mut(module) = now_ns;
        }
    }

    /// Applies one point: what it came to, and its counts are booked.
    pub(in crate::aggregator) fn apply(&mut self, arrival: &Arrival<'_>) -> Outcome {
        let outcome = self.judge(arrival);
        match &outcome {
            Outcome::Applied(applied) => {
                self.counters.resets += u64::from(applied.is_reset);
                self.counters.gaps += u64::from(applied.is_gap);
                self.counters.writer_conflicts += u64::from(applied.is_writer_conflict);
            }
            Outcome::Baseline => self.counters.baselines += 1,
            Outcome::Level(_) => {}
            Outcome::NoData => self.counters.without_value += 1,
            Outcome::Dropped(reason) => {
                self.counters.dropped[*reason as usize] += 1;
                self.counters.writer_conflicts += u64::from(*reason == DropReason::OlderStart);
            }
        }
        outcome
    }

    fn judge(&mut self, arrival: &Arrival<'_>) -> Outcome {
        let key = Key { id: arrival.point.stream_id, module: arrival.owner.module };
        let meaning = self.meaning(arrival.name);
        if arrival.point.flags & point_flag::NO_VALUE != 0 {
            self.set_level(&key, None);
            return Outcome::NoData;
        }
        if let Err(reason) = self.shapes.check(arrival) {
            return Outcome::Dropped(reason);
        }
        let outcome = self.step(&key, arrival, meaning);
        if matches!(outcome, Outcome::Dropped(_)) {
            return outcome;
        }
        self.shapes.hear(&arrival.owner, meaning, arrival.now_ns);
        // Whoever names the old HTTP name in an SLO wants it, superseded or not.
        self.tapped.book(arrival, &outcome);
        let is_superseded =
            meaning.is_some_and(|meaning| self.shapes.is_superseded(&arrival.owner, meaning, arrival.now_ns));
        if let Some(stream) = self.streams.get_mut(&key) {
            stream.is_counting = counts_requests(meaning, arrival.point) && !is_superseded;
        }
        if is_superseded {
            self.counters.superseded += 1;
        } else if let Some(meaning) = meaning {
            self.book(&key, (meaning, arrival), &outcome);
        }
        outcome
    }

    /// The stream takes its point.
    fn step(&mut self, key: &Key, arrival: &Arrival<'_>, meaning: Option<Meaning>) -> Outcome {
        let is_silent = |stream: &Stream| arrival.now_ns.saturating_sub(stream.heard_ns) > SILENCE_NS_MAX;
        if self.streams.get(key).is_some_and(is_silent) {
            self.forget(key);
        }
        let held = self.streams.get(key).map(|stream| stream.sequence.bucket_bytes());
        if held.is_none() && self.streams.len() >= self.settings.metric_streams_max as usize {
            return Outcome::Dropped(DropReason::StreamLimit);
        }
        let has_place = held.is_some_and(|held| held > 0) || self.bucket_bytes < BUCKET_BYTES_MAX;
        let words = if has_place { arrival.words } else { &[] };
        self.counters.buckets_refused += u64::from(words.len() != arrival.words.len());
        let sample = Sample::of(arrival.point, words);
        let outcome = match self.streams.get_mut(key) {
            Some(stream) => {
                let outcome = stream.sequence.advance(&sample);
                if !matches!(outcome, Outcome::Dropped(_)) {
                    stream.heard_ns = arrival.now_ns;
                }
                outcome
            }
            None => {
                let (sequence, outcome) = Sequence::begin(&sample, self.late_accept_ns);
                let heard_ns = arrival.now_ns;
                let stream = Stream { sequence, heard_ns, meaning, is_counting: false, level: None };
                self.streams.insert(*key, stream);
                outcome
            }
        };
        let holds = self.streams.get(key).map_or(0, |stream| stream.sequence.bucket_bytes());
        self.bucket_bytes = self.bucket_bytes + holds - held.unwrap_or(0);
        outcome
    }

    fn book(&mut self, key: &Key, (meaning, arrival): (Meaning, &Arrival<'_>), outcome: &Outcome) {
        match outcome {
            Outcome::Applied(applied) => {
                self.kept.book(meaning, arrival, applied);
                if let Some(source) = meaning.source().filter(|_| counts_requests(Some(meaning), arrival.point)) {
                    let first = &mut self.first_counts.entry(key.module).or_default()[source as usize];
                    *first = Some(first.map_or(applied.over.0, |first| first.min(applied.over.0)));
                }
                let is_growing = applied.increase.count > 0 && !arrival.operation.is_empty();
                if is_growing
                    && counts_requests(Some(meaning), arrival.point)
                    && matches!(meaning, Meaning::Requests(_))
                {
                    self.operations.note(key.module, arrival.operation, applied.over.1);
                }
            }
            // The cast saturates; a level has no fraction that means anything.
            Outcome::Level(value) => self.set_level(key, Some(*value as i64)),
            Outcome::Baseline | Outcome::NoData | Outcome::Dropped(_) => {}
        }
    }

    fn set_level(&mut self, key: &Key, value: Option<i64>) {
        if let Some(stream) = self.streams.get_mut(key)
            && let Some(Meaning::Level(level)) = stream.meaning
        {
            let old = std::mem::replace(&mut stream.level, value);
            self.levels.replace(key.module, level, (old, value));
        }
    }

    fn forget(&mut self, key: &Key) {
        self.set_level(key, None);
        if let Some(stream) = self.streams.remove(key) {
            self.bucket_bytes -= stream.sequence.bucket_bytes();
        }
    }

    /// Closes slots, and once a slot looks at what is live.
    pub(in crate::aggregator) fn close(&mut self, now_ns: u64, close_after_ns: u64) {
        self.kept.close(now_ns, close_after_ns);
        self.tapped.counts.close(now_ns, close_after_ns);
        if self.swept < Slot::holding(now_ns) {
            self.swept = Slot::holding(now_ns);
            self.sweep(now_ns);
            self.operations.publish();
        }
        self.levels.publish();
    }

    /// The oldest last points of live streams that count requests; levels of those that fell silent go.
    fn sweep(&mut self, now_ns: u64) {
        let mut last_points: BTreeMap<ModuleId, [Option<u64>; Source::ALL.len()]> = BTreeMap::new();
        let mut silent = Vec::new();
        for (key, stream) in &self.streams {
            let is_live = now_ns.saturating_sub(stream.heard_ns) <= LIVE_NS_MAX;
            if !is_live && stream.level.is_some() {
                silent.push(*key);
            }
            let source = stream.meaning.and_then(Meaning::source).filter(|_| is_live && stream.is_counting);
            if let Some(source) = source {
                let oldest = &mut last_points.entry(key.module).or_default()[source as usize];
                let last = stream.sequence.time_ns();
                *oldest = Some(oldest.map_or(last, |oldest| oldest.min(last)));
            }
        }
        silent.iter().for_each(|key| self.set_level(key, None));
        if *self.last_points != last_points {
            self.last_points = Arc::new(last_points);
        }
        if *self.first_shown != self.first_counts {
            self.first_shown = Arc::new(self.first_counts.clone());
        }
    }

    /// Forgets streams that were silent for an hour, and what no window reaches.
    pub(in crate::aggregator) fn retire(&mut self, now_ns: u64) {
        let is_silent = |stream: &Stream| now_ns.saturating_sub(stream.heard_ns) > SILENCE_NS_MAX;
        let silent: Vec<Key> =
            self.streams.iter().filter(|(_, stream)| is_silent(stream)).map(|(key, _)| *key).collect();
        silent.iter().for_each(|key| self.forget(key));
        self.shapes.retire(now_ns);
        self.operations.retire(now_ns);
    }

    /// Streams and what taps count, their maxima, and what found no place.
    pub(in crate::aggregator) fn limits(&self) -> [Limit; 2] {
        let streams = Limit {
            name: "metrics.metric_streams_max",
            used: self.streams.len() as u64,
            max: self.settings.metric_streams_max.into(),
            refused: self.counters.dropped[DropReason::StreamLimit as usize],
        };
        [streams, self.tapped.limit()]
    }

    /// The figures of this moment.
    pub(in crate::aggregator) fn shown(&self) -> StreamsShown {
        StreamsShown {
            modules: Arc::clone(self.kept.modules.closed()),
            services: Arc::clone(self.kept.services.closed()),
            service_names: self.services.names().clone(),
            last_points: Arc::clone(&self.last_points),
            first_counts: Arc::clone(&self.first_shown),
            levels: Arc::clone(self.levels.shown()),
            operations: Arc::clone(self.operations.shown()),
            tapped: Arc::clone(self.tapped.counts.closed()),
            tapped_names: self.tapped.names.clone(),
            heard: self.heard.clone(),
            counters: StreamCounters {
                operations_refused: self.operations.refused(),
                services_refused: self.services.refused(),
                streams: self.streams.len() as u64,
                taps: self.tapped.counters,
                ..self.counters
            },
        }
    }
}

/// Whether the points of a stream are requests of some source of D.
fn counts_requests(meaning: Option<Meaning>, point: &Point) -> bool {
    match meaning {
        Some(Meaning::Requests(_)) => super::kept::is_histogram(point),
        Some(Meaning::Gateway) => true,
        Some(Meaning::SpansStarted) => point.flags & point_flag::ENTERS != 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
