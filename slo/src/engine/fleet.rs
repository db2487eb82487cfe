//! All instances of all SLOs: who has one, what each tick brings to it, what happens.
//!
//! An instance is made with the first observation that its SLO matches. Ticks come in order; one that is left out was a
//! gap for everybody.

mod kept;

use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use super::composite::Part;
use super::corrections::Corrections;
use super::counting::Counting;
use super::incident::{Event, Incidents, Reason};
use super::instance::{Input, Instance};
use super::sums::{Delta, Source};
use super::windows::{Effect, Grid};
use crate::outcome::{Outcome, OutcomeCounts};
use crate::saved;
use crate::spec::{Sli, Slo, Terms};

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

saved!(struct Key { tenant, module, slo });

/// An instance of the fleet.
#[derive(Debug)]
pub struct Member {
    /// Who it is.
    pub key: Key,
    /// Its SLO.
    pub slo: Arc<Slo>,
    /// The revision of the SLO at which its windows began.
    pub generation: Arc<str>,
    /// It.
    pub instance: Instance,
    /// It rests until there is traffic: it had none for its time to live, or none since its SLO changed.
    pub is_archived: bool,
    /// Its SLO is gone or speaks of others now. Its place is kept for the same key.
    pub is_gone: bool,
    /// What its ticks will bring, by tick.
    pending: Vec<(u64, Delta)>,
    /// Of a composite: its parts.
    pub(super) parts: Vec<Part>,
}

saved!(struct Member { key, slo, generation, instance, is_archived, is_gone, pending, parts });

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

saved!(struct Refused { by_number, by_memory, shed });

/// All instances.
#[derive(Debug)]
pub struct Fleet {
    pub(super) grid: Grid,
    /// What ids are made of.
    store_id: String,
    limits: Limits,
    pub(super) slos: Vec<Arc<Slo>>,
    pub(super) members: Vec<Member>,
    pub(super) by_key: HashMap<Key, u32>,
    /// Places of composites.
    pub(super) composites: Vec<u32>,
    /// Instances by SLO.
    pub(super) counts: HashMap<Arc<str>, u32>,
    refused: Refused,
    /// The first tick that has not closed.
    pub(super) next: Option<u64>,
    pub(super) corrections: Corrections,
    /// SLOs changed since the last tick: an instance that is made now is one of a series that was known before.
    pub(super) is_redefined: bool,
    /// Bytes of all instances, counted now and then.
    bytes: usize,
}

impl Member {
    /// Of a composite: where its parts are.
    pub fn part_places(&self) -> impl Iterator<Item = u32> + '_ {
        self.parts.iter().filter_map(|part| part.place)
    }

    /// Its SLO is gone, or speaks of something else: its incident ends and its cells are let go of.
    pub(super) fn go(&mut self, at: u64, reason: Reason) -> Option<Event> {
        (self.is_gone, self.is_archived) = (true, true);
        self.pending = Vec::new();
        self.instance.end(at, reason)
    }

    /// Closes a tick, and those before it that were left out, as gaps.
    fn close(&mut self, tick: u64, source: Source, grid: Grid) -> Vec<Event> {
        let mut events = Vec::new();
        self.instance.forget_judged();
        if self.rests(tick, grid, !self.pending.is_empty(), &mut events) {
            return events;
        }
        while self.instance.next() < tick {
            let missed = self.due(Source::Dead);
            events.extend(self.instance.miss(&missed));
        }
        if self.instance.next() == tick {
            let input = self.due(source);
            events.extend(self.instance.tick(&input));
        }
        events
    }

    /// Whether there is nothing to be said of it in this tick: it is gone, or had no traffic for so long that nothing is
    /// left to say. What comes then begins anew.
    pub(super) fn rests(&mut self, tick: u64, grid: Grid, has_traffic: bool, events: &mut Vec<Event>) -> bool {
        if self.is_gone {
            return true;
        }
        let ttl_ticks = grid.ticks(self.instance.terms().ttl.seconds());
        if tick.saturating_sub(self.instance.heard) > ttl_ticks {
            events.extend(self.instance.end(tick, Reason::Expired));
            self.is_archived = true;
        }
        if self.is_archived && has_traffic {
            self.instance = self.instance.anew(tick);
            self.is_archived = false;
        }
        self.is_archived
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
            composites: Vec::new(),
            counts: HashMap::new(),
            refused: Refused::default(),
            next: None,
            corrections: Corrections::default(),
            is_redefined: false,
            bytes: 0,
        }
    }

    /// The SLOs.
    #[must_use]
    pub fn slos(&self) -> &[Arc<Slo>] {
        &self.slos
    }

    /// The instances by place, in the order in which they were made first: those that are gone, too.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many there are: those that rest count, those that are gone do not.
    #[must_use]
    pub fn instances(&self) -> usize {
        self.counts.values().map(|count| *count as usize).sum()
    }

    /// The first tick that has not closed, if one has.
    pub(crate) const fn next(&self) -> Option<u64> {
        self.next
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
    /// next, or the one of the first observation. Places hold until [`Fleet::redefine`]; what is asked between that and
    /// the next tick makes instances that rest until something is brought to them.
    pub fn places_of(&mut self, (tenant, module, operation): (&str, &str, &str), tick: u64) -> Vec<u32> {
        self.places_where((tenant, module), tick, |slo| slo.matches(tenant, module, operation))
    }

    /// The places of a tenant x module's instances of the SLOs that are wanted, made where they are missing; composites
    /// are made with their parts.
    pub fn places_where(
        &mut self,
        (tenant, module): (&str, &str),
        tick: u64,
        wanted: impl Fn(&Slo) -> bool,
    ) -> Vec<u32> {
        let is_meant = |slo: &&Arc<Slo>| slo.components().is_empty() && wanted(slo);
        let matching: Vec<Arc<Slo>> = self.slos.iter().filter(is_meant).map(Arc::clone).collect();
        let mut places = Vec::with_capacity(matching.len());
        for slo in matching {
            let group = slo.selector.group_by;
            let key = Key {
                tenant: Arc::from(if group.tenant { tenant } else { ALL }),
                module: Arc::from(if group.module { module } else { ALL }),
                slo: Arc::from(&*slo.id),
            };
            let Some((place, is_new)) = self.place(&slo, key, tick) else { continue };
            if is_new {
                self.assemble(place);
            }
            places.push(place);
        }
        places
    }

    /// The incidents of an instance.
    pub fn incidents_mut(&mut self, place: u32) -> &mut Incidents {
        &mut self.members[place as usize].instance.incidents
    }

    /// The place of an instance, made if it is missing, and whether it was.
    pub(super) fn place(&mut self, slo: &Arc<Slo>, key: Key, tick: u64) -> Option<(u32, bool)> {
        let known = self.by_key.get(&key).copied();
        if let Some(place) = known.filter(|place| !self.members[*place as usize].is_gone) {
            return Some((place, false));
        }
        let terms = slo.terms_of(&key.tenant, &key.module);
        if !terms.enabled {
            return None;
        }
        let count = self.counts.get(&key.slo).copied().unwrap_or_default();
        if count >= slo.instances_max || self.instances() >= self.limits.instances_max {
            self.refused.by_number += 1;
            return None;
        }
        if self.bytes >= self.limits.memory_bytes_max {
            self.refused.by_memory += 1;
            return None;
        }
        *self.counts.entry(Arc::clone(&key.slo)).or_default() += 1;
        let member = self.member(key.clone(), slo, terms, tick);
        self.bytes += member.instance.memory_bytes();
        let place = known.unwrap_or(self.members.len() as u32);
        match self.members.get_mut(place as usize) {
            Some(gone) => *gone = member,
            None => self.members.push(member),
        }
        self.by_key.insert(key, place);
        Some((place, true))
    }

    fn member(&self, key: Key, slo: &Arc<Slo>, terms: Terms, tick: u64) -> Member {
        let generation: Arc<str> = Arc::from(&*slo.revision);
        let name = format!("{}\n{}\n{}\n{}\n{generation}", self.store_id, key.tenant, key.module, key.slo);
        let mut instance = Instance::new(terms, Counting::of(slo), self.grid, (name, self.next.unwrap_or(tick)));
        instance.windows.correct(self.corrections.of(&key));
        let is_archived = self.is_redefined;
        let (slo, pending, parts) = (Arc::clone(slo), Vec::new(), Vec::new());
        Member { key, slo, generation, instance, is_archived, is_gone: false, pending, parts }
    }

    /// What an instance's next tick brings; what does not count for it is nothing, and so is what is brought to one that
    /// is gone.
    pub fn bring(&mut self, place: u32, tick: u64, delta: Delta) {
        let member = &mut self.members[place as usize];
        if delta == Delta::default() || member.is_gone {
            return;
        }
        let pending = &mut member.pending;
        match pending.binary_search_by_key(&tick, |(known, _)| *known) {
            Ok(at) => pending[at].1.add(&delta),
            Err(at) => pending.insert(at, (tick, delta)),
        }
    }

    /// Closes a tick for all instances; `source` says what is known of who sends to one, by its place: composites know it from their
    /// parts. Ticks since the last one were gaps.
    pub fn close(&mut self, tick: u64, source: impl Fn(u32, &Member) -> Source) -> Vec<(u32, Event)> {
        let mut events = Vec::new();
        self.is_redefined = false;
        let plain = (0..).zip(&mut self.members).filter(|(_, member)| member.parts.is_empty());
        for (place, member) in plain {
            let source = source(place, member);
            let told = member.close(tick, source, self.grid);
            events.extend(told.into_iter().map(|event| (place, event)));
        }
        self.close_composites(tick, &mut events);
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

    /// Sets what corrections do to the ticks of this instance; [`Fleet::set_corrections`] is for all of them.
    pub fn correct(&mut self, place: u32, effects: Vec<Effect>) {
        self.members[place as usize].instance.correct(effects);
        self.ask_all_parts();
    }
}

impl Slo {
    /// Whether a tenant x module is part of it, whatever is asked of it.
    #[must_use]
    pub fn is_of(&self, tenant: &str, module: &str) -> bool {
        let is_owners = self.owner.as_deref().is_none_or(|owner| owner == tenant);
        is_owners && self.selector.tenant.matches(tenant) && self.selector.module.matches(module)
    }

    /// Whether a series is part of it.
    #[must_use]
    pub fn matches(&self, tenant: &str, module: &str, operation: &str) -> bool {
        self.is_of(tenant, module) && self.selector.operation.matches(operation)
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
