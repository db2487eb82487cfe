//! All instances of all SLOs: who has one, what each tick brings to it, what happens.
//!
//! An instance is made with the first observation that its SLO matches. Ticks come in order; one that is left out was a
//! gap for everybody.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::incident::{Event, Reason};
use super::instance::{Input, Instance};
use super::sums::{Delta, Source};
use super::windows::{Effect, Grid};
use crate::outcome::{Outcome, OutcomeCounts};
use crate::spec::{Sli, Slo};

/// What an instance reads that sums over all tenants, or modules.
pub const ALL: &str = "_all";

/// Ticks that are closed one by one after a pause; of a longer one only the last so many are gaps of their own.
const PAUSE_TICKS_MAX: u64 = 400_000;

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
    /// Refused instances by SLO.
    refused: BTreeMap<String, u64>,
    /// The first tick that has not closed.
    next: Option<u64>,
    /// Bytes of all instances, counted now and then.
    bytes: usize,
}

impl Member {
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
            refused: BTreeMap::new(),
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

    /// The instance of this key.
    #[must_use]
    pub fn find(&self, key: &Key) -> Option<&Member> {
        self.by_key.get(key).map(|place| &self.members[*place as usize])
    }

    /// Instances that were refused, by SLO.
    #[must_use]
    pub fn refused(&self) -> &BTreeMap<String, u64> {
        &self.refused
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
        let is_full = self.members.len() >= self.limits.instances_max || self.bytes >= self.limits.memory_bytes_max;
        if *count >= slo.instances_max || is_full {
            *self.refused.entry(slo.id.clone()).or_default() += 1;
            return None;
        }
        *count += 1;
        let name = format!("{}\n{}\n{}\n{}\n{}", self.store_id, key.tenant, key.module, key.slo, slo.revision);
        let first = self.next.unwrap_or(tick);
        let instance = Instance::new(terms, slo.method, self.grid, (name, first));
        let place = self.members.len() as u32;
        self.bytes += instance.memory_bytes();
        self.by_key.insert(key.clone(), place);
        self.members.push(Member { key, slo: Arc::clone(slo), instance, pending: Vec::new() });
        Some(place)
    }

    /// What an instance's next tick brings.
    pub fn bring(&mut self, place: u32, tick: u64, delta: Delta) {
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
            let mut told = |told: Vec<Event>| events.extend(told.into_iter().map(|event| (place, event)));
            let missed = tick.saturating_sub(member.instance.next());
            for _ in 0..if missed <= PAUSE_TICKS_MAX { missed } else { 0 } {
                let ended = member.due(Source::Dead);
                told(member.instance.tick(&ended));
            }
            if member.instance.next() == tick {
                let ended = member.due(source(&member.key));
                told(member.instance.tick(&ended));
            }
        }
        self.next = Some(self.next.map_or(tick + 1, |next| next.max(tick + 1)));
        if tick.is_multiple_of(COUNT_EVERY_TICKS) {
            self.bytes = self.members.iter().map(|member| member.instance.memory_bytes()).sum();
        }
        events
    }

    /// Sets what corrections do to an instance's ticks.
    pub fn correct(&mut self, place: u32, effects: Vec<Effect>) {
        self.members[place as usize].instance.correct(effects);
    }

    /// Takes other SLOs. Instances go on where their SLO is the same but for its terms; the others end, and begin anew
    /// with the next observation. Says what ended.
    pub fn replace(&mut self, slos: Vec<Slo>) -> Vec<(Key, Event)> {
        let slos: Vec<Arc<Slo>> = slos.into_iter().map(Arc::new).collect();
        let at = self.next.unwrap_or(0);
        let mut ended = Vec::new();
        let members = std::mem::take(&mut self.members);
        (self.by_key, self.counts) = (HashMap::new(), HashMap::new());
        for mut member in members {
            let known = slos.iter().find(|slo| *slo.id == *member.key.slo);
            let stays = known.is_some_and(|slo| slo.revision == member.slo.revision);
            if stays && let Some(slo) = known {
                *self.counts.entry(Arc::clone(&member.key.slo)).or_default() += 1;
                self.by_key.insert(member.key.clone(), self.members.len() as u32);
                member.slo = Arc::clone(slo);
                self.members.push(member);
                continue;
            }
            let reason = if known.is_some() { Reason::SloChanged } else { Reason::SloDeleted };
            ended.extend(member.instance.incidents.end(at, reason).map(|event| (member.key.clone(), event)));
        }
        self.slos = slos;
        ended
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
