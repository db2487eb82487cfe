//! Families about tenants' requests, from one snapshot. Series and modules idle for 15 minutes are left out
//! (`sli.md` 5); their counters go on when they come back.

use bailiwick_slo::outcome::{Outcome, OutcomeCounts};
use bailiwick_slo::ratio::Ratio;
use bailiwick_slo::time::{SECOND_NS, Window};

use super::catalogue;
use super::family::{Buckets, Family, Label, Value};
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{ModuleId, ModuleTotals, SeriesId, SeriesName, SlotCounts};
use crate::frontend::format;
use crate::frontend::scope::Scope;

/// How long a series is shown after its latest request.
const IDLE_NS: u64 = 15 * 60 * SECOND_NS;

/// Whether the latest request was too long ago for a series to be shown.
pub(super) fn is_idle(snapshot: &Snapshot, last_seen_ns: u64) -> bool {
    last_seen_ns.saturating_add(IDLE_NS) < snapshot.now_ns
}

/// Windows of [`catalogue::REQUEST_SUCCESS`].
const RATIO_WINDOWS: [Window; 3] = [Window::FiveMinutes, Window::Hour, Window::Day];

/// Quantiles of [`catalogue::REQUEST_QUANTILE`] with the label `q`.
const QUANTILES: [(f64, &str); 3] = [(0.5, "0.5"), (0.9, "0.9"), (0.99, "0.99")];

/// The families about the requests of these tenants, with spans to look up if they are wanted.
pub(crate) fn families(snapshot: &Snapshot, scope: &Scope, exemplars: bool) -> Vec<Family> {
    let shown = Shown { snapshot, scope, exemplars };
    let recent = snapshot.window(Window::FiveMinutes);
    let mut families = shown.counters();
    families.push(shown.durations());
    families.push(shown.quantiles(&recent));
    families.push(shown.success_ratios(recent));
    let mut anomalies = Family::new(&catalogue::CLOCK_ANOMALIES);
    for (tenant, count) in snapshot.clock_anomalies().iter().filter(|(tenant, _)| scope.holds(tenant)) {
        anomalies.push([Label::from(tenant)], Value::Count(*count));
    }
    families.push(anomalies);
    families
}

/// What of a snapshot is shown.
struct Shown<'a> {
    snapshot: &'a Snapshot,
    scope: &'a Scope,
    exemplars: bool,
}

impl Shown<'_> {
    fn series(&self) -> impl Iterator<Item = (SeriesId, &SeriesName)> {
        (0..).zip(self.snapshot.series()).filter(|(id, name)| {
            self.scope.holds(&name.tenant) && !is_idle(self.snapshot, self.snapshot.totals(*id).last_seen_ns)
        })
    }

    fn modules(&self) -> impl Iterator<Item = (usize, &ModuleTotals)> {
        self.snapshot
            .modules()
            .enumerate()
            .filter(|(_, module)| self.scope.holds(&module.tenant) && !is_idle(self.snapshot, module.last_seen_ns))
    }

    fn counters(&self) -> Vec<Family> {
        let mut requests = Family::new(&catalogue::REQUESTS);
        let mut spans = Family::new(&catalogue::REQUEST_SPANS);
        let mut messages = Family::new(&catalogue::MESSAGES);
        for (id, name) in self.series() {
            let totals = self.snapshot.totals(id);
            let failure =
                self.exemplars.then(|| self.snapshot.exemplars(id).latest[Outcome::Failure.index()]).flatten();
            for outcome in Outcome::ALL {
                let [tenant, module, operation, entry] = labels(name);
                let labels = [tenant, module, operation, entry, outcome.name().into()];
                let exemplar = failure.filter(|_| outcome == Outcome::Failure);
                requests.push_shown(labels, name.overflow, (Value::Count(totals.outcomes.get(outcome)), exemplar));
            }
            spans.push_marked(labels(name), name.overflow, Value::Count(totals.spans));
            if let Some(count) = self.snapshot.message_totals().get(&id) {
                messages.push_marked(labels(name), name.overflow, Value::Count(*count));
            }
        }
        vec![requests, spans, messages]
    }

    fn durations(&self) -> Family {
        let mut durations = Family::new(&catalogue::REQUEST_DURATION);
        for (id, module) in self.modules() {
            let exemplars = if self.exemplars { self.snapshot.bucket_exemplars(id as ModuleId) } else { [None; 15] };
            let buckets = Buckets { le: module.le, sum_ns: module.duration_sum_ns, exemplars };
            durations.push_marked(
                [(&module.tenant).into(), (&module.module).into()],
                module.overflow,
                Value::Buckets(Box::new(buckets)),
            );
        }
        durations
    }

    fn quantiles(&self, recent: &[SlotCounts]) -> Family {
        let mut quantiles = Family::new(&catalogue::REQUEST_QUANTILE);
        for (id, name) in self.series() {
            // Merging cells is the dear part: series without a recent success have no quantile anyway.
            if recent.get(id as usize).is_none_or(|counts| counts.outcomes.get(Outcome::Success) == 0) {
                continue;
            }
            let latency = self.snapshot.latency(&[id], Window::FiveMinutes);
            if latency.histogram.is_empty() {
                continue;
            }
            for (quantile, word) in QUANTILES {
                let [tenant, module, operation, entry] = labels(name);
                let micros = latency.histogram.value_at_quantile(quantile);
                quantiles.push_marked(
                    [tenant, module, operation, entry, word.into(), Window::FiveMinutes.name().into()],
                    name.overflow,
                    Value::Number(format::seconds(u128::from(micros) * 1_000)),
                );
            }
        }
        quantiles
    }

    fn success_ratios(&self, recent: Vec<SlotCounts>) -> Family {
        let mut ratios = Family::new(&catalogue::REQUEST_SUCCESS);
        let mut recent = Some(recent);
        let sums = RATIO_WINDOWS.map(|window| {
            let counts = match window {
                Window::FiveMinutes => recent.take().unwrap_or_default(),
                longer => self.snapshot.window(longer),
            };
            self.sum_by_module(&counts)
        });
        for (place, module) in self.modules() {
            for (window, sums) in RATIO_WINDOWS.iter().zip(&sums) {
                let outcomes = sums[place];
                let ratio = Ratio::of(outcomes.good(), outcomes.good() + outcomes.bad());
                if let Some(value) = ratio.as_f64() {
                    ratios.push_marked(
                        [(&module.tenant).into(), (&module.module).into(), window.name().into()],
                        module.overflow,
                        Value::Number(value),
                    );
                }
            }
        }
        ratios
    }

    fn sum_by_module(&self, counts: &[SlotCounts]) -> Vec<OutcomeCounts> {
        let mut sums = vec![OutcomeCounts::default(); self.snapshot.modules().len()];
        for (name, counts) in self.snapshot.series().zip(counts) {
            if let Some(sum) = sums.get_mut(name.module_id as usize) {
                *sum += counts.outcomes;
            }
        }
        sums
    }
}

fn labels(name: &SeriesName) -> [Label; 4] {
    [(&name.tenant).into(), (&name.module).into(), (&name.operation).into(), name.entry.name().into()]
}
