//! Snapshots become ticks: what joined closed slots since the last one goes to the instances of its series, and each
//! slot that closed moves all instances on.

use std::collections::VecDeque;
use std::sync::Arc;

use bailiwick_slo::engine::fleet::{Fleet, Limits};
use bailiwick_slo::engine::incident::{Event, Kind};
use bailiwick_slo::engine::sums::Source;
use bailiwick_slo::engine::windows::Grid;
use bailiwick_slo::spec::Slo;
use bailiwick_slo::time::Slot;

use super::blame::{self, Around};
use super::report::{IncidentReport, InstanceReport, Report};
use super::sightings::Sightings;
use crate::aggregator::Snapshot;

/// Slots that may close at once without a pause: the aggregator was busy, the daemon was there.
const BUSY_SLOTS_MAX: u64 = 6;
/// Ended incidents that are kept.
const ENDED_MAX: usize = 1_000;

/// What the evaluator owns.
#[derive(Debug)]
pub struct Feed {
    fleet: Fleet,
    /// Instances by series.
    places: Vec<Vec<u32>>,
    /// Bad spans that were seen lately.
    sightings: Sightings,
    /// The revision of the snapshot that was taken last.
    revision: u64,
    /// The first slot that has not closed; `None` before the first.
    next: Option<u64>,
    /// By instance: its open or latest incident.
    current: Vec<Option<Arc<IncidentReport>>>,
    ended: VecDeque<Arc<IncidentReport>>,
    events_told: u64,
}

impl Feed {
    /// With these SLOs and no instance.
    #[must_use]
    pub fn new(slos: Vec<Slo>, store_id: &str, limits: Limits) -> Self {
        Self {
            fleet: Fleet::new(slos, Grid::LIVE, store_id, limits),
            places: Vec::new(),
            sightings: Sightings::default(),
            revision: 0,
            next: None,
            current: Vec::new(),
            ended: VecDeque::new(),
            events_told: 0,
        }
    }

    /// Takes a snapshot; the next report if slots closed, and what happened. Snapshots come in order, none left out.
    pub fn take(&mut self, snapshot: &Snapshot) -> Option<(Report, Vec<(u32, Event)>)> {
        if snapshot.revision() == self.revision {
            self.look(snapshot);
            return None;
        }
        self.revision = snapshot.revision();
        // The first slot that is still open: what closes ends before it.
        let open = u64::from(Slot::holding(snapshot.data_through_ns).0);
        self.know_series(snapshot, open);
        self.look(snapshot);
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
        Some((self.report(snapshot, open), events))
    }

    /// Notes bad spans: each snapshot holds the latest only.
    fn look(&mut self, snapshot: &Snapshot) {
        let members = self.fleet.members();
        let kinds = (0..).zip(&self.places).flat_map(|(series, places)| {
            let bad = places.iter().flat_map(|place| members[*place as usize].slo.sli.bad_outcomes());
            bad.map(move |outcome| (series, outcome))
        });
        self.sightings.look(snapshot, kinds);
    }

    /// Finds the instances of series that are new.
    fn know_series(&mut self, snapshot: &Snapshot, open: u64) {
        let first = self.next.unwrap_or(open.saturating_sub(1));
        for name in snapshot.series().skip(self.places.len()) {
            let places = self.fleet.places_of((&name.tenant, &name.module, &name.operation), first);
            self.places.push(places);
        }
        self.current.resize(self.fleet.members().len(), None);
    }

    /// Series of an instance.
    fn series_of(&self, place: u32) -> Vec<u32> {
        let series = (0..).zip(&self.places).filter(|(_, places)| places.contains(&place));
        series.map(|(series, _)| series).collect()
    }

    /// Brings the reports of incidents to the state of this tick.
    fn follow_incidents(&mut self, snapshot: &Snapshot, events: &[(u32, Event)]) {
        self.events_told += events.len() as u64;
        for place in 0..self.fleet.members().len() as u32 {
            let member = &self.fleet.members()[place as usize];
            let Some(incident) = &member.instance.incidents.current else { continue };
            let known = self.current[place as usize].as_ref();
            let has_changed = events.iter().any(|(of, _)| *of == place);
            let is_open = member.instance.open_incident().is_some();
            if known.is_some() && !has_changed && !is_open {
                continue;
            }
            // Who is to blame is asked while it goes on; a resolve keeps what was told last.
            let blame = match known.filter(|known| !is_open && known.incident.id == incident.id) {
                Some(known) => known.blame.clone(),
                None => blame::of(&Around { snapshot, sightings: &self.sightings }, &self.series_of(place), member),
            };
            let report = Arc::new(IncidentReport::of(member, incident, blame));
            if events.iter().any(|(of, event)| *of == place && matches!(event.kind, Kind::Resolved(_))) {
                self.ended.retain(|ended| ended.incident.id != incident.id);
                self.ended.push_front(Arc::clone(&report));
                self.ended.truncate(ENDED_MAX);
            }
            self.current[place as usize] = Some(report);
        }
    }

    fn report(&self, snapshot: &Snapshot, open: u64) -> Report {
        let members = self.fleet.members().iter();
        let instances = members.map(InstanceReport::of).collect();
        let open_incidents = self.current.iter().flatten().filter(|report| report.is_open()).map(Arc::clone);
        let open_ids: Vec<_> = open_incidents.clone().map(|report| report.incident.id).collect();
        let ended = self.ended.iter().filter(|report| !open_ids.contains(&report.incident.id)).map(Arc::clone);
        Report {
            evaluated_tick: open,
            data_through_ns: snapshot.data_through_ns,
            definitions: self.fleet.slos().to_vec(),
            instances,
            incidents: open_incidents.chain(ended).collect(),
            refused: self.fleet.refused().values().sum(),
            events: self.events_told,
            memory_bytes: self.fleet.memory_bytes(),
        }
    }
}
