//! What is kept of increases: counts by slot, by tenant x module and by service.

use bailiwick_slo::outcome::Outcome as RequestOutcome;
use bailiwick_slo::saved;

use super::intake::{Arrival, Owner};
use super::meaning::{Direction, Meaning};
use super::sequence::Applied;
use super::shown::{MODULE_FIELDS, SERVICE_FIELDS};
use super::spread::spread;
use crate::aggregator::counts::tiers::Tiers;
use crate::observation::batch::row::{Point, point_flag};

/// Fields of a tenant x module, in the order of `MetricCounts::from_fields`.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
enum ModuleField {
    Requests = 0,
    Failures = 1,
    Gateway = 2,
    GatewayFailures = 3,
    Started = 4,
    Drops = 5,
    InputTokens = 6,
    OutputTokens = 7,
}

/// Fields of a service, in the order of `ServiceCounts::from_fields`.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
enum ServiceField {
    Started = 0,
    Dropped = 1,
    Exported = 2,
    ExportFailed = 3,
    Processed = 4,
    QueueFull = 5,
}

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) modules: Tiers<MODULE_FIELDS>,
    pub(super) services: Tiers<SERVICE_FIELDS>,
}
saved!(struct Kept { modules, services });

impl Kept {
    pub(super) fn close(&mut self, now_ns: u64, close_after_ns: u64) {
        self.modules.close(now_ns, close_after_ns);
        self.services.close(now_ns, close_after_ns);
    }

    /// Books what a point of a known meaning adds.
    pub(super) fn book(&mut self, meaning: Meaning, arrival: &Arrival<'_>, applied: &Applied) {
        let Arrival { point, owner, .. } = arrival;
        let (count, units) = (applied.increase.count, applied.increase.units);
        let has = |flag| point.flags & flag != 0;
        match meaning {
            Meaning::Requests(_) if is_histogram(point) => {
                self.book_requests(arrival, applied, [ModuleField::Requests, ModuleField::Failures]);
            }
            Meaning::Gateway => {
                self.book_requests(arrival, applied, [ModuleField::Gateway, ModuleField::GatewayFailures]);
            }
            // Spans inside of a request are no entry.
            Meaning::SpansStarted if has(point_flag::ENTERS) => {
                let is_dropped = has(point_flag::DROPPED);
                let drops = is_dropped.then_some(ModuleField::Drops);
                self.add_to_module(owner, (count, applied.over), [Some(ModuleField::Started), drops]);
                let drops = is_dropped.then_some(ServiceField::Dropped);
                self.add_to_service(owner, (count, applied.over), [Some(ServiceField::Started), drops]);
            }
            Meaning::SpansExported => {
                let field = if has(point_flag::FAILED) { ServiceField::ExportFailed } else { ServiceField::Exported };
                self.add_to_service(owner, (count, applied.over), [Some(field), None]);
            }
            Meaning::SpansProcessed => {
                let field = if has(point_flag::FAILED) { ServiceField::QueueFull } else { ServiceField::Processed };
                self.add_to_service(owner, (count, applied.over), [Some(field), None]);
            }
            Meaning::Tokens(direction) => {
                let is_output = match direction {
                    Direction::Stated => has(point_flag::OUTPUT),
                    Direction::Input => false,
                    Direction::Output => true,
                };
                let field = if is_output { ModuleField::OutputTokens } else { ModuleField::InputTokens };
                self.add_to_module(owner, (units, applied.over), [Some(field), None]);
            }
            Meaning::Requests(_) | Meaning::SpansStarted | Meaning::Level(_) | Meaning::Models | Meaning::Resource => {}
        }
    }

    fn book_requests(&mut self, arrival: &Arrival<'_>, applied: &Applied, [all, failed]: [ModuleField; 2]) {
        let is_failure = arrival.point.outcome == RequestOutcome::Failure as u8;
        let fields = [Some(all), is_failure.then_some(failed)];
        self.add_to_module(&arrival.owner, (applied.increase.count, applied.over), fields);
    }

    fn add_to_module(&mut self, owner: &Owner, (total, over): (u64, (u64, u64)), to: [Option<ModuleField>; 2]) {
        for (at_ns, part) in spread(total, over) {
            let mut fields = [0; MODULE_FIELDS];
            to.into_iter().flatten().for_each(|field| fields[field as usize] = part);
            self.modules.add(at_ns, owner.module, &fields);
        }
    }

    fn add_to_service(&mut self, owner: &Owner, (total, over): (u64, (u64, u64)), to: [Option<ServiceField>; 2]) {
        for (at_ns, part) in spread(total, over) {
            let mut fields = [0; SERVICE_FIELDS];
            to.into_iter().flatten().for_each(|field| fields[field as usize] = part);
            self.services.add(at_ns, owner.service, &fields);
        }
    }
}

pub(super) const fn is_histogram(point: &Point) -> bool {
    matches!(point.data, 3 | 4)
}
