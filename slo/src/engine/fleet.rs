//! All instances of all SLOs: who has one, what each tick brings to it, what happens.
//!
//! An instance is made with the first observation that its SLO matches. Ticks come in order; one that is left out was a
//! gap for everybody.

use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use super::incident::Event;
use super::instance::{Input, Instance};
use super::sums::{Delta, Source};
use super::windows::{Effect, Grid};
use crate::outcome::{Outcome, OutcomeCounts};
use crate::spec::{Sli, Slo};

/// What an instance reads that sums over all tenants, or modules.
pub const ALL: &str = "_all";

/// How often bytes are counted.
const COUNT_EVERY_TICKS: u64 = 32;

/// Who an instance is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its tenant, or [`ALL`].
    pub tenant: Arc<str>,
    /// Its module, or [`ALL`].
    pub module: Arc<str>,
    /// The id of its SLO.
    pub slo: Arc<str>,
}

/// An instance of the fleet.
#[derive(Debug)]
pub struct Member {
    /// Who it is.
    pub key: Key,
    /// Its SLO.
    pub slo: Arc<Slo>,
    /// It.
    pub instance: Instance,
    /// It had no traffic for its time to live: it rests until there is some.
    pub is_archived: bool,
    /// What its ticks will bring, by tick.
    pending: Vec<(u64, Delta)>,
}

/// What a fleet may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Instances of all SLOs.
    pub instances_max: usize,
    /// Bytes of their cells.
    pub memory_bytes_max: usize,
}

/// What did not fit: instances that found no place, each counted once for every series of theirs, and history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refused {
    /// Their SLO, or all of them, had too many.
    pub by_number: u64,
    /// Those that there are took too many bytes.
    pub by_memory: u64,
    /// How often one forgot the oldest of its history, so that all stay within their bytes.
    pub shed: u64,
}

/// All instances.
#[derive(Debug)]
pub struct Fleet {
    grid: Grid,
    /// What ids are made of.
    store_id: String,
    limits: Limits,
    slos: Vec<Arc<Slo>>,
    members: Vec<Member>,
    by_key: HashMap<Key, u32>,
    /// Instances by SLO.
    counts: HashMap<Arc<str>, u32>,
    refused: Refused,
    /// The first tick that has not closed.
    next: Option<u64>,
    /// Bytes of all instances, counted now and then.
    bytes: usize,
}

impl Member {
    /// Closes a tick, and those before it that were left out, as gaps.
    fn close(&mut self, tick: u64, source: Source, grid: Grid) -> Vec<Event> {
        let mut events = Vec::new();
        let ttl_ticks = grid.ticks(self.instance.terms().ttl.seconds());
        if tick.saturating_sub(self.instance.heard()) > ttl_ticks {
            // It had no traffic for so long that nothing is left to say; what comes next begins anew.
            events.extend(self.instance.expire(tick));
            self.is_archived = true;
        }
        if self.is_archived {
            if self.pending.is_empty() {
                return events;
            }
            self.instance = self.instance.anew(tick);
            self.is_archived = false;
        }
        while self.instance.next() < tick {
            let missed = self.due(Source::Dead);
            events.extend(self.instance.tick(&missed));
        }
        if self.instance.next() == tick {
            let input = self.due(source);
            events.extend(self.instance.tick(&input));
        }
        events
    }

    /// What its next tick brings: changes of later ticks wait for theirs.
    fn due(&mut self, source: Source) -> Input {
        let next = self.instance.next();
        let waits = self.pending.partition_point(|(tick, _)| *tick <= next);
        let later = self.pending.split_off(waits);
        Input { source, changes: std::mem::replace(&mut self.pending, later) }
    }
}

impl Fleet {
    /// Without instances.
    #[must_use]
    pub fn new(slos: Vec<Slo>, grid: Grid, store_id: &str, limits: Limits) -> Self {
        Self {
            grid,
            store_id: store_id.to_owned(),
            limits,
            slos: slos.into_iter().map(Arc::new).collect(),
            members: Vec::new(),
            by_key: HashMap::new(),
            counts: HashMap::new(),
            refused: Refused::default(),
            next: None,
            bytes: 0,
        }
    }

    /// The SLOs.
    #[must_use]
    pub fn slos(&self) -> &[Arc<Slo>] {
        &self.slos
    }

    /// The instances, in the order in which they were made.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Instances that found no place.
    #[must_use]
    pub fn refused(&self) -> Refused {
        self.refused
    }

    /// Bytes that all cells take.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.bytes
    }

    /// The places of the instances that a series is part of, made where they are missing. `tick` is the tick that closes
    /// next, or the one of the first observation.
    pub fn places_of(&mut self, (tenant, module, operation): (&str, &str, &str), tick: u64) -> Vec<u32> {
        let matching: Vec<Arc<Slo>> =
            self.slos.iter().filter(|slo| slo.matches(tenant, module, operation)).map(Arc::clone).collect();
        matching.iter().filter_map(|slo| self.place(slo, tenant, module, tick)).collect()
    }

    fn place(&mut self, slo: &Arc<Slo>, tenant: &str, module: &str, tick: u64) -> Option<u32> {
        let group = slo.selector.group_by;
        let key = Key {
            tenant: Arc::from(if group.tenant { tenant } else { ALL }),
            module: Arc::from(if group.module { module } else { ALL }),
            slo: Arc::from(&*slo.id),
        };
        if let Some(place) = self.by_key.get(&key) {
            return Some(*place);
        }
        let terms = slo.terms_of(&key.tenant, &key.module);
        if !terms.enabled {
            return None;
        }
        let count = self.counts.entry(Arc::clone(&key.slo)).or_default();
        if *count >= slo.instances_max || self.members.len() >= self.limits.instances_max {
            self.refused.by_number += 1;
            return None;
        }
        if self.bytes >= self.limits.memory_bytes_max {
            self.refused.by_memory += 1;
            return None;
        }
        *count += 1;
        let name = format!("{}\n{}\n{}\n{}\n{}", self.store_id, key.tenant, key.module, key.slo, slo.revision);
        let first = self.next.unwrap_or(tick);
        let instance = Instance::new(terms, slo.method, self.grid, (name, first));
        let place = self.members.len() as u32;
        self.bytes += instance.memory_bytes();
        self.by_key.insert(key.clone(), place);
        self.members.push(Member { key, slo: Arc::clone(slo), instance, is_archived: false, pending: Vec::new() });
        Some(place)
    }

    /// What an instance's next tick brings; what does not count for it is nothing.
    pub fn bring(&mut self, place: u32, tick: u64, delta: Delta) {
        if delta == Delta::default() {
            return;
        }
        let pending = &mut self.members[place as usize].pending;
        match pending.binary_search_by_key(&tick, |(known, _)| *known) {
            Ok(at) => pending[at].1.add(&delta),
            Err(at) => pending.insert(at, (tick, delta)),
        }
    }

    /// Closes a tick for all instances; `source` says what is known of a tenant x module. Ticks since the last one were
    /// gaps.
    pub fn close(&mut self, tick: u64, source: impl Fn(&Key) -> Source) -> Vec<(u32, Event)> {
        let mut events = Vec::new();
        for (place, member) in (0..).zip(&mut self.members) {
            let told = member.close(tick, source(&member.key), self.grid);
            events.extend(told.into_iter().map(|event| (place, event)));
        }
        self.next = Some(self.next.map_or(tick + 1, |next| next.max(tick + 1)));
        if tick.is_multiple_of(COUNT_EVERY_TICKS) {
            self.keep_within();
        }
        events
    }

    /// Counts bytes; over the maximum, whoever has most forgets the oldest of it.
    fn keep_within(&mut self) {
        self.bytes = self.members.iter().map(|member| member.instance.memory_bytes()).sum();
        let within = self.limits.memory_bytes_max / 10 * 9;
        if self.bytes <= self.limits.memory_bytes_max {
            return;
        }
        let mut largest: BinaryHeap<(usize, usize)> =
            self.members.iter().enumerate().map(|(place, member)| (member.instance.memory_bytes(), place)).collect();
        while self.bytes > within
            && let Some((before, place)) = largest.pop()
        {
            let instance = &mut self.members[place].instance;
            if instance.shed() {
                let now = instance.memory_bytes();
                self.bytes = self.bytes.saturating_sub(before.saturating_sub(now));
                self.refused.shed += 1;
                largest.push((now, place));
            }
        }
    }

    /// Sets what corrections do to an instance's ticks.
    pub fn correct(&mut self, place: u32, effects: Vec<Effect>) {
        self.members[place as usize].instance.correct(effects);
    }
}

impl Slo {
    /// Whether a series is part of it.
    #[must_use]
    pub fn matches(&self, tenant: &str, module: &str, operation: &str) -> bool {
        let is_owners = self.owner.as_deref().is_none_or(|owner| owner == tenant);
        let selector = &self.selector;
        is_owners
            && selector.tenant.matches(tenant)
            && selector.module.matches(module)
            && selector.operation.matches(operation)
    }
}

impl Sli {
    /// Outcomes that are bad, where the SLI is made of outcomes.
    #[must_use]
    pub fn bad_outcomes(&self) -> Vec<Outcome> {
        match self {
            Self::Availability => vec![Outcome::Failure],
            Self::Outcome { good, total } => total.iter().copied().filter(|outcome| !good.contains(outcome)).collect(),
            _ => Vec::new(),
        }
    }

    /// What requests by outcome count as, where the SLI is made of outcomes. `spans` are as they were seen, the outcomes
    /// adjusted for sampling; what was taken out is two's complement.
    #[must_use]
    pub fn delta(&self, outcomes: &OutcomeCounts, spans: u64) -> Option<Delta> {
        let counts = outcomes.0.map(u64::cast_signed);
        let sum = |wanted: &[Outcome]| wanted.iter().map(|outcome| counts[outcome.index()]).sum::<i64>();
        let (bad, total) = match self {
            Self::Availability => (counts[1], counts[0] + counts[1] + counts[2]),
            Self::Outcome { good, total } => (sum(total) - sum(good), sum(total)),
            _ => return None,
        };
        // As many spans as there are requests: nothing was sampled. Else shares of the spans stand for the outcomes.
        let (all, spans) = (counts.iter().sum::<i64>(), spans.cast_signed());
        let raw = |part: i64| if all == spans || all == 0 { part } else { part * spans / all };
        Some(Delta { bad, total, raw_bad: raw(bad), raw_total: raw(total) })
    }
}
