//! Families about the daemon itself that need no recorder: books, limits, build, readiness.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalogue;
use super::family::{Family, Label, Value};
use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{Books, Limit};
use crate::frontend::format;
use crate::frontend::inventory::Inventory;
use crate::frontend::scope::Scope;
use crate::observation::budget::Budget;

/// The daemon's state when figures are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own<'a> {
    /// Now, nanoseconds since the Unix epoch.
    pub(crate) now_ns: u64,
    /// Whether all readiness checks pass.
    pub(crate) ready: bool,
    /// The in-flight budget.
    pub(crate) budget: &'a Budget,
    /// What the settings say of modules.
    pub(crate) inventory: &'a Inventory,
    /// All bounds: the aggregator's and the others'.
    pub(crate) limits: &'a [Limit],
}

/// Families by tenant: books and series.
pub(crate) fn by_tenant(snapshot: &Snapshot, scope: &Scope) -> Vec<Family> {
    let mut held: BTreeMap<&Arc<str>, u64> = BTreeMap::new();
    for name in snapshot.series().filter(|name| scope.holds(&name.tenant)) {
        *held.entry(&name.tenant).or_default() += 1;
    }
    for (tenant, count) in snapshot.resting() {
        held.entry(tenant).and_modify(|held| *held = held.saturating_sub(*count));
    }
    let mut series = Family::new(&catalogue::SERIES);
    for (tenant, count) in held {
        series.push([tenant.into()], Value::Count(count));
    }
    let mut demand = Family::new(&catalogue::SERIES_DEMAND);
    for (tenant, names) in snapshot.demand().iter().filter(|(tenant, _)| scope.holds(tenant)) {
        demand.push([tenant.into()], Value::Count(*names));
    }
    let mut limited = Family::new(&catalogue::SERIES_LIMITED);
    for (tenant, reason, count) in snapshot.limited().iter().filter(|(tenant, ..)| scope.holds(tenant)) {
        limited.push([tenant.into(), (*reason).into()], Value::Count(*count));
    }
    let mut families = vec![series, demand, limited];
    families.extend(books(snapshot.books(), scope));
    families
}

fn books(books: &[Books], scope: &Scope) -> [Family; 4] {
    let [mut received, mut accepted, mut duplicate, mut rejected] = [
        &catalogue::INGEST_RECEIVED,
        &catalogue::INGEST_ACCEPTED,
        &catalogue::INGEST_DUPLICATE,
        &catalogue::INGEST_REJECTED,
    ]
    .map(Family::new);
    for book in books.iter().filter(|book| scope.holds(&book.tenant)) {
        let labels = || [Label::from(&book.tenant), book.signal.name().into()];
        received.push(labels(), Value::Count(book.received));
        accepted.push(labels(), Value::Count(book.accepted));
        duplicate.push(labels(), Value::Count(book.duplicates));
        for (reason, count) in &book.rejected {
            let [tenant, signal] = labels();
            rejected.push([tenant, signal, reason.name().into()], Value::Count(*count));
        }
    }
    [received, accepted, duplicate, rejected]
}

/// Families without a tenant.
pub(crate) fn of_daemon(snapshot: &Snapshot, own: &Own<'_>) -> Vec<Family> {
    let mut families = vec![
        Family::single(&catalogue::INGEST_INFLIGHT, Value::Count(own.budget.used())),
        Family::single(&catalogue::INGEST_INFLIGHT_MAX, Value::Count(own.budget.max())),
    ];
    families.extend(limits(own.limits));
    // Before the first record there is nothing to look back on.
    if snapshot.now_ns > 0 {
        let horizon_ns = snapshot.dedup_horizon_ns(own.inventory.late_accept_ns);
        families.push(Family::single(&catalogue::DEDUP_HORIZON, Value::Number(horizon_ns as f64 / 1e9)));
    }
    families.push(Family::single(&catalogue::LIVE_TRACES, Value::Count(snapshot.settled().live)));
    let mut shed = Family::new(&catalogue::CELLS_SHED);
    for (tier, cells) in snapshot.cells_shed() {
        shed.push([tier.into()], Value::Count(cells));
    }
    families.push(shed);
    let mut build = Family::new(&catalogue::BUILD_INFO);
    build.push([Label::Word(env!("CARGO_PKG_VERSION")), Label::Word(REVISION)], Value::Count(1));
    families.push(build);
    families.push(Family::single(&catalogue::READY, Value::Count(u64::from(own.ready))));
    // Before the first record there is no snapshot whose age could be told.
    if snapshot.now_ns > 0 {
        let age = format::seconds(u128::from(own.now_ns.saturating_sub(snapshot.now_ns)));
        families.push(Family::single(&catalogue::SNAPSHOT_AGE, Value::Number(age)));
    }
    families
}

/// The commit that was built, when the build said so.
pub(crate) const REVISION: &str = match option_env!("BAILIWICK_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

fn limits(limits: &[Limit]) -> [Family; 3] {
    let [mut used, mut max, mut refused] =
        [&catalogue::LIMIT_USED, &catalogue::LIMIT_MAX, &catalogue::LIMIT_REFUSED].map(Family::new);
    for limit in limits {
        used.push([limit.name.into()], Value::Count(limit.used));
        max.push([limit.name.into()], Value::Count(limit.max));
        refused.push([limit.name.into()], Value::Count(limit.refused));
    }
    [used, max, refused]
}
