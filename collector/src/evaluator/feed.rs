//! Snapshots become ticks: what joined closed slots since the last one goes to the instances of its series, and each
//! slot that closed moves all instances on.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use bailiwick_slo::engine::fleet::{Fleet, Key, Limits};
use bailiwick_slo::engine::incident::{Event, Kind};
use bailiwick_slo::engine::sums::Source;
use bailiwick_slo::engine::windows::Grid;
use bailiwick_slo::outcome::Outcome;
use bailiwick_slo::spec::Slo;
use bailiwick_slo::time::Slot;

use super::blame::Around;
use super::report::{IncidentReport, InstanceReport, Report};
use super::sightings::Sightings;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{Limit, SeriesId};

/// Slots that may close at once without a pause: the aggregator was busy, the daemon was there.
const BUSY_SLOTS_MAX: u64 = 6;
/// Ended incidents that are kept.
const ENDED_MAX: usize = 1_000;

/// What the evaluator owns.
#[derive(Debug)]
pub struct Feed {
    fleet: Fleet,
    limits: Limits,
    /// Instances by series.
    places: Vec<Vec<u32>>,
    /// Series by instance.
    series: Vec<Vec<SeriesId>>,
    /// Series and outcomes whose spans are bad for some instance.
    kinds: Vec<(SeriesId, Outcome)>,
    /// Bad spans that were seen lately.
    sightings: Sightings,
    /// The revision of the snapshot that was taken last.
    revision: u64,
    /// The first slot that has not closed; `None` before the first.
    next: Option<u64>,
    /// By instance: its open or latest incident.
    current: Vec<Option<Arc<IncidentReport>>>,
    ended: VecDeque<Arc<IncidentReport>>,
}

impl Feed {
    /// With these SLOs and no instance.
    #[must_use]
    pub fn new(slos: Vec<Slo>, store_id: &str, limits: Limits) -> Self {
        Self {
            fleet: Fleet::new(slos, Grid::LIVE, store_id, limits),
            limits,
            places: Vec::new(),
            series: Vec::new(),
            kinds: Vec::new(),
            sightings: Sightings::default(),
            revision: 0,
            next: None,
            current: Vec::new(),
            ended: VecDeque::new(),
        }
    }

    /// Takes a snapshot; the next report if slots closed, and what happened. Snapshots come in order, none left out.
    pub fn take(&mut self, snapshot: &Snapshot) -> Option<(Report, Vec<(Key, Event)>)> {
        if snapshot.revision() == self.revision {
            self.sightings.look(snapshot, &self.kinds);
            return None;
        }
        self.revision = snapshot.revision();
        // The first slot that is still open: what closes ends before it.
        let open = u64::from(Slot::holding(snapshot.data_through_ns).0);
        self.know_series(snapshot, open);
        self.sightings.look(snapshot, &self.kinds);
        for (slot, series, counts) in snapshot.joined() {
            for place in &self.places[series as usize] {
                let sli = &self.fleet.members()[*place as usize].slo.sli;
                if let Some(delta) = sli.delta(&counts.outcomes, counts.spans) {
                    self.fleet.bring(*place, slot.0.into(), delta);
                }
            }
        }
        let next = self.next.unwrap_or(open.saturating_sub(1));
        if open <= next {
            return None;
        }
        self.next = Some(open);
        let first = if open - next <= BUSY_SLOTS_MAX { next } else { open - 1 };
        let events: Vec<(u32, Event)> =
            (first..open).flat_map(|slot| self.fleet.close(slot, |_| Source::Silent)).collect();
        self.follow_incidents(snapshot, &events);
        let key = |place: u32| self.fleet.members()[place as usize].key.clone();
        let told = events.into_iter().map(|(place, event)| (key(place), event)).collect();
        Some((self.report(snapshot, open), told))
    }

    /// Finds the instances of series that are new.
    fn know_series(&mut self, snapshot: &Snapshot, open: u64) {
        let first = self.next.unwrap_or(open.saturating_sub(1));
        for (number, name) in (0..).zip(snapshot.series()).skip(self.places.len()) {
            let places = self.fleet.places_of((&name.tenant, &name.module, &name.operation), first);
            self.series.resize(self.fleet.members().len(), Vec::new());
            let mut bad: Vec<Outcome> = Vec::new();
            for place in &places {
                self.series[*place as usize].push(number);
                bad.extend(self.fleet.members()[*place as usize].slo.sli.bad_outcomes());
            }
            bad.sort_unstable();
            bad.dedup();
            self.kinds.extend(bad.into_iter().map(|outcome| (number, outcome)));
            self.places.push(places);
        }
        self.current.resize(self.fleet.members().len(), None);
    }

    /// Brings the reports of incidents to the state of this tick: open ones, and those that something happened to.
    fn follow_incidents(&mut self, snapshot: &Snapshot, events: &[(u32, Event)]) {
        let around = Around::new(snapshot, &self.sightings);
        let resolved: HashSet<u32> = events
            .iter()
            .filter(|(_, event)| matches!(event.kind, Kind::Resolved(_)))
            .map(|(place, _)| *place)
            .collect();
        let happened: HashSet<u32> = events.iter().map(|(place, _)| *place).collect();
        for (place, member) in (0..).zip(self.fleet.members()) {
            let Some(incident) = &member.instance.incidents.current else { continue };
            let is_open = member.instance.open_incident().is_some();
            if !is_open && !happened.contains(&place) {
                continue;
            }
            // Who is to blame is asked while it goes on; a resolve keeps what was told last.
            let known = self.current[place as usize].as_ref();
            let blame = match known.filter(|known| !is_open && known.incident.id == incident.id) {
                Some(known) => known.blame.clone(),
                None => around.blame(&self.series[place as usize], member),
            };
            let report = Arc::new(IncidentReport::of(member, incident, blame));
            if resolved.contains(&place) {
                self.ended.retain(|ended| ended.incident.id != incident.id);
                self.ended.push_front(Arc::clone(&report));
                self.ended.truncate(ENDED_MAX);
            }
            self.current[place as usize] = Some(report);
        }
    }

    fn report(&self, snapshot: &Snapshot, open: u64) -> Report {
        let members = self.fleet.members().iter().filter(|member| !member.is_archived);
        let instances = members.map(InstanceReport::of).collect();
        let open_incidents = self.current.iter().flatten().filter(|report| report.is_open()).map(Arc::clone);
        let open_ids: HashSet<_> = open_incidents.clone().map(|report| report.incident.id).collect();
        let ended = self.ended.iter().filter(|report| !open_ids.contains(&report.incident.id)).map(Arc::clone);
        Report {
            evaluated_tick: open,
            data_through_ns: snapshot.data_through_ns,
            definitions: self.fleet.slos().to_vec(),
            instances,
            incidents: open_incidents.chain(ended).collect(),
            limits: self.limits(),
        }
    }

    fn limits(&self) -> Vec<Limit> {
        let refused = self.fleet.refused();
        let limit = |name, used, max, refused| Limit { name, used: used as u64, max: max as u64, refused };
        vec![
            limit("slo.instances_max", self.fleet.instances(), self.limits.instances_max, refused.by_number),
            limit(
                "slo.memory_max",
                self.fleet.memory_bytes(),
                self.limits.memory_bytes_max,
                refused.by_memory + refused.shed,
            ),
        ]
    }
}
