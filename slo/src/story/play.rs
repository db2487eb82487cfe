//! A story through the engine, tick by tick.

use std::collections::{BTreeMap, BTreeSet};

use super::{Correction, Line, Story, Wanted, read};
use crate::engine::fleet::{ALL, Fleet, Key, Limits};
use crate::engine::forecast::Forecast;
use crate::engine::incident::{Event, Incident};
use crate::engine::status::Status;
use crate::engine::sums::{Delta, Source};
use crate::engine::tiers::Phase;
use crate::engine::windows::{Effect, Grid};
use crate::spec::{Glob, Severity};

/// How bad an incident was from when on; `None`: resolved.
pub(super) type Levels = Vec<(i64, Option<Severity>)>;

/// Tenant, module, SLO.
type Who = (String, String, String);

/// What one instance was found to be.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By seconds from the start: what was asked for.
    pub(super) at: BTreeMap<i64, Moment>,
    /// By tier: from its first firing tick to the first that was not.
    pub(super) firing: BTreeMap<String, Vec<(i64, Option<i64>)>>,
    pub(super) incidents: Vec<(Incident, Levels)>,
    pub(super) events: Vec<Event>,
    /// What it looked like at the end.
    pub(super) last: Option<Moment>,
}

/// An instance at one moment.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) status: Status,
    pub(super) level: Option<Severity>,
    pub(super) forecast: Option<Forecast>,
}

/// A story that was played.
#[derive(Debug)]
pub(super) struct Play {
    found: BTreeMap<Who, Found>,
    /// The SLO that is meant where none is named.
    first_slo: String,
    /// Ticks from the epoch to the start.
    origin: i64,
    tick_s: i64,
}

const LIMITS: Limits = Limits { instances_max: 10_000, memory_bytes_max: usize::MAX };

impl Play {
    /// Plays a story.
    pub(super) fn new(story: &Story) -> Self {
        let tick_s = i64::try_from(story.tick_s).unwrap_or(10);
        let first_slo = story.slos.first().map(|slo| slo.id.clone()).unwrap_or_default();
        let mut play = Self { found: BTreeMap::new(), first_slo, origin: story.start_s.div_euclid(tick_s), tick_s };
        let asked = asked_for(story);
        let first = story.input.iter().map(|line| line.from).min().unwrap_or(0);
        let last = story.input.iter().map(|line| line.to).max().unwrap_or(0);
        // Cells are one tick wide, so that nothing is rounded.
        let grid = Grid { tick_s: story.tick_s, cell_ticks: 1 };
        let mut fleet = Fleet::new(story.slos.clone(), grid, "story", LIMITS);
        let mut corrected = Vec::new();
        for at in (first / tick_s)..(last / tick_s) {
            play.tick(story, &mut fleet, at, &mut corrected);
            play.look(&fleet, at, &asked);
        }
        play
    }

    /// The tick `at` ticks after the start.
    fn tick(&mut self, story: &Story, fleet: &mut Fleet, at: i64, corrected: &mut Vec<usize>) {
        let (from, to) = (at * self.tick_s, (at + 1) * self.tick_s);
        let tick = (self.origin + at).unsigned_abs();
        for line in story.input.iter().filter(|line| line.from <= from && from < line.to) {
            if source_of(&story.input, (&line.tenant, &line.module), from) != Source::Alive {
                continue;
            }
            let times = line.times(from, to);
            if times > 0 && (line.total, line.bad) != (0, 0) {
                let delta = Delta {
                    bad: times * line.bad,
                    total: times * line.total,
                    raw_bad: times * line.bad,
                    raw_total: times * line.total,
                };
                for place in fleet.places_of((&line.tenant, &line.module, "operation"), tick) {
                    fleet.bring(place, tick, delta);
                }
            }
        }
        corrected.resize(fleet.members().len(), 0);
        for (place, known) in corrected.iter_mut().enumerate() {
            let key = fleet.members()[place].key.clone();
            let now: Vec<&Correction> = story.corrections.iter().filter(|one| one.holds(&key, to)).collect();
            if now.len() != *known {
                *known = now.len();
                let effects: Vec<Effect> = now.iter().map(|one| self.effect(one)).collect();
                fleet.correct(place as u32, Effect::joined(&effects));
            }
        }
        let events =
            fleet.close(tick, |_, member| source_of(&story.input, (&member.key.tenant, &member.key.module), from));
        for (place, event) in events {
            let member = &fleet.members()[place as usize];
            let incident = member.instance.incidents.current.clone();
            self.follow(&member.key, event, incident);
        }
    }

    fn effect(&self, correction: &Correction) -> Effect {
        let tick = |seconds: i64| (self.origin + seconds.div_euclid(self.tick_s)).unsigned_abs();
        Effect { from: tick(correction.from), to: tick(correction.to), is_good: correction.is_good }
    }

    fn follow(&mut self, key: &Key, event: Event, incident: Option<Incident>) {
        let at = self.seconds(event.at);
        let is_end = incident.as_ref().is_some_and(|incident| incident.ended.is_some());
        let found = self.found.entry(who(key)).or_default();
        if let Some(incident) = incident {
            let level = (!is_end).then_some(incident.level);
            match found.incidents.last_mut().filter(|(known, _)| known.id == incident.id) {
                Some((known, levels)) => {
                    *known = incident;
                    if levels.last().is_none_or(|(_, last)| *last != level) {
                        levels.push((at, level));
                    }
                }
                None => found.incidents.push((incident, vec![(at, level)])),
            }
        }
        found.events.push(event);
    }

    /// Notes what was asked for, and where tiers stand.
    fn look(&mut self, fleet: &Fleet, at: i64, asked: &BTreeSet<i64>) {
        let end = (at + 1) * self.tick_s;
        for member in fleet.members() {
            let found = self.found.entry(who(&member.key)).or_default();
            for tier in member.instance.tiers() {
                let spans = found.firing.entry(tier.tier.name()).or_default();
                let fires = tier.phase == Phase::Firing;
                match spans.last_mut() {
                    Some((_, to @ None)) if !fires => *to = Some(end),
                    Some((_, None)) => {}
                    _ if fires => spans.push((end, None)),
                    _ => {}
                }
            }
            if asked.contains(&end) {
                let level = member.instance.open_incident().map(|incident| incident.level);
                let forecast = Some(member.instance.forecast());
                let moment = Moment { status: member.instance.status(), level, forecast };
                found.at.insert(end, moment.clone());
                found.last = Some(moment);
            } else if found.last.is_none() {
                let moment = Moment { status: member.instance.status(), level: None, forecast: None };
                found.last = Some(moment);
            }
        }
    }

    /// Seconds from the start to the begin of a tick.
    pub(super) fn seconds(&self, tick: u64) -> i64 {
        (i64::try_from(tick).unwrap_or(0) - self.origin) * self.tick_s
    }

    /// What an instance was found to be; without a name of the story's first SLO.
    pub(super) fn of(&self, tenant: &str, module: &str, slo: Option<&str>) -> Option<&Found> {
        let slo = slo.unwrap_or(&self.first_slo);
        self.found.get(&(tenant.to_owned(), module.to_owned(), slo.to_owned()))
    }
}

fn who(key: &Key) -> Who {
    (key.tenant.to_string(), key.module.to_string(), key.slo.to_string())
}

impl Line {
    /// How often its events fall into these seconds: at `from`, `from + per`, ..
    fn times(&self, from: i64, to: i64) -> i64 {
        let before = |at: i64| (at - self.from + self.per - 1).div_euclid(self.per);
        before(to.min(self.to)) - before(from.max(self.from))
    }
}

impl Correction {
    fn holds(&self, key: &Key, at: i64) -> bool {
        let is_known = self.created_at.is_none_or(|created| created <= at);
        is_known && Glob::new(&self.tenant).matches(&key.tenant) && Glob::new(&self.module).matches(&key.module)
    }
}

/// What is known of a source: dead outranks silent, that outranks alive; where nothing is said it is silent.
fn source_of(lines: &[Line], (tenant, module): (&str, &str), from: i64) -> Source {
    let is = |wanted: &str, name: &str| wanted == ALL || wanted == name;
    let covers = lines.iter().filter(|line| line.from <= from && from < line.to);
    let mine = covers.filter(|line| is(tenant, &line.tenant) && is(module, &line.module));
    let rank = |source: Source| match source {
        Source::Alive => 1,
        Source::Silent => 2,
        Source::Dead => 3,
    };
    mine.map(|line| line.source).max_by_key(|source| rank(*source)).unwrap_or(Source::Silent)
}

fn asked_for(story: &Story) -> BTreeSet<i64> {
    let times = story.expect.iter().filter_map(|expect| match expect.values.get("at") {
        Some(Wanted::Text(text)) => read::seconds(text),
        _ => None,
    });
    times.collect()
}
