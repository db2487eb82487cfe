//! Incidents: one per instance, whatever is wrong with it. What was decided each tick becomes a level, and the level a
//! story of events (`slo.md` 3.1).

use sha2::{Digest, Sha256};

use crate::saved;
use crate::spec::Severity;

/// Firing within so long after a resolve goes on with the same incident, seconds.
const REOPEN_SECONDS: u64 = 600;

/// Events of an incident that are kept: a month of repeats each four hours, and more.
const EVENTS_MAX: usize = 256;

/// What an incident is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// A tier, by its place; [`Cause::GONE`]: one that is no more.
    Tier(u8),
    /// A step of the budget policy, by its place; [`Cause::GONE`]: one that is no more.
    Policy(u8),
    /// Missing data.
    NoData,
    /// The budget is expected to end soon.
    Forecast,
}

saved!(enum Cause { 0 => Tier(place), 1 => Policy(place), 2 => NoData, 3 => Forecast });

impl Cause {
    /// The place of what was taken out of the terms.
    pub const GONE: u8 = u8::MAX;

    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tier(_) => "tier",
            Self::Policy(_) => "policy",
            Self::NoData => "nodata",
            Self::Forecast => "forecast",
        }
    }
}

/// Why an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It is good again.
    Recovered,
    /// Nobody asks any more, and that is certain.
    NoTraffic,
    /// A correction took its cause away.
    Correction,
    /// The SLO means something else now.
    SloChanged,
    /// The SLO is gone.
    SloDeleted,
    /// The instance had no traffic for its time to live.
    Expired,
    /// Somebody closed it.
    Closed,
}

saved!(enum Reason {
    0 => Recovered, 1 => NoTraffic, 2 => Correction, 3 => SloChanged, 4 => SloDeleted, 5 => Expired, 6 => Closed,
});

impl Reason {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::NoTraffic => "no_traffic",
            Self::Correction => "correction",
            Self::SloChanged => "slo_changed",
            Self::SloDeleted => "slo_deleted",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }
}

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It began, or is said again.
    Firing,
    /// It began, or goes on, with missing data.
    NoData,
    /// It began with a forecast.
    Forecast,
    /// It is worse.
    Escalated,
    /// It is less bad.
    Deescalated,
    /// Somebody looks after it.
    Acknowledged,
    /// It ended.
    Resolved(Reason),
}

saved!(enum Kind {
    0 => Firing, 1 => NoData, 2 => Forecast, 3 => Escalated, 4 => Deescalated, 5 => Acknowledged, 6 => Resolved(reason),
});

impl Kind {
    /// The published name, after `slo.alert.`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::NoData => "nodata",
            Self::Forecast => "forecast",
            Self::Escalated => "escalated",
            Self::Deescalated => "deescalated",
            Self::Acknowledged => "acknowledged",
            Self::Resolved(_) => "resolved",
        }
    }
}

/// An id: 32 hexadecimal digits when shown. The same on a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub [u8; 16]);

saved!(struct Id { 0 });

impl Id {
    /// The first half of the SHA-256 over the parts, each with a line end.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(part.as_bytes());
            digest.update(b"\n");
        }
        let mut id = [0; 16];
        id.copy_from_slice(&digest.finalize()[..16]);
        Self(id)
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One event. Times are tick numbers: the tick after which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: Id,
    /// Its incident.
    pub incident: Id,
    /// From 1 in each incident.
    pub seq: u32,
    /// The event that it takes the place of.
    pub supersedes: Option<Id>,
    /// What happened.
    pub kind: Kind,
    /// When.
    pub at: u64,
    /// How bad it is now; of a resolve, how bad it was.
    pub level: Severity,
    /// The worst cause.
    pub cause: Cause,
    /// How often it was said again.
    pub repeat: u32,
    /// How often it began again.
    pub reopened: u32,
}

saved!(struct Event { id, incident, seq, supersedes, kind, at, level, cause, repeat, reopened });

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Its id.
    pub id: Id,
    /// When it began: end of the tick.
    pub opened: u64,
    /// When it ended: end of the first clear tick; and why.
    pub ended: Option<(u64, Reason)>,
    /// How bad it is, or was at the end.
    pub level: Severity,
    /// How bad it was at worst.
    pub peak: Severity,
    /// The worst cause.
    pub cause: Cause,
    /// How often it began again.
    pub reopened: u32,
    /// Somebody looks after it.
    pub acknowledged: bool,
    /// What happened, oldest first: the first one and the latest, at most [`EVENTS_MAX`].
    pub events: Vec<Event>,
    /// Events so far.
    told: u32,
    /// The tick of the resolve, which comes `hold_down` after its end.
    resolved: Option<u64>,
    /// When it was said last, and how often again.
    said: (u64, u32),
    /// Since when the cause is lower than each level, by [`Severity`].
    lower_since: [Option<u64>; 3],
    /// Why it would end, as of the first clear tick.
    clear: Reason,
}

saved!(struct Incident {
    id, opened, ended, level, peak, cause, reopened, acknowledged, events, told, resolved, said, lower_since, clear,
});

/// What a tick decided for an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// The worst cause, and how bad that is.
    pub worst: Option<(Severity, Cause)>,
    /// Missing data began in this tick.
    pub gap_begins: bool,
    /// Nothing opens, and what is open stays as it is.
    pub is_maintained: bool,
    /// If it is clear: why.
    pub clear: Reason,
}

/// The times that an incident goes by, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Seconds of a tick.
    pub tick_s: u64,
    /// `holdDown`.
    pub hold_down: u64,
    /// `repeatEvery`; 0: never.
    pub repeat_every: u64,
}

/// The incidents of one instance: the open or latest one.
#[derive(Debug, Clone)]
pub struct Incidents {
    /// What ids are made of: store, instance, generation.
    name: String,
    /// The open one, or the last.
    pub current: Option<Incident>,
}

saved!(struct Incidents { name, current });

impl Incidents {
    /// None yet. `name` says which instance in which store, and its generation.
    #[must_use]
    pub fn new(name: String) -> Self {
        Self { name, current: None }
    }

    /// The open one.
    #[must_use]
    pub fn open(&self) -> Option<&Incident> {
        self.current.as_ref().filter(|incident| incident.resolved.is_none())
    }

    /// Takes what a tick decided; says what happened.
    pub fn tick(&mut self, at: u64, decided: &Decided, pace: &Pace) -> Vec<Event> {
        if decided.is_maintained {
            return Vec::new();
        }
        match (self.open().is_some(), decided.worst) {
            (false, None) => Vec::new(),
            (false, Some((level, cause))) => vec![self.begin(at, (level, cause), pace)],
            (true, _) => {
                let incident = self.current.as_mut().expect("it is open");
                incident.go_on(at, decided, pace)
            }
        }
    }

    /// Tiers and steps have other places now: those of the old ones, or `None`.
    pub(super) fn recast(
        &mut self,
        tier_of: impl Fn(usize) -> Option<usize>,
        step_of: impl Fn(usize) -> Option<usize>,
    ) {
        let place = |place: Option<usize>| place.and_then(|place| u8::try_from(place).ok()).unwrap_or(Cause::GONE);
        let recast = |cause: &mut Cause| match cause {
            Cause::Tier(tier) => *tier = place(tier_of(usize::from(*tier))),
            Cause::Policy(step) => *step = place(step_of(usize::from(*step))),
            Cause::NoData | Cause::Forecast => {}
        };
        if let Some(incident) = &mut self.current {
            recast(&mut incident.cause);
            incident.events.iter_mut().for_each(|event| recast(&mut event.cause));
        }
    }

    fn begin(&mut self, at: u64, (level, cause): (Severity, Cause), pace: &Pace) -> Event {
        let kind = match cause {
            Cause::NoData => Kind::NoData,
            Cause::Forecast => Kind::Forecast,
            Cause::Tier(_) | Cause::Policy(_) => Kind::Firing,
        };
        let again = self.current.as_ref().and_then(|last| last.resolved);
        let reopens = again.is_some_and(|resolved| (at - resolved) * pace.tick_s <= REOPEN_SECONDS);
        if !reopens {
            let id = Id::of(&[&self.name, &at.to_string()]);
            self.current = Some(Incident::new(id, at, (level, cause)));
        }
        let incident = self.current.as_mut().expect("it was put there");
        if reopens {
            incident.reopen(at, (level, cause));
        }
        incident.tell(at, kind)
    }

    /// Ends the open incident now.
    pub fn end(&mut self, at: u64, reason: Reason) -> Option<Event> {
        let incident = self.current.as_mut().filter(|incident| incident.resolved.is_none())?;
        Some(incident.resolve(at, (at, reason)))
    }

    /// Somebody looks after the open incident.
    pub fn acknowledge(&mut self, at: u64) -> Option<Event> {
        let incident = self.current.as_mut().filter(|incident| incident.resolved.is_none())?;
        incident.acknowledged = true;
        Some(incident.tell(at, Kind::Acknowledged))
    }

    /// Nobody looks after the open incident any more.
    pub fn unacknowledge(&mut self) {
        if let Some(incident) = self.current.as_mut().filter(|incident| incident.resolved.is_none()) {
            incident.acknowledged = false;
        }
    }
}

impl Incident {
    fn new(id: Id, opened: u64, (level, cause): (Severity, Cause)) -> Self {
        Self {
            id,
            opened,
            ended: None,
            level,
            peak: level,
            cause,
            reopened: 0,
            acknowledged: false,
            events: Vec::new(),
            told: 0,
            resolved: None,
            said: (opened, 0),
            lower_since: [None; 3],
            clear: Reason::Recovered,
        }
    }

    /// Whether all that happened to it was at this tick or before, and no more often than can be.
    pub(super) fn is_over_by(&self, at: u64) -> bool {
        let times = self.lower_since.into_iter().flatten().chain(self.resolved);
        let is_counted = [self.told, self.reopened, self.said.1].iter().all(|times| *times < u32::MAX);
        is_counted && times.chain([self.opened, self.said.0]).all(|time| time <= at)
    }

    fn reopen(&mut self, at: u64, (level, cause): (Severity, Cause)) {
        (self.level, self.cause, self.peak) = (level, cause, self.peak.max(level));
        (self.ended, self.resolved, self.lower_since) = (None, None, [None; 3]);
        (self.said, self.acknowledged) = ((at, 0), false);
        self.reopened += 1;
    }

    fn go_on(&mut self, at: u64, decided: &Decided, pace: &Pace) -> Vec<Event> {
        let now = decided.worst.map(|(level, _)| level);
        let was_clear = self.lower_since[Severity::Notice as usize].is_some();
        for level in [Severity::Notice, Severity::Ticket, Severity::Page] {
            let since = &mut self.lower_since[level as usize];
            *since = if now >= Some(level) { None } else { since.or(Some(at)) };
        }
        if now.is_none() && !was_clear {
            self.clear = decided.clear;
        }
        let mut events = Vec::new();
        if decided.gap_begins {
            events.push(self.tell(at, Kind::NoData));
        }
        if let Some((level, cause)) = decided.worst.filter(|(level, _)| *level > self.level) {
            (self.level, self.cause, self.peak) = (level, cause, self.peak.max(level));
            events.push(self.tell(at, Kind::Escalated));
            return events;
        }
        match self.held(at, pace) {
            None => {
                let cleared = self.lower_since[Severity::Notice as usize].unwrap_or(at);
                events.push(self.resolve(at, (cleared, self.clear)));
            }
            Some(level) if level < self.level => {
                self.level = level;
                self.cause = decided.worst.map_or(self.cause, |(_, cause)| cause);
                events.push(self.tell(at, Kind::Deescalated));
            }
            Some(_) => {
                self.cause =
                    decided.worst.filter(|(level, _)| *level == self.level).map_or(self.cause, |(_, cause)| cause);
                events.extend(self.repeat(at, pace));
            }
        }
        events
    }

    /// The level that holds: none of those that the cause has been lower than for the hold-down.
    fn held(&self, at: u64, pace: &Pace) -> Option<Severity> {
        let levels = [Severity::Page, Severity::Ticket, Severity::Notice].into_iter();
        let mut held = levels.filter(|level| *level <= self.level);
        held.find(|level| self.lower_since[*level as usize].is_none_or(|since| at - since < pace.hold_down))
    }

    fn repeat(&mut self, at: u64, pace: &Pace) -> Option<Event> {
        let (said, times) = self.said;
        if pace.repeat_every == 0 || self.acknowledged || at - said < pace.repeat_every {
            return None;
        }
        self.said = (at, times + 1);
        Some(self.tell(at, Kind::Firing))
    }

    fn resolve(&mut self, at: u64, ended: (u64, Reason)) -> Event {
        (self.ended, self.resolved) = (Some(ended), Some(at));
        self.tell(at, Kind::Resolved(ended.1))
    }

    fn tell(&mut self, at: u64, kind: Kind) -> Event {
        self.told += 1;
        let seq = self.told;
        let event = Event {
            id: Id::of(&[&self.id.to_string(), &seq.to_string()]),
            incident: self.id,
            seq,
            supersedes: self.events.last().map(|event| event.id),
            kind,
            at,
            level: self.level,
            cause: self.cause,
            repeat: self.said.1,
            reopened: self.reopened,
        };
        if self.events.len() == EVENTS_MAX {
            self.events.remove(1);
        }
        self.events.push(event.clone());
        event
    }
}
