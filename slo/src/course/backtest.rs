//! Definitions tried on records that are over: what would have fired, when, and how well that fits what is known to have
//! gone wrong. The course is the daemon's own, so that over the same records the alert log is the same, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use super::delta;
use super::ledger::Written;
use super::log;
use super::record::{Reading, Record};
use super::run::{Course, Definitions};
use crate::engine::fleet::Key;
use crate::engine::incident::{Id, Kind};
use crate::engine::status::Status;
use crate::engine::tiers::Phase;
use crate::engine::windows::Grid;
use crate::exact::{Decimal, Quotient};
use crate::spec::{Severity, Slo};

/// First tick and the first after it; `None`: it goes on.
pub type Stretch = (u64, Option<u64>);

/// What is tried.
#[derive(Debug)]
pub struct Trial<'a> {
    /// On which records.
    pub written: &'a Written,
    /// Which definitions.
    pub definitions: Definitions,
    /// What happened before this tick is left out; it is counted all the same.
    pub from: u64,
    /// Records from this tick on are left out.
    pub to: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// The alert log.
    pub log: String,
    /// By instance.
    pub instances: BTreeMap<Key, InstanceOutcome>,
    /// The first tick that was evaluated, and the first that was not.
    pub ticks: (u64, u64),
    /// What SLOs ask for and the records do not have, by SLO: nothing can be said of those.
    pub unrecorded: Vec<(String, String)>,
    /// It was stopped before its end.
    pub is_cut: bool,
    /// Things in the records that could not be used.
    pub damaged: u64,
    /// Records that the ledger had forgotten: those that are told of are not all that the daemon evaluated.
    pub forgotten: u64,
}

/// What came of it for one instance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InstanceOutcome {
    /// By tier: when it fired.
    pub firing: BTreeMap<String, Vec<Stretch>>,
    /// Its incidents, in their order.
    pub incidents: Vec<IncidentOutcome>,
    /// What it looked like at the end.
    pub last: Option<Status>,
}

/// One incident.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentOutcome {
    /// Its id.
    pub id: Id,
    /// When it was open.
    pub open: Stretch,
    /// How bad it was at worst.
    pub peak: Severity,
    /// What was left of the budget when it opened.
    pub remaining: Quotient,
}

/// Tries definitions; `goes_on` is asked before each record.
#[must_use]
pub fn run(trial: Trial<'_>, goes_on: impl Fn() -> bool) -> Outcome {
    let Trial { written, definitions, from, to } = trial;
    let unrecorded = match &definitions {
        Definitions::Recorded => Vec::new(),
        Definitions::Given(slos) => unrecorded(slos, &written.records),
    };
    let mut course = Course::new(definitions, &written.origin, Grid::LIVE);
    let mut outcome = Outcome { unrecorded, forgotten: written.forgotten, ..Outcome::default() };
    let mut first = None;
    for record in written.records.iter().take_while(|record| record.open <= to) {
        if !goes_on() {
            outcome.is_cut = true;
            break;
        }
        take(&mut course, record, from, &mut outcome);
        first.get_or_insert(record.open.saturating_sub(1));
        outcome.ticks = (first.unwrap_or(record.open).max(from), record.open);
    }
    for (_, member) in course.members() {
        outcome.instances.entry(member.key.clone()).or_default().last = Some(member.instance.status());
    }
    outcome.damaged = course.damaged();
    outcome
}

/// What SLOs ask for that no record has: thresholds that were not counted against, readings that nobody asked for then.
fn unrecorded(slos: &[Slo], records: &[Record]) -> Vec<(String, String)> {
    let thresholds: BTreeSet<u64> =
        records.iter().flat_map(|record| &record.latency).map(|(_, _, classes)| classes.threshold_ns).collect();
    let readings: Vec<&Reading> = records.iter().flat_map(|record| &record.readings).collect();
    let missing = slos.iter().filter_map(|slo| {
        let what = match delta::threshold_of(&slo.sli) {
            Some(threshold_ns) if !thresholds.contains(&threshold_ns) => {
                Some(format!("the threshold of {} ms", Decimal::new(i64::try_from(threshold_ns).ok()?, 6)))
            }
            Some(_) => None,
            None => {
                let asked = Reading::of(&slo.sli);
                let missing = asked.iter().find(|asked| !readings.contains(asked));
                missing.map(|reading| reading.name())
            }
        };
        what.map(|what| (slo.id.clone(), what))
    });
    missing.collect()
}

fn take(course: &mut Course, record: &Record, from: u64, outcome: &mut Outcome) {
    let events = course.take(record);
    for (place, event) in events.into_iter().filter(|(_, event)| event.at >= from) {
        let member = &course.fleet().members()[place as usize];
        outcome.log.push_str(&log::line(&member.key, &event, course.grid()));
        let incidents = &mut outcome.instances.entry(member.key.clone()).or_default().incidents;
        let known = incidents.iter_mut().find(|known| known.id == event.incident);
        let ended = match event.kind {
            Kind::Resolved(_) => member.instance.incidents.current.as_ref().and_then(|incident| incident.ended),
            _ => None,
        };
        let ended = ended.map(|(at, _)| at);
        match known {
            Some(known) => {
                known.peak = known.peak.max(event.level);
                known.open.1 = ended;
            }
            None => incidents.push(IncidentOutcome {
                id: event.incident,
                open: (event.at, ended),
                peak: event.level,
                remaining: member.instance.status().budget.remaining,
            }),
        }
    }
    if record.open >= from {
        for (_, member) in course.members() {
            let firing = member.instance.tiers().iter().map(|tier| (tier.tier.name(), tier.phase == Phase::Firing));
            note_firing(firing, record.open, &member.key, outcome);
        }
    }
}

fn note_firing(tiers: impl Iterator<Item = (String, bool)>, at: u64, key: &Key, outcome: &mut Outcome) {
    for (name, fires) in tiers {
        // An instance that never fires has no rows.
        let known = outcome.instances.get(key).and_then(|known| known.firing.get(&name)).and_then(|rows| rows.last());
        let is_open = known.is_some_and(|(_, to)| to.is_none());
        if fires != is_open {
            let rows = outcome.instances.entry(key.clone()).or_default().firing.entry(name).or_default();
            match rows.last_mut() {
                Some((_, to)) if is_open => *to = Some(at),
                _ => rows.push((at, None)),
            }
        }
    }
}

/// What one instance looked like now and then.
#[must_use]
pub fn samples(trial: Trial<'_>, key: &Key, every: u64, goes_on: impl Fn() -> bool) -> Vec<(u64, Status)> {
    let Trial { written, definitions, from, to } = trial;
    let mut course = Course::new(definitions, &written.origin, Grid::LIVE);
    let mut samples = Vec::new();
    let mut next = from;
    for record in written.records.iter().take_while(|record| record.open <= to && goes_on()) {
        course.take(record);
        if record.open >= next {
            let member = course.members().find(|(_, member)| member.key == *key && !member.is_archived);
            samples.extend(member.map(|(_, member)| (record.open, member.instance.status())));
            next = (record.open + 1).next_multiple_of(every.max(1));
        }
    }
    samples
}

/// What is known to have gone wrong, against what was told of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fit {
    /// Incidents that fall into a labelled stretch, and all of them: precision.
    pub right: (usize, usize),
    /// Labelled stretches with an incident, and all of them: recall.
    pub found: (usize, usize),
    /// By labelled stretch: ticks from its begin to the first incident that falls into it; `None`: none does.
    pub delays: Vec<Option<u64>>,
}

impl Outcome {
    /// How well incidents fit labelled stretches of ticks.
    #[must_use]
    pub fn fit(&self, labels: &[(u64, u64)]) -> Fit {
        let incidents: Vec<Stretch> =
            self.instances.values().flat_map(|one| &one.incidents).map(|incident| incident.open).collect();
        let meets = |(opened, ended): &Stretch, (from, to): &(u64, u64)| {
            *opened < *to && ended.is_none_or(|ended| ended > *from)
        };
        let right = incidents.iter().filter(|one| labels.iter().any(|label| meets(one, label))).count();
        let delays = labels.iter().map(|label| {
            let opened = incidents.iter().filter(|one| meets(one, label)).map(|(opened, _)| *opened).min();
            opened.map(|opened| opened.saturating_sub(label.0))
        });
        let delays: Vec<Option<u64>> = delays.collect();
        let found = delays.iter().flatten().count();
        Fit { right: (right, incidents.len()), found: (found, labels.len()), delays }
    }

    /// Incidents that this outcome has and the other has not: none of the other's instance of that name was open at any
    /// time when this one was.
    #[must_use]
    pub fn without(&self, other: &Self) -> Vec<(Key, IncidentOutcome)> {
        let meets =
            |one: &Stretch, two: &Stretch| one.1.is_none_or(|end| two.0 < end) && two.1.is_none_or(|end| one.0 < end);
        let mut alone = Vec::new();
        for (key, instance) in &self.instances {
            let others = other.instances.get(key).map(|other| &other.incidents[..]).unwrap_or_default();
            let is_alone = |one: &&IncidentOutcome| !others.iter().any(|two| meets(&one.open, &two.open));
            alone.extend(instance.incidents.iter().filter(is_alone).map(|one| (key.clone(), one.clone())));
        }
        alone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(stretches: &[Stretch]) -> Outcome {
        let incident = |open: &Stretch| IncidentOutcome {
            id: Id([0; 16]),
            open: *open,
            peak: Severity::Page,
            remaining: Quotient { is_negative: false, numerator: 1, denominator: 1 },
        };
        let instance =
            InstanceOutcome { incidents: stretches.iter().map(incident).collect(), ..InstanceOutcome::default() };
        let key = Key { tenant: "acme".into(), module: "rag".into(), slo: "avail".into() };
        Outcome { instances: BTreeMap::from([(key, instance)]), ..Outcome::default() }
    }

    #[test]
    fn incidents_are_right_where_something_is_known_to_have_gone_wrong() {
        let outcome = outcome(&[(105, Some(120)), (300, Some(310)), (505, None)]);
        let fit = outcome.fit(&[(100, 110), (500, 600), (700, 800), (200, 250)]);
        assert_eq!((fit.right, fit.found), ((2, 3), (3, 4)), "the last one is open still");
        assert_eq!(fit.delays, [Some(5), Some(5), Some(0), None]);
    }

    #[test]
    fn what_one_has_and_the_other_has_not_is_told() {
        let (one, other) = (outcome(&[(100, Some(120)), (300, Some(310))]), outcome(&[(119, None)]));
        let alone: Vec<u64> = other.without(&one).into_iter().map(|(_, incident)| incident.open.0).collect();
        assert_eq!(alone, [] as [u64; 0]);
        let alone: Vec<u64> = outcome(&[(1, Some(2))]).without(&one).iter().map(|(_, one)| one.open.0).collect();
        assert_eq!(alone, [1]);
    }
}
