//! A platform in a few words: points as they would be sent, applied with a clock.

use bailiwick_slo::time::{SECOND_NS, Slot};

use crate::aggregator::settings::StreamSettings;
use crate::aggregator::snapshot::ModuleId;
use crate::aggregator::streams::{Arrival, MetricCounts, Outcome, Owner, Streams};
use crate::observation::batch::row::{Point, point_flag};

pub(super) const NOW_S: u64 = 1_700_000_000;
pub(super) const MINUTE: u64 = 60;
pub(super) const ALL: (Slot, Slot) = (Slot(0), Slot(u32::MAX));

/// One point. Times in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) operation: &'static str,
    pub(super) stream: u8,
    pub(super) module: ModuleId,
    pub(super) resource: u64,
    pub(super) data: u8,
    pub(super) flags: u16,
    pub(super) is_delta: bool,
    pub(super) is_failure: bool,
    /// A minute before now, if it is not said.
    pub(super) began_s: Option<u64>,
    pub(super) value: u64,
    pub(super) count: u64,
    /// Numbers of the taps that read it.
    pub(super) taps: &'static [u16],
}

/// A counter's point that began a minute ago.
pub(super) fn counter(name: &'static str, value: i64) -> Sent {
    Sent {
        name,
        unit: "s",
        operation: "",
        stream: 1,
        module: 1,
        resource: 1,
        data: 2,
        flags: point_flag::MONOTONIC | point_flag::INTEGER,
        is_delta: false,
        is_failure: false,
        began_s: None,
        value: value.cast_unsigned(),
        count: 0,
        taps: &[],
    }
}

/// An explicit histogram's point.
pub(super) fn histogram(name: &'static str, count: u64) -> Sent {
    Sent { data: 3, flags: point_flag::HAS_SUM, count, ..counter(name, 0) }
}

/// A level's point.
pub(super) fn level(name: &'static str, value: i64) -> Sent {
    Sent { flags: point_flag::INTEGER, ..counter(name, value) }
}

impl Sent {
    pub(super) fn operation(self, operation: &'static str) -> Self {
        Self { operation, ..self }
    }
    pub(super) fn failed(self) -> Self {
        Self { is_failure: true, ..self }
    }
    pub(super) fn stream(self, stream: u8) -> Self {
        Self { stream, ..self }
    }
    pub(super) fn module(self, module: ModuleId) -> Self {
        Self { module, ..self }
    }
    pub(super) fn resource(self, resource: u64) -> Self {
        Self { resource, ..self }
    }
    pub(super) fn flags(self, flags: u16) -> Self {
        Self { flags: self.flags | flags, ..self }
    }
    pub(super) fn began(self, began_s: u64) -> Self {
        Self { began_s: Some(began_s), ..self }
    }
    pub(super) fn taps(self, taps: &'static [u16]) -> Self {
        Self { taps, ..self }
    }
    pub(super) fn sum(self, sum: f64) -> Self {
        Self { value: sum.to_bits(), ..self }
    }
}

/// Streams with a clock.
pub(super) struct Driven {
    pub(super) streams: Streams,
    now_s: u64,
}

impl Driven {
    pub(super) fn new(metric_streams_max: u32) -> Self {
        let settings = StreamSettings { metric_streams_max, ..StreamSettings::default() };
        Self { streams: Streams::new(settings, 600 * SECOND_NS), now_s: NOW_S }
    }

    pub(super) fn now_ns(&self) -> u64 {
        self.now_s * SECOND_NS
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now_s += seconds;
    }

    /// Closes all that ended, up to now.
    pub(super) fn close(&mut self) {
        self.streams.close(self.now_ns(), 0);
    }

    pub(super) fn send(&mut self, sent: Sent) -> Outcome {
        self.send_words(sent, &[])
    }

    pub(super) fn send_words(&mut self, sent: Sent, words: &[u64]) -> Outcome {
        let owner = self.owner(&sent);
        let point = Point {
            stream_id: [sent.stream; 16],
            start_ns: sent.began_s.unwrap_or(self.now_s - 60) * SECOND_NS,
            time_ns: self.now_ns(),
            value: sent.value,
            count: sent.count,
            data: sent.data,
            temporality: if sent.is_delta { 1 } else { 2 },
            outcome: u8::from(sent.is_failure),
            flags: sent.flags,
            ..Point::default()
        };
        let Sent { name, unit, operation, taps, .. } = sent;
        let now_ns = self.now_ns();
        self.streams.apply(&Arrival { point: &point, words, taps, owner, name, unit, operation, now_ns })
    }

    /// Points of one batch: heard of whole, then applied.
    pub(super) fn batch(&mut self, batch: &[Sent]) {
        for sent in batch {
            let owner = self.owner(sent);
            self.streams.hear(&owner, sent.name, self.now_ns());
        }
        batch.iter().for_each(|sent| drop(self.send(*sent)));
    }

    fn owner(&mut self, sent: &Sent) -> Owner {
        let service = self.streams.service("acme", "shop");
        Owner { module: sent.module, service, resource_hash: sent.resource }
    }

    /// All that was counted for a tenant x module.
    pub(super) fn module(&self, module: ModuleId) -> MetricCounts {
        self.streams.shown().modules(ALL.0, ALL.1).get(&module).copied().unwrap_or_default()
    }

    pub(super) fn in_flight(&self) -> Vec<(ModuleId, u64)> {
        self.streams.shown().requests_in_flight().collect()
    }
}
