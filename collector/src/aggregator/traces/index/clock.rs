//! When traces settle and when they are forgotten. Times are the fold's; ties fall in the order of arrival.

use std::collections::{BTreeMap, VecDeque};

use bailiwick_slo::saved;

use super::{Index, TraceRef};

const SECOND_NS: u64 = 1_000_000_000;

/// What is due when.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// By second: traces to look at then. A trace stands here once for each of its turns.
    settle: BTreeMap<u64, Vec<TraceRef>>,
    /// Settled traces with the time of their settling, the oldest first.
    pub(super) settled: VecDeque<(u64, TraceRef)>,
}
saved!(struct Due { settle, settled });

impl Due {
    pub(super) fn add(&mut self, trace: TraceRef, at_ns: u64) {
        self.settle.entry(at_ns.div_ceil(SECOND_NS)).or_default().push(trace);
    }
}

impl Index {
    /// Traces that settle now, in the order in which they are due; all of them at the end (`everything`).
    pub(in crate::aggregator) fn take_settling(&mut self, now_ns: u64, everything: bool) -> Vec<u32> {
        let mut settling = Vec::new();
        while let Some(entry) = self.due.settle.first_entry() {
            if !everything && *entry.key() > now_ns / SECOND_NS {
                break;
            }
            for trace in entry.remove() {
                if !self.is_current(trace) {
                    continue;
                }
                let known = self.traces.get(trace.place);
                let due_ns = (known.last_at_ns + self.limits.idle_ns).min(known.first_at_ns + self.limits.age_ns);
                if everything || due_ns <= now_ns {
                    settling.push(trace.place);
                } else {
                    self.due.add(trace, due_ns.max(now_ns + 1));
                }
            }
        }
        settling
    }

    /// A trace has settled; it is kept for late spans.
    pub(in crate::aggregator) fn settle(&mut self, place: u32, now_ns: u64) {
        let trace = self.traces.get_mut(place);
        trace.is_settled = true;
        trace.is_dirty = false;
        self.usage.settled(trace.spans);
        self.due.settled.push_back((now_ns, TraceRef { place, turn: trace.turn }));
    }

    /// Forgets what settled longer ago than late spans are taken.
    pub(in crate::aggregator) fn expire(&mut self, now_ns: u64) {
        let keep_ns = self.limits.keep_ns;
        while let Some((_, trace)) = self.due.settled.pop_front_if(|(at_ns, _)| *at_ns + keep_ns <= now_ns) {
            if self.is_current(trace) && self.traces.get(trace.place).is_settled {
                self.free_trace(trace.place);
            }
        }
    }

    /// Forgets the trace that settled first. Says whether there was one.
    pub(super) fn expire_one(&mut self) -> bool {
        while let Some((at_ns, trace)) = self.due.settled.pop_front() {
            if self.is_current(trace) && self.traces.get(trace.place).is_settled {
                self.usage.forgotten_ns = self.usage.forgotten_ns.max(at_ns);
                self.free_trace(trace.place);
                return true;
            }
        }
        false
    }

    /// Judges more traces again when there is room.
    pub(in crate::aggregator) fn relax(&mut self, now_ns: u64) {
        let usage = self.usage();
        let is_calm = usage.bytes * 2 < usage.bytes_max && usage.live_traces * 2 < usage.traces_live_max;
        self.sample.relax(now_ns, is_calm);
    }
}
