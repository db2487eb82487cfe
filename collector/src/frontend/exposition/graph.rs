//! Calls and requests under the names of Tempo's metrics generator, so that Grafana's service graph works as it comes.
//! Entry spans only: a request counts once. What was not seen for a quarter of an hour is left out.

use bailiwick_slo::conventions::EntryType;
use bailiwick_slo::outcome::Outcome;

use super::catalogue;
use super::family::{Family, Label, Value};
use super::requests;
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{EdgeName, SeriesName};
use crate::frontend::scope::Scope;

/// `status_code` of spans that say nothing, or that they went well: whoever counts by outcome cannot tell them apart.
const UNSET: &str = "STATUS_CODE_UNSET";
const ERROR: &str = "STATUS_CODE_ERROR";

/// Calls between modules and to peers.
pub(crate) fn calls(snapshot: &Snapshot, scope: &Scope) -> [Family; 4] {
    let [mut requests, mut failed, mut server, mut client] =
        [&catalogue::EDGE_REQUESTS, &catalogue::EDGE_FAILED, &catalogue::EDGE_SERVER, &catalogue::EDGE_CLIENT]
            .map(Family::new);
    for (name, edge) in snapshot.edges().zip(0..) {
        let totals = snapshot.edge_totals(edge);
        if !scope.holds(&name.tenant) || requests::is_idle(snapshot, totals.last_seen_ns) {
            continue;
        }
        requests.push(ends(name), Value::Count(totals.counts.requests));
        failed.push(ends(name), Value::Count(totals.counts.failures));
        for (family, durations) in [(&mut server, &totals.called), (&mut client, &totals.calling)] {
            if !durations.is_empty() {
                family.push(ends(name), durations.into());
            }
        }
    }
    [requests, failed, server, client]
}

/// Modules name no namespace: it is a part of their name where their service has one.
fn ends(name: &EdgeName) -> [Label; 6] {
    [(&name.tenant).into(), (&name.from).into(), (&name.to).into(), "".into(), "".into(), name.kind.name().into()]
}

/// Requests by series, as spans.
pub(crate) fn spans(snapshot: &Snapshot, scope: &Scope) -> [Family; 2] {
    let [mut calls, mut latency] = [&catalogue::SPAN_CALLS, &catalogue::SPAN_LATENCY].map(Family::new);
    for (name, id) in snapshot.series().zip(0..) {
        let totals = snapshot.totals(id);
        if !scope.holds(&name.tenant) || requests::is_idle(snapshot, totals.last_seen_ns) {
            continue;
        }
        let durations = snapshot.series_durations(id);
        let failures = totals.outcomes.get(Outcome::Failure);
        let others = totals.outcomes.total() - failures;
        for (status, count, durations) in [(UNSET, others, &durations.others), (ERROR, failures, &durations.failures)] {
            calls.push_marked(of_span(name, status), name.overflow, Value::Count(count));
            if !durations.is_empty() {
                latency.push_marked(of_span(name, status), name.overflow, durations.into());
            }
        }
    }
    [calls, latency]
}

fn of_span(name: &SeriesName, status: &'static str) -> [Label; 5] {
    let kind = match name.entry {
        EntryType::Server => "SPAN_KIND_SERVER",
        EntryType::Consumer => "SPAN_KIND_CONSUMER",
        EntryType::Job | EntryType::ModuleCall => "SPAN_KIND_INTERNAL",
    };
    [(&name.tenant).into(), (&name.module).into(), (&name.operation).into(), kind.into(), status.into()]
}
