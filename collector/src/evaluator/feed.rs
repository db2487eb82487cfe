//! Snapshots become ticks: each is a record that goes into the ledger and along the course; what happened there becomes
//! incidents and a report.

mod kept;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use bailiwick_slo::course::control::Control;
use bailiwick_slo::course::ledger::{Ledger, Origin};
use bailiwick_slo::course::log;
use bailiwick_slo::course::run::{Course, Definitions};
use bailiwick_slo::engine::fleet::{Key, Limits, Member};
use bailiwick_slo::engine::incident::{Event, Kind};
use bailiwick_slo::engine::windows::Grid;
use bailiwick_slo::spec::{Sli, Slo};

use super::blame::{Around, Part};
use super::forecasts::Forecasts;
use super::records::Records;
use super::report::{IncidentReport, InstanceReport, Report};
use super::sightings::{Bad, Sightings};
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{Limit, SeriesId};

/// Ended incidents that are kept.
const ENDED_MAX: usize = 1_000;
/// Lines of the alert log that are kept.
const LINES_MAX: usize = 10_000;

/// How a feed begins.
#[derive(Debug)]
pub struct Beginning {
    /// SLOs that hold whatever operators order; `None`: those that orders define.
    pub slos: Option<Vec<Slo>>,
    /// What ids are made of.
    pub store_id: String,
    /// What the fleet may take.
    pub limits: Limits,
    /// Bytes of the ledger.
    pub ledger_bytes_max: usize,
    /// How long a trace may be judged after it ended, nanoseconds.
    pub settle_ns: u64,
}

/// What the evaluator owns.
#[derive(Debug)]
pub struct Feed {
    course: Course,
    limits: Limits,
    ledger_bytes_max: usize,
    settle_ns: u64,
    records: Records,
    ledger: Ledger,
    /// Series and kinds of spans that are bad for some instance.
    kinds: Vec<(SeriesId, Bad)>,
    /// Changes of the course's sources that `kinds` knows of.
    changes: u64,
    /// Bad spans that were seen lately.
    sightings: Sightings,
    /// The first tick that has not closed.
    evaluated: u64,
    /// End of the last slot that had closed then, nanoseconds since the Unix epoch.
    data_through_ns: u64,
    /// By instance: its open or latest incident.
    current: Vec<Option<Arc<IncidentReport>>>,
    ended: VecDeque<Arc<IncidentReport>>,
    lines: Arc<VecDeque<(Arc<str>, Arc<str>)>>,
    happened: Arc<BTreeMap<(Arc<str>, &'static str), u64>>,
    forecasts: Forecasts,
}

impl Feed {
    /// Without instances.
    #[must_use]
    pub fn new(beginning: Beginning) -> Self {
        let Beginning { slos, store_id, limits, ledger_bytes_max, settle_ns } = beginning;
        let origin = Origin { store_id, limits };
        let definitions = slos.map_or(Definitions::Recorded, Definitions::Given);
        let course = Course::new(definitions, &origin, Grid::LIVE);
        let mut records = Records::new(settle_ns);
        records.want(course.fleet().slos());
        Self {
            course,
            limits,
            ledger_bytes_max,
            settle_ns,
            records,
            ledger: Ledger::new(origin, ledger_bytes_max),
            kinds: Vec::new(),
            changes: 0,
            sightings: Sightings::default(),
            evaluated: 0,
            data_through_ns: 0,
            current: Vec::new(),
            ended: VecDeque::new(),
            lines: Arc::default(),
            happened: Arc::default(),
            forecasts: Forecasts::default(),
        }
    }

    /// Takes a snapshot; the next report if slots closed or orders came, and what happened. Snapshots come in order,
    /// none left out.
    pub fn take(&mut self, snapshot: &Snapshot) -> Option<(Report, Vec<(Key, Event)>)> {
        let record = self.records.of(snapshot);
        let moves = record.open > self.evaluated || !record.controls.is_empty();
        self.sightings.look(snapshot, &self.kinds);
        if record.is_empty() && !moves {
            return None;
        }
        self.ledger.push(&record);
        let events = self.course.take(&record);
        if record.controls.iter().any(|control| matches!(**control, Control::Define(_))) {
            self.records.want(self.course.fleet().slos());
        }
        self.look_for_kinds(snapshot);
        if !moves {
            return None;
        }
        (self.evaluated, self.data_through_ns) = (record.open, snapshot.data_through_ns);
        self.current.resize(self.course.fleet().members().len(), None);
        self.end_those_of_others(&events);
        self.follow_incidents(snapshot, &events);
        let told: Vec<(Key, Event)> =
            events.into_iter().map(|(place, event)| (self.course.key(place).clone(), event)).collect();
        self.log(&told);
        self.forecasts.look(self.course.members(), self.evaluated);
        Some((self.report(), told))
    }

    fn log(&mut self, told: &[(Key, Event)]) {
        if told.is_empty() {
            return;
        }
        let happened = Arc::make_mut(&mut self.happened);
        for (key, event) in told {
            *happened.entry((Arc::clone(&key.tenant), event.kind.name())).or_default() += 1;
        }
        let lines = Arc::make_mut(&mut self.lines);
        lines.extend(told.iter().map(|(key, event)| {
            let line = log::line(key, event, Grid::LIVE);
            (Arc::clone(&key.tenant), Arc::from(line))
        }));
        lines.drain(..lines.len().saturating_sub(LINES_MAX));
    }

    /// Finds out whose spans are bad for somebody.
    fn look_for_kinds(&mut self, snapshot: &Snapshot) {
        if self.changes == self.course.changes() {
            return;
        }
        self.changes = self.course.changes();
        self.kinds.clear();
        for (place, member) in self.course.members() {
            let bad = Bad::of(&member.slo.sli);
            let series = self.course.sources(place).into_iter().flat_map(|sources| &sources.series);
            self.kinds.extend(series.flat_map(|series| bad.iter().map(|bad| (*series, *bad))));
        }
        self.kinds.sort_unstable();
        self.kinds.dedup();
        self.sightings.look(snapshot, &self.kinds);
    }

    /// Brings the reports of incidents to the state of this tick: open ones, and those that something happened to.
    fn follow_incidents(&mut self, snapshot: &Snapshot, events: &[(u32, Event)]) {
        let around = Around::new(snapshot, &self.sightings, self.settle_ns);
        let resolved: HashSet<u32> = events
            .iter()
            .filter(|(_, event)| matches!(event.kind, Kind::Resolved(_)))
            .map(|(place, _)| *place)
            .collect();
        let happened: HashSet<u32> = events.iter().map(|(place, _)| *place).collect();
        for (place, member) in (0..).zip(self.course.fleet().members()) {
            let Some(incident) = &member.instance.incidents.current else { continue };
            let is_open = member.instance.open_incident().is_some();
            if !is_open && !happened.contains(&place) {
                continue;
            }
            // Who is to blame is asked while it goes on; a resolve keeps what was told last.
            let known = self.current[place as usize].as_ref();
            let blame = match known.filter(|known| !is_open && known.incident.id == incident.id) {
                Some(known) => known.blame.clone(),
                None => around.blame(&member.instance.status(), &self.parts(place, member)),
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

    /// What an instance's bad events are looked for in.
    fn parts<'f>(&'f self, place: u32, member: &'f Member) -> Vec<Part<'f>> {
        let members = self.course.fleet().members();
        let of_parts = member.part_places().map(|place| (place, &members[place as usize]));
        let own = matches!(member.slo.sli, Sli::Composite(_));
        let all = if own { of_parts.collect() } else { vec![(place, member)] };
        let part = |(place, member): (u32, &'f Member)| {
            let effects = self.course.controls().effects(&member.key);
            Some(Part { sources: self.course.sources(place)?, sli: &member.slo.sli, effects })
        };
        all.into_iter().filter_map(part).collect()
    }

    /// Incidents of what an instance was before its SLO changed: it knows of them no more.
    fn end_those_of_others(&mut self, events: &[(u32, Event)]) {
        for (place, event) in events {
            let Kind::Resolved(reason) = event.kind else { continue };
            let current = self.course.fleet().members()[*place as usize].instance.incidents.current.as_ref();
            let known = self.current[*place as usize].as_ref().filter(|known| known.incident.id == event.incident);
            if let Some(known) = known.filter(|_| current.is_none_or(|current| current.id != event.incident)) {
                let ended = Arc::new(known.ended_by(event, reason));
                self.ended.retain(|ended| ended.incident.id != event.incident);
                self.ended.push_front(ended);
                self.ended.truncate(ENDED_MAX);
                self.current[*place as usize] = None;
            }
        }
    }

    /// What readers get now: after a restart what they would have got before it.
    #[must_use]
    pub fn report(&self) -> Report {
        let members = self.course.members().filter(|(_, member)| !member.is_archived);
        let instances = members.map(|(place, member)| {
            let sources = self.course.sources(place).cloned().unwrap_or_default();
            InstanceReport::of(member, sources, self.forecasts.of(place))
        });
        let instances = instances.collect();
        let open_incidents = self.current.iter().flatten().filter(|report| report.is_open()).map(Arc::clone);
        let open_ids: HashSet<_> = open_incidents.clone().map(|report| report.incident.id).collect();
        let ended = self.ended.iter().filter(|report| !open_ids.contains(&report.incident.id)).map(Arc::clone);
        Report {
            evaluated_tick: self.evaluated,
            data_through_ns: self.data_through_ns,
            seq: self.course.seq(),
            definitions: self.course.fleet().slos().to_vec(),
            instances,
            incidents: open_incidents.chain(ended).collect(),
            happened: Arc::clone(&self.happened),
            controls: Arc::clone(self.course.controls()),
            lines: Arc::clone(&self.lines),
            ledger: Some(self.ledger.copy()).filter(|ledger| ledger.span().is_some()),
            limits: self.limits(),
        }
    }

    fn limits(&self) -> Vec<Limit> {
        let (fleet, ledger) = (self.course.fleet(), &self.ledger);
        let refused = fleet.refused();
        let limit = |name, used, max, refused| Limit { name, used: used as u64, max: max as u64, refused };
        let by_memory = refused.by_memory + refused.shed;
        vec![
            limit("slo.instances_max", fleet.instances(), self.limits.instances_max, refused.by_number),
            limit("slo.memory_max", fleet.memory_bytes(), self.limits.memory_bytes_max, by_memory),
            limit("slo.ledger_max", ledger.memory_bytes(), self.ledger_bytes_max, ledger.forgotten()),
        ]
    }
}
