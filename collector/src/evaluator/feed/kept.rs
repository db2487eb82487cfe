//! What the evaluator owns as bytes and back again, so that after a restart only the snapshots since then have to be taken.

use std::collections::VecDeque;
use std::sync::Arc;

use bailiwick_slo::course::ledger::{Ledger, Origin};
use bailiwick_slo::course::run::{Course, Definitions};
use bailiwick_slo::engine::incident::{Kind, Reason};
use bailiwick_slo::engine::windows::Grid;
use bailiwick_slo::saved::Saved;
use bailiwick_slo::wire::{Read, Reader, Writer};

use super::{Beginning, ENDED_MAX, Feed, LINES_MAX};
use crate::evaluator::records::Records;
use crate::evaluator::report::{name, named};

/// Version of what is written: whatever is read otherwise has another one.
const LAYOUT: u16 = 1;

/// All kinds of events, by their published names.
const KINDS: [&str; 7] = [
    Kind::Firing.name(),
    Kind::NoData.name(),
    Kind::Forecast.name(),
    Kind::Escalated.name(),
    Kind::Deescalated.name(),
    Kind::Acknowledged.name(),
    Kind::Resolved(Reason::Recovered).name(),
];

impl Feed {
    /// Writes all that follows from the snapshots that were taken: most of it is cells of the past, some hundred bytes an
    /// instance and hour. Room that was written to before ([`Writer::after`]) takes it several times as fast.
    pub fn save(&self, to: &mut Writer) {
        let Self { course, limits: _, ledger_bytes_max: _, settle_ns: _, records, ledger, kinds, changes, .. } = self;
        let Self { sightings, evaluated, data_through_ns, current, ended, lines, happened, forecasts, .. } = self;
        LAYOUT.save(to);
        course.save(to);
        records.save(to);
        ledger.save(to);
        kinds.save(to);
        changes.save(to);
        sightings.save(to);
        (*evaluated, *data_through_ns).save(to);
        current.save(to);
        ended.save(to);
        to.number(lines.len() as u64);
        for (tenant, line) in &**lines {
            tenant.save(to);
            to.text(line);
        }
        to.number(happened.len() as u64);
        for ((tenant, kind), times) in &**happened {
            tenant.save(to);
            named(&KINDS, kind, to);
            times.save(to);
        }
        forecasts.save(to);
    }

    /// Reads what [`Self::save`] wrote. Maxima are today's: what is there stays, as far as the ledger has room. Definitions
    /// that hold whatever operators order take the place of those that were saved.
    ///
    /// # Errors
    /// Another version, another store, or bytes that are none that were saved.
    pub fn restore(beginning: Beginning, from: &mut Reader<'_>) -> Read<Self> {
        if u16::load(from)? != LAYOUT {
            return from.wrong("the evaluator's state is of a version that this one does not read");
        }
        let Beginning { slos, store_id, limits, ledger_bytes_max, settle_ns } = beginning;
        let origin = Origin { store_id, limits };
        let definitions = slos.map_or(Definitions::Recorded, Definitions::Given);
        let course = Course::restore(definitions, &origin, Grid::LIVE, from)?;
        let mut records = Records::restore(settle_ns, from)?;
        records.want(course.fleet().slos());
        let ledger = Ledger::restore(origin, ledger_bytes_max, from)?;
        let (kinds, changes, sightings) = Saved::load(from)?;
        let (evaluated, data_through_ns) = Saved::load(from)?;
        let (current, ended): (Vec<_>, VecDeque<_>) = Saved::load(from)?;
        let lines = from.list(|from| Ok((Arc::<str>::load(from)?, from.shared()?)))?;
        let happened = from.list(|from| Ok(((Arc::<str>::load(from)?, name(&KINDS, from)?), u64::load(from)?)))?;
        let forecasts = Saved::load(from)?;
        if ended.len() > ENDED_MAX || lines.len() > LINES_MAX {
            return from.wrong("more incidents or lines than are ever kept");
        }
        Ok(Self {
            course,
            limits,
            ledger_bytes_max,
            settle_ns,
            records,
            ledger,
            kinds,
            changes,
            sightings,
            evaluated,
            data_through_ns,
            current,
            ended,
            lines: Arc::new(lines.into()),
            happened: Arc::new(happened.into_iter().collect()),
            forecasts,
        })
    }
}
