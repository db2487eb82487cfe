//! What readers get of the evaluator: immutable, whole, of one tick.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bailiwick_slo::attribution::Part;
use bailiwick_slo::course::control::Controls;
use bailiwick_slo::course::ledger::Copied;
use bailiwick_slo::course::run::Sources;
use bailiwick_slo::engine::fleet::{Key, Member};
use bailiwick_slo::engine::forecast::Forecast;
use bailiwick_slo::engine::incident::{Event, Incident, Reason};
use bailiwick_slo::engine::status::Status;
use bailiwick_slo::spec::{Slo, Terms};

use crate::aggregator::snapshot::{Exemplar, Limit};
use bailiwick_slo::saved;
use bailiwick_slo::saved::Saved;
use bailiwick_slo::wire::{Read, Reader, Writer};

/// All SLOs after a tick.
#[derive(Debug, Default)]
pub struct Report {
    /// The first slot that had not closed; 0 before the first tick.
    pub evaluated_tick: u64,
    /// End of the last closed slot, nanoseconds since the Unix epoch.
    pub data_through_ns: u64,
    /// The number of the record that was taken last: orders up to it have been carried out.
    pub seq: u64,
    /// The definitions in force.
    pub definitions: Vec<Arc<Slo>>,
    /// Their instances.
    pub instances: Vec<InstanceReport>,
    /// Incidents: open ones, then ended ones, the latest first.
    pub incidents: Vec<Arc<IncidentReport>>,
    /// Events of incidents since the daemon began, by tenant and kind.
    pub happened: Arc<BTreeMap<(Arc<str>, &'static str), u64>>,
    /// What operators ordered.
    pub controls: Arc<Controls>,
    /// The latest lines of the alert log: their tenant, and the line with its line end.
    pub lines: Arc<VecDeque<(Arc<str>, Arc<str>)>>,
    /// Records that were taken, as many as are kept; `None` before the first.
    pub ledger: Option<Copied>,
    /// Use and maximum of what the room bounds.
    pub limits: Vec<Limit>,
}

/// An instance after a tick.
#[derive(Debug)]
pub struct InstanceReport {
    /// Who it is.
    pub key: Key,
    /// Its SLO.
    pub slo: Arc<Slo>,
    /// The revision of the SLO at which its windows began.
    pub generation: Arc<str>,
    /// What holds for it.
    pub terms: Terms,
    /// What it looks like.
    pub status: Status,
    /// What it is made of.
    pub sources: Arc<Sources>,
    /// When its budget ends, and the tick that this was worked out in; not at every tick. `None`: never, as things are.
    pub forecast: Option<(u64, Forecast)>,
    /// Its open incident's id.
    pub incident: Option<String>,
}

/// An incident with what explains it.
#[derive(Debug)]
pub struct IncidentReport {
    /// Whose it is.
    pub key: Key,
    /// Its SLO.
    pub slo: Arc<Slo>,
    /// What happened.
    pub incident: Incident,
    /// What the instance looked like then.
    pub status: Status,
    /// Who the bad events came from.
    pub blame: Blame,
}

saved!(struct IncidentReport { key, slo, incident, status, blame });

/// Who the bad events came from.
#[derive(Debug, Clone, Default)]
pub struct Blame {
    /// First slot.
    pub from_tick: u64,
    /// First slot after it.
    pub to_tick: u64,
    /// Bad events in it.
    pub bad: u64,
    /// By dimension: the parts of all of them.
    pub by: Vec<(&'static str, Vec<Part>)>,
    /// Spans that show them, the newest first.
    pub exemplars: Vec<ExemplarSpan>,
}

/// What bad events are told by.
pub(super) const DIMENSIONS: [&str; 3] = ["tenant", "module", "operation"];

impl Saved for Blame {
    fn save(&self, to: &mut Writer) {
        let Self { from_tick, to_tick, bad, by, exemplars } = self;
        (*from_tick, *to_tick, *bad).save(to);
        to.number(by.len() as u64);
        for (dimension, parts) in by {
            named(&DIMENSIONS, dimension, to);
            parts.save(to);
        }
        exemplars.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Read<Self> {
        let (from_tick, to_tick, bad) = Saved::load(from)?;
        let by = from.list(|from| Ok((name(&DIMENSIONS, from)?, Saved::load(from)?)))?;
        Ok(Self { from_tick, to_tick, bad, by, exemplars: Saved::load(from)? })
    }
}

/// Writes which of these names it is.
pub(super) fn named(names: &[&str], name: &str, to: &mut Writer) {
    let place = names.iter().position(|known| *known == name);
    place.expect("it was named by one of them").save(to);
}

/// Reads which it was.
pub(super) fn name(names: &[&'static str], from: &mut Reader<'_>) -> Read<&'static str> {
    let place = usize::load(from)?;
    names.get(place).copied().map_or_else(|| from.wrong("a name that there is none of"), Ok)
}

/// A bad span that can be looked up.
#[derive(Debug, Clone)]
pub struct ExemplarSpan {
    /// Where it is.
    pub span: Exemplar,
    /// What it did.
    pub operation: Arc<str>,
}

saved!(struct ExemplarSpan { span, operation });

impl InstanceReport {
    /// What an instance looks like now.
    pub(super) fn of(member: &Member, sources: Arc<Sources>, forecast: Option<(u64, Forecast)>) -> Self {
        Self {
            key: member.key.clone(),
            slo: Arc::clone(&member.slo),
            sources,
            forecast,
            generation: Arc::clone(&member.generation),
            terms: member.instance.terms().clone(),
            status: member.instance.status(),
            incident: member.instance.open_incident().map(|incident| incident.id.to_string()),
        }
    }
}

impl IncidentReport {
    pub(super) fn of(member: &Member, incident: &Incident, blame: Blame) -> Self {
        Self {
            key: member.key.clone(),
            slo: Arc::clone(&member.slo),
            incident: incident.clone(),
            status: member.instance.status(),
            blame,
        }
    }

    /// The same, ended by an event.
    pub(super) fn ended_by(&self, event: &Event, reason: Reason) -> Self {
        let mut incident = self.incident.clone();
        incident.ended = Some((event.at, reason));
        incident.events.push(event.clone());
        let (key, slo) = (self.key.clone(), Arc::clone(&self.slo));
        Self { key, slo, incident, status: self.status.clone(), blame: self.blame.clone() }
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.incident.ended.is_none()
    }
}
