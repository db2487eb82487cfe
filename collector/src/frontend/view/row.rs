//! Rows: what can be filtered, sorted and paged without looking at durations. One per series, or series added up by
//! module or by tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_slo::conventions::TENANT_OVERFLOW;
use bailiwick_slo::outcome::OutcomeCounts;
use bailiwick_slo::time::Window;

use crate::aggregator::Snapshot;
use crate::aggregator::snapshot::{ModuleId, ModuleTotals, SeriesId, SlotCounts};
use crate::frontend::view::list::Named;

/// Names of a row: tenant, module, operation, type; empty where rows are added up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Names {
    /// Tenant.
    pub(crate) tenant: Arc<str>,
    /// Module.
    pub(crate) module: Arc<str>,
    /// Operation.
    pub(crate) operation: Arc<str>,
    /// Entry type.
    pub(crate) entry: &'static str,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Who it is.
    pub(crate) names: Names,
    /// The series in it.
    pub(crate) series: Vec<SeriesId>,
    /// The modules in it, each once.
    pub(crate) modules: Vec<ModuleId>,
    /// Counts over the window.
    pub(crate) counts: SlotCounts,
    /// Messages of batches over the window.
    pub(crate) messages: u64,
    /// What weights of entry spans, and their squares, are above one over the window, in units of 2^-16.
    pub(crate) extra_weights: [u64; 2],
    /// Requests since the daemon began.
    pub(crate) total: OutcomeCounts,
    /// When its first request ended; 0 is never.
    pub(crate) first_seen_ns: u64,
    /// When its latest request ended; 0 is never.
    pub(crate) last_seen_ns: u64,
    /// Whether it takes what nothing else is left for.
    pub(crate) overflow: bool,
}

/// What series are added up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Not at all.
    Series,
    /// Tenant x module.
    Module,
    /// Tenant.
    Tenant,
}

impl Named for Row {
    fn names(&self) -> [&str; 4] {
        [&self.names.tenant, &self.names.module, &self.names.operation, self.names.entry]
    }
}

/// A row for every series of a snapshot, counted over the window.
pub(crate) fn rows(snapshot: &Snapshot, window: Window) -> Vec<Row> {
    let counts = snapshot.window(window);
    let (messages, extra_weights) = (snapshot.messages(window), snapshot.extra_weights(window));
    let series = (0..).zip(snapshot.series()).zip(counts);
    series
        .map(|((id, name), counts)| (id, name, counts, snapshot.totals(id)))
        .map(|(id, name, counts, totals)| Row {
            names: Names {
                tenant: Arc::clone(&name.tenant),
                module: Arc::clone(&name.module),
                operation: Arc::clone(&name.operation),
                entry: name.entry.name(),
            },
            series: vec![id],
            modules: vec![name.module_id],
            counts,
            messages: messages.get(&id).copied().unwrap_or_default(),
            extra_weights: extra_weights.get(&id).copied().unwrap_or_default(),
            first_seen_ns: name.first_seen_ns,
            last_seen_ns: totals.last_seen_ns,
            total: totals.outcomes,
            overflow: name.overflow,
        })
        .collect()
}

/// Adds rows up. `is_overflow` tells whether a module is one that takes what no module is left for.
pub(crate) fn roll_up(rows: Vec<Row>, level: Level, is_overflow: impl Fn(ModuleId) -> bool) -> Vec<Row> {
    if level == Level::Series {
        return rows;
    }
    let nothing: Arc<str> = Arc::from("");
    let mut sums: BTreeMap<Names, Row> = BTreeMap::new();
    for mut row in rows {
        row.names.operation = Arc::clone(&nothing);
        row.names.entry = "";
        row.overflow = match level {
            Level::Tenant => &*row.names.tenant == TENANT_OVERFLOW,
            Level::Module | Level::Series => row.modules.iter().any(|module| is_overflow(*module)),
        };
        if level == Level::Tenant {
            row.names.module = Arc::clone(&nothing);
        }
        match sums.get_mut(&row.names) {
            Some(sum) => add(sum, &row),
            None => {
                sums.insert(row.names.clone(), row);
            }
        }
    }
    sums.into_values().collect()
}

fn add(sum: &mut Row, row: &Row) {
    sum.series.extend(&row.series);
    for module in &row.modules {
        if !sum.modules.contains(module) {
            sum.modules.push(*module);
        }
    }
    sum.counts.outcomes += row.counts.outcomes;
    sum.counts.spans += row.counts.spans;
    sum.messages += row.messages;
    sum.extra_weights = [0, 1].map(|place| sum.extra_weights[place] + row.extra_weights[place]);
    sum.total += row.total;
    sum.first_seen_ns = sum.first_seen_ns.min(row.first_seen_ns);
    sum.last_seen_ns = sum.last_seen_ns.max(row.last_seen_ns);
    sum.overflow |= row.overflow;
}

/// Whether the snapshot's module is an overflow module.
pub(crate) fn overflow_of(modules: &[&ModuleTotals]) -> impl Fn(ModuleId) -> bool {
    let marks: Vec<bool> = modules.iter().map(|module| module.overflow).collect();
    move |id| marks.get(id as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(tenant: &str, module: (&str, ModuleId), series: SeriesId, success: u64) -> Row {
        Row {
            names: Names { tenant: tenant.into(), module: module.0.into(), operation: "GET /".into(), entry: "server" },
            series: vec![series],
            modules: vec![module.1],
            counts: SlotCounts { outcomes: OutcomeCounts([success, 1, 0, 0, 0]), spans: success + 1 },
            messages: 3,
            extra_weights: [1, 2],
            total: OutcomeCounts([success * 2, 0, 0, 0, 0]),
            first_seen_ns: 100 + u64::from(series),
            last_seen_ns: 200 + u64::from(series),
            overflow: false,
        }
    }

    #[test]
    fn the_sums_of_a_level_keep_every_request() {
        let rows = vec![
            row("acme", ("rag_hub", 0), 0, 10),
            row("acme", ("rag_hub", 0), 1, 20),
            row("acme", ("chat", 1), 2, 30),
            row("globex", ("chat", 2), 3, 40),
        ];
        let modules = roll_up(rows.clone(), Level::Module, |module| module == 2);
        let shown: Vec<_> = modules.iter().map(|row| (row.names(), row.counts.outcomes.0[0], row.overflow)).collect();
        assert_eq!(
            shown,
            [
                (["acme", "chat", "", ""], 30, false),
                (["acme", "rag_hub", "", ""], 30, false),
                (["globex", "chat", "", ""], 40, true),
            ]
        );
        let tenants = roll_up(rows, Level::Tenant, |_| false);
        assert_eq!(tenants[0].names(), ["acme", "", "", ""]);
        assert_eq!((tenants[0].series.len(), tenants[0].modules.len()), (3, 2));
        assert_eq!((tenants[0].counts.spans, tenants[0].counts.outcomes.bad()), (63, 3));
        assert_eq!(tenants[0].total.total(), 120);
        assert_eq!((tenants[0].messages, tenants[0].extra_weights), (9, [3, 6]));
        assert_eq!((tenants[0].first_seen_ns, tenants[0].last_seen_ns), (100, 202));
    }
}
