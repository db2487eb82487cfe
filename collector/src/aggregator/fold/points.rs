//! Data points on their way into the streams: whose they are, and what the books say of those that cannot count.

use bailiwick_slo::taps::TapNumber;

use super::Aggregator;
use crate::aggregator::names::NO_SYMBOL;
use crate::aggregator::snapshot::{Cause, ModuleId};
use crate::aggregator::streams::{self, DropReason, Outcome, Owner};
use crate::aggregator::tenants;
use crate::observation::Signal;
use crate::observation::batch::View;
use crate::observation::batch::row::{Point, extra};
use crate::observation::report::Reason;

/// The taps that read a point, as its row says. A number that no run gives stands for one that is not known here.
fn taps_of<'b>(batch: &View<'b>, point: &Point) -> impl Iterator<Item = TapNumber> + 'b {
    let extras = batch.extras_of(point.first_extra, point.extras);
    extras.filter(|said| said.key == extra::TAP).map(|said| TapNumber::try_from(said.value).unwrap_or(TapNumber::MAX))
}

impl Aggregator {
    /// Takes the points of a batch in.
    pub(super) fn take_points(&mut self, batch: &View<'_>) {
        let contexts = batch.contexts();
        let services = contexts.map(|context| {
            let [namespace, name] = [context.service_namespace, context.service_name].map(|text| batch.string(text));
            (self.streams.service(namespace, name), context.resource_hash)
        });
        let services: Vec<_> = services.collect();
        let now_ns = batch.observed_at_ns().max(self.now_ns);
        let owned = batch.points().map(|point| {
            let (module, claim) = self.owner(batch, &point);
            let (service, resource_hash) = services[point.context as usize];
            (point, Owner { module, service, resource_hash }, claim)
        });
        let owned: Vec<_> = owned.collect();
        for (point, owner, _) in &owned {
            self.streams.hear(owner, batch.string(point.metric), now_ns);
        }
        let (mut taps, mut words) = (Vec::new(), Vec::new());
        for (point, owner, claim) in &owned {
            taps.clear();
            taps.extend(taps_of(batch, point));
            words.clear();
            if self.streams.want_buckets(&taps) {
                words.extend(batch.words_of(point.first_word, point.words));
            }
            let outcome = self.streams.apply(&streams::Arrival {
                point,
                words: &words,
                taps: &taps,
                owner: *owner,
                name: batch.string(point.metric),
                unit: batch.string(point.unit),
                operation: self.point_operation(batch, point),
                now_ns,
            });
            match outcome {
                Outcome::Dropped(reason) => self.drop_point(batch, *claim, reason),
                _ => self.desk.accepted[*claim as usize] += 1,
            }
        }
    }

    /// The operation that a point names: `http.target` only if it is a route that requests have (`sli.md` 1.9).
    fn point_operation<'b>(&self, batch: &View<'b>, point: &Point) -> &'b str {
        let mut extras = batch.extras_of(point.first_extra, point.extras);
        let target = extras.find(|said| said.key == extra::TARGET).map(|said| batch.string(said.value as u32));
        let known = target.filter(|target| self.names.symbol(target.as_bytes()) != NO_SYMBOL);
        known.unwrap_or_else(|| batch.string(point.operation))
    }

    /// The tenant x module of a point, and the string of its tenant.
    fn owner(&mut self, batch: &View<'_>, point: &Point) -> (ModuleId, u32) {
        let evidence = self.desk.evidence[point.evidence as usize];
        let claim = self.claim(batch, &evidence, point.context).string;
        let tenant = if claim == 0 { tenants::UNKNOWN } else { self.tenant(batch, claim) };
        let name = match evidence.module_span {
            0 => self.desk.around[point.context as usize].module,
            own => self.desk.name(batch, &mut self.index.names, own),
        };
        (self.module_id(tenant, name), claim)
    }

    fn drop_point(&mut self, batch: &View<'_>, claim: u32, reason: DropReason) {
        let reason = match reason {
            DropReason::OutOfOrder => Reason::OutOfOrder,
            DropReason::OlderStart => Reason::OlderStart,
            DropReason::TypeConflict => Reason::TypeConflict,
            DropReason::StreamLimit => Reason::StreamLimit,
        };
        let name = if claim == 0 { bailiwick_slo::conventions::TENANT_UNKNOWN } else { batch.string(claim) };
        self.ledger.reject(&self.tenants, name, Signal::Metrics, (Cause::Known(reason), 1));
    }
}
