//! What operators order while SLOs are evaluated. Orders are records like any others: they are never changed, only
//! followed by further ones.

use jiff::tz::TimeZone;

use super::recurrence::Recurrence;
use crate::engine::corrections::Standing;
use crate::engine::fleet::Key;
use crate::engine::incident::Id;
use crate::engine::windows::{Effect, Grid};
use crate::saved;
use crate::saved::Saved;
use crate::spec::Glob;
use crate::wire::{Read, Reader, Writer};

/// Most corrections that are kept, revoked ones among them.
pub const CORRECTIONS_MAX: usize = 1_000;
/// Most stretches of all corrections together.
pub const STRETCHES_MAX: usize = 100_000;
/// Stretches that begin farther from the order than this are not kept, seconds: longer than incidents are (400 d).
const REACH_SECONDS: i64 = 400 * 86_400;
/// Most silences that are kept, ended ones among them.
pub const SILENCES_MAX: usize = 1_000;
/// Most corrections that were tried and are remembered.
pub const TRIED_MAX: usize = 32;
/// Most acknowledgements that are kept.
pub const ACKS_MAX: usize = 1_000;

/// An order.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    /// Time that does not count as it was measured.
    Correct(Correction),
    /// What a correction would do is asked; it does not hold.
    Try(Correction),
    /// A correction does not hold any more.
    Revoke(Done),
    /// Messages that are not sent for a while.
    Silence(Silence),
    /// A silence ends now.
    EndSilence(Done),
    /// Somebody looks after an incident.
    Acknowledge(Ack),
    /// Nobody does any more.
    Unacknowledge(Done),
    /// An incident is over, somebody says.
    Close(Done),
    /// Other definitions hold from now on: documents by name.
    Define(Vec<(String, String)>),
}

impl Control {
    /// It is about a correction that holds, or held.
    #[must_use]
    pub const fn is_correction(&self) -> bool {
        matches!(self, Self::Correct(_) | Self::Revoke(_))
    }

    /// It is about a silence.
    #[must_use]
    pub const fn is_silence(&self) -> bool {
        matches!(self, Self::Silence(_) | Self::EndSilence(_))
    }
}

/// What was done to a thing, by whom, when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The thing.
    pub id: Id,
    /// Who ordered it.
    pub by: String,
    /// When, nanoseconds since the Unix epoch.
    pub at_ns: u64,
}

saved!(struct Done { id, by, at_ns });

/// Time that does not count as it was measured (`slo.md` 2.9).
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// Its id.
    pub id: Id,
    /// Which SLOs, by id.
    pub slo: Glob,
    /// Which tenants.
    pub tenant: Glob,
    /// Which modules.
    pub module: Glob,
    /// Begin, seconds since the Unix epoch.
    pub starts_s: i64,
    /// End.
    pub ends_s: i64,
    /// IANA name of the zone that it recurs in.
    pub zone: String,
    /// When it comes again.
    pub recurrence: Option<Recurrence>,
    /// All is good; else what was counted leaves the windows.
    pub is_good: bool,
    /// Why.
    pub reason: String,
    /// Where that is discussed; may be empty.
    pub ticket: String,
    /// Who ordered it.
    pub created_by: String,
    /// When, nanoseconds since the Unix epoch.
    pub created_at_ns: u64,
}

/// Messages that are not sent for a while (`slo.md` 3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Its id.
    pub id: Id,
    /// All of them must match.
    pub matchers: Vec<Matcher>,
    /// Begin, seconds since the Unix epoch.
    pub starts_s: i64,
    /// End.
    pub ends_s: i64,
    /// Why.
    pub comment: String,
    /// Who ordered it.
    pub created_by: String,
    /// When, nanoseconds since the Unix epoch.
    pub created_at_ns: u64,
}

saved!(struct Silence { id, matchers, starts_s, ends_s, comment, created_by, created_at_ns });

/// What a label must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    /// The label: `slo`, `tenant`, `module` or `severity`.
    pub name: String,
    /// A value, or a regular expression of the whole value.
    pub value: String,
    /// It is a regular expression.
    pub is_regex: bool,
    /// The label is like it; else it is not.
    pub is_equal: bool,
}

saved!(struct Matcher { name, value, is_regex, is_equal });

/// Somebody looks after an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The incident.
    pub incident: Id,
    /// Who.
    pub by: String,
    /// What they say; may be empty.
    pub note: String,
    /// When, nanoseconds since the Unix epoch.
    pub at_ns: u64,
    /// It holds until then, seconds since the Unix epoch; `None`: until the incident ends.
    pub until_s: Option<i64>,
}

saved!(struct Ack { incident, by, note, at_ns, until_s });

impl Correction {
    /// Whether it is for an instance.
    #[must_use]
    pub fn is_for(&self, key: &Key) -> bool {
        self.slo.matches(&key.slo) && self.tenant.matches(&key.tenant) && self.module.matches(&key.module)
    }

    /// The stretches that it covers, seconds since the Unix epoch, whole minutes.
    #[must_use]
    pub fn stretches(&self) -> Vec<(i64, i64)> {
        let first = (self.starts_s, self.ends_s);
        let zone = TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC);
        let times = self.recurrence.as_ref().map_or_else(|| vec![first], |rule| rule.times(first, &zone));
        let up = |at: i64| at.saturating_add(59).div_euclid(60).saturating_mul(60);
        let minute = |(from, to): (i64, i64)| (from.div_euclid(60).saturating_mul(60), up(to));
        times.into_iter().map(minute).filter(|(from, to)| from < to).collect()
    }

    /// What it does to ticks, as far as it is kept: around the time of the order.
    #[must_use]
    pub fn effects(&self, grid: Grid) -> Vec<Effect> {
        let ordered_s = i64::try_from(self.created_at_ns / 1_000_000_000).unwrap_or(i64::MAX);
        let is_near = |(from, to): &(i64, i64)| {
            *from <= ordered_s.saturating_add(REACH_SECONDS) && *to >= ordered_s.saturating_sub(REACH_SECONDS)
        };
        let tick = |seconds: i64| u64::try_from(seconds).unwrap_or(0) / grid.tick_s;
        let effect = |(from, to): (i64, i64)| Effect { from: tick(from), to: tick(to), is_good: self.is_good };
        self.stretches().into_iter().filter(is_near).map(effect).filter(|effect| effect.from < effect.to).collect()
    }
}

/// A correction and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    /// As it was ordered.
    pub correction: Correction,
    /// What it does to ticks.
    pub effects: Vec<Effect>,
    /// It was revoked.
    pub revoked: Option<Done>,
    /// What it did to budgets when it came.
    pub weighed: Vec<Weighed>,
    /// Instances that it is for, of which `weighed` has the first ones.
    pub instances: usize,
}

saved!(struct Corrected { correction, effects, revoked, weighed, instances });

/// What a correction does to the budget of one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// The instance.
    pub key: Key,
    /// Without it.
    pub before: Standing,
    /// With it.
    pub after: Standing,
}

saved!(struct Weighed { key, before, after });

/// A silence and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silenced {
    /// As it was ordered.
    pub silence: Silence,
    /// It was ended before its time.
    pub ended: Option<Done>,
}

saved!(struct Silenced { silence, ended });

/// All orders that are kept, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Controls {
    /// Corrections.
    pub corrections: Vec<Corrected>,
    /// Silences.
    pub silences: Vec<Silenced>,
    /// Acknowledgements of incidents.
    pub acks: Vec<Ack>,
    /// Corrections that were only tried, the latest last, at most [`TRIED_MAX`].
    pub tried: Vec<Corrected>,
    /// Orders that had no place.
    pub refused: u64,
}

impl Saved for Controls {
    fn save(&self, to: &mut Writer) {
        let Self { corrections, silences, acks, tried, refused } = self;
        corrections.save(to);
        silences.save(to);
        acks.save(to);
        tried.save(to);
        refused.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (corrections, silences): (Vec<_>, Vec<_>) = Saved::load(from)?;
        let (acks, tried, refused): (Vec<_>, Vec<_>, _) = Saved::load(from)?;
        let lengths = [
            (corrections.len(), CORRECTIONS_MAX),
            (silences.len(), SILENCES_MAX),
            (acks.len(), ACKS_MAX),
            (tried.len(), TRIED_MAX),
        ];
        if lengths.into_iter().any(|(length, max)| length > max) {
            return from.wrong("more orders than are ever kept");
        }
        Ok(Self { corrections, silences, acks, tried, refused })
    }
}

impl Controls {
    /// What the corrections that hold do to an instance's ticks.
    #[must_use]
    pub fn effects(&self, key: &Key) -> Vec<Effect> {
        let hold = self.corrections.iter().filter(|one| one.revoked.is_none() && one.correction.is_for(key));
        let effects: Vec<Effect> = hold.flat_map(|one| one.effects.iter().copied()).collect();
        Effect::joined(&effects)
    }

    /// The acknowledgement of an incident.
    #[must_use]
    pub fn ack(&self, incident: Id) -> Option<&Ack> {
        self.acks.iter().rev().find(|ack| ack.incident == incident)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn correction(starts_s: i64, ends_s: i64, recurrence: Option<&str>) -> Correction {
        Correction {
            id: Id([0; 16]),
            slo: Glob::new("*"),
            tenant: Glob::new("acme"),
            module: Glob::new("rag*"),
            starts_s,
            ends_s,
            zone: "Europe/Berlin".to_owned(),
            recurrence: recurrence.map(|rule| rule.parse().expect("a rule")),
            is_good: false,
            reason: "a deploy".to_owned(),
            ticket: String::new(),
            created_by: "ops".to_owned(),
            created_at_ns: 0,
        }
    }

    #[test]
    fn edges_widen_to_minutes() {
        assert_eq!(correction(61, 119, None).stretches(), [(60, 120)]);
        let effects = correction(61, 121, None).effects(Grid::LIVE);
        assert_eq!(effects, [Effect { from: 6, to: 18, is_good: false }]);
    }

    #[test]
    fn corrections_that_overlap_are_one_list_without_overlap_and_revoked_ones_are_not_in_it() {
        let key = Key { tenant: Arc::from("acme"), module: Arc::from("rag_hub"), slo: Arc::from("avail") };
        let kept = |correction: Correction, revoked: Option<Done>| {
            let effects = correction.effects(Grid::LIVE);
            Corrected { correction, effects, revoked, weighed: Vec::new(), instances: 0 }
        };
        let done = Done { id: Id([1; 16]), by: "ops".to_owned(), at_ns: 1 };
        let controls = Controls {
            corrections: vec![
                kept(correction(600, 1_200, None), None),
                kept(Correction { is_good: true, ..correction(900, 1_500, None) }, None),
                kept(correction(0, 60_000, None), Some(done)),
            ],
            ..Controls::default()
        };
        let effects = controls.effects(&key);
        let effect = |from, to, is_good| Effect { from, to, is_good };
        assert_eq!(effects, [effect(60, 90, false), effect(90, 120, false), effect(120, 150, true)]);
        let other = Key { module: Arc::from("chat"), ..key };
        assert!(controls.effects(&other).is_empty());
    }

    #[test]
    fn a_nightly_window_recurs() {
        let nightly = correction(1_767_225_600, 1_767_229_200, Some("FREQ=DAILY;COUNT=3"));
        let stretches = nightly.stretches();
        assert_eq!(stretches.len(), 3);
        assert_eq!(stretches[2].0 - stretches[0].0, 2 * 86_400);
    }
}
