//! Composites in the fleet: a composite has an instance for a tenant as soon as one of its parts has, finds its parts by
//! name, and closes a tick after they did.

use std::sync::Arc;

use super::composite::{Part, Told, joined, joined_slice};
use super::corrections::Standing;
use super::fleet::{ALL, Fleet, Key, Member};
use super::incident::Event;
use super::instance::{Input, Instance};
use super::slices::Verdict;
use super::sums::Source;
use super::windows::Effect;
use crate::exact::Fraction;
use crate::spec::{Component, Method, Sli, Slo, WhenUnmeasured};

/// What the parts say of a tick.
#[derive(Debug, Clone, Copy)]
struct Now {
    source: Source,
    /// Events of all since birth.
    seen: i64,
    has_traffic: bool,
}

impl Slo {
    pub(super) fn components(&self) -> &[Component] {
        if let Sli::Composite(components) = &self.sli { components } else { &[] }
    }

    /// Whether an instance of another SLO is a part of its own.
    fn has_part(&self, key: &Key, part: &Self) -> bool {
        let is_named = |component: &Component| {
            let is_module = component.module.as_deref().is_none_or(|module| module == &*key.module);
            component.slo == *key.slo && (is_module || !part.selector.group_by.module)
        };
        let is_owners = self.owner.as_deref().is_none_or(|owner| owner == &*key.tenant);
        is_owners && self.selector.tenant.matches(&key.tenant) && self.components().iter().any(is_named)
    }

    /// The module of the composite that has this part: its own, or its service's name; where parts may have several
    /// modules and none is named, each module has a composite.
    fn module_with(&self, key: &Key, part: &Self) -> Arc<str> {
        let is_named = self.components().iter().any(|one| one.slo == *key.slo && one.module.is_some());
        let is_single = is_named || !part.selector.group_by.module || part.selector.module.single().is_some();
        match self.selector.module.single() {
            Some(module) => Arc::from(module),
            None if is_single => Arc::from(&*self.service),
            None => Arc::clone(&key.module),
        }
    }
}

impl Fleet {
    /// Makes the composites that the instance at this place is a part of, and lets them know it.
    pub(super) fn assemble(&mut self, place: u32) {
        let (key, part) = (self.members[place as usize].key.clone(), Arc::clone(&self.members[place as usize].slo));
        let wholes: Vec<Arc<Slo>> = self.slos.iter().filter(|slo| slo.has_part(&key, &part)).map(Arc::clone).collect();
        for slo in wholes {
            let tick = self.members[place as usize].instance.next();
            let whole =
                Key { tenant: Arc::clone(&key.tenant), module: slo.module_with(&key, &part), slo: Arc::from(&*slo.id) };
            if let Some((whole, _)) = self.place(&slo, whole, tick) {
                self.link(whole);
            }
        }
    }

    /// Finds the parts of a composite, and opens its windows there.
    fn link(&mut self, whole: u32) {
        let mut parts = std::mem::take(&mut self.members[whole as usize].parts);
        if parts.is_empty() {
            parts = self.parts_of(&self.members[whole as usize]);
            self.composites.push(whole);
        }
        for part in &mut parts {
            let place = self.by_key.get(&part.key).copied().filter(|place| !self.members[*place as usize].is_gone);
            if part.place == place {
                continue;
            }
            part.place = place;
            part.windows.clear();
            if let Some(place) = place {
                let spans = self.members[whole as usize].instance.windows.spans();
                let windows = &mut self.members[place as usize].instance.windows;
                part.windows.extend(spans.into_iter().map(|span| windows.open(span)));
            }
        }
        self.members[whole as usize].parts = parts;
        self.ask_parts(whole, &[]);
    }

    /// The parts of a composite by name, not found yet.
    fn parts_of(&self, whole: &Member) -> Vec<Part> {
        let part = |component: &Component| {
            let slo = self.slos.iter().find(|slo| slo.id == component.slo);
            let module = match slo {
                Some(slo) if !slo.selector.group_by.module => ALL,
                _ => component
                    .module
                    .as_deref()
                    .or_else(|| slo.and_then(|slo| slo.selector.module.single()))
                    .unwrap_or(&whole.key.module),
            };
            let key = Key {
                tenant: Arc::clone(&whole.key.tenant),
                module: Arc::from(module),
                slo: Arc::from(&*component.slo),
            };
            let target = slo.map_or(whole.instance.terms().target, |slo| slo.terms_of(&key.tenant, &key.module).target);
            let weight = Fraction::of(component.weight).unwrap_or(Fraction::ZERO);
            Part { key, place: None, windows: Vec::new(), target, weight, when: component.when_unmeasured }
        };
        whole.slo.components().iter().map(part).collect()
    }

    /// After a change of SLOs: windows that composites opened are closed, and all composites find their parts anew.
    pub(super) fn assemble_anew(&mut self) {
        let wholes = std::mem::take(&mut self.composites);
        for member in &mut self.members {
            member.parts.clear();
            member.instance.close_foreign_windows();
        }
        for place in wholes.into_iter().filter(|place| !self.members[*place as usize].is_gone).collect::<Vec<_>>() {
            self.link(place);
        }
        for place in 0..self.members.len() as u32 {
            if !self.members[place as usize].is_gone && self.members[place as usize].slo.components().is_empty() {
                self.assemble(place);
            }
        }
        self.ask_all_parts();
    }

    /// The instance of a part, if there is one at work.
    fn of_part(&self, part: &Part) -> Option<&Instance> {
        let member = &self.members[part.place? as usize];
        (!member.is_gone && !member.is_archived).then_some(&member.instance)
    }

    /// Closes a tick for all composites; their parts have closed it.
    pub(super) fn close_composites(&mut self, tick: u64, events: &mut Vec<(u32, Event)>) {
        for at in 0..self.composites.len() {
            let place = self.composites[at];
            let told = self.close_composite(place, tick);
            events.extend(told.into_iter().map(|event| (place, event)));
        }
    }

    fn close_composite(&mut self, place: u32, tick: u64) -> Vec<Event> {
        let now = self.now(place, tick);
        let mut events = Vec::new();
        let member = &mut self.members[place as usize];
        if member.rests(tick, self.grid, now.has_traffic, &mut events) {
            return events;
        }
        while member.instance.next() < tick {
            // Its parts are further on: what they say now is not of this tick.
            member.instance.silence();
            events.extend(member.instance.miss(&Input { source: Source::Dead, changes: Vec::new() }));
        }
        if member.instance.next() == tick {
            let gap_begins = member.instance.begin(now.source, now.has_traffic);
            member.instance.seen = now.seen;
            let judged = self.judged(place);
            self.ask_parts(place, &judged);
            events.extend(self.members[place as usize].instance.conclude(tick, gap_begins));
        }
        events
    }

    /// What the parts say of the tick that they closed. A part with `good` or `bad` is never missed, one with `ignore`
    /// does not matter.
    fn now(&self, place: u32, tick: u64) -> Now {
        let mut now = Now { source: Source::Alive, seen: 0, has_traffic: false };
        let mut is_known = false;
        for part in &self.members[place as usize].parts {
            let instance = self.of_part(part);
            now.seen = now.seen.saturating_add(instance.map_or(0, |instance| instance.seen));
            now.has_traffic |= instance.is_some_and(|instance| instance.heard == tick);
            let source = instance.map_or(Source::Silent, |instance| instance.source);
            now.source = match (part.when, source, now.source) {
                (WhenUnmeasured::Freeze, Source::Dead, _) => Source::Dead,
                (WhenUnmeasured::Freeze, Source::Silent, Source::Alive) => Source::Silent,
                (_, _, known) => known,
            };
            is_known |= part.when != WhenUnmeasured::Ignore || source == Source::Alive;
        }
        now.source = if is_known { now.source } else { Source::Silent };
        now
    }

    /// Last ticks of the slices that parts judged in this tick.
    fn judged(&self, place: u32) -> Vec<u64> {
        let member = &self.members[place as usize];
        if member.instance.counting.is_told() {
            return Vec::new();
        }
        let parts = member.parts.iter().filter_map(|part| self.of_part(part));
        let judged = parts.flat_map(|instance| instance.judged()).copied();
        // A late event in a slice before its time does not make that one slice its own.
        let mut judged: Vec<u64> = judged.filter(|tick| *tick >= member.instance.born).collect();
        judged.sort_unstable();
        judged.dedup();
        judged
    }

    /// Lets a composite take what its parts say: of its windows, or of slices by their last ticks.
    fn ask_parts(&mut self, place: u32, slices: &[u64]) {
        let parts = std::mem::take(&mut self.members[place as usize].parts);
        self.turn_parts(place, &parts);
        let whole = &self.members[place as usize].instance;
        if whole.counting.is_told() {
            for window in 0..self.members[place as usize].instance.windows.len() {
                let told = told(&self.members[place as usize].instance, &parts, window, |part| self.of_part(part));
                self.members[place as usize].instance.windows.tell(window, told);
            }
        } else {
            let verdicts = verdicts(whole, &parts, slices, |part| self.of_part(part));
            let whole = &mut self.members[place as usize].instance;
            verdicts.iter().for_each(|verdict| whole.count_slice(verdict));
        }
        self.members[place as usize].parts = parts;
    }

    /// Windows of parts begin with the calendar of the composite.
    fn turn_parts(&mut self, place: u32, parts: &[Part]) {
        let whole = &self.members[place as usize].instance;
        let (period, Some((from, _))) = (whole.period, whole.calendar) else { return };
        for part in parts {
            let Some((place, window)) = part.place.zip(part.windows.get(period)) else { continue };
            let windows = &mut self.members[place as usize].instance.windows;
            if !windows.is_since(*window, from) {
                windows.reopen(*window, from);
            }
        }
    }

    /// Lets composites take what corrections, or other terms, changed in their parts.
    pub(super) fn ask_all_parts(&mut self) {
        for place in self.composites.clone() {
            let mut parts = self.members[place as usize].parts.iter().filter_map(|part| self.of_part(part));
            let is_corrected = parts.any(|instance| instance.is_corrected);
            self.members[place as usize].instance.is_corrected |= is_corrected;
            let slices = if self.members[place as usize].instance.counting.is_told() {
                Vec::new()
            } else {
                self.slices_of(place)
            };
            self.ask_parts(place, &slices);
        }
    }

    /// Last ticks of the slices of the composite's period that all its parts can still tell: what was judged of a part that
    /// began anew since, rests or is gone stays as it was.
    fn slices_of(&self, place: u32) -> Vec<u64> {
        let member = &self.members[place as usize];
        let (whole, ticks) = (&member.instance, slice_ticks(&member.instance));
        let mut from = whole.windows.from(whole.period).max(whole.born);
        for part in member.parts.iter().filter(|part| self.by_key.contains_key(&part.key)) {
            let Some(instance) = self.of_part(part) else { return Vec::new() };
            from = from.max(instance.born);
        }
        let origin = whole.calendar.map_or(0, |(from, _)| from) % ticks;
        let first = from + (origin + ticks - 1 + ticks - from % ticks) % ticks;
        (first..whole.next()).step_by(ticks as usize).collect()
    }

    /// What a composite's budget would be, were its parts and itself corrected so.
    pub(super) fn composite_under(&self, place: u32, effects_of: impl Fn(&Key) -> Vec<Effect>) -> Standing {
        let member = &self.members[place as usize];
        let corrected = |instance: &Instance, key: &Key| {
            let mut other = instance.clone();
            other.correct(Effect::joined(&effects_of(key)));
            other
        };
        let parts: Vec<Option<Instance>> =
            member.parts.iter().map(|part| self.of_part(part).map(|instance| corrected(instance, &part.key))).collect();
        let of =
            |part: &Part| member.parts.iter().position(|one| one.key == part.key).and_then(|at| parts[at].as_ref());
        let mut whole = corrected(&member.instance, &member.key);
        if whole.counting.is_told() {
            let told = told(&whole, &member.parts, whole.period, of);
            whole.windows.tell(whole.period, told);
        } else {
            let verdicts = verdicts(&whole, &member.parts, &self.slices_of(place), of);
            verdicts.iter().for_each(|verdict| whole.count_slice(verdict));
        }
        whole.standing()
    }
}

fn told<'a>(whole: &Instance, parts: &[Part], window: usize, of: impl Fn(&Part) -> Option<&'a Instance>) -> Told {
    let is_of_events = whole.counting.method == Method::Occurrences;
    joined(is_of_events, parts.iter().map(|part| part.voice(of(part), window, whole)))
}

fn slice_ticks(whole: &Instance) -> u64 {
    match whole.counting.method {
        Method::Timeslices { slice, .. } | Method::RatioTimeslices { slice } => {
            whole.grid.ticks(slice.seconds()).max(1)
        }
        Method::Occurrences => 1,
    }
}

/// What changes in these slices of a composite.
fn verdicts<'a>(
    whole: &Instance,
    parts: &[Part],
    slices: &[u64],
    of: impl Fn(&Part) -> Option<&'a Instance>,
) -> Vec<Verdict> {
    let (ticks, empty) = (slice_ticks(whole), whole.terms.no_data.empty_slice);
    let verdicts = slices.iter().map(|tick| {
        let voices = parts.iter().map(|part| part.slice(of(part), *tick, ticks));
        let counted = whole.windows.at(*tick);
        Verdict { tick: *tick, before: (counted.total, counted.bad), after: joined_slice(empty, voices) }
    });
    verdicts.filter(|verdict| verdict.before != verdict.after).collect()
}
